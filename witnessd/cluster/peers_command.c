/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands to a node, and their replies. */
#include "witnessd/cluster/peers_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/req.h"

struct peers_call {
	struct qb_list_head link; /* in peers->calls */
	struct peers *peers;
	struct peers_owner *from; /* NULL: ourselves, or gone */
	uint64_t id;
};

struct command_state {
	struct qb_list_head link; /* in peers->requests; NULL peers: not there */
	struct tevent_req *req;
	struct peers *peers;
	const char *node;
	uint64_t id;
	enum peers_verb verb;
	uint32_t timeout_ms;
	struct wheel_timer timer;
	uint8_t *bytes, *reply;
	size_t len, reply_len;
};

/* --- asking --- */

static void leave(struct command_state *state)
{
	if (state->peers == NULL) {
		return;
	}
	wheel_cancel(&state->timer);
	qb_list_del(&state->link);
	state->peers->num_requests--;
	state->peers = NULL;
}

static void command_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	leave(tevent_req_data(req, struct command_state));
}

static void finish(struct command_state *state, int err)
{
	struct tevent_req *req = state->req;

	leave(state);
	if (!tevent_req_error(req, (uint64_t)err)) {
		tevent_req_done(req);
	}
}

static void on_timeout(void *private_data)
{
	finish(private_data, ETIMEDOUT);
}

static void on_lost(void *private_data)
{
	finish(private_data, EHOSTUNREACH);
}

/* To ourselves: from the event loop, as if it had come from another node. */
static void run_here(struct command_state *state);

static void on_run_here(void *private_data)
{
	struct command_state *state = private_data;

	wheel_arm(state->peers->wheel, &state->timer, state->timeout_ms, on_timeout, state);
	run_here(state);
}

static int transmit(struct command_state *state)
{
	struct peers *peers = state->peers;
	struct peers_msg msg = {
		.type = PEERS_MSG_COMMAND,
		.id = state->id,
		.verb = (uint8_t)state->verb,
		.bytes = state->bytes,
		.len = state->len,
	};
	int err = 0;

	if (!peers_is_local(peers, state->node)) {
		if (!peers->joined || !peers_is_up(peers, state->node)) {
			return EHOSTUNREACH;
		}
		memcpy(msg.node, state->node, strlen(state->node) + 1);
		err = peers_send(peers, &msg);
		if (err == 0) {
			wheel_arm(peers->wheel, &state->timer, state->timeout_ms, on_timeout,
				  state);
		}
		return err;
	}
	wheel_arm(peers->wheel, &state->timer, 0, on_run_here, state);
	return 0;
}

struct tevent_req *peers_command_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				      struct peers *peers, const char *node, enum peers_verb verb,
				      const void *bytes, size_t len, uint32_t timeout_ms)
{
	struct command_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct command_state);
	int err;

	if (req == NULL) {
		return NULL;
	}
	state->req = req;
	state->verb = verb;
	state->timeout_ms = timeout_ms;
	state->node = talloc_strdup(state, node);
	state->bytes = talloc_memdup(state, bytes, len);
	state->len = len;
	if (tevent_req_nomem(state->node, req) ||
	    (len > 0 && tevent_req_nomem(state->bytes, req))) {
		return tevent_req_post(req, ev);
	}
	if (len > PEERS_COMMAND_MAX || peers->num_requests >= PEERS_MAX_REQUESTS) {
		tevent_req_error(req, len > PEERS_COMMAND_MAX ? EMSGSIZE : ENOBUFS);
		return tevent_req_post(req, ev);
	}
	state->peers = peers;
	state->id = ++peers->last_id;
	qb_list_add_tail(&state->link, &peers->requests);
	peers->num_requests++;
	tevent_req_set_cleanup_fn(req, command_cleanup);
	err = transmit(state);
	if (tevent_req_error(req, (uint64_t)err)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

int peers_command_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, uint8_t **reply, size_t *len)
{
	struct command_state *state = tevent_req_data(req, struct command_state);
	int err = req_errno(req);

	if (err == 0 && reply != NULL) {
		*reply = talloc_move(mem_ctx, &state->reply);
	}
	if (err == 0 && len != NULL) {
		*len = state->reply_len;
	}
	tevent_req_received(req);
	return err;
}

/* A reply has come for one of ours. */
static void answered(struct command_state *state, int err, const uint8_t *bytes, size_t len)
{
	if (len > 0) {
		state->reply = talloc_memdup(state, bytes, len);
		if (state->reply == NULL) {
			err = ENOMEM;
			len = 0;
		}
	}
	state->reply_len = len;
	finish(state, err);
}

static struct command_state *find_request(struct peers *peers, uint64_t id, const char *node)
{
	struct command_state *state;

	qb_list_for_each_entry (state, &peers->requests, link) {
		if (state->id == id && strcmp(state->node, node) == 0) {
			return state;
		}
	}
	return NULL;
}

void peers_take_reply(struct peers *peers, struct peers_owner *from, struct peers_msg *msg)
{
	struct command_state *state =
		peers_is_local(peers, msg->node) ? find_request(peers, msg->id, from->node) : NULL;

	if (state != NULL) {
		answered(state, msg->err, msg->bytes, msg->len);
	}
}

/* --- answering --- */

static int call_destructor(struct peers_call *call)
{
	qb_list_del(&call->link);
	if (call->from != NULL) {
		call->from->num_calls--;
	}
	return 0;
}

void peers_call_reply(struct peers_call *call, int err, const void *bytes, size_t len)
{
	struct peers *peers = call->peers;
	struct peers_msg msg = {.type = PEERS_MSG_REPLY, .id = call->id, .err = err};
	struct command_state *state;

	if (len > PEERS_COMMAND_MAX) {
		msg.err = err = EMSGSIZE;
		len = 0;
	}
	msg.bytes = bytes;
	msg.len = len;
	if (call->from != NULL) {
		memcpy(msg.node, call->from->node, strlen(call->from->node) + 1);
		(void)peers_send(peers, &msg); /* or it learns by its time-out */
	} else if (peers->local != NULL) {
		state = find_request(peers, call->id, peers->local);
		if (state != NULL) {
			answered(state, err, bytes, len);
		}
	}
	talloc_free(call);
}

static void run(struct peers *peers, struct peers_owner *from, uint64_t id, uint8_t verb,
		const uint8_t *bytes, size_t len)
{
	struct peers_call *call = talloc_zero(peers, struct peers_call);
	struct peers_handler *handler;

	if (call == NULL) {
		return; /* it learns by its time-out */
	}
	call->peers = peers;
	call->from = from;
	call->id = id;
	if (from != NULL) {
		from->num_calls++;
	}
	qb_list_add_tail(&call->link, &peers->calls);
	talloc_set_destructor(call, call_destructor);
	handler = verb < PEERS_NUM_VERBS ? &peers->handlers[verb] : NULL;
	if (handler == NULL || handler->fn == NULL) {
		peers_call_reply(call, EOPNOTSUPP, NULL, 0);
	} else if (from != NULL && from->num_calls > PEERS_MAX_CALLS) {
		peers_call_reply(call, EAGAIN, NULL, 0);
	} else {
		handler->fn(handler->private_data, call, from != NULL ? from->node : peers->local,
			    bytes, len);
	}
}

static void run_here(struct command_state *state)
{
	run(state->peers, NULL, state->id, (uint8_t)state->verb, state->bytes, state->len);
}

void peers_take_command(struct peers *peers, struct peers_owner *from, struct peers_msg *msg)
{
	if (peers_is_local(peers, msg->node)) {
		run(peers, from, msg->id, msg->verb, msg->bytes, msg->len);
	}
}

void peers_set_command_handler(struct peers *peers, enum peers_verb verb, peers_command_fn fn,
			       void *private_data)
{
	peers->handlers[verb] = (struct peers_handler){.fn = fn, .private_data = private_data};
}

/* --- endings --- */

void peers_commands_lost(struct peers *peers, const char *node)
{
	struct command_state *state, *next;
	struct peers_call *call;

	qb_list_for_each_entry_safe (state, next, &peers->requests, link) {
		bool here = peers_is_local(peers, state->node);

		if (node != NULL ? strcmp(state->node, node) == 0 : !here) {
			/* Only marked here: a callback may change the list. */
			wheel_arm(peers->wheel, &state->timer, 0, on_lost, state);
		}
	}
	qb_list_for_each_entry (call, &peers->calls, link) {
		if (call->from != NULL && (node == NULL || strcmp(call->from->node, node) == 0)) {
			call->from->num_calls--;
			call->from = NULL;
			call->id = 0;
		}
	}
}

void peers_commands_free(struct peers *peers)
{
	struct command_state *state, *next;
	struct peers_call *call, *next_call;

	qb_list_for_each_entry_safe (state, next, &peers->requests, link) {
		wheel_cancel(&state->timer);
		qb_list_del(&state->link);
		state->peers = NULL;
		tevent_req_defer_callback(state->req, peers->ev);
		tevent_req_error(state->req, ECANCELED);
	}
	qb_list_for_each_entry_safe (call, next_call, &peers->calls, link) {
		talloc_free(call);
	}
}
