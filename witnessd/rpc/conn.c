/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a connection: from accept() to close(), its states and timers. */
#include "witnessd/rpc/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"

/* Questions to a silent peer, a sixth of keepalive_s apart. */
#define KEEPALIVE_PROBES 6

static void arm_idle(struct rpc_conn *conn);

static void leave_unauthenticated(struct rpc_conn *conn)
{
	if (conn->source == NULL) {
		return;
	}
	qb_list_del(&conn->unauth_list);
	conn->source->network->unauthenticated--;
	rpc_source_leave(conn->source);
	conn->source = NULL;
	conn->server->stats.unauthenticated--;
	rpc_server_has_room(conn->server);
}

struct tcpconn conn_tcpconn(const struct rpc_conn *conn)
{
	return (struct tcpconn){.local = conn->local,
				.remote = conn->remote,
				.local_port = conn->local_port,
				.remote_port = conn->remote_port};
}

static void tell_listener(const struct rpc_conn *conn, bool open)
{
	struct tcpconn tcp = conn_tcpconn(conn);

	if (conn->server->conn_fn != NULL) {
		conn->server->conn_fn(conn->server->conn_private, &tcp, open);
	}
}

/* All but that of its end. */
static void cancel_timers(struct rpc_conn *conn)
{
	wheel_cancel(&conn->idle_timer);
	wheel_cancel(&conn->request_timer);
	wheel_cancel(&conn->setup_timer);
	wheel_cancel(&conn->pdu_timer);
	wheel_cancel(&conn->unsent_timer);
}

static int conn_destructor(struct rpc_conn *conn)
{
	conn->state = CONN_CLOSING; /* calls that end below answer nothing */
	cancel_timers(conn);
	wheel_cancel(&conn->close_timer);
	conn_no_turn(conn);
	conn->server->stats.buffered -= conn->held;
	TALLOC_FREE(conn->step);
	conn_free_calls(conn);
	leave_unauthenticated(conn);
	if (conn->principal != NULL) {
		rpc_principal_leave(conn->principal);
	}
	if (conn->assoc != NULL) {
		rpc_assoc_leave(conn->assoc);
	}
	poller_forget(&conn->pfd); /* before its descriptor goes */
	close(conn->fd);
	qb_list_del(&conn->list);
	conn->server->stats.connections--;
	rpc_server_has_room(conn->server);
	log_debug("rpc: connection %" PRIu64 ": closed", conn->id);
	if (conn->authenticated) {
		tell_listener(conn, false);
	}
	return 0;
}

static int socket_addresses(struct rpc_conn *conn)
{
	struct sockaddr_storage local = {0}, remote = {0};
	socklen_t local_len = sizeof(local), remote_len = sizeof(remote);

	if (getsockname(conn->fd, (struct sockaddr *)&local, &local_len) == -1 ||
	    getpeername(conn->fd, (struct sockaddr *)&remote, &remote_len) == -1) {
		return errno;
	}
	conn->local = ipaddr_from_sockaddr(&local);
	conn->remote = ipaddr_from_sockaddr(&remote);
	conn->local_port = ipaddr_port(&local);
	conn->remote_port = ipaddr_port(&remote);
	return 0;
}

/*
 * When TCP first probes a silent client. Thousands of clients that were notified at the same moment fall
 * silent together: their probes are spread over half of the time, or they, or the answers, would be dropped
 * on the way.
 */
static int first_probe_s(const struct rpc_conn *conn)
{
	unsigned int keepalive_s = conn->server->limits.keepalive_s;

	return (int)(keepalive_s - conn->id % (keepalive_s / 2 + 1));
}

/*
 * A dead peer is noticed also while a call is pending for days. Failing to set an option is no reason to turn
 * a client away.
 */
static void set_socket_options(const struct rpc_conn *conn)
{
	int keepalive_s = (int)conn->server->limits.keepalive_s;
	int between_s = keepalive_s > KEEPALIVE_PROBES ? keepalive_s / KEEPALIVE_PROBES : 1;
	const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, first_probe_s(conn)},
		{IPPROTO_TCP, TCP_KEEPINTVL, between_s},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * keepalive_s * 1000},
		{IPPROTO_TCP, TCP_NODELAY, 1},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (setsockopt(conn->fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(options[i].value)) == -1) {
			log_debug("rpc: setsockopt(%d, %d): %s", options[i].level, options[i].name,
				  strerror(errno));
		}
	}
}

/* Do everything that can fail before the connection is counted anywhere. */
static int conn_prepare(struct rpc_conn *conn)
{
	int ret = socket_addresses(conn);

	if (ret != 0) {
		return ret;
	}
	conn->closing = tevent_create_immediate(conn);
	if (conn->closing == NULL) {
		return ENOMEM;
	}
	conn->source = rpc_source_enter(conn->server, &conn->remote);
	if (conn->source == NULL) {
		return ENOMEM;
	}
	poller_init(conn->server->poller, &conn->pfd, conn->fd, conn_fd_handler, conn);
	ret = poller_want(&conn->pfd, TEVENT_FD_READ);
	if (ret != 0) {
		rpc_source_leave(conn->source);
	}
	return ret;
}

int conn_create(struct rpc_endpoint *endpoint, int fd)
{
	struct rpc_server *server = endpoint->server;
	struct rpc_conn *conn = talloc_zero(endpoint, struct rpc_conn);
	char text[IPADDR_STRLEN];
	int ret = ENOMEM;

	if (conn != NULL) {
		conn->server = server;
		conn->endpoint = endpoint;
		conn->fd = fd;
		ret = conn_prepare(conn);
	}
	if (ret != 0) {
		talloc_free(conn);
		close(fd);
		return ret;
	}
	qb_list_init(&conn->contexts);
	qb_list_init(&conn->secs);
	qb_list_init(&conn->calls);
	qb_list_init(&conn->out);
	conn->id = ++server->last_conn_id;
	set_socket_options(conn);
	conn->accepted_ms = conn->active_ms = clock_ms();
	qb_list_add_tail(&conn->list, &server->conns);
	qb_list_add_tail(&conn->unauth_list, &server->unauth);
	server->stats.accepted++;
	server->stats.connections++;
	server->stats.unauthenticated++;
	conn->source->network->unauthenticated++;
	talloc_set_destructor(conn, conn_destructor);
	conn_arm_setup(conn, conn->accepted_ms + server->limits.bind_ms);
	log_debug("rpc: connection %" PRIu64 ": from %s port %u to %s", conn->id,
		  ipaddr_format(&conn->remote, text), (unsigned int)conn->remote_port,
		  endpoint->name);
	return 0;
}

void conn_enter(struct rpc_conn *conn, enum conn_state state)
{
	if (conn->state == CONN_CLOSING || conn->state == state) {
		return;
	}
	log_debug("rpc: connection %" PRIu64 ": %s, was %s", conn->id, conn_state_name(state),
		  conn_state_name(conn->state));
	conn->state = state;
	if (state == CONN_READY) {
		arm_idle(conn);
	}
}

static void setup_expired(void *private_data)
{
	struct rpc_conn *conn = talloc_get_type_abort(private_data, struct rpc_conn);

	conn_limit(conn, conn->num_secs == 0 ? RPC_LIMIT_BIND_TIME : RPC_LIMIT_AUTH_TIME);
}

void conn_arm_setup(struct rpc_conn *conn, uint64_t due_ms)
{
	uint64_t now_ms = clock_ms();

	conn->setup_due_ms = due_ms;
	wheel_cancel(&conn->setup_timer);
	wheel_arm(conn->server->wheel, &conn->setup_timer, due_ms > now_ms ? due_ms - now_ms : 0,
		  setup_expired, conn);
}

int conn_authenticated(struct rpc_conn *conn, const char *principal)
{
	int ret;

	if (!conn->authenticated) {
		ret = rpc_principal_enter(conn->server, principal, &conn->principal);
		if (ret != 0) {
			return ret;
		}
		conn->authenticated = true;
		leave_unauthenticated(conn);
		tell_listener(conn, true);
	}
	conn_enter(conn, CONN_READY);
	arm_idle(conn);
	return 0;
}

/*
 * Anonymous clients (of the endpoint mapper) hold places that others may need: they take only a moment, or
 * can come again.
 */
static unsigned int idle_limit(const struct rpc_conn *conn)
{
	const struct rpc_limits *limits = &conn->server->limits;

	if (conn->authenticated) {
		return limits->idle_ms;
	}
	if (limits->idle_ms != 0 && limits->idle_ms < limits->auth_ms) {
		return limits->idle_ms;
	}
	return limits->auth_ms;
}

static void idle_check(void *private_data)
{
	struct rpc_conn *conn = talloc_get_type_abort(private_data, struct rpc_conn);
	bool busy = conn->num_calls > 0 || (conn->authenticated && conn->assoc->holds > 0);

	if (busy) {
		conn->active_ms = clock_ms();
	}
	if (clock_ms() - conn->active_ms >= idle_limit(conn)) {
		conn_limit_note(conn, RPC_LIMIT_IDLE_TIME);
		conn_close(conn, "it was idle");
		return;
	}
	arm_idle(conn);
}

/* One timer, checked when it fires: activity only updates the time. */
static void arm_idle(struct rpc_conn *conn)
{
	unsigned int limit = idle_limit(conn);
	uint64_t idle = clock_ms() - conn->active_ms;

	wheel_cancel(&conn->idle_timer);
	if (limit == 0 || conn->state != CONN_READY) {
		return;
	}
	wheel_arm(conn->server->wheel, &conn->idle_timer, idle < limit ? limit - idle : 0,
		  idle_check, conn);
}

static void close_expired(void *private_data)
{
	struct rpc_conn *conn = talloc_get_type_abort(private_data, struct rpc_conn);

	conn_limit_note(conn, RPC_LIMIT_CLOSE_TIME);
	talloc_free(conn);
}

static void closing_work(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct rpc_conn *conn = talloc_get_type_abort(private_data, struct rpc_conn);

	TALLOC_FREE(conn->step);
	conn_free_calls(conn);
	if (conn->abort) {
		talloc_free(conn);
		return;
	}
	if (!wheel_armed(&conn->close_timer)) {
		wheel_arm(conn->server->wheel, &conn->close_timer, conn->server->limits.close_ms,
			  close_expired, conn);
	}
	conn_flush(conn);
}

void conn_close(struct rpc_conn *conn, const char *why)
{
	if (conn->state == CONN_CLOSING) {
		return;
	}
	log_debug("rpc: connection %" PRIu64 ": closing: %s", conn->id, why);
	conn_enter(conn, CONN_CLOSING);
	cancel_timers(conn);
	conn_update_events(conn);
	tevent_schedule_immediate(conn->closing, conn->server->ev, closing_work, conn);
}

void conn_drop(struct rpc_conn *conn, const char *why)
{
	if (conn->abort) {
		return;
	}
	conn->abort = true;
	conn_close(conn, why);
	/* It may have been closing gracefully already. */
	tevent_schedule_immediate(conn->closing, conn->server->ev, closing_work, conn);
}

void conn_flushed(struct rpc_conn *conn)
{
	if (conn->eof) {
		conn_drop(conn, "both sides have closed");
		return;
	}
	/*
	 * Closing with unread bytes in the socket would be a reset, which may overtake the last answer: say
	 * that we are done and wait a little for the peer's end.
	 */
	(void)shutdown(conn->fd, SHUT_WR);
	conn_update_events(conn);
}
