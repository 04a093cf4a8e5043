/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is a node alive, whatever its witnessd does? Two probes at once: its ctdbd is pinged through ours, and its kernel
 * is sent a TCP connection to its private address, which it accepts or refuses even if every process hangs.
 * One answer is enough; the connection is closed at once. The port is smbd's: ctdbd would take a connection to its
 * own port for one of our ctdbd.
 */
#ifndef BACKENDS_CTDB_PROBE_H
#define BACKENDS_CTDB_PROBE_H

#include "backends/ctdb/client.h"
#include "witnessd/util/ipaddr.h"

#define CTDB_PROBE_PORT 445

struct ctdb_probe_config {
	struct ctdb_client *client; /* borrowed */
	uint32_t pnn;               /* the node to probe; CTDB_UNKNOWN_PNN: ENOENT */
	struct ipaddr ip;           /* its private address; family 0: only its ctdbd is asked */
	uint16_t port;              /* CTDB_PROBE_PORT except in tests */
	uint32_t timeout_ms;
};

/** Start both probes. @return NULL when memory is short */
struct tevent_req *ctdb_probe_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct ctdb_probe_config *config);

/** @return 0 (it is alive); ETIMEDOUT (nothing answered); ENOTCONN or another errno: it could not be asked */
int ctdb_probe_recv(struct tevent_req *req);

#endif
