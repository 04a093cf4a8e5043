/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The endpoint mapper's calls in NDR20 (C706 appendix O), both directions. No I/O, and no matching
 * of entries.
 */
#ifndef WITNESSD_RPC_EPM_WIRE_H
#define WITNESSD_RPC_EPM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/rpc/tower.h"

enum epm_opnum {
	EPM_INSERT = 0,
	EPM_DELETE = 1,
	EPM_LOOKUP = 2,
	EPM_MAP = 3,
	EPM_LOOKUP_HANDLE_FREE = 4,
	EPM_INQ_OBJECT = 5,
	EPM_MGMT_DELETE = 6,
	EPM_NUM_OPS = 7,
};

#define EPM_PORT                  135
#define EPM_STATUS_OK             0U
#define EPM_STATUS_CANT_PERFORM   0x000006D8U
#define EPM_STATUS_NOT_REGISTERED 0x16C9A0D6U /* also: no more entries */

#define EPM_MAX_TOWERS            500 /* the IDL's range of max_towers and max_ents */

/* A context handle: where the next ept_lookup goes on. All zero: from the start, or the end. */
struct epm_handle {
	uint32_t attributes;
	struct guid uuid;
};

enum epm_inquiry {
	EPM_INQUIRE_ALL = 0,
	EPM_INQUIRE_BY_INTERFACE = 1,
	EPM_INQUIRE_BY_OBJECT = 2,
	EPM_INQUIRE_BY_BOTH = 3,
};

/* Samba's clients count from 0: their "all" is 0, and is treated as EPM_VERS_ALL. */
enum epm_vers_option {
	EPM_VERS_ALL = 1,
	EPM_VERS_COMPATIBLE = 2,
	EPM_VERS_EXACT = 3,
	EPM_VERS_MAJOR_ONLY = 4,
	EPM_VERS_UP_TO = 5,
};

struct epm_lookup {
	uint32_t inquiry;
	bool has_object, has_iface;
	struct guid object;
	struct rpc_syntax iface;
	uint32_t vers_option;
	struct epm_handle handle;
	uint32_t max_ents;
};

struct epm_map {
	bool has_tower; /* false: NULL, or a tower of another protocol, which nothing matches */
	struct rpc_tower tower;
	struct epm_handle handle;
	uint32_t max_towers;
};

/* One element of the map. */
struct epm_entry {
	struct rpc_tower tower;
	const char *annotation; /* ASCII; cut after 63 characters */
};

/* Requests. Pull: 0 or EBADMSG (ranges are checked). Push: 0 or ENOMEM, *stub a child of mem_ctx. */
int epm_pull_lookup(const uint8_t *stub, size_t len, bool big_endian, struct epm_lookup *out);
int epm_pull_map(const uint8_t *stub, size_t len, bool big_endian, struct epm_map *out);
int epm_pull_handle(const uint8_t *stub, size_t len, bool big_endian, struct epm_handle *out);
int epm_push_map(TALLOC_CTX *mem_ctx, const struct epm_map *in, uint8_t **stub, size_t *len);

/*
 * Replies. max is the maximum of the request: the conformance of the array. The status of a lookup is
 * "no more entries" when the handle is null, whether there are entries or not: so does Samba's mapper,
 * and smbtorture expects it.
 */
int epm_push_lookup_reply(TALLOC_CTX *mem_ctx, const struct epm_handle *handle,
			  const struct epm_entry *entries, uint32_t num, uint32_t max,
			  uint8_t **stub, size_t *len);
int epm_push_map_reply(TALLOC_CTX *mem_ctx, const struct rpc_tower *towers, uint32_t num,
		       uint32_t max, uint8_t **stub, size_t *len);
int epm_push_handle_reply(TALLOC_CTX *mem_ctx, const struct epm_handle *handle, uint32_t status,
			  uint8_t **stub, size_t *len);

/**
 * The first tower of ncacn_ip_tcp in a reply to ept_map.
 * @return 0; EPROTONOSUPPORT (not registered, or only by other protocols); EBADMSG
 */
int epm_pull_map_reply(const uint8_t *stub, size_t len, struct rpc_tower *out);

/** Whether a handle is all zero. */
bool epm_handle_is_null(const struct epm_handle *handle);

#endif
