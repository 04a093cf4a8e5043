/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/settle.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/hash.h"

/* A loss that is held back: "node NAME" or "addr IP". */
struct held {
	char *key;
	uint64_t until_ms;
	bool used; /* still held by the current round */
	UT_hash_handle hh;
};

struct settle {
	uint32_t wait_ms;
	struct held *held;
};

struct round {
	struct settle *settle;
	uint64_t now_ms, deadline_ms;
	bool waiting;
};

static int settle_destructor(struct settle *settle)
{
	HASH_CLEAR(hh, settle->held);
	return 0;
}

int settle_create(TALLOC_CTX *mem_ctx, uint32_t wait_ms, struct settle **out)
{
	struct settle *settle = talloc_zero(mem_ctx, struct settle);

	if (settle == NULL) {
		return ENOMEM;
	}
	settle->wait_ms = wait_ms;
	talloc_set_destructor(settle, settle_destructor);
	*out = settle;
	return 0;
}

static struct held *held_get(struct round *round, const char *kind, const char *name)
{
	struct settle *settle = round->settle;
	char *key = talloc_asprintf(settle, "%s %s", kind, name);
	struct held *held;

	if (key == NULL) {
		return NULL;
	}
	HASH_FIND_STR(settle->held, key, held);
	if (held != NULL) {
		talloc_free(key);
		return held;
	}
	held = talloc_zero(settle, struct held);
	if (held == NULL) {
		talloc_free(key);
		return NULL;
	}
	held->key = talloc_move(held, &key);
	held->until_ms = round->now_ms + settle->wait_ms;
	HASH_ADD_KEYPTR(hh, settle->held, held->key, strlen(held->key), held);
	if (held->hh.tbl == NULL) {
		TALLOC_FREE(held);
	}
	return held;
}

/* Whether this loss is still to be held back; for want of memory it is believed. */
static bool hold(struct round *round, const char *kind, const char *name)
{
	struct held *held = held_get(round, kind, name);

	if (held == NULL) {
		return false;
	}
	held->used = true;
	if (round->now_ms >= held->until_ms) {
		return false;
	}
	if (!round->waiting || held->until_ms < round->deadline_ms) {
		round->deadline_ms = held->until_ms;
	}
	round->waiting = true;
	return true;
}

static void forget_unused(struct settle *settle)
{
	struct held *held = settle->held;

	while (held != NULL) {
		struct held *next = held->hh.next;

		if (!held->used) {
			HASH_DEL(settle->held, held);
			talloc_free(held);
		} else {
			held->used = false;
		}
		held = next;
	}
}

/* A node that is still a member but does not take part now: it is joining anew. */
static void settle_node(struct round *round, const struct cluster_node *last,
			const struct placement *placement, struct cluster_state *next)
{
	for (size_t i = 0; i < next->num_nodes; i++) {
		struct cluster_node *node = &next->nodes[i];

		if (strcmp(node->name, last->name) != 0) {
			continue;
		}
		if (last->online && !node->online && placement->nodes[i] == PLACEMENT_NODE_ABSENT) {
			node->online = hold(round, "node", node->name);
		}
		return;
	}
}

/* Whether to go on saying that an address is where it was last, though the CIB does not show it there. */
static bool keep_addr(struct round *round, const struct cluster_addr *last,
		      const struct placement *placement)
{
	enum placement_node node = placement_node(placement, last->node);
	char text[IPADDR_STRLEN];

	if (node == PLACEMENT_NODE_LOST || node == PLACEMENT_NODE_CONDEMNED) {
		return false;
	}
	switch (placement_fact(placement, &last->ip, last->node)) {
	case HISTORY_NONE: /* deleted, or about to be written anew */
		return hold(round, "addr", ipaddr_format(&last->ip, text));
	case HISTORY_PROBING: /* its result is the proof, one way or the other */
		return true;
	case HISTORY_RUNNING:
	case HISTORY_STOPPING:
	case HISTORY_DOUBTFUL:
		/*
		 * Pacemaker has left a node that is still alive: it crashed, or was stopped during
		 * maintenance. Nobody has stopped the address. If it is started elsewhere, or the node is
		 * fenced, that will be on record. On a node where Pacemaker runs the address itself was
		 * changed.
		 */
		return node != PLACEMENT_NODE_USABLE;
	default:
		return false;
	}
}

static struct cluster_addr *find_addr(struct cluster_state *state, const struct ipaddr *ip)
{
	for (size_t i = 0; i < state->num_addrs; i++) {
		if (ipaddr_equal(&state->addrs[i].ip, ip)) {
			return &state->addrs[i];
		}
	}
	return NULL;
}

/* Cut off from the others, this node can only know about itself. */
static bool out_of_sight(const struct cluster_state *next, const char *name)
{
	const struct cluster_node *node = cluster_state_node(next, name);

	return !next->quorate && node != NULL && !node->local;
}

static void settle_addr(struct round *round, const struct cluster_addr *last,
			const struct placement *placement, struct cluster_state *next)
{
	struct cluster_addr *addr = find_addr(next, &last->ip);

	if (last->state != CLUSTER_ADDR_AVAILABLE || addr == NULL ||
	    addr->state != CLUSTER_ADDR_UNAVAILABLE) {
		return;
	}
	if (out_of_sight(next, last->node) || keep_addr(round, last, placement)) {
		addr->state = CLUSTER_ADDR_AVAILABLE;
		addr->node = cluster_state_node(next, last->node)->name;
	}
}

bool settle_apply(struct settle *settle, const struct cluster_state *last,
		  const struct placement *placement, struct cluster_state *next, uint64_t now_ms,
		  uint64_t *deadline_ms)
{
	struct round round = {.settle = settle, .now_ms = now_ms};

	if (last == NULL) {
		return false;
	}
	for (size_t i = 0; i < last->num_nodes; i++) {
		settle_node(&round, &last->nodes[i], placement, next);
	}
	for (size_t i = 0; i < last->num_addrs; i++) {
		settle_addr(&round, &last->addrs[i], placement, next);
	}
	forget_unused(settle);
	if (round.waiting) {
		*deadline_ms = round.deadline_ms;
	}
	return round.waiting;
}
