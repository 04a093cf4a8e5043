/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Request fragments: identity and protection of the caller (C706 13.2.6, MS-RPCE 3.3.1.5.2), and reassembly
 * (C706 12.6.2). A refusal that keeps the connection waits for the last fragment.
 */
#include "witnessd/rpc/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "witnessd/util/log.h"

/* A fault that ends the connection; 0 = none. */
struct refusal {
	uint32_t status;
	uint8_t flags;
};

static const struct refusal fine = {0, 0};

static struct refusal refuse(uint32_t status)
{
	return (struct refusal){.status = status, .flags = CONN_FLAGS_SINGLE};
}

static bool any_sec(struct rpc_conn *conn, enum conn_sec_state state, struct conn_sec **out)
{
	struct conn_sec *sec;

	qb_list_for_each_entry (sec, &conn->secs, list) {
		if (sec->state == state) {
			*out = sec;
			return true;
		}
	}
	return false;
}

/*
 * A request without an auth part: of a security context with level connect, if there is one, because its
 * requests have none; else anonymous. After a failed authentication nobody may go on anonymously.
 */
static struct refusal bare_request(struct rpc_conn *conn, struct conn_sec **out)
{
	struct conn_sec *sec;

	*out = NULL;
	qb_list_for_each_entry (sec, &conn->secs, list) {
		if (sec->state == CONN_SEC_DONE && sec->level == RPC_LEVEL_CONNECT) {
			*out = sec;
			return fine;
		}
	}
	if (any_sec(conn, CONN_SEC_FAILED, &sec) && !any_sec(conn, CONN_SEC_DONE, &sec)) {
		return refuse(RPC_FAULT_ACCESS_DENIED);
	}
	return fine;
}

/* Which security context the first fragment belongs to. */
static struct refusal find_request_sec(struct rpc_conn *conn, const struct pdu_auth *auth,
				       struct conn_sec **out)
{
	struct conn_sec *sec;

	if (!auth->present) {
		return bare_request(conn, out);
	}
	sec = conn_find_sec(conn, auth->context_id);
	if (sec == NULL || sec->state == CONN_SEC_FAILED) {
		return refuse(RPC_FAULT_ACCESS_DENIED);
	}
	if (sec->state == CONN_SEC_NEGOTIATING) {
		return (struct refusal){RPC_FAULT_PROTO_ERROR, CONN_FLAGS_UNDONE};
	}
	if (sec->type != auth->type || sec->level != auth->level) {
		return refuse(RPC_FAULT_ACCESS_DENIED);
	}
	*out = sec;
	return fine;
}

static bool is_protected(const struct conn_sec *sec)
{
	return sec != NULL && sec->level >= RPC_LEVEL_PACKET;
}

/* Verify or unseal one fragment in place. */
static struct refusal unprotect(const struct conn_call *call, uint8_t *pdu,
				const struct pdu_request *req)
{
	struct rpc_sec_pdu p = {
		.pdu = pdu,
		.hdr_len = req->body_off,
		.body_len = req->body_len,
		.auth_len = req->auth.value_len,
		.header_sign = call->conn->header_sign,
	};

	if (!is_protected(call->sec)) {
		return fine;
	}
	if (rpc_sec_unprotect(call->sec->sec, &p) != 0) {
		if (rpc_server_may_log(call->conn->server)) {
			log_warn("rpc: connection %" PRIu64 ": a signature is wrong: %s",
				 call->conn->id, log_printable(rpc_sec_error(call->sec->sec)));
		}
		return refuse(RPC_FAULT_SEC_PKG_ERROR);
	}
	return fine;
}

/* Grow in steps, never beyond the limit that append() has checked. */
static int reserve(struct conn_call *call, size_t need)
{
	size_t limit = call->conn->server->limits.reassembly;
	size_t size = call->stub_size * 2;
	uint8_t *stub;

	if (need <= call->stub_size) {
		return 0;
	}
	if (size > limit) {
		size = limit;
	}
	if (size < need) {
		size = need;
	}
	stub = talloc_realloc(call, call->stub, uint8_t, size);
	if (stub == NULL) {
		return ENOMEM;
	}
	call->stub = stub;
	call->stub_size = size;
	return 0;
}

static struct refusal append(struct conn_call *call, const uint8_t *pdu,
			     const struct pdu_request *req)
{
	const struct rpc_limits *limits = &call->conn->server->limits;
	size_t len = req->body_len - req->auth.pad_length; /* checked by pdu_pull_auth() */

	if (len > limits->reassembly - call->stub_len) {
		conn_limit_note(call->conn, RPC_LIMIT_REQUEST);
		return refuse(RPC_FAULT_ACCESS_DENIED);
	}
	if (++call->fragments > limits->fragments) {
		conn_limit_note(call->conn, RPC_LIMIT_FRAGMENTS);
		return refuse(RPC_FAULT_ACCESS_DENIED);
	}
	if (reserve(call, call->stub_len + len) != 0) {
		return refuse(RPC_FAULT_OUT_OF_RESOURCES);
	}
	if (len > 0) {
		memcpy(call->stub + call->stub_len, pdu + req->body_off, len);
		call->stub_len += len;
	}
	return fine;
}

static void set_identity(struct conn_call *call)
{
	struct rpc_identity *identity = &call->pub.identity;

	if (call->sec == NULL) {
		identity->type = RPC_AUTH_NONE;
		identity->level = RPC_LEVEL_NONE;
		return;
	}
	identity->type = (enum rpc_auth_type)call->sec->type;
	identity->level = (enum rpc_auth_level)call->sec->level;
	identity->principal = rpc_sec_principal(call->sec->sec);
}

static struct conn_call *new_call(struct rpc_conn *conn, const struct pdu_hdr *hdr,
				  const struct pdu_request *req, struct conn_sec *sec)
{
	struct conn_call *call = talloc_zero(conn, struct conn_call);

	if (call == NULL) {
		return NULL;
	}
	qb_list_init(&call->list);
	call->conn = conn;
	call->sec = sec;
	call->call_id = hdr->call_id;
	call->context_id = req->context_id;
	memcpy(call->drep, hdr->drep, sizeof(call->drep));
	call->pub.endpoint = conn->endpoint;
	call->pub.assoc = conn->assoc;
	call->pub.conn_id = conn->id;
	call->pub.opnum = req->opnum;
	call->pub.local = conn->local;
	call->pub.remote = conn->remote;
	call->pub.local_port = conn->local_port;
	call->pub.remote_port = conn->remote_port;
	call->pub.big_endian = hdr->big_endian;
	set_identity(call);
	return call;
}

/*
 * Why a new call is not allowed now. Without CONC_MPX only one at a time was negotiated; an incomplete
 * request always forbids another one. Without CONC_MPX the fault names the old call, as Samba does.
 */
static bool refuse_first(struct rpc_conn *conn, const struct pdu_hdr *hdr,
			 const struct pdu_request *req)
{
	uint32_t call_id = hdr->call_id;

	if ((hdr->flags & RPC_PFC_PENDING_CANCEL) != 0) {
		conn_fault_close(conn, CONN_FLAGS_UNDONE, call_id, 0, RPC_FAULT_NO_CALL_ACTIVE);
		return true;
	}
	if (conn->incomplete != NULL) {
		if (!conn->mpx) {
			call_id = conn->incomplete->call_id;
		}
		conn_fault_close(conn, CONN_FLAGS_SINGLE, call_id, 0, RPC_FAULT_PROTO_ERROR);
		return true;
	}
	if (conn_find_call(conn, call_id) != NULL || (!conn->mpx && conn->num_calls > 0)) {
		conn_fault_close(conn, CONN_FLAGS_SINGLE, call_id, req->context_id,
				 RPC_FAULT_PROTO_ERROR);
		return true;
	}
	if ((hdr->flags & RPC_PFC_LAST_FRAG) == 0 &&
	    req->alloc_hint > conn->server->limits.reassembly) {
		conn_limit_note(conn, RPC_LIMIT_REQUEST);
		conn_fault_close(conn, CONN_FLAGS_SINGLE, call_id, req->context_id,
				 RPC_FAULT_ACCESS_DENIED);
		return true;
	}
	return false;
}

/* @return the new call, or NULL: the connection closes */
static struct conn_call *first_fragment(struct rpc_conn *conn, const struct pdu_hdr *hdr,
					const struct pdu_request *req)
{
	struct conn_sec *sec = NULL;
	struct conn_call *call;
	struct refusal no;

	if (refuse_first(conn, hdr, req)) {
		return NULL;
	}
	no = find_request_sec(conn, &req->auth, &sec);
	if (no.status != 0) {
		conn_fault_close(conn, no.flags, hdr->call_id,
				 no.flags == CONN_FLAGS_UNDONE ? 0 : req->context_id, no.status);
		return NULL;
	}
	call = new_call(conn, hdr, req, sec);
	if (call == NULL) {
		conn_drop(conn, "memory is short");
	}
	return call;
}

/* Whether a further fragment continues the incomplete request. */
static struct refusal check_further(const struct conn_call *call, const struct pdu_hdr *hdr,
				    const struct pdu_request *req)
{
	if (call == NULL || call->call_id != hdr->call_id ||
	    memcmp(call->drep, hdr->drep, sizeof(call->drep)) != 0) {
		return refuse(RPC_FAULT_PROTO_ERROR);
	}
	if (is_protected(call->sec) && !req->auth.present) {
		return refuse(RPC_FAULT_PROTO_ERROR);
	}
	if (req->auth.present && call->sec == NULL) {
		return refuse(RPC_FAULT_ACCESS_DENIED);
	}
	if (req->auth.present &&
	    (req->auth.context_id != call->sec->id || req->auth.type != call->sec->type ||
	     req->auth.level != call->sec->level)) {
		return refuse(RPC_FAULT_SEC_PKG_ERROR);
	}
	return fine;
}

/* @return the call that this fragment belongs to, or NULL: the connection closes */
static struct conn_call *further_fragment(struct rpc_conn *conn, const struct pdu_hdr *hdr,
					  const struct pdu_request *req)
{
	struct conn_call *call = conn->incomplete;
	struct refusal no = check_further(call, hdr, req);

	if (no.status != 0) {
		conn_fault_close(conn, no.flags, hdr->call_id, req->context_id, no.status);
		return NULL;
	}
	conn->incomplete = NULL;
	return call;
}

static void request_expired(void *private_data)
{
	conn_limit(talloc_get_type_abort(private_data, struct rpc_conn), RPC_LIMIT_REQUEST_TIME);
}

void conn_watch_request(struct rpc_conn *conn)
{
	if (conn->incomplete == NULL || conn->state == CONN_CLOSING) {
		wheel_cancel(&conn->request_timer);
	} else if (!wheel_armed(&conn->request_timer)) {
		/* Once: further fragments do not extend it. */
		wheel_arm(conn->server->wheel, &conn->request_timer,
			  conn->server->limits.request_ms, request_expired, conn);
	}
}

void conn_on_request(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	struct pdu_request req;
	struct conn_call *call;
	struct refusal no;

	if (pdu_pull_request(pdu, hdr, &req) != 0) {
		conn_fault_close(conn, CONN_FLAGS_UNDONE, hdr->call_id, 0, RPC_FAULT_PROTO_ERROR);
		return;
	}
	if ((hdr->flags & RPC_PFC_FIRST_FRAG) != 0) {
		call = first_fragment(conn, hdr, &req);
	} else {
		call = further_fragment(conn, hdr, &req);
	}
	if (call == NULL) {
		return;
	}
	no = unprotect(call, pdu, &req);
	if (no.status == 0) {
		no = append(call, pdu, &req);
	}
	if (no.status != 0) {
		conn_fault_close(conn, no.flags, call->call_id, call->context_id, no.status);
		talloc_free(call);
		return;
	}
	if ((hdr->flags & RPC_PFC_LAST_FRAG) == 0) {
		conn->incomplete = call;
	}
	conn_watch_request(conn);
	if (conn->incomplete == NULL) {
		conn_call_start(call);
	}
}
