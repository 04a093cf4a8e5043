/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/overlay.h"

#include <errno.h>

/* The host of the address, as far as is known. */
static const char *holder(const struct cluster_addr *addr, const struct cluster_state *before)
{
	const struct cluster_addr *was =
		before != NULL ? cluster_state_addr(before, &addr->ip) : NULL;

	return addr->state == CLUSTER_ADDR_UNKNOWN && was != NULL ? was->node : addr->node;
}

int cluster_overlay(TALLOC_CTX *mem_ctx, const struct cluster_state *manager,
		    const struct cluster_state *before,
		    bool (*is_dead)(const void *private_data, const char *node),
		    const void *private_data, struct cluster_state **out)
{
	struct cluster_state *state = cluster_state_copy(mem_ctx, manager);

	if (state == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < state->num_nodes; i++) {
		if (is_dead(private_data, state->nodes[i].name)) {
			state->nodes[i].online = false;
		}
	}
	for (size_t i = 0; i < state->num_addrs; i++) {
		struct cluster_addr *addr = &state->addrs[i];
		const char *node = holder(addr, before);

		if (node != NULL && is_dead(private_data, node)) {
			addr->state = CLUSTER_ADDR_UNAVAILABLE;
			addr->node = NULL;
		}
	}
	for (size_t i = 0; i < state->num_shares; i++) {
		struct cluster_share *share = &state->shares[i];

		if (share->node != NULL && is_dead(private_data, share->node)) {
			share->node = NULL;
		}
	}
	*out = state;
	return 0;
}
