/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the client share: client.c (life), client_bind.c, client_call.c, client_vt.c. */
#ifndef WITNESSD_RPC_CLIENT_PRIVATE_H
#define WITNESSD_RPC_CLIENT_PRIVATE_H

#include <qb/qblist.h>

#include "witnessd/rpc/client.h"
#include "witnessd/rpc/client_stream.h"

#define CLIENT_CONTEXT_ID      0 /* of the one presentation context that is used */
#define CLIENT_FEATURES_ID     1 /* of the one that only negotiates bind-time features */
#define CLIENT_AUTH_CONTEXT_ID 1

/* A client is bound once binding is NULL; it is dead once err is set. */
struct rpc_client {
	struct tevent_context *ev;
	struct client_stream *stream; /* NULL before the connection */
	struct tevent_req *binding;   /* borrowed: the request that sets the connection up */
	int err;
	struct rpc_syntax iface;
	struct rpc_sec *sec; /* NULL: anonymous */
	uint8_t auth_type, auth_level;
	uint16_t max_xmit; /* of what we send */
	uint32_t assoc_group_id;
	bool mpx, header_sign;
	bool vt_sent; /* the server has been told what was negotiated */
	uint32_t next_call_id;
	struct qb_list_head calls; /* struct client_call, oldest first */
};

/** An unconnected client. @return 0 or ENOMEM */
int client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct rpc_client **out);

/** Take over a connected descriptor. @return 0 or ENOMEM */
int client_attach(struct rpc_client *client, int fd);

/** End the connection from our side: calls fail with err. Not from inside a stream's callback. */
void client_break(struct rpc_client *client, int err);

/** Log (debug) how the peer breaks the protocol. @return EPROTO */
int client_violation(const struct rpc_client *client, const char *what);

/* Handlers of client_stream_ops while the connection is being set up; they take the binding request. */
int client_bind_pdu(struct tevent_req *binding, const struct pdu_hdr *hdr, uint8_t *pdu);
void client_bind_lost(struct tevent_req *binding, int err);

/* The handler of PDUs on a bound connection. */
int client_call_pdu(struct rpc_client *client, const struct pdu_hdr *hdr, uint8_t *pdu);
/** End all calls with err. */
void client_calls_fail(struct rpc_client *client, int err);

/**
 * Append the verification trailer to a stub (MS-RPCE 2.2.2.13): what was negotiated on the first
 * protected call, and the header's fields when headers are not signed.
 * @return 0 with *out a child of mem_ctx, or ENOMEM
 */
int client_vt_append(TALLOC_CTX *mem_ctx, const struct rpc_client *client, uint32_t call_id,
		     uint16_t opnum, const uint8_t *stub, size_t stub_len, uint8_t **out,
		     size_t *out_len);

#endif
