/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Setting a connection up: connect, bind, and the legs of the security negotiation. SPNEGO's tokens
 * travel in alter_context, always; the last token of raw NTLM and raw Kerberos in auth3, which has no
 * answer (MS-RPCE 3.3.1.5.2).
 */
#include "witnessd/rpc/client_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

#define BIND_CALL_ID      1
#define LEGS_MAX          8    /* tokens from the server */
#define MUST_RECEIVE_FRAG 1432 /* C706 12.6.3.1: everyone must accept fragments of that size */

static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;
/* MS-RPCE 3.3.1.5.3: security context multiplexing (1), connection kept after orphaned (2). */
static const struct rpc_syntax features = {
	.uuid = GUID_BYTES(0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45, 0x03),
	.major = 1,
};

enum bind_phase {
	BIND_SILENT, /* connecting, or computing a token: the server has nothing to say */
	BIND_WAIT_ACK,
	BIND_WAIT_ALTER_RESP,
};

struct rpc_client_connect_state {
	struct tevent_context *ev;
	struct rpc_client_params params;
	struct rpc_client *client;
	enum bind_phase phase;
	struct tevent_req *subreq; /* what runs now; freed before the client is */
	uint8_t *token;            /* the server's last one, while a step works on it */
	unsigned int legs;
	char *why;
};

static void connect_done(struct tevent_req *subreq);
static void step_start(struct tevent_req *req, const uint8_t *token, size_t token_len);
static void step_done(struct tevent_req *subreq);

static void connect_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);

	TALLOC_FREE(state->subreq);
	if (state->client != NULL) {
		state->client->binding = how == TEVENT_REQ_DONE ? NULL : req;
	}
}

static int bind_fail(struct tevent_req *req, int err, const char *fmt, ...) PRINTF_ATTRIBUTE(3, 4);

/* End the request with a sentence. @return err */
static int bind_fail(struct tevent_req *req, int err, const char *fmt, ...)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	va_list ap;

	if (!tevent_req_is_in_progress(req)) {
		return err;
	}
	va_start(ap, fmt);
	state->why = talloc_vasprintf(state, fmt, ap);
	va_end(ap);
	tevent_req_error(req, (uint64_t)err);
	return err;
}

struct tevent_req *rpc_client_connect_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					   const struct rpc_client_params *params)
{
	struct rpc_client_connect_state *state = NULL;
	struct tevent_req *req =
		tevent_req_create(mem_ctx, &state, struct rpc_client_connect_state);
	unsigned int ms = params->timeout_ms > 0 ? params->timeout_ms : RPC_CLIENT_TIMEOUT_MS;

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->params = *params;
	if (state->params.max_frag == 0 || state->params.max_frag > RPC_FRAG_MAX) {
		state->params.max_frag = RPC_FRAG_MAX;
	}
	tevent_req_set_cleanup_fn(req, connect_cleanup);
	/* It ends inside the stream's callbacks, and the caller may free the client. */
	tevent_req_defer_callback(req, ev);
	if (tevent_req_error(req, (uint64_t)client_create(state, ev, &state->client)) ||
	    !mono_req_timeout(req, ev, ms)) {
		return tevent_req_post(req, ev);
	}
	state->client->binding = req;
	state->client->iface = params->iface;
	state->client->auth_type = params->auth_type;
	state->client->auth_level = params->auth_level;
	state->subreq = client_connect_send(state, ev, &params->addr, params->port);
	if (tevent_req_nomem(state->subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(state->subreq, connect_done, req);
	return req;
}

static struct pdu_auth auth_part(const struct rpc_client *client, const uint8_t *token, size_t len)
{
	return (struct pdu_auth){
		.present = true,
		.type = client->auth_type,
		.level = client->auth_level,
		.context_id = CLIENT_AUTH_CONTEXT_ID,
		.value = token,
		.value_len = len,
	};
}

static int push_bind(struct rpc_client_connect_state *state, uint8_t ptype, const uint8_t *token,
		     size_t token_len)
{
	struct rpc_client *client = state->client;
	struct pdu_context contexts[2] = {
		{.id = CLIENT_CONTEXT_ID, .n_transfer = 1, .abstract = client->iface},
		{.id = CLIENT_FEATURES_ID, .n_transfer = 1, .abstract = client->iface},
	};
	struct pdu_bind bind = {
		.max_xmit_frag = state->params.max_frag,
		.max_recv_frag = state->params.max_frag,
		.assoc_group_id = state->params.assoc_group_id,
		.n_contexts = ptype == RPC_BIND ? 2 : 1, /* features belong to the bind */
		.contexts = contexts,
	};
	uint8_t flags = RPC_PFC_FIRST_FRAG | RPC_PFC_LAST_FRAG;
	uint8_t *pdu = NULL;
	size_t len = 0;
	int err;

	contexts[0].transfer[0] = ndr20;
	contexts[1].transfer[0] = features;
	if (token_len > 0) {
		bind.auth = auth_part(client, token, token_len);
		flags |= RPC_PFC_SUPPORT_HDRSIGN;
	}
	if (ptype == RPC_BIND) {
		flags |= RPC_PFC_CONC_MPX;
	}
	err = pdu_push_bind(state, ptype, flags, BIND_CALL_ID, &bind, &pdu, &len);
	return err != 0 ? err : client_stream_send(client->stream, pdu, len);
}

static int push_auth3(struct rpc_client_connect_state *state, const uint8_t *token,
		      size_t token_len)
{
	struct rpc_client *client = state->client;
	const struct pdu_auth auth = auth_part(client, token, token_len);
	uint8_t *pdu = NULL;
	size_t len = 0;
	int err = pdu_push_auth3(state, BIND_CALL_ID, &auth, &pdu, &len);

	return err != 0 ? err : client_stream_send(client->stream, pdu, len);
}

/* Send a bind or alter_context and wait for its answer. */
static void leg_send(struct tevent_req *req, uint8_t ptype, const uint8_t *token, size_t token_len)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	int err = push_bind(state, ptype, token, token_len);

	if (err != 0) {
		bind_fail(req, err, "cannot send: %s", strerror(err));
		return;
	}
	state->phase = ptype == RPC_BIND ? BIND_WAIT_ACK : BIND_WAIT_ALTER_RESP;
}

static void bind_finish(struct tevent_req *req)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);

	state->client->next_call_id = BIND_CALL_ID + 1;
	tevent_req_done(req);
}

static void connect_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	const struct rpc_client_params *params = &state->params;
	int fd = -1;
	int err = client_connect_recv(subreq, &fd);

	TALLOC_FREE(state->subreq);
	if (err != 0) {
		bind_fail(req, err, "cannot connect: %s", strerror(err));
		return;
	}
	err = client_attach(state->client, fd);
	if (err == 0 && params->auth_type != RPC_AUTH_NONE) {
		err = rpc_sec_initiator(state->client, params->auth, params->cred,
					params->auth_type, params->auth_level, params->target,
					&state->client->sec);
	}
	if (err != 0) {
		bind_fail(req, err, "cannot prepare the authentication: %s", strerror(err));
		return;
	}
	if (params->auth_type == RPC_AUTH_NONE) {
		leg_send(req, RPC_BIND, NULL, 0);
		return;
	}
	step_start(req, NULL, 0);
}

static void step_start(struct tevent_req *req, const uint8_t *token, size_t token_len)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);

	state->phase = BIND_SILENT;
	if (token_len > 0) {
		state->token = talloc_memdup(state, token, token_len);
		if (tevent_req_nomem(state->token, req)) {
			return;
		}
	}
	state->subreq =
		rpc_sec_step_send(state, state->ev, state->client->sec, state->token, token_len);
	if (tevent_req_nomem(state->subreq, req)) {
		return;
	}
	tevent_req_set_callback(state->subreq, step_done, req);
}

/* Send the token of a step in the PDU that its position and type require. */
static void step_deliver(struct tevent_req *req, const uint8_t *token, size_t token_len, bool done)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	int err;

	if (state->legs == 0) {
		leg_send(req, RPC_BIND, token, token_len);
		return;
	}
	if (state->params.auth_type == RPC_AUTH_SPNEGO || !done) {
		leg_send(req, RPC_ALTER_CONTEXT, token, token_len);
		return;
	}
	err = push_auth3(state, token, token_len);
	if (err != 0) {
		bind_fail(req, err, "cannot send: %s", strerror(err));
		return;
	}
	bind_finish(req);
}

/*
 * The result of rpc_client_connect_recv() for an error of a step. Before the server has answered it cannot
 * have broken the protocol: there is no ticket, or the password is wrong.
 */
static int step_errno(int err, unsigned int legs)
{
	switch (err) {
	case ENOTSUP:
		return EACCES; /* no common mechanism */
	case EBADMSG:
	case EPROTO:
		return legs == 0 ? EACCES : EPROTO;
	default:
		return err;
	}
}

static void step_done(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	uint8_t *token = NULL;
	size_t token_len = 0;
	bool done = false;
	int err = rpc_sec_step_recv(subreq, state, &token, &token_len, &done);

	TALLOC_FREE(state->subreq);
	TALLOC_FREE(state->token);
	if (err != 0) {
		bind_fail(req, step_errno(err, state->legs), "authentication: %s",
			  rpc_sec_error(state->client->sec));
		return;
	}
	if (token_len > 0) {
		step_deliver(req, token, token_len, done);
		talloc_free(token);
	} else if (done && state->legs > 0) {
		bind_finish(req);
	} else {
		bind_fail(req, EPROTO, "authentication: the negotiation has stalled");
	}
}

/* The server's part of the frag sizes, the group and the flags. */
static int take_terms(struct tevent_req *req, const struct pdu_hdr *hdr,
		      const struct pdu_bind_ack *ack)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	struct rpc_client *client = state->client;

	if (ack->max_recv_frag < MUST_RECEIVE_FRAG) {
		return bind_fail(req, EPROTO, "the server wants fragments of %u bytes",
				 ack->max_recv_frag);
	}
	client->max_xmit = ack->max_recv_frag < state->params.max_frag ? ack->max_recv_frag
								       : state->params.max_frag;
	client->assoc_group_id = ack->assoc_group_id;
	client->mpx = (hdr->flags & RPC_PFC_CONC_MPX) != 0;
	client->header_sign = client->sec != NULL && (hdr->flags & RPC_PFC_SUPPORT_HDRSIGN) != 0;
	return 0;
}

static int check_results(struct tevent_req *req, const struct pdu_bind_ack *ack)
{
	const struct pdu_result *result = ack->results;

	if (ack->n_results < 1) {
		return bind_fail(req, EPROTO, "the server accepts nothing and refuses nothing");
	}
	if (result->result != 0) {
		return bind_fail(req, EPROTONOSUPPORT,
				 "the interface is not served there (result %u, reason %u)",
				 result->result, result->reason);
	}
	if (!rpc_syntax_equal(&result->transfer, &ndr20)) {
		return bind_fail(req, EPROTO, "the server chose a transfer syntax on its own");
	}
	return 0;
}

/* The token in the answer to a leg: feed it, or check that none is expected. */
static int take_token(struct tevent_req *req, const struct pdu_auth *auth)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	struct rpc_client *client = state->client;
	bool token = auth->present && auth->value_len > 0;

	if (client->sec == NULL || rpc_sec_done(client->sec)) {
		/* The last answer of SPNEGO may repeat that it is complete; Kerberos was complete before. */
		bind_finish(req);
		return 0;
	}
	if (!token) {
		return bind_fail(req, EACCES, "the server does not go on with the authentication");
	}
	if (auth->type != client->auth_type || auth->level != client->auth_level ||
	    auth->context_id != CLIENT_AUTH_CONTEXT_ID) {
		return bind_fail(req, EPROTO, "the server answers another authentication");
	}
	if (++state->legs > LEGS_MAX) {
		return bind_fail(req, EPROTO, "the authentication does not end");
	}
	step_start(req, auth->value, auth->value_len);
	return 0;
}

static int on_ack(struct tevent_req *req, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	struct pdu_bind_ack ack = {.n_results = 0};
	TALLOC_CTX *tmp = talloc_new(state);
	int err;

	if (tmp == NULL) {
		return bind_fail(req, ENOMEM, "out of memory");
	}
	err = pdu_pull_bind_ack(tmp, pdu, hdr, &ack);
	if (err != 0 || hdr->call_id != BIND_CALL_ID || hdr->big_endian) {
		err = bind_fail(req, err == ENOMEM ? err : EPROTO,
				"the answer to the bind cannot be decoded");
	}
	if (err == 0 && hdr->ptype == RPC_BIND_ACK) {
		err = check_results(req, &ack);
		err = err != 0 ? err : take_terms(req, hdr, &ack);
	}
	if (err == 0) {
		err = take_token(req, &ack.auth);
	}
	talloc_free(tmp);
	return err;
}

static int on_nak(struct tevent_req *req, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	uint16_t reason = 0;

	if (pdu_pull_bind_nak(pdu, hdr, &reason) != 0) {
		return bind_fail(req, EPROTO, "the refusal of the bind cannot be decoded");
	}
	switch (reason) {
	case RPC_NAK_TEMPORARY_CONGESTION:
	case RPC_NAK_LOCAL_LIMIT_EXCEEDED:
		return bind_fail(req, ECONNREFUSED, "the server is too busy (reason %u)", reason);
	case RPC_NAK_AUTH_TYPE_NOT_RECOGNIZED:
		return bind_fail(req, EACCES, "the server does not know this authentication");
	case RPC_NAK_INVALID_CHECKSUM:
		return bind_fail(req, EACCES, "the server refuses the authentication");
	default:
		return bind_fail(req, EPROTO, "the server refuses the bind (reason %u)", reason);
	}
}

static int on_bind_fault(struct tevent_req *req, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	uint32_t status = 0;

	if (pdu_pull_fault(pdu, hdr, &status) != 0) {
		return bind_fail(req, EPROTO, "a fault of the server cannot be decoded");
	}
	if (status == RPC_FAULT_ACCESS_DENIED || status == RPC_FAULT_SEC_PKG_ERROR) {
		return bind_fail(req, EACCES, "the server refuses the authentication (0x%08x)",
				 status);
	}
	return bind_fail(req, EPROTO, "the server answers the bind with fault 0x%08x", status);
}

int client_bind_pdu(struct tevent_req *binding, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(binding, struct rpc_client_connect_state);

	if (state->phase == BIND_WAIT_ACK && hdr->ptype == RPC_BIND_ACK) {
		return on_ack(binding, hdr, pdu);
	}
	if (state->phase == BIND_WAIT_ACK && hdr->ptype == RPC_BIND_NAK) {
		return on_nak(binding, hdr, pdu);
	}
	if (state->phase == BIND_WAIT_ALTER_RESP && hdr->ptype == RPC_ALTER_CONTEXT_RESP) {
		return on_ack(binding, hdr, pdu);
	}
	if (state->phase != BIND_SILENT && hdr->ptype == RPC_FAULT) {
		return on_bind_fault(binding, hdr, pdu);
	}
	return bind_fail(binding, EPROTO, "PDU of type %u while binding", hdr->ptype);
}

void client_bind_lost(struct tevent_req *binding, int err)
{
	bind_fail(binding, err, "connection lost while binding: %s", strerror(err));
}

int rpc_client_connect_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_client **out,
			    char **why)
{
	struct rpc_client_connect_state *state =
		tevent_req_data(req, struct rpc_client_connect_state);
	int err = req_errno(req);

	if (err == 0) {
		*out = talloc_move(mem_ctx, &state->client);
	} else if (why != NULL) {
		*why = state->why != NULL ? talloc_steal(mem_ctx, state->why)
					  : talloc_strdup(mem_ctx, strerror(err));
	}
	tevent_req_received(req);
	return err;
}
