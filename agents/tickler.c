/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/tickler.h"

#include <errno.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

#define POLL_MS 20 /* while the address is not here */

/* When a round begins, after the first one began. */
static const uint32_t rounds_ms[] = {0, 800, 2200};
#define NUM_ROUNDS (sizeof(rounds_ms) / sizeof(rounds_ms[0]))

struct tickler_state {
	struct tevent_context *ev;
	struct tickler_config config;
	struct ipaddr ip;
	const struct tcpconn *conns;
	size_t num;
	uint64_t asked_ms, began_ms;
	size_t round, next;
	struct tickler_result result;
};

static void look_for_address(struct tevent_req *req);
static void begin_round(struct tevent_req *req);
static void send_batch(struct tevent_req *req);

/* --- one step later --- */

struct later {
	struct tevent_req *req;
	void (*fn)(struct tevent_req *req);
};

static void later_fired(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			void *private_data)
{
	struct later later = *talloc_get_type_abort(private_data, struct later);

	talloc_free(private_data);
	later.fn(later.req);
}

static void call_later(struct tevent_req *req, uint64_t ms, void (*fn)(struct tevent_req *req))
{
	struct tickler_state *state = tevent_req_data(req, struct tickler_state);
	struct later *later = talloc(state, struct later);

	if (tevent_req_nomem(later, req)) {
		return;
	}
	*later = (struct later){.req = req, .fn = fn};
	if (mono_timer_add(state->ev, later, ms, later_fired, later) == NULL) {
		tevent_req_oom(req);
	}
}

/* --- the steps --- */

struct tevent_req *tickler_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				const struct tickler_config *config, const struct ipaddr *ip,
				const struct tcpconn *conns, size_t num)
{
	struct tickler_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct tickler_state);

	if (req == NULL) {
		return NULL;
	}
	*state = (struct tickler_state){.ev = ev,
					.config = *config,
					.ip = *ip,
					.conns = conns,
					.num = num,
					.asked_ms = clock_ms()};
	call_later(req, 0, look_for_address);
	return tevent_req_is_in_progress(req) ? req : tevent_req_post(req, ev);
}

static void look_for_address(struct tevent_req *req)
{
	struct tickler_state *state = tevent_req_data(req, struct tickler_state);
	uint64_t waited_ms = clock_ms() - state->asked_ms;
	struct netaddr_links links;
	int err = netaddr_find(state->config.netaddr, &state->ip, &links);

	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	if (links.num == 0 && waited_ms >= state->config.wait_ms) {
		tevent_req_error(req, EADDRNOTAVAIL);
	} else if (links.num == 0) {
		call_later(req, POLL_MS, look_for_address);
	} else {
		state->result.waited_ms = (uint32_t)waited_ms;
		state->began_ms = clock_ms();
		begin_round(req);
	}
}

static void failed(struct tickler_state *state, int err)
{
	if (err != 0) {
		state->result.last_error = err;
	}
}

/* Tell the neighbours first, or the answer of the client goes to the node that had the address. */
static void begin_round(struct tevent_req *req)
{
	struct tickler_state *state = tevent_req_data(req, struct tickler_state);
	struct netaddr_links links;
	int err = netaddr_find(state->config.netaddr, &state->ip, &links);

	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	if (links.num == 0) { /* it has left again: its new host tickles the clients */
		if (state->round == 0) {
			tevent_req_error(req, EADDRNOTAVAIL);
		} else {
			tevent_req_done(req);
		}
		return;
	}
	failed(state, sender_announce(state->config.sender, &state->ip, &links));
	state->next = 0;
	send_batch(req);
}

static void end_round(struct tevent_req *req)
{
	struct tickler_state *state = tevent_req_data(req, struct tickler_state);
	uint64_t passed_ms = clock_ms() - state->began_ms;

	state->round++;
	if (state->round == NUM_ROUNDS || state->result.conns == 0) {
		tevent_req_done(req);
		return;
	}
	/* After a long round the next one follows at once: for each connection the interval is still kept. */
	call_later(req,
		   passed_ms < rounds_ms[state->round] ? rounds_ms[state->round] - passed_ms : 0,
		   begin_round);
}

static bool is_full(int err)
{
	return err == EAGAIN || err == ENOBUFS;
}

static void send_batch(struct tevent_req *req)
{
	struct tickler_state *state = tevent_req_data(req, struct tickler_state);
	struct tickler_result *result = &state->result;
	size_t room = TICKLER_BATCH;

	for (; state->next < state->num && room > 0; state->next++) {
		const struct tcpconn *conn = &state->conns[state->next];
		int err;

		if (!ipaddr_equal(&conn->local, &state->ip)) {
			continue;
		}
		err = sender_tickle(state->config.sender, conn);
		if (is_full(err)) {
			break; /* the same one after the pause */
		}
		failed(state, err);
		result->sent += err == 0;
		result->failed += err != 0;
		result->conns += state->round == 0;
		room--;
	}
	if (state->next < state->num) {
		call_later(req, TICKLER_PAUSE_MS, send_batch);
	} else {
		end_round(req);
	}
}

int tickler_recv(struct tevent_req *req, struct tickler_result *result)
{
	const struct tickler_state *state = tevent_req_data(req, struct tickler_state);
	int err = req_errno(req);

	if (err == 0) {
		*result = state->result;
	}
	tevent_req_received(req);
	return err;
}
