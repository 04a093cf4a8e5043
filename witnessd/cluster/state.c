/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/state.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct cluster_state *cluster_state_new(TALLOC_CTX *mem_ctx)
{
	struct cluster_state *state = talloc_zero(mem_ctx, struct cluster_state);

	if (state != NULL) {
		state->quorate = true;
	}
	return state;
}

/* Copy a string that may be NULL. @return whether there was memory */
static bool dup_optional(TALLOC_CTX *mem_ctx, const char *text, const char **out)
{
	*out = text == NULL ? NULL : talloc_strdup(mem_ctx, text);
	return text == NULL || *out != NULL;
}

/*
 * Make room for one more element of an array that is a child of the state. It grows by doubling: a
 * cluster may have thousands of addresses, and each was added alone.
 */
static void *grow(struct cluster_state *state, void *array, size_t num, size_t size)
{
	if (array != NULL && talloc_get_size(array) / size > num) {
		return array;
	}
	return talloc_realloc_size(state, array, size * (num < 4 ? 4 : 2 * num));
}

int cluster_state_add_node(struct cluster_state *state, const struct cluster_node *node)
{
	struct cluster_node *nodes, copy = *node;

	if (cluster_state_node(state, node->name) != NULL) {
		return EEXIST;
	}
	nodes = grow(state, state->nodes, state->num_nodes, sizeof(*nodes));
	if (nodes == NULL) {
		return ENOMEM;
	}
	state->nodes = nodes;
	if (!dup_optional(nodes, node->name, &copy.name)) {
		return ENOMEM;
	}
	nodes[state->num_nodes++] = copy;
	return 0;
}

int cluster_state_add_addr(struct cluster_state *state, const struct cluster_addr *addr)
{
	struct cluster_addr *addrs, copy = *addr;

	if (cluster_state_addr(state, &addr->ip) != NULL) {
		return EEXIST;
	}
	addrs = grow(state, state->addrs, state->num_addrs, sizeof(*addrs));
	if (addrs == NULL) {
		return ENOMEM;
	}
	state->addrs = addrs;
	if (!dup_optional(addrs, addr->node, &copy.node) ||
	    !dup_optional(addrs, addr->group, &copy.group)) {
		return ENOMEM;
	}
	addrs[state->num_addrs++] = copy;
	return 0;
}

int cluster_state_add_share(struct cluster_state *state, const struct cluster_share *share)
{
	struct cluster_share *shares, copy = *share;

	if (cluster_state_share(state, share->name) != NULL) {
		return EEXIST;
	}
	shares = grow(state, state->shares, state->num_shares, sizeof(*shares));
	if (shares == NULL) {
		return ENOMEM;
	}
	state->shares = shares;
	if (!dup_optional(shares, share->name, &copy.name) ||
	    !dup_optional(shares, share->group, &copy.group) ||
	    !dup_optional(shares, share->node, &copy.node)) {
		return ENOMEM;
	}
	shares[state->num_shares++] = copy;
	return 0;
}

struct cluster_state *cluster_state_copy(TALLOC_CTX *mem_ctx, const struct cluster_state *state)
{
	struct cluster_state *copy = cluster_state_new(mem_ctx);
	int err = 0;

	if (copy == NULL) {
		return NULL;
	}
	copy->generation = state->generation;
	copy->quorate = state->quorate;
	for (size_t i = 0; i < state->num_nodes && err == 0; i++) {
		err = cluster_state_add_node(copy, &state->nodes[i]);
	}
	for (size_t i = 0; i < state->num_addrs && err == 0; i++) {
		err = cluster_state_add_addr(copy, &state->addrs[i]);
	}
	for (size_t i = 0; i < state->num_shares && err == 0; i++) {
		err = cluster_state_add_share(copy, &state->shares[i]);
	}
	if (err != 0) {
		talloc_free(copy);
		return NULL;
	}
	return copy;
}

const struct cluster_node *cluster_state_node(const struct cluster_state *state, const char *name)
{
	for (size_t i = 0; name != NULL && i < state->num_nodes; i++) {
		if (strcmp(state->nodes[i].name, name) == 0) {
			return &state->nodes[i];
		}
	}
	return NULL;
}

const struct cluster_node *cluster_state_local(const struct cluster_state *state)
{
	for (size_t i = 0; i < state->num_nodes; i++) {
		if (state->nodes[i].local) {
			return &state->nodes[i];
		}
	}
	return NULL;
}

const struct cluster_addr *cluster_state_addr(const struct cluster_state *state,
					      const struct ipaddr *ip)
{
	for (size_t i = 0; i < state->num_addrs; i++) {
		if (ipaddr_equal(&state->addrs[i].ip, ip)) {
			return &state->addrs[i];
		}
	}
	return NULL;
}

const struct cluster_share *cluster_state_share(const struct cluster_state *state, const char *name)
{
	for (size_t i = 0; i < state->num_shares; i++) {
		if (strcasecmp(state->shares[i].name, name) == 0) {
			return &state->shares[i];
		}
	}
	return NULL;
}

/* What is wrong with a snapshot; text is NULL when there was no memory for the sentence. */
static int refuse(char **why, char *text)
{
	*why = text;
	return EINVAL;
}

static int check_nodes(TALLOC_CTX *mem_ctx, const struct cluster_state *state, char **why)
{
	const char *local = NULL;

	for (size_t i = 0; i < state->num_nodes; i++) {
		const struct cluster_node *node = &state->nodes[i];

		if (node->name[0] == '\0') {
			return refuse(why, talloc_strdup(mem_ctx, "a node has no name"));
		}
		if (node->local && local != NULL) {
			return refuse(why,
				      talloc_asprintf(mem_ctx, "both %s and %s are the local node",
						      local, node->name));
		}
		local = node->local ? node->name : local;
	}
	return 0;
}

static int check_addr(TALLOC_CTX *mem_ctx, const struct cluster_state *state,
		      const struct cluster_addr *addr, char **why)
{
	char ip[IPADDR_STRLEN];

	ipaddr_format(&addr->ip, ip);
	if (addr->ip.family == 0) {
		return refuse(why, talloc_strdup(mem_ctx, "an address is empty"));
	}
	if (addr->group == NULL) {
		return refuse(why, talloc_asprintf(mem_ctx, "address %s has no group", ip));
	}
	if (addr->node != NULL && cluster_state_node(state, addr->node) == NULL) {
		return refuse(why, talloc_asprintf(mem_ctx,
						   "address %s is on node %s, which is not listed",
						   ip, addr->node));
	}
	if (addr->state == CLUSTER_ADDR_AVAILABLE && addr->node == NULL) {
		return refuse(why, talloc_asprintf(mem_ctx,
						   "address %s is available and on no node", ip));
	}
	return 0;
}

static int check_share(TALLOC_CTX *mem_ctx, const struct cluster_state *state,
		       const struct cluster_share *share, char **why)
{
	if (share->name[0] == '\0') {
		return refuse(why, talloc_strdup(mem_ctx, "a share has no name"));
	}
	if (share->node != NULL && cluster_state_node(state, share->node) == NULL) {
		return refuse(why, talloc_asprintf(mem_ctx,
						   "share %s is on node %s, which is not listed",
						   share->name, share->node));
	}
	return 0;
}

int cluster_state_check(TALLOC_CTX *mem_ctx, const struct cluster_state *state, char **why)
{
	int err = check_nodes(mem_ctx, state, why);

	for (size_t i = 0; i < state->num_addrs && err == 0; i++) {
		err = check_addr(mem_ctx, state, &state->addrs[i], why);
	}
	for (size_t i = 0; i < state->num_shares && err == 0; i++) {
		err = check_share(mem_ctx, state, &state->shares[i], why);
	}
	return err;
}

const char *cluster_addr_state_name(enum cluster_addr_state state)
{
	switch (state) {
	case CLUSTER_ADDR_UNKNOWN:
		return "unknown";
	case CLUSTER_ADDR_AVAILABLE:
		return "available";
	case CLUSTER_ADDR_UNAVAILABLE:
		return "unavailable";
	}
	return "invalid";
}
