/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers and byte strings in a buffer, in network byte order: the encoding of messages between witnessds. The
 * first read beyond the end, or write into a full buffer, sets .err; every call after it does nothing and
 * yields zeros, so that one check at the end is enough.
 */
#ifndef WITNESSD_UTIL_PACK_H
#define WITNESSD_UTIL_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/ipaddr.h"

struct pack_in {
	const uint8_t *p;
	size_t left;
	int err; /* 0 or EBADMSG */
};

/** The next integer; 0 after an error. */
uint8_t unpack_u8(struct pack_in *in);
uint16_t unpack_u16(struct pack_in *in);
uint32_t unpack_u32(struct pack_in *in);
uint64_t unpack_u64(struct pack_in *in);
/** The next len bytes, borrowed from the buffer; NULL when fewer are left. */
const uint8_t *unpack_bytes(struct pack_in *in, size_t len);
/**
 * Text preceded by its length: a copy, child of mem_ctx. Text longer than max, or with a NUL in it, is
 * EBADMSG; .err may also become ENOMEM. @return NULL only after an error
 */
char *unpack_text(struct pack_in *in, TALLOC_CTX *mem_ctx, size_t max);
/** An address; family 0 is "no address", families other than IPv4 and IPv6 are EBADMSG. */
struct ipaddr unpack_ip(struct pack_in *in);

struct pack_out {
	uint8_t *p;
	size_t size, len;
	int err; /* 0 or EMSGSIZE */
};

/** Append an integer, bytes as they are, text preceded by its length, an address. */
void pack_u8(struct pack_out *out, uint8_t value);
void pack_u16(struct pack_out *out, uint16_t value);
void pack_u32(struct pack_out *out, uint32_t value);
void pack_u64(struct pack_out *out, uint64_t value);
void pack_bytes(struct pack_out *out, const void *bytes, size_t len);
void pack_text(struct pack_out *out, const char *text);
void pack_ip(struct pack_out *out, const struct ipaddr *ip);

#endif
