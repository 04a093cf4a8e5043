/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PDUs captured on the wire, read and written again; their prefixes and mutations; fragments. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/hex.h"
#include "witnessd/rpc/pdu.h"

#define PDU_MAX 1024

static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;
static const struct rpc_syntax epm = RPC_SYNTAX_EPM;
static const struct rpc_syntax witness = RPC_SYNTAX_WITNESS;

#define NDR20   "045d888aeb1cc9119fe808002b104860 02000000"
#define EPM     "0883afe11f5dc91191a408002b14a0fa 03000000"
#define WITNESS "74c0d8cce5d0404a92b4d074faa6ba28 01000100"

static const char bind_epm[] = "05000b03 10000000 48000000 01000000 b810b810 00000000 01000000 "
			       "00000100" EPM NDR20;
static const char bind_ack_epm[] = "05000c03 10000000 3c000000 01000000 b810b810 73a20000 0400 "
				   "31333500 0000 01000000 0000 0000" NDR20;
static const char bind_ntlm[] =
	"05000b07 10000000 78002800 03000000 b810b810 00000000 01000000 00000100" WITNESS NDR20
	"0a050000 01000000 4e544c4d53535000 01000000 15820862 00000000 00000000 00000000 00000000"
	"00000000 00000000";
static const char auth3[] = "05001003 10000000 2c001000 03000000 00000000 0a050000 01000000"
			    "4e544c4d53535000 03000000 00000000";
static const char request_signed[] =
	"05000003 10000000 70001000 04000000 3c000000 0000 0000 8ae3137102f43671 0100 0400 "
	"01000000 0240 2800" WITNESS NDR20 "00000000 0a050400 01000000 01000000 1a2e45151adf22f4 "
	"00000000";
static const char fault5[] =
	"05000303 10000000 20000000 04000000 18000000 0000 00 00 05000000 00000000";
static const char alter_resp[] =
	"05000f03 10000000 5d001d00 01000000 d016d016 0b9a0000 0000 0000 01000000 0000 0000" NDR20
	"09050000 01000000 a11b3019 a0030a0100 a312 0410 01000000 1122334455667788 00000000";
static const char bind_nak[] = "05000d03 10000000 18000000 01000000 0400 01 05 00 000000";
static const char bind_big_endian[] =
	"05000b03 00000000 00480000 00000001 10b810b8 00000000 01000000 00000100 "
	"e1af8308 5d1f 11c9 91a408002b14a0fa 00000003 8a885d04 1ceb 11c9 9fe808002b104860 00000002";

static const char *const vectors[] = {bind_epm,   bind_ack_epm,   bind_ntlm,
				      auth3,      request_signed, fault5,
				      alter_resp, bind_nak,       bind_big_endian};

static struct pdu_hdr whole(const char *text, uint8_t buf[PDU_MAX])
{
	struct pdu_hdr hdr;
	size_t len = unhex(text, buf, PDU_MAX);

	assert_int_equal(pdu_pull_hdr(buf, len, &hdr), 0);
	assert_int_equal(hdr.frag_length, len);
	assert_int_equal(hdr.rpc_vers, 5);
	return hdr;
}

static void expect_bytes(const char *text, uint8_t *pdu, size_t len)
{
	uint8_t buf[PDU_MAX];

	assert_int_equal(unhex(text, buf, PDU_MAX), len);
	assert_memory_equal(pdu, buf, len);
	talloc_free(pdu);
}

static void bind_both_ways(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t buf[PDU_MAX], *pdu;
	struct pdu_hdr hdr = whole(bind_epm, buf);
	struct pdu_bind bind;
	size_t len;

	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), 0);
	assert_int_equal(hdr.ptype, RPC_BIND);
	assert_int_equal(hdr.call_id, 1);
	assert_int_equal(bind.max_xmit_frag, 4280);
	assert_int_equal(bind.max_recv_frag, 4280);
	assert_int_equal(bind.n_contexts, 1);
	assert_int_equal(bind.contexts[0].n_transfer, 1);
	assert_true(rpc_syntax_equal(&bind.contexts[0].abstract, &epm));
	assert_true(rpc_syntax_equal(&bind.contexts[0].transfer[0], &ndr20));
	assert_false(bind.auth.present);
	assert_int_equal(pdu_push_bind(tmp, RPC_BIND, 3, 1, &bind, &pdu, &len), 0);
	expect_bytes(bind_epm, pdu, len);
	talloc_free(tmp);
}

static void a_big_endian_bind_reads_the_same(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t buf[PDU_MAX], *pdu;
	struct pdu_hdr hdr = whole(bind_big_endian, buf);
	struct pdu_bind bind;
	size_t len;

	assert_true(hdr.big_endian);
	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), 0);
	assert_int_equal(pdu_push_bind(tmp, hdr.ptype, hdr.flags, hdr.call_id, &bind, &pdu, &len),
			 0);
	expect_bytes(bind_epm, pdu, len);
	talloc_free(tmp);
}

static void bind_with_a_token_both_ways(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t buf[PDU_MAX], *pdu;
	struct pdu_hdr hdr = whole(bind_ntlm, buf);
	struct pdu_bind bind;
	size_t len;

	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), 0);
	assert_true(rpc_syntax_equal(&bind.contexts[0].abstract, &witness));
	assert_true(bind.auth.present);
	assert_int_equal(bind.auth.type, RPC_AUTH_NTLM);
	assert_int_equal(bind.auth.level, RPC_LEVEL_INTEGRITY);
	assert_int_equal(bind.auth.context_id, 1);
	assert_int_equal(bind.auth.value_len, 40);
	assert_memory_equal(bind.auth.value, "NTLMSSP", 8);
	assert_int_equal(pdu_push_bind(tmp, RPC_BIND, 7, 3, &bind, &pdu, &len), 0);
	expect_bytes(bind_ntlm, pdu, len);
	talloc_free(tmp);
}

static void auth3_both_ways(void **state)
{
	uint8_t buf[PDU_MAX], *pdu;
	struct pdu_hdr hdr = whole(auth3, buf);
	struct pdu_auth auth;
	size_t len;

	assert_int_equal(pdu_pull_auth(buf, &hdr, PDU_AUTH3_FIXED, &auth), 0);
	assert_int_equal(auth.value_len, 16);
	assert_int_equal(pdu_push_auth3(NULL, 3, &auth, &pdu, &len), 0);
	expect_bytes(auth3, pdu, len);
}

static void acks_both_ways(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t buf[PDU_MAX], *pdu;
	struct pdu_hdr hdr = whole(bind_ack_epm, buf);
	struct pdu_bind_ack ack;
	size_t len;

	assert_int_equal(pdu_pull_bind_ack(tmp, buf, &hdr, &ack), 0);
	assert_string_equal(ack.sec_addr, "135");
	assert_int_equal(ack.assoc_group_id, 0xa273);
	assert_int_equal(ack.n_results, 1);
	assert_int_equal(ack.results[0].result, 0);
	assert_true(rpc_syntax_equal(&ack.results[0].transfer, &ndr20));
	assert_int_equal(pdu_push_bind_ack(tmp, RPC_BIND_ACK, 3, 1, &ack, &pdu, &len), 0);
	expect_bytes(bind_ack_epm, pdu, len);

	hdr = whole(alter_resp, buf);
	assert_int_equal(pdu_pull_bind_ack(tmp, buf, &hdr, &ack), 0);
	assert_string_equal(ack.sec_addr, "");
	assert_int_equal(ack.max_xmit_frag, 5840);
	assert_int_equal(ack.auth.type, RPC_AUTH_SPNEGO);
	assert_int_equal(ack.auth.value_len, 29);
	assert_int_equal(pdu_push_bind_ack(tmp, RPC_ALTER_CONTEXT_RESP, 3, 1, &ack, &pdu, &len), 0);
	expect_bytes(alter_resp, pdu, len);
	talloc_free(tmp);
}

static void refusals_both_ways(void **state)
{
	uint8_t buf[PDU_MAX], *pdu;
	struct pdu_hdr hdr = whole(fault5, buf);
	uint16_t reason;
	uint32_t status;
	size_t len;

	assert_int_equal(pdu_pull_fault(buf, &hdr, &status), 0);
	assert_int_equal(status, RPC_FAULT_ACCESS_DENIED);
	assert_int_equal(pdu_push_fault(NULL, 3, 4, 0, RPC_FAULT_ACCESS_DENIED, &pdu, &len), 0);
	expect_bytes(fault5, pdu, len);
	hdr = whole(bind_nak, buf);
	assert_int_equal(pdu_pull_bind_nak(buf, &hdr, &reason), 0);
	assert_int_equal(reason, 4);
	assert_int_equal(pdu_push_bind_nak(NULL, 1, 4, &pdu, &len), 0);
	expect_bytes(bind_nak, pdu, len);
	assert_int_equal(pdu_push_empty(NULL, RPC_CO_CANCEL, 7, &pdu, &len), 0);
	expect_bytes("05001203 10000000 10000000 07000000", pdu, len);
}

static void a_signed_request_is_taken_apart(void **state)
{
	uint8_t buf[PDU_MAX], *pdu;
	struct pdu_hdr hdr = whole(request_signed, buf);
	struct pdu_request req;
	struct pdu_frag_params params = {.ptype = RPC_REQUEST,
					 .call_id = 4,
					 .max_xmit_frag = 4280,
					 .auth_type = RPC_AUTH_NTLM,
					 .auth_level = RPC_LEVEL_INTEGRITY,
					 .auth_context_id = 1,
					 .sig_size = 16};
	size_t len, consumed;

	assert_int_equal(pdu_pull_request(buf, &hdr, &req), 0);
	assert_int_equal(req.opnum, 0);
	assert_int_equal(req.alloc_hint, 60);
	assert_int_equal(req.body_off, 24);
	assert_int_equal(req.body_len, 64);
	assert_int_equal(req.auth.trailer_off, 88);
	assert_int_equal(req.auth.pad_length, 4);
	assert_int_equal(req.auth.value_len, 16);
	/* written again it is the same but for the signature */
	assert_int_equal(pdu_push_frag(NULL, &params, buf + 24, 60, 0, &pdu, &len, &consumed), 0);
	assert_int_equal(consumed, 60);
	memcpy(pdu + 96, buf + 96, 16);
	expect_bytes(request_signed, pdu, len);
}

static void object_uuids_shift_the_stub(void **state)
{
	uint8_t buf[PDU_MAX];
	struct pdu_hdr hdr = whole("05000083 10000000 2c000000 05000000 00000000 0000 0100"
				   "00000000000000000000000000000000 61626364",
				   buf);
	struct pdu_request req;

	assert_int_equal(pdu_pull_request(buf, &hdr, &req), 0);
	assert_int_equal(req.body_off, 40);
	assert_int_equal(req.body_len, 4);
	assert_int_equal(req.opnum, 1);
	hdr.frag_length = 39;
	assert_int_equal(pdu_pull_request(buf, &hdr, &req), EBADMSG);
}

static void auth_parts_that_cannot_be_there_are_refused(void **state)
{
	static const struct {
		uint16_t auth_length;
		uint8_t pad;
		int err;
	} rows[] = {
		{16, 4, 0},      {16, 64, 0},      {16, 65, EBADMSG}, {16, 255, EBADMSG},
		{80, 0, 0},      {81, 0, EBADMSG}, {104, 0, EBADMSG}, {0xffff, 0, EBADMSG},
		{15, 0, EPROTO}, {18, 0, EPROTO},
	};
	uint8_t buf[PDU_MAX];
	struct pdu_hdr hdr = whole(request_signed, buf);
	struct pdu_auth auth;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t trailer = hdr.frag_length - rows[i].auth_length - 8U;

		(void)whole(request_signed, buf);
		hdr.auth_length = rows[i].auth_length;
		if (trailer <= sizeof(buf) - 8) {
			buf[trailer + 2] = rows[i].pad;
		}
		assert_int_equal(pdu_pull_auth(buf, &hdr, 24, &auth), rows[i].err);
	}
	hdr.auth_length = 0;
	assert_int_equal(pdu_pull_auth(buf, &hdr, 24, &auth), 0);
	assert_false(auth.present);
	hdr.frag_length = 23;
	assert_int_equal(pdu_pull_auth(buf, &hdr, 24, &auth), EBADMSG);
}

static void contexts_that_are_not_there_are_refused(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t buf[PDU_MAX];
	struct pdu_hdr hdr = whole(bind_epm, buf);
	struct pdu_bind bind;

	buf[24] = 2;
	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), EBADMSG);
	buf[24] = 255;
	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), EBADMSG);
	buf[24] = 1;
	buf[30] = 2;
	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), EBADMSG);
	buf[30] = 255;
	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), EBADMSG);
	buf[24] = 0;
	assert_int_equal(pdu_pull_bind(tmp, buf, &hdr, &bind), 0);
	assert_int_equal(bind.n_contexts, 0);
	assert_null(bind.contexts);
	talloc_free(tmp);
}

/* Each reader over something; results do not matter, sanitizers do. In a block of its exact size. */
static void read_all(const uint8_t *bytes, size_t len)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t *pdu = talloc_memdup(tmp, bytes, len);
	struct pdu_hdr hdr;
	struct pdu_bind bind;
	struct pdu_bind_ack ack;
	struct pdu_request req;
	struct pdu_auth auth;
	uint16_t reason;
	uint32_t status;

	if (pdu_pull_hdr(pdu, len, &hdr) == 0 && hdr.frag_length <= len) {
		(void)pdu_pull_bind(tmp, pdu, &hdr, &bind);
		(void)pdu_pull_bind_ack(tmp, pdu, &hdr, &ack);
		(void)pdu_pull_bind_nak(pdu, &hdr, &reason);
		(void)pdu_pull_fault(pdu, &hdr, &status);
		(void)pdu_pull_response(pdu, &hdr, &req);
		(void)pdu_pull_auth(pdu, &hdr, PDU_AUTH3_FIXED, &auth);
		if (pdu_pull_request(pdu, &hdr, &req) == 0) {
			assert_true(req.body_off + req.body_len <= len);
		}
	}
	talloc_free(tmp);
}

static void every_prefix_is_read_safely(void **state)
{
	uint8_t buf[PDU_MAX];

	for (size_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++) {
		size_t len = unhex(vectors[v], buf, PDU_MAX);
		bool be = buf[4] == 0;

		for (size_t n = 0; n < len; n++) {
			uint8_t cut[PDU_MAX];

			read_all(buf, n);
			memcpy(cut, buf, len); /* and when its header agrees with it */
			cut[8] = (uint8_t)(be ? n >> 8 : n & 0xff);
			cut[9] = (uint8_t)(be ? n & 0xff : n >> 8);
			read_all(cut, n);
		}
	}
}

static void mutations_are_read_safely(void **state)
{
	uint8_t buf[PDU_MAX];
	uint32_t random = 20261121;

	for (size_t v = 0; v < sizeof(vectors) / sizeof(vectors[0]); v++) {
		for (int round = 0; round < 5000; round++) {
			size_t len = unhex(vectors[v], buf, PDU_MAX);

			for (int k = 0; k < 1 + round % 4; k++) {
				random = random * 1664525 + 1013904223;
				buf[(random >> 8) % len] = (uint8_t)(random >> 24);
			}
			read_all(buf, len);
		}
	}
}

/* The table of spec section 4: negotiated size, chunk and the fragments of a stub. */
static void fragments_are_as_large_as_agreed(void **state)
{
	static const struct {
		uint16_t max_xmit;
		size_t sig, chunk;
	} rows[] = {{4280, 16, 4224}, {2048, 16, 2000}, {5840, 0, 5816},
		    {2048, 0, 2024},  {5840, 76, 5728}, {2048, 28, 1984}};
	uint8_t stub[20000];

	for (size_t i = 0; i < sizeof(stub); i++) {
		stub[i] = (uint8_t)(i * 7);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pdu_frag_params params = {.ptype = RPC_RESPONSE,
						 .call_id = 9,
						 .max_xmit_frag = rows[i].max_xmit,
						 .sig_size = rows[i].sig};
		size_t off = 0, len, consumed;
		uint8_t *pdu;

		assert_int_equal(pdu_frag_chunk(&params), rows[i].chunk);
		while (off < sizeof(stub)) {
			struct pdu_hdr hdr;
			struct pdu_request res;

			assert_int_equal(pdu_push_frag(NULL, &params, stub, sizeof(stub), off, &pdu,
						       &len, &consumed),
					 0);
			assert_int_equal(pdu_pull_hdr(pdu, len, &hdr), 0);
			assert_int_equal(hdr.frag_length, len);
			assert_true(len <= rows[i].max_xmit);
			assert_int_equal(pdu_pull_response(pdu, &hdr, &res), 0);
			assert_int_equal(res.alloc_hint, sizeof(stub) - off);
			assert_int_equal(res.body_len - res.auth.pad_length, consumed);
			assert_int_equal(rows[i].sig == 0 ? 0 : res.body_len % 16, 0);
			assert_memory_equal(pdu + 24, stub + off, consumed);
			assert_int_equal(hdr.flags & 1, off == 0);
			off += consumed;
			assert_int_equal((hdr.flags & 2) != 0, off == sizeof(stub));
			talloc_free(pdu);
		}
	}
}

static void what_does_not_fit_is_not_written(void **state)
{
	struct pdu_frag_params params = {.max_xmit_frag = 100, .sig_size = 76};
	static const uint8_t token[65535];
	struct pdu_auth auth = {.type = 9, .level = 5, .value = token, .value_len = 65535 - 28};
	uint8_t *pdu;
	size_t len, consumed;

	assert_int_equal(pdu_push_frag(NULL, &params, token, 10, 0, &pdu, &len, &consumed),
			 EMSGSIZE);
	params.max_xmit_frag = 2048;
	assert_int_equal(pdu_push_frag(NULL, &params, token, 10, 11, &pdu, &len, &consumed),
			 EMSGSIZE);
	assert_int_equal(pdu_push_auth3(NULL, 1, &auth, &pdu, &len), 0);
	assert_int_equal(len, 65535);
	talloc_free(pdu);
	auth.value_len++;
	assert_int_equal(pdu_push_auth3(NULL, 1, &auth, &pdu, &len), EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bind_both_ways),
		cmocka_unit_test(a_big_endian_bind_reads_the_same),
		cmocka_unit_test(bind_with_a_token_both_ways),
		cmocka_unit_test(auth3_both_ways),
		cmocka_unit_test(acks_both_ways),
		cmocka_unit_test(refusals_both_ways),
		cmocka_unit_test(a_signed_request_is_taken_apart),
		cmocka_unit_test(object_uuids_shift_the_stub),
		cmocka_unit_test(auth_parts_that_cannot_be_there_are_refused),
		cmocka_unit_test(contexts_that_are_not_there_are_refused),
		cmocka_unit_test(every_prefix_is_read_safely),
		cmocka_unit_test(mutations_are_read_safely),
		cmocka_unit_test(fragments_are_as_large_as_agreed),
		cmocka_unit_test(what_does_not_fit_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
