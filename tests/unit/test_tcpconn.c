/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/tcpconn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void text_there_and_back(void **state)
{
	static const char *const texts[] = {
		"10.0.0.1:445 10.0.0.9:50000",
		"[2001:db8::1]:445 [2001:db8::9]:1",
		"255.255.255.255:65535 255.255.255.255:65535",
		"[1111:2222:3333:4444:5555:6666:7777:8888]:65535 "
		"[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint8_t packed[TCPCONN_PACKED_MAX];
		char text[TCPCONN_STRLEN];
		struct tcpconn conn, again;
		size_t len;

		assert_int_equal(tcpconn_parse(texts[i], &conn), 0);
		assert_string_equal(tcpconn_format(&conn, text), texts[i]);
		len = tcpconn_pack(&conn, packed);
		assert_int_equal(len, conn.local.family == AF_INET ? 13 : 37);
		memset(&again, 0xff, sizeof(again));
		assert_int_equal(tcpconn_unpack(packed, len, &again), 0);
		assert_memory_equal(&conn, &again, sizeof(conn));
	}
}

static void a_mapped_address_is_ip4(void **state)
{
	char text[TCPCONN_STRLEN];
	struct tcpconn conn;

	assert_int_equal(tcpconn_parse("[::ffff:10.0.0.1]:445 10.0.0.9:50000", &conn), 0);
	assert_string_equal(tcpconn_format(&conn, text), "10.0.0.1:445 10.0.0.9:50000");
}

static void other_text_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"10.0.0.1:445",
		"10.0.0.1:445 ",
		" 10.0.0.1:445 10.0.0.9:1",
		"10.0.0.1:445  10.0.0.9:1",
		"10.0.0.1 10.0.0.9",
		"10.0.0.1: 10.0.0.9:1",
		"10.0.0.1:0 10.0.0.9:1",
		"10.0.0.1:65536 10.0.0.9:1",
		"10.0.0.1:000445 10.0.0.9:1",
		"10.0.0.1:-1 10.0.0.9:1",
		"10.0.0.1:+1 10.0.0.9:1",
		"10.0.0.1:1x 10.0.0.9:1",
		"10.0.0.1:1 [2001:db8::9]:1",
		"2001:db8::1:1 2001:db8::9:1",
		"[2001:db8::1:1 [2001:db8::9]:1",
		"2001:db8::1]:1 [2001:db8::9]:1",
		"[]:1 []:1",
		"[10.0.0.1]:1 [10.0.0.1]:1",
		"host:1 host:1",
		"10.0.0.1:1 10.0.0.9:1 ",
		"[1111:2222:3333:4444:5555:6666:7777:8888:1111:2222:3333:4444:5555]:1 [::2]:1",
	};
	const struct tcpconn untouched = {.local_port = 7};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct tcpconn conn = untouched;

		assert_int_equal(tcpconn_parse(texts[i], &conn), EINVAL);
		assert_memory_equal(&conn, &untouched, sizeof(conn));
	}
}

static void other_bytes_are_refused(void **state)
{
	uint8_t packed[TCPCONN_PACKED_MAX + 1];
	struct tcpconn conn;
	size_t len;

	assert_int_equal(tcpconn_parse("10.0.0.1:445 10.0.0.9:50000", &conn), 0);
	len = tcpconn_pack(&conn, packed);
	for (size_t other = 0; other <= sizeof(packed); other++) {
		assert_int_equal(tcpconn_unpack(packed, other, &conn), other == len ? 0 : EBADMSG);
	}
	packed[0] = 5;
	assert_int_equal(tcpconn_unpack(packed, len, &conn), EBADMSG);
	packed[0] = 6;
	assert_int_equal(tcpconn_unpack(packed, len, &conn), EBADMSG);
	packed[0] = 4;
	packed[9] = packed[10] = 0;
	assert_int_equal(tcpconn_unpack(packed, len, &conn), EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_there_and_back),
		cmocka_unit_test(a_mapped_address_is_ip4),
		cmocka_unit_test(other_text_is_refused),
		cmocka_unit_test(other_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
