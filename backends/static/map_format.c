/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a map becomes: text again, or the snapshot that it means. */
#include "backends/static/map.h"

#include <string.h>

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

static char *append_optional(char *text, const char *key, const char *value)
{
	return value == NULL ? text : talloc_asprintf_append_buffer(text, "%s = %s\n", key, value);
}

char *static_map_format(TALLOC_CTX *mem_ctx, const struct cluster_state *map)
{
	char ip[IPADDR_STRLEN];
	char *text =
		talloc_asprintf(mem_ctx,
				"# Map of the cluster, written by \"witnessctl static\", which "
				"keeps no comments.\n"
				"# The format is described in static-map.md.\n\n"
				"[cluster]\nquorate = %s\n",
				yes_no(map->quorate));

	for (size_t i = 0; i < map->num_nodes; i++) {
		const struct cluster_node *node = &map->nodes[i];

		text = talloc_asprintf_append_buffer(
			text, "\n[node %s]\nid = %u\nonline = %s\ndraining = %s\n", node->name,
			node->id, yes_no(node->online), yes_no(node->draining));
	}
	for (size_t i = 0; i < map->num_addrs; i++) {
		const struct cluster_addr *addr = &map->addrs[i];

		text = talloc_asprintf_append_buffer(
			text, "\n[address %s]\ngroup = %s\nkind = %s\nstate = %s\n",
			ipaddr_format(&addr->ip, ip), addr->group,
			addr->kind == CLUSTER_ADDR_FIXED ? "fixed" : "floating",
			cluster_addr_state_name(addr->state));
		text = append_optional(text, "node", addr->node);
	}
	for (size_t i = 0; i < map->num_shares; i++) {
		const struct cluster_share *share = &map->shares[i];

		text = talloc_asprintf_append_buffer(text, "\n[share %s]\n", share->name);
		text = append_optional(text, "group", share->group);
		text = append_optional(text, "node",
				       share->node == NULL && share->group == NULL ? "*"
										   : share->node);
	}
	return text;
}

struct cluster_state *static_map_snapshot(TALLOC_CTX *mem_ctx, const struct cluster_state *map,
					  const char *local, uint64_t generation)
{
	struct cluster_state *state = cluster_state_copy(mem_ctx, map);

	if (state == NULL) {
		return NULL;
	}
	state->generation = generation;
	for (size_t i = 0; i < state->num_nodes; i++) {
		state->nodes[i].local = strcmp(state->nodes[i].name, local) == 0;
	}
	for (size_t i = 0; i < state->num_addrs; i++) {
		const struct cluster_node *node = cluster_state_node(state, state->addrs[i].node);

		if (node != NULL && !node->online) {
			state->addrs[i].state = CLUSTER_ADDR_UNAVAILABLE;
		}
	}
	for (size_t i = 0; i < state->num_shares; i++) {
		const struct cluster_node *node = cluster_state_node(state, state->shares[i].node);

		if (node != NULL && !node->online) {
			state->shares[i].node = NULL;
		}
	}
	return state;
}
