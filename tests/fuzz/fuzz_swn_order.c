/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What another witnessd may order (swn/order.h). What is taken must survive being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "witnessd/swn/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct swn_handle *handles, *handles_again;
	struct swn_order order, again;
	uint8_t buf[PEERS_COMMAND_MAX];
	size_t num, num_again, len;

	if (swn_order_pull(mem_ctx, data, size, &order, &handles, &num) == 0) {
		must(swn_order_push(&order, handles, num, buf, &len) == 0);
		must(swn_order_pull(mem_ctx, buf, len, &again, &handles_again, &num_again) == 0);
		must(num == num_again && order.type == again.type && order.online == again.online);
		must(num == 0 || memcmp(handles, handles_again, num * sizeof(handles[0])) == 0);
		must(order.reply_len == again.reply_len);
	}
	talloc_free(mem_ctx);
	return 0;
}
