/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Context handles, replies that are only a handle or a code, and what all wire_*.c share. */
#include "witnessd/swn/wire_private.h"

#include <string.h>

int swn_wire_finish(struct ndr_out *out, uint8_t **stub, size_t *len)
{
	if (out->err != 0) {
		talloc_free(out->buf);
		return out->err;
	}
	*stub = out->buf;
	*len = out->len;
	return 0;
}

struct ipaddr swn_wire_ipv4(const uint8_t bytes[4])
{
	struct ipaddr ip = {.family = AF_INET};

	memcpy(ip.bytes, bytes, 4);
	return ip;
}

struct ipaddr swn_wire_ipv6(const uint8_t bytes[16])
{
	struct ipaddr ip = {.family = AF_INET6};

	memcpy(ip.bytes, bytes, 16);
	return ip;
}

static struct swn_handle get_handle(struct ndr_in *in)
{
	struct swn_handle handle = {.attributes = ndr_in_u32(in)};

	handle.uuid = ndr_in_guid(in);
	return handle;
}

static void put_handle(struct ndr_out *out, const struct swn_handle *handle)
{
	static const struct swn_handle none;

	handle = handle != NULL ? handle : &none;
	ndr_out_u32(out, handle->attributes);
	ndr_out_guid(out, &handle->uuid);
}

int swn_pull_handle(const uint8_t *stub, size_t len, bool big_endian, struct swn_handle *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);
	struct swn_handle handle = get_handle(&in);

	if (in.err == 0) {
		*out = handle;
	}
	return in.err;
}

int swn_push_handle(TALLOC_CTX *mem_ctx, const struct swn_handle *in, uint8_t **stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	put_handle(&out, in);
	return swn_wire_finish(&out, stub, len);
}

int swn_push_handle_reply(TALLOC_CTX *mem_ctx, const struct swn_handle *handle, uint32_t werror,
			  uint8_t **stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	put_handle(&out, handle);
	ndr_out_u32(&out, werror);
	return swn_wire_finish(&out, stub, len);
}

int swn_pull_handle_reply(const uint8_t *stub, size_t len, struct swn_handle *handle,
			  uint32_t *werror)
{
	struct ndr_in in = ndr_in_init(stub, len, false);
	struct swn_handle got = get_handle(&in);
	uint32_t code = ndr_in_u32(&in);

	if (in.err == 0) {
		*handle = got;
		*werror = code;
	}
	return in.err;
}

int swn_push_werror_reply(TALLOC_CTX *mem_ctx, uint32_t werror, uint8_t **stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_u32(&out, werror);
	return swn_wire_finish(&out, stub, len);
}

int swn_pull_werror_reply(const uint8_t *stub, size_t len, uint32_t *werror)
{
	struct ndr_in in = ndr_in_init(stub, len, false);
	uint32_t code = ndr_in_u32(&in);

	if (in.err == 0) {
		*werror = code;
	}
	return in.err;
}
