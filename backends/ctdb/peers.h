/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witnessd's of a CTDB cluster as peers: who is there, and messages to all, this one included, first-in
 * first-out per sender. CTDB has messages but no groups, so each says that it is there:
 *
 *   connected ── HELLO?, notify(BYE) ──► others answer HELLO ──► peers_joined, at the latest after half a
 *   second: a node without a witness never answers
 *
 * A peer is up from the first thing heard of it until its BYE, which its ctdbd sends when the connection of
 * its witnessd ends, or until this node's ctdbd has lost its node. A witnessd that is silent otherwise is
 * the business of the heartbeats (cluster/heartbeat.h). CTDB loses messages without a sign when a link
 * breaks: the peer protocol numbers its own.
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
#define CTDB_PEERS_QUEUE_MAX    (1U << 20) /* octets that wait for ctdbd; then it is EAGAIN */

struct ctdb_peers;

struct ctdb_peers_config {
	struct ctdb_client *client; /* borrowed; must not call back any more once this is freed */
	const struct ctdb_names *names; /* borrowed, as is the sink */
	const struct backend_sink *sink;
	uint32_t
		join_wait_ms; /* for the answers of others; CTDB_PEERS_JOIN_WAIT_MS, but for tests */
};

/** Join whenever the client is connected. The sink hears from the event loop only. @return 0 or ENOMEM */
int ctdb_peers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct ctdb_peers_config *config, struct ctdb_peers **out);

/** How this node's ctdbd sees the nodes, each time that it has been asked. From the event loop. */
void ctdb_peers_nodes(struct ctdb_peers *peers, const struct ctdb_nodemap *map);

/**
 * Which node has this name, and its private address.
 * @return 0, or ENOENT (not known yet, or none)
 */
int ctdb_peers_find(const struct ctdb_peers *peers, const char *node, uint32_t *pnn,
		    struct ipaddr *ip);

/** As backend_ops.broadcast. */
int ctdb_peers_broadcast(struct ctdb_peers *peers, const uint8_t *bytes, size_t len);

/** {"joined", "up", "busy", "refused"}; a new reference. */
json_t *ctdb_peers_status(const struct ctdb_peers *peers);

#endif
