/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The transport of a client: a TCP connection that reads whole PDUs and sends queued ones. It knows
 * only the 16 bytes of the common header.
 */
#ifndef WITNESSD_RPC_CLIENT_STREAM_H
#define WITNESSD_RPC_CLIENT_STREAM_H

#include "witnessd/rpc/pdu.h"
#include "witnessd/util/ipaddr.h"

#include <tevent.h>

/** Connect. The socket is non-blocking, with SO_KEEPALIVE and TCP_NODELAY. */
struct tevent_req *client_connect_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				       const struct ipaddr *addr, uint16_t port);
/** @param fd the caller's to close. @return 0, ENOMEM, or the errno of socket(2) or connect(2) */
int client_connect_recv(struct tevent_req *req, int *fd);

struct client_stream;

struct client_stream_ops {
	/**
	 * A whole PDU; the callee may change the bytes, which are freed after the return. Non-zero: the
	 * stream is lost with that error. Must not free the stream.
	 */
	int (*pdu)(void *private_data, const struct pdu_hdr *hdr, uint8_t *pdu);
	/**
	 * The connection is lost, and its descriptor closed. Called once, from the event loop, and not
	 * after the stream is freed. ECONNRESET when the peer closed, EPROTO for invalid PDUs, or the
	 * errno of the socket or of pdu(). Must not free the stream.
	 */
	void (*lost)(void *private_data, int err);
};

/**
 * Take over a connected descriptor (closed even when this fails). ops is a constant.
 * @return 0 or ENOMEM
 */
int client_stream_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, int fd,
			 const struct client_stream_ops *ops, void *private_data,
			 struct client_stream **out);

/** Queue a PDU; pdu becomes the stream's. @return 0, ENOTCONN or ENOMEM */
int client_stream_send(struct client_stream *stream, uint8_t *pdu, size_t len);

#endif
