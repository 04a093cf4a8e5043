/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arguments of WitnessrRegister (3.1.4.2) and WitnessrRegisterEx (3.1.4.5). */
#include "witnessd/swn/wire_private.h"

#include <errno.h>

/* A [unique][string] wchar_t * parameter: NULL stays NULL. */
static const char *get_string(TALLOC_CTX *mem_ctx, struct ndr_in *in)
{
	if (ndr_in_u32(in) == 0) {
		return NULL;
	}
	return ndr_in_wstring(mem_ctx, in, SWN_STRING_MAX_UNITS);
}

static void put_string(struct ndr_out *out, const char *text)
{
	ndr_out_ptr(out, text != NULL);
	if (text != NULL) {
		ndr_out_wstring(out, text);
	}
}

static int pull(TALLOC_CTX *mem_ctx, struct ndr_in *in, bool ex, struct swn_register *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct swn_register reg = {0};

	if (tmp == NULL) {
		return ENOMEM;
	}
	reg.version = ndr_in_u32(in);
	reg.net_name = get_string(tmp, in);
	reg.share_name = ex ? get_string(tmp, in) : NULL;
	reg.ip_address = get_string(tmp, in);
	reg.client_computer_name = get_string(tmp, in);
	if (ex) {
		reg.flags = ndr_in_u32(in);
		reg.keep_alive_timeout = ndr_in_u32(in);
	}
	if (in->err == 0) {
		talloc_steal(mem_ctx, reg.net_name);
		talloc_steal(mem_ctx, reg.share_name);
		talloc_steal(mem_ctx, reg.ip_address);
		talloc_steal(mem_ctx, reg.client_computer_name);
		*out = reg;
	}
	talloc_free(tmp);
	return in->err;
}

int swn_pull_register(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian,
		      struct swn_register *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);

	return pull(mem_ctx, &in, false, out);
}

int swn_pull_register_ex(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian,
			 struct swn_register *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);

	return pull(mem_ctx, &in, true, out);
}

int swn_push_register(TALLOC_CTX *mem_ctx, const struct swn_register *in, uint8_t **stub,
		      size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_u32(&out, in->version);
	put_string(&out, in->net_name);
	put_string(&out, in->ip_address);
	put_string(&out, in->client_computer_name);
	return swn_wire_finish(&out, stub, len);
}

int swn_push_register_ex(TALLOC_CTX *mem_ctx, const struct swn_register *in, uint8_t **stub,
			 size_t *len)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_u32(&out, in->version);
	put_string(&out, in->net_name);
	put_string(&out, in->share_name);
	put_string(&out, in->ip_address);
	put_string(&out, in->client_computer_name);
	ndr_out_u32(&out, in->flags);
	ndr_out_u32(&out, in->keep_alive_timeout);
	return swn_wire_finish(&out, stub, len);
}
