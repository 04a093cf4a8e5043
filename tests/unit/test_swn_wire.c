/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MS-SWN in NDR20: the vectors of spec/ms-swn.md section 13, every prefix of them, hostile counts. */
#include "tests/unit/hex.h"
#include "witnessd/swn/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CHANGE_UNAVAILABLE                                                                         \
	"00000200 01000000 1a000000 01000000 04000200 1a000000 1a000000 ff000000"                  \
	"31003000 2e003000 2e003000 2e003700 00000000 00000000"
#define CHANGE_TWO                                                                                 \
	"00000200 01000000 2e000000 02000000 04000200 2e000000 16000000 ff000000"                  \
	"4e004f00 44004500 2d004100 00001800 00000100 00004e00 4f004400 45002d00"                  \
	"42003100 00000000 00000000"
#define MOVE_TWO                                                                                   \
	"00000200 02000000 3c000000 01000000 04000200 3c000000 3c000000 00000000"                  \
	"02000000 09000000 0a000008 00000000 00000000 00000000 00000000 0a000000"                  \
	"00000000 fd000000 00000000 00000000 00000008 00000000"
#define MOVE_WINDOWS                                                                               \
	"00000200 02000000 24000000 01000000 04000200 24000000 24000000 00000000"                  \
	"01000000 01000000 c0a8032d 00000000 38e8eb26 8e000000 009e6026 00000000"
#define REGISTER_V1                                                                                \
	"01000100 00000200 03000000 00000000 03000000 66007300 00000000 04000200"                  \
	"09000000 00000000 09000000 31003000 2e003000 2e003000 2e003700 00000000"                  \
	"08000200 03000000 00000000 03000000 43003100 0000"
#define REGISTER_EX_V2                                                                             \
	"00000200 00000200 0b000000 00000000 0b000000 66007300 2e006500 78006100"                  \
	"6d007000 6c006500 00000000 00000000 04000200 09000000 00000000 09000000"                  \
	"31003000 2e003000 2e003000 2e003700 00000000 08000200 0b000000 00000000"                  \
	"0b000000 63003100 2e006500 78006100 6d007000 6c006500 00000000 01000000"                  \
	"78000000"
#define HANDLE       "00000000 33221100 55447766 8899aabb ccddeeff"
#define HANDLE_REPLY HANDLE "00000000"
#define TIMEOUT      "00000000 b4050000"

struct bytes {
	uint8_t *p;
	size_t len;
};

static struct bytes bytes_of(TALLOC_CTX *mem_ctx, const char *text)
{
	size_t size = strlen(text) / 2;
	struct bytes b = {.p = talloc_array(mem_ctx, uint8_t, size)};

	b.len = unhex(text, b.p, size);
	return b;
}

/* An exact copy on the heap, so that a sanitizer sees one byte too many. */
static uint8_t *exact(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, p, len);
	return copy;
}

static void assert_bytes(const uint8_t *stub, size_t len, struct bytes want)
{
	assert_int_equal(len, want.len);
	assert_memory_equal(stub, want.p, len);
}

static struct ipaddr ip(const char *text)
{
	struct ipaddr addr;

	assert_int_equal(ipaddr_parse(text, &addr), 0);
	return addr;
}

static struct swn_handle the_handle(void)
{
	struct swn_handle handle = {0};

	assert_int_equal(guid_parse("00112233-4455-6677-8899-aabbccddeeff", &handle.uuid), 0);
	return handle;
}

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return *state == NULL;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void the_register_vector_goes_both_ways(void **state)
{
	struct bytes want = bytes_of(*state, REGISTER_V1);
	struct swn_register reg;
	uint8_t *stub;
	size_t len;

	assert_int_equal(want.len, 86);
	assert_int_equal(swn_pull_register(*state, want.p, want.len, false, &reg), 0);
	assert_int_equal(reg.version, SWN_VERSION_1);
	assert_string_equal(reg.net_name, "fs");
	assert_string_equal(reg.ip_address, "10.0.0.7");
	assert_string_equal(reg.client_computer_name, "C1");
	assert_null(reg.share_name);
	assert_int_equal(swn_push_register(*state, &reg, &stub, &len), 0);
	assert_bytes(stub, len, want);
}

static void the_register_ex_vector_goes_both_ways(void **state)
{
	struct bytes want = bytes_of(*state, REGISTER_EX_V2);
	struct swn_register reg;
	uint8_t *stub;
	size_t len;

	assert_int_equal(want.len, 132);
	assert_int_equal(swn_pull_register_ex(*state, want.p, want.len, false, &reg), 0);
	assert_int_equal(reg.version, SWN_VERSION_2);
	assert_string_equal(reg.net_name, "fs.example");
	assert_null(reg.share_name);
	assert_string_equal(reg.ip_address, "10.0.0.7");
	assert_string_equal(reg.client_computer_name, "c1.example");
	assert_int_equal(reg.flags, SWN_REGISTER_IP_NOTIFICATION);
	assert_int_equal(reg.keep_alive_timeout, 120);
	assert_int_equal(swn_push_register_ex(*state, &reg, &stub, &len), 0);
	assert_bytes(stub, len, want);
}

static void null_strings_stay_null(void **state)
{
	struct swn_register reg = {.version = SWN_VERSION_2, .share_name = "s", .flags = 7}, got;
	uint8_t *stub;
	size_t len;

	assert_int_equal(swn_push_register_ex(*state, &reg, &stub, &len), 0);
	assert_int_equal(swn_pull_register_ex(*state, stub, len, false, &got), 0);
	assert_null(got.net_name);
	assert_string_equal(got.share_name, "s");
	assert_null(got.ip_address);
	assert_null(got.client_computer_name);
	assert_int_equal(got.flags, 7);
}

static void a_big_endian_client_is_understood(void **state)
{
	struct bytes b =
		bytes_of(*state, "00010001 00000001 00000003 00000000 00000003 00660073 0000"
				 "0000 00000000 00000000");
	struct bytes h = bytes_of(*state, "00000000 00112233 44556677 8899aabb ccddeeff");
	struct swn_handle handle, want = the_handle();
	struct swn_register reg;

	assert_int_equal(swn_pull_register(*state, b.p, b.len, true, &reg), 0);
	assert_int_equal(reg.version, SWN_VERSION_1);
	assert_string_equal(reg.net_name, "fs");
	assert_int_equal(swn_pull_handle(h.p, h.len, true, &handle), 0);
	assert_memory_equal(&handle, &want, sizeof(want));
}

static void trailing_bytes_of_a_request_are_ignored(void **state)
{
	struct bytes b = bytes_of(*state, REGISTER_V1 "deadbeef 8a");
	struct bytes h = bytes_of(*state, HANDLE "01");
	struct swn_handle handle;
	struct swn_register reg;

	assert_int_equal(swn_pull_register(*state, b.p, b.len, false, &reg), 0);
	assert_int_equal(swn_pull_handle(h.p, h.len, false, &handle), 0);
}

static void every_prefix_of_a_request_is_refused(void **state)
{
	struct bytes v1 = bytes_of(*state, REGISTER_V1), v2 = bytes_of(*state, REGISTER_EX_V2);
	struct bytes h = bytes_of(*state, HANDLE);
	struct swn_register reg = {.version = 99};
	struct swn_handle handle = {.attributes = 99};

	for (size_t n = 0; n < v2.len; n++) {
		uint8_t *p = exact(v2.p, n);

		assert_int_equal(swn_pull_register_ex(*state, p, n, false, &reg), EBADMSG);
		free(p);
	}
	for (size_t n = 0; n < v1.len; n++) {
		uint8_t *p = exact(v1.p, n);

		assert_int_equal(swn_pull_register(*state, p, n, false, &reg), EBADMSG);
		free(p);
	}
	for (size_t n = 0; n < h.len; n++) {
		uint8_t *p = exact(h.p, n);

		assert_int_equal(swn_pull_handle(p, n, false, &handle), EBADMSG);
		free(p);
	}
	/* Outputs are untouched, and nothing hangs on the caller's context. */
	assert_int_equal(reg.version, 99);
	assert_int_equal(handle.attributes, 99);
	assert_int_equal(talloc_total_blocks(*state), 4);
}

static void illegal_strings_are_refused(void **state)
{
	static const char *const bad[] = {
		/* offset 1 */ "01000100 00000200 03000000 01000000 03000000 66007300 0000",
		/* actual > max */ "01000100 00000200 02000000 00000000 03000000 66007300 0000",
		/* actual 0 */ "01000100 00000200 03000000 00000000 00000000",
		/* no NUL */ "01000100 00000200 02000000 00000000 02000000 66007300",
		/* NUL inside */ "01000100 00000200 03000000 00000000 03000000 66000000 0000",
		/* lone surrogate */ "01000100 00000200 02000000 00000000 02000000 00d80000",
		/* huge counts */ "01000100 00000200 ffffffff 00000000 ffffffff 66000000",
		/* count that wraps when doubled */
		"01000100 00000200 01000080 00000000 01000080 0000",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		/* NULL pointers follow, so that only the string can be what is refused. */
		char *text = talloc_asprintf(*state, "%s 0000 00000000 00000000", bad[i]);
		struct bytes b = bytes_of(*state, text);
		struct swn_register reg;

		assert_int_equal(swn_pull_register(*state, b.p, b.len, false, &reg), EBADMSG);
	}
}

static void a_string_beyond_the_limit_is_refused(void **state)
{
	char *name = talloc_zero_array(*state, char, SWN_STRING_MAX_UNITS + 1);
	struct swn_register reg = {.version = SWN_VERSION_1, .net_name = name}, got;
	uint8_t *stub;
	size_t len;

	memset(name, 'x', SWN_STRING_MAX_UNITS - 1);
	assert_int_equal(swn_push_register(*state, &reg, &stub, &len), 0);
	assert_int_equal(swn_pull_register(*state, stub, len, false, &got), 0);
	assert_string_equal(got.net_name, name);
	name[SWN_STRING_MAX_UNITS - 1] = 'x';
	assert_int_equal(swn_push_register(*state, &reg, &stub, &len), 0);
	assert_int_equal(swn_pull_register(*state, stub, len, false, &got), EBADMSG);
}

static void handles_and_codes_go_both_ways(void **state)
{
	struct bytes request = bytes_of(*state, HANDLE), reply = bytes_of(*state, HANDLE_REPLY);
	struct swn_handle want = the_handle(), got;
	uint32_t werror = 99;
	uint8_t *stub;
	size_t len;

	assert_int_equal(swn_push_handle(*state, &want, &stub, &len), 0);
	assert_bytes(stub, len, request);
	assert_int_equal(swn_pull_handle(stub, len, false, &got), 0);
	assert_memory_equal(&got, &want, sizeof(want));

	assert_int_equal(swn_push_handle_reply(*state, &want, SWN_SUCCESS, &stub, &len), 0);
	assert_bytes(stub, len, reply);
	assert_int_equal(swn_pull_handle_reply(stub, len, &got, &werror), 0);
	assert_memory_equal(&got, &want, sizeof(want));
	assert_int_equal(werror, 0);
	for (size_t n = 0; n < len; n++) {
		assert_int_equal(swn_pull_handle_reply(stub, n, &got, &werror), EBADMSG);
	}

	assert_int_equal(swn_push_handle_reply(*state, NULL, 0, &stub, &len), 0);
	assert_bytes(stub, len,
		     bytes_of(*state, "000000000000000000000000000000000000000000000000"));

	assert_int_equal(swn_push_werror_reply(*state, SWN_ERROR_INVALID_STATE, &stub, &len), 0);
	assert_bytes(stub, len, bytes_of(*state, "9f130000"));
	assert_int_equal(swn_pull_werror_reply(stub, len, &werror), 0);
	assert_int_equal(werror, SWN_ERROR_INVALID_STATE);
	assert_int_equal(swn_pull_werror_reply(stub, 3, &werror), EBADMSG);
}

/* Decode, compare the type and counts, encode again and compare with the vector. */
static struct swn_notify *check_notify(TALLOC_CTX *mem_ctx, const char *hex, size_t size,
				       bool exactly)
{
	struct bytes want = bytes_of(mem_ctx, hex);
	struct swn_notify *notify = NULL;
	uint32_t werror = 99;
	uint8_t *stub;
	size_t len;

	assert_int_equal(want.len, size);
	assert_int_equal(swn_pull_notify_reply(mem_ctx, want.p, want.len, &notify, &werror), 0);
	assert_int_equal(werror, SWN_SUCCESS);
	assert_non_null(notify);
	assert_int_equal(swn_push_notify_reply(mem_ctx, notify, werror, &stub, &len), 0);
	assert_int_equal(len, want.len);
	if (exactly) {
		assert_bytes(stub, len, want);
	}
	for (size_t n = 0; n < want.len; n++) {
		struct swn_notify *none = NULL;
		uint8_t *p = exact(want.p, n);

		assert_int_equal(swn_pull_notify_reply(mem_ctx, p, n, &none, &werror), EBADMSG);
		assert_null(none);
		free(p);
	}
	return notify;
}

static void resource_changes_go_both_ways(void **state)
{
	struct swn_notify *n = check_notify(*state, CHANGE_UNAVAILABLE, 56, true);

	assert_int_equal(n->type, SWN_RESOURCE_CHANGE);
	assert_int_equal(n->num_changes, 1);
	assert_int_equal(n->changes[0].state, SWN_RESOURCE_UNAVAILABLE);
	assert_string_equal(n->changes[0].name, "10.0.0.7");

	n = check_notify(*state, CHANGE_TWO, 76, true);
	assert_int_equal(n->num_changes, 2);
	assert_string_equal(n->changes[0].name, "NODE-A");
	assert_int_equal(n->changes[0].state, SWN_RESOURCE_UNAVAILABLE);
	assert_string_equal(n->changes[1].name, "NODE-B1");
	assert_int_equal(n->changes[1].state, SWN_RESOURCE_AVAILABLE);
}

static void client_moves_go_both_ways(void **state)
{
	struct swn_notify *n = check_notify(*state, MOVE_TWO, 88, true);
	struct ipaddr v4 = ip("10.0.0.8"), v6 = ip("fd00::8"), windows = ip("192.168.3.45");

	assert_int_equal(n->type, SWN_CLIENT_MOVE);
	assert_int_equal(n->num_addrs, 2);
	assert_int_equal(n->addrs[0].flags, SWN_IPADDR_V4 | SWN_IPADDR_ONLINE);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &v4));
	assert_int_equal(n->addrs[1].flags, SWN_IPADDR_V6 | SWN_IPADDR_ONLINE);
	assert_true(ipaddr_equal(&n->addrs[1].ip, &v6));

	n = check_notify(*state, MOVE_WINDOWS, 64, false);
	assert_int_equal(n->num_addrs, 1);
	assert_int_equal(n->addrs[0].flags, SWN_IPADDR_V4);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &windows));
}

static void undefined_flag_bits_are_masked(void **state)
{
	struct bytes b = bytes_of(*state, MOVE_WINDOWS);
	struct swn_notify *n;
	uint32_t werror;

	b.p[0x24] = 0xed; /* V4 | ONLINE and bits nobody defined */
	b.p[0x27] = 0x7f;
	assert_int_equal(swn_pull_notify_reply(*state, b.p, b.len, &n, &werror), 0);
	assert_int_equal(n->addrs[0].flags, SWN_IPADDR_V4 | SWN_IPADDR_ONLINE);
}

static void a_list_without_addresses_and_several_lists_are_read(void **state)
{
	struct bytes none = bytes_of(*state, "00000200 03000000 0c000000 01000000 04000200 0c000000"
					     "0c000000 00000000 00000000 00000000");
	struct bytes two = bytes_of(*state, "00000200 04000000 48000000 02000000 04000200 48000000"
					    "24000000 00000000 01000000 01000000 0a000001 00000000"
					    "00000000 00000000 00000000"
					    "24000000 00000000 01000000 11000000 0a000002 00000000"
					    "00000000 00000000 00000000 00000000");
	struct swn_notify *n;
	uint32_t werror;

	assert_int_equal(swn_pull_notify_reply(*state, none.p, none.len, &n, &werror), 0);
	assert_int_equal(n->type, SWN_SHARE_MOVE);
	assert_int_equal(n->num_addrs, 0);
	assert_int_equal(swn_pull_notify_reply(*state, two.p, two.len, &n, &werror), 0);
	assert_int_equal(n->type, SWN_IP_CHANGE);
	assert_int_equal(n->num_addrs, 2);
	assert_int_equal(n->addrs[1].flags, SWN_IPADDR_V4 | SWN_IPADDR_OFFLINE);
}

static void bytes_after_the_records_are_tolerated(void **state)
{
	/* As Samba's NDR64 has it: Length 40 for a record of 26. */
	struct bytes b = bytes_of(*state, "00000200 01000000 28000000 01000000 04000200 28000000"
					  "1a000000 ff000000 31003000 2e003000 2e003000 2e003700"
					  "0000 0000 00000000 00000000 00000000 00000000");
	struct swn_notify *n;
	uint32_t werror;

	assert_int_equal(swn_pull_notify_reply(*state, b.p, b.len, &n, &werror), 0);
	assert_int_equal(n->num_changes, 1);
	assert_string_equal(n->changes[0].name, "10.0.0.7");
}

static void empty_answers_are_read(void **state)
{
	struct bytes timeout = bytes_of(*state, TIMEOUT);
	struct swn_notify *n = (void *)1;
	uint32_t werror;
	uint8_t *stub;
	size_t len;

	assert_int_equal(swn_push_notify_reply(*state, NULL, SWN_ERROR_TIMEOUT, &stub, &len), 0);
	assert_bytes(stub, len, timeout);
	assert_int_equal(swn_pull_notify_reply(*state, stub, len, &n, &werror), 0);
	assert_null(n);
	assert_int_equal(werror, SWN_ERROR_TIMEOUT);
}

static void an_unknown_message_type_is_reported(void **state)
{
	struct bytes b = bytes_of(*state, "00000200 2a000000 04000000 ffffffff 04000200 04000000"
					  "00000000 00000000");
	struct swn_notify *n;
	uint32_t werror;

	assert_int_equal(swn_pull_notify_reply(*state, b.p, b.len, &n, &werror), 0);
	assert_int_equal(n->type, 42);
	assert_int_equal(n->num_changes, 0);
	assert_int_equal(n->num_addrs, 0);
	assert_string_equal(swn_message_type_name(n->type), "UNKNOWN");
}

static void a_null_buffer_holds_no_records(void **state)
{
	struct bytes none =
		bytes_of(*state, "00000200 01000000 00000000 00000000 00000000 00000000");
	struct swn_notify *n = NULL;
	uint32_t werror;

	assert_int_equal(swn_pull_notify_reply(*state, none.p, none.len, &n, &werror), 0);
	assert_int_equal(n->num_changes, 0);
	none.p[0x08] = 16;
	assert_int_equal(swn_pull_notify_reply(*state, none.p, none.len, &n, &werror), EBADMSG);
	none.p[0x08] = 0;
	none.p[0x0c] = 1;
	assert_int_equal(swn_pull_notify_reply(*state, none.p, none.len, &n, &werror), EBADMSG);
}

static void hostile_notify_counts_are_refused(void **state)
{
	static const struct {
		const char *vector;
		size_t at;
		uint8_t value;
	} bad[] = {
		{CHANGE_UNAVAILABLE, 0x0c, 2},    /* more messages than records */
		{CHANGE_UNAVAILABLE, 0x0f, 0x80}, /* two thousand million messages */
		{CHANGE_UNAVAILABLE, 0x10, 0},    /* see below: pointer cut off */
		{CHANGE_UNAVAILABLE, 0x14, 0x1b}, /* max_count is not Length */
		{CHANGE_UNAVAILABLE, 0x18, 9},    /* a record too short for a name */
		{CHANGE_UNAVAILABLE, 0x18, 0},    /* a record that never ends */
		{CHANGE_UNAVAILABLE, 0x18, 0x1c}, /* a record behind the buffer */
		{CHANGE_UNAVAILABLE, 0x18, 0x19}, /* half a character */
		{CHANGE_UNAVAILABLE, 0x1b, 0xff}, /* a record of four thousand million */
		{CHANGE_UNAVAILABLE, 0x30, 0x41}, /* no NUL */
		{CHANGE_UNAVAILABLE, 0x21, 0xd8}, /* a lone surrogate */
		{MOVE_TWO, 0x0c, 2},
		{MOVE_TWO, 0x18, 0x3b},
		{MOVE_TWO, 0x18, 0x0b},
		{MOVE_TWO, 0x20, 1},
		{MOVE_TWO, 0x20, 3},
		{MOVE_TWO, 0x23, 0x10}, /* 24 times that wraps to a small number */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes b = bytes_of(*state, bad[i].vector);
		struct swn_notify *n = NULL;
		uint32_t werror;
		uint8_t *p;

		b.p[bad[i].at] = bad[i].value;
		if (bad[i].at == 0x10) {
			memset(b.p + 0x10, 0, 4);
		}
		p = exact(b.p, b.len);
		assert_int_equal(swn_pull_notify_reply(*state, p, b.len, &n, &werror), EBADMSG);
		assert_null(n);
		free(p);
	}
}

/* The two-entry vector: its name areas are too long for a string. */
static struct bytes interface_list_vector(TALLOC_CTX *mem_ctx)
{
	struct bytes b = {.p = talloc_zero_array(mem_ctx, uint8_t, 1124), .len = 1124};
	static const struct {
		size_t at;
		const char *hex;
	} parts[] = {
		{0x0000, "00000200 02000000 04000200 02000000 4e004f00 44004500 3100"},
		{0x0218, "00000200 01000000 0a000007"},
		{0x0234, "01000000 4e004f00 44004500 3200"},
		{0x0440, "00000200 01000000 0a000008 fd000000 00000000 00000000 00000008 07000000"},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct bytes part = bytes_of(mem_ctx, parts[i].hex);

		memcpy(b.p + parts[i].at, part.p, part.len);
	}
	return b;
}

static void the_interface_list_goes_both_ways(void **state)
{
	struct bytes want = interface_list_vector(*state);
	struct ipaddr v4 = ip("10.0.0.8"), v6 = ip("fd00::8");
	struct swn_interface_list *list = NULL;
	uint32_t werror = 99;
	uint8_t *stub;
	size_t len;

	assert_int_equal(swn_pull_interface_list_reply(*state, want.p, want.len, &list, &werror),
			 0);
	assert_int_equal(werror, SWN_SUCCESS);
	assert_int_equal(list->num, 2);
	assert_string_equal(list->entries[0].group_name, "NODE1");
	assert_int_equal(list->entries[0].state, SWN_INTERFACE_AVAILABLE);
	assert_int_equal(list->entries[0].ipv6.family, 0);
	assert_false(list->entries[0].witness);
	assert_string_equal(list->entries[1].group_name, "NODE2");
	assert_int_equal(list->entries[1].version, SWN_VERSION_2);
	assert_true(ipaddr_equal(&list->entries[1].ipv4, &v4));
	assert_true(ipaddr_equal(&list->entries[1].ipv6, &v6));
	assert_true(list->entries[1].witness);
	assert_int_equal(swn_push_interface_list_reply(*state, list, 0, &stub, &len), 0);
	assert_bytes(stub, len, want);

	for (size_t n = 0; n < want.len; n++) {
		uint8_t *p = exact(want.p, n);

		list = NULL;
		assert_int_equal(swn_pull_interface_list_reply(*state, p, n, &list, &werror),
				 EBADMSG);
		assert_null(list);
		free(p);
	}
}

static void an_interface_list_may_be_null_or_empty(void **state)
{
	struct swn_interface_list *list = (void *)1, empty = {0};
	uint32_t werror;
	uint8_t *stub;
	size_t len;

	assert_int_equal(
		swn_push_interface_list_reply(*state, NULL, SWN_ERROR_NO_MORE_ITEMS, &stub, &len),
		0);
	assert_bytes(stub, len, bytes_of(*state, "00000000 03010000"));
	assert_int_equal(swn_pull_interface_list_reply(*state, stub, len, &list, &werror), 0);
	assert_null(list);
	assert_int_equal(werror, SWN_ERROR_NO_MORE_ITEMS);

	assert_int_equal(swn_push_interface_list_reply(*state, &empty, 0, &stub, &len), 0);
	assert_int_equal(swn_pull_interface_list_reply(*state, stub, len, &list, &werror), 0);
	assert_int_equal(list->num, 0);
}

static void hostile_interface_counts_are_refused(void **state)
{
	static const uint8_t counts[][2] = {{1, 2}, {3, 3}, {2, 3}, {0, 2}};
	struct swn_interface_list *list = NULL;
	struct bytes b;
	uint32_t werror;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		b = interface_list_vector(*state);
		b.p[0x04] = counts[i][0];
		b.p[0x0c] = counts[i][1];
		assert_int_equal(swn_pull_interface_list_reply(*state, b.p, b.len, &list, &werror),
				 EBADMSG);
	}
	b = interface_list_vector(*state);
	memset(b.p + 0x04, 0xff, 4);
	memset(b.p + 0x0c, 0xff, 4);
	assert_int_equal(swn_pull_interface_list_reply(*state, b.p, b.len, &list, &werror),
			 EBADMSG);
	memset(b.p + 0x08, 0, 4);
	assert_int_equal(swn_pull_interface_list_reply(*state, b.p, b.len, &list, &werror),
			 EBADMSG);
	assert_null(list);
}

static void a_long_group_name_is_cut_between_characters(void **state)
{
	char *name = talloc_strdup(*state, "");
	struct swn_interface entry = {.version = SWN_VERSION_2};
	struct swn_interface_list list = {.entries = &entry, .num = 1}, *got;
	uint32_t werror;
	uint8_t *stub;
	size_t len;

	for (int i = 0; i < 258; i++) {
		name = talloc_strdup_append(name, "n");
	}
	name = talloc_strdup_append(name, "\xf0\x9f\x98\x80rest"); /* units 259 and 260 */
	entry.group_name = name;
	assert_int_equal(swn_push_interface_list_reply(*state, &list, 0, &stub, &len), 0);
	assert_int_equal(len, 16 + 552 + 4);
	assert_int_equal(swn_pull_interface_list_reply(*state, stub, len, &got, &werror), 0);
	assert_int_equal(strlen(got->entries[0].group_name), 258);
	entry.group_name = "bad \xff utf-8";
	assert_int_equal(swn_push_interface_list_reply(*state, &list, 0, &stub, &len), EILSEQ);
}

static void codes_have_names(void **state)
{
	assert_string_equal(swn_werror_name(1168), "ERROR_NOT_FOUND");
	assert_string_equal(swn_werror_name(0), "SUCCESS");
	assert_string_equal(swn_werror_name(0xdead), "ERROR_?");
	assert_string_equal(swn_message_type_name(4), "IP_CHANGE");
	assert_string_equal(swn_message_type_name(0), "UNKNOWN");
	assert_string_equal(swn_message_type_name(5), "UNKNOWN");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_register_vector_goes_both_ways),
		TEST(the_register_ex_vector_goes_both_ways),
		TEST(null_strings_stay_null),
		TEST(a_big_endian_client_is_understood),
		TEST(trailing_bytes_of_a_request_are_ignored),
		TEST(every_prefix_of_a_request_is_refused),
		TEST(illegal_strings_are_refused),
		TEST(a_string_beyond_the_limit_is_refused),
		TEST(handles_and_codes_go_both_ways),
		TEST(resource_changes_go_both_ways),
		TEST(client_moves_go_both_ways),
		TEST(undefined_flag_bits_are_masked),
		TEST(a_list_without_addresses_and_several_lists_are_read),
		TEST(bytes_after_the_records_are_tolerated),
		TEST(empty_answers_are_read),
		TEST(an_unknown_message_type_is_reported),
		TEST(a_null_buffer_holds_no_records),
		TEST(hostile_notify_counts_are_refused),
		TEST(the_interface_list_goes_both_ways),
		TEST(an_interface_list_may_be_null_or_empty),
		TEST(hostile_interface_counts_are_refused),
		TEST(a_long_group_name_is_cut_between_characters),
		TEST(codes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
