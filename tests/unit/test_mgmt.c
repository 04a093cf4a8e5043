/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The management interface, byte by byte (spec/dcerpc.md, section 13). */
#include "tests/unit/epm_rig.h"

static const struct rpc_syntax mgmt = RPC_SYNTAX_MGMT;

enum { INQ_IF_IDS, INQ_STATS, IS_LISTENING, STOP_LISTENING, INQ_PRINC_NAME };

static struct ndr_in ask(struct epm_rig *rig, uint16_t opnum, size_t num, const uint32_t *args)
{
	struct rpc_client *client = epm_rig_connect(rig, rig->port_one, &mgmt, 0);
	struct ndr_out in = ndr_out_init(rig);
	struct ndr_in out;

	for (size_t i = 0; i < num; i++) {
		ndr_out_u32(&in, args[i]);
	}
	assert_int_equal(epm_rig_call(rig, client, opnum, &in, &out), 0);
	talloc_free(client);
	return out;
}

static uint32_t ask_fault(struct epm_rig *rig, uint16_t opnum, size_t num, const uint32_t *args)
{
	struct rpc_client *client = epm_rig_connect(rig, rig->port_one, &mgmt, 0);
	struct ndr_out in = ndr_out_init(rig);
	struct ndr_in out;

	for (size_t i = 0; i < num; i++) {
		ndr_out_u32(&in, args[i]);
	}
	return epm_rig_call(rig, client, opnum, &in, &out);
}

static void expect_bytes(const struct ndr_in *answer, const void *bytes, size_t len)
{
	assert_int_equal(answer->len, len);
	assert_memory_equal(answer->buf, bytes, len);
}

#define TAIL_15 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

/* The interfaces of this endpoint, mapped or not; mgmt itself is left out. */
static void test_inq_if_ids(void **state)
{
	static const uint8_t expected[] = {0,
					   0,
					   2,
					   0,
					   3,
					   0,
					   0,
					   0,
					   3,
					   0,
					   0,
					   0,
					   4,
					   0,
					   2,
					   0,
					   8,
					   0,
					   2,
					   0,
					   0xc,
					   0,
					   2,
					   0,
					   0xaa,
					   TAIL_15,
					   1,
					   0,
					   EPM_RIG_MINOR,
					   0,
					   0xcc,
					   TAIL_15,
					   1,
					   0,
					   0,
					   0,
					   0xbb,
					   TAIL_15,
					   2,
					   0,
					   0,
					   0,
					   0,
					   0,
					   0,
					   0};
	struct ndr_in answer = ask(*state, INQ_IF_IDS, 0, NULL);

	expect_bytes(&answer, expected, sizeof(expected));
}

static void test_inq_stats(void **state)
{
	static const uint8_t refused[] = {0, 0, 0, 0, 0, 0, 0, 0, 0x32, 0, 0, 0};
	static const uint32_t four[] = {4, 0}, three[] = {3, 0}, huge[] = {0xffffffff, 0};
	struct epm_rig *rig = *state;
	struct ndr_in answer = ask(rig, INQ_STATS, 2, four);
	const struct rpc_stats *stats = rpc_server_stats(rig->server);
	uint32_t calls_in;

	assert_int_equal(answer.len, 28);
	assert_int_equal(ndr_in_u32(&answer), 4);
	assert_int_equal(ndr_in_u32(&answer), 4);
	calls_in = ndr_in_u32(&answer);
	assert_in_range(calls_in, 1, stats->calls_in);
	assert_int_equal(ndr_in_u32(&answer), stats->calls_out);
	assert_in_range(ndr_in_u32(&answer), 2, stats->pkts_in);  /* bind, request */
	assert_in_range(ndr_in_u32(&answer), 1, stats->pkts_out); /* bind_ack */
	assert_int_equal(ndr_in_u32(&answer), 0);
	answer = ask(rig, INQ_STATS, 2, three);
	expect_bytes(&answer, refused, sizeof(refused));
	answer = ask(rig, INQ_STATS, 2, huge);
	expect_bytes(&answer, refused, sizeof(refused));
	assert_int_equal(ask_fault(rig, INQ_STATS, 0, NULL), RPC_FAULT_BAD_STUB_DATA);
}

static void test_is_listening_and_cannot_be_stopped(void **state)
{
	static const uint8_t listening[] = {0, 0, 0, 0, 1, 0, 0, 0};
	static const uint8_t denied[] = {5, 0, 0, 0};
	struct ndr_in answer = ask(*state, IS_LISTENING, 0, NULL);

	expect_bytes(&answer, listening, sizeof(listening));
	answer = ask(*state, STOP_LISTENING, 0, NULL);
	expect_bytes(&answer, denied, sizeof(denied));
	answer = ask(*state, IS_LISTENING, 0, NULL);
	expect_bytes(&answer, listening, sizeof(listening));
}

static void test_inq_princ_name(void **state)
{
	static const uint8_t name[] = {20,  0,   0,   0,   0,   0,   0,   0, 8, 0, 0, 0,
				       'c', 'i', 'f', 's', '/', 'F', 'S', 0, 0, 0, 0, 0};
	static const uint8_t small[] = {7, 0, 0, 0, 0, 0, 0,    0, 1, 0,
					0, 0, 0, 0, 0, 0, 0x7a, 0, 0, 0};
	static const uint8_t unknown[] = {20, 0, 0, 0, 0, 0, 0,    0, 1, 0,
					  0,  0, 0, 0, 0, 0, 0xd3, 6, 0, 0};
	static const uint32_t types[] = {RPC_AUTH_SPNEGO, RPC_AUTH_NTLM, RPC_AUTH_KRB5};
	struct epm_rig *rig = *state;
	struct ndr_in answer;

	answer = ask(rig, INQ_PRINC_NAME, 2, (const uint32_t[]){RPC_AUTH_KRB5, 20});
	expect_bytes(&answer, unknown, sizeof(unknown)); /* none has been set */
	assert_int_equal(rpc_server_set_principal(rig->server, "cifs/FS"), 0);
	for (size_t i = 0; i < 3; i++) {
		answer = ask(rig, INQ_PRINC_NAME, 2, (const uint32_t[]){types[i], 20});
		expect_bytes(&answer, name, sizeof(name));
	}
	answer = ask(rig, INQ_PRINC_NAME, 2, (const uint32_t[]){0, 20});
	expect_bytes(&answer, unknown, sizeof(unknown));
	answer = ask(rig, INQ_PRINC_NAME, 2, (const uint32_t[]){RPC_AUTH_NTLM, 7});
	expect_bytes(&answer, small, sizeof(small));
	answer = ask(rig, INQ_PRINC_NAME, 2, (const uint32_t[]){RPC_AUTH_NTLM, 8});
	assert_int_equal(answer.len, sizeof(name));
}

static void test_inq_princ_name_bounds(void **state)
{
	struct epm_rig *rig = *state;

	assert_int_equal(ask_fault(rig, INQ_PRINC_NAME, 2, (const uint32_t[]){9, 0}),
			 RPC_FAULT_BAD_STUB_DATA);
	assert_int_equal(ask_fault(rig, INQ_PRINC_NAME, 2, (const uint32_t[]){9, 4097}),
			 RPC_FAULT_BAD_STUB_DATA);
	assert_int_equal(ask_fault(rig, INQ_PRINC_NAME, 1, (const uint32_t[]){9}),
			 RPC_FAULT_BAD_STUB_DATA);
	assert_int_equal(ask_fault(rig, 5, 0, NULL), RPC_FAULT_OP_RNG_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EPM_CASE(test_inq_if_ids),
		EPM_CASE(test_inq_stats),
		EPM_CASE(test_is_listening_and_cannot_be_stopped),
		EPM_CASE(test_inq_princ_name),
		EPM_CASE(test_inq_princ_name_bounds),
	};

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
