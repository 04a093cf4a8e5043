/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/vt.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/ndr.h"
#include "witnessd/rpc/pdu.h"

#define SEARCH_BYTES 1024 /* from the end of the stub */
#define MAX_BEHIND   16   /* padding that may follow the last command */

const uint8_t rpc_vt_magic[RPC_VT_MAGIC_LEN] = {0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71};

/* A repeated command, or one with a wrong length, invalidates the trailer. */
static void begin_command(struct ndr_in *in, bool *seen, uint16_t len, uint16_t expected)
{
	if (*seen || len != expected) {
		ndr_in_fail(in, EBADMSG);
	}
	*seen = true;
}

static void pull_header2(struct ndr_in *in, struct rpc_vt *vt)
{
	vt->ptype = ndr_in_u8(in);
	(void)ndr_in_raw(in, 3);
	ndr_in_bytes(in, vt->drep, sizeof(vt->drep));
	vt->call_id = ndr_in_u32(in);
	vt->context_id = ndr_in_u16(in);
	vt->opnum = ndr_in_u16(in);
}

/* @return whether it was the last one */
static bool pull_command(struct ndr_in *in, struct rpc_vt *vt)
{
	uint16_t cmd = ndr_in_u16(in);
	uint16_t len = ndr_in_u16(in);

	switch (cmd & RPC_VT_ID_MASK) {
	case RPC_VT_BITMASK1:
		begin_command(in, &vt->has_bitmask1, len, RPC_VT_BITMASK1_LEN);
		vt->bitmask1 = ndr_in_u32(in);
		break;
	case RPC_VT_PCONTEXT:
		begin_command(in, &vt->has_pcontext, len, RPC_VT_PCONTEXT_LEN);
		vt->abstract = pdu_pull_syntax(in);
		vt->transfer = pdu_pull_syntax(in);
		break;
	case RPC_VT_HEADER2:
		begin_command(in, &vt->has_header2, len, RPC_VT_HEADER2_LEN);
		pull_header2(in, vt);
		break;
	default:
		if ((cmd & RPC_VT_MUST) != 0) {
			vt->unknown_must = true;
		}
		if (len % 4 != 0) {
			ndr_in_fail(in, EBADMSG);
		}
		(void)ndr_in_raw(in, len);
		break;
	}
	return (cmd & RPC_VT_LAST) != 0;
}

static int pull_trailer(const uint8_t *stub, size_t len, size_t off, bool big_endian,
			struct rpc_vt *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);
	struct rpc_vt vt = {.off = off};
	bool last = false;

	(void)ndr_in_raw(&in, off + RPC_VT_MAGIC_LEN);
	while (!last && in.err == 0) {
		last = pull_command(&in, &vt);
	}
	if (in.err != 0 || in.len - in.off > MAX_BEHIND) {
		return ENOENT;
	}
	*out = vt;
	return 0;
}

int rpc_vt_find(const uint8_t *stub, size_t len, bool big_endian, struct rpc_vt *out)
{
	size_t first = len > SEARCH_BYTES ? (len - SEARCH_BYTES + 3) / 4 * 4 : 0;
	size_t off;

	if (len < RPC_VT_MAGIC_LEN + 4) {
		return ENOENT;
	}
	for (off = (len - RPC_VT_MAGIC_LEN) / 4 * 4;; off -= 4) {
		if (memcmp(stub + off, rpc_vt_magic, RPC_VT_MAGIC_LEN) == 0) {
			return pull_trailer(stub, len, off, big_endian, out);
		}
		if (off <= first) {
			return ENOENT;
		}
	}
}
