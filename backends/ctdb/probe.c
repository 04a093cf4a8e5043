/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/ctdb/opcodes.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

struct probe_state {
	struct tevent_req *req;
	struct tevent_req *ping; /* NULL: answered, or failed with .ping_err */
	int ping_err;
	int fd; /* -1: none, or no answer */
	struct tevent_fd *fde;
	struct mono_timer *timer; /* for .fd */
};

static void pinged(struct tevent_req *subreq);
static void connected(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		      void *private_data);
static void connect_timed_out(struct tevent_context *ev, struct tevent_timer *te,
			      struct timeval now, void *private_data);

static void close_socket(struct probe_state *state)
{
	TALLOC_FREE(state->timer);
	TALLOC_FREE(state->fde);
	if (state->fd != -1) {
		close(state->fd);
		state->fd = -1;
	}
}

static void probe_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	struct probe_state *state = tevent_req_data(req, struct probe_state);

	close_socket(state);
	TALLOC_FREE(state->ping);
}

/* One of the probes has failed: that is the end if it was the last. */
static void check_end(struct probe_state *state)
{
	if (state->ping != NULL || state->fd != -1) {
		return;
	}
	/* "Not connected", as ctdbd reports, and silence are the same here. */
	tevent_req_error(state->req, state->ping_err == EREMOTEIO ? ETIMEDOUT : state->ping_err);
}

/* Whether the result of connect() is an answer of the other kernel. */
static bool is_answer(int err)
{
	return err == 0 || err == ECONNREFUSED || err == ECONNRESET;
}

/* @return 0: an answer has come or will; otherwise nothing can be expected from this */
static int start_connect(struct probe_state *state, struct tevent_context *ev,
			 const struct ctdb_probe_config *config, bool *answered)
{
	struct sockaddr_storage ss;
	socklen_t len = ipaddr_to_sockaddr(&config->ip, config->port, &ss);

	if (len == 0) {
		return EADDRNOTAVAIL;
	}
	state->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (state->fd == -1) {
		return errno;
	}
	if (connect(state->fd, (struct sockaddr *)&ss, len) == 0 || is_answer(errno)) {
		*answered = true;
		return 0;
	}
	if (errno != EINPROGRESS) {
		return errno;
	}
	/* A refusal comes as an error, which tevent tells those who want to read. */
	state->fde = tevent_add_fd(ev, state, state->fd, TEVENT_FD_READ | TEVENT_FD_WRITE,
				   connected, state);
	state->timer = mono_timer_add(ev, state, config->timeout_ms, connect_timed_out, state);
	return state->fde != NULL && state->timer != NULL ? 0 : ENOMEM;
}

struct tevent_req *ctdb_probe_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct ctdb_probe_config *config)
{
	struct ctdb_control ping = {
		.opcode = CTDB_PING, .destnode = config->pnn, .timeout_ms = config->timeout_ms};
	struct probe_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct probe_state);
	bool answered = false;

	if (req == NULL) {
		return NULL;
	}
	state->fd = -1;
	if (config->pnn == CTDB_UNKNOWN_PNN) {
		tevent_req_error(req, ENOENT);
		return tevent_req_post(req, ev);
	}
	state->req = req;
	tevent_req_set_cleanup_fn(req, probe_cleanup);
	state->ping = ctdb_control_send(state, ev, config->client, &ping);
	if (tevent_req_nomem(state->ping, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(state->ping, pinged, state);
	if (start_connect(state, ev, config, &answered) != 0) {
		close_socket(state); /* the ping goes on alone */
	}
	if (answered) {
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}
	return req;
}

static void pinged(struct tevent_req *subreq)
{
	struct probe_state *state = tevent_req_callback_data(subreq, struct probe_state);

	state->ping_err = ctdb_control_recv(subreq, NULL, NULL, NULL, NULL);
	TALLOC_FREE(state->ping);
	if (state->ping_err == 0) {
		tevent_req_done(state->req);
		return;
	}
	check_end(state);
}

static void connected(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		      void *private_data)
{
	struct probe_state *state = talloc_get_type_abort(private_data, struct probe_state);
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(state->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && is_answer(err)) {
		tevent_req_done(state->req);
		return;
	}
	close_socket(state);
	check_end(state);
}

static void connect_timed_out(struct tevent_context *ev, struct tevent_timer *te,
			      struct timeval now, void *private_data)
{
	struct probe_state *state = talloc_get_type_abort(private_data, struct probe_state);

	state->timer = NULL;
	close_socket(state);
	check_end(state);
}

int ctdb_probe_recv(struct tevent_req *req)
{
	return req_errno(req);
}
