/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witnessds of a CTDB cluster as peers: membership, and broadcasts to all, including the sender, in order per
 * sender. CTDB has messages but no groups, so each announces itself:
 *
 *   connected ── HELLO?, notify(BYE) ──► others answer HELLO ──► peers_joined, at the latest after half a
 *   second: a node without a witness never answers
 *
 * A peer is up from its first message until its BYE, which its ctdbd sends when the connection of its witnessd
 * ends, or until this node's ctdbd has lost its node. A witnessd that is silent otherwise is left to the
 * heartbeats (cluster/heartbeat.h). CTDB loses messages silently when a link breaks: the peer protocol
 * numbers its own.
 */
#ifndef BACKENDS_CTDB_PEERS_H
#define BACKENDS_CTDB_PEERS_H

#include <jansson.h>

#include "backends/backend.h"
#include "backends/ctdb/client.h"
#include "backends/ctdb/names.h"
#include "backends/ctdb/payload.h"

#define CTDB_PEERS_MAX          512U /* nodes */
#define CTDB_PEERS_JOIN_WAIT_MS 500U
#define CTDB_PEERS_QUEUE_MAX    (1U << 20) /* octets queued for ctdbd; beyond that EAGAIN */

struct ctdb_peers;

struct ctdb_peers_config {
	struct ctdb_client *client;     /* borrowed; must not call back once this is freed */
	const struct ctdb_names *names; /* borrowed, as is the sink */
	const struct backend_sink *sink;
	uint32_t
		join_wait_ms; /* for the answers of others; CTDB_PEERS_JOIN_WAIT_MS except in tests */
};

/** Join whenever the client is connected. The sink is called from the event loop only. @return 0 or ENOMEM */
int ctdb_peers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct ctdb_peers_config *config, struct ctdb_peers **out);

/** Pass on this node's ctdbd's view of the nodes, each time it has been queried. From the event loop. */
void ctdb_peers_nodes(struct ctdb_peers *peers, const struct ctdb_nodemap *map);

/**
 * The number and private address of the node with this name.
 * @return 0, or ENOENT (not known yet, or none)
 */
int ctdb_peers_find(const struct ctdb_peers *peers, const char *node, uint32_t *pnn,
		    struct ipaddr *ip);

/** As backend_ops.broadcast. */
int ctdb_peers_broadcast(struct ctdb_peers *peers, const uint8_t *bytes, size_t len);

/** {"joined", "up", "busy", "refused"}; a new reference. */
json_t *ctdb_peers_status(const struct ctdb_peers *peers);

#endif
