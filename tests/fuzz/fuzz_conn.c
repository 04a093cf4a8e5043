/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server connection from its first byte to its end: whatever a client sends, the connection ends, takes
 * everything along, and the server serves the next one. The input is the client's byte stream; the first
 * byte says after how many events a call that waits is finished.
 */
#include <stdlib.h>

#include "tests/fuzz/conn_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody is authenticated here. */
static void called(const struct rpc_call *call, enum rpc_auth_level min_level)
{
	if (call->identity.principal != NULL || min_level != RPC_LEVEL_NONE) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conn_target target = {.called = called};

	if (size == 0) {
		return 0;
	}
	if (target.loop == NULL) {
		target.loop = tevent_context_init(NULL);
		(void)conn_target_start(&target);
	}
	conn_target_run(data[0], data + 1, size - 1);
	return 0;
}
