/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/remote_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/control/control.h"
#include "witnessd/remote_wire.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/req.h"

struct ask_state {
	struct tevent_req *req;
	struct tevent_context *ev;
	struct peers *peers;
	const char *node;
	uint64_t deadline_ms;
	uint32_t timeout_ms;
	struct remote_whole whole;
};

static void part_came(struct tevent_req *subreq);

/* @return 0; or an errno: nothing is under way */
static int question(struct ask_state *state, const struct remote_question *what)
{
	uint8_t buf[PEERS_COMMAND_MAX];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	uint64_t now = clock_ms();
	struct tevent_req *subreq;

	remote_question_push(&out, what);
	if (out.err != 0) {
		return E2BIG;
	}
	if (now >= state->deadline_ms) {
		return ETIMEDOUT;
	}
	subreq = peers_command_send(state, state->ev, state->peers, state->node, PEERS_CONTROL, buf,
				    out.len, (uint32_t)(state->deadline_ms - now));
	if (subreq == NULL) {
		return ENOMEM;
	}
	tevent_req_set_callback(subreq, part_came, state);
	return 0;
}

static int next_part(struct ask_state *state)
{
	const struct remote_question what = {
		.op = REMOTE_MORE, .answer = state->whole.answer, .offset = state->whole.len};

	return question(state, &what);
}

static int take_part(struct ask_state *state, const uint8_t *bytes, size_t len)
{
	struct remote_part part;
	int err = remote_part_pull(bytes, len, &part);

	if (err == 0) {
		err = remote_whole_add(state, &state->whole, &part);
	}
	return err == EBADMSG ? EPROTO : err;
}

static void part_came(struct tevent_req *subreq)
{
	struct ask_state *state = tevent_req_callback_data(subreq, struct ask_state);
	uint8_t *bytes = NULL;
	size_t len = 0;
	int err = peers_command_recv(subreq, state, &bytes, &len);

	TALLOC_FREE(subreq);
	if (err == 0) {
		err = take_part(state, bytes, len);
	}
	talloc_free(bytes);
	if (err == 0 && !remote_whole_complete(&state->whole)) {
		err = next_part(state);
		if (err == 0) {
			return;
		}
	}
	if (!tevent_req_error(state->req, (uint64_t)err)) {
		tevent_req_done(state->req);
	}
}

struct tevent_req *remote_ask_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   struct peers *peers, const char *node, const json_t *request,
				   uint32_t timeout_ms)
{
	struct ask_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct ask_state);
	struct remote_question what = {.op = REMOTE_ASK};
	char *text;
	int err;

	if (req == NULL) {
		return NULL;
	}
	state->req = req;
	state->ev = ev;
	state->peers = peers;
	state->timeout_ms = timeout_ms;
	state->deadline_ms = clock_ms() + timeout_ms;
	state->node = talloc_strdup(state, node);
	text = json_dumps(request, JSON_COMPACT);
	if (text != NULL && state->node != NULL) {
		what.request = (const uint8_t *)text;
		what.len = strlen(text);
		err = question(state, &what);
	} else {
		err = ENOMEM;
	}
	free(text);
	if (tevent_req_error(req, (uint64_t)err)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

/* --- the end --- */

static const struct {
	int err;
	const char *text; /* behind "node NAME" */
} reasons[] = {
	{EHOSTUNREACH, "has no witness that can be reached"},
	{EOPNOTSUPP, "has a witness of an older version, which takes no commands from other nodes"},
	{EMSGSIZE, "has an answer that is longer than 1 MiB: ask there"},
	{ENOENT, "had to forget its answer before it was fetched: too many ask"},
	{EPROTO, "has answered with what is no answer"},
};

static char *reason(TALLOC_CTX *mem_ctx, const struct ask_state *state, int err)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].err == err) {
			return talloc_asprintf(mem_ctx, "node %s %s", state->node, reasons[i].text);
		}
	}
	if (err == ETIMEDOUT) {
		return talloc_asprintf(mem_ctx, "node %s has not answered within %u ms",
				       state->node, (unsigned int)state->timeout_ms);
	}
	if (err == E2BIG) {
		return talloc_asprintf(mem_ctx, "node %s can be sent no more than %u bytes",
				       state->node, REMOTE_REQUEST_MAX);
	}
	return talloc_asprintf(mem_ctx, "node %s cannot be asked: %s", state->node, strerror(err));
}

/* What the other side says is not ours: it is told who says so, and a terminal cannot be confused by it. */
static int result_of(const struct ask_state *state, TALLOC_CTX *mem_ctx, json_t **result,
		     char **why)
{
	char *refusal = NULL;
	int err = control_result(mem_ctx, state->whole.text, state->whole.len, result, &refusal);

	if (err == EPROTO) {
		*why = reason(mem_ctx, state, err);
	} else if (err != 0) {
		*why = talloc_asprintf(mem_ctx, "node %s: %s", state->node,
				       log_escape(mem_ctx, refusal));
	}
	return err;
}

int remote_ask_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, json_t **result, char **why)
{
	struct ask_state *state = tevent_req_data(req, struct ask_state);
	int err = req_errno(req);

	if (err != 0) {
		*why = reason(mem_ctx, state, err);
	} else {
		err = result_of(state, mem_ctx, result, why);
	}
	tevent_req_received(req);
	return err;
}
