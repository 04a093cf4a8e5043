/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection-oriented PDUs (C706 12.6): bytes to structs and back, for both sides, independent of
 * sockets and connection states. Pulling refuses only what cannot be decoded; whether a PDU is allowed
 * now is for the connection to decide. All pointers in pulled structs are borrowed from the buffer,
 * and every pdu_pull_x(pdu, hdr) needs hdr->frag_length bytes at pdu.
 */
#ifndef WITNESSD_RPC_PDU_H
#define WITNESSD_RPC_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/rpc/dcerpc.h"

#define PDU_HDR_LEN         16
#define PDU_REQUEST_HDR     24 /* + 16 with an object UUID */
#define PDU_SEC_TRAILER_LEN 8
#define PDU_BIND_FIXED      28 /* where the contexts of bind and alter_context begin */
#define PDU_AUTH3_FIXED     20

struct pdu_hdr {
	uint8_t rpc_vers, rpc_vers_minor;
	uint8_t ptype;
	uint8_t flags;
	uint8_t drep[4];
	bool big_endian; /* from drep[0] */
	uint16_t frag_length;
	uint16_t auth_length;
	uint32_t call_id;
};

/** Decode the 16 bytes that every PDU begins with. @return 0, or EBADMSG when len < 16 */
int pdu_pull_hdr(const uint8_t *buf, size_t len, struct pdu_hdr *out);

/* The auth part; present when auth_length > 0. */
struct pdu_auth {
	bool present;
	uint8_t type, level, pad_length;
	uint32_t context_id;
	size_t trailer_off;   /* of the sec_trailer in the PDU */
	const uint8_t *value; /* auth_value */
	size_t value_len;
};

/**
 * Find the auth part of a whole PDU. fixed_len is where the body after the fixed fields begins: an
 * auth part, or a pad_length, that reaches into the fixed part is refused, and a sec_trailer that is
 * not 4-aligned.
 * @return 0 (out->present false when auth_length is 0), EBADMSG (lengths that do not fit), or EPROTO
 *         (misaligned)
 */
int pdu_pull_auth(const uint8_t *pdu, const struct pdu_hdr *hdr, size_t fixed_len,
		  struct pdu_auth *out);

#define PDU_MAX_CONTEXTS 255 /* n_ctx is one octet */
#define PDU_MAX_TRANSFER 16

struct pdu_context {
	uint16_t id;
	uint8_t n_transfer; /* as sent; only the first PDU_MAX_TRANSFER are kept */
	struct rpc_syntax abstract;
	struct rpc_syntax transfer[PDU_MAX_TRANSFER];
};

/* bind and alter_context */
struct pdu_bind {
	uint16_t max_xmit_frag, max_recv_frag;
	uint32_t assoc_group_id;
	uint8_t n_contexts;
	struct pdu_context *contexts; /* a child of the mem_ctx given */
	struct pdu_auth auth;
};

/** @return 0, EBADMSG (n_ctx claims more than the PDU holds), EPROTO (bad auth part), ENOMEM */
int pdu_pull_bind(TALLOC_CTX *mem_ctx, const uint8_t *pdu, const struct pdu_hdr *hdr,
		  struct pdu_bind *out);

struct pdu_result {
	uint16_t result, reason;
	struct rpc_syntax transfer;
};

/* bind_ack and alter_context_resp */
struct pdu_bind_ack {
	uint16_t max_xmit_frag, max_recv_frag;
	uint32_t assoc_group_id;
	const char *sec_addr; /* "" for none */
	uint8_t n_results;
	struct pdu_result *results;
	struct pdu_auth
		auth; /* pulled; when pushing, value/value_len/type/level/context_id are used */
};

/** @return 0, EBADMSG (shorter than it claims, or a bad auth part), ENOMEM */
int pdu_pull_bind_ack(TALLOC_CTX *mem_ctx, const uint8_t *pdu, const struct pdu_hdr *hdr,
		      struct pdu_bind_ack *out);
/** @return 0 or EBADMSG */
int pdu_pull_bind_nak(const uint8_t *pdu, const struct pdu_hdr *hdr, uint16_t *reason);

/* request and response */
struct pdu_request {
	uint32_t alloc_hint;
	uint16_t context_id;
	uint16_t opnum;       /* request only */
	size_t body_off;      /* 24, or 40 with an object UUID */
	size_t body_len;      /* stub, verification trailer and padding: up to the sec_trailer */
	struct pdu_auth auth; /* auth.pad_length <= body_len */
};

/* All three: 0, or EBADMSG (lengths that do not fit; in the first two a bad auth part, too). */
int pdu_pull_request(const uint8_t *pdu, const struct pdu_hdr *hdr, struct pdu_request *out);
int pdu_pull_response(const uint8_t *pdu, const struct pdu_hdr *hdr, struct pdu_request *out);
int pdu_pull_fault(const uint8_t *pdu, const struct pdu_hdr *hdr, uint32_t *status);

/*
 * Building: little-endian, *out a child of mem_ctx, complete with its header. 0, ENOMEM or EMSGSIZE
 * (frag_length would not fit).
 */
int pdu_push_bind(TALLOC_CTX *mem_ctx, uint8_t ptype, uint8_t flags, uint32_t call_id,
		  const struct pdu_bind *bind, uint8_t **out, size_t *len);
int pdu_push_bind_ack(TALLOC_CTX *mem_ctx, uint8_t ptype, uint8_t flags, uint32_t call_id,
		      const struct pdu_bind_ack *ack, uint8_t **out, size_t *len);
int pdu_push_bind_nak(TALLOC_CTX *mem_ctx, uint32_t call_id, uint16_t reason, uint8_t **out,
		      size_t *len);
int pdu_push_auth3(TALLOC_CTX *mem_ctx, uint32_t call_id, const struct pdu_auth *auth,
		   uint8_t **out, size_t *len);
int pdu_push_fault(TALLOC_CTX *mem_ctx, uint8_t flags, uint32_t call_id, uint16_t context_id,
		   uint32_t status, uint8_t **out, size_t *len);
int pdu_push_empty(TALLOC_CTX *mem_ctx, uint8_t ptype, uint32_t call_id, uint8_t **out,
		   size_t *len); /* co_cancel, orphaned */

/*
 * Cutting a stub into request or response fragments (spec: chunk = max_xmit - 24 - (8 + sig_size when
 * protected), rounded down to 16 when protected, else 8). sig_size 0 = no auth part.
 */
struct pdu_frag_params {
	uint8_t ptype; /* RPC_REQUEST or RPC_RESPONSE */
	uint32_t call_id;
	uint16_t context_id, opnum;
	uint16_t max_xmit_frag;
	uint8_t auth_type, auth_level;
	uint32_t auth_context_id;
	size_t sig_size;
};

/** Stub bytes that fit in one fragment. */
size_t pdu_frag_chunk(const struct pdu_frag_params *params);

/**
 * Build the fragment that carries the stub from offset off on (0 <= off <= stub_len); auth_value is
 * zero and still to be written by rpc_sec_protect().
 * @param consumed stub bytes in this fragment
 */
int pdu_push_frag(TALLOC_CTX *mem_ctx, const struct pdu_frag_params *params, const uint8_t *stub,
		  size_t stub_len, size_t off, uint8_t **out, size_t *len, size_t *consumed);

struct ndr_in;
/** An abstract or transfer syntax (C706 12.6, p_syntax_id_t), aligned to 4. */
struct rpc_syntax pdu_pull_syntax(struct ndr_in *in);

/** Whether UUID and version are the same. */
bool rpc_syntax_equal(const struct rpc_syntax *a, const struct rpc_syntax *b);

#endif
