/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about states: whether two are the same, and who serves which name and share. */
#include <string.h>

#include "witnessd/cluster/state.h"
#include "witnessd/util/netname.h"

bool cluster_same_name(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_names(const char *const *a, const char *const *b)
{
	size_t i = 0;

	if (a == NULL || b == NULL) {
		return a == b;
	}
	while (a[i] != NULL && cluster_same_name(a[i], b[i])) {
		i++;
	}
	return a[i] == NULL && b[i] == NULL;
}

static bool same_node(const struct cluster_node *a, const struct cluster_node *b)
{
	return cluster_same_name(a->name, b->name) && a->id == b->id && a->online == b->online &&
	       a->draining == b->draining && a->local == b->local;
}

static bool same_addr(const struct cluster_addr *a, const struct cluster_addr *b)
{
	return ipaddr_equal(&a->ip, &b->ip) && cluster_same_name(a->node, b->node) &&
	       cluster_same_name(a->group, b->group) &&
	       cluster_same_name(a->resource, b->resource) &&
	       same_names(a->net_names, b->net_names) && a->state == b->state &&
	       a->kind == b->kind && a->pinned == b->pinned;
}

static bool same_share(const struct cluster_share *a, const struct cluster_share *b)
{
	if (!cluster_same_name(a->name, b->name) || !cluster_same_name(a->group, b->group) ||
	    !cluster_same_name(a->node, b->node) || a->num_addrs != b->num_addrs ||
	    a->pinned != b->pinned) {
		return false;
	}
	for (size_t i = 0; i < a->num_addrs; i++) {
		if (!ipaddr_equal(&a->addrs[i], &b->addrs[i])) {
			return false;
		}
	}
	return true;
}

bool cluster_state_equal(const struct cluster_state *a, const struct cluster_state *b)
{
	if (a->quorate != b->quorate || a->num_nodes != b->num_nodes ||
	    a->num_addrs != b->num_addrs || a->num_shares != b->num_shares) {
		return false;
	}
	for (size_t i = 0; i < a->num_nodes; i++) {
		if (!same_node(&a->nodes[i], &b->nodes[i])) {
			return false;
		}
	}
	for (size_t i = 0; i < a->num_addrs; i++) {
		if (!same_addr(&a->addrs[i], &b->addrs[i])) {
			return false;
		}
	}
	for (size_t i = 0; i < a->num_shares; i++) {
		if (!same_share(&a->shares[i], &b->shares[i])) {
			return false;
		}
	}
	return true;
}

/* Whether each address of a that has names has the same ones in b. */
static bool has_names_of(const struct cluster_state *b, const struct cluster_state *a)
{
	for (size_t i = 0; i < a->num_addrs; i++) {
		const struct cluster_addr *is = &a->addrs[i], *other;

		if (is->net_names == NULL) {
			continue;
		}
		other = cluster_state_addr(b, &is->ip);
		if (other == NULL || !same_names(is->net_names, other->net_names)) {
			return false;
		}
	}
	return true;
}

bool cluster_state_names_equal(const struct cluster_state *a, const struct cluster_state *b)
{
	return a->num_named == b->num_named && (a->num_named == 0 || has_names_of(b, a));
}

bool cluster_state_has_net_name(const struct cluster_state *state, const char *net_name)
{
	for (size_t i = 0; state->num_named > 0 && i < state->num_addrs; i++) {
		if (state->addrs[i].net_names != NULL &&
		    netname_matches(state->addrs[i].net_names, net_name)) {
			return true;
		}
	}
	return false;
}

bool cluster_state_serves(const struct cluster_state *state, const struct cluster_addr *addr,
			  const char *net_name)
{
	return addr->net_names != NULL ? netname_matches(addr->net_names, net_name)
				       : !cluster_state_has_net_name(state, net_name);
}

bool cluster_share_at(const struct cluster_share *share, const struct ipaddr *ip)
{
	for (size_t i = 0; i < share->num_addrs; i++) {
		if (ipaddr_equal(&share->addrs[i], ip)) {
			return true;
		}
	}
	return share->num_addrs == 0;
}
