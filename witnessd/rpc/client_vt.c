/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/client_private.h"
#include "witnessd/rpc/ndr.h"
#include "witnessd/rpc/vt.h"

static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;

static void out_command(struct ndr_out *out, uint16_t id, bool last, uint16_t size)
{
	ndr_out_u16(out, (uint16_t)(id | (last ? RPC_VT_LAST : 0)));
	ndr_out_u16(out, size);
}

static void out_syntax(struct ndr_out *out, const struct rpc_syntax *syntax)
{
	ndr_out_guid(out, &syntax->uuid);
	ndr_out_u16(out, syntax->major);
	ndr_out_u16(out, syntax->minor);
}

/* What the header of this request says; signed here because it is not signed there. */
static void out_header2(struct ndr_out *out, uint32_t call_id, uint16_t opnum)
{
	static const uint8_t drep[4] = {0x10, 0, 0, 0};

	out_command(out, RPC_VT_HEADER2, true, RPC_VT_HEADER2_LEN);
	ndr_out_u8(out, RPC_REQUEST);
	ndr_out_zero(out, 3);
	ndr_out_bytes(out, drep, sizeof(drep));
	ndr_out_u32(out, call_id);
	ndr_out_u16(out, CLIENT_CONTEXT_ID);
	ndr_out_u16(out, opnum);
}

int client_vt_append(TALLOC_CTX *mem_ctx, const struct rpc_client *client, uint32_t call_id,
		     uint16_t opnum, const uint8_t *stub, size_t stub_len, uint8_t **out,
		     size_t *out_len)
{
	struct ndr_out o = ndr_out_init(mem_ctx);

	ndr_out_bytes(&o, stub, stub_len);
	if (!client->vt_sent || !client->header_sign) {
		ndr_out_align(&o, 4);
		ndr_out_bytes(&o, rpc_vt_magic, sizeof(rpc_vt_magic));
	}
	if (!client->vt_sent) {
		out_command(&o, RPC_VT_BITMASK1, false, RPC_VT_BITMASK1_LEN);
		ndr_out_u32(&o, RPC_VT_HEADER_SIGNING);
		out_command(&o, RPC_VT_PCONTEXT, client->header_sign, RPC_VT_PCONTEXT_LEN);
		out_syntax(&o, &client->iface);
		out_syntax(&o, &ndr20);
	}
	if (!client->header_sign) {
		out_header2(&o, call_id, opnum);
	}
	if (o.err != 0) {
		return o.err;
	}
	*out = o.buf;
	*out_len = o.len;
	return 0;
}
