/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a map becomes: text again, or the snapshot that it means. */
#include "backends/static/map.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/text_append.h"

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

static char *append_optional(char *text, const char *key, const char *value)
{
	return value == NULL ? text : text_append(text, "%s = %s\n", key, value);
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

		text = text_append(text, "\n[node %s]\nid = %u\nonline = %s\ndraining = %s\n",
				   node->name, node->id, yes_no(node->online),
				   yes_no(node->draining));
	}
	for (size_t i = 0; i < map->num_addrs; i++) {
		const struct cluster_addr *addr = &map->addrs[i];

		text = text_append(text, "\n[address %s]\ngroup = %s\nkind = %s\nstate = %s\n",
				   ipaddr_format(&addr->ip, ip), addr->group,
				   addr->kind == CLUSTER_ADDR_FIXED ? "fixed" : "floating",
				   cluster_addr_state_name(addr->state));
		text = append_optional(text, "node", addr->node);
	}
	for (size_t i = 0; i < map->num_shares; i++) {
		const struct cluster_share *share = &map->shares[i];

		text = text_append(text, "\n[share %s]\n", share->name);
		text = append_optional(text, "group", share->group);
		text = append_optional(text, "node",
				       share->node == NULL && share->group == NULL ? "*"
										   : share->node);
	}
	return text;
}

/* The addresses that a share moves with. @return 0 or ENOMEM */
static int group_addrs(TALLOC_CTX *mem_ctx, const struct cluster_state *map,
		       struct cluster_share *share)
{
	struct ipaddr *addrs;

	if (share->group == NULL) {
		return 0;
	}
	addrs = talloc_array(mem_ctx, struct ipaddr, map->num_addrs);
	if (addrs == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < map->num_addrs; i++) {
		if (map->addrs[i].kind == CLUSTER_ADDR_FLOATING &&
		    strcmp(map->addrs[i].group, share->group) == 0) {
			addrs[share->num_addrs++] = map->addrs[i].ip;
		}
	}
	share->addrs = addrs;
	return 0;
}

static int snapshot_nodes(struct cluster_state *state, const struct cluster_state *map,
			  const char *local)
{
	int err = 0;

	for (size_t i = 0; i < map->num_nodes && err == 0; i++) {
		struct cluster_node node = map->nodes[i];

		node.local = strcmp(node.name, local) == 0;
		err = cluster_state_add_node(state, &node);
	}
	return err;
}

static bool is_offline(const struct cluster_state *map, const char *name)
{
	const struct cluster_node *node = cluster_state_node(map, name);

	return node != NULL && !node->online;
}

static int snapshot_addrs(struct cluster_state *state, const struct cluster_state *map)
{
	int err = 0;

	for (size_t i = 0; i < map->num_addrs && err == 0; i++) {
		struct cluster_addr addr = map->addrs[i];

		if (is_offline(map, addr.node)) {
			addr.state = CLUSTER_ADDR_UNAVAILABLE;
		}
		err = cluster_state_add_addr(state, &addr);
	}
	return err;
}

static int snapshot_shares(struct cluster_state *state, const struct cluster_state *map)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	int err = tmp != NULL ? 0 : ENOMEM;

	for (size_t i = 0; i < map->num_shares && err == 0; i++) {
		struct cluster_share share = map->shares[i];

		if (is_offline(map, share.node)) {
			share.node = NULL;
		}
		err = group_addrs(tmp, map, &share);
		if (err == 0) {
			err = cluster_state_add_share(state, &share);
		}
		talloc_free_children(tmp);
	}
	talloc_free(tmp);
	return err;
}

struct cluster_state *static_map_snapshot(TALLOC_CTX *mem_ctx, const struct cluster_state *map,
					  const char *local, uint64_t generation)
{
	struct cluster_state *state = cluster_state_new(mem_ctx);
	int err;

	if (state == NULL) {
		return NULL;
	}
	state->generation = generation;
	state->quorate = map->quorate;
	err = snapshot_nodes(state, map, local);
	err = err != 0 ? err : snapshot_addrs(state, map);
	err = err != 0 ? err : snapshot_shares(state, map);
	if (err != 0) {
		talloc_free(state);
		return NULL;
	}
	return state;
}
