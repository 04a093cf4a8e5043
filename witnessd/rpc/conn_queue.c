/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The write queue of a connection. Most PDUs are sent at once, from the buffer that they were made in. What has to
 * wait for its client is put together, so that thousands of short answers do not cost a buffer each.
 */
#include "witnessd/rpc/conn.h"

#include <string.h>
#include <sys/uio.h>

#define IOVS_AT_ONCE 32
/* Bytes. A PDU that is no longer is copied behind others; the block for them grows with what there is. */
#define SHORT_PDU 1024
#define BLOCK_MIN 512
#define BLOCK_MAX 4096

/* One or more PDUs, in their order. */
struct conn_out {
	struct qb_list_head list;
	uint8_t *buf;    /* a child */
	size_t len, off; /* off: already sent */
};

static size_t cost(const struct conn_out *out)
{
	return CONN_MEMORY(sizeof(*out)) + CONN_MEMORY(talloc_get_size(out->buf));
}

/* @return whether there was room behind the last one in the queue */
static bool add_to_last(struct rpc_conn *conn, const uint8_t *pdu, size_t len)
{
	struct conn_out *last;

	if (qb_list_empty(&conn->out)) {
		return false;
	}
	last = qb_list_entry(conn->out.prev, struct conn_out, list);
	if (len > talloc_get_size(last->buf) - last->len) {
		return false;
	}
	memcpy(last->buf + last->len, pdu, len);
	last->len += len;
	return true;
}

/* Room for a short PDU and those to come: for as much again as waits already. @return NULL when memory is short */
static uint8_t *block_for(const struct rpc_conn *conn, const uint8_t *pdu, size_t len)
{
	size_t size = conn->unsent + len;
	uint8_t *block;

	size = size < BLOCK_MIN ? BLOCK_MIN : size > BLOCK_MAX ? BLOCK_MAX : size;
	block = talloc_size(NULL, size);
	if (block != NULL) {
		memcpy(block, pdu, len);
	}
	return block;
}

/* Behind all others, not in a buffer of theirs; pdu is gone then. @return false when memory is short */
static bool add_last(struct rpc_conn *conn, uint8_t *pdu, size_t len)
{
	struct conn_out *out = talloc_zero(conn, struct conn_out);

	if (out == NULL) {
		talloc_free(pdu);
		return false;
	}
	if (qb_list_empty(&conn->out) || len > SHORT_PDU) {
		out->buf = talloc_steal(out, pdu);
	} else {
		out->buf = talloc_steal(out, block_for(conn, pdu, len));
		talloc_free(pdu);
	}
	if (out->buf == NULL) {
		talloc_free(out);
		return false;
	}
	out->len = len;
	qb_list_add_tail(&out->list, &conn->out);
	conn->out_held += cost(out);
	return true;
}

void conn_queue(struct rpc_conn *conn, uint8_t *pdu, size_t len)
{
	if (conn->state == CONN_CLOSING) {
		talloc_free(pdu);
		return;
	}
	if (add_to_last(conn, pdu, len)) {
		talloc_free(pdu);
	} else if (!add_last(conn, pdu, len)) {
		conn_drop(conn, "memory is short");
		return;
	}
	conn->unsent += len;
	conn->server->stats.pkts_out++;
}

/* Take n sent bytes off the queue. */
static void queue_sent(struct rpc_conn *conn, size_t n)
{
	conn->unsent -= n;
	conn->sent += n;
	while (n > 0) {
		struct conn_out *out = qb_list_first_entry(&conn->out, struct conn_out, list);

		if (n < out->len - out->off) {
			out->off += n;
			return;
		}
		n -= out->len - out->off;
		conn->out_held -= cost(out);
		qb_list_del(&out->list);
		talloc_free(out);
	}
}

static ssize_t send_some(const struct rpc_conn *conn)
{
	struct conn_out *out = qb_list_first_entry(&conn->out, struct conn_out, list);
	struct iovec iov[IOVS_AT_ONCE];
	struct msghdr msg = {.msg_iov = iov};

	if (out->list.next == &conn->out) {
		return send(conn->fd, out->buf + out->off, out->len - out->off,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	qb_list_for_each_entry (out, &conn->out, list) {
		if (msg.msg_iovlen == IOVS_AT_ONCE) {
			break;
		}
		iov[msg.msg_iovlen].iov_base = out->buf + out->off;
		iov[msg.msg_iovlen].iov_len = out->len - out->off;
		msg.msg_iovlen++;
	}
	return sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t conn_queue_send(struct rpc_conn *conn)
{
	ssize_t n = send_some(conn);

	if (n > 0) {
		queue_sent(conn, (size_t)n);
	}
	return n;
}
