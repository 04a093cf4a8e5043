/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wire format of the Service Witness Protocol (MS-SWN 2.2 and 3.1.4) in NDR20, both directions:
 * the server pulls requests and pushes replies, the client the other way round. No I/O; refuses only
 * what cannot be decoded.
 */
#ifndef WITNESSD_SWN_WIRE_H
#define WITNESSD_SWN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/guid.h"
#include "witnessd/util/ipaddr.h"

enum swn_opnum {
	SWN_GET_INTERFACE_LIST = 0,
	SWN_REGISTER = 1,
	SWN_UNREGISTER = 2,
	SWN_ASYNC_NOTIFY = 3,
	SWN_REGISTER_EX = 4,
	SWN_UNREGISTER_EX = 5,
	SWN_NUM_OPS = 6,
};

#define SWN_VERSION_1           0x00010001U
#define SWN_VERSION_2           0x00020000U
#define SWN_VERSION_UNSPECIFIED 0xFFFFFFFFU

enum swn_interface_state {
	SWN_INTERFACE_UNKNOWN = 0x0000,
	SWN_INTERFACE_AVAILABLE = 0x0001,
	SWN_INTERFACE_UNAVAILABLE = 0x00FF,
};

#define SWN_INTERFACE_IPV4    0x1U
#define SWN_INTERFACE_IPV6    0x2U
#define SWN_INTERFACE_WITNESS 0x4U

enum swn_message_type {
	SWN_RESOURCE_CHANGE = 1,
	SWN_CLIENT_MOVE = 2,
	SWN_SHARE_MOVE = 3,
	SWN_IP_CHANGE = 4,
};

enum swn_resource_state {
	SWN_RESOURCE_UNKNOWN = 0x00,
	SWN_RESOURCE_AVAILABLE = 0x01,
	SWN_RESOURCE_UNAVAILABLE = 0xFF,
};

#define SWN_IPADDR_V4                 0x01U
#define SWN_IPADDR_V6                 0x02U
#define SWN_IPADDR_ONLINE             0x08U
#define SWN_IPADDR_OFFLINE            0x10U

#define SWN_REGISTER_NONE             0x0U
#define SWN_REGISTER_IP_NOTIFICATION  0x1U

#define SWN_SUCCESS                   0U
#define SWN_ERROR_ACCESS_DENIED       5U
#define SWN_ERROR_OUTOFMEMORY         14U
#define SWN_ERROR_INVALID_PARAMETER   87U
#define SWN_ERROR_NO_MORE_ITEMS       259U
#define SWN_ERROR_NOT_FOUND           1168U
#define SWN_ERROR_NOT_AUTHENTICATED   1244U
#define SWN_ERROR_REVISION_MISMATCH   1306U
#define SWN_ERROR_NO_SYSTEM_RESOURCES 1450U
#define SWN_ERROR_TIMEOUT             1460U
#define SWN_ERROR_INVALID_STATE       5023U

#define SWN_GROUP_NAME_UNITS          260  /* InterfaceGroupName, NUL included */
#define SWN_STRING_MAX_UNITS          4096 /* longest request string accepted, NUL included */

/* A context handle: all 20 bytes count. */
struct swn_handle {
	uint32_t attributes;
	struct guid uuid;
};

/* WITNESS_INTERFACE_INFO, 2.2.2.4 */
struct swn_interface {
	const char *group_name; /* UTF-8; longer than 259 UTF-16 units is cut */
	uint32_t version;
	uint16_t state;     /* enum swn_interface_state */
	struct ipaddr ipv4; /* family 0 when absent; decides SWN_INTERFACE_IPV4 */
	struct ipaddr ipv6; /* ditto */
	bool witness;       /* SWN_INTERFACE_WITNESS */
};

struct swn_interface_list {
	struct swn_interface *entries;
	size_t num;
};

/* The arguments of Register and RegisterEx; strings are NULL where the client sent a NULL pointer. */
struct swn_register {
	uint32_t version;
	const char *net_name;
	const char *share_name; /* RegisterEx only */
	const char *ip_address;
	const char *client_computer_name;
	uint32_t flags;              /* RegisterEx only */
	uint32_t keep_alive_timeout; /* seconds; RegisterEx only */
};

/* One record of a RESOURCE_CHANGE message, 2.2.2.3 */
struct swn_resource_change {
	uint32_t state; /* enum swn_resource_state */
	const char *name;
};

/* One IPADDR_INFO, 2.2.2.1 */
struct swn_ipaddr {
	uint32_t flags;
	struct ipaddr ip;
	struct ipaddr
		also; /* pushed only: of the other family, in the same record; family 0: none */
};

/* RESP_ASYNC_NOTIFY, 2.2.2.5, decoded */
struct swn_notify {
	uint32_t
		type; /* enum swn_message_type; others are kept as they came, with both arrays empty */
	struct swn_resource_change *changes; /* type 1 */
	size_t num_changes;
	struct swn_ipaddr *addrs; /* types 2, 3, 4; several lists are joined */
	size_t num_addrs;
};

/* Requests. Pull: 0, EBADMSG or ENOMEM; strings are children of mem_ctx. Trailing bytes are ignored. */
int swn_pull_register(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian,
		      struct swn_register *out);
int swn_pull_register_ex(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len, bool big_endian,
			 struct swn_register *out);
int swn_pull_handle(const uint8_t *stub, size_t len, bool big_endian, struct swn_handle *out);

/* Push: 0, ENOMEM or EILSEQ; *stub is a child of mem_ctx. */
int swn_push_register(TALLOC_CTX *mem_ctx, const struct swn_register *in, uint8_t **stub,
		      size_t *len);
int swn_push_register_ex(TALLOC_CTX *mem_ctx, const struct swn_register *in, uint8_t **stub,
			 size_t *len);
int swn_push_handle(TALLOC_CTX *mem_ctx, const struct swn_handle *in, uint8_t **stub, size_t *len);

/* Replies. list, handle and notify are NULL in an error reply. */
int swn_push_interface_list_reply(TALLOC_CTX *mem_ctx, const struct swn_interface_list *list,
				  uint32_t werror, uint8_t **stub, size_t *len);
int swn_push_handle_reply(TALLOC_CTX *mem_ctx, const struct swn_handle *handle, uint32_t werror,
			  uint8_t **stub, size_t *len);
int swn_push_werror_reply(TALLOC_CTX *mem_ctx, uint32_t werror, uint8_t **stub, size_t *len);
int swn_push_notify_reply(TALLOC_CTX *mem_ctx, const struct swn_notify *notify, uint32_t werror,
			  uint8_t **stub, size_t *len);

/** *list is NULL when the server sent a NULL pointer; else a child of mem_ctx, like its names. */
int swn_pull_interface_list_reply(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len,
				  struct swn_interface_list **list, uint32_t *werror);
int swn_pull_handle_reply(const uint8_t *stub, size_t len, struct swn_handle *handle,
			  uint32_t *werror);
int swn_pull_werror_reply(const uint8_t *stub, size_t len, uint32_t *werror);
/**
 * *notify is NULL when the server sent a NULL pointer. Records are stepped through by their own
 * lengths; trailing bytes are tolerated; flags are masked with 0x1B (Windows leaves the rest, and the
 * unused address, uninitialised).
 */
int swn_pull_notify_reply(TALLOC_CTX *mem_ctx, const uint8_t *stub, size_t len,
			  struct swn_notify **notify, uint32_t *werror);

const char *swn_werror_name(uint32_t werror); /* "ERROR_NOT_FOUND"; "ERROR_?" for unknown ones */
const char *swn_message_type_name(uint32_t type); /* "RESOURCE_CHANGE"; "UNKNOWN" */

#endif
