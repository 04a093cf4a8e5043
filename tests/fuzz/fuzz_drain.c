/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node that another witnessd calls drained or not: the first byte is the length of the key, then comes the
 * key, the rest is the value. What is taken must say the same when it is told again, and can be answered by a
 * later word.
 */
#include <stdlib.h>
#include <string.h>

#include "witnessd/swn/drains.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct swn_drain drain = {.drained = false}, again = {.drained = false};
	uint8_t value[SWN_DRAIN_VALUE];
	size_t key_len;

	if (size == 0) {
		return 0;
	}
	key_len = data[0] < size - 1 ? data[0] : size - 1;
	if (swn_drain_pull(data + 1, key_len, data + 1 + key_len, size - 1 - key_len, &drain) !=
	    0) {
		must(drain.node[0] == '\0' && drain.when_us == 0);
		return 0;
	}
	must(strlen(drain.node) == key_len && memcmp(drain.node, data + 1, key_len) == 0);
	must(drain.when_us + 1 > drain.when_us);
	swn_drain_push(&drain, value);
	must(swn_drain_pull(drain.node, key_len, value, sizeof(value), &again) == 0);
	must(strcmp(again.node, drain.node) == 0 && again.drained == drain.drained &&
	     again.when_us == drain.when_us);
	return 0;
}
