/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whole calls: selecting the operation, checking access, sending its answer in fragments; cancel and
 * orphaned.
 */
#include "witnessd/rpc/conn.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/vt.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"

#define RESPONSE_MAX (4 * 1024 * 1024)

static void call_done(struct tevent_req *req);

static int call_destructor(struct conn_call *call)
{
	/* First: ending it may complete others, which must not find it. */
	qb_list_del(&call->list);
	call->conn->num_calls--;
	call->conn->server->stats.calls--;
	TALLOC_FREE(call->req);
	return 0;
}

struct conn_call *conn_find_call(struct rpc_conn *conn, uint32_t call_id)
{
	struct conn_call *call;

	qb_list_for_each_entry (call, &conn->calls, list) {
		if (call->call_id == call_id) {
			return call;
		}
	}
	return NULL;
}

void conn_free_calls(struct rpc_conn *conn)
{
	TALLOC_FREE(conn->incomplete);
	while (!qb_list_empty(&conn->calls)) {
		talloc_free(qb_list_first_entry(&conn->calls, struct conn_call, list));
	}
}

static void answer_fault(struct conn_call *call, uint32_t status)
{
	conn_fault(call->conn, CONN_FLAGS_SINGLE, call->call_id, call->context_id, status);
}

/* Sign or seal a fragment; it is in the queue's order from here on. */
static int protect(struct conn_call *call, const struct pdu_frag_params *params, uint8_t *pdu,
		   size_t len)
{
	struct rpc_sec_pdu p = {
		.pdu = pdu,
		.hdr_len = PDU_REQUEST_HDR,
		.auth_len = params->sig_size,
		.header_sign = call->conn->header_sign,
	};

	if (params->sig_size == 0 || call->sec == NULL) {
		return 0;
	}
	p.body_len = len - PDU_REQUEST_HDR - PDU_SEC_TRAILER_LEN - params->sig_size;
	return rpc_sec_protect(call->sec->sec, &p);
}

/* All fragments of an answer are queued at once, so that nothing comes in between. */
static int queue_response(struct conn_call *call, const uint8_t *stub, size_t stub_len)
{
	struct rpc_conn *conn = call->conn;
	struct pdu_frag_params params = {
		.ptype = RPC_RESPONSE,
		.call_id = call->call_id,
		.context_id = call->context_id,
		.max_xmit_frag = conn->max_frag,
	};
	size_t off = 0;

	if (call->sec != NULL && call->sec->level >= RPC_LEVEL_PACKET) {
		params.auth_type = call->sec->type;
		params.auth_level = call->sec->level;
		params.auth_context_id = call->sec->id;
		params.sig_size = rpc_sec_sig_size(call->sec->sec);
	}
	do {
		uint8_t *pdu;
		size_t len, consumed;
		int ret = pdu_push_frag(conn, &params, stub, stub_len, off, &pdu, &len, &consumed);

		if (ret != 0) {
			return ret;
		}
		ret = protect(call, &params, pdu, len);
		if (ret != 0) {
			talloc_free(pdu);
			return ret;
		}
		conn_queue(conn, pdu, len);
		off += consumed;
	} while (off < stub_len);
	return 0;
}

static uint32_t fault_of_errno(int err)
{
	switch (err) {
	case EBADMSG:
		return RPC_FAULT_BAD_STUB_DATA;
	case ENOMEM:
		return RPC_FAULT_OUT_OF_RESOURCES;
	case EACCES:
		return RPC_FAULT_ACCESS_DENIED;
	default:
		return RPC_FAULT_UNSPEC;
	}
}

static void answer(struct conn_call *call, const struct rpc_reply *reply)
{
	struct rpc_conn *conn = call->conn;
	int ret;

	if (reply->fault != 0) {
		answer_fault(call, reply->fault);
		return;
	}
	if (reply->stub_len > RESPONSE_MAX) {
		log_err("rpc: %s: an answer of %zu bytes is too long", call->op->name,
			reply->stub_len);
		answer_fault(call, RPC_FAULT_OUT_OF_RESOURCES);
		return;
	}
	ret = queue_response(call, reply->stub, reply->stub_len);
	if (ret != 0) {
		/* Half an answer cannot be withdrawn. */
		conn_drop(conn, "an answer could not be protected");
		return;
	}
	conn_flush(conn);
}

/* The operation is done: take its answer, if the client can still get it. Frees the call. */
static void finish(struct conn_call *call)
{
	struct rpc_conn *conn = call->conn;
	struct rpc_reply reply = {0};
	int ret;

	conn->active_ms = clock_ms();
	if (conn->state != CONN_CLOSING && conn->out_held > conn->server->limits.unsent) {
		conn_limit(conn, RPC_LIMIT_UNSENT);
	}
	if (conn->state != CONN_CLOSING) {
		ret = call->op->recv(call->req, call, &reply);
		if (ret != 0) {
			reply.fault = fault_of_errno(ret);
		}
		answer(call, &reply);
	}
	talloc_free(call);
}

static void call_done(struct tevent_req *req)
{
	finish(tevent_req_callback_data(req, struct conn_call));
}

/*
 * What the client says in the signed trailer that it has sent must be what arrived. A client that supports
 * header signing without having asked for it in the bind: somebody has removed that from the bind.
 */
static bool vt_matches(const struct conn_call *call, const struct conn_context *ctx,
		       const struct rpc_vt *vt)
{
	static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;

	if (vt->unknown_must) {
		return false;
	}
	if (vt->has_bitmask1 && (vt->bitmask1 & RPC_VT_HEADER_SIGNING) != 0 &&
	    !call->conn->header_sign) {
		return false;
	}
	if (vt->has_pcontext && (!rpc_syntax_equal(&vt->abstract, &ctx->served->iface->syntax) ||
				 !rpc_syntax_equal(&vt->transfer, &ndr20))) {
		return false;
	}
	return !vt->has_header2 ||
	       (vt->ptype == RPC_REQUEST && vt->call_id == call->call_id &&
		vt->context_id == call->context_id && vt->opnum == call->pub.opnum &&
		memcmp(vt->drep, call->drep, sizeof(vt->drep)) == 0);
}

/* Check the verification trailer, if any, and remove it. */
static bool check_trailer(struct conn_call *call, const struct conn_context *ctx)
{
	struct rpc_vt vt;

	if (rpc_vt_find(call->stub, call->stub_len, call->pub.big_endian, &vt) != 0) {
		return true;
	}
	if (!vt_matches(call, ctx, &vt)) {
		return false;
	}
	call->stub_len = vt.off;
	return true;
}

/* The client may retry with another security context of this connection. */
static bool has_sufficient_sec(struct rpc_conn *conn, enum rpc_auth_level level)
{
	const struct conn_sec *sec;

	qb_list_for_each_entry (sec, &conn->secs, list) {
		if (sec->state == CONN_SEC_DONE && sec->level >= level) {
			return true;
		}
	}
	return false;
}

/* Find what is to be run, or answer why not. @return whether call->op is set */
static bool resolve(struct conn_call *call)
{
	struct rpc_conn *conn = call->conn;
	const struct conn_context *ctx = conn_find_context(conn, call->context_id);
	const struct rpc_iface *iface;

	if (ctx == NULL) {
		conn_fault(conn, CONN_FLAGS_UNDONE, call->call_id, 0, RPC_FAULT_UNK_IF);
		return false;
	}
	iface = ctx->served->iface;
	if (!check_trailer(call, ctx)) {
		answer_fault(call, RPC_FAULT_ACCESS_DENIED);
		conn_close(conn, "its verification trailer does not match");
		return false;
	}
	if (call->pub.identity.level < iface->min_level) {
		answer_fault(call, RPC_FAULT_ACCESS_DENIED);
		if (!has_sufficient_sec(conn, iface->min_level)) {
			conn_close(conn, "its requests are not protected well enough");
		}
		return false;
	}
	if (call->pub.opnum >= iface->num_ops || iface->ops[call->pub.opnum].send == NULL) {
		conn_fault(conn, CONN_FLAGS_UNDONE, call->call_id, call->context_id,
			   RPC_FAULT_OP_RNG_ERROR);
		return false;
	}
	if (conn->num_calls >= conn->server->limits.calls) {
		conn_limit_note(conn, RPC_LIMIT_CALLS);
		conn_fault(conn, CONN_FLAGS_UNDONE, call->call_id, call->context_id,
			   RPC_FAULT_SERVER_TOO_BUSY);
		return false;
	}
	call->op = &iface->ops[call->pub.opnum];
	call->pub.iface_private = ctx->served->private_data;
	return true;
}

void conn_call_start(struct conn_call *call)
{
	struct rpc_conn *conn = call->conn;

	conn->server->stats.calls_in++;
	if (!resolve(call)) {
		talloc_free(call);
		return;
	}
	call->pub.stub = call->stub;
	call->pub.stub_len = call->stub_len;
	qb_list_add_tail(&call->list, &conn->calls);
	conn->num_calls++;
	conn->server->stats.calls++;
	talloc_set_destructor(call, call_destructor);
	call->req = call->op->send(call, conn->server->ev, &call->pub);
	if (call->req == NULL) {
		answer_fault(call, RPC_FAULT_OUT_OF_RESOURCES);
		talloc_free(call);
		return;
	}
	if (!tevent_req_is_in_progress(call->req)) {
		finish(call); /* at once, so that clients without CONC_MPX may send the next one */
		return;
	}
	/* It may wait for days: do not keep the padding of the request in memory for that long. */
	TALLOC_FREE(call->stub);
	call->pub.stub = NULL;
	call->pub.stub_len = 0;
	tevent_req_set_callback(call->req, call_done, call);
}

void conn_on_cancel(struct rpc_conn *conn, uint32_t call_id)
{
	struct conn_call *call = conn_find_call(conn, call_id);

	if (call == NULL) {
		return; /* answered meanwhile, or never heard of */
	}
	talloc_free(call);
	conn_fault(conn, CONN_FLAGS_SINGLE, call_id, 0, RPC_FAULT_CANCEL);
}

/* The client does not want the answer any more; the connection goes on whatever was negotiated. */
void conn_on_orphaned(struct rpc_conn *conn, uint32_t call_id)
{
	if (conn->incomplete != NULL && conn->incomplete->call_id == call_id) {
		TALLOC_FREE(conn->incomplete);
		conn_watch_request(conn);
		return;
	}
	talloc_free(conn_find_call(conn, call_id));
}
