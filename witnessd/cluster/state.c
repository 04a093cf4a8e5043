/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/state.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "witnessd/cluster/state_index.h"

struct cluster_state *cluster_state_new(TALLOC_CTX *mem_ctx)
{
	struct cluster_state *state = talloc_zero(mem_ctx, struct cluster_state);

	if (state == NULL) {
		return NULL;
	}
	state->quorate = true;
	state->node_index = state_index_new(state);
	state->addr_index = state_index_new(state);
	state->share_index = state_index_new(state);
	if (state->node_index == NULL || state->addr_index == NULL || state->share_index == NULL) {
		talloc_free(state);
		return NULL;
	}
	return state;
}

/* Shares compare without case: they are found by their name in lower case. NULL: no memory */
static char *share_key(const char *name)
{
	char *key = talloc_strdup(NULL, name);

	for (char *c = key; c != NULL && *c != '\0'; c++) {
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	}
	return key;
}

/* Copy a string that may be NULL. @return whether there was memory */
static bool dup_optional(TALLOC_CTX *mem_ctx, const char *text, const char **out)
{
	*out = text == NULL ? NULL : talloc_strdup(mem_ctx, text);
	return text == NULL || *out != NULL;
}

/* The names, which end with NULL, as a child of mem_ctx; none at all give NULL. @return 0 or ENOMEM */
static int dup_names(TALLOC_CTX *mem_ctx, const char *const *names, const char *const **out)
{
	const char **copy;
	size_t num = 0;

	while (names != NULL && names[num] != NULL) {
		num++;
	}
	*out = NULL;
	if (num == 0) {
		return 0;
	}
	copy = talloc_zero_array(mem_ctx, const char *, num + 1);
	if (copy == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < num; i++) {
		if (!dup_optional(copy, names[i], &copy[i])) {
			talloc_free(copy);
			return ENOMEM;
		}
	}
	*out = copy;
	return 0;
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
	int err;

	nodes = grow(state, state->nodes, state->num_nodes, sizeof(*nodes));
	if (nodes == NULL) {
		return ENOMEM;
	}
	state->nodes = nodes;
	if (!dup_optional(nodes, node->name, &copy.name)) {
		return ENOMEM;
	}
	err = state_index_add(state->node_index, node->name, strlen(node->name), state->num_nodes);
	if (err != 0) {
		return err;
	}
	nodes[state->num_nodes++] = copy;
	return 0;
}

int cluster_state_add_addr(struct cluster_state *state, const struct cluster_addr *addr)
{
	struct cluster_addr *addrs, copy = *addr;
	int err;

	addrs = grow(state, state->addrs, state->num_addrs, sizeof(*addrs));
	if (addrs == NULL) {
		return ENOMEM;
	}
	state->addrs = addrs;
	if (!dup_optional(addrs, addr->node, &copy.node) ||
	    !dup_optional(addrs, addr->group, &copy.group) ||
	    !dup_optional(addrs, addr->resource, &copy.resource) ||
	    dup_names(addrs, addr->net_names, &copy.net_names) != 0) {
		return ENOMEM;
	}
	err = state_index_add(state->addr_index, &addr->ip, sizeof(addr->ip), state->num_addrs);
	if (err != 0) {
		return err;
	}
	state->num_named += copy.net_names != NULL;
	addrs[state->num_addrs++] = copy;
	return 0;
}

int cluster_state_name_addr(struct cluster_state *state, size_t index, const char *const *names)
{
	struct cluster_addr *addr = &state->addrs[index];
	const char *const *copy;
	int err = dup_names(state->addrs, names, &copy);

	if (err == 0) {
		state->num_named -= addr->net_names != NULL;
		state->num_named += copy != NULL;
		addr->net_names = copy;
	}
	return err;
}

static void tie_addrs(struct cluster_state *state, const struct cluster_share *share)
{
	size_t pos;

	for (size_t i = 0; i < share->num_addrs; i++) {
		if (state_index_find(state->addr_index, &share->addrs[i], sizeof(share->addrs[i]),
				     &pos)) {
			state->addrs[pos].tied = true;
		}
	}
}

int cluster_state_add_share(struct cluster_state *state, const struct cluster_share *share)
{
	struct cluster_share *shares, copy = *share;
	char *key;
	int err;

	shares = grow(state, state->shares, state->num_shares, sizeof(*shares));
	if (shares == NULL) {
		return ENOMEM;
	}
	state->shares = shares;
	if (!dup_optional(shares, share->name, &copy.name) ||
	    !dup_optional(shares, share->group, &copy.group) ||
	    !dup_optional(shares, share->node, &copy.node) ||
	    !dup_optional(shares, share->last != NULL ? share->last : share->node, &copy.last)) {
		return ENOMEM;
	}
	copy.addrs = NULL;
	if (share->num_addrs > 0) {
		copy.addrs = talloc_memdup(shares, share->addrs,
					   share->num_addrs * sizeof(share->addrs[0]));
		if (copy.addrs == NULL) {
			return ENOMEM;
		}
	}
	key = share_key(share->name);
	err = key == NULL
		      ? ENOMEM
		      : state_index_add(state->share_index, key, strlen(key), state->num_shares);
	talloc_free(key);
	if (err != 0) {
		return err;
	}
	shares[state->num_shares++] = copy;
	tie_addrs(state, &copy);
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
	size_t pos;

	if (name == NULL || !state_index_find(state->node_index, name, strlen(name), &pos)) {
		return NULL;
	}
	return &state->nodes[pos];
}

const struct cluster_node *cluster_state_node_typed(const struct cluster_state *state,
						    const char *name)
{
	const struct cluster_node *exact = cluster_state_node(state, name), *node = state->nodes;

	if (exact != NULL || name == NULL || node == NULL) {
		return exact;
	}
	for (size_t i = 0; i < state->num_nodes; i++, node++) {
		if (strcasecmp(node->name, name) == 0) {
			return node;
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

bool cluster_state_is_local(const struct cluster_state *state, const char *node)
{
	const struct cluster_node *local = state != NULL ? cluster_state_local(state) : NULL;

	return local != NULL && node != NULL && strcmp(local->name, node) == 0;
}

const struct cluster_addr *cluster_state_addr(const struct cluster_state *state,
					      const struct ipaddr *ip)
{
	size_t pos;

	return state_index_find(state->addr_index, ip, sizeof(*ip), &pos) ? &state->addrs[pos]
									  : NULL;
}

const struct cluster_share *cluster_state_share(const struct cluster_state *state, const char *name)
{
	char *key = share_key(name);
	size_t pos;
	bool found = key != NULL && state_index_find(state->share_index, key, strlen(key), &pos);

	talloc_free(key);
	return found ? &state->shares[pos] : NULL;
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

	if (addr->ip.family == 0) {
		return refuse(why, talloc_strdup(mem_ctx, "an address is empty"));
	}
	if (addr->group == NULL) {
		return refuse(why, talloc_asprintf(mem_ctx, "address %s has no group",
						   ipaddr_format(&addr->ip, ip)));
	}
	if (addr->node != NULL && cluster_state_node(state, addr->node) == NULL) {
		return refuse(why, talloc_asprintf(mem_ctx,
						   "address %s is on node %s, which is not listed",
						   ipaddr_format(&addr->ip, ip), addr->node));
	}
	if (addr->state == CLUSTER_ADDR_AVAILABLE && addr->node == NULL) {
		return refuse(why,
			      talloc_asprintf(mem_ctx, "address %s is available and on no node",
					      ipaddr_format(&addr->ip, ip)));
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
	for (size_t i = 0; i < share->num_addrs; i++) {
		char ip[IPADDR_STRLEN];

		if (cluster_state_addr(state, &share->addrs[i]) == NULL) {
			return refuse(why, talloc_asprintf(mem_ctx,
							   "share %s is at %s, which is not listed",
							   share->name,
							   ipaddr_format(&share->addrs[i], ip)));
		}
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
