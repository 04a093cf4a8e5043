/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Protocol towers of the endpoint mapper (C706 appendices I and L): only those of ncacn_ip_tcp. */
#ifndef WITNESSD_RPC_TOWER_H
#define WITNESSD_RPC_TOWER_H

#include "witnessd/rpc/dcerpc.h"
#include "witnessd/util/ipaddr.h"

#include <stddef.h>

#define RPC_TOWER_TCP_LEN 75

/* Where an interface is served. */
struct rpc_tower {
	struct rpc_syntax iface;
	struct rpc_syntax transfer;
	uint16_t port;      /* host order */
	struct ipaddr addr; /* IPv4, or family 0 for 0.0.0.0: a tower has no floor for IPv6 */
};

/**
 * Decode a tower; its integers are little-endian whatever the PDU is, and unaligned. Bytes after the
 * last floor are ignored.
 * @return 0; EBADMSG (a floor reaches beyond the end, or has a wrong size, or there are more than 16);
 *         EPROTONOSUPPORT (well formed, and not a tower of ncacn_ip_tcp). *out untouched on failure
 */
int rpc_tower_pull(const uint8_t *buf, size_t len, struct rpc_tower *out);

/** Encode a tower of ncacn_ip_tcp. */
void rpc_tower_push(const struct rpc_tower *tower, uint8_t out[RPC_TOWER_TCP_LEN]);

#endif
