/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls on a bound connection. What was sent will be answered, whether or not somebody still waits for it: so
 * a call belongs to the client, and the request of the caller only refers to it.
 */
#include "witnessd/rpc/client_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

#define ANSWER_MAX       (1024U * 1024U) /* bytes of one reassembled answer */
#define ANSWER_FRAGS_MAX 4096U           /* fragments of one answer: empty ones cost no bytes */

struct client_call {
	struct qb_list_head list;
	struct rpc_client *client;
	struct tevent_req *req; /* borrowed; NULL once nobody waits */
	uint32_t call_id;
	uint16_t opnum;
	bool sent;
	uint8_t *stub; /* until it is sent */
	size_t stub_len;
	uint8_t *answer;
	size_t answer_len;
	unsigned int answer_frags;
};

struct rpc_client_call_state {
	struct client_call *call; /* borrowed; NULL once it is over */
	uint32_t fault;
	uint8_t *stub;
	size_t stub_len;
};

static int call_destructor(struct client_call *call)
{
	qb_list_del(&call->list);
	return 0;
}

static void rpc_client_call_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
	struct rpc_client_call_state *state = tevent_req_data(req, struct rpc_client_call_state);
	struct client_call *call = state->call;

	if (call == NULL) {
		return;
	}
	state->call = NULL;
	call->req = NULL;
	if (!call->sent) {
		talloc_free(call);
	}
}

/* The call is over: complete the request, which takes over the data of the answer. */
static void call_end(struct client_call *call, int err, uint32_t fault)
{
	struct tevent_req *req = call->req;

	if (req != NULL) {
		struct rpc_client_call_state *state =
			tevent_req_data(req, struct rpc_client_call_state);

		state->call = NULL;
		call->req = NULL;
		state->fault = fault;
		if (fault == 0) {
			state->stub = talloc_move(state, &call->answer);
			state->stub_len = call->answer_len;
		}
		if (!tevent_req_error(req, (uint64_t)err)) {
			tevent_req_done(req);
		}
	}
	talloc_free(call);
}

void client_calls_fail(struct rpc_client *client, int err)
{
	while (!qb_list_empty(&client->calls)) {
		call_end(qb_list_first_entry(&client->calls, struct client_call, list), err, 0);
	}
}

static bool is_protected(const struct rpc_client *client)
{
	return client->sec != NULL && client->auth_level >= RPC_LEVEL_PACKET;
}

static struct pdu_frag_params frag_params(const struct rpc_client *client,
					  const struct client_call *call)
{
	struct pdu_frag_params params = {
		.ptype = RPC_REQUEST,
		.call_id = call->call_id,
		.context_id = CLIENT_CONTEXT_ID,
		.opnum = call->opnum,
		.max_xmit_frag = client->max_xmit,
	};

	if (is_protected(client)) {
		params.auth_type = client->auth_type;
		params.auth_level = client->auth_level;
		params.auth_context_id = CLIENT_AUTH_CONTEXT_ID;
		params.sig_size = rpc_sec_sig_size(client->sec);
	}
	return params;
}

/* Protect one fragment and queue it; from here on it has to be sent. */
static int send_frag(struct rpc_client *client, uint8_t *pdu, size_t len, size_t sig_size)
{
	struct rpc_sec_pdu p = {
		.pdu = pdu,
		.hdr_len = PDU_REQUEST_HDR,
		.auth_len = sig_size,
		.header_sign = client->header_sign,
	};
	int err;

	if (sig_size > 0) {
		p.body_len = len - PDU_REQUEST_HDR - PDU_SEC_TRAILER_LEN - sig_size;
		err = rpc_sec_protect(client->sec, &p);
		if (err != 0) {
			talloc_free(pdu);
			return err;
		}
	}
	return client_stream_send(client->stream, pdu, len);
}

static int send_frags(struct client_call *call, const uint8_t *stub, size_t stub_len)
{
	struct rpc_client *client = call->client;
	struct pdu_frag_params params = frag_params(client, call);
	size_t off = 0;

	do {
		uint8_t *pdu = NULL;
		size_t len = 0, consumed = 0;
		int err =
			pdu_push_frag(client, &params, stub, stub_len, off, &pdu, &len, &consumed);

		if (err == 0) {
			err = send_frag(client, pdu, len, params.sig_size);
		}
		if (err != 0) {
			return err;
		}
		off += consumed;
	} while (off < stub_len);
	return 0;
}

/* After an error the connection cannot be used any more: a part of the request may be out. */
static int call_transmit(struct client_call *call)
{
	struct rpc_client *client = call->client;
	uint8_t *stub = call->stub;
	size_t stub_len = call->stub_len;
	int err = 0;

	call->sent = true;
	if (is_protected(client)) {
		err = client_vt_append(call, client, call->call_id, call->opnum, call->stub,
				       call->stub_len, &stub, &stub_len);
		client->vt_sent = true;
	}
	if (err == 0) {
		err = send_frags(call, stub, stub_len);
	}
	if (stub != call->stub) {
		talloc_free(stub);
	}
	TALLOC_FREE(call->stub);
	return err;
}

static bool answer_outstanding(const struct rpc_client *client)
{
	struct client_call *call;

	qb_list_for_each_entry (call, &client->calls, list) {
		if (call->sent) {
			return true;
		}
	}
	return false;
}

/*
 * Send waiting calls: all with MPX, else one when none is open. @return 0, or the error that ends the
 * connection
 */
static int send_waiting(struct rpc_client *client)
{
	struct client_call *call;

	qb_list_for_each_entry (call, &client->calls, list) {
		int err;

		if (call->sent) {
			continue;
		}
		if (!client->mpx && answer_outstanding(client)) {
			return 0;
		}
		err = call_transmit(call);
		if (err != 0) {
			return err;
		}
	}
	return 0;
}

static struct client_call *call_create(struct rpc_client *client, struct tevent_req *req,
				       uint16_t opnum, const uint8_t *stub, size_t stub_len)
{
	struct client_call *call = talloc_zero(client, struct client_call);

	if (call == NULL) {
		return NULL;
	}
	qb_list_init(&call->list);
	talloc_set_destructor(call, call_destructor);
	call->client = client;
	call->opnum = opnum;
	call->stub = talloc_memdup(call, stub == NULL ? (const uint8_t *)"" : stub, stub_len);
	if (call->stub == NULL) {
		talloc_free(call);
		return NULL;
	}
	call->stub_len = stub_len;
	call->call_id = client->next_call_id++;
	call->req = req;
	qb_list_add_tail(&call->list, &client->calls);
	return call;
}

struct tevent_req *rpc_client_call_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					struct rpc_client *client, uint16_t opnum,
					const uint8_t *stub, size_t stub_len,
					unsigned int timeout_ms)
{
	struct rpc_client_call_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct rpc_client_call_state);
	int err;

	if (req == NULL) {
		return NULL;
	}
	/* The end of the connection ends many calls, and any callback may free the client. */
	tevent_req_defer_callback(req, ev);
	if (tevent_req_error(req, (uint64_t)client->err)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_cleanup_fn(req, rpc_client_call_cleanup);
	if (timeout_ms > 0 && !mono_req_timeout(req, ev, timeout_ms)) {
		return tevent_req_post(req, ev);
	}
	state->call = call_create(client, req, opnum, stub, stub_len);
	if (tevent_req_nomem(state->call, req)) {
		return tevent_req_post(req, ev);
	}
	err = send_waiting(client);
	if (err != 0) {
		client_break(client, err);
	}
	return req;
}

int rpc_client_call_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, uint32_t *fault,
			 uint8_t **stub, size_t *stub_len)
{
	struct rpc_client_call_state *state = tevent_req_data(req, struct rpc_client_call_state);
	int err = req_errno(req);

	if (err == 0) {
		*fault = state->fault;
		*stub = talloc_steal(mem_ctx, state->stub);
		*stub_len = state->stub_len;
	}
	tevent_req_received(req);
	return err;
}

int rpc_client_cancel(struct tevent_req *call_req)
{
	struct rpc_client_call_state *state =
		tevent_req_data(call_req, struct rpc_client_call_state);
	struct client_call *call = state->call;
	uint8_t *pdu = NULL;
	size_t len = 0;
	int err;

	if (call == NULL) {
		return ENOTCONN;
	}
	if (!call->sent) {
		call_end(call, 0, RPC_FAULT_CANCEL);
		return 0;
	}
	err = pdu_push_empty(call->client, RPC_CO_CANCEL, call->call_id, &pdu, &len);
	return err != 0 ? err : client_stream_send(call->client->stream, pdu, len);
}

static struct client_call *find_call(struct rpc_client *client, uint32_t call_id)
{
	struct client_call *call;

	qb_list_for_each_entry (call, &client->calls, list) {
		if (call->sent && call->call_id == call_id) {
			return call;
		}
	}
	return NULL;
}

/* Check and remove the protection of a response. */
static int unprotect(struct rpc_client *client, uint8_t *pdu, const struct pdu_request *resp)
{
	const struct pdu_auth *auth = &resp->auth;
	struct rpc_sec_pdu p = {
		.pdu = pdu,
		.hdr_len = resp->body_off,
		.body_len = resp->body_len,
		.auth_len = auth->value_len,
		.header_sign = client->header_sign,
	};

	if (!is_protected(client)) {
		return 0;
	}
	if (!auth->present || auth->type != client->auth_type ||
	    auth->level != client->auth_level || auth->context_id != CLIENT_AUTH_CONTEXT_ID) {
		return client_violation(client, "response without the protection agreed on");
	}
	if (rpc_sec_unprotect(client->sec, &p) != 0) {
		return client_violation(client, "signature of a response is wrong");
	}
	return 0;
}

/* Append the stub of a fragment, unless nobody waits for it any more. */
static int answer_append(struct client_call *call, const uint8_t *stub, size_t len)
{
	uint8_t *grown;

	call->answer_frags++;
	if (call->answer_frags > ANSWER_FRAGS_MAX || len > ANSWER_MAX - call->answer_len) {
		return client_violation(call->client, "endless response");
	}
	if (call->req != NULL && len > 0) {
		grown = talloc_realloc(call, call->answer, uint8_t, call->answer_len + len);
		if (grown == NULL) {
			return ENOMEM;
		}
		memcpy(grown + call->answer_len, stub, len);
		call->answer = grown;
	}
	call->answer_len += len;
	return 0;
}

static int on_response(struct rpc_client *client, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	struct client_call *call = find_call(client, hdr->call_id);
	bool first = (hdr->flags & RPC_PFC_FIRST_FRAG) != 0;
	struct pdu_request resp;
	int err;

	if (call == NULL) {
		return client_violation(client, "response to no call");
	}
	if (pdu_pull_response(pdu, hdr, &resp) != 0 || hdr->big_endian) {
		return client_violation(client, "response cannot be decoded");
	}
	/* Windows and Samba give back only the low byte of the context id. */
	if (first != (call->answer_frags == 0) || (resp.context_id & 0xff) != CLIENT_CONTEXT_ID) {
		return client_violation(client, "response fragment out of order");
	}
	err = unprotect(client, pdu, &resp);
	if (err == 0) {
		err = answer_append(call, pdu + resp.body_off,
				    resp.body_len - (resp.auth.present ? resp.auth.pad_length : 0));
	}
	if (err != 0) {
		return err;
	}
	if ((hdr->flags & RPC_PFC_LAST_FRAG) != 0) {
		call_end(call, 0, 0);
		return send_waiting(client);
	}
	return 0;
}

/* Faults are never protected, and their flags vary between servers: only the status counts. */
static int on_fault(struct rpc_client *client, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	struct client_call *call = find_call(client, hdr->call_id);
	uint32_t status = 0;

	if (call == NULL) {
		return client_violation(client, "fault for no call");
	}
	if (pdu_pull_fault(pdu, hdr, &status) != 0) {
		return client_violation(client, "fault cannot be decoded");
	}
	call_end(call, 0, status != 0 ? status : RPC_FAULT_UNSPEC);
	return send_waiting(client);
}

int client_call_pdu(struct rpc_client *client, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	switch (hdr->ptype) {
	case RPC_RESPONSE:
		return on_response(client, hdr, pdu);
	case RPC_FAULT:
		return on_fault(client, hdr, pdu);
	case RPC_SHUTDOWN:
		return 0; /* a request to close when convenient, which we leave to the server */
	default:
		return client_violation(client, "PDU that a server does not send now");
	}
}
