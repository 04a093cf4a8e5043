/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two steps. First the effective state: the snapshot, except for what it cannot be trusted to say (rules in
 * cluster.h). Then the events: a plain comparison of two effective states, independent of quorum.
 */
#include "witnessd/cluster/cluster.h"

#include <errno.h>
#include <string.h>

struct diff {
	const struct cluster_state *old, *next;
	struct cluster_state *effective;
	struct cluster_event *list;
	size_t num;
	bool hold; /* no quorum: what other nodes had is kept */
};

/* --- the effective state --- */

static bool is_local(const struct diff *diff, const char *node)
{
	const struct cluster_node *local = cluster_state_local(diff->next);

	if (local == NULL) {
		local = cluster_state_local(diff->old);
	}
	return local != NULL && node != NULL && strcmp(local->name, node) == 0;
}

/* A kept address or share may be on a node that the snapshot no longer lists: that one stays, offline. */
static int keep_node(struct diff *diff, const char *name)
{
	const struct cluster_node *node;
	struct cluster_node gone;

	if (name == NULL || cluster_state_node(diff->effective, name) != NULL) {
		return 0;
	}
	node = cluster_state_node(diff->old, name);
	gone = (struct cluster_node){.name = name, .id = node != NULL ? node->id : 0};
	return cluster_state_add_node(diff->effective, &gone);
}

static int keep_addr(struct diff *diff, const struct cluster_addr *addr)
{
	int err = keep_node(diff, addr->node);

	return err != 0 ? err : cluster_state_add_addr(diff->effective, addr);
}

static int keep_share(struct diff *diff, const struct cluster_share *share)
{
	int err = keep_node(diff, share->node);

	return err != 0 ? err : cluster_state_add_share(diff->effective, share);
}

/* Whether to accept the state of an address in the snapshot, given the previous one. */
static bool believe(const struct diff *diff, const struct cluster_addr *was,
		    const struct cluster_addr *addr)
{
	if (was == NULL) {
		return true;
	}
	switch (addr->state) {
	case CLUSTER_ADDR_AVAILABLE:
		return true;
	case CLUSTER_ADDR_UNAVAILABLE:
		return !diff->hold || was->state == CLUSTER_ADDR_UNAVAILABLE ||
		       is_local(diff, was->node);
	case CLUSTER_ADDR_UNKNOWN:
		break;
	}
	return false;
}

static int effective_addrs(struct diff *diff)
{
	int err = 0;

	for (size_t i = 0; i < diff->next->num_addrs && err == 0; i++) {
		struct cluster_addr addr = diff->next->addrs[i];
		const struct cluster_addr *was = cluster_state_addr(diff->old, &addr.ip);

		if (!believe(diff, was, &addr)) {
			addr.state = was->state;
			addr.node = was->node;
		}
		err = keep_addr(diff, &addr);
	}
	for (size_t i = 0; diff->hold && i < diff->old->num_addrs && err == 0; i++) {
		const struct cluster_addr *was = &diff->old->addrs[i];

		if (cluster_state_addr(diff->next, &was->ip) == NULL &&
		    !is_local(diff, was->node)) {
			err = keep_addr(diff, was);
		}
	}
	return err;
}

static int effective_shares(struct diff *diff)
{
	int err = 0;

	for (size_t i = 0; i < diff->next->num_shares && err == 0; i++) {
		struct cluster_share share = diff->next->shares[i];
		const struct cluster_share *was = cluster_state_share(diff->old, share.name);

		if (diff->hold && was != NULL && share.node == NULL && !is_local(diff, was->node)) {
			share.node = was->node;
		}
		share.last = share.node == NULL && was != NULL ? was->last : share.node;
		err = keep_share(diff, &share);
	}
	for (size_t i = 0; diff->hold && i < diff->old->num_shares && err == 0; i++) {
		const struct cluster_share *was = &diff->old->shares[i];

		if (cluster_state_share(diff->next, was->name) == NULL &&
		    !is_local(diff, was->node)) {
			err = keep_share(diff, was);
		}
	}
	return err;
}

static int effective_state(struct diff *diff)
{
	int err = 0;

	diff->effective->generation = diff->next->generation;
	diff->effective->quorate = diff->next->quorate;
	for (size_t i = 0; i < diff->next->num_nodes && err == 0; i++) {
		err = cluster_state_add_node(diff->effective, &diff->next->nodes[i]);
	}
	if (err == 0) {
		err = effective_addrs(diff);
	}
	return err != 0 ? err : effective_shares(diff);
}

/* --- the events --- */

static int push(struct diff *diff, const struct cluster_event *event)
{
	struct cluster_event *list = diff->list;

	if (list == NULL || talloc_array_length(list) == diff->num) {
		list = talloc_realloc(diff->effective, list, struct cluster_event,
				      diff->num < 8 ? 8 : 2 * diff->num);
		if (list == NULL) {
			return ENOMEM;
		}
		diff->list = list;
	}
	list[diff->num++] = *event;
	return 0;
}

static int push_type(struct diff *diff, enum cluster_event_type type)
{
	return push(diff, &(struct cluster_event){.type = type});
}

static int push_node(struct diff *diff, enum cluster_event_type type, const char *name)
{
	return push(diff, &(struct cluster_event){.type = type, .name = name});
}

static int push_addr(struct diff *diff, enum cluster_event_type type,
		     const struct cluster_addr *addr, const char *from, const char *to)
{
	return push(diff, &(struct cluster_event){.type = type,
						  .ip = addr->ip,
						  .group = addr->group,
						  .net_names = addr->net_names,
						  .from = from,
						  .to = to});
}

static int node_events(struct diff *diff)
{
	int err = 0;

	for (size_t i = 0; i < diff->old->num_nodes && err == 0; i++) {
		const struct cluster_node *was = &diff->old->nodes[i];

		if (was->online && cluster_state_node(diff->effective, was->name) == NULL) {
			err = push_node(diff, CLUSTER_NODE_DOWN, was->name);
		}
	}
	for (size_t i = 0; i < diff->effective->num_nodes && err == 0; i++) {
		const struct cluster_node *node = &diff->effective->nodes[i];
		const struct cluster_node *was = cluster_state_node(diff->old, node->name);
		bool was_online = was != NULL && was->online;

		if (node->online != was_online) {
			err = push_node(diff, node->online ? CLUSTER_NODE_UP : CLUSTER_NODE_DOWN,
					node->name);
		}
		if (err == 0 && node->online && node->draining && !(was_online && was->draining)) {
			err = push_node(diff, CLUSTER_NODE_DRAINING, node->name);
		}
	}
	return err;
}

static int addr_removed(struct diff *diff, const struct cluster_addr *was)
{
	int err = 0;

	if (was->state != CLUSTER_ADDR_UNAVAILABLE) {
		err = push_addr(diff, CLUSTER_ADDR_LOST, was, was->node, NULL);
	}
	return err != 0 ? err : push_addr(diff, CLUSTER_ADDR_REMOVED, was, was->node, NULL);
}

static int addr_changed(struct diff *diff, const struct cluster_addr *was,
			const struct cluster_addr *addr)
{
	if (addr->state == CLUSTER_ADDR_AVAILABLE) {
		if (was->state != CLUSTER_ADDR_AVAILABLE) {
			return push_addr(diff, CLUSTER_ADDR_BACK, addr, was->node, addr->node);
		}
		if (!cluster_same_name(was->node, addr->node)) {
			return push_addr(diff, CLUSTER_ADDR_MOVED, addr, was->node, addr->node);
		}
		return 0;
	}
	if (addr->state == CLUSTER_ADDR_UNAVAILABLE && was->state != CLUSTER_ADDR_UNAVAILABLE) {
		return push_addr(diff, CLUSTER_ADDR_LOST, addr, was->node, NULL);
	}
	return 0;
}

static int addr_events(struct diff *diff)
{
	int err = 0;

	for (size_t i = 0; i < diff->old->num_addrs && err == 0; i++) {
		const struct cluster_addr *was = &diff->old->addrs[i];

		if (cluster_state_addr(diff->effective, &was->ip) == NULL) {
			err = addr_removed(diff, was);
		}
	}
	for (size_t i = 0; i < diff->effective->num_addrs && err == 0; i++) {
		const struct cluster_addr *addr = &diff->effective->addrs[i];
		const struct cluster_addr *was = cluster_state_addr(diff->old, &addr->ip);

		err = was != NULL ? addr_changed(diff, was, addr)
				  : push_addr(diff, CLUSTER_ADDR_ADDED, addr, NULL, addr->node);
	}
	return err;
}

static int share_events(struct diff *diff)
{
	int err = 0;

	for (size_t i = 0; i < diff->effective->num_shares && err == 0; i++) {
		const struct cluster_share *share = &diff->effective->shares[i];
		const struct cluster_share *was = cluster_state_share(diff->old, share->name);

		if (was != NULL && !cluster_same_name(was->node, share->node)) {
			err = push(diff, &(struct cluster_event){.type = CLUSTER_SHARE_MOVED,
								 .group = share->group,
								 .name = share->name,
								 .from = was->last,
								 .to = share->node});
		}
	}
	return err;
}

static int all_events(struct diff *diff)
{
	int err = 0;

	if (diff->old->quorate != diff->effective->quorate) {
		err = push_type(diff, diff->effective->quorate ? CLUSTER_QUORUM_GAINED
							       : CLUSTER_QUORUM_LOST);
	}
	err = err != 0 ? err : node_events(diff);
	err = err != 0 ? err : addr_events(diff);
	if (err == 0 && !cluster_state_names_equal(diff->old, diff->effective)) {
		err = push(diff, &(struct cluster_event){.type = CLUSTER_NAMES_CHANGED,
							 .before = diff->old});
	}
	return err != 0 ? err : share_events(diff);
}

int cluster_diff(TALLOC_CTX *mem_ctx, const struct cluster_state *old,
		 const struct cluster_state *next, struct cluster_state **effective,
		 struct cluster_events *events)
{
	struct diff diff = {.old = old, .next = next, .hold = !next->quorate};
	int err;

	diff.effective =
		old == NULL ? cluster_state_copy(mem_ctx, next) : cluster_state_new(mem_ctx);
	if (diff.effective == NULL) {
		return ENOMEM;
	}
	if (old == NULL) {
		err = push_type(&diff, CLUSTER_FRESH);
	} else {
		err = effective_state(&diff);
		err = err != 0 ? err : all_events(&diff);
	}
	if (err != 0) {
		talloc_free(diff.effective);
		return err;
	}
	events->list = talloc_steal(mem_ctx, diff.list);
	events->num = diff.num;
	*effective = diff.effective;
	return 0;
}
