/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/pack.h"

#include <errno.h>
#include <string.h>

/* --- reading --- */

const uint8_t *unpack_bytes(struct pack_in *in, size_t len)
{
	const uint8_t *p = in->p;

	if (in->err != 0 || len > in->left) {
		in->err = in->err != 0 ? in->err : EBADMSG;
		return NULL;
	}
	in->p += len;
	in->left -= len;
	return p;
}

static uint64_t unpack_number(struct pack_in *in, size_t len)
{
	const uint8_t *p = unpack_bytes(in, len);
	uint64_t value = 0;

	for (size_t i = 0; p != NULL && i < len; i++) {
		value = value << 8 | p[i];
	}
	return value;
}

uint8_t unpack_u8(struct pack_in *in)
{
	return (uint8_t)unpack_number(in, 1);
}

uint16_t unpack_u16(struct pack_in *in)
{
	return (uint16_t)unpack_number(in, 2);
}

uint32_t unpack_u32(struct pack_in *in)
{
	return (uint32_t)unpack_number(in, 4);
}

uint64_t unpack_u64(struct pack_in *in)
{
	return unpack_number(in, 8);
}

char *unpack_text(struct pack_in *in, TALLOC_CTX *mem_ctx, size_t max)
{
	size_t len = unpack_u16(in);
	const char *p;
	char *text;

	if (in->err == 0 && len > max) {
		in->err = EBADMSG;
	}
	p = (const char *)unpack_bytes(in, len);
	if (p == NULL) {
		return NULL;
	}
	if (memchr(p, '\0', len) != NULL) {
		in->err = EBADMSG;
		return NULL;
	}
	text = talloc_strndup(mem_ctx, p, len);
	if (text == NULL) {
		in->err = ENOMEM;
	}
	return text;
}

static size_t ip_len(uint32_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

struct ipaddr unpack_ip(struct pack_in *in)
{
	struct ipaddr ip = {.family = 0};
	const uint8_t *p;

	switch (unpack_u8(in)) {
	case 0:
		return ip;
	case 4:
		ip.family = AF_INET;
		break;
	case 6:
		ip.family = AF_INET6;
		break;
	default:
		in->err = in->err != 0 ? in->err : EBADMSG;
		return ip;
	}
	p = unpack_bytes(in, ip_len(ip.family));
	if (p == NULL) {
		return (struct ipaddr){.family = 0};
	}
	memcpy(ip.bytes, p, ip_len(ip.family));
	return ip;
}

/* --- writing --- */

void pack_bytes(struct pack_out *out, const void *bytes, size_t len)
{
	if (out->err != 0 || len > out->size - out->len) {
		out->err = EMSGSIZE;
		return;
	}
	if (len > 0) {
		memcpy(out->p + out->len, bytes, len);
	}
	out->len += len;
}

static void pack_number(struct pack_out *out, uint64_t value, size_t len)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(value >> 8 * (len - 1 - i));
	}
	pack_bytes(out, bytes, len);
}

void pack_u8(struct pack_out *out, uint8_t value)
{
	pack_number(out, value, 1);
}

void pack_u16(struct pack_out *out, uint16_t value)
{
	pack_number(out, value, 2);
}

void pack_u32(struct pack_out *out, uint32_t value)
{
	pack_number(out, value, 4);
}

void pack_u64(struct pack_out *out, uint64_t value)
{
	pack_number(out, value, 8);
}

void pack_text(struct pack_out *out, const char *text)
{
	size_t len = strlen(text);

	if (len > UINT16_MAX) {
		out->err = EMSGSIZE;
		return;
	}
	pack_u16(out, (uint16_t)len);
	pack_bytes(out, text, len);
}

void pack_ip(struct pack_out *out, const struct ipaddr *ip)
{
	pack_u8(out, ip->family == AF_INET ? 4 : ip->family == AF_INET6 ? 6 : 0);
	pack_bytes(out, ip->bytes, ip_len(ip->family));
}
