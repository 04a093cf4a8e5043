/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verification trailer (MS-RPCE 2.2.2.13) that clients hide behind the stub of a request, so that
 * nobody in between can change what the signature does not cover. Pure: bytes in, struct out.
 */
#ifndef WITNESSD_RPC_VT_H
#define WITNESSD_RPC_VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "witnessd/rpc/dcerpc.h"

#define RPC_VT_MAGIC_LEN 8

/* A command's identifier: one of these, with flags. */
#define RPC_VT_ID_MASK  0x3fff
#define RPC_VT_BITMASK1 1
#define RPC_VT_PCONTEXT 2
#define RPC_VT_HEADER2  3
#define RPC_VT_LAST     0x4000 /* flag: no command follows */
#define RPC_VT_MUST     0x8000 /* flag: who does not know the command must not go on */

/* Bytes of each command's value. */
#define RPC_VT_BITMASK1_LEN   4
#define RPC_VT_PCONTEXT_LEN   40
#define RPC_VT_HEADER2_LEN    16

#define RPC_VT_HEADER_SIGNING 0x00000001U /* in bitmask1: the client supports header signing */

/* What a trailer begins with. */
extern const uint8_t rpc_vt_magic[RPC_VT_MAGIC_LEN];

struct rpc_vt {
	size_t off; /* where it begins: the stub proper ends there or before */
	bool has_bitmask1, has_pcontext, has_header2;
	bool unknown_must; /* a command that has to be understood and is not */
	uint32_t bitmask1;
	struct rpc_syntax abstract, transfer; /* pcontext */
	uint8_t ptype, drep[4];               /* header2 */
	uint32_t call_id;
	uint16_t context_id, opnum;
};

/**
 * Look for a trailer near the end of a reassembled stub.
 * @return 0, or ENOENT with *out untouched: there is none, or it is malformed and so is just stub
 */
int rpc_vt_find(const uint8_t *stub, size_t len, bool big_endian, struct rpc_vt *out);

#endif
