/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Structs to bytes: always little-endian, always with final lengths in the header. */
#include "witnessd/rpc/pdu.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/ndr.h"

#define OFF_FRAG_LENGTH 8
#define SINGLE_FRAG     (RPC_PFC_FIRST_FRAG | RPC_PFC_LAST_FRAG)
/* Protected stubs are padded to this, so that every cipher's block fits (spec section 7). */
#define AUTH_PAD 16

static void put_u16_at(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v & 0xff);
	p[1] = (uint8_t)((v >> 8) & 0xff);
}

static struct ndr_out push_begin(TALLOC_CTX *mem_ctx, uint8_t ptype, uint8_t flags,
				 uint32_t call_id)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_u8(&out, 5);
	ndr_out_u8(&out, 0);
	ndr_out_u8(&out, ptype);
	ndr_out_u8(&out, flags);
	ndr_out_u32(&out, 0x10); /* drep: little-endian, ASCII, IEEE */
	ndr_out_u32(&out, 0);    /* frag_length and auth_length come last */
	ndr_out_u32(&out, call_id);
	return out;
}

static int push_end(struct ndr_out *out, size_t auth_len, uint8_t **buf, size_t *len)
{
	int err = out->err;

	if (err == 0 && out->len > UINT16_MAX) {
		err = EMSGSIZE;
	}
	if (err != 0) {
		TALLOC_FREE(out->buf);
		return err;
	}
	put_u16_at(out->buf + OFF_FRAG_LENGTH, out->len);
	put_u16_at(out->buf + OFF_FRAG_LENGTH + 2, auth_len);
	*buf = out->buf;
	*len = out->len;
	return 0;
}

static void push_sec_trailer(struct ndr_out *out, const struct pdu_auth *auth, uint8_t pad_length)
{
	ndr_out_u8(out, auth->type);
	ndr_out_u8(out, auth->level);
	ndr_out_u8(out, pad_length);
	ndr_out_u8(out, 0);
	ndr_out_u32(out, auth->context_id);
}

/* The auth part of PDUs that carry tokens: the body before it is 4-aligned, the token is not padded. */
static void push_token(struct ndr_out *out, const struct pdu_auth *auth)
{
	if (auth->value_len == 0) {
		return;
	}
	push_sec_trailer(out, auth, 0);
	ndr_out_bytes(out, auth->value, auth->value_len);
}

static void push_syntax(struct ndr_out *out, const struct rpc_syntax *syntax)
{
	ndr_out_guid(out, &syntax->uuid);
	ndr_out_u32(out, (uint32_t)syntax->minor << 16 | syntax->major);
}

int pdu_push_bind(TALLOC_CTX *mem_ctx, uint8_t ptype, uint8_t flags, uint32_t call_id,
		  const struct pdu_bind *bind, uint8_t **out, size_t *len)
{
	struct ndr_out o = push_begin(mem_ctx, ptype, flags, call_id);

	ndr_out_u16(&o, bind->max_xmit_frag);
	ndr_out_u16(&o, bind->max_recv_frag);
	ndr_out_u32(&o, bind->assoc_group_id);
	ndr_out_u8(&o, bind->n_contexts);
	ndr_out_zero(&o, 3);
	for (unsigned int i = 0; i < bind->n_contexts; i++) {
		const struct pdu_context *ctx = &bind->contexts[i];

		if (ctx->n_transfer > PDU_MAX_TRANSFER) {
			TALLOC_FREE(o.buf);
			return EMSGSIZE;
		}
		ndr_out_u16(&o, ctx->id);
		ndr_out_u8(&o, ctx->n_transfer);
		ndr_out_u8(&o, 0);
		push_syntax(&o, &ctx->abstract);
		for (unsigned int t = 0; t < ctx->n_transfer; t++) {
			push_syntax(&o, &ctx->transfer[t]);
		}
	}
	push_token(&o, &bind->auth);
	return push_end(&o, bind->auth.value_len, out, len);
}

int pdu_push_bind_ack(TALLOC_CTX *mem_ctx, uint8_t ptype, uint8_t flags, uint32_t call_id,
		      const struct pdu_bind_ack *ack, uint8_t **out, size_t *len)
{
	struct ndr_out o = push_begin(mem_ctx, ptype, flags, call_id);
	size_t addr_len = ack->sec_addr == NULL ? 0 : strlen(ack->sec_addr);

	if (addr_len > 0) {
		addr_len++; /* the NUL is sent and counted; no address is no bytes at all */
	}
	ndr_out_u16(&o, ack->max_xmit_frag);
	ndr_out_u16(&o, ack->max_recv_frag);
	ndr_out_u32(&o, ack->assoc_group_id);
	ndr_out_u16(&o, (uint16_t)addr_len);
	ndr_out_bytes(&o, ack->sec_addr, addr_len);
	ndr_out_align(&o, 4);
	ndr_out_u8(&o, ack->n_results);
	ndr_out_zero(&o, 3);
	for (unsigned int i = 0; i < ack->n_results; i++) {
		ndr_out_u16(&o, ack->results[i].result);
		ndr_out_u16(&o, ack->results[i].reason);
		push_syntax(&o, &ack->results[i].transfer);
	}
	push_token(&o, &ack->auth);
	return push_end(&o, ack->auth.value_len, out, len);
}

int pdu_push_bind_nak(TALLOC_CTX *mem_ctx, uint32_t call_id, uint16_t reason, uint8_t **out,
		      size_t *len)
{
	struct ndr_out o = push_begin(mem_ctx, RPC_BIND_NAK, SINGLE_FRAG, call_id);

	ndr_out_u16(&o, reason);
	ndr_out_u8(&o, 1); /* one version is supported: */
	ndr_out_u8(&o, 5);
	ndr_out_u8(&o, 0);
	ndr_out_zero(&o, 3);
	return push_end(&o, 0, out, len);
}

int pdu_push_auth3(TALLOC_CTX *mem_ctx, uint32_t call_id, const struct pdu_auth *auth,
		   uint8_t **out, size_t *len)
{
	struct ndr_out o = push_begin(mem_ctx, RPC_AUTH3, SINGLE_FRAG, call_id);

	ndr_out_zero(&o, 4);
	push_token(&o, auth);
	return push_end(&o, auth->value_len, out, len);
}

int pdu_push_fault(TALLOC_CTX *mem_ctx, uint8_t flags, uint32_t call_id, uint16_t context_id,
		   uint32_t status, uint8_t **out, size_t *len)
{
	struct ndr_out o = push_begin(mem_ctx, RPC_FAULT, flags, call_id);

	ndr_out_u32(&o, 24); /* alloc_hint, as Samba has it */
	ndr_out_u16(&o, context_id);
	ndr_out_zero(&o, 2); /* cancel_count, flags */
	ndr_out_u32(&o, status);
	ndr_out_u32(&o, 0);
	return push_end(&o, 0, out, len);
}

int pdu_push_empty(TALLOC_CTX *mem_ctx, uint8_t ptype, uint32_t call_id, uint8_t **out, size_t *len)
{
	struct ndr_out o = push_begin(mem_ctx, ptype, SINGLE_FRAG, call_id);

	return push_end(&o, 0, out, len);
}

size_t pdu_frag_chunk(const struct pdu_frag_params *params)
{
	size_t overhead = PDU_REQUEST_HDR;
	size_t align = 8;

	if (params->sig_size > 0) {
		overhead += PDU_SEC_TRAILER_LEN + params->sig_size;
		align = AUTH_PAD;
	}
	if (params->max_xmit_frag < overhead) {
		return 0;
	}
	return (params->max_xmit_frag - overhead) / align * align;
}

int pdu_push_frag(TALLOC_CTX *mem_ctx, const struct pdu_frag_params *params, const uint8_t *stub,
		  size_t stub_len, size_t off, uint8_t **out, size_t *len, size_t *consumed)
{
	struct pdu_auth auth = {
		.type = params->auth_type,
		.level = params->auth_level,
		.context_id = params->auth_context_id,
	};
	size_t chunk = pdu_frag_chunk(params);
	size_t left = stub_len - off;
	size_t pad;
	uint8_t flags = off == 0 ? RPC_PFC_FIRST_FRAG : 0;
	struct ndr_out o;
	int ret;

	if (chunk == 0 || off > stub_len || left > UINT32_MAX) {
		return EMSGSIZE;
	}
	if (left <= chunk) {
		flags |= RPC_PFC_LAST_FRAG;
		chunk = left;
	}
	pad = (AUTH_PAD - chunk % AUTH_PAD) % AUTH_PAD;
	o = push_begin(mem_ctx, params->ptype, flags, params->call_id);
	ndr_out_reserve(&o, PDU_REQUEST_HDR - PDU_HDR_LEN + chunk + pad + PDU_SEC_TRAILER_LEN +
				    params->sig_size);
	ndr_out_u32(&o, (uint32_t)left);
	ndr_out_u16(&o, params->context_id);
	ndr_out_u16(&o, params->ptype == RPC_REQUEST ? params->opnum : 0);
	if (chunk > 0) {
		ndr_out_bytes(&o, stub + off, chunk);
	}
	if (params->sig_size > 0) {
		ndr_out_zero(&o, pad);
		push_sec_trailer(&o, &auth, (uint8_t)pad);
		ndr_out_zero(&o, params->sig_size);
	}
	ret = push_end(&o, params->sig_size, out, len);
	if (ret == 0) {
		*consumed = chunk;
	}
	return ret;
}
