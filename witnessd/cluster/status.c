/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cluster as JSON, for witnessctl status. */
#include "witnessd/cluster/cluster_private.h"

#include "witnessd/util/text_json.h"

static json_t *node_json(const struct cluster_node *node)
{
	return json_pack("{s:o, s:I, s:b, s:b, s:b}", "name", text_json(node->name), "id",
			 (json_int_t)node->id, "online", node->online, "draining", node->draining,
			 "local", node->local);
}

static json_t *names_json(const char *const *names)
{
	json_t *list = json_array();

	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		json_array_append_new(list, text_json(names[i]));
	}
	return list;
}

static json_t *addr_json(const struct cluster_addr *addr)
{
	char ip[IPADDR_STRLEN];

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "address",
			 ipaddr_format(&addr->ip, ip), "node", text_json(addr->node), "group",
			 text_json(addr->group), "resource", text_json(addr->resource), "net_names",
			 names_json(addr->net_names), "state", cluster_addr_state_name(addr->state),
			 "kind", addr->kind == CLUSTER_ADDR_FIXED ? "fixed" : "floating");
}

static json_t *share_json(const struct cluster_share *share)
{
	json_t *addrs = json_array();
	char ip[IPADDR_STRLEN];

	for (size_t i = 0; i < share->num_addrs; i++) {
		json_array_append_new(addrs, json_string(ipaddr_format(&share->addrs[i], ip)));
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "name", text_json(share->name), "group",
			 text_json(share->group), "node", text_json(share->node), "addresses",
			 addrs);
}

static json_t *nodes_json(const struct cluster_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; state != NULL && i < state->num_nodes; i++) {
		json_array_append_new(list, node_json(&state->nodes[i]));
	}
	return list;
}

static json_t *addrs_json(const struct cluster_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; state != NULL && i < state->num_addrs; i++) {
		json_array_append_new(list, addr_json(&state->addrs[i]));
	}
	return list;
}

static json_t *shares_json(const struct cluster_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; state != NULL && i < state->num_shares; i++) {
		json_array_append_new(list, share_json(&state->shares[i]));
	}
	return list;
}

json_t *cluster_status_json(const struct cluster *cluster)
{
	const struct cluster_state *state = cluster->current;
	json_t *backend = cluster->ops != NULL && cluster->ops->status != NULL
				  ? cluster->ops->status(cluster->backend)
				  : NULL;

	json_t *heartbeat = cluster->heartbeat != NULL ? heartbeat_status_json(cluster->heartbeat)
						       : json_null();

	return json_pack("{s:o, s:I, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "backend",
			 text_json(cluster->ops != NULL ? cluster->ops->name : NULL), "generation",
			 (json_int_t)(state != NULL ? state->generation : 0), "quorate",
			 state != NULL && state->quorate, "stale", cluster->stale, "nodes",
			 nodes_json(state), "addresses", addrs_json(state), "shares",
			 shares_json(state), "peers", peers_status_json(cluster->peers),
			 "heartbeat", heartbeat, "backend_status",
			 backend != NULL ? backend : json_null());
}
