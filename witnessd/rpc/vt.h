/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verification trailer (MS-RPCE 2.2.2.13) that clients append to the stub of a request. It repeats fields
 * that the signature does not cover, so that they cannot be changed on the way. Pure: bytes in, struct out.
 */
#ifndef WITNESSD_RPC_VT_H
#define WITNESSD_RPC_VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "witnessd/rpc/dcerpc.h"

#define RPC_VT_MAGIC_LEN 8

/* A command: one of these identifiers, with flags. */
#define RPC_VT_ID_MASK  0x3fff
#define RPC_VT_BITMASK1 1
#define RPC_VT_PCONTEXT 2
#define RPC_VT_HEADER2  3
#define RPC_VT_LAST     0x4000 /* flag: no command follows */
#define RPC_VT_MUST     0x8000 /* flag: a receiver that does not know it must fail the request */

/* Bytes of each command's value. */
#define RPC_VT_BITMASK1_LEN   4
#define RPC_VT_PCONTEXT_LEN   40
#define RPC_VT_HEADER2_LEN    16

#define RPC_VT_HEADER_SIGNING 0x00000001U /* in bitmask1: the client supports header signing */

/* What a trailer begins with. */
extern const uint8_t rpc_vt_magic[RPC_VT_MAGIC_LEN];

struct rpc_vt {
	size_t off; /* where it begins; the stub ends there or earlier, before padding */
	bool has_bitmask1, has_pcontext, has_header2;
	bool unknown_must; /* an unknown command with RPC_VT_MUST */
	uint32_t bitmask1;
	struct rpc_syntax abstract, transfer; /* pcontext */
	uint8_t ptype, drep[4];               /* header2 */
	uint32_t call_id;
	uint16_t context_id, opnum;
};

/**
 * Look for a trailer near the end of a reassembled stub.
 * @return 0, or ENOENT with *out untouched: there is none, or it is malformed and so counts as stub data
 */
int rpc_vt_find(const uint8_t *stub, size_t len, bool big_endian, struct rpc_vt *out);

#endif
