/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connection to this node's ctdbd: controls (questions to it, or through it to another node's
 * ctdbd), SRVIDs (64-bit message ports) and messages. It connects for ever, with back-off, and renews
 * what it registered; each change of ctdbd's reachability is logged once.
 *
 *   DOWN --connect--> GREETING (own number? SRVIDs registered?) --> UP --EOF, nonsense, silence--> DOWN
 *
 * One thread, one event loop. Callbacks come from the loop, never from inside a call of this header;
 * they may call anything here but must not free the client. What arrives is checked: a confused ctdbd
 * ends in a reconnect. spec/ctdb.md, sections 1, 2 and 4.
 */
#ifndef BACKENDS_CTDB_CLIENT_H
#define BACKENDS_CTDB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "backends/ctdb/packet.h"

#define CTDB_CLIENT_QUEUE_MAX (8U << 20) /* octets that wait for ctdbd to read them */

struct ctdb_client;

struct ctdb_client_config {
	const char *socket;    /* path */
	uint32_t retry_max_ms; /* longest pause between two attempts to connect */
	uint32_t timeout_ms; /* for a control without a timeout of its own, and for the greeting */
	uint32_t
		silence_max_ms; /* a ctdbd that lets controls time out and sends nothing is given up */
};

/** Start to connect. Strings are copied. @return 0, EINVAL (the path is too long for a socket) or ENOMEM */
int ctdb_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		       const struct ctdb_client_config *config, struct ctdb_client **out);

/**
 * Hear of the connection, in the order of registration. connected(): all SRVIDs are registered, controls
 * and messages go; what was known of the cluster before is to be asked for anew. disconnected() follows
 * on each connected(), but not at the end. Either may be NULL.
 * @return 0 or ENOMEM
 */
int ctdb_client_watch(struct ctdb_client *client, void (*connected)(void *private_data),
		      void (*disconnected)(void *private_data, const char *reason),
		      void *private_data);

/** In disconnected(): ctdbd has ended, rather than become silent or confused. */
bool ctdb_client_has_ended(const struct ctdb_client *client);

/** Between connected() and disconnected(). */
bool ctdb_client_is_up(const struct ctdb_client *client);

/** This node's number; constant while connected. CTDB_UNKNOWN_PNN before the first connection. */
uint32_t ctdb_client_pnn(const struct ctdb_client *client);

/**
 * A message has come. The sender is not named: whoever wants to know it writes it into the message. Any
 * local process of root's, on any node, can have sent it. Our own broadcasts come back, too.
 * @param data borrowed, not aligned
 */
typedef void (*ctdb_message_fn)(void *private_data, uint64_t srvid, const uint8_t *data,
				size_t len);

/**
 * Register a SRVID on this connection and on each that follows. One listener a SRVID.
 * @return 0, EEXIST or ENOMEM
 */
int ctdb_client_listen(struct ctdb_client *client, uint64_t srvid, ctdb_message_fn fn,
		       void *private_data);

/**
 * Send a message to the listeners of a SRVID. FIFO per pair of nodes; may be lost on its way without a
 * sign. Stay below 64 KiB.
 * @param destnode a node's number, CTDB_BROADCAST_CONNECTED (this node, too) or another of packet.h
 * @return 0, ENOTCONN, EAGAIN (queue full), EMSGSIZE or ENOMEM
 */
int ctdb_client_message(struct ctdb_client *client, uint32_t destnode, uint64_t srvid,
			const uint8_t *data, size_t len);

struct ctdb_control {
	uint32_t opcode;     /* opcodes.h */
	uint32_t destnode;   /* a node's number or CTDB_CURRENT_NODE */
	uint32_t flags;      /* of the opcode; for NOREPLY there is ctdb_client_tell() */
	uint64_t srvid;      /* of those opcodes that have it in the header */
	const uint8_t *data; /* copied */
	size_t len;
	uint32_t timeout_ms; /* 0: the client's */
};

/**
 * Ask. A node that hangs or has lost power takes the whole timeout. Opcodes that would make another
 * node's ctdbd crash (TCP_CLIENT and its kin) are refused for any destination but CTDB_CURRENT_NODE.
 */
struct tevent_req *ctdb_control_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				     struct ctdb_client *client,
				     const struct ctdb_control *control);

/**
 * @param status what the control returned, 0 or more
 * @param data   a child of mem_ctx, NULL when there is none; both may be NULL when they do not matter
 * @return 0; ENOTCONN (not up, or lost meanwhile); ETIMEDOUT; EREMOTEIO (ctdbd says that it failed, is
 *         not supported, or that the node is not there); EPERM (see above); EAGAIN, EMSGSIZE, ENOMEM
 */
int ctdb_control_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, int32_t *status, uint8_t **data,
		      size_t *len);

/** A control that nobody answers; the only way that a broadcast may go. @return as ctdb_client_message(), EPERM */
int ctdb_client_tell(struct ctdb_client *client, const struct ctdb_control *control);

struct ctdb_client_stats {
	uint64_t connects, messages, timeouts;
	uint64_t dropped; /* packets that nobody could use: late replies, unknown operations */
	size_t queued;    /* octets that ctdbd has not read yet */
};

const struct ctdb_client_stats *ctdb_client_stats(const struct ctdb_client *client);

#endif
