/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stubs of the six witness requests. The first byte chooses: bits 0-2 the opnum, bit 7 a big-endian
 * client. What is taken must survive being written and read again.
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

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

typedef int (*pull_fn)(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian,
		       struct swn_register *out);
typedef int (*push_fn)(TALLOC_CTX *mem_ctx, const struct swn_register *in, uint8_t **stub,
		       size_t *len);

static void try_register(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian,
			 pull_fn pull, push_fn push)
{
	struct swn_register reg, again;
	uint8_t *copy;
	size_t copy_len;

	if (pull(mem_ctx, stub, len, big_endian, &reg) != 0) {
		return;
	}
	must(push(mem_ctx, &reg, &copy, &copy_len) == 0);
	must(pull(mem_ctx, copy, copy_len, false, &again) == 0);
	must(reg.version == again.version && reg.flags == again.flags &&
	     reg.keep_alive_timeout == again.keep_alive_timeout);
	must(same_text(reg.net_name, again.net_name));
	must(same_text(reg.share_name, again.share_name));
	must(same_text(reg.ip_address, again.ip_address));
	must(same_text(reg.client_computer_name, again.client_computer_name));
}

static void try_handle(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian)
{
	struct swn_handle handle, again;
	uint8_t *copy;
	size_t copy_len;

	if (swn_pull_handle(stub, len, big_endian, &handle) != 0) {
		must(len < sizeof(handle));
		return;
	}
	must(swn_push_handle(mem_ctx, &handle, &copy, &copy_len) == 0);
	must(swn_pull_handle(copy, copy_len, false, &again) == 0);
	must(memcmp(&handle, &again, sizeof(handle)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx;
	bool big_endian;

	if (size == 0) {
		return 0;
	}
	mem_ctx = talloc_new(NULL);
	big_endian = (data[0] & 0x80) != 0;
	switch (data[0] & 7) {
	case SWN_REGISTER:
		try_register(mem_ctx, data + 1, size - 1, big_endian, swn_pull_register,
			     swn_push_register);
		break;
	case SWN_REGISTER_EX:
		try_register(mem_ctx, data + 1, size - 1, big_endian, swn_pull_register_ex,
			     swn_push_register_ex);
		break;
	default: /* GetInterfaceList has no arguments; the others have a handle */
		try_handle(mem_ctx, data + 1, size - 1, big_endian);
		break;
	}
	talloc_free(mem_ctx);
	return 0;
}
