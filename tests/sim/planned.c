/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moves that are planned, and shares that have moved: who of a witness's clients is sent where. */
#include "tests/sim/sim.h"

static int node_num(const char *name)
{
	return name != NULL ? name[1] - '1' : -1;
}

struct sim_before sim_before(const struct sim_witness *w)
{
	struct sim_before before = {.client_move = {NULL}};

	for (int i = 0; i < SIM_CLIENTS; i++) {
		const struct sim_client *c = &w->sim->clients[i];
		const struct swn_reg *reg = c->at == w->num ? sim_reg(w->sim, c) : NULL;

		before.moved_to[i] = -1;
		if (reg != NULL) {
			before.client_move[i] = reg->queue.client_move.addrs;
			before.share_move[i] = reg->queue.share_move.addrs;
			before.moved_to[i] = node_num(reg->moved_to);
		}
		before.share_missed[i] =
			reg != NULL && reg->missed_unknown ? node_num(reg->share_node) : -1;
	}
	return before;
}

/* Whether the address goes when that happens. */
static bool goes(const struct sim_witness *w, const struct backend_intent *intent, int ip)
{
	int at = w->known.at[ip];
	bool from_there = intent->from == NULL || node_num(intent->from) == at;

	if (at == SIM_ABSENT || (w->known.pinned[ip] && !intent->held)) {
		return false;
	}
	switch (intent->kind) {
	case BACKEND_INTENT_ADDR:
		return strcmp(intent->what, sim_ips[ip]) == 0 && from_there;
	case BACKEND_INTENT_GROUP:
		return strcmp(intent->what, sim_group(w->sim, ip)) == 0 && from_there;
	case BACKEND_INTENT_NODE:
		return node_num(intent->what) == at;
	}
	return false;
}

static bool share_goes(const struct sim_witness *w, const struct backend_intent *intent)
{
	int at = w->known.share;

	if (at < 0 || intent->kind == BACKEND_INTENT_ADDR) {
		return false;
	}
	return intent->kind == BACKEND_INTENT_NODE
		       ? node_num(intent->what) == at
		       : strcmp(intent->what, "fs") == 0 &&
				 (intent->from == NULL || node_num(intent->from) == at);
}

/* The addresses of a node that a client can be sent to, a bit each. */
static unsigned int choices(const struct sim_witness *w, const struct sim_client *c, int node,
			    bool with_share, const struct backend_intent *intent)
{
	unsigned int mask = 0;

	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		if (w->known.at[ip] == node && sim_can_go(w, c, ip, with_share) &&
		    (intent == NULL || !goes(w, intent, ip))) {
			mask |= 1U << ip;
		}
	}
	return mask;
}

static bool is_drained(const struct sim_witness *w, int node)
{
	return swn_drains_has(w->fix->service->drains, sim_node_name(node));
}

/* The nodes that a client can be sent to from its address, a bit each. */
static unsigned int nodes_for(const struct sim_witness *w, const struct sim_client *c,
			      const struct backend_intent *intent)
{
	int to = node_num(intent->to);
	unsigned int nodes = 0, drained = 0;

	if (!w->known.quorate || sim_bound(&w->known, c)) {
		return 0;
	}
	for (int n = 0; n < NET_NODES; n++) {
		bool stays = w->known.online[n] && !w->known.draining[n];

		if (n == w->known.at[c->ip] || (to < 0 ? !stays : n != to) ||
		    choices(w, c, n, false, intent) == 0) {
			continue;
		}
		nodes |= 1U << n;
		if (to < 0 && is_drained(w, n)) {
			drained |= 1U << n;
		}
	}
	return nodes != drained ? nodes & ~drained : nodes;
}

/* The addresses of a slot are all that a client has on one of the nodes. */
static void check_slot(const struct sim_witness *w, const struct sim_client *c,
		       const struct swn_queue_slot *slot, unsigned int nodes, bool with_share,
		       const struct backend_intent *intent)
{
	unsigned int mask = 0;
	int node = -1;

	for (size_t i = 0; i < slot->num; i++) {
		int ip = sim_ip_index(&slot->addrs[i].ip);

		node = w->known.at[ip];
		mask |= 1U << ip;
	}
	if (node < 0 || (nodes >> node & 1) == 0 ||
	    mask != choices(w, c, node, with_share, intent)) {
		sim_fail(w->sim, "n%d sends c%d to addresses 0x%x, and it may go to nodes 0x%x",
			 w->num + 1, c->num + 1, mask, nodes);
	}
}

static void check_client_move(const struct sim_witness *w, const struct sim_client *c,
			      const struct swn_reg *reg, const struct sim_before *before,
			      const struct backend_intent *intent)
{
	const struct swn_queue_slot *slot = &reg->queue.client_move;
	bool told = slot->num > 0 && slot->addrs != before->client_move[c->num];
	int to = node_num(intent->to), moved_to = before->moved_to[c->num];
	bool on_its_way = moved_to >= 0 && (to < 0 || to == moved_to ||
					    (is_drained(w, to) && !is_drained(w, moved_to)));
	bool concerned = w->known.at[c->ip] >= 0 && goes(w, intent, c->ip) && !on_its_way;
	unsigned int nodes = concerned ? nodes_for(w, c, intent) : 0;

	if (told != (nodes != 0)) {
		sim_fail(w->sim, "n%d %s c%d away", w->num + 1,
			 told ? "must not send" : "has to send", c->num + 1);
	}
	if (told) {
		check_slot(w, c, slot, nodes, false, intent);
	} else if (concerned && intent->held && swn_queue_next(&reg->queue) == 0 &&
		   !reg->queue.told_unavailable) {
		sim_fail(w->sim, "n%d does not tell c%d that its address is about to go",
			 w->num + 1, c->num + 1);
	}
}

/* Whether a client with a share is where the share goes to. */
static bool is_along(const struct sim_witness *w, const struct sim_client *c, int to)
{
	return w->known.at[c->ip] == to && sim_share_at(&w->known, c->ip);
}

static void check_share_move(const struct sim_witness *w, const struct sim_client *c,
			     const struct swn_reg *reg, const struct sim_before *before, int to,
			     const struct backend_intent *intent)
{
	const struct swn_queue_slot *slot = &reg->queue.share_move;
	bool told = slot->num > 0 && slot->addrs != before->share_move[c->num];
	bool should = to >= 0 && c->version_2 && c->has_share && !is_along(w, c, to) &&
		      choices(w, c, to, true, intent) != 0;

	if (told != should) {
		sim_fail(w->sim, "n%d %s c%d that its share %s", w->num + 1,
			 told ? "must not tell" : "has to tell", c->num + 1,
			 intent != NULL ? "is about to move" : "has moved");
	}
	if (told) {
		check_slot(w, c, slot, 1U << to, true, intent);
	}
}

static bool has_client(const struct sim_witness *w, int num, const struct sim_client **c,
		       const struct swn_reg **reg)
{
	*c = &w->sim->clients[num];
	*reg = (*c)->at == w->num ? sim_reg(w->sim, *c) : NULL;
	return *reg != NULL;
}

void sim_check_intent(const struct sim_witness *w, const struct sim_before *before,
		      const struct backend_intent *intent)
{
	const struct sim_client *c;
	const struct swn_reg *reg;
	int to = node_num(intent->to);

	if (!w->known.quorate || !share_goes(w, intent) || to == w->known.share) {
		to = -1;
	}
	for (int i = 0; i < SIM_CLIENTS; i++) {
		if (!has_client(w, i, &c, &reg)) {
			continue;
		}
		if (w->stale || !w->has) {
			if (reg->queue.client_move.addrs != before->client_move[i] ||
			    reg->queue.share_move.addrs != before->share_move[i]) {
				sim_fail(w->sim, "n%d sends c%d away, and its manager is gone",
					 w->num + 1, i + 1);
			}
			continue;
		}
		check_client_move(w, c, reg, before, intent);
		check_share_move(w, c, reg, before, goes(w, intent, c->ip) ? -1 : to, intent);
	}
}

/* The node that has begun to drain; -1: none, or several. */
static int begins_to_drain(const struct sim_view *was, const struct sim_view *is)
{
	int node = -1;

	for (int i = 0; i < NET_NODES; i++) {
		if (is->online[i] && is->draining[i] && !(was->online[i] && was->draining[i])) {
			if (node >= 0) {
				return -2;
			}
			node = i;
		}
	}
	return node;
}

/* Where the share is, of a client that may have missed how it came there and is told now; -1: it is not. */
static int missed_share(const struct sim_witness *w, const struct swn_reg *reg, int believed)
{
	return believed >= 0 && !reg->missed_unknown && believed != w->known.share ? w->known.share
										   : -1;
}

void sim_check_snapshot(const struct sim_witness *w, const struct sim_before *before,
			const struct sim_view *was)
{
	int leaves = begins_to_drain(was, &w->known);
	int to = w->known.share != was->share && w->known.share != was->share_last ? w->known.share
										   : -1;
	/* With no node to be left: what moves nothing. */
	const struct backend_intent intent = {.kind = leaves >= 0 ? BACKEND_INTENT_NODE
								  : BACKEND_INTENT_ADDR,
					      .what = leaves >= 0 ? sim_node_name(leaves) : ""};
	const struct sim_client *c;
	const struct swn_reg *reg;

	for (int i = 0; i < SIM_CLIENTS; i++) {
		if (!has_client(w, i, &c, &reg)) {
			continue;
		}
		if (leaves != -2) {
			check_client_move(w, c, reg, before, &intent);
		}
		check_share_move(w, c, reg, before,
				 to >= 0 ? to : missed_share(w, reg, before->share_missed[i]),
				 NULL);
	}
}
