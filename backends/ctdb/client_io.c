/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Octets to packets and back. */
#include "backends/ctdb/client_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

#define BUFFER_FIRST 65536U

/* A queued packet, or the rest of one. */
struct outgoing {
	struct qb_list_head link;
	uint8_t *buf;
	size_t len, sent;
};

/* --- out --- */

static void drop_first(struct ctdb_client *client)
{
	struct outgoing *first = qb_list_first_entry(&client->queue, struct outgoing, link);

	client->stats.queued -= first->len - first->sent;
	qb_list_del(&first->link);
	talloc_free(first);
}

/* Write as much as ctdbd takes. @return 0, also when it takes no more, or an errno */
static int flush_queue(struct ctdb_client *client)
{
	while (!qb_list_empty(&client->queue)) {
		struct outgoing *first = qb_list_first_entry(&client->queue, struct outgoing, link);
		ssize_t n = send(client->fd, first->buf + first->sent, first->len - first->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			TEVENT_FD_WRITEABLE(client->fde);
			return 0;
		}
		if (n < 0) {
			return errno;
		}
		first->sent += (size_t)n;
		client->stats.queued -= (size_t)n;
		if (first->sent == first->len) {
			drop_first(client);
		}
	}
	TEVENT_FD_NOT_WRITEABLE(client->fde);
	return 0;
}

static bool is_end(int err)
{
	return err == EPIPE || err == ECONNRESET;
}

int ctdb_client_push(struct ctdb_client *client, const struct ctdb_packet *packet)
{
	bool idle = qb_list_empty(&client->queue);
	struct outgoing *outgoing;
	int err;

	if (client->state == CLIENT_DOWN || mono_alarm_is_set(client->broken)) {
		return ENOTCONN;
	}
	if (packet->data_len > CTDB_CLIENT_QUEUE_MAX - client->stats.queued) {
		return EAGAIN;
	}
	outgoing = talloc_zero(client, struct outgoing);
	if (outgoing == NULL) {
		return ENOMEM;
	}
	err = ctdb_packet_push(outgoing, packet, &outgoing->buf, &outgoing->len);
	if (err == 0 && outgoing->len > CTDB_CLIENT_QUEUE_MAX - client->stats.queued) {
		err = EAGAIN;
	}
	if (err != 0) {
		talloc_free(outgoing);
		return err;
	}
	qb_list_add_tail(&outgoing->link, &client->queue);
	client->stats.queued += outgoing->len;
	err = idle ? flush_queue(client) : 0;
	if (err != 0) {
		client->ended = is_end(err);
		ctdb_client_break(client, is_end(err) ? "it has closed the connection"
						      : "it cannot be written to");
	}
	return 0;
}

/* --- in --- */

static void deliver(struct ctdb_client *client, const struct ctdb_packet *packet)
{
	struct client_listener *listener;

	if (client->state != CLIENT_UP) {
		return; /* what happened before connected() is queried then */
	}
	qb_list_for_each_entry (listener, &client->listeners, link) {
		if (listener->srvid == packet->srvid) {
			client->stats.messages++;
			listener->fn(listener->private_data, packet->srvid, packet->data,
				     packet->data_len);
			return;
		}
	}
	client->stats.dropped++;
}

/* @return 0 or EBADMSG */
static int take_packet(struct ctdb_client *client, const uint8_t *buf, size_t len)
{
	struct ctdb_packet packet;
	int err = ctdb_packet_parse(buf, len, &packet);

	if (err == ENOTSUP) {
		client->stats.dropped++;
		return 0;
	}
	if (err != 0) {
		return err;
	}
	switch (packet.operation) {
	case CTDB_REPLY_CONTROL:
		ctdb_client_replied(client, &packet);
		break;
	case CTDB_REQ_MESSAGE:
		deliver(client, &packet);
		break;
	default:
		client->stats.dropped++; /* ctdbd sends no requests to clients */
		break;
	}
	return 0;
}

/* Room for a whole packet of this length. */
static int reserve(struct ctdb_client *client, size_t length)
{
	uint8_t *longer;

	if (length <= client->in_size) {
		return 0;
	}
	longer = talloc_realloc(client, client->in, uint8_t, length);
	if (longer == NULL) {
		return ENOMEM;
	}
	client->in = longer;
	client->in_size = length;
	return 0;
}

/* Take the whole packets out of the buffer. @return 0, EBADMSG or ENOMEM */
static int take_packets(struct ctdb_client *client)
{
	size_t done = 0;
	int err;

	for (;;) {
		uint32_t length = 0;
		size_t have = client->in_len - done;

		err = ctdb_packet_length(client->in + done, have, &length);
		if (err != 0 || length > have) {
			client->in_len = have;
			memmove(client->in, client->in + done, have);
			return err == EAGAIN ? 0 : err != 0 ? err : reserve(client, length);
		}
		err = take_packet(client, client->in + done, length);
		if (err != 0) {
			return err;
		}
		done += length;
	}
}

static void readable(struct ctdb_client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len, client->in_size - client->in_len,
			 MSG_DONTWAIT);
	int err;

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		client->ended = n == 0 || is_end(errno);
		ctdb_client_lost(client, n == 0 ? "it has closed the connection" : strerror(errno));
		return;
	}
	client->last_read_ms = clock_ms();
	client->in_len += (size_t)n;
	err = take_packets(client);
	if (err != 0) {
		ctdb_client_lost(client, err == ENOMEM ? "out of memory"
						       : "it sends packets that make no sense");
	}
}

static void on_fd(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		  void *private_data)
{
	struct ctdb_client *client = talloc_get_type_abort(private_data, struct ctdb_client);

	if ((flags & TEVENT_FD_WRITE) != 0) {
		int err = flush_queue(client);

		if (err != 0) {
			client->ended = is_end(err);
			ctdb_client_lost(client, strerror(err));
			return;
		}
	}
	if ((flags & TEVENT_FD_READ) != 0) {
		readable(client);
	}
}

int ctdb_client_io_start(struct ctdb_client *client)
{
	client->in_len = 0;
	client->in_size = BUFFER_FIRST;
	client->in = talloc_array(client, uint8_t, BUFFER_FIRST);
	client->fde = tevent_add_fd(client->ev, client, client->fd, TEVENT_FD_READ, on_fd, client);
	client->last_read_ms = clock_ms();
	return client->in != NULL && client->fde != NULL ? 0 : ENOMEM;
}

void ctdb_client_io_stop(struct ctdb_client *client)
{
	TALLOC_FREE(client->fde);
	TALLOC_FREE(client->in);
	client->in_len = client->in_size = 0;
	while (!qb_list_empty(&client->queue)) {
		drop_first(client);
	}
	if (client->fd != -1) {
		close(client->fd);
		client->fd = -1;
	}
}
