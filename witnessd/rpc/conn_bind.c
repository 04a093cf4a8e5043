/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bind and alter_context (C706 12.6.4.3, 12.6.4.1; MS-RPCE 3.3.1.5.3 for the bind-time features):
 * which interfaces the client may call, in which fragments, in which association group.
 */
#include "witnessd/rpc/conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "witnessd/util/log.h"

#define RESULT_ACCEPTED  0
#define RESULT_PROVIDER  2 /* provider rejection */
#define RESULT_NEGOTIATE 3 /* the reason field is the features */

#define REASON_NONE      0
#define REASON_ABSTRACT  1 /* interface not served here */
#define REASON_TRANSFER  2 /* no transfer syntax in common */
#define REASON_LIMIT     3

/* Several security contexts a connection; the connection survives an orphaned PDU. */
#define FEATURES     0x03
#define FEATURES_OFF 8 /* of the bit mask in the pseudo-syntax's UUID */

static const uint8_t feature_prefix[FEATURES_OFF] = {0x2c, 0x1c, 0xb7, 0x6c,
						     0x12, 0x98, 0x40, 0x45};
static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;

struct conn_context *conn_find_context(struct rpc_conn *conn, uint16_t id)
{
	struct conn_context *ctx;

	qb_list_for_each_entry (ctx, &conn->contexts, list) {
		if (ctx->id == id) {
			return ctx;
		}
	}
	return NULL;
}

/* Features are asked for as if they were a transfer syntax, and only the first one counts. */
static bool asks_features(const struct pdu_context *ask)
{
	return ask->n_transfer > 0 && ask->transfer[0].major == 1 && ask->transfer[0].minor == 0 &&
	       memcmp(ask->transfer[0].uuid.b, feature_prefix, sizeof(feature_prefix)) == 0;
}

static bool offers_ndr20(const struct pdu_context *ask)
{
	for (unsigned int i = 0; i < ask->n_transfer && i < PDU_MAX_TRANSFER; i++) {
		if (rpc_syntax_equal(&ask->transfer[i], &ndr20)) {
			return true;
		}
	}
	return false;
}

static void reject(struct pdu_result *answer, uint16_t reason)
{
	*answer = (struct pdu_result){.result = RESULT_PROVIDER, .reason = reason};
}

static void accept_context(struct pdu_result *answer)
{
	*answer = (struct pdu_result){.result = RESULT_ACCEPTED, .transfer = ndr20};
}

/* @return 0 or ENOMEM */
static int new_context(struct rpc_conn *conn, const struct pdu_context *ask, bool *accepted,
		       struct pdu_result *answer)
{
	const struct rpc_served *served = rpc_endpoint_find(conn->endpoint, &ask->abstract);
	struct conn_context *ctx;

	if (served == NULL) {
		reject(answer, REASON_ABSTRACT);
		return 0;
	}
	/* One per PDU, like Samba and Windows: the others are the same interface in other encodings. */
	if (!offers_ndr20(ask) || *accepted) {
		reject(answer, REASON_TRANSFER);
		return 0;
	}
	if (conn->num_contexts >= conn->server->limits.contexts) {
		conn_limit_note(conn, RPC_LIMIT_CONTEXTS);
		reject(answer, REASON_LIMIT);
		return 0;
	}
	ctx = talloc_zero(conn, struct conn_context);
	if (ctx == NULL) {
		return ENOMEM;
	}
	ctx->id = ask->id;
	ctx->served = served;
	qb_list_add_tail(&ctx->list, &conn->contexts);
	conn->num_contexts++;
	*accepted = true;
	accept_context(answer);
	return 0;
}

/* The client repeats an id: the same meaning again is fine, another one is not. */
static int known_context(const struct conn_context *ctx, const struct pdu_context *ask,
			 struct pdu_result *answer)
{
	if (!rpc_syntax_equal(&ctx->served->iface->syntax, &ask->abstract)) {
		return EPROTO;
	}
	if (!offers_ndr20(ask)) {
		reject(answer, REASON_TRANSFER);
		return 0;
	}
	accept_context(answer);
	return 0;
}

/**
 * Answer each context element.
 * @return 0, EPROTO (the client breaks the rules) or ENOMEM
 */
static int negotiate_contexts(struct rpc_conn *conn, const struct pdu_bind *bind, bool first,
			      struct pdu_result *answers)
{
	bool accepted = false, features = false;
	int ret = 0;

	for (unsigned int i = 0; i < bind->n_contexts && ret == 0; i++) {
		const struct pdu_context *ask = &bind->contexts[i];
		const struct conn_context *ctx = conn_find_context(conn, ask->id);

		if (ask->n_transfer == 0) {
			return EPROTO;
		}
		if (first && asks_features(ask)) {
			if (features) {
				return EPROTO;
			}
			features = true;
			answers[i].result = RESULT_NEGOTIATE;
			answers[i].reason = ask->transfer[0].uuid.b[FEATURES_OFF] & FEATURES;
		} else if (i >= conn->server->limits.contexts) {
			reject(&answers[i], REASON_LIMIT);
		} else if (ctx != NULL) {
			ret = known_context(ctx, ask, &answers[i]);
		} else {
			ret = new_context(conn, ask, &accepted, &answers[i]);
		}
	}
	return ret;
}

/* The smaller of what the client can send and receive, within the limits of the protocol and ours. */
static uint16_t negotiate_frag(const struct pdu_bind *bind)
{
	uint16_t n = bind->max_xmit_frag < bind->max_recv_frag ? bind->max_xmit_frag
							       : bind->max_recv_frag;

	if (n < RPC_FRAG_MIN) {
		n = RPC_FRAG_MIN;
	}
	if (n > RPC_FRAG_MAX) {
		n = RPC_FRAG_MAX;
	}
	return n & 0xfff8;
}

/* The port as text in bind_ack, as Windows has it; nothing in alter_context_resp. */
static const char *secondary_address(TALLOC_CTX *mem_ctx, const struct rpc_conn *conn,
				     uint8_t ptype)
{
	const char *text = "";

	if (ptype == RPC_BIND_ACK) {
		text = talloc_asprintf(mem_ctx, "%u", (unsigned int)conn->local_port);
	}
	return text == NULL ? "" : text;
}

/* An answer with room for a result for each context; NULL when memory is short. */
static struct conn_ack *new_ack(struct rpc_conn *conn, const struct pdu_hdr *hdr,
				const struct pdu_bind *bind)
{
	struct conn_ack *ack = talloc_zero(conn, struct conn_ack);

	if (ack == NULL) {
		return NULL;
	}
	ack->ptype = hdr->ptype == RPC_BIND ? RPC_BIND_ACK : RPC_ALTER_CONTEXT_RESP;
	ack->flags = CONN_FLAGS_SINGLE;
	ack->call_id = hdr->call_id;
	ack->ack.sec_addr = secondary_address(ack, conn, ack->ptype);
	ack->ack.n_results = bind->n_contexts;
	ack->ack.results = talloc_zero_array(ack, struct pdu_result, bind->n_contexts);
	if (ack->ack.results == NULL) {
		talloc_free(ack);
		return NULL;
	}
	return ack;
}

/* Header signing holds for the connection once either PDU has offered it. */
static void offer_header_sign(struct rpc_conn *conn, const struct pdu_hdr *hdr,
			      struct conn_ack *ack)
{
	if ((hdr->flags & RPC_PFC_SUPPORT_HDRSIGN) != 0) {
		conn->header_sign = true;
		ack->flags |= RPC_PFC_SUPPORT_HDRSIGN;
	}
}

static void fill_ack(struct rpc_conn *conn, struct conn_ack *ack)
{
	ack->ack.max_xmit_frag = conn->max_frag;
	ack->ack.max_recv_frag = conn->max_frag;
	ack->ack.assoc_group_id = conn->assoc->id;
}

/* @return whether the connection is in a group now */
static bool enter_group(struct rpc_conn *conn, uint32_t id)
{
	if (id == 0) {
		conn->assoc = rpc_assoc_create(conn->endpoint, &conn->remote);
	} else {
		conn->assoc = rpc_assoc_join(conn->endpoint, id, &conn->remote);
	}
	return conn->assoc != NULL;
}

/* A bind that cannot be decoded; a misplaced trailer is reported differently from one too long. */
static void refuse_bind(struct rpc_conn *conn, const struct pdu_hdr *hdr, const uint8_t *pdu,
			int err)
{
	struct pdu_auth auth;

	if (err == EBADMSG) {
		conn_close(conn, "its bind is cut short");
	} else if (err == ENOMEM) {
		conn_nak_close(conn, hdr->call_id, RPC_NAK_TEMPORARY_CONGESTION);
	} else if (pdu_pull_auth(pdu, hdr, PDU_BIND_FIXED, &auth) == EPROTO) {
		conn_nak_close(conn, hdr->call_id, RPC_NAK_NOT_SPECIFIED);
	} else {
		conn_nak_close(conn, hdr->call_id, RPC_NAK_PROTOCOL_VERSION_NOT_SUPPORTED);
	}
}

void conn_on_bind(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	TALLOC_CTX *frame = talloc_parent(pdu);
	struct pdu_bind bind;
	struct conn_ack *ack;
	int ret;

	ret = pdu_pull_bind(frame, pdu, hdr, &bind);
	if (ret != 0) {
		refuse_bind(conn, hdr, pdu, ret);
		return;
	}
	if (bind.n_contexts == 0) {
		conn_nak_close(conn, hdr->call_id, RPC_NAK_PROTOCOL_VERSION_NOT_SUPPORTED);
		return;
	}
	ack = new_ack(conn, hdr, &bind);
	if (ack == NULL) {
		conn_nak_close(conn, hdr->call_id, RPC_NAK_TEMPORARY_CONGESTION);
		return;
	}
	ret = negotiate_contexts(conn, &bind, true, ack->ack.results);
	if (ret != 0 || !enter_group(conn, bind.assoc_group_id)) {
		talloc_free(ack);
		conn_nak_close(conn, hdr->call_id, RPC_NAK_NOT_SPECIFIED);
		return;
	}
	conn->max_frag = negotiate_frag(&bind);
	offer_header_sign(conn, hdr, ack);
	if ((hdr->flags & RPC_PFC_CONC_MPX) != 0) {
		conn->mpx = true;
		ack->flags |= RPC_PFC_CONC_MPX;
	}
	fill_ack(conn, ack);
	if (bind.auth.present) {
		conn_auth_bind(conn, ack, &bind.auth, pdu);
		return;
	}
	wheel_cancel(&conn->setup_timer);
	conn_send_ack(conn, ack);
	conn_enter(conn, CONN_READY);
}

void conn_on_alter(struct rpc_conn *conn, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	TALLOC_CTX *frame = talloc_parent(pdu);
	struct pdu_bind bind;
	struct conn_ack *ack = NULL;
	int ret;

	ret = pdu_pull_bind(frame, pdu, hdr, &bind);
	if (ret == 0 && (bind.n_contexts == 0 || conn->incomplete != NULL)) {
		ret = EPROTO;
	}
	if (ret == 0) {
		ack = new_ack(conn, hdr, &bind);
		ret = ack == NULL ? ENOMEM
				  : negotiate_contexts(conn, &bind, false, ack->ack.results);
	}
	if (ret != 0) {
		talloc_free(ack);
		conn_fault_close(conn, CONN_FLAGS_UNDONE, hdr->call_id, 0,
				 ret == ENOMEM ? RPC_FAULT_OUT_OF_RESOURCES
					       : RPC_FAULT_PROTO_ERROR);
		return;
	}
	offer_header_sign(conn, hdr, ack);
	fill_ack(conn, ack);
	if (bind.auth.present) {
		conn_auth_alter(conn, ack, &bind.auth, pdu);
	} else {
		conn_send_ack(conn, ack);
	}
}
