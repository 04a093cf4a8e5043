/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/vt.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/ndr.h"
#include "witnessd/rpc/pdu.h"

#define SEARCH_BYTES 1024 /* from the end of the stub */
#define MAX_BEHIND   16   /* padding that may follow the last command */
#define MAGIC_LEN    8

#define CMD_ID       0x3fff
#define CMD_LAST     0x4000
#define CMD_MUST     0x8000
#define CMD_BITMASK1 1
#define CMD_PCONTEXT 2
#define CMD_HEADER2  3

static const uint8_t magic[MAGIC_LEN] = {0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71};

/* A command that came already, or whose length is not its own, spoils the trailer. */
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

	switch (cmd & CMD_ID) {
	case CMD_BITMASK1:
		begin_command(in, &vt->has_bitmask1, len, 4);
		vt->bitmask1 = ndr_in_u32(in);
		break;
	case CMD_PCONTEXT:
		begin_command(in, &vt->has_pcontext, len, 40);
		vt->abstract = pdu_pull_syntax(in);
		vt->transfer = pdu_pull_syntax(in);
		break;
	case CMD_HEADER2:
		begin_command(in, &vt->has_header2, len, 16);
		pull_header2(in, vt);
		break;
	default:
		if ((cmd & CMD_MUST) != 0) {
			vt->unknown_must = true;
		}
		if (len % 4 != 0) {
			ndr_in_fail(in, EBADMSG);
		}
		(void)ndr_in_raw(in, len);
		break;
	}
	return (cmd & CMD_LAST) != 0;
}

static int pull_trailer(const uint8_t *stub, size_t len, size_t off, bool big_endian,
			struct rpc_vt *out)
{
	struct ndr_in in = ndr_in_init(stub, len, big_endian);
	struct rpc_vt vt = {.off = off};
	bool last = false;

	(void)ndr_in_raw(&in, off + MAGIC_LEN);
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

	if (len < MAGIC_LEN + 4) {
		return ENOENT;
	}
	for (off = (len - MAGIC_LEN) / 4 * 4;; off -= 4) {
		if (memcmp(stub + off, magic, MAGIC_LEN) == 0) {
			return pull_trailer(stub, len, off, big_endian, out);
		}
		if (off <= first) {
			return ENOENT;
		}
	}
}
