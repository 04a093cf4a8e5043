/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/client_private.h"
#include "witnessd/rpc/ndr.h"

#define VT_BITMASK1      1
#define VT_PCONTEXT      2
#define VT_HEADER2       3
#define VT_LAST          0x4000
#define VT_BIT_HDR_SIGN  0x1U
#define VT_PCONTEXT_SIZE 40
#define VT_HEADER2_SIZE  16

static const uint8_t vt_magic[8] = {0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71};
static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;

static void out_command(struct ndr_out *out, uint16_t id, bool last, uint16_t size)
{
	ndr_out_u16(out, (uint16_t)(id | (last ? VT_LAST : 0)));
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

	out_command(out, VT_HEADER2, true, VT_HEADER2_SIZE);
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
		ndr_out_bytes(&o, vt_magic, sizeof(vt_magic));
	}
	if (!client->vt_sent) {
		out_command(&o, VT_BITMASK1, false, 4);
		ndr_out_u32(&o, VT_BIT_HDR_SIGN);
		out_command(&o, VT_PCONTEXT, client->header_sign, VT_PCONTEXT_SIZE);
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
