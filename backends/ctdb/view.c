/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The claims of the nodes, and what follows for each node. */
#include "backends/ctdb/view_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"

#define RUN_ENDED_MS 500 /* for how long the end of a takeover run confirms what nodes say */

static void drop_claim(struct view_node *node, struct view_claim *claim)
{
	HASH_DELETE(hh, node->claims, claim);
	talloc_free(claim);
}

static void free_claims(struct view_node *node)
{
	while (node->claims != NULL) {
		drop_claim(node, node->claims);
	}
}

static int view_destructor(struct ctdb_view *view)
{
	for (size_t i = 0; i < view->num_nodes; i++) {
		free_claims(&view->nodes[i]);
	}
	HASH_CLEAR(hh, view->addrs);
	return 0;
}

struct ctdb_view *ctdb_view_create(TALLOC_CTX *mem_ctx, const struct ctdb_view_config *config)
{
	struct ctdb_view *view = talloc_zero(mem_ctx, struct ctdb_view);

	if (view != NULL) {
		view->config = *config;
		view->pnn = CTDB_UNKNOWN_PNN;
		talloc_set_destructor(view, view_destructor);
	}
	return view;
}

/* Its addresses stay known, but whether it has them is not. */
static void void_answers(struct view_node *node)
{
	struct view_claim *claim, *next;

	HASH_ITER (hh, node->claims, claim, next) {
		claim->target = CTDB_UNKNOWN_PNN;
		claim->confirmed = false;
	}
	node->answered = false;
}

void ctdb_view_reset(struct ctdb_view *view)
{
	struct view_addr *addr, *next;

	for (size_t i = 0; i < view->num_nodes; i++) {
		void_answers(&view->nodes[i]);
		view->nodes[i].silent = false;
		view->nodes[i].asked = false;
	}
	/* What is found after connecting is the state, not a change. */
	HASH_ITER (hh, view->addrs, addr, next) {
		addr->known = false;
		addr->hint = CTDB_UNKNOWN_PNN;
	}
	view->local_known = false;
	view->run_ended_stamp = 0;
}

uint64_t ctdb_view_stamp(struct ctdb_view *view)
{
	return ++view->last_stamp;
}

/* --- this node's ctdbd --- */

static int resize(struct ctdb_view *view, size_t num)
{
	struct view_node *nodes;

	if (num > CTDB_VIEW_MAX_NODES) {
		return EMSGSIZE;
	}
	for (size_t i = num; i < view->num_nodes; i++) {
		free_claims(&view->nodes[i]);
		TALLOC_FREE(view->nodes[i].seen);
	}
	if (num < view->num_nodes) {
		view->num_nodes = num;
	}
	nodes = talloc_realloc(view, view->nodes, struct view_node, num);
	if (nodes == NULL && num > 0) {
		return ENOMEM;
	}
	for (size_t i = view->num_nodes; i < num; i++) {
		nodes[i] = (struct view_node){.flags = CTDB_NODE_DISCONNECTED};
	}
	view->nodes = nodes;
	view->num_nodes = num;
	return 0;
}

static bool most_connected(const struct ctdb_view *view)
{
	return 2 * view->num_connected > view->num_configured;
}

/*
 * While most nodes are connected, and whenever one is lost without that, remember the current generation: a
 * different one comes from a recovery without the missing nodes.
 */
static void note_generation(struct ctdb_view *view, const struct ctdb_nodemap *map,
			    uint32_t generation)
{
	uint32_t before = view->generation;
	size_t had = view->num_connected;

	view->generation = generation;
	view->num_connected = view->num_configured = 0;
	for (size_t i = 0; i < map->num; i++) {
		uint32_t flags = map->list[i].flags;

		view->num_configured += (flags & CTDB_NODE_DELETED) == 0;
		view->num_connected += (flags & (CTDB_NODE_DELETED | CTDB_NODE_DISCONNECTED)) == 0;
	}
	if (most_connected(view)) {
		view->agreed_generation = generation;
	} else if (view->num_connected < had) {
		view->agreed_generation = before;
	}
}

int ctdb_view_local(struct ctdb_view *view, const struct ctdb_view_local *local)
{
	int err = resize(view, local->map->num);

	if (err != 0) {
		return err;
	}
	note_generation(view, local->map, local->generation);
	view->pnn = local->pnn;
	view->runstate = local->runstate;
	view->recmode = local->recmode;
	view->local_known = true;
	for (size_t i = 0; i < view->num_nodes; i++) {
		struct view_node *node = &view->nodes[i];

		node->ip = local->map->list[i].ip;
		node->flags = local->map->list[i].flags;
		if ((node->flags & CTDB_NODE_DELETED) != 0) {
			free_claims(node);
		}
		if (ctdb_view_gone(view, (uint32_t)i)) {
			void_answers(node);
		}
	}
	return 0;
}

/* --- answers --- */

static int store_seen(struct ctdb_view *view, struct view_node *node, uint32_t pnn,
		      const struct ctdb_nodemap *map)
{
	uint32_t *seen;

	if (map->num > CTDB_VIEW_MAX_NODES || pnn >= map->num) {
		return EMSGSIZE;
	}
	seen = talloc_array(view, uint32_t, map->num);
	if (seen == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < map->num; i++) {
		seen[i] = map->list[i].flags;
	}
	talloc_free(node->seen);
	node->seen = seen;
	node->num_seen = map->num;
	node->self_flags = seen[pnn];
	return 0;
}

struct view_claim *ctdb_view_claim(const struct ctdb_view *view, uint32_t pnn,
				   const struct ipaddr *ip)
{
	struct view_claim *claim;

	HASH_FIND(hh, view->nodes[pnn].claims, ip, sizeof(*ip), claim);
	return claim;
}

static struct view_claim *add_claim(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip)
{
	struct view_node *node = &view->nodes[pnn];
	struct view_claim *claim = ctdb_view_claim(view, pnn, ip);

	if (claim != NULL) {
		return claim;
	}
	claim = talloc_zero(view, struct view_claim);
	if (claim == NULL) {
		return NULL;
	}
	claim->ip = *ip;
	claim->target = CTDB_UNKNOWN_PNN;
	claim->round = node->round;
	HASH_ADD(hh, node->claims, ip, sizeof(claim->ip), claim);
	if (claim->hh.tbl == NULL) {
		TALLOC_FREE(claim);
	}
	return claim;
}

static void set_target(struct view_claim *claim, uint32_t pnn, uint32_t target, uint64_t now_ms)
{
	if (target == pnn && claim->target != pnn) {
		claim->since_ms = now_ms;
	}
	if (target != pnn) {
		claim->confirmed = false;
	}
	claim->target = target;
}

/* Another node that had planned the address for its host now plans it elsewhere. */
static void look_for_hint(struct ctdb_view *view, uint32_t pnn, const struct view_claim *claim,
			  uint32_t target)
{
	struct view_addr *addr;

	HASH_FIND(hh, view->addrs, &claim->ip, sizeof(claim->ip), addr);
	if (addr == NULL || !addr->known || addr->owner >= view->num_nodes || addr->owner == pnn ||
	    claim->target == target) {
		return;
	}
	if (target == addr->owner) {
		addr->hint = CTDB_UNKNOWN_PNN; /* it stays, after all */
	} else if (claim->target == addr->owner && target < view->num_nodes &&
		   addr->hint != target) {
		addr->hint = target;
		addr->told = false;
	}
}

static bool confirms(const struct ctdb_view *view, uint64_t stamp, uint64_t now_ms)
{
	return view->run_ended_stamp != 0 && stamp > view->run_ended_stamp &&
	       now_ms - view->run_ended_ms <= RUN_ENDED_MS;
}

/* What the node does not list any more. */
static void sweep_claims(struct view_node *node, uint64_t stamp)
{
	struct view_claim *claim, *next;

	/* The table goes with its last element, which an analyzer does not see in .next. */
	for (claim = node->claims; claim != NULL && node->claims != NULL; claim = next) {
		next = claim->hh.next;
		if (claim->round != node->round && stamp >= claim->heard) {
			drop_claim(node, claim);
		}
	}
}

static int store_claims(struct ctdb_view *view, uint32_t pnn, uint64_t stamp, uint64_t now_ms,
			const struct ctdb_iplist *ips)
{
	struct view_node *node = &view->nodes[pnn];

	node->round++;
	for (size_t i = 0; i < ips->num; i++) {
		uint32_t target = ips->list[i].pnn;
		struct view_claim *claim = add_claim(view, pnn, &ips->list[i].ip);

		if (claim == NULL) {
			return ENOMEM;
		}
		claim->round = node->round;
		if (stamp < claim->heard) {
			continue; /* it has said something newer meanwhile */
		}
		look_for_hint(view, pnn, claim, target);
		set_target(claim, pnn, target, now_ms);
		claim->stamp = stamp;
		claim->confirmed |= target == pnn && confirms(view, stamp, now_ms);
	}
	sweep_claims(node, stamp);
	return 0;
}

int ctdb_view_answer(struct ctdb_view *view, uint32_t pnn, uint64_t stamp, uint64_t now_ms,
		     const struct ctdb_nodemap *map, const struct ctdb_iplist *ips)
{
	struct view_node *node;
	int err;

	if (pnn >= view->num_nodes) {
		return ENOENT;
	}
	if (ips->num > CTDB_VIEW_MAX_ADDRS) {
		return EMSGSIZE;
	}
	node = &view->nodes[pnn];
	err = store_seen(view, node, pnn, map);
	if (err == 0) {
		err = store_claims(view, pnn, stamp, now_ms, ips);
	}
	node->asked = true;
	node->silent = err != 0;
	node->answered |= err == 0;
	return err;
}

void ctdb_view_no_answer(struct ctdb_view *view, uint32_t pnn)
{
	if (pnn >= view->num_nodes) {
		return;
	}
	view->nodes[pnn].asked = true;
	view->nodes[pnn].silent = true;
}

/* --- messages --- */

static int heard(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip, bool has,
		 uint64_t now_ms)
{
	struct view_claim *claim;

	if (pnn >= view->num_nodes) {
		return ENOENT;
	}
	claim = ctdb_view_claim(view, pnn, ip);
	if (claim == NULL) {
		return ENOENT; /* its own list has the last word on what is an address of the cluster */
	}
	claim->stamp = claim->heard = ctdb_view_stamp(view);
	set_target(claim, pnn, has ? pnn : CTDB_UNKNOWN_PNN, now_ms);
	claim->confirmed = has;
	return 0;
}

int ctdb_view_taken(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip, uint64_t now_ms)
{
	return heard(view, pnn, ip, true, now_ms);
}

int ctdb_view_released(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip,
		       uint64_t now_ms)
{
	return heard(view, pnn, ip, false, now_ms);
}

void ctdb_view_run_began(struct ctdb_view *view)
{
	view->run_ended_stamp = 0;
}

void ctdb_view_run_ended(struct ctdb_view *view, uint64_t now_ms)
{
	view->run_ended_stamp = ctdb_view_stamp(view);
	view->run_ended_ms = now_ms;
}

/* --- what follows --- */

bool ctdb_view_reachable(const struct ctdb_view *view, uint32_t pnn)
{
	return pnn < view->num_nodes &&
	       (view->nodes[pnn].flags & (CTDB_NODE_DISCONNECTED | CTDB_NODE_DELETED)) == 0;
}

size_t ctdb_view_num_nodes(const struct ctdb_view *view)
{
	return view->num_nodes;
}

/* Most of those that can be asked do not reach it either. */
static bool others_miss(const struct ctdb_view *view, uint32_t pnn)
{
	size_t missing = 1, voters = 1; /* this node */

	for (size_t i = 0; i < view->num_nodes; i++) {
		const struct view_node *voter = &view->nodes[i];

		if (i == view->pnn || i == pnn || !ctdb_view_reachable(view, (uint32_t)i) ||
		    !voter->answered || voter->silent || pnn >= voter->num_seen) {
			continue;
		}
		voters++;
		missing += (voter->seen[pnn] & CTDB_NODE_DISCONNECTED) != 0;
	}
	return 2 * missing > voters;
}

bool ctdb_view_gone(const struct ctdb_view *view, uint32_t pnn)
{
	const struct view_node *node = &view->nodes[pnn];

	if ((node->flags & CTDB_NODE_DELETED) != 0) {
		return true;
	}
	return (node->flags & CTDB_NODE_DISCONNECTED) != 0 && others_miss(view, pnn);
}

uint32_t ctdb_view_flags(const struct ctdb_view *view, uint32_t pnn)
{
	const struct view_node *node = &view->nodes[pnn];

	if (!node->answered || node->silent) {
		return node->flags;
	}
	/* A node knows its own state up to a second before the others. */
	return (node->self_flags & ~CTDB_NODE_DISCONNECTED) |
	       (node->flags & (CTDB_NODE_DISCONNECTED | CTDB_NODE_DELETED));
}

/*
 * Who is cut off loses its nodes one after the other, up to seconds apart, and in between this ctdbd has most
 * of them. But none answers any more. Of two nodes one that hangs does not say which of them is cut off.
 */
static bool most_answer(const struct ctdb_view *view)
{
	size_t answering = 0;

	for (uint32_t i = 0; i < view->num_nodes; i++) {
		answering +=
			i == view->pnn || (ctdb_view_reachable(view, i) && !view->nodes[i].silent);
	}
	return view->num_configured < 3 || 2 * answering > view->num_configured;
}

bool ctdb_view_quorate(const struct ctdb_view *view)
{
	if (!view->local_known || view->pnn >= view->num_nodes ||
	    view->runstate < CTDB_RUNSTATE_RUNNING || view->generation == CTDB_GENERATION_INVALID ||
	    (ctdb_view_flags(view, view->pnn) & CTDB_NODE_INACTIVE) != 0) {
		return false;
	}
	return (most_connected(view) && most_answer(view)) ||
	       (view->recmode == 0 && view->generation != view->agreed_generation);
}

bool ctdb_view_complete(const struct ctdb_view *view)
{
	if (!view->local_known || view->runstate < CTDB_RUNSTATE_RUNNING ||
	    view->pnn >= view->num_nodes) {
		return false;
	}
	for (size_t i = 0; i < view->num_nodes; i++) {
		if (ctdb_view_reachable(view, (uint32_t)i) && !view->nodes[i].asked) {
			return false;
		}
	}
	return true;
}
