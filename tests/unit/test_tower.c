/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Towers and the endpoint mapper's wire format against the vectors of spec/dcerpc.md, section 12. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "witnessd/rpc/epm_wire.h"
#include "witnessd/rpc/ndr.h"

static const struct rpc_syntax witness = RPC_SYNTAX_WITNESS;
static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;

/* The witness interface at 10.0.0.7, port 49152. */
#define TOWER_BYTES                                                                                \
	0x05, 0x00, 0x13, 0x00, 0x0d, 0x74, 0xc0, 0xd8, 0xcc, 0xe5, 0xd0, 0x40, 0x4a, 0x92, 0xb4,  \
		0xd0, 0x74, 0xfa, 0xa6, 0xba, 0x28, 0x01, 0x00, 0x02, 0x00, 0x01, 0x00, 0x13,      \
		0x00, 0x0d, 0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08,      \
		0x00, 0x2b, 0x10, 0x48, 0x60, 0x02, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00,      \
		0x0b, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x07, 0x02, 0x00, 0xc0, 0x00, 0x01,      \
		0x00, 0x09, 0x04, 0x00, 0x0a, 0x00, 0x00, 0x07
#define ZERO_20 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

static const uint8_t tower_bytes[] = {TOWER_BYTES};

static struct rpc_tower example_tower(void)
{
	struct rpc_tower tower = {.iface = witness, .transfer = ndr20, .port = 49152};

	assert_int_equal(ipaddr_parse("10.0.0.7", &tower.addr), 0);
	return tower;
}

static void assert_same_tower(const struct rpc_tower *a, const struct rpc_tower *b)
{
	assert_memory_equal(&a->iface, &b->iface, sizeof(a->iface));
	assert_memory_equal(&a->transfer, &b->transfer, sizeof(a->transfer));
	assert_int_equal(a->port, b->port);
	assert_true(ipaddr_equal(&a->addr, &b->addr));
}

static void test_push_gives_the_75_bytes(void **state)
{
	struct rpc_tower tower = example_tower();
	uint8_t out[RPC_TOWER_TCP_LEN];

	assert_int_equal(sizeof(tower_bytes), RPC_TOWER_TCP_LEN);
	rpc_tower_push(&tower, out);
	assert_memory_equal(out, tower_bytes, sizeof(out));
}

static void test_push_has_no_ipv6(void **state)
{
	static const uint8_t any[4];
	struct rpc_tower tower = example_tower();
	uint8_t out[RPC_TOWER_TCP_LEN];

	assert_int_equal(ipaddr_parse("fd00::7", &tower.addr), 0);
	rpc_tower_push(&tower, out);
	assert_memory_equal(out + sizeof(out) - 4, any, 4);
}

static void test_pull_reads_it_back(void **state)
{
	struct rpc_tower expected = example_tower(), tower;

	assert_int_equal(rpc_tower_pull(tower_bytes, sizeof(tower_bytes), &tower), 0);
	assert_same_tower(&tower, &expected);
}

/* Each prefix in a chunk of its own size, so that a sanitizer sees one byte too many. */
static void test_every_prefix_is_refused(void **state)
{
	for (size_t n = 0; n < sizeof(tower_bytes); n++) {
		uint8_t *copy = malloc(n + 1);
		struct rpc_tower tower;

		assert_non_null(copy);
		memcpy(copy, tower_bytes, n);
		copy = realloc(copy, n > 0 ? n : 1);
		assert_non_null(copy);
		assert_int_equal(rpc_tower_pull(copy, n, &tower), EBADMSG);
		free(copy);
	}
}

static int pull_patched(size_t off, uint8_t value)
{
	uint8_t copy[sizeof(tower_bytes)];
	struct rpc_tower tower = {.port = 1}, before = tower;
	int err;

	memcpy(copy, tower_bytes, sizeof(copy));
	copy[off] = value;
	err = rpc_tower_pull(copy, sizeof(copy), &tower);
	if (err != 0) {
		assert_memory_equal(&tower, &before, sizeof(tower));
	}
	return err;
}

static void test_other_protocols_are_no_towers_of_tcp(void **state)
{
	assert_int_equal(pull_patched(0, 4), EPROTONOSUPPORT);     /* too few floors */
	assert_int_equal(pull_patched(54, 0x0a), EPROTONOSUPPORT); /* connectionless */
	assert_int_equal(pull_patched(61, 0x0f), EPROTONOSUPPORT); /* a named pipe */
	assert_int_equal(pull_patched(68, 0x11), EPROTONOSUPPORT); /* a NetBIOS name */
	assert_int_equal(pull_patched(4, 0x0c), EPROTONOSUPPORT);  /* no UUID first */
}

static void test_wrong_sizes_are_refused(void **state)
{
	assert_int_equal(pull_patched(0, 17), EBADMSG);   /* too many floors */
	assert_int_equal(pull_patched(1, 1), EBADMSG);    /* 261 of them */
	assert_int_equal(pull_patched(2, 0xff), EBADMSG); /* a floor beyond the end */
	assert_int_equal(pull_patched(69, 9), EBADMSG);   /* an address beyond it */
}

static void test_map_request_of_rpcclient(void **state)
{
	/* As rpcclient sends it: NULL object, referent id 1. */
	static const uint8_t stub[] = {0,    0, 0, 0, 1,           0, 0,       0, 0x4b, 0, 0, 0,
				       0x4b, 0, 0, 0, TOWER_BYTES, 0, ZERO_20, 1, 0,    0, 0};
	struct rpc_tower expected = example_tower();
	struct epm_map args;

	assert_int_equal(epm_pull_map(stub, sizeof(stub), false, &args), 0);
	assert_true(args.has_tower);
	assert_same_tower(&args.tower, &expected);
	assert_true(epm_handle_is_null(&args.handle));
	assert_int_equal(args.max_towers, 1);
	for (size_t n = 0; n < sizeof(stub); n++) {
		assert_int_equal(epm_pull_map(stub, n, false, &args), EBADMSG);
	}
}

static void test_map_request_round_trip(void **state)
{
	struct epm_map args = {.has_tower = true, .tower = example_tower(), .max_towers = 4};
	struct epm_map back;
	uint8_t *stub = NULL;
	size_t len = 0;

	assert_int_equal(epm_push_map(NULL, &args, &stub, &len), 0);
	assert_int_equal(len, 4 + 4 + 8 + 75 + 1 + 20 + 4);
	assert_int_equal(epm_pull_map(stub, len, false, &back), 0);
	assert_true(back.has_tower);
	assert_same_tower(&back.tower, &args.tower);
	assert_int_equal(back.max_towers, 4);
	talloc_free(stub);
}

static void test_map_request_bounds(void **state)
{
	static const uint8_t null_tower[] = {0, 0, 0, 0, 0, 0, 0, 0, ZERO_20, 0xf4, 1, 0, 0};
	static const uint8_t too_many[] = {0, 0, 0, 0, 0, 0, 0, 0, ZERO_20, 0xf5, 1, 0, 0};
	/* twr_t whose conformance and length differ */
	static const uint8_t unequal[] = {0,    0, 0, 0, 1,           0, 0,       0, 0x4c, 0, 0, 0,
					  0x4b, 0, 0, 0, TOWER_BYTES, 0, ZERO_20, 1, 0,    0, 0};
	static const uint8_t huge[] = {0,    0,    0,    0,    1,    0,    0, 0, 0xff, 0xff,
				       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,    0};
	struct epm_map args;

	assert_int_equal(epm_pull_map(null_tower, sizeof(null_tower), false, &args), 0);
	assert_false(args.has_tower);
	assert_int_equal(args.max_towers, 500);
	assert_int_equal(epm_pull_map(too_many, sizeof(too_many), false, &args), EBADMSG);
	assert_int_equal(epm_pull_map(unequal, sizeof(unequal), false, &args), EBADMSG);
	assert_int_equal(epm_pull_map(huge, sizeof(huge), false, &args), EBADMSG);
}

static void test_map_request_big_endian(void **state)
{
	/* Towers stay little-endian. Object: the zero UUID, as Samba's other client has it. */
	static const uint8_t stub[] = {0, 0,    0, 1, 0, 0,    0,           0, 0,       0, 0, 0, 0,
				       0, 0,    0, 0, 0, 0,    0,           0, 0,       0, 2, 0, 0,
				       0, 0x4b, 0, 0, 0, 0x4b, TOWER_BYTES, 0, ZERO_20, 0, 0, 0, 4};
	struct rpc_tower expected = example_tower();
	struct epm_map args;

	assert_int_equal(epm_pull_map(stub, sizeof(stub), true, &args), 0);
	assert_same_tower(&args.tower, &expected);
	assert_int_equal(args.max_towers, 4);
}

static void test_map_reply_vectors(void **state)
{
	static const uint8_t one[] = {ZERO_20, 1,    0, 0, 0, 1,           0, 0, 0, 0,    0, 0,
				      0,       1,    0, 0, 0, 0,           0, 2, 0, 0x4b, 0, 0,
				      0,       0x4b, 0, 0, 0, TOWER_BYTES, 0, 0, 0, 0,    0};
	static const uint8_t none[] = {ZERO_20, 0, 0, 0, 0, 4, 0,    0,    0,    0,   0,
				       0,       0, 0, 0, 0, 0, 0xd6, 0xa0, 0xc9, 0x16};
	struct rpc_tower tower = example_tower(), got;
	uint8_t *stub = NULL;
	size_t len = 0;

	assert_int_equal(epm_push_map_reply(NULL, &tower, 1, 1, &stub, &len), 0);
	assert_int_equal(len, sizeof(one));
	assert_memory_equal(stub, one, len);
	talloc_free(stub);
	assert_int_equal(epm_push_map_reply(NULL, NULL, 0, 4, &stub, &len), 0);
	assert_int_equal(len, sizeof(none));
	assert_memory_equal(stub, none, len);
	talloc_free(stub);

	assert_int_equal(epm_pull_map_reply(one, sizeof(one), &got), 0);
	assert_same_tower(&got, &tower);
	assert_int_equal(epm_pull_map_reply(none, sizeof(none), &got), EPROTONOSUPPORT);
	for (size_t n = 0; n < sizeof(one); n++) {
		assert_int_equal(epm_pull_map_reply(one, n, &got), EBADMSG);
	}
}

static void test_lookup_request_of_smbtorture(void **state)
{
	static const uint8_t stub[] = {0, 0, 0, 0, 0, 0,       0,    0, 0, 0, 0,
				       0, 0, 0, 0, 0, ZERO_20, 0x0a, 0, 0, 0};
	struct epm_lookup args;

	assert_int_equal(epm_pull_lookup(stub, sizeof(stub), false, &args), 0);
	assert_int_equal(args.inquiry, EPM_INQUIRE_ALL);
	assert_false(args.has_object);
	assert_false(args.has_iface);
	assert_int_equal(args.vers_option, 0);
	assert_int_equal(args.max_ents, 10);
	for (size_t n = 0; n < sizeof(stub); n++) {
		assert_int_equal(epm_pull_lookup(stub, n, false, &args), EBADMSG);
	}
}

static void test_lookup_request_by_interface(void **state)
{
	static const uint8_t stub[] = {1,       0,    0,    0,    0,    0,    0,    0,    2,
				       0,       0,    0,    0x74, 0xc0, 0xd8, 0xcc, 0xe5, 0xd0,
				       0x40,    0x4a, 0x92, 0xb4, 0xd0, 0x74, 0xfa, 0xa6, 0xba,
				       0x28,    1,    0,    1,    0,    3,    0,    0,    0,
				       ZERO_20, 0xf4, 1,    0,    0};
	struct epm_lookup args;

	assert_int_equal(epm_pull_lookup(stub, sizeof(stub), false, &args), 0);
	assert_true(args.has_iface);
	assert_memory_equal(&args.iface, &witness, sizeof(witness));
	assert_int_equal(args.vers_option, EPM_VERS_EXACT);
	assert_int_equal(args.max_ents, 500);
}

static void test_lookup_reply_layout(void **state)
{
	struct epm_handle next = {.attributes = 0};
	struct epm_entry entry = {.tower = example_tower(), .annotation = "witness"};
	uint8_t *stub = NULL;
	struct ndr_in in;
	size_t len = 0;
	char note[8];

	next.uuid.b[0] = 1;
	assert_int_equal(epm_push_lookup_reply(NULL, &next, &entry, 1, 10, &stub, &len), 0);
	in = ndr_in_init(stub, len, false);
	assert_int_equal(ndr_in_u32(&in), 0);
	assert_int_equal(ndr_in_guid(&in).b[0], 1);
	assert_int_equal(ndr_in_u32(&in), 1);  /* entries */
	assert_int_equal(ndr_in_u32(&in), 10); /* conformance */
	assert_int_equal(ndr_in_u32(&in), 0);
	assert_int_equal(ndr_in_u32(&in), 1);
	(void)ndr_in_guid(&in);                   /* the object: none */
	assert_int_not_equal(ndr_in_u32(&in), 0); /* tower referent */
	assert_int_equal(ndr_in_u32(&in), 0);     /* annotation */
	assert_int_equal(ndr_in_u32(&in), 8);
	ndr_in_bytes(&in, note, sizeof(note));
	assert_string_equal(note, "witness");
	assert_int_equal(ndr_in_u32(&in), 75);
	assert_int_equal(ndr_in_u32(&in), 75);
	assert_memory_equal(ndr_in_raw(&in, 75), tower_bytes, 75);
	assert_int_equal(ndr_in_u32(&in), EPM_STATUS_OK);
	assert_int_equal(in.err, 0);
	assert_int_equal(in.off, len);
	talloc_free(stub);
}

static void test_a_long_annotation_is_cut(void **state)
{
	char text[200];
	struct epm_handle end = {.attributes = 0};
	struct epm_entry entry = {.tower = example_tower(), .annotation = text};
	uint8_t *stub = NULL;
	struct ndr_in in;
	size_t len = 0;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(epm_push_lookup_reply(NULL, &end, &entry, 1, 1, &stub, &len), 0);
	in = ndr_in_init(stub, len, false);
	(void)ndr_in_raw(&in, 20 + 16 + 16 + 4 + 4);
	assert_int_equal(ndr_in_u32(&in), 64);
	assert_int_equal(ndr_in_raw(&in, 64)[63], 0);
	talloc_free(stub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_push_gives_the_75_bytes),
		cmocka_unit_test(test_push_has_no_ipv6),
		cmocka_unit_test(test_pull_reads_it_back),
		cmocka_unit_test(test_every_prefix_is_refused),
		cmocka_unit_test(test_other_protocols_are_no_towers_of_tcp),
		cmocka_unit_test(test_wrong_sizes_are_refused),
		cmocka_unit_test(test_map_request_of_rpcclient),
		cmocka_unit_test(test_map_request_round_trip),
		cmocka_unit_test(test_map_request_bounds),
		cmocka_unit_test(test_map_request_big_endian),
		cmocka_unit_test(test_map_reply_vectors),
		cmocka_unit_test(test_lookup_request_of_smbtorture),
		cmocka_unit_test(test_lookup_request_by_interface),
		cmocka_unit_test(test_lookup_reply_layout),
		cmocka_unit_test(test_a_long_annotation_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
