/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses, UUIDs, what log lines make of peer text, and whole texts from descriptors. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <cmocka.h>

#include "witnessd/util/fileio.h"
#include "witnessd/util/guid.h"
#include "witnessd/util/ipaddr.h"
#include "witnessd/util/log.h"

static void assert_canonical(const char *text, const char *canonical)
{
	struct ipaddr addr;
	char buf[IPADDR_STRLEN];

	assert_int_equal(ipaddr_parse(text, &addr), 0);
	assert_string_equal(ipaddr_format(&addr, buf), canonical);
}

static void addresses_have_one_text_form(void **state)
{
	assert_canonical("10.0.0.7", "10.0.0.7");
	assert_canonical("fd00:0000:0000:0000:0000:0000:0000:0008", "fd00::8");
	assert_canonical("FD00::8", "fd00::8");
	assert_canonical("::ffff:10.0.0.7", "10.0.0.7");
}

static void what_is_no_address_is_refused_and_leaves_the_output(void **state)
{
	static const char *const bad[] = {"",          "10.0.0",    "10.0.0.7/24", "fe80::1%eth0",
					  "[fd00::8]", "localhost", " 10.0.0.7",   "10.0.0.256"};
	struct ipaddr addr, before;

	memset(&before, 0xaa, sizeof(before));
	addr = before;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ipaddr_parse(bad[i], &addr), EINVAL);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
}

static void socket_addresses_round_trip(void **state)
{
	static const char *const texts[] = {"127.0.0.1", "::1", "fd00::8"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sockaddr_storage ss;
		struct ipaddr addr, back;

		assert_int_equal(ipaddr_parse(texts[i], &addr), 0);
		assert_true(ipaddr_to_sockaddr(&addr, 135, &ss) > 0);
		back = ipaddr_from_sockaddr(&ss);
		assert_true(ipaddr_equal(&addr, &back));
		assert_int_equal(ipaddr_port(&ss), 135);
	}
}

static void an_address_of_no_family_has_no_socket_address(void **state)
{
	static const uint32_t families[] = {0, AF_UNIX, UINT32_MAX};
	static const struct sockaddr_storage zeroed;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct ipaddr addr = {.family = families[i], .bytes = {1, 2, 3, 4}};
		struct sockaddr_storage ss;

		memset(&ss, 0xff, sizeof(ss));
		assert_int_equal(ipaddr_to_sockaddr(&addr, 135, &ss), 0);
		assert_memory_equal(&ss, &zeroed, sizeof(ss));
	}
}

static void a_v4_mapped_peer_is_the_ipv4_host(void **state)
{
	struct sockaddr_storage ss = {.ss_family = AF_INET6};
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&ss;
	struct ipaddr addr, want;

	sin6->sin6_addr.s6_addr[10] = sin6->sin6_addr.s6_addr[11] = 0xff;
	sin6->sin6_addr.s6_addr[12] = 10;
	sin6->sin6_addr.s6_addr[15] = 7;
	addr = ipaddr_from_sockaddr(&ss);
	assert_int_equal(ipaddr_parse("10.0.0.7", &want), 0);
	assert_true(ipaddr_equal(&addr, &want));
}

static void uuids_have_the_wire_form_of_the_witness_interface(void **state)
{
	static const uint8_t wire[16] = {0x74, 0xc0, 0xd8, 0xcc, 0xe5, 0xd0, 0x40, 0x4a,
					 0x92, 0xb4, 0xd0, 0x74, 0xfa, 0xa6, 0xba, 0x28};
	static const char text[] = "ccd8c074-d0e5-4a40-92b4-d074faa6ba28";
	struct guid guid;
	char buf[GUID_STRLEN];

	assert_int_equal(guid_parse(text, &guid), 0);
	assert_memory_equal(guid.b, wire, 16);
	assert_string_equal(guid_format(&guid, buf), text);
	assert_int_equal(guid_parse("ccd8c074-d0e5-4a40-92b4-d074faa6ba2", &guid), EINVAL);
	assert_int_equal(guid_parse("ccd8c074-d0e5-4a40-92b4-d074faa6ba280", &guid), EINVAL);
	assert_int_equal(guid_parse("ccd8c074 d0e5 4a40 92b4 d074faa6ba28", &guid), EINVAL);
}

static void random_uuids_differ_and_are_version_4(void **state)
{
	struct guid a, b;

	assert_int_equal(guid_random(&a), 0);
	assert_int_equal(guid_random(&b), 0);
	assert_false(guid_equal(&a, &b));
	assert_false(guid_is_zero(&a));
	assert_int_equal(a.b[7] >> 4, 4);
}

static void peer_text_cannot_forge_log_lines(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	char longer[400];

	assert_string_equal(log_escape(mem_ctx, "C1\n\"x\\\x7f\xc3"),
			    "C1\\x0a\\x22x\\x5c\\x7f\\xc3");
	assert_string_equal(log_escape(mem_ctx, NULL), "(null)");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(strlen(log_escape(mem_ctx, longer)), 256 + 3);
	memset(longer, '\n', sizeof(longer) - 1);
	assert_int_equal(strlen(log_printable(longer)), 4 * 256 + 3);
	assert_string_equal(log_printable(NULL), "(null)");
	talloc_free(mem_ctx);
}

static void log_levels_have_names(void **state)
{
	int level = -1;

	assert_int_equal(log_parse_level("warning", &level), 0);
	assert_int_equal(level, LOG_WARNING);
	assert_int_equal(log_parse_level("loud", &level), EINVAL);
	assert_int_equal(level, LOG_WARNING);
}

static void a_text_is_read_to_its_end_or_to_the_limit(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	char *text = NULL;
	size_t len = 77;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fileio_write(ends[1], "witnesses", 9), 0);
	assert_int_equal(fileio_read(mem_ctx, ends[0], 4, &text, &len), 0);
	assert_int_equal(len, 4);
	assert_string_equal(text, "witn");
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(fileio_read(mem_ctx, ends[0], 4000, &text, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "esses");
	assert_int_equal(fileio_read(mem_ctx, ends[0], 4000, &text, &len), 0);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	assert_int_equal(close(ends[0]), 0);
	talloc_free(mem_ctx);
}

static void what_cannot_be_read_leaves_nothing_behind(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	char *text = NULL;
	size_t len = 77;

	assert_int_equal(fileio_read(mem_ctx, -1, 4000, &text, &len), EBADF);
	assert_null(text);
	assert_int_equal(len, 77);
	assert_int_equal(talloc_total_blocks(mem_ctx), 1);
	assert_int_equal(fileio_write(-1, "x", 1), EBADF);
	talloc_free(mem_ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_text_form),
		cmocka_unit_test(what_is_no_address_is_refused_and_leaves_the_output),
		cmocka_unit_test(socket_addresses_round_trip),
		cmocka_unit_test(an_address_of_no_family_has_no_socket_address),
		cmocka_unit_test(a_v4_mapped_peer_is_the_ipv4_host),
		cmocka_unit_test(uuids_have_the_wire_form_of_the_witness_interface),
		cmocka_unit_test(random_uuids_differ_and_are_version_4),
		cmocka_unit_test(peer_text_cannot_forge_log_lines),
		cmocka_unit_test(log_levels_have_names),
		cmocka_unit_test(a_text_is_read_to_its_end_or_to_the_limit),
		cmocka_unit_test(what_cannot_be_read_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
