/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots in a few words, for the tests of the cluster and of what listens to it. */
#ifndef TESTS_UNIT_CLUSTER_FIXTURE_H
#define TESTS_UNIT_CLUSTER_FIXTURE_H

#include <assert.h>
#include <string.h>

#include "witnessd/cluster/state.h"

static inline struct ipaddr fix_ip(const char *text)
{
	struct ipaddr ip = {0};
	int err = ipaddr_parse(text, &ip);

	assert(err == 0);
	(void)err;
	return ip;
}

/* flags: o online, d draining, l local */
static inline void fix_node(struct cluster_state *state, const char *name, const char *flags)
{
	struct cluster_node node = {.name = name,
				    .id = (uint32_t)state->num_nodes + 1,
				    .online = strchr(flags, 'o') != NULL,
				    .draining = strchr(flags, 'd') != NULL,
				    .local = strchr(flags, 'l') != NULL};
	int err = cluster_state_add_node(state, &node);

	assert(err == 0);
	(void)err;
}

static inline void fix_addr(struct cluster_state *state, const char *ip, const char *node,
			    enum cluster_addr_state addr_state)
{
	struct cluster_addr addr = {
		.ip = fix_ip(ip), .node = node, .group = "fs", .state = addr_state};
	int err = cluster_state_add_addr(state, &addr);

	assert(err == 0);
	(void)err;
}

/* Available on a node. */
static inline void fix_up(struct cluster_state *state, const char *ip, const char *node)
{
	fix_addr(state, ip, node, CLUSTER_ADDR_AVAILABLE);
}

/* Nowhere. */
static inline void fix_down(struct cluster_state *state, const char *ip)
{
	fix_addr(state, ip, NULL, CLUSTER_ADDR_UNAVAILABLE);
}

static inline void fix_share(struct cluster_state *state, const char *name, const char *node)
{
	struct cluster_share share = {.name = name, .group = "fs", .node = node};
	int err = cluster_state_add_share(state, &share);

	assert(err == 0);
	(void)err;
}

/* A share of a group that is served at some addresses, between blanks. */
static inline void fix_tied_share(struct cluster_state *state, const char *name, const char *node,
				  const char *group, const char *addrs)
{
	struct cluster_share share = {.name = name, .group = group, .node = node};
	struct ipaddr ips[8];
	char text[256], *rest = NULL;
	int err;

	strncpy(text, addrs, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (char *ip = strtok_r(text, " ", &rest); ip != NULL; ip = strtok_r(NULL, " ", &rest)) {
		assert(share.num_addrs < sizeof(ips) / sizeof(ips[0]));
		ips[share.num_addrs++] = fix_ip(ip);
	}
	share.addrs = ips;
	err = cluster_state_add_share(state, &share);
	assert(err == 0);
	(void)err;
}

/* Give an address of the state one net name. */
static inline void fix_net_name(struct cluster_state *state, const char *ip, const char *name)
{
	const char *const names[] = {name, NULL};
	struct ipaddr key = fix_ip(ip);
	int err = cluster_state_name_addr(
		state, (size_t)(cluster_state_addr(state, &key) - state->addrs), names);

	assert(err == 0);
	(void)err;
}

/* Nodes n1 (local), n2 and n3, all online; quorate. */
static inline struct cluster_state *fix_state(TALLOC_CTX *mem_ctx)
{
	struct cluster_state *state = cluster_state_new(mem_ctx);

	assert(state != NULL);
	fix_node(state, "n1", "ol");
	fix_node(state, "n2", "o");
	fix_node(state, "n3", "o");
	return state;
}

#endif
