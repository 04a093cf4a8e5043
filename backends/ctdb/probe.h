/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a node live, whatever its witnessd does? Two questions at once: its ctdbd is pinged through ours, and
 * its kernel is asked for a TCP connection to its private address, which it answers though every process
 * on it hangs, by accepting or by refusing. One answer is enough; the connection is closed at once. The port
 * is smbd's, not ctdbd's: that one would take a connection from here for the one of our own ctdbd.
 */
#ifndef BACKENDS_CTDB_PROBE_H
#define BACKENDS_CTDB_PROBE_H

#include "backends/ctdb/client.h"
#include "witnessd/util/ipaddr.h"

#define CTDB_PROBE_PORT 445

struct ctdb_probe_config {
	struct ctdb_client *client; /* borrowed */
	uint32_t pnn;               /* whom to ask; CTDB_UNKNOWN_PNN: nobody: it is ENOENT */
	struct ipaddr ip;           /* its private address; no address: only its ctdbd is asked */
	uint16_t port;              /* CTDB_PROBE_PORT, but for tests */
	uint32_t timeout_ms;
};

/** NULL when memory is short. */
struct tevent_req *ctdb_probe_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct ctdb_probe_config *config);

/** @return 0 (it lives); ETIMEDOUT (nothing answered); ENOTCONN or another errno: it could not be asked */
int ctdb_probe_recv(struct tevent_req *req);

#endif
