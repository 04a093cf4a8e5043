/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tower, and a reply to ept_map: what can be read can be written, and reads the same again. */
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/epm_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tower(const struct rpc_tower *tower)
{
	uint8_t bytes[RPC_TOWER_TCP_LEN];
	struct rpc_tower again;

	rpc_tower_push(tower, bytes);
	if (rpc_tower_pull(bytes, sizeof(bytes), &again) != 0 ||
	    memcmp(&again.iface, &tower->iface, sizeof(again.iface)) != 0 ||
	    memcmp(&again.transfer, &tower->transfer, sizeof(again.transfer)) != 0 ||
	    again.port != tower->port || !ipaddr_equal(&again.addr, &tower->addr)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_tower tower;

	if (rpc_tower_pull(data, size, &tower) == 0) {
		check_tower(&tower);
	}
	if (epm_pull_map_reply(data, size, &tower) == 0) {
		check_tower(&tower);
	}
	return 0;
}
