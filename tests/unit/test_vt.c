/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding verification trailers: where, in which byte order, and what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/hex.h"
#include "witnessd/rpc/pdu.h"
#include "witnessd/rpc/vt.h"

#define MAGIC   "8ae3137102f43671"
#define BITMASK "0100040001000000"
#define WITNESS "74c0d8cce5d0404a92b4d074faa6ba2801000100"
#define NDR20   "045d888aeb1cc9119fe808002b10486002000000"
#define HEADER2 "0340100000000000100000000400000001000300"

static int find(const char *text, bool big_endian, struct rpc_vt *vt)
{
	uint8_t buf[512];
	size_t len = unhex(text, buf, sizeof(buf));

	return rpc_vt_find(buf, len, big_endian, vt);
}

static void what_clients_send_on_the_first_call(void **state)
{
	static const struct rpc_syntax witness = RPC_SYNTAX_WITNESS, ndr20 = RPC_SYNTAX_NDR20;
	struct rpc_vt vt;

	assert_int_equal(find(MAGIC BITMASK "02402800" WITNESS NDR20, false, &vt), 0);
	assert_int_equal(vt.off, 0);
	assert_true(vt.has_bitmask1);
	assert_int_equal(vt.bitmask1, RPC_VT_HEADER_SIGNING);
	assert_true(vt.has_pcontext);
	assert_true(rpc_syntax_equal(&vt.abstract, &witness));
	assert_true(rpc_syntax_equal(&vt.transfer, &ndr20));
	assert_false(vt.has_header2);
	assert_false(vt.unknown_must);
}

static void header2_in_both_byte_orders(void **state)
{
	struct rpc_vt vt;

	assert_int_equal(find("0102030405060708" MAGIC HEADER2, false, &vt), 0);
	assert_int_equal(vt.off, 8);
	assert_true(vt.has_header2);
	assert_int_equal(vt.ptype, RPC_REQUEST);
	assert_int_equal(vt.drep[0], 0x10);
	assert_int_equal(vt.call_id, 4);
	assert_int_equal(vt.context_id, 1);
	assert_int_equal(vt.opnum, 3);
	assert_int_equal(find(MAGIC "4003001000000000000000000000000400010003", true, &vt), 0);
	assert_int_equal(vt.drep[0], 0);
	assert_int_equal(vt.call_id, 4);
	assert_int_equal(vt.opnum, 3);
}

static void a_little_may_follow_and_no_more(void **state)
{
	struct rpc_vt vt = {.off = 77};

	assert_int_equal(find(MAGIC HEADER2 "00000000000000000000000000000000", false, &vt), 0);
	vt.off = 77;
	assert_int_equal(find(MAGIC HEADER2 "0000000000000000000000000000000000", false, &vt),
			 ENOENT);
	assert_int_equal(vt.off, 77);
}

static void commands_nobody_knows(void **state)
{
	struct rpc_vt vt;

	assert_int_equal(find(MAGIC "0700040001020304" HEADER2, false, &vt), 0);
	assert_false(vt.unknown_must);
	assert_true(vt.has_header2);
	assert_int_equal(find(MAGIC "0780040001020304" HEADER2, false, &vt), 0);
	assert_true(vt.unknown_must);
}

static void what_is_malformed_is_stub(void **state)
{
	static const char *const texts[] = {
		"",
		"8ae3137102f436",
		MAGIC,
		MAGIC "0340",
		MAGIC BITMASK,                    /* no last command */
		MAGIC BITMASK "0140040001000000", /* twice */
		MAGIC "01400500"
		      "0100000000000000", /* a length of its own */
		MAGIC "0740ffff"
		      "01000000", /* longer than the stub */
		MAGIC "07400300"
		      "01000000",
		"00" MAGIC HEADER2 "000000", /* at an odd place */
	};
	struct rpc_vt vt;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(find(texts[i], false, &vt), ENOENT);
	}
}

static void every_prefix_and_the_search_window(void **state)
{
	uint8_t buf[4096] = {0};
	struct rpc_vt vt;
	size_t len = unhex(MAGIC BITMASK "02402800" WITNESS NDR20, buf, sizeof(buf));

	for (size_t n = 0; n < len; n++) {
		uint8_t *exact = malloc(n > 0 ? n : 1);

		assert_non_null(exact);
		memcpy(exact, buf, n);
		assert_int_equal(rpc_vt_find(exact, n, false, &vt), ENOENT);
		free(exact);
	}
	/* only the last 1024 bytes are looked at: an unknown long command reaches from there to the end */
	for (size_t off = 3060; off <= 3080; off += 4) {
		size_t rest = sizeof(buf) - off - 12;

		memset(buf, 0, sizeof(buf));
		(void)unhex(MAGIC "0740", buf + off, sizeof(buf) - off);
		buf[off + 10] = (uint8_t)(rest & 0xff);
		buf[off + 11] = (uint8_t)(rest >> 8);
		assert_int_equal(rpc_vt_find(buf, sizeof(buf), false, &vt),
				 off < sizeof(buf) - 1024 ? ENOENT : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_send_on_the_first_call),
		cmocka_unit_test(header2_in_both_byte_orders),
		cmocka_unit_test(a_little_may_follow_and_no_more),
		cmocka_unit_test(commands_nobody_knows),
		cmocka_unit_test(what_is_malformed_is_stub),
		cmocka_unit_test(every_prefix_and_the_search_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
