/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PDUs: each reader over whatever a header announces; what is read as a bind must survive being written. */
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static void check_auth(const struct pdu_hdr *hdr, const struct pdu_auth *auth)
{
	if (auth->present) {
		must(auth->trailer_off + PDU_SEC_TRAILER_LEN + auth->value_len == hdr->frag_length);
		must(auth->pad_length <= auth->trailer_off);
	}
}

static void try_request(const uint8_t *pdu, const struct pdu_hdr *hdr)
{
	struct pdu_request req;

	if (pdu_pull_request(pdu, hdr, &req) == 0) {
		check_auth(hdr, &req.auth);
		must(req.body_off + req.body_len <= hdr->frag_length);
		must(!req.auth.present || req.auth.pad_length <= req.body_len);
	}
	if (pdu_pull_response(pdu, hdr, &req) == 0) {
		check_auth(hdr, &req.auth);
		must(req.body_off + req.body_len <= hdr->frag_length);
	}
}

static void try_bind(TALLOC_CTX *mem_ctx, const uint8_t *pdu, const struct pdu_hdr *hdr)
{
	struct pdu_bind bind, again;
	struct pdu_hdr hdr2;
	uint8_t *buf;
	size_t len;

	if (pdu_pull_bind(mem_ctx, pdu, hdr, &bind) != 0) {
		return;
	}
	check_auth(hdr, &bind.auth);
	if (pdu_push_bind(mem_ctx, hdr->ptype, hdr->flags, hdr->call_id, &bind, &buf, &len) != 0) {
		return; /* more transfer syntaxes than are kept */
	}
	must(pdu_pull_hdr(buf, len, &hdr2) == 0 && hdr2.frag_length == len);
	must(pdu_pull_bind(mem_ctx, buf, &hdr2, &again) == 0);
	must(again.n_contexts == bind.n_contexts && again.assoc_group_id == bind.assoc_group_id);
	must(again.auth.value_len == bind.auth.value_len);
	for (unsigned int i = 0; i < bind.n_contexts; i++) {
		must(memcmp(&again.contexts[i], &bind.contexts[i], sizeof(bind.contexts[i])) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct pdu_bind_ack ack;
	struct pdu_auth auth;
	struct pdu_hdr hdr;
	uint16_t reason;
	uint32_t status;

	if (pdu_pull_hdr(data, size, &hdr) == 0 && hdr.frag_length >= PDU_HDR_LEN &&
	    hdr.frag_length <= size) {
		try_request(data, &hdr);
		try_bind(mem_ctx, data, &hdr);
		if (pdu_pull_auth(data, &hdr, PDU_AUTH3_FIXED, &auth) == 0) {
			check_auth(&hdr, &auth);
		}
		if (pdu_pull_bind_ack(mem_ctx, data, &hdr, &ack) == 0) {
			check_auth(&hdr, &ack.auth);
			must(strlen(ack.sec_addr) < hdr.frag_length);
		}
		(void)pdu_pull_bind_nak(data, &hdr, &reason);
		(void)pdu_pull_fault(data, &hdr, &status);
	}
	talloc_free(mem_ctx);
	return 0;
}
