/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NDR20 scalars, strings and the sticky error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "witnessd/rpc/ndr.h"

static void reads_align_from_the_start_of_the_buffer(void **state)
{
	static const uint8_t buf[] = {0x01, 0xff, 0x02, 0x03, 0x04, 0xff,
				      0xff, 0xff, 0x08, 0x07, 0x06, 0x05};
	struct ndr_in in = ndr_in_init(buf, sizeof(buf), false);

	assert_int_equal(ndr_in_u8(&in), 0x01);
	assert_int_equal(ndr_in_u16(&in), 0x0302);
	assert_int_equal(ndr_in_u8(&in), 0x04);
	assert_int_equal(ndr_in_u32(&in), 0x05060708);
	assert_int_equal(in.err, 0);
	assert_int_equal(in.off, sizeof(buf));
}

static void big_endian_swaps_scalars_and_uuids_but_not_raw_bytes(void **state)
{
	static const uint8_t buf[] = {0x05, 0x06, 0x07, 0x08, 0x03, 0x02, 0xaa, 0xbb,
				      0xcc, 0xd8, 0xc0, 0x74, 0xd0, 0xe5, 0x4a, 0x40,
				      0x92, 0xb4, 0xd0, 0x74, 0xfa, 0xa6, 0xba, 0x28};
	struct ndr_in in = ndr_in_init(buf, sizeof(buf), true);
	uint8_t raw[2];
	struct guid guid, want;

	assert_int_equal(ndr_in_u32(&in), 0x05060708);
	assert_int_equal(ndr_in_u16(&in), 0x0302);
	ndr_in_bytes(&in, raw, 2);
	assert_int_equal(raw[0], 0xaa);
	guid = ndr_in_guid(&in);
	assert_int_equal(in.err, 0);
	assert_int_equal(guid_parse("ccd8c074-d0e5-4a40-92b4-d074faa6ba28", &want), 0);
	assert_true(guid_equal(&guid, &want));
}

static void a_short_read_sticks(void **state)
{
	static const uint8_t buf[] = {1, 2, 3};
	struct ndr_in in = ndr_in_init(buf, sizeof(buf), false);
	uint8_t raw[2] = {9, 9};

	assert_int_equal(ndr_in_u32(&in), 0);
	assert_int_equal(in.err, EBADMSG);
	assert_int_equal(ndr_in_u8(&in), 0);
	ndr_in_bytes(&in, raw, sizeof(raw));
	assert_int_equal(raw[0] | raw[1], 0);
	assert_null(ndr_in_raw(&in, SIZE_MAX));
	ndr_in_fail(&in, ENOMEM);
	assert_int_equal(in.err, EBADMSG);
}

static void strings_round_trip(void **state)
{
	static const char *const texts[] = {"",      "fs",   "fs.example",
					    "Grüße", "日本", "\xf0\x9f\x90\xa7"};
	TALLOC_CTX *mem_ctx = talloc_new(NULL);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ndr_out out = ndr_out_init(mem_ctx);
		struct ndr_in in;

		ndr_out_wstring(&out, texts[i]);
		assert_int_equal(out.err, 0);
		in = ndr_in_init(out.buf, out.len, false);
		assert_string_equal(ndr_in_wstring(mem_ctx, &in, 100), texts[i]);
		assert_int_equal(in.off, out.len);
		for (size_t cut = 0; cut < out.len; cut++) {
			in = ndr_in_init(out.buf, cut, false);
			assert_null(ndr_in_wstring(mem_ctx, &in, 100));
			assert_int_equal(in.err, EBADMSG);
		}
	}
	talloc_free(mem_ctx);
}

/* max_count, offset, actual_count, then units: each row breaks one rule. */
static void illegal_strings_are_refused(void **state)
{
	static const struct {
		uint32_t max, offset, actual;
		uint16_t units[3];
	} rows[] = {
		{3, 1, 3, {'f', 's', 0}},                   /* offset */
		{2, 0, 3, {'f', 's', 0}},                   /* actual > max */
		{3, 0, 0, {'f', 's', 0}},                   /* not even a NUL */
		{3, 0, 3, {'f', 's', 'x'}},                 /* not terminated */
		{3, 0, 3, {'f', 0, 0}},                     /* NUL inside */
		{3, 0, 3, {0xd800, 's', 0}},                /* high surrogate alone */
		{3, 0, 3, {'f', 0xdc00, 0}},                /* low surrogate alone */
		{0xffffffff, 0, 0xffffffff, {'f', 's', 0}}, /* more than there is */
		{3, 0, 3, {0xd83d, 0xd83d, 0}},             /* two high surrogates */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *mem_ctx = talloc_new(NULL);
		struct ndr_out out = ndr_out_init(mem_ctx);
		struct ndr_in in;

		ndr_out_u32(&out, rows[i].max);
		ndr_out_u32(&out, rows[i].offset);
		ndr_out_u32(&out, rows[i].actual);
		for (int u = 0; u < 3; u++) {
			ndr_out_u16(&out, rows[i].units[u]);
		}
		in = ndr_in_init(out.buf, out.len, false);
		assert_null(ndr_in_wstring(mem_ctx, &in, 100));
		assert_int_equal(in.err, EBADMSG);
		talloc_free(mem_ctx);
	}
}

static void a_string_longer_than_its_limit_is_refused(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct ndr_out out = ndr_out_init(mem_ctx);
	struct ndr_in in;

	ndr_out_wstring(&out, "abcd");
	in = ndr_in_init(out.buf, out.len, false);
	assert_null(ndr_in_wstring(mem_ctx, &in, 4));
	in = ndr_in_init(out.buf, out.len, false);
	assert_string_equal(ndr_in_wstring(mem_ctx, &in, 5), "abcd");
	talloc_free(mem_ctx);
}

static void text_that_is_not_utf8_is_not_written(void **state)
{
	static const char *const bad[] = {"\xff", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80",
					  "\xf4\x90\x80\x80"};
	TALLOC_CTX *mem_ctx = talloc_new(NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ndr_out out = ndr_out_init(mem_ctx);

		assert_true(ndr_utf16_units(bad[i]) == SIZE_MAX);
		ndr_out_wstring(&out, bad[i]);
		assert_int_equal(out.err, EILSEQ);
	}
	talloc_free(mem_ctx);
}

static void referents_count_up_and_null_is_zero(void **state)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct ndr_out out = ndr_out_init(mem_ctx);
	static const uint8_t want[] = {0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 2, 0};

	ndr_out_ptr(&out, true);
	ndr_out_ptr(&out, false);
	ndr_out_ptr(&out, true);
	assert_int_equal(out.len, sizeof(want));
	assert_memory_equal(out.buf, want, sizeof(want));
	talloc_free(mem_ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_align_from_the_start_of_the_buffer),
		cmocka_unit_test(big_endian_swaps_scalars_and_uuids_but_not_raw_bytes),
		cmocka_unit_test(a_short_read_sticks),
		cmocka_unit_test(strings_round_trip),
		cmocka_unit_test(illegal_strings_are_refused),
		cmocka_unit_test(a_string_longer_than_its_limit_is_refused),
		cmocka_unit_test(text_that_is_not_utf8_is_not_written),
		cmocka_unit_test(referents_count_up_and_null_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
