/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a hostile server may answer to a witness client. The first byte is the opnum that is answered.
 * What is taken must survive being written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "witnessd/swn/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

static void try_notify(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len)
{
	struct swn_notify *notify, *again;
	uint32_t werror, werror_again;
	uint8_t *copy;
	size_t copy_len;

	if (swn_pull_notify_reply(mem_ctx, stub, len, &notify, &werror) != 0) {
		return;
	}
	must(swn_push_notify_reply(mem_ctx, notify, werror, &copy, &copy_len) == 0);
	must(swn_pull_notify_reply(mem_ctx, copy, copy_len, &again, &werror_again) == 0);
	must(werror == werror_again && (notify == NULL) == (again == NULL));
	if (notify == NULL) {
		return;
	}
	must(notify->type == again->type && notify->num_changes == again->num_changes &&
	     notify->num_addrs == again->num_addrs);
	for (size_t i = 0; i < notify->num_changes; i++) {
		must(notify->changes[i].state == again->changes[i].state);
		must(strcmp(notify->changes[i].name, again->changes[i].name) == 0);
	}
	for (size_t i = 0; i < notify->num_addrs; i++) {
		must((notify->addrs[i].flags & ~0x1bU) == 0);
		must(notify->addrs[i].flags == again->addrs[i].flags);
		must(ipaddr_equal(&notify->addrs[i].ip, &again->addrs[i].ip));
	}
}

static void try_interfaces(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len)
{
	struct swn_interface_list *list, *again;
	uint32_t werror;
	uint8_t *copy;
	size_t copy_len;

	if (swn_pull_interface_list_reply(mem_ctx, stub, len, &list, &werror) != 0) {
		return;
	}
	must(swn_push_interface_list_reply(mem_ctx, list, werror, &copy, &copy_len) == 0);
	must(swn_pull_interface_list_reply(mem_ctx, copy, copy_len, &again, &werror) == 0);
	must((list == NULL) == (again == NULL));
	must(list == NULL || list->num == again->num);
	for (size_t i = 0; list != NULL && i < list->num; i++) {
		must(list->entries[i].version == again->entries[i].version &&
		     list->entries[i].state == again->entries[i].state &&
		     list->entries[i].witness == again->entries[i].witness);
		must(ipaddr_equal(&list->entries[i].ipv4, &again->entries[i].ipv4));
		must(ipaddr_equal(&list->entries[i].ipv6, &again->entries[i].ipv6));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx;
	struct swn_handle handle;
	uint32_t werror;

	if (size == 0) {
		return 0;
	}
	mem_ctx = talloc_new(NULL);
	switch (data[0]) {
	case SWN_GET_INTERFACE_LIST:
		try_interfaces(mem_ctx, data + 1, size - 1);
		break;
	case SWN_ASYNC_NOTIFY:
		try_notify(mem_ctx, data + 1, size - 1);
		break;
	case SWN_UNREGISTER:
		must((swn_pull_werror_reply(data + 1, size - 1, &werror) == 0) == (size >= 5));
		break;
	default:
		must((swn_pull_handle_reply(data + 1, size - 1, &handle, &werror) == 0) ==
		     (size >= 25));
		break;
	}
	talloc_free(mem_ctx);
	return 0;
}
