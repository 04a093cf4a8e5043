/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What administrators write for chosen clients. Text that begins with "r" is a reply by hand, which must be
 * one that a client can take apart or refuses; any other a selection, which is tried on one registration.
 */
#include <stdlib.h>
#include <string.h>

#include "witnessd/swn/order.h"
#include "witnessd/swn/order_reply.h"
#include "witnessd/swn/select.h"
#include "witnessd/swn/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

static void try_reply(TALLOC_CTX *mem_ctx, const char *text)
{
	struct swn_notify *notify;
	uint8_t *stub = NULL;
	uint32_t werror;
	size_t len = 0;
	char *why = NULL;

	if (swn_order_reply(mem_ctx, text, &stub, &len, &why) != 0) {
		must(why != NULL && stub == NULL);
		return;
	}
	must(stub != NULL && len > 0 && len <= SWN_ORDER_REPLY_MAX);
	(void)swn_pull_notify_reply(mem_ctx, stub, len, &notify, &werror);
}

static void try_select(TALLOC_CTX *mem_ctx, const char *text)
{
	static struct swn_reg reg = {.ip = {.family = AF_INET, .bytes = {10, 0, 0, 1}},
				     .net_name = "FS.example.com",
				     .share_name = "data",
				     .client_name =
					     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"};
	const struct swn_found found = {.reg = &reg, .witness = "n1", .node = "n2", .own = true};
	json_t *json = json_loads(text, 0, NULL);
	struct swn_select select = {.all = false};
	char *why = NULL;
	int err = swn_select_parse(mem_ctx, json, &select, &why);

	if (err != 0) {
		must(why != NULL);
	} else {
		must(!swn_select_is_empty(&select) || swn_select_matches(&select, &found));
		(void)swn_select_matches(&select, &found);
	}
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	char *text = talloc_strndup(mem_ctx, (const char *)data, size);

	must(text != NULL);
	if (text[0] == 'r') {
		try_reply(mem_ctx, text + 1);
	} else {
		try_select(mem_ctx, text);
	}
	talloc_free(mem_ctx);
	return 0;
}
