/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A registration that another witnessd tells of: the first 20 bytes are the key, the rest the value.
 * What is taken must say the same when it is told again.
 */
#include <stdlib.h>
#include <string.h>

#include "witnessd/swn/replica.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[PEERS_VALUE_MAX], second[PEERS_VALUE_MAX];
	size_t key_len = size < SWN_REPLICA_KEY ? size : SWN_REPLICA_KEY;
	size_t first_len = 0, second_len = 0;
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct swn_replica replica, again;
	uint8_t key[SWN_REPLICA_KEY];

	if (size - key_len <= PEERS_VALUE_MAX &&
	    swn_replica_pull(mem_ctx, data, key_len, data + key_len, size - key_len, &replica) ==
		    0) {
		swn_replica_key(&replica.reg->handle, key);
		must(memcmp(key, data, sizeof(key)) == 0);
		must(swn_replica_push(&replica, first, &first_len) == 0);
		must(swn_replica_pull(mem_ctx, key, sizeof(key), first, first_len, &again) == 0);
		must(swn_replica_push(&again, second, &second_len) == 0);
		must(first_len == second_len && memcmp(first, second, first_len) == 0);
	}
	talloc_free(mem_ctx);
	return 0;
}
