/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/leave.h"

#include <errno.h>
#include <string.h>

#include "witnessd/cluster/policy.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/hash.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/pack.h"
#include "witnessd/util/req.h"

#define POLL_MS        5
#define REPLY_EXTRA_MS 500 /* for the round trip to another node */
#define HINT_S         60  /* a move requested that long ago has happened, or never will */
#define MAX_HINTS      64

/* A move that the configuration of the cluster requests. */
struct hint {
	enum backend_intent_kind kind;
	char *what, *from, *to;
	uint64_t when_ms;
};

struct leave {
	UT_hash_handle hh;
	struct swn_leaves *leaves;
	struct ipaddr ip;
	unsigned int pending; /* witnesses that have not answered */
	struct swn_leave_result result;
};

struct swn_leaves {
	struct tevent_context *ev;
	struct cluster *cluster;
	struct swn_service *service;
	struct leave *table;
	struct hint *hints[MAX_HINTS]; /* a ring */
	size_t next_hint;
};

/* --- one witness tells its clients --- */

struct tell_state {
	struct tevent_context *ev;
	struct swn_service *service;
	struct ipaddr ip;
	uint64_t deadline_ms;
	uint32_t waiting, untold;
};

static void tell_look(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		      void *private_data)
{
	struct tevent_req *req = talloc_get_type_abort(private_data, struct tevent_req);
	struct tell_state *state = tevent_req_data(req, struct tell_state);

	state->untold = swn_service_untold(state->service, &state->ip);
	if (state->untold == 0 || clock_ms() >= state->deadline_ms) {
		tevent_req_done(req);
	} else if (mono_timer_add(ev, state, POLL_MS, tell_look, req) == NULL) {
		tevent_req_oom(req);
	}
}

/* from has the address and will lose it. */
static struct tevent_req *tell_send(TALLOC_CTX *mem_ctx, struct swn_leaves *leaves,
				    const struct ipaddr *ip, const char *from, const char *to,
				    uint32_t wait_ms)
{
	const struct backend_sink *sink = cluster_sink(leaves->cluster);
	struct tell_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct tell_state);
	char text[IPADDR_STRLEN];
	struct backend_intent intent = {
		.kind = BACKEND_INTENT_ADDR,
		.what = ipaddr_format(ip, text),
		.from = from,
		.to = to,
		.why = "the address is held back until its clients know",
		.held = true,
	};

	if (req == NULL) {
		return NULL;
	}
	*state = (struct tell_state){
		.ev = leaves->ev,
		.service = leaves->service,
		.ip = *ip,
		.deadline_ms = clock_ms() + wait_ms,
	};
	sink->intent(sink->private_data, &intent);
	state->waiting = swn_service_untold(leaves->service, ip);
	/* Also when there is nobody to wait for: replies just queued are sent from the loop. */
	if (mono_timer_add(leaves->ev, state, POLL_MS, tell_look, req) == NULL) {
		tevent_req_oom(req);
		return tevent_req_post(req, leaves->ev);
	}
	return req;
}

static int tell_recv(struct tevent_req *req, uint32_t *told, uint32_t *untold)
{
	const struct tell_state *state = tevent_req_data(req, struct tell_state);
	int err = req_errno(req);

	if (err == 0) {
		/* Those who came to wait meanwhile may be among the untold. */
		*untold = state->untold;
		*told = state->waiting > state->untold ? state->waiting - state->untold : 0;
	}
	tevent_req_received(req);
	return err;
}

/* --- asked by another node --- */

#define COMMAND_MAX (1 + 17 + 4 + 2 + PEERS_NODE_MAX + 16)

struct asked {
	struct peers_call *call;
};

static void asked_done(struct tevent_req *req)
{
	struct asked *asked = tevent_req_callback_data(req, struct asked);
	uint8_t buf[8];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	uint32_t told = 0, untold = 0;
	int err = tell_recv(req, &told, &untold);

	pack_u32(&out, told);
	pack_u32(&out, untold);
	peers_call_reply(asked->call, err, buf, err == 0 ? out.len : 0);
	talloc_free(asked);
}

static void on_command(void *private_data, struct peers_call *call, const char *from,
		       const uint8_t *bytes, size_t len)
{
	struct swn_leaves *leaves = talloc_get_type_abort(private_data, struct swn_leaves);
	struct asked *asked = talloc_zero(leaves, struct asked);
	struct pack_in in = {.p = bytes, .left = len};
	struct ipaddr ip = unpack_ip(&in);
	uint32_t wait_ms = unpack_u32(&in);
	char *to = unpack_text(&in, asked, PEERS_NODE_MAX);
	struct tevent_req *req;

	if (asked == NULL || in.err != 0 || ip.family == 0 || wait_ms > SWN_LEAVE_WAIT_MAX_MS) {
		talloc_free(asked);
		peers_call_reply(call, asked == NULL ? ENOMEM : EBADMSG, NULL, 0);
		return;
	}
	asked->call = call;
	req = tell_send(asked, leaves, &ip, from, to[0] != '\0' ? to : NULL, wait_ms);
	if (req == NULL) {
		talloc_free(asked);
		peers_call_reply(call, ENOMEM, NULL, 0);
		return;
	}
	tevent_req_set_callback(req, asked_done, asked);
}

/* --- the node that loses the address --- */

static void one_answered(struct leave *leave)
{
	char ip[IPADDR_STRLEN];

	leave->pending--;
	if (leave->pending > 0) {
		return;
	}
	leave->result.done = true;
	log_notice("%s leaves: %u clients told, %u not in time, %u witnesses silent",
		   ipaddr_format(&leave->ip, ip), leave->result.told, leave->result.untold,
		   leave->result.silent);
}

static void local_done(struct tevent_req *req)
{
	struct leave *leave = tevent_req_callback_data(req, struct leave);
	uint32_t told = 0, untold = 0;
	int err = tell_recv(req, &told, &untold);

	if (err == 0) {
		leave->result.told += told;
		leave->result.untold += untold;
	} else {
		leave->result.silent++; /* how many of its clients know is unknown */
		log_warn("The address leaves before this node's clients know: %s", strerror(err));
	}
	talloc_free(req);
	one_answered(leave);
}

static void peer_done(struct tevent_req *req)
{
	struct leave *leave = tevent_req_callback_data(req, struct leave);
	struct pack_in in = {.p = NULL};
	uint8_t *reply = NULL;
	uint32_t told, untold;
	int err = peers_command_recv(req, leave, &reply, &in.left);

	in.p = reply;
	told = err == 0 ? unpack_u32(&in) : 0;
	untold = err == 0 ? unpack_u32(&in) : 0;
	if (err != 0 || in.err != 0) {
		leave->result.silent++;
	} else {
		leave->result.told += told;
		leave->result.untold += untold;
	}
	talloc_free(reply);
	talloc_free(req);
	one_answered(leave);
}

static int ask_peer(struct leave *leave, const char *node, const char *to, uint32_t wait_ms)
{
	struct swn_leaves *leaves = leave->leaves;
	uint8_t buf[COMMAND_MAX];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	struct tevent_req *req;

	pack_ip(&out, &leave->ip);
	pack_u32(&out, wait_ms);
	pack_text(&out, to != NULL ? to : "");
	if (out.err != 0) {
		return out.err;
	}
	req = peers_command_send(leave, leaves->ev, cluster_peers(leaves->cluster), node,
				 PEERS_LEAVE, buf, out.len, wait_ms + REPLY_EXTRA_MS);
	if (req == NULL) {
		return ENOMEM;
	}
	tevent_req_set_callback(req, peer_done, leave);
	leave->pending++;
	return 0;
}

/* Where the address is wanted: what was asked for last, if that is not long ago. NULL: nobody said. */
static const char *destination(const struct swn_leaves *leaves, const struct cluster_addr *addr)
{
	for (size_t i = 1; i <= MAX_HINTS; i++) {
		const struct hint *hint =
			leaves->hints[(leaves->next_hint + MAX_HINTS - i) % MAX_HINTS];
		struct backend_intent intent;

		if (hint == NULL) {
			return NULL;
		}
		intent = (struct backend_intent){
			.kind = hint->kind, .what = hint->what, .from = hint->from};
		if (clock_ms() - hint->when_ms < HINT_S * UINT64_C(1000) &&
		    policy_moves(&intent, addr)) {
			return hint->to;
		}
	}
	return NULL;
}

static int begin(struct leave *leave, const struct cluster_state *state,
		 const struct cluster_addr *addr, uint32_t wait_ms)
{
	struct swn_leaves *leaves = leave->leaves;
	const char *to = destination(leaves, addr);
	struct tevent_req *req = tell_send(leave, leaves, &leave->ip, addr->node, to, wait_ms);

	if (req == NULL) {
		return ENOMEM;
	}
	tevent_req_set_callback(req, local_done, leave);
	leave->pending = 1;
	for (size_t i = 0; i < state->num_nodes; i++) {
		const struct cluster_node *node = &state->nodes[i];

		if (!node->local && peers_is_up(cluster_peers(leaves->cluster), node->name) &&
		    ask_peer(leave, node->name, to, wait_ms) != 0) {
			leave->result.silent++;
		}
	}
	return 0;
}

/* Whether the address can leave this node. @return as swn_leave_begin() */
static int is_here(const struct cluster_state *state, TALLOC_CTX *mem_ctx, const struct ipaddr *ip,
		   char **why)
{
	const struct cluster_addr *addr = state != NULL ? cluster_state_addr(state, ip) : NULL;
	char text[IPADDR_STRLEN];

	if (state == NULL) {
		*why = talloc_strdup(mem_ctx, "the state of the cluster is not known yet");
		return EADDRNOTAVAIL;
	}
	if (addr == NULL || addr->state != CLUSTER_ADDR_AVAILABLE || addr->node == NULL) {
		*why = talloc_asprintf(mem_ctx,
				       addr == NULL ? "%s is not an address of the cluster"
						    : "no node has the address %s now",
				       ipaddr_format(ip, text));
		return ENXIO;
	}
	if (!cluster_state_is_local(state, addr->node)) {
		*why = talloc_asprintf(mem_ctx, "this node does not have the address: %s has it",
				       addr->node);
		return EADDRNOTAVAIL;
	}
	return 0;
}

int swn_leave_begin(struct swn_leaves *leaves, TALLOC_CTX *mem_ctx, const struct ipaddr *ip,
		    uint32_t wait_ms, char **why)
{
	const struct cluster_state *state = cluster_current(leaves->cluster);
	struct leave *leave;
	int err = is_here(state, mem_ctx, ip, why);

	if (err != 0) {
		return err;
	}
	HASH_FIND(hh, leaves->table, ip, sizeof(*ip), leave);
	if (leave != NULL && !leave->result.done) {
		return 0;
	}
	if (leave != NULL) {
		HASH_DELETE(hh, leaves->table, leave);
		talloc_free(leave);
	}
	leave = talloc_zero(leaves, struct leave);
	if (leave == NULL) {
		return ENOMEM;
	}
	leave->leaves = leaves;
	leave->ip = *ip;
	HASH_ADD(hh, leaves->table, ip, sizeof(leave->ip), leave);
	if (leave->hh.tbl == NULL) {
		talloc_free(leave);
		return ENOMEM;
	}
	err = begin(leave, state, cluster_state_addr(state, ip), wait_ms);
	if (err != 0) {
		HASH_DELETE(hh, leaves->table, leave);
		talloc_free(leave);
	}
	return err;
}

int swn_leave_result(const struct swn_leaves *leaves, const struct ipaddr *ip,
		     struct swn_leave_result *result)
{
	const struct leave *leave;

	HASH_FIND(hh, leaves->table, ip, sizeof(*ip), leave);
	if (leave == NULL) {
		return ENOENT;
	}
	*result = leave->result;
	return 0;
}

/* --- moves that are asked for --- */

static char *copy(TALLOC_CTX *mem_ctx, const char *text)
{
	return text != NULL ? talloc_strdup(mem_ctx, text) : NULL;
}

static void on_event(void *private_data, const struct cluster_event *event,
		     const struct cluster_state *state)
{
	struct swn_leaves *leaves = talloc_get_type_abort(private_data, struct swn_leaves);
	const struct backend_intent *intent = event->intent;
	struct hint *hint;

	if (event->type != CLUSTER_INTENT || intent->held) {
		return;
	}
	hint = talloc_zero(leaves, struct hint);
	if (hint == NULL) {
		return; /* the clients are spread, then */
	}
	hint->kind = intent->kind;
	hint->what = copy(hint, intent->what);
	hint->from = copy(hint, intent->from);
	hint->to = copy(hint, intent->to);
	hint->when_ms = clock_ms();
	if (hint->what == NULL) {
		talloc_free(hint);
		return;
	}
	talloc_free(leaves->hints[leaves->next_hint]);
	leaves->hints[leaves->next_hint] = hint;
	leaves->next_hint = (leaves->next_hint + 1) % MAX_HINTS;
}

/* --- the object --- */

static int leaves_destructor(struct swn_leaves *leaves)
{
	peers_set_command_handler(cluster_peers(leaves->cluster), PEERS_LEAVE, NULL, NULL);
	HASH_CLEAR(hh, leaves->table);
	return 0;
}

int swn_leaves_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		      struct swn_service *service, struct swn_leaves **out)
{
	struct swn_leaves *leaves = talloc_zero(mem_ctx, struct swn_leaves);

	if (leaves == NULL) {
		return ENOMEM;
	}
	leaves->ev = ev;
	leaves->cluster = cluster;
	leaves->service = service;
	if (cluster_listen(cluster, on_event, leaves) != 0) {
		talloc_free(leaves);
		return ENOMEM;
	}
	talloc_set_destructor(leaves, leaves_destructor);
	peers_set_command_handler(cluster_peers(cluster), PEERS_LEAVE, on_command, leaves);
	*out = leaves;
	return 0;
}
