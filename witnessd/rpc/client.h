/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client side of the DCE/RPC runtime: one connection, one interface, many calls. */
#ifndef WITNESSD_RPC_CLIENT_H
#define WITNESSD_RPC_CLIENT_H

#include "witnessd/rpc/auth.h"
#include "witnessd/rpc/dcerpc.h"
#include "witnessd/util/ipaddr.h"

#define RPC_CLIENT_TIMEOUT_MS 15000U /* where a timeout_ms is 0 */

/* A bound connection. Freeing it closes the socket; pending calls end with ECONNABORTED. */
struct rpc_client;

struct rpc_client_params {
	struct ipaddr addr;
	uint16_t port;
	struct rpc_syntax iface; /* with NDR20 */
	uint8_t auth_type;       /* RPC_AUTH_NONE for anonymous */
	uint8_t auth_level;
	const struct rpc_cred *cred; /* unless anonymous; borrowed until the request is done */
	const char *target;          /* host based service; ditto */
	struct rpc_auth *auth;       /* the thread pool; unless anonymous */
	uint32_t assoc_group_id;     /* 0: a new association group */
	uint16_t max_frag;           /* proposed; 0 = RPC_FRAG_MAX */
	unsigned int timeout_ms;     /* of all three steps together; 0 = RPC_CLIENT_TIMEOUT_MS */
};

/** Connect, bind (header signing and CONC_MPX offered), authenticate. params is copied, what it points to is not. */
struct tevent_req *rpc_client_connect_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					   const struct rpc_client_params *params);
/**
 * @param why when not NULL and the answer is not 0: a sentence for the user, a child of mem_ctx
 * @return 0; ETIMEDOUT; EACCES (authentication failed or refused); ENOENT (no credentials);
 *         EPROTONOSUPPORT (interface not served there); EPROTO (the peer breaks the protocol);
 *         or the errno of connect(2)
 */
int rpc_client_connect_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_client **out,
			    char **why);

/** Whether the server echoed CONC_MPX: several calls may be open. */
bool rpc_client_mpx(const struct rpc_client *client);

/**
 * One call. The stub is copied. timeout_ms 0 = no timeout. Freeing the request sends nothing; the answer is
 * dropped. Without MPX a second call waits until the first is answered.
 */
struct tevent_req *rpc_client_call_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					struct rpc_client *client, uint16_t opnum,
					const uint8_t *stub, size_t stub_len,
					unsigned int timeout_ms);
/**
 * @param fault the status of a fault PDU, 0 with a response
 * @return 0 (look at *fault); ETIMEDOUT; ECONNRESET, EPIPE or ECONNABORTED (connection lost); EPROTO
 */
int rpc_client_call_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, uint32_t *fault,
			 uint8_t **stub, size_t *stub_len);

/** Ask the server to end a pending call early (co_cancel). @return 0 or ENOTCONN */
int rpc_client_cancel(struct tevent_req *call_req);

/**
 * Ask the endpoint mapper of addr (anonymous ept_map) for the TCP port of an interface.
 * @param epm_port   0 = 135
 * @param timeout_ms of connection and call together; 0 = RPC_CLIENT_TIMEOUT_MS
 */
struct tevent_req *rpc_epm_map_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				    const struct ipaddr *addr, uint16_t epm_port,
				    const struct rpc_syntax *iface, unsigned int timeout_ms);
/** @return 0; EPROTONOSUPPORT (not registered); else as rpc_client_connect_recv() */
int rpc_epm_map_recv(struct tevent_req *req, uint16_t *port);

#endif
