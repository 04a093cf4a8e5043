/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/probe.h"

#include <errno.h>
#include <qb/qbipcc.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <tevent.h>
#include <unistd.h>

#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

#define PROBE_MSG_SIZE 1024

struct probe_state {
	qb_ipcc_connection_t *connection;
	int fd;
	ino_t socket; /* what fd is */
	struct tevent_fd *fde;
};

static void probe_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			   void *private_data);

/* libqb 2.0.6 does not close the socket of a connection that is given up before it is made. */
static void close_leftover(const struct probe_state *state)
{
	struct stat st;

	if (fstat(state->fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == state->socket) {
		close(state->fd);
	}
}

/* After the end of the request, whatever it was. */
static void probe_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	struct probe_state *state = tevent_req_data(req, struct probe_state);

	TALLOC_FREE(state->fde);
	if (state->connection != NULL) {
		qb_ipcc_disconnect(state->connection);
		state->connection = NULL;
		close_leftover(state);
	}
}

struct tevent_req *probe_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *service,
			      uint32_t timeout_ms)
{
	struct probe_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct probe_state);
	struct stat st;

	if (req == NULL) {
		return NULL;
	}
	tevent_req_set_cleanup_fn(req, probe_cleanup);
	errno = 0;
	state->connection = qb_ipcc_connect_async(service, PROBE_MSG_SIZE, &state->fd);
	if (state->connection == NULL) {
		tevent_req_error(req, errno != 0 ? errno : ECONNREFUSED);
		return tevent_req_post(req, ev);
	}
	if (fstat(state->fd, &st) == 0) {
		state->socket = st.st_ino;
	}
	state->fde = tevent_add_fd(ev, state, state->fd, TEVENT_FD_READ, probe_readable, req);
	if (tevent_req_nomem(state->fde, req) || !mono_req_timeout(req, ev, timeout_ms)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void probe_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			   void *private_data)
{
	struct tevent_req *req = talloc_get_type_abort(private_data, struct tevent_req);
	struct probe_state *state = tevent_req_data(req, struct probe_state);
	qb_ipcc_connection_t *connection = state->connection;
	int err;

	TALLOC_FREE(state->fde); /* before libqb may close what it watches */
	state->connection = NULL;
	err = qb_ipcc_connect_continue(connection);
	if (err != 0) { /* and the connection is freed */
		tevent_req_error(req, err < 0 ? -err : err);
		return;
	}
	qb_ipcc_disconnect(connection);
	tevent_req_done(req);
}

int probe_recv(struct tevent_req *req)
{
	return req_errno(req);
}
