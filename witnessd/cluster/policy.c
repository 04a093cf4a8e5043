/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/policy.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* What the functions of the table below work on. */
struct decision {
	TALLOC_CTX *mem_ctx;
	const struct cluster_event *event;
	const struct cluster_state *state;
	const struct policy_reg *reg;
	const struct cluster_share *share; /* of the target; NULL: none, or not known any more */
	struct policy_notices *out;
};

static bool same_node(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Whether an address was or is of the client's net name. */
static bool in_scope_of(const struct decision *d, const struct cluster_state *state,
			const struct cluster_addr *addr)
{
	if (d->reg->net_name == NULL) {
		return addr->net_names == NULL;
	}
	return cluster_state_serves(state, addr, d->reg->net_name);
}

static bool in_scope(const struct decision *d, const struct cluster_addr *addr)
{
	return in_scope_of(d, d->state, addr);
}

static bool is_offered(const struct decision *d, const struct cluster_addr *addr)
{
	return addr->kind == CLUSTER_ADDR_FLOATING || d->reg->fixed_addresses;
}

static bool online_at(const struct cluster_state *state, const struct ipaddr *ip)
{
	const struct cluster_addr *addr = cluster_state_addr(state, ip);

	return addr != NULL && addr->state == CLUSTER_ADDR_AVAILABLE;
}

static void add_change(struct policy_notices *out, bool available)
{
	out->list[out->num++] =
		(struct policy_notice){.type = POLICY_CHANGE, .available = available};
}

static int tell_unavailable(struct decision *d)
{
	add_change(d->out, false);
	return 0;
}

static int tell_available(struct decision *d)
{
	add_change(d->out, true);
	return 0;
}

/* It was down for a moment, and its connections are lost, though no snapshot shows that. */
static int tell_moved(struct decision *d)
{
	add_change(d->out, false);
	add_change(d->out, true);
	return 0;
}

static int tell_as_it_is(struct decision *d)
{
	add_change(d->out, online_at(d->state, &d->event->ip));
	return 0;
}

static int tell_ip_change(struct decision *d)
{
	const struct cluster_addr *addr = cluster_state_addr(d->state, &d->event->ip);
	/* Its names, when it is gone from the configuration. */
	const struct cluster_addr named = {.net_names = d->event->net_names};
	struct policy_notice notice = {.type = POLICY_IP_CHANGE, .num_addrs = 1};

	if (!d->reg->version_2 || !d->reg->ip_notification ||
	    !in_scope(d, addr != NULL ? addr : &named)) {
		return 0;
	}
	if (addr != NULL && !is_offered(d, addr)) {
		return 0;
	}
	notice.addrs = talloc_zero(d->mem_ctx, struct policy_addr);
	if (notice.addrs == NULL) {
		return ENOMEM;
	}
	notice.addrs->ip = d->event->ip;
	notice.addrs->online = online_at(d->state, &d->event->ip);
	d->out->list[d->out->num++] = notice;
	return 0;
}

/* The addresses of the client's net name have changed: which were added and which removed. */
static int tell_names_changed(struct decision *d)
{
	const struct cluster_state *before = d->event->before;
	struct policy_notice notice = {.type = POLICY_IP_CHANGE};

	if (!d->reg->version_2 || !d->reg->ip_notification) {
		return 0;
	}
	notice.addrs = talloc_array(d->mem_ctx, struct policy_addr,
				    before->num_addrs + d->state->num_addrs);
	if (notice.addrs == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < before->num_addrs; i++) {
		const struct cluster_addr *was = &before->addrs[i];
		const struct cluster_addr *is = cluster_state_addr(d->state, &was->ip);

		if (is_offered(d, was) && in_scope_of(d, before, was) &&
		    (is == NULL || !in_scope(d, is))) {
			notice.addrs[notice.num_addrs++] = (struct policy_addr){.ip = was->ip};
		}
	}
	for (size_t i = 0; i < d->state->num_addrs; i++) {
		const struct cluster_addr *is = &d->state->addrs[i];
		const struct cluster_addr *was = cluster_state_addr(before, &is->ip);

		if (is_offered(d, is) && in_scope(d, is) &&
		    (was == NULL || !in_scope_of(d, before, was))) {
			notice.addrs[notice.num_addrs++] = (struct policy_addr){
				.ip = is->ip, .online = is->state == CLUSTER_ADDR_AVAILABLE};
		}
	}
	if (notice.num_addrs > 0) {
		d->out->list[d->out->num++] = notice;
	}
	return 0;
}

/* --- moves --- */

/* Whether the move that an intent asks for moves this address. */
static bool in_moved_set(const struct backend_intent *intent, const struct cluster_addr *addr)
{
	struct ipaddr ip;

	if (addr->pinned && !intent->held) {
		return false;
	}
	switch (intent->kind) {
	case BACKEND_INTENT_ADDR:
		return ipaddr_parse(intent->what, &ip) == 0 && ipaddr_equal(&ip, &addr->ip) &&
		       (intent->from == NULL || same_node(intent->from, addr->node));
	case BACKEND_INTENT_GROUP:
		return strcmp(addr->group, intent->what) == 0 &&
		       (intent->from == NULL || same_node(intent->from, addr->node));
	case BACKEND_INTENT_NODE:
		return same_node(intent->what, addr->node);
	}
	return false;
}

/* The same of a share that is served by one node at a time. */
static bool share_in_moved_set(const struct backend_intent *intent,
			       const struct cluster_share *share)
{
	if (share->group == NULL || share->node == NULL || share->pinned) {
		return false;
	}
	switch (intent->kind) {
	case BACKEND_INTENT_ADDR:
		return false;
	case BACKEND_INTENT_GROUP:
		return strcmp(share->group, intent->what) == 0 &&
		       (intent->from == NULL || same_node(intent->from, share->node));
	case BACKEND_INTENT_NODE:
		return same_node(intent->what, share->node);
	}
	return false;
}

bool policy_moves(const struct backend_intent *intent, const struct cluster_addr *addr)
{
	return in_moved_set(intent, addr);
}

/* An address that a client can be sent to. */
static bool is_destination(const struct decision *d, const struct cluster_addr *addr)
{
	return addr->state == CLUSTER_ADDR_AVAILABLE && is_offered(d, addr) &&
	       !ipaddr_equal(&addr->ip, &d->reg->ip) && in_scope(d, addr) &&
	       (d->share == NULL || cluster_share_at(d->share, &addr->ip)) &&
	       (d->event->intent == NULL || !in_moved_set(d->event->intent, addr));
}

/* The addresses of one node that a client can be sent to. @return 0 or ENOMEM; none: no notice */
static int move_to(struct decision *d, enum policy_notice_type type, const char *node)
{
	struct policy_notice notice = {.type = type, .node = node};

	notice.addrs = talloc_array(d->mem_ctx, struct policy_addr, d->state->num_addrs);
	if (notice.addrs == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < d->state->num_addrs; i++) {
		const struct cluster_addr *addr = &d->state->addrs[i];

		if (same_node(addr->node, node) && is_destination(d, addr)) {
			notice.addrs[notice.num_addrs++] =
				(struct policy_addr){.ip = addr->ip, .online = true};
		}
	}
	if (notice.num_addrs == 0) {
		talloc_free(notice.addrs);
		return 0;
	}
	d->out->list[d->out->num++] = notice;
	return 0;
}

/* Whether a node could take clients over: it stays, and has an address for them. */
static bool takes_clients(const struct decision *d, const struct cluster_node *node,
			  const char *leaving)
{
	if (!node->online || node->draining || same_node(node->name, leaving)) {
		return false;
	}
	for (size_t i = 0; i < d->state->num_addrs; i++) {
		if (same_node(d->state->addrs[i].node, node->name) &&
		    is_destination(d, &d->state->addrs[i])) {
			return true;
		}
	}
	return false;
}

static bool is_avoided(const struct decision *d, const char *node)
{
	return d->reg->avoid != NULL && d->reg->avoid(d->reg->avoid_private, node);
}

/* Registrations are spread evenly over the nodes that could take them, of those to be avoided or the others. */
static const char *pick_node(const struct decision *d, const char *leaving, bool avoided)
{
	size_t num = 0, pick;

	for (size_t i = 0; i < d->state->num_nodes; i++) {
		const struct cluster_node *node = &d->state->nodes[i];

		num += takes_clients(d, node, leaving) && is_avoided(d, node->name) == avoided;
	}
	if (num == 0) {
		return NULL;
	}
	pick = d->reg->spread % num;
	for (size_t i = 0; i < d->state->num_nodes; i++) {
		const struct cluster_node *node = &d->state->nodes[i];

		if (takes_clients(d, node, leaving) && is_avoided(d, node->name) == avoided &&
		    pick-- == 0) {
			return node->name;
		}
	}
	return NULL;
}

/* "Anywhere else". */
static const char *some_node(const struct decision *d, const char *leaving)
{
	const char *node = pick_node(d, leaving, false);

	return node != NULL || d->reg->avoid == NULL ? node : pick_node(d, leaving, true);
}

/*
 * One move is seen several times: as the request, as the stop that follows from it, and at the gate, which
 * may not know the destination. A client that was told to move is not told again, unless it is to go
 * elsewhere; but it is not sent to a node to be avoided only because the manager puts the address there in
 * the end.
 */
static bool on_its_way(const struct decision *d)
{
	const char *to = d->event->intent->to, *moved_to = d->reg->moved_to;

	return moved_to != NULL && (to == NULL || same_node(to, moved_to) ||
				    (is_avoided(d, to) && !is_avoided(d, moved_to)));
}

/* Whether what the client uses is served at its address only. */
static bool served_here_only(const struct decision *d, const struct cluster_addr *addr)
{
	const struct cluster_share *share =
		d->reg->share != NULL ? cluster_state_share(d->state, d->reg->share) : NULL;

	if (d->reg->share != NULL) {
		return share != NULL && share->num_addrs > 0 && cluster_share_at(share, &addr->ip);
	}
	return addr->tied; /* what it uses is not known: perhaps these shares */
}

/* The destination; NULL: none. If cut off from the others, this side cannot know what they have. */
static const char *move_destination(const struct decision *d, const struct cluster_addr *addr)
{
	const char *to = d->event->intent->to;

	if (!d->state->quorate || served_here_only(d, addr)) {
		return NULL;
	}
	to = to != NULL ? to : some_node(d, addr->node);
	return same_node(to, addr->node) ? NULL : to;
}

static int tell_client_move(struct decision *d)
{
	const struct cluster_addr *addr = cluster_state_addr(d->state, &d->reg->ip);
	const struct backend_intent *intent = d->event->intent;
	const char *to;
	int err = 0;

	/* Clients of an address that is down have been told that, which is more. */
	if (addr == NULL || addr->state != CLUSTER_ADDR_AVAILABLE || !in_moved_set(intent, addr) ||
	    on_its_way(d)) {
		return 0;
	}
	to = move_destination(d, addr);
	if (to != NULL) {
		err = move_to(d, POLICY_CLIENT_MOVE, to);
	}
	/* There is no other address, and this one waits for the client to know. */
	if (err == 0 && d->out->num == 0 && intent->held) {
		add_change(d->out, false);
	}
	return err;
}

static bool wants_share_move(const struct decision *d)
{
	return d->reg->version_2 && d->reg->share != NULL;
}

/* Whether the client is where the share will be, or was told by its address that it goes there. */
static bool goes_along(const struct decision *d, const char *node)
{
	const struct cluster_addr *addr = cluster_state_addr(d->state, &d->reg->ip);

	if (addr == NULL || addr->state != CLUSTER_ADDR_AVAILABLE) {
		return false;
	}
	return same_node(addr->node, node) &&
	       (d->share == NULL || cluster_share_at(d->share, &addr->ip));
}

static int tell_share_move(struct decision *d)
{
	const char *to = d->event->to;

	/* Back where it was: it has not moved. */
	if (!wants_share_move(d) || to == NULL || same_node(d->event->from, to) ||
	    goes_along(d, to)) {
		return 0;
	}
	return move_to(d, POLICY_SHARE_MOVE, to);
}

/* Without a named destination only the cluster manager knows where a share goes. */
static int tell_share_intent(struct decision *d)
{
	const struct backend_intent *intent = d->event->intent;
	const struct cluster_addr *addr = cluster_state_addr(d->state, &d->reg->ip);

	if (!wants_share_move(d) || d->share == NULL || intent->to == NULL || !d->state->quorate ||
	    !share_in_moved_set(intent, d->share) || same_node(intent->to, d->share->node) ||
	    (addr != NULL && in_moved_set(intent, addr)) || goes_along(d, intent->to)) {
		return 0;
	}
	return move_to(d, POLICY_SHARE_MOVE, intent->to);
}

/* The table of the design. Events that are not in it are told to nobody. */
static const struct {
	enum cluster_event_type event;
	enum policy_index index;
	int (*tell)(struct decision *d);
} rows[] = {
	{CLUSTER_ADDR_LOST, POLICY_BY_IP, tell_unavailable},
	{CLUSTER_ADDR_BACK, POLICY_BY_IP, tell_available},
	{CLUSTER_ADDR_MOVED, POLICY_BY_IP, tell_moved},
	/* Removed from the configuration and added again, under a client that stayed. */
	{CLUSTER_ADDR_REMOVED, POLICY_BY_IP, tell_unavailable},
	{CLUSTER_ADDR_ADDED, POLICY_BY_IP, tell_as_it_is},
	{CLUSTER_ADDR_LOST, POLICY_BY_IP_CHANGE, tell_ip_change},
	{CLUSTER_ADDR_BACK, POLICY_BY_IP_CHANGE, tell_ip_change},
	{CLUSTER_ADDR_MOVED, POLICY_BY_IP_CHANGE, tell_ip_change},
	{CLUSTER_ADDR_REMOVED, POLICY_BY_IP_CHANGE, tell_ip_change},
	{CLUSTER_ADDR_ADDED, POLICY_BY_IP_CHANGE, tell_ip_change},
	{CLUSTER_NAMES_CHANGED, POLICY_BY_IP_CHANGE, tell_names_changed},
	{CLUSTER_SHARE_MOVED, POLICY_BY_SHARE, tell_share_move},
	{CLUSTER_INTENT, POLICY_BY_IP, tell_client_move},
	{CLUSTER_INTENT, POLICY_BY_SHARE, tell_share_intent},
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Every address and share of the moved set is a place to look. */
static void intent_targets(const struct cluster_event *event, const struct cluster_state *state,
			   struct policy_targets *targets)
{
	for (size_t i = 0; i < state->num_addrs; i++) {
		if (in_moved_set(event->intent, &state->addrs[i])) {
			targets->list[targets->num++] = (struct policy_target){
				.index = POLICY_BY_IP, .ip = state->addrs[i].ip};
		}
	}
	for (size_t i = 0; i < state->num_shares; i++) {
		if (share_in_moved_set(event->intent, &state->shares[i])) {
			targets->list[targets->num++] = (struct policy_target){
				.index = POLICY_BY_SHARE, .share = state->shares[i].name};
		}
	}
}

int policy_find_targets(TALLOC_CTX *mem_ctx, const struct cluster_event *event,
			const struct cluster_state *state, struct policy_targets *targets)
{
	struct policy_targets found = {.num = 0};

	found.list = talloc_array(mem_ctx, struct policy_target,
				  NUM_ROWS + state->num_addrs + state->num_shares);
	if (found.list == NULL) {
		return ENOMEM;
	}
	if (event->type == CLUSTER_INTENT) {
		intent_targets(event, state, &found);
		*targets = found;
		return 0;
	}
	for (size_t i = 0; i < NUM_ROWS; i++) {
		if (rows[i].event == event->type) {
			found.list[found.num++] = (struct policy_target){
				.index = rows[i].index, .ip = event->ip, .share = event->name};
		}
	}
	*targets = found;
	return 0;
}

int policy_decide(TALLOC_CTX *mem_ctx, const struct cluster_event *event,
		  const struct cluster_state *state, const struct policy_target *target,
		  const struct policy_reg *reg, struct policy_notices *notices)
{
	struct decision d = {.mem_ctx = mem_ctx, .event = event, .state = state, .reg = reg};

	*notices = (struct policy_notices){.num = 0};
	d.out = notices;
	if (target->index == POLICY_BY_IP && !ipaddr_equal(&target->ip, &reg->ip)) {
		return 0;
	}
	if (target->index == POLICY_BY_SHARE) {
		if (reg->share == NULL || target->share == NULL ||
		    strcasecmp(reg->share, target->share) != 0) {
			return 0;
		}
		d.share = cluster_state_share(state, target->share);
	}
	for (size_t i = 0; i < NUM_ROWS; i++) {
		if (rows[i].event == event->type && rows[i].index == target->index) {
			return rows[i].tell(&d);
		}
	}
	return 0;
}

void policy_registered(const struct cluster_state *state, const struct policy_reg *reg,
		       struct policy_notices *notices)
{
	const struct cluster_addr *addr = cluster_state_addr(state, &reg->ip);

	*notices = (struct policy_notices){.num = 0};
	if (addr != NULL && addr->state == CLUSTER_ADDR_UNAVAILABLE) {
		add_change(notices, false);
	}
}

int policy_share_missed(TALLOC_CTX *mem_ctx, const struct cluster_state *state,
			const struct policy_reg *reg, const char *from,
			struct policy_notices *notices)
{
	const struct cluster_share *share =
		reg->share != NULL ? cluster_state_share(state, reg->share) : NULL;
	const struct cluster_event event = {.type = CLUSTER_SHARE_MOVED,
					    .from = from,
					    .to = share != NULL ? share->node : NULL};
	struct decision d = {.mem_ctx = mem_ctx,
			     .event = &event,
			     .state = state,
			     .reg = reg,
			     .share = share,
			     .out = notices};

	*notices = (struct policy_notices){.num = 0};
	return from != NULL ? tell_share_move(&d) : 0;
}

/* Keep of the addresses in a notice only one. */
static void keep_only(struct policy_notices *notices, const struct ipaddr *ip)
{
	struct policy_notice *notice = &notices->list[0];

	for (size_t i = 0; i < notice->num_addrs; i++) {
		if (ipaddr_equal(&notice->addrs[i].ip, ip)) {
			notice->addrs[0] = notice->addrs[i];
			notice->num_addrs = 1;
			return;
		}
	}
	notices->num = 0;
}

int policy_send_to(TALLOC_CTX *mem_ctx, const struct cluster_state *state,
		   const struct policy_reg *reg, enum policy_notice_type type, const char *node,
		   const struct ipaddr *ip, struct policy_notices *notices)
{
	const struct cluster_event event = {.type = CLUSTER_INTENT};
	const struct cluster_addr *addr = cluster_state_addr(state, &reg->ip);
	const struct cluster_node *dest = cluster_state_node(state, node);
	struct decision d = {
		.mem_ctx = mem_ctx, .event = &event, .state = state, .reg = reg, .out = notices};
	int err;

	*notices = (struct policy_notices){.num = 0};
	/* Without quorum the addresses of a node that cannot be seen are kept as they were. */
	if (dest == NULL || !dest->online) {
		return 0;
	}
	if (type == POLICY_CLIENT_MOVE && addr != NULL && served_here_only(&d, addr)) {
		return 0;
	}
	if (reg->share != NULL) {
		d.share = cluster_state_share(state, reg->share);
	}
	err = move_to(&d, type, node);
	if (err == 0 && ip != NULL && notices->num > 0) {
		keep_only(notices, ip);
	}
	return err;
}
