/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers of connection-oriented DCE/RPC (C706 chapter 12 and appendices, MS-RPCE 2.2). */
#ifndef WITNESSD_RPC_DCERPC_H
#define WITNESSD_RPC_DCERPC_H

#include <stdint.h>

#include "witnessd/util/guid.h"

enum rpc_ptype {
	RPC_REQUEST = 0,
	RPC_RESPONSE = 2,
	RPC_FAULT = 3,
	RPC_BIND = 11,
	RPC_BIND_ACK = 12,
	RPC_BIND_NAK = 13,
	RPC_ALTER_CONTEXT = 14,
	RPC_ALTER_CONTEXT_RESP = 15,
	RPC_AUTH3 = 16,
	RPC_SHUTDOWN = 17,
	RPC_CO_CANCEL = 18,
	RPC_ORPHANED = 19,
	RPC_RTS = 20,
};

#define RPC_PFC_FIRST_FRAG 0x01
#define RPC_PFC_LAST_FRAG  0x02
#define RPC_PFC_SUPPORT_HDRSIGN                                                                    \
	0x04 /* in bind, bind_ack, alter_context, alter_context_resp, auth3 */
#define RPC_PFC_PENDING_CANCEL  0x04 /* in all others */
#define RPC_PFC_CONC_MPX        0x10
#define RPC_PFC_DID_NOT_EXECUTE 0x20
#define RPC_PFC_MAYBE           0x40
#define RPC_PFC_OBJECT_UUID     0x80

enum rpc_auth_type {
	RPC_AUTH_NONE = 0,
	RPC_AUTH_SPNEGO = 9,
	RPC_AUTH_NTLM = 10,
	RPC_AUTH_KRB5 = 16,
};

enum rpc_auth_level {
	RPC_LEVEL_NONE = 1,
	RPC_LEVEL_CONNECT = 2,
	RPC_LEVEL_CALL = 3,
	RPC_LEVEL_PACKET = 4,
	RPC_LEVEL_INTEGRITY = 5,
	RPC_LEVEL_PRIVACY = 6,
};

enum rpc_nak_reason {
	RPC_NAK_NOT_SPECIFIED = 0,
	RPC_NAK_TEMPORARY_CONGESTION = 1,
	RPC_NAK_LOCAL_LIMIT_EXCEEDED = 2,
	RPC_NAK_PROTOCOL_VERSION_NOT_SUPPORTED = 4,
	RPC_NAK_AUTH_TYPE_NOT_RECOGNIZED = 8,
	RPC_NAK_INVALID_CHECKSUM = 9,
};

#define RPC_FAULT_OTHER            0x00000001U
#define RPC_FAULT_ACCESS_DENIED    0x00000005U
#define RPC_FAULT_SERVER_UNAVAIL   0x000006BAU
#define RPC_FAULT_NO_CALL_ACTIVE   0x000006BDU
#define RPC_FAULT_CANT_PERFORM     0x000006D8U
#define RPC_FAULT_OUT_OF_RESOURCES 0x000006D9U
#define RPC_FAULT_BAD_STUB_DATA    0x000006F7U
#define RPC_FAULT_SEC_PKG_ERROR    0x00000721U
#define RPC_FAULT_CANCEL           0x1C00000DU
#define RPC_FAULT_UNSPEC           0x1C000012U
#define RPC_FAULT_CONTEXT_MISMATCH 0x1C00001AU
#define RPC_FAULT_OP_RNG_ERROR     0x1C010002U
#define RPC_FAULT_UNK_IF           0x1C010003U
#define RPC_FAULT_PROTO_ERROR      0x1C01000BU
#define RPC_FAULT_SERVER_TOO_BUSY  0x1C010014U

/* An abstract or transfer syntax: UUID and version. */
struct rpc_syntax {
	struct guid uuid;
	uint16_t major;
	uint16_t minor;
};

#define GUID_BYTES(...)                                                                            \
	{                                                                                          \
		.b = { __VA_ARGS__ }                                                               \
	}

/* NDR20, 8a885d04-1ceb-11c9-9fe8-08002b104860 v2.0 */
#define RPC_SYNTAX_NDR20                                                                           \
	{                                                                                          \
		.uuid = GUID_BYTES(0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8,     \
				   0x08, 0x00, 0x2b, 0x10, 0x48, 0x60),                            \
		.major = 2, .minor = 0                                                             \
	}
/* endpoint mapper, e1af8308-5d1f-11c9-91a4-08002b14a0fa v3.0 */
#define RPC_SYNTAX_EPM                                                                             \
	{                                                                                          \
		.uuid = GUID_BYTES(0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4,     \
				   0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa),                            \
		.major = 3, .minor = 0                                                             \
	}
/* management, afa8bd80-7d8a-11c9-bef4-08002b102989 v1.0 */
#define RPC_SYNTAX_MGMT                                                                            \
	{                                                                                          \
		.uuid = GUID_BYTES(0x80, 0xbd, 0xa8, 0xaf, 0x8a, 0x7d, 0xc9, 0x11, 0xbe, 0xf4,     \
				   0x08, 0x00, 0x2b, 0x10, 0x29, 0x89),                            \
		.major = 1, .minor = 0                                                             \
	}
/* witness, ccd8c074-d0e5-4a40-92b4-d074faa6ba28 v1.1 */
#define RPC_SYNTAX_WITNESS                                                                         \
	{                                                                                          \
		.uuid = GUID_BYTES(0x74, 0xc0, 0xd8, 0xcc, 0xe5, 0xd0, 0x40, 0x4a, 0x92, 0xb4,     \
				   0xd0, 0x74, 0xfa, 0xa6, 0xba, 0x28),                            \
		.major = 1, .minor = 1                                                             \
	}

#define RPC_FRAG_MAX                                                                               \
	5840 /* the largest request or response fragment, as Windows and Samba have it */
#define RPC_FRAG_MIN 2048 /* nothing smaller is negotiated */

#endif
