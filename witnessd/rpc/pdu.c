/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes to structs. The other direction is pdu_push.c. */
#include "witnessd/rpc/pdu.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/ndr.h"

#define OBJECT_UUID_LEN 16
#define OFF_BIND_BODY   16 /* max_xmit_frag */
#define SYNTAX_LEN      20

bool rpc_syntax_equal(const struct rpc_syntax *a, const struct rpc_syntax *b)
{
	return guid_equal(&a->uuid, &b->uuid) && a->major == b->major && a->minor == b->minor;
}

int pdu_pull_hdr(const uint8_t *buf, size_t len, struct pdu_hdr *out)
{
	struct ndr_in in;
	struct pdu_hdr hdr = {0};

	if (len < PDU_HDR_LEN) {
		return EBADMSG;
	}
	/* The high half of drep[0] is the byte order of this very PDU, frag_length included. */
	hdr.big_endian = (buf[4] >> 4) == 0;
	in = ndr_in_init(buf, PDU_HDR_LEN, hdr.big_endian);
	hdr.rpc_vers = ndr_in_u8(&in);
	hdr.rpc_vers_minor = ndr_in_u8(&in);
	hdr.ptype = ndr_in_u8(&in);
	hdr.flags = ndr_in_u8(&in);
	ndr_in_bytes(&in, hdr.drep, sizeof(hdr.drep));
	hdr.frag_length = ndr_in_u16(&in);
	hdr.auth_length = ndr_in_u16(&in);
	hdr.call_id = ndr_in_u32(&in);
	*out = hdr;
	return in.err;
}

int pdu_pull_auth(const uint8_t *pdu, const struct pdu_hdr *hdr, size_t fixed_len,
		  struct pdu_auth *out)
{
	struct pdu_auth auth = {0};
	struct ndr_in in;
	size_t room;

	if (hdr->frag_length < fixed_len) {
		return EBADMSG;
	}
	if (hdr->auth_length == 0) {
		*out = auth;
		return 0;
	}
	room = hdr->frag_length - fixed_len;
	if (room < PDU_SEC_TRAILER_LEN || hdr->auth_length > room - PDU_SEC_TRAILER_LEN) {
		return EBADMSG;
	}
	auth.trailer_off = (size_t)hdr->frag_length - hdr->auth_length - PDU_SEC_TRAILER_LEN;
	if (auth.trailer_off % 4 != 0) {
		return EPROTO;
	}
	in = ndr_in_init(pdu + auth.trailer_off, PDU_SEC_TRAILER_LEN, hdr->big_endian);
	auth.present = true;
	auth.type = ndr_in_u8(&in);
	auth.level = ndr_in_u8(&in);
	auth.pad_length = ndr_in_u8(&in);
	(void)ndr_in_u8(&in);
	auth.context_id = ndr_in_u32(&in);
	if (auth.pad_length > auth.trailer_off - fixed_len) {
		return EBADMSG;
	}
	auth.value = pdu + auth.trailer_off + PDU_SEC_TRAILER_LEN;
	auth.value_len = hdr->auth_length;
	*out = auth;
	return 0;
}

/* Where the body ends: at the padding before the auth part, or at the end of the PDU. */
static size_t body_end(const struct pdu_hdr *hdr, const struct pdu_auth *auth)
{
	return auth->present ? auth->trailer_off - auth->pad_length : hdr->frag_length;
}

struct rpc_syntax pdu_pull_syntax(struct ndr_in *in)
{
	struct rpc_syntax syntax;
	uint32_t version;

	syntax.uuid = ndr_in_guid(in);
	version = ndr_in_u32(in);
	syntax.major = (uint16_t)(version & 0xffff);
	syntax.minor = (uint16_t)(version >> 16);
	return syntax;
}

static void pull_context(struct ndr_in *in, struct pdu_context *ctx)
{
	ctx->id = ndr_in_u16(in);
	ctx->n_transfer = ndr_in_u8(in);
	(void)ndr_in_u8(in);
	ctx->abstract = pdu_pull_syntax(in);
	for (unsigned int i = 0; i < ctx->n_transfer; i++) {
		struct rpc_syntax syntax = pdu_pull_syntax(in);

		if (i < PDU_MAX_TRANSFER) {
			ctx->transfer[i] = syntax;
		}
	}
}

int pdu_pull_bind(TALLOC_CTX *mem_ctx, const uint8_t *pdu, const struct pdu_hdr *hdr,
		  struct pdu_bind *out)
{
	struct pdu_bind bind = {0};
	struct ndr_in in;
	int ret;

	if (hdr->frag_length < PDU_BIND_FIXED) {
		return EBADMSG;
	}
	ret = pdu_pull_auth(pdu, hdr, PDU_BIND_FIXED, &bind.auth);
	if (ret != 0) {
		return EPROTO;
	}
	in = ndr_in_init(pdu, body_end(hdr, &bind.auth), hdr->big_endian);
	(void)ndr_in_raw(&in, OFF_BIND_BODY);
	bind.max_xmit_frag = ndr_in_u16(&in);
	bind.max_recv_frag = ndr_in_u16(&in);
	bind.assoc_group_id = ndr_in_u32(&in);
	bind.n_contexts = ndr_in_u8(&in);
	(void)ndr_in_raw(&in, 3);
	/* At least id, count and abstract syntax each: nothing is allocated for what cannot be there. */
	if (in.err != 0 || (size_t)bind.n_contexts * (4 + SYNTAX_LEN) > in.len - in.off) {
		return EBADMSG;
	}
	if (bind.n_contexts > 0) {
		bind.contexts = talloc_zero_array(mem_ctx, struct pdu_context, bind.n_contexts);
		if (bind.contexts == NULL) {
			return ENOMEM;
		}
	}
	for (unsigned int i = 0; i < bind.n_contexts; i++) {
		pull_context(&in, &bind.contexts[i]);
	}
	if (in.err != 0) {
		talloc_free(bind.contexts);
		return in.err;
	}
	*out = bind;
	return 0;
}

/* A port as text, NUL-terminated as sent; "" for none. */
static const char *pull_sec_addr(struct ndr_in *in)
{
	uint16_t len = ndr_in_u16(in);
	const uint8_t *text = ndr_in_raw(in, len);

	if (text == NULL || len == 0) {
		return "";
	}
	if (text[len - 1] != '\0') {
		ndr_in_fail(in, EBADMSG);
		return "";
	}
	return (const char *)text;
}

int pdu_pull_bind_ack(TALLOC_CTX *mem_ctx, const uint8_t *pdu, const struct pdu_hdr *hdr,
		      struct pdu_bind_ack *out)
{
	struct pdu_bind_ack ack = {0};
	struct ndr_in in;
	int ret;

	ret = pdu_pull_auth(pdu, hdr, PDU_HDR_LEN + 10, &ack.auth);
	if (ret != 0) {
		return EBADMSG;
	}
	in = ndr_in_init(pdu, body_end(hdr, &ack.auth), hdr->big_endian);
	(void)ndr_in_raw(&in, OFF_BIND_BODY);
	ack.max_xmit_frag = ndr_in_u16(&in);
	ack.max_recv_frag = ndr_in_u16(&in);
	ack.assoc_group_id = ndr_in_u32(&in);
	ack.sec_addr = pull_sec_addr(&in);
	ndr_in_align(&in, 4);
	ack.n_results = ndr_in_u8(&in);
	(void)ndr_in_raw(&in, 3);
	if (in.err != 0 || (size_t)ack.n_results * (4 + SYNTAX_LEN) > in.len - in.off) {
		return EBADMSG;
	}
	if (ack.n_results > 0) {
		ack.results = talloc_zero_array(mem_ctx, struct pdu_result, ack.n_results);
		if (ack.results == NULL) {
			return ENOMEM;
		}
	}
	for (unsigned int i = 0; i < ack.n_results; i++) {
		ack.results[i].result = ndr_in_u16(&in);
		ack.results[i].reason = ndr_in_u16(&in);
		ack.results[i].transfer = pdu_pull_syntax(&in);
	}
	*out = ack;
	return 0;
}

int pdu_pull_bind_nak(const uint8_t *pdu, const struct pdu_hdr *hdr, uint16_t *reason)
{
	struct ndr_in in = ndr_in_init(pdu, hdr->frag_length, hdr->big_endian);
	uint16_t value;

	(void)ndr_in_raw(&in, PDU_HDR_LEN);
	value = ndr_in_u16(&in);
	if (in.err != 0) {
		return in.err;
	}
	*reason = value;
	return 0;
}

/* What request and response share; opnum is two other octets in a response. */
static int pull_call(const uint8_t *pdu, const struct pdu_hdr *hdr, size_t body_off,
		     struct pdu_request *out)
{
	struct pdu_request req = {.body_off = body_off};
	struct ndr_in in = ndr_in_init(pdu, hdr->frag_length, hdr->big_endian);
	int ret;

	ret = pdu_pull_auth(pdu, hdr, body_off, &req.auth);
	if (ret != 0) {
		return EBADMSG;
	}
	(void)ndr_in_raw(&in, PDU_HDR_LEN);
	req.alloc_hint = ndr_in_u32(&in);
	req.context_id = ndr_in_u16(&in);
	req.opnum = ndr_in_u16(&in);
	req.body_len = (req.auth.present ? req.auth.trailer_off : hdr->frag_length) - body_off;
	*out = req;
	return 0;
}

int pdu_pull_request(const uint8_t *pdu, const struct pdu_hdr *hdr, struct pdu_request *out)
{
	size_t body_off = PDU_REQUEST_HDR;

	if ((hdr->flags & RPC_PFC_OBJECT_UUID) != 0) {
		body_off += OBJECT_UUID_LEN;
	}
	return pull_call(pdu, hdr, body_off, out);
}

int pdu_pull_response(const uint8_t *pdu, const struct pdu_hdr *hdr, struct pdu_request *out)
{
	struct pdu_request res;
	int ret;

	ret = pull_call(pdu, hdr, PDU_REQUEST_HDR, &res);
	if (ret != 0) {
		return ret;
	}
	res.opnum = 0;
	*out = res;
	return 0;
}

int pdu_pull_fault(const uint8_t *pdu, const struct pdu_hdr *hdr, uint32_t *status)
{
	struct ndr_in in = ndr_in_init(pdu, hdr->frag_length, hdr->big_endian);
	uint32_t value;

	(void)ndr_in_raw(&in, PDU_REQUEST_HDR);
	value = ndr_in_u32(&in);
	if (in.err != 0) {
		return in.err;
	}
	*status = value;
	return 0;
}
