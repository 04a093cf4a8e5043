/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Composing a snapshot, and intents, from the claims of the nodes. */
#include "backends/ctdb/view_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"

struct composer {
	struct ctdb_view *view;
	struct cluster_state *state;
	struct ctdb_view_intents *intents;
	uint64_t now_ms, next_ms;
};

/* --- who has an address --- */

/* The claim of a node that counts now; NULL: it does not claim the address. */
static const struct view_claim *has_it(const struct ctdb_view *view, uint32_t pnn,
				       const struct ipaddr *ip)
{
	const struct view_claim *claim;

	if (pnn >= view->num_nodes || ctdb_view_gone(view, pnn)) {
		return NULL;
	}
	claim = ctdb_view_claim(view, pnn, ip);
	return claim != NULL && claim->target == pnn ? claim : NULL;
}

/* It may be there, but its claims are old, or it has not been queried. */
static bool cannot_say(const struct ctdb_view *view, uint32_t pnn)
{
	return pnn < view->num_nodes && !ctdb_view_gone(view, pnn) &&
	       (!view->nodes[pnn].answered || view->nodes[pnn].silent ||
		!ctdb_view_reachable(view, pnn));
}

/* Whether the claim of a node to an address counts, against the previous host. */
static bool is_believed(struct composer *c, const struct view_addr *addr,
			const struct view_claim *claim, const struct view_claim *before)
{
	uint64_t settled_ms = claim->since_ms + c->view->config.settle_ms;

	if (before != NULL) {
		return claim->confirmed && claim->heard > before->stamp;
	}
	if (claim->confirmed || !addr->known || c->now_ms >= settled_ms) {
		return true;
	}
	if (settled_ms < c->next_ms) {
		c->next_ms = settled_ms;
	}
	return false;
}

/* Who has the address instead of the one that had it. */
static uint32_t new_owner(struct composer *c, const struct view_addr *addr,
			  const struct view_claim *before)
{
	const struct ctdb_view *view = c->view;
	const struct view_claim *best = NULL;
	uint32_t owner = CTDB_UNKNOWN_PNN;

	for (uint32_t pnn = 0; pnn < view->num_nodes; pnn++) {
		const struct view_claim *claim = has_it(view, pnn, &addr->ip);

		/* A node that is stopped or banned does not get any. */
		if (claim == NULL || pnn == addr->owner || view->nodes[pnn].silent ||
		    (ctdb_view_flags(view, pnn) & CTDB_NODE_INACTIVE) != 0 ||
		    !is_believed(c, addr, claim, before)) {
			continue;
		}
		if (best == NULL || (claim->confirmed && !best->confirmed) ||
		    (claim->confirmed == best->confirmed && claim->stamp > best->stamp)) {
			best = claim;
			owner = pnn;
		}
	}
	return owner;
}

/* The previous host is unknown, and others plan it for a node that does not answer. */
static bool may_be_elsewhere(const struct ctdb_view *view, const struct view_addr *addr)
{
	for (uint32_t pnn = 0; !addr->known && pnn < view->num_nodes; pnn++) {
		const struct view_claim *claim = ctdb_view_claim(view, pnn, &addr->ip);

		if (claim != NULL && cannot_say(view, claim->target)) {
			return true;
		}
	}
	return false;
}

/* Its host is gone, or this side is cut off: it may still have its addresses. */
static bool cut_off(const struct composer *c, const struct view_addr *addr)
{
	return !c->state->quorate && addr->owner < c->view->num_nodes &&
	       ctdb_view_gone(c->view, addr->owner);
}

/* @return the state, with addr->owner brought up to date */
static enum cluster_addr_state decide_owner(struct composer *c, struct view_addr *addr)
{
	const struct view_claim *before = has_it(c->view, addr->owner, &addr->ip);
	bool unsure = cannot_say(c->view, addr->owner);
	uint32_t owner = new_owner(c, addr, unsure ? NULL : before);

	if (owner != CTDB_UNKNOWN_PNN) {
		addr->owner = owner;
		addr->known = true;
		return CLUSTER_ADDR_AVAILABLE;
	}
	if (unsure || (before == NULL && may_be_elsewhere(c->view, addr)) || cut_off(c, addr)) {
		return CLUSTER_ADDR_UNKNOWN;
	}
	addr->known = true;
	if (before == NULL) {
		addr->owner = CTDB_UNKNOWN_PNN;
		return CLUSTER_ADDR_UNAVAILABLE;
	}
	return CLUSTER_ADDR_AVAILABLE;
}

/* --- intents --- */

static int add_intent(struct composer *c, const char *what, const char *from, const char *to)
{
	struct ctdb_view_intents *intents = c->intents;
	struct backend_intent *list =
		talloc_realloc(c->state, intents->list, struct backend_intent, intents->num + 1);
	struct backend_intent *intent;

	if (list == NULL) {
		return ENOMEM;
	}
	intents->list = list;
	intent = &list[intents->num];
	*intent = (struct backend_intent){
		.kind = BACKEND_INTENT_ADDR,
		.what = talloc_strdup(list, what),
		.from = talloc_strdup(list, from),
		.to = talloc_strdup(list, to),
		.why = "CTDB has begun to move it",
	};
	if (intent->what == NULL || intent->from == NULL || intent->to == NULL) {
		return ENOMEM;
	}
	intents->num++;
	return 0;
}

/* The others plan it elsewhere, while its host still claims it. */
static int addr_intent(struct composer *c, struct view_addr *addr, uint32_t was)
{
	char text[IPADDR_STRLEN], from[CTDB_NAME_LEN], to[CTDB_NAME_LEN];
	const struct ctdb_names *names = c->view->config.names;

	if (addr->owner != was || addr->hint == addr->owner) {
		addr->hint = CTDB_UNKNOWN_PNN;
	}
	if (addr->told || addr->hint >= c->view->num_nodes || ctdb_view_gone(c->view, addr->hint)) {
		return 0;
	}
	addr->told = true;
	return add_intent(c, ipaddr_format(&addr->ip, text),
			  ctdb_names_get(names, addr->owner, from),
			  ctdb_names_get(names, addr->hint, to));
}

/* --- the state --- */

static bool owns_any(const struct ctdb_view *view, uint32_t pnn)
{
	const struct view_addr *addr, *next;

	HASH_ITER (hh, view->addrs, addr, next) {
		if (addr->owner == pnn) {
			return true;
		}
	}
	return false;
}

static void log_flags(struct ctdb_view *view, uint32_t pnn, const char *name, uint32_t flags)
{
	struct view_node *node = &view->nodes[pnn];
	char *text;

	if (node->logged && node->logged_flags == flags) {
		return;
	}
	text = ctdb_view_flags_text(NULL, flags);
	if (node->logged || flags != 0) {
		log_notice("ctdb: node %s is %s", name, text != NULL ? text : "otherwise");
	}
	node->logged = true;
	node->logged_flags = flags;
	talloc_free(text);
}

/*
 * A node that is stopped or banned releases its addresses, which may take a while: until then it is draining.
 */
static int compose_node(struct composer *c, uint32_t pnn)
{
	struct ctdb_view *view = c->view;
	const struct view_node *node = &view->nodes[pnn];
	uint32_t flags = ctdb_view_flags(view, pnn);
	/* Reached by others only: as far as is known. */
	bool inactive = (flags & CTDB_NODE_INACTIVE & ~CTDB_NODE_DISCONNECTED) != 0;
	bool ends = pnn == view->pnn && view->runstate == CTDB_RUNSTATE_SHUTDOWN;
	bool gone = ctdb_view_gone(view, pnn);
	char buf[CTDB_NAME_LEN];
	const char *name = ctdb_names_get(view->config.names, pnn, buf);
	struct cluster_node out = {
		.name = name,
		.id = pnn,
		.online = !gone && (!inactive || owns_any(view, pnn)),
		.draining = !gone && (flags & CTDB_NODE_DISCONNECTED) == 0 &&
			    (inactive || ends ||
			     (flags & (CTDB_NODE_UNHEALTHY | CTDB_NODE_DISABLED)) != 0),
		.local = pnn == view->pnn,
	};
	struct cluster_addr fixed = {
		.ip = node->ip,
		.node = name,
		.group = name,
		.state = gone || inactive ? CLUSTER_ADDR_UNAVAILABLE : CLUSTER_ADDR_AVAILABLE,
		.kind = CLUSTER_ADDR_FIXED,
	};
	int err;

	if ((node->flags & CTDB_NODE_DELETED) != 0) {
		return 0;
	}
	log_flags(view, pnn, name, flags);
	err = cluster_state_add_node(c->state, &out);
	if (err == 0 && view->config.node_addresses && node->ip.family != 0) {
		err = cluster_state_add_addr(c->state, &fixed);
	}
	/* Two nodes of one address, or a public one that is a node's own: the first has it. */
	return err == EEXIST ? 0 : err;
}

/* @return NULL when memory is short */
static struct view_addr *get_addr(struct ctdb_view *view, const struct ipaddr *ip)
{
	struct view_addr *addr;

	HASH_FIND(hh, view->addrs, ip, sizeof(*ip), addr);
	if (addr != NULL) {
		return addr;
	}
	addr = talloc_zero(view, struct view_addr);
	if (addr == NULL) {
		return NULL;
	}
	addr->ip = *ip;
	addr->owner = addr->hint = CTDB_UNKNOWN_PNN;
	HASH_ADD(hh, view->addrs, ip, sizeof(addr->ip), addr);
	if (addr->hh.tbl == NULL) {
		TALLOC_FREE(addr);
	}
	return addr;
}

/* Each address of each node is one of the cluster's. */
static int collect_addrs(struct ctdb_view *view)
{
	view->mark++;
	for (size_t i = 0; i < view->num_nodes; i++) {
		const struct view_claim *claim, *next;

		HASH_ITER (hh, view->nodes[i].claims, claim, next) {
			struct view_addr *addr = get_addr(view, &claim->ip);

			if (addr == NULL) {
				return ENOMEM;
			}
			addr->mark = view->mark;
		}
	}
	return 0;
}

static int compose_addr(struct composer *c, struct view_addr *addr)
{
	char text[IPADDR_STRLEN], name[CTDB_NAME_LEN];
	uint32_t was = addr->owner;
	struct cluster_addr out = {
		.ip = addr->ip,
		.group = ipaddr_format(&addr->ip, text), /* each moves alone */
		.state = decide_owner(c, addr),
		.kind = CLUSTER_ADDR_FLOATING,
	};
	int err;

	if (addr->owner != CTDB_UNKNOWN_PNN) {
		out.node = ctdb_names_get(c->view->config.names, addr->owner, name);
	}
	err = cluster_state_add_addr(c->state, &out);
	return err != 0 ? err : addr_intent(c, addr, was);
}

static int compose_addrs(struct composer *c)
{
	struct view_addr *addr, *next;
	int err = collect_addrs(c->view);

	if (err != 0) {
		return err; /* even without a mark it may be there */
	}
	HASH_ITER (hh, c->view->addrs, addr, next) {
		if (addr->mark != c->view->mark) {
			HASH_DELETE(hh, c->view->addrs, addr);
			talloc_free(addr);
		} else if (err == 0) {
			err = compose_addr(c, addr);
		}
	}
	return err;
}

int ctdb_view_compose(struct ctdb_view *view, TALLOC_CTX *mem_ctx, uint64_t now_ms,
		      struct cluster_state **state, struct ctdb_view_intents *intents,
		      uint64_t *next_ms)
{
	struct ctdb_view_intents found = {.num = 0};
	struct composer c = {.view = view,
			     .state = cluster_state_new(mem_ctx),
			     .intents = &found,
			     .now_ms = now_ms,
			     .next_ms = UINT64_MAX};
	int err;

	if (c.state == NULL) {
		return ENOMEM;
	}
	c.state->quorate = ctdb_view_quorate(view);
	err = compose_addrs(&c); /* first: a node that has some is judged otherwise */
	for (uint32_t pnn = 0; pnn < view->num_nodes && err == 0; pnn++) {
		err = compose_node(&c, pnn);
	}
	if (err != 0) {
		talloc_free(c.state);
		return err;
	}
	*state = c.state;
	*intents = found;
	*next_ms = c.next_ms;
	return 0;
}
