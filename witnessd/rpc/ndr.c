/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/ndr.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/utf8.h"

#define REFERENT_FIRST 0x00020000U

struct ndr_in ndr_in_init(const uint8_t *buf, size_t len, bool big_endian)
{
	static const uint8_t
		nothing[1]; /* an empty stub may be NULL, to which not even 0 may be added */

	return (struct ndr_in){
		.buf = buf != NULL ? buf : nothing, .len = len, .big_endian = big_endian};
}

void ndr_in_fail(struct ndr_in *in, int err)
{
	if (in->err == 0) {
		in->err = err;
	}
	in->off = in->len;
}

const uint8_t *ndr_in_raw(struct ndr_in *in, size_t n)
{
	const uint8_t *p;

	if (in->err != 0 || n > in->len - in->off) {
		ndr_in_fail(in, EBADMSG);
		return NULL;
	}
	p = in->buf + in->off;
	in->off += n;
	return p;
}

void ndr_in_align(struct ndr_in *in, size_t alignment)
{
	size_t pad = (alignment - in->off % alignment) % alignment;

	(void)ndr_in_raw(in, pad);
}

void ndr_in_bytes(struct ndr_in *in, void *out, size_t n)
{
	const uint8_t *p = ndr_in_raw(in, n);

	if (p == NULL) {
		memset(out, 0, n);
		return;
	}
	if (n > 0) {
		memcpy(out, p, n);
	}
}

uint8_t ndr_in_u8(struct ndr_in *in)
{
	const uint8_t *p = ndr_in_raw(in, 1);

	return p == NULL ? 0 : p[0];
}

static uint16_t get_u16(const uint8_t *p, bool big_endian)
{
	return (uint16_t)(big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

uint16_t ndr_in_u16(struct ndr_in *in)
{
	const uint8_t *p;

	ndr_in_align(in, 2);
	p = ndr_in_raw(in, 2);
	return p == NULL ? 0 : get_u16(p, in->big_endian);
}

uint32_t ndr_in_u32(struct ndr_in *in)
{
	const uint8_t *p;
	uint32_t a, b;

	ndr_in_align(in, 4);
	p = ndr_in_raw(in, 4);
	if (p == NULL) {
		return 0;
	}
	a = get_u16(p, in->big_endian);
	b = get_u16(p + 2, in->big_endian);
	return in->big_endian ? a << 16 | b : b << 16 | a;
}

static void swap_bytes(uint8_t *a, uint8_t *b)
{
	uint8_t t = *a;

	*a = *b;
	*b = t;
}

struct guid ndr_in_guid(struct ndr_in *in)
{
	struct guid guid;

	ndr_in_align(in, 4);
	ndr_in_bytes(in, guid.b, sizeof(guid.b));
	if (in->big_endian) {
		swap_bytes(&guid.b[0], &guid.b[3]);
		swap_bytes(&guid.b[1], &guid.b[2]);
		swap_bytes(&guid.b[4], &guid.b[5]);
		swap_bytes(&guid.b[6], &guid.b[7]);
	}
	return guid;
}

/* One code point to UTF-8. @return its bytes */
static size_t put_utf8(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xe0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 0x3f));
		p[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (char)(0xf0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 0x3f));
	p[2] = (char)(0x80 | (c >> 6 & 0x3f));
	p[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static char *utf16_to_utf8(TALLOC_CTX *mem_ctx, const uint8_t *units, size_t n, bool big_endian,
			   int *err)
{
	/* A unit takes at most three bytes; a surrogate pair takes four for two units. */
	char *text = talloc_array(mem_ctx, char, 3 * n + 1);
	size_t len = 0;

	if (text == NULL) {
		*err = ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t c = get_u16(units + 2 * i, big_endian);

		if (c >= 0xd800 && c <= 0xdfff) {
			uint32_t low = i + 1 < n ? get_u16(units + 2 * i + 2, big_endian) : 0;

			if (c > 0xdbff || low < 0xdc00 || low > 0xdfff) {
				talloc_free(text);
				*err = EBADMSG;
				return NULL;
			}
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i++;
		}
		len += put_utf8(text + len, c);
	}
	text[len] = '\0';
	return text;
}

char *ndr_utf16le_to_utf8(TALLOC_CTX *mem_ctx, const uint8_t *units, size_t n, int *err)
{
	return utf16_to_utf8(mem_ctx, units, n, false, err);
}

char *ndr_in_wstring(TALLOC_CTX *mem_ctx, struct ndr_in *in, uint32_t max_units)
{
	uint32_t max_count = ndr_in_u32(in);
	uint32_t offset = ndr_in_u32(in);
	uint32_t actual = ndr_in_u32(in);
	const uint8_t *units;
	char *text;
	int err = 0;

	if (in->err == 0 && (offset != 0 || actual == 0 || actual > max_count ||
			     actual > max_units || actual > (in->len - in->off) / 2)) {
		ndr_in_fail(in, EBADMSG);
	}
	units = in->err == 0 ? ndr_in_raw(in, 2 * (size_t)actual) : NULL;
	if (units == NULL) {
		return NULL;
	}
	for (uint32_t i = 0; i < actual; i++) {
		bool nul = units[2 * i] == 0 && units[2 * i + 1] == 0;

		if (nul != (i == actual - 1)) {
			ndr_in_fail(in, EBADMSG);
			return NULL;
		}
	}
	text = utf16_to_utf8(mem_ctx, units, actual - 1, in->big_endian, &err);
	if (text == NULL) {
		ndr_in_fail(in, err);
	}
	return text;
}

struct ndr_out ndr_out_init(TALLOC_CTX *mem_ctx)
{
	return (struct ndr_out){.mem_ctx = mem_ctx, .next_referent = REFERENT_FIRST};
}

#define OUT_MIN 192 /* bytes: a notification and its signature */

static bool resize(struct ndr_out *out, size_t size)
{
	uint8_t *p = talloc_realloc(out->mem_ctx, out->buf, uint8_t, size);

	if (p == NULL) {
		out->err = ENOMEM;
		return false;
	}
	out->buf = p;
	return true;
}

static size_t room(const struct ndr_out *out)
{
	return (out->buf == NULL ? 0 : talloc_get_size(out->buf)) - out->len;
}

void ndr_out_reserve(struct ndr_out *out, size_t n)
{
	if (out->err == 0 && n > room(out)) {
		(void)resize(out, out->len + n);
	}
}

/* Room for n more bytes. @return where they go, NULL after an error */
static uint8_t *out_grow(struct ndr_out *out, size_t n)
{
	uint8_t *p;

	if (out->err != 0) {
		return NULL;
	}
	if (n > room(out)) {
		size_t want = out->len + n;

		if (!resize(out, want < OUT_MIN ? OUT_MIN : want + want / 2)) {
			return NULL;
		}
	}
	p = out->buf + out->len;
	out->len += n;
	return p;
}

void ndr_out_bytes(struct ndr_out *out, const void *bytes, size_t n)
{
	uint8_t *p = n > 0 ? out_grow(out, n) : NULL;

	if (p != NULL) {
		memcpy(p, bytes, n);
	}
}

void ndr_out_zero(struct ndr_out *out, size_t n)
{
	uint8_t *p = n > 0 ? out_grow(out, n) : NULL;

	if (p != NULL) {
		memset(p, 0, n);
	}
}

void ndr_out_align(struct ndr_out *out, size_t alignment)
{
	ndr_out_zero(out, (alignment - out->len % alignment) % alignment);
}

void ndr_out_u8(struct ndr_out *out, uint8_t v)
{
	ndr_out_bytes(out, &v, 1);
}

void ndr_out_u16(struct ndr_out *out, uint16_t v)
{
	const uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

	ndr_out_align(out, 2);
	ndr_out_bytes(out, b, sizeof(b));
}

void ndr_out_u32(struct ndr_out *out, uint32_t v)
{
	const uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
			      (uint8_t)(v >> 24)};

	ndr_out_align(out, 4);
	ndr_out_bytes(out, b, sizeof(b));
}

void ndr_out_guid(struct ndr_out *out, const struct guid *guid)
{
	ndr_out_align(out, 4);
	ndr_out_bytes(out, guid->b, sizeof(guid->b));
}

void ndr_out_ptr(struct ndr_out *out, bool present)
{
	ndr_out_u32(out, present ? out->next_referent : 0);
	if (present) {
		out->next_referent += 4;
	}
}

size_t ndr_utf16_units(const char *utf8)
{
	size_t units = 0;

	while (*utf8 != '\0') {
		uint32_t c = utf8_next(&utf8);

		if (c == UINT32_MAX) {
			return SIZE_MAX;
		}
		units += c >= 0x10000 ? 2 : 1;
	}
	return units;
}

static void put_unit(struct ndr_out *out, uint32_t unit)
{
	const uint8_t b[2] = {(uint8_t)unit, (uint8_t)(unit >> 8)};

	ndr_out_bytes(out, b, sizeof(b));
}

void ndr_out_utf16z(struct ndr_out *out, const char *utf8)
{
	while (*utf8 != '\0') {
		uint32_t c = utf8_next(&utf8);

		if (c == UINT32_MAX) {
			out->err = out->err != 0 ? out->err : EILSEQ;
			return;
		}
		if (c >= 0x10000) {
			put_unit(out, 0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		put_unit(out, c);
	}
	put_unit(out, 0);
}

void ndr_out_wstring(struct ndr_out *out, const char *utf8)
{
	size_t units = ndr_utf16_units(utf8);

	if (units >= UINT32_MAX) {
		out->err = out->err != 0 ? out->err : EILSEQ;
		return;
	}
	ndr_out_u32(out, (uint32_t)units + 1);
	ndr_out_u32(out, 0);
	ndr_out_u32(out, (uint32_t)units + 1);
	ndr_out_utf16z(out, utf8);
}
