/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NDR20 (C706 chapter 14): a reader and a writer with a sticky error.
 *
 * The reader never looks past its buffer: after the first short or illegal read every further read
 * gives zero and ndr_in.err keeps the first error, so a parser checks once at its end. Alignment
 * counts from the start of the buffer. Nothing is allocated except strings, whose length has been
 * checked against the bytes that are there.
 */
#ifndef WITNESSD_RPC_NDR_H
#define WITNESSD_RPC_NDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/guid.h"

struct ndr_in {
	const uint8_t *buf; /* borrowed */
	size_t len;
	size_t off; /* next byte to read, <= len */
	bool big_endian;
	int err; /* 0, or the first error: EBADMSG (illegal or short), ENOMEM */
};

/** A reader over a buffer that must outlive it. */
struct ndr_in ndr_in_init(const uint8_t *buf, size_t len, bool big_endian);

/** Skip padding up to a multiple of alignment, and read an integer. */
void ndr_in_align(struct ndr_in *in, size_t alignment);
uint8_t ndr_in_u8(struct ndr_in *in);
uint16_t ndr_in_u16(struct ndr_in *in); /* aligns to 2 */
uint32_t ndr_in_u32(struct ndr_in *in); /* aligns to 4 */
/** Copy n raw bytes, no alignment; zeroes after an error. */
void ndr_in_bytes(struct ndr_in *in, void *out, size_t n);
/** n raw bytes in place, borrowed from the buffer; NULL after an error. */
const uint8_t *ndr_in_raw(struct ndr_in *in, size_t n);
/** A UUID, aligned to 4, swapped when the sender is big-endian. */
struct guid ndr_in_guid(struct ndr_in *in);
/** Set the sticky error unless one is set. */
void ndr_in_fail(struct ndr_in *in, int err);

/**
 * The referent of a [string] wchar_t * (conformant varying): max_count, offset, actual_count, units.
 * Refused with EBADMSG: offset != 0, actual > max, actual = 0, last unit not NUL, NUL before it,
 * unpaired surrogates, more than max_units units (NUL counted).
 * @return UTF-8, a child of mem_ctx; NULL after an error
 */
char *ndr_in_wstring(TALLOC_CTX *mem_ctx, struct ndr_in *in, uint32_t max_units);

struct ndr_out {
	uint8_t *buf; /* a talloc chunk, child of what ndr_out_init() was given; NULL when empty */
	size_t len;
	TALLOC_CTX *mem_ctx;
	uint32_t next_referent;
	int err; /* 0, ENOMEM, or EILSEQ for text that is not UTF-8 */
};

/** A little-endian writer whose buffer will be a child of mem_ctx. */
struct ndr_out ndr_out_init(TALLOC_CTX *mem_ctx);

/** Make room for n more bytes, and no more: for writers that know the length. */
void ndr_out_reserve(struct ndr_out *out, size_t n);
/** Append padding up to a multiple of alignment, an integer, raw bytes, zeroes, a UUID. */
void ndr_out_align(struct ndr_out *out, size_t alignment); /* pads with zero */
void ndr_out_u8(struct ndr_out *out, uint8_t v);
void ndr_out_u16(struct ndr_out *out, uint16_t v); /* aligns to 2 */
void ndr_out_u32(struct ndr_out *out, uint32_t v); /* aligns to 4 */
void ndr_out_bytes(struct ndr_out *out, const void *p, size_t n);
void ndr_out_zero(struct ndr_out *out, size_t n);
void ndr_out_guid(struct ndr_out *out, const struct guid *guid); /* aligns to 4 */
/** A unique or full pointer: the next referent id (0x00020000, +4 each) when present, else 0. */
void ndr_out_ptr(struct ndr_out *out, bool present);
/** The referent of a [string] wchar_t *, NUL included, aligned to 4 before it. */
void ndr_out_wstring(struct ndr_out *out, const char *utf8);
/** UTF-8 as UTF-16LE units without counts and with a NUL, no alignment. */
void ndr_out_utf16z(struct ndr_out *out, const char *utf8);

/** Number of UTF-16 units that a UTF-8 text takes, NUL not counted; SIZE_MAX when it is not UTF-8. */
size_t ndr_utf16_units(const char *utf8);

/**
 * Convert n little-endian UTF-16 units to UTF-8. Unpaired surrogates are refused.
 * @return a child of mem_ctx; NULL with *err EBADMSG or ENOMEM
 */
char *ndr_utf16le_to_utf8(TALLOC_CTX *mem_ctx, const uint8_t *units, size_t n, int *err);

#endif
