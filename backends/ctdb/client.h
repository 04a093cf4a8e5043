/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connection to this node's ctdbd: controls (questions to it, or through it to another node's
 * ctdbd), SRVIDs (64-bit message ports) and messages. It keeps reconnecting, with back-off, and registers
 * everything again; each change of ctdbd's reachability is logged once.
 *
 *   DOWN --connect--> GREETING (own number? SRVIDs registered?) --> UP --EOF, garbage, silence--> DOWN
 *
 * One thread, one event loop. Callbacks come from the loop, never from within a function of this header;
 * they may call anything here but must not free the client. What arrives is checked: invalid data leads to
 * a reconnect. spec/ctdb.md, sections 1, 2 and 4.
 */
#ifndef BACKENDS_CTDB_CLIENT_H
#define BACKENDS_CTDB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "backends/ctdb/packet.h"

#define CTDB_CLIENT_QUEUE_MAX (8U << 20) /* octets queued for ctdbd to read */

struct ctdb_client;

struct ctdb_client_config {
	const char *socket;    /* path */
	uint32_t retry_max_ms; /* longest pause between two attempts to connect */
	uint32_t timeout_ms; /* for a control without a timeout of its own, and for the greeting */
	uint32_t silence_max_ms; /* then a ctdbd that lets controls time out is disconnected */
};

/** Start connecting. Strings are copied. @return 0, EINVAL (the path is too long for a socket) or ENOMEM */
int ctdb_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		       const struct ctdb_client_config *config, struct ctdb_client **out);

/**
 * Add a watcher of the connection; called in the order of registration. connected(): all SRVIDs are registered,
 * controls and messages work; what was known of the cluster has to be queried again. disconnected() follows
 * each connected(), except when the client is freed. Either may be NULL.
 * @return 0 or ENOMEM
 */
int ctdb_client_watch(struct ctdb_client *client, void (*connected)(void *private_data),
		      void (*disconnected)(void *private_data, const char *reason),
		      void *private_data);

/** In disconnected(): ctdbd has closed the connection, as opposed to silence or invalid data. */
bool ctdb_client_has_ended(const struct ctdb_client *client);

/** Whether we are between connected() and disconnected(). */
bool ctdb_client_is_up(const struct ctdb_client *client);

/** This node's number; constant while connected. CTDB_UNKNOWN_PNN before the first connection. */
uint32_t ctdb_client_pnn(const struct ctdb_client *client);

/**
 * A message was received. CTDB does not name the sender, so the message has to. Any process of root on any
 * node may have sent it. Our own broadcasts come back, too.
 * @param data borrowed, not aligned
 */
typedef void (*ctdb_message_fn)(void *private_data, uint64_t srvid, const uint8_t *data,
				size_t len);

/**
 * Register a SRVID on this connection and all later ones. One listener per SRVID.
 * @return 0, EEXIST or ENOMEM
 */
int ctdb_client_listen(struct ctdb_client *client, uint64_t srvid, ctdb_message_fn fn,
		       void *private_data);

/**
 * Send a message to the listeners of a SRVID. In order between two nodes; may be lost silently. Stay below
 * 64 KiB.
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
 * Send a control. For a node that hangs or has lost power it takes the whole timeout. Opcodes that would make
 * another node's ctdbd crash (TCP_CLIENT and relatives) are refused unless sent to CTDB_CURRENT_NODE.
 */
struct tevent_req *ctdb_control_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				     struct ctdb_client *client,
				     const struct ctdb_control *control);

/**
 * @param status what the control returned, 0 or more
 * @param data   a child of mem_ctx, NULL when there is none; both may be NULL
 * @return 0; ENOTCONN (not up, or lost meanwhile); ETIMEDOUT; EREMOTEIO (ctdbd reports that it failed,
 *         is not supported, or that the node is not connected); EPERM (see above); EAGAIN, EMSGSIZE, ENOMEM
 */
int ctdb_control_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, int32_t *status, uint8_t **data,
		      size_t *len);

/** Send a control without a reply; required for broadcasts. @return as ctdb_client_message(), EPERM */
int ctdb_client_tell(struct ctdb_client *client, const struct ctdb_control *control);

struct ctdb_client_stats {
	uint64_t connects, messages, timeouts;
	uint64_t dropped; /* unusable packets: late replies, unknown operations */
	size_t queued;    /* octets that ctdbd has not read yet */
};

/** Borrowed. */
const struct ctdb_client_stats *ctdb_client_stats(const struct ctdb_client *client);

#endif
