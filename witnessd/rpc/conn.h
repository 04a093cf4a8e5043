/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection of the RPC server. Private to its files:
 *   conn.c          life: states, timers, closing
 *   conn_io.c       bytes: reading whole PDUs, writing when the socket takes something
 *   conn_queue.c    what waits to be written
 *   conn_state.c    the pure table: what a PDU means in a state
 *   conn_dispatch.c checks of a header, handlers, faults and naks
 *   conn_bind.c     bind and alter_context: presentation contexts, features, fragment sizes
 *   conn_auth.c     security contexts and the legs of their negotiation
 *   conn_request.c  request fragments: protection, reassembly
 *   conn_call.c     whole calls: dispatch, answers, cancel, orphaned
 *   limits.c        counting limits that are hit, the memory that all connections share
 *
 * Nothing called by a handler frees the connection: closing only enters CONN_CLOSING and the rest
 * happens from the event loop. So handlers may use conn after any call.
 */
#ifndef WITNESSD_RPC_CONN_H
#define WITNESSD_RPC_CONN_H

#include <sys/types.h>

#include "witnessd/rpc/conn_state.h"
#include "witnessd/rpc/pdu.h"
#include "witnessd/rpc/poller.h"
#include "witnessd/rpc/server_private.h"

#define CONN_FLAGS_SINGLE (RPC_PFC_FIRST_FRAG | RPC_PFC_LAST_FRAG)
/* For faults: the operation was not started. */
#define CONN_FLAGS_UNDONE (CONN_FLAGS_SINGLE | RPC_PFC_DID_NOT_EXECUTE)

/* Why nothing is read from a connection. */
#define CONN_PAUSE_AUTH    0x01 /* a negotiation step is running; requests may follow */
#define CONN_PAUSE_BACKLOG 0x02 /* the client does not read its answers */

/* An accepted presentation context; a refused one is not remembered. */
struct conn_context {
	struct qb_list_head list;
	uint16_t id;
	const struct rpc_served *served;
};

enum conn_sec_state {
	CONN_SEC_NEGOTIATING,
	CONN_SEC_DONE,
	CONN_SEC_FAILED,
};

/* A security context, named by the client's auth_context_id. */
struct conn_sec {
	struct qb_list_head list;
	uint32_t id;
	uint8_t type, level;
	unsigned int legs;
	enum conn_sec_state state;
	uint64_t due_ms; /* when it has to be complete */
	struct rpc_sec *sec;
};

/* Bytes that a block of n bytes takes, with what talloc and malloc put in front of it. */
#define CONN_MEMORY(n) ((n) + 112)

struct rpc_conn {
	struct qb_list_head list;
	struct qb_list_head unauth_list;
	struct rpc_server *server;
	struct rpc_endpoint *endpoint;
	uint64_t id;
	struct ipaddr local, remote;
	uint16_t local_port, remote_port;
	uint64_t accepted_ms, active_ms; /* monotonic */
	uint64_t setup_due_ms;           /* while setup_timer is armed */

	enum conn_state state;
	bool authenticated;              /* at least one security context is complete */
	struct rpc_source *source;       /* while it is not */
	struct rpc_principal *principal; /* of the first complete security context */
	bool header_sign, mpx;
	uint16_t max_frag;
	struct rpc_assoc *assoc;
	struct qb_list_head contexts; /* struct conn_context */
	unsigned int num_contexts;
	struct qb_list_head secs; /* struct conn_sec */
	unsigned int num_secs;
	struct tevent_req *step; /* of a negotiation */
	size_t auth_held;        /* memory of what the client sent for it */

	struct qb_list_head calls; /* struct conn_call, running */
	unsigned int num_calls;
	struct conn_call *incomplete; /* its last fragment has not arrived */

	int fd;
	struct poller_fd pfd;
	unsigned int pause; /* CONN_PAUSE_x */
	uint8_t in_hdr[PDU_HDR_LEN];
	struct pdu_hdr hdr; /* of the PDU being read, once in_have >= PDU_HDR_LEN */
	uint8_t *in_pdu;
	size_t in_have;
	const uint8_t *
		ahead; /* read and not used yet: in the server's buffer while its handler runs, or .kept */
	size_t ahead_len;
	uint8_t *kept;
	struct qb_list_head
		turn; /* in the server's .turns, if .has_turn: .kept is to be used now */
	bool has_turn;
	struct qb_list_head out; /* struct conn_out; conn_queue.c */
	size_t unsent;           /* bytes in the queue */
	size_t out_held;         /* memory of the queue */
	uint64_t sent, sent_due; /* bytes: so far; to be reached before unsent_timer fires */
	bool blocked;            /* the socket buffer is full */
	size_t held;             /* its share of stats.buffered */

	bool abort; /* close without flushing */
	bool eof;   /* the peer has closed its side */
	size_t discarded;
	struct tevent_immediate *closing;
	struct wheel_timer idle_timer, request_timer, setup_timer, pdu_timer, unsent_timer,
		close_timer;
};

/* conn.c */

/** Take over an accepted socket; it is closed on failure, too. @return 0, ENOMEM, or the errno of getsockname(2) */
int conn_create(struct rpc_endpoint *endpoint, int fd);
/** Its addresses and ports. */
struct tcpconn conn_tcpconn(const struct rpc_conn *conn);
/** The only writer of conn->state. */
void conn_enter(struct rpc_conn *conn, enum conn_state state);
/** Send what is queued (within close_ms), then close. Calls still running are dropped. */
void conn_close(struct rpc_conn *conn, const char *why);
/** Close without sending what is queued. */
void conn_drop(struct rpc_conn *conn, const char *why);
/** Close unless the bind or the negotiation has finished by due_ms; replaces an earlier deadline. */
void conn_arm_setup(struct rpc_conn *conn, uint64_t due_ms);
/**
 * The connection has completed a security context for this principal.
 * @return 0, EDQUOT (the principal has too many connections), or ENOMEM
 */
int conn_authenticated(struct rpc_conn *conn, const char *principal);
/** A limit ends the connection: conn_drop(), counted, and logged (rate-limited). */
void conn_limit(struct rpc_conn *conn, enum rpc_limit limit);
/** Count and log a limit when the connection has been closed with an answer, or goes on. */
void conn_limit_note(struct rpc_conn *conn, enum rpc_limit limit);
/** Its memory use has changed. If all connections together use too much, the largest is dropped. */
void conn_account(struct rpc_conn *conn);
/** In CONN_CLOSING: everything queued is sent. */
void conn_flushed(struct rpc_conn *conn);

/* conn_io.c */

/** The connection's socket is ready for TEVENT_FD_x; private_data is the struct rpc_conn. */
void conn_fd_handler(void *private_data, uint16_t flags);
/** Write as much as the socket takes. */
void conn_flush(struct rpc_conn *conn);
/** Stop reading for a reason (CONN_PAUSE_x), and resume when no reason is left. */
void conn_pause(struct rpc_conn *conn, unsigned int reason);
void conn_unpause(struct rpc_conn *conn, unsigned int reason);
/** Set the events to wait for, from state, pause and queue. */
void conn_update_events(struct rpc_conn *conn);
/** The connection ends: discard what was read ahead. */
void conn_no_turn(struct rpc_conn *conn);

/* conn_queue.c */

/** Append a PDU, a talloc chunk that the queue takes over. Call conn_flush() afterwards. */
void conn_queue(struct rpc_conn *conn, uint8_t *pdu, size_t len);
/** Send from a queue that is not empty, and remove what was sent. @return as send(2) */
ssize_t conn_queue_send(struct rpc_conn *conn);

/* conn_dispatch.c */

/** Check a header as soon as its 16 bytes are read. @return whether to go on reading this PDU */
bool conn_check_header(struct rpc_conn *conn, const struct pdu_hdr *hdr);
/** Handle a whole PDU; pdu is a child of conn, freed by the caller unless stolen. */
void conn_handle_pdu(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu);
/** Send a fault or a bind_nak; the conn_x_close() ones close the connection then. No effect in CONN_CLOSING. */
void conn_fault(struct rpc_conn *conn, uint8_t flags, uint32_t call_id, uint16_t context_id,
		uint32_t status);
void conn_fault_close(struct rpc_conn *conn, uint8_t flags, uint32_t call_id, uint16_t context_id,
		      uint32_t status);
void conn_nak_close(struct rpc_conn *conn, uint32_t call_id, uint16_t reason);

/*
 * conn_bind.c. Here and below conn_on_x() handles a PDU of type x whose header has been checked; it reports
 * errors in the rest to the client, and closes where the protocol says so. conn_find_x() returns NULL for
 * an unknown id.
 */
void conn_on_bind(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu);
void conn_on_alter(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu);
struct conn_context *conn_find_context(struct rpc_conn *conn, uint16_t id);

/* conn_auth.c */

/* A bind_ack or alter_context_resp that waits for the token of this leg. */
struct conn_ack {
	uint8_t ptype, flags;
	uint32_t call_id;
	struct pdu_bind_ack ack; /* results are a child of this */
};

/** As of conn_bind.c above. */
void conn_on_auth3(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu);
/**
 * Start or continue a negotiation for the auth part of a bind or alter_context; answer with ack, which is
 * taken over, when the step is done, or refuse. pdu holds the token.
 */
void conn_auth_bind(struct rpc_conn *conn, struct conn_ack *ack, const struct pdu_auth *auth,
		    uint8_t *pdu);
void conn_auth_alter(struct rpc_conn *conn, struct conn_ack *ack, const struct pdu_auth *auth,
		     uint8_t *pdu);
/** Send ack and free it. */
void conn_send_ack(struct rpc_conn *conn, struct conn_ack *ack);
struct conn_sec *conn_find_sec(struct rpc_conn *conn, uint32_t id);

/* conn_request.c and conn_call.c */

/* A request being reassembled, then a running call. */
struct conn_call {
	struct rpc_call pub;
	struct qb_list_head list; /* in conn->calls, once running */
	struct rpc_conn *conn;
	struct conn_sec
		*sec; /* with which the request was protected; NULL: the answer is not, either */
	uint32_t call_id;
	uint16_t context_id;
	uint8_t drep[4];
	uint8_t *stub;
	size_t stub_len, stub_size;
	unsigned int fragments;
	const struct rpc_op *op;
	struct tevent_req *req;
};

/** As of conn_bind.c above. */
void conn_on_request(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu);
/** co_cancel: a call that still runs ends with RPC_FAULT_CANCEL. */
void conn_on_cancel(struct rpc_conn *conn, uint32_t call_id);
/** Start or stop the timer of conn->incomplete, which has to be complete within request_ms. */
void conn_watch_request(struct rpc_conn *conn);
/** orphaned: the call, complete or not, ends without an answer. */
void conn_on_orphaned(struct rpc_conn *conn, uint32_t call_id);
/** Run a reassembled request; call becomes a running call or is freed. */
void conn_call_start(struct conn_call *call);
struct conn_call *conn_find_call(struct rpc_conn *conn, uint32_t call_id);
/** End all calls of the connection without answers. */
void conn_free_calls(struct rpc_conn *conn);

#endif
