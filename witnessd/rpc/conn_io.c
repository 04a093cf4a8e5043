/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes of a connection: whole PDUs in, and when the write queue goes out. */
#include "witnessd/rpc/conn.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/clock.h"

#define PDUS_AT_ONCE   16 /* then other connections get a turn */
#define DISCARD_BUFFER 4096
#define DISCARD_MAX    (256 * 1024) /* what a peer may still send to a closing connection */

static void read_kept(struct tevent_context *ev, struct tevent_immediate *im, void *private_data);

/* The socket may never become readable again: use what was read ahead. */
static void read_kept_soon(struct rpc_conn *conn)
{
	struct rpc_server *server = conn->server;

	if (conn->has_turn) {
		return;
	}
	if (qb_list_empty(&server->turns)) {
		tevent_schedule_immediate(server->read_kept, server->ev, read_kept, server);
	}
	conn->has_turn = true;
	qb_list_add_tail(&conn->turn, &server->turns);
}

void conn_no_turn(struct rpc_conn *conn)
{
	if (conn->has_turn) {
		conn->has_turn = false;
		qb_list_del(&conn->turn);
	}
}

void conn_update_events(struct rpc_conn *conn)
{
	bool closing = conn->state == CONN_CLOSING;
	uint16_t flags = 0;

	/* A closing connection reads only to detect that the peer has closed, too. */
	if (closing ? !conn->eof : conn->pause == 0) {
		flags |= TEVENT_FD_READ;
	}
	if (conn->blocked) {
		flags |= TEVENT_FD_WRITE;
	}
	if (poller_want(&conn->pfd, flags) != 0) {
		conn_drop(conn, "its socket cannot be watched");
		return;
	}
	if ((flags & TEVENT_FD_READ) != 0 && !closing && conn->kept != NULL) {
		read_kept_soon(conn);
	}
}

void conn_pause(struct rpc_conn *conn, unsigned int reason)
{
	conn->pause |= reason;
	conn_update_events(conn);
}

void conn_unpause(struct rpc_conn *conn, unsigned int reason)
{
	conn->pause &= ~reason;
	conn_update_events(conn);
}

static void unsent_expired(void *private_data)
{
	struct rpc_conn *conn = talloc_get_type_abort(private_data, struct rpc_conn);

	conn_limit(conn, RPC_LIMIT_UNSENT_TIME);
}

/* A socket error: an unanswered keepalive probe, or something else. */
static void conn_broken(struct rpc_conn *conn, int err)
{
	if (err == ETIMEDOUT && !conn->abort) {
		conn_limit_note(conn, RPC_LIMIT_KEEPALIVE);
	}
	conn_drop(conn, strerror(err));
}

/*
 * The socket is full, or was: check that the client reads. Everything queued when the timer starts has to be
 * sent before it fires; otherwise a client that takes a byte now and then would make us keep the rest for
 * ever.
 */
static void note_progress(struct rpc_conn *conn)
{
	if (!conn->blocked || conn->sent >= conn->sent_due) {
		wheel_cancel(&conn->unsent_timer);
	}
	if (!conn->blocked || wheel_armed(&conn->unsent_timer) || conn->state == CONN_CLOSING) {
		return;
	}
	conn->sent_due = conn->sent + conn->unsent;
	wheel_arm(conn->server->wheel, &conn->unsent_timer, conn->server->limits.unsent_ms,
		  unsent_expired, conn);
}

void conn_flush(struct rpc_conn *conn)
{
	size_t limit = conn->server->limits.unsent;

	conn->blocked = false;
	while (!qb_list_empty(&conn->out)) {
		ssize_t n = conn_queue_send(conn);

		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			conn->blocked = true;
			break;
		}
		if (n == -1) {
			conn_broken(conn, errno);
			return;
		}
	}
	note_progress(conn);
	conn_account(conn);
	/* Read no new requests while the client does not take its answers. */
	if (conn->out_held > limit / 2) {
		conn->pause |= CONN_PAUSE_BACKLOG;
		wheel_cancel(&conn->pdu_timer); /* the rest is not waited for now */
	} else if (conn->out_held <= limit / 4) {
		conn->pause &= ~(unsigned int)CONN_PAUSE_BACKLOG;
	}
	conn_update_events(conn);
	if (conn->state == CONN_CLOSING && qb_list_empty(&conn->out)) {
		conn_flushed(conn);
	}
}

static void pdu_expired(void *private_data)
{
	struct rpc_conn *conn = talloc_get_type_abort(private_data, struct rpc_conn);

	conn_limit(conn, RPC_LIMIT_PDU_TIME);
}

/* An incomplete PDU has been received: its timer has started, and single bytes do not extend it. */
static void arm_pdu_timer(struct rpc_conn *conn)
{
	if (conn->in_have > 0 && !wheel_armed(&conn->pdu_timer)) {
		wheel_arm(conn->server->wheel, &conn->pdu_timer, conn->server->limits.pdu_ms,
			  pdu_expired, conn);
	}
}

/* @return 0 with *got bytes; or EAGAIN (later), ENOTCONN (the connection closes) */
static int recv_some(struct rpc_conn *conn, uint8_t *buf, size_t size, size_t *got)
{
	ssize_t n;

	do {
		n = recv(conn->fd, buf, size, MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n > 0) {
		*got = (size_t)n;
		return 0;
	}
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		arm_pdu_timer(conn);
		return EAGAIN;
	}
	if (n == 0) {
		conn->eof = true;
		conn_close(conn, "the client closed it");
	} else {
		conn_broken(conn, errno);
	}
	return ENOTCONN;
}

/*
 * Most PDUs are short and arrive alone: one recv(2) into a buffer shared by all connections gets header and
 * body, and a short read shows that there is no more. What follows a PDU is used next. @return as
 * recv_some(); EAGAIN without trying when *drained says that there is nothing
 */
static int read_ahead(struct rpc_conn *conn, bool *drained)
{
	uint8_t *buf = conn->server->in_buf;
	size_t got;
	int ret;

	if (*drained) {
		return EAGAIN;
	}
	ret = recv_some(conn, buf, sizeof(conn->server->in_buf), &got);
	if (ret == 0) {
		conn->ahead = buf;
		conn->ahead_len = got;
		*drained = got < sizeof(conn->server->in_buf);
	}
	return ret;
}

/* More of a PDU that has begun: what was read ahead, then from the socket. @return as recv_some() */
static int read_more(struct rpc_conn *conn, uint8_t *buf, size_t want)
{
	size_t got = want < conn->ahead_len ? want : conn->ahead_len;
	int ret = 0;

	if (got > 0) {
		memcpy(buf, conn->ahead, got);
		conn->ahead += got;
		conn->ahead_len -= got;
	} else {
		ret = recv_some(conn, buf, want, &got);
	}
	if (ret == 0) {
		conn->in_have += got;
	}
	return ret;
}

/* The buffer is needed for the next connection: copy what is left. */
static void keep_ahead(struct rpc_conn *conn)
{
	uint8_t *rest = NULL;

	if (conn->ahead_len > 0 && conn->state != CONN_CLOSING) {
		rest = talloc_memdup(conn, conn->ahead, conn->ahead_len);
		if (rest == NULL) {
			conn_drop(conn, "memory is short");
		}
	}
	TALLOC_FREE(conn->kept);
	conn->ahead = conn->kept = rest;
	if (rest == NULL) {
		conn->ahead_len = 0;
	} else {
		conn_update_events(conn);
	}
}

/* The header is complete: check it before allocating anything for the rest. */
static int begin_pdu(struct rpc_conn *conn)
{
	(void)pdu_pull_hdr(conn->in_hdr, sizeof(conn->in_hdr), &conn->hdr);
	if (!conn_check_header(conn, &conn->hdr)) {
		return ENOTCONN;
	}
	conn->in_pdu = talloc_size(conn, conn->hdr.frag_length);
	if (conn->in_pdu == NULL) {
		conn_drop(conn, "memory is short");
		return ENOTCONN;
	}
	memcpy(conn->in_pdu, conn->in_hdr, sizeof(conn->in_hdr));
	return 0;
}

/* @return 0 with a PDU handled, else as recv_some() */
static int read_pdu(struct rpc_conn *conn)
{
	uint8_t *pdu;
	int ret;

	while (conn->in_have < PDU_HDR_LEN) {
		ret = read_more(conn, conn->in_hdr + conn->in_have, PDU_HDR_LEN - conn->in_have);
		if (ret != 0) {
			return ret;
		}
	}
	if (conn->in_pdu == NULL) {
		ret = begin_pdu(conn);
		if (ret != 0) {
			return ret;
		}
	}
	while (conn->in_have < conn->hdr.frag_length) {
		ret = read_more(conn, conn->in_pdu + conn->in_have,
				conn->hdr.frag_length - conn->in_have);
		if (ret != 0) {
			return ret;
		}
	}
	wheel_cancel(&conn->pdu_timer);
	conn->in_have = 0;
	conn->active_ms = clock_ms();
	conn->server->stats.pkts_in++;
	/* A context of its own, so that handlers may keep the PDU by stealing it. */
	pdu = conn->in_pdu;
	conn->in_pdu = NULL;
	conn_handle_pdu(conn, &conn->hdr, pdu);
	return 0;
}

static bool may_read(const struct rpc_conn *conn)
{
	return conn->state != CONN_CLOSING && conn->pause == 0;
}

/* @param drained nothing is to be had from the socket now but the rest of a PDU */
static void read_pdus(struct rpc_conn *conn, bool drained)
{
	int ret = 0;

	for (int i = 0; i < PDUS_AT_ONCE && ret == 0 && may_read(conn); i++) {
		if (conn->ahead_len == 0 && conn->in_have == 0) {
			ret = read_ahead(conn, &drained);
		}
		if (ret == 0) {
			ret = read_pdu(conn);
		}
	}
	keep_ahead(conn);
	conn_account(conn);
}

/* Never reads from sockets: immediate events come before everything else in the loop. */
static void read_kept(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct rpc_server *server = talloc_get_type_abort(private_data, struct rpc_server);

	while (!qb_list_empty(&server->turns)) {
		struct rpc_conn *conn = qb_list_first_entry(&server->turns, struct rpc_conn, turn);

		conn_no_turn(conn);
		if (may_read(conn)) {
			read_pdus(conn, true);
		}
	}
}

/* Nothing is answered any more; discard input until the peer closes, too. */
static void discard(struct rpc_conn *conn)
{
	uint8_t buf[DISCARD_BUFFER];
	ssize_t n = recv(conn->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0) {
		conn->discarded += (size_t)n;
		if (conn->discarded > DISCARD_MAX) {
			conn_drop(conn, "the client does not stop sending");
		}
		return;
	}
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		return;
	}
	conn->eof = true;
	conn_update_events(conn);
	if (n == -1 || qb_list_empty(&conn->out)) {
		conn_drop(conn, "both sides have closed");
	}
}

void conn_fd_handler(void *private_data, uint16_t flags)
{
	struct rpc_conn *conn = talloc_get_type_abort(private_data, struct rpc_conn);

	if ((flags & TEVENT_FD_WRITE) != 0) {
		conn_flush(conn);
	}
	if ((flags & TEVENT_FD_READ) == 0) {
		return;
	}
	if (conn->state == CONN_CLOSING) {
		discard(conn);
	} else {
		read_pdus(conn, false);
	}
}
