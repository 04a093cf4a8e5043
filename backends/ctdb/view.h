/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Combines the answers and messages of the ctdbds: which nodes are there, which node has which address, which
 * address is about to move. No I/O and no clock, so that it can be tested with recorded answers.
 *
 * CTDB keeps this in no single place. Each node knows which addresses it has; of the others it knows only the
 * plan (spec/ctdb.md, "GET_PUBLIC_IPS: what the answer really means"). Hence these rules:
 *  - an address is on the node that claims it. The previous host keeps it as long as it claims it, even if
 *    another node does, too: the new host claims it up to seconds before it is true;
 *  - the claim of a new host counts once its TAKE_IP was received, a takeover run has ended meanwhile, or it
 *    has stood for settle_ms;
 *  - another node's plan for an address that its host still has is an intent: it will move there;
 *  - a node is gone when neither this node's ctdbd nor most of the other reachable ones are connected to it.
 *    The addresses of a node that does not answer and is not gone are unknown;
 *  - this node's view of what others have lost counts (quorate) while it is a running, active member, and
 *    most nodes are connected and answer, or a recovery has ended since they were lost: then CTDB has
 *    decided.
 *
 * Queries and messages can overtake each other. Each query is stamped when it is sent; its answer does not
 * undo what a later message has said.
 */
#ifndef BACKENDS_CTDB_VIEW_H
#define BACKENDS_CTDB_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "backends/backend.h"
#include "backends/ctdb/names.h"
#include "backends/ctdb/payload.h"

#define CTDB_VIEW_MAX_NODES 512U
#define CTDB_VIEW_MAX_ADDRS 65536U /* of one node */

struct ctdb_view;

struct ctdb_view_config {
	const struct ctdb_names *names; /* borrowed */
	uint32_t settle_ms;
	bool node_addresses; /* the nodes' own, as fixed ones */
};

/** @return NULL when memory is short */
struct ctdb_view *ctdb_view_create(TALLOC_CTX *mem_ctx, const struct ctdb_view_config *config);

/** The connection is lost: forget all answers. The last known hosts are kept for comparison. */
void ctdb_view_reset(struct ctdb_view *view);

/** A stamp for a query that is about to be sent. */
uint64_t ctdb_view_stamp(struct ctdb_view *view);

/* What this node's ctdbd reports about itself. */
struct ctdb_view_local {
	uint32_t pnn, runstate, recmode, generation;
	const struct ctdb_nodemap *map; /* borrowed */
};

/** @return 0, EMSGSIZE (more nodes than CTDB can have) or ENOMEM */
int ctdb_view_local(struct ctdb_view *view, const struct ctdb_view_local *local);

/**
 * A node has answered the query with that stamp.
 * @param map that node's view of the others
 * @return 0, ENOENT (no such node), EMSGSIZE or ENOMEM
 */
int ctdb_view_answer(struct ctdb_view *view, uint32_t pnn, uint64_t stamp, uint64_t now_ms,
		     const struct ctdb_nodemap *map, const struct ctdb_iplist *ips);

/** A node has not answered. */
void ctdb_view_no_answer(struct ctdb_view *view, uint32_t pnn);

/**
 * A node has announced that it has taken, or released, an address.
 * @return 0, or ENOENT: no such node, or it has not listed this address
 */
int ctdb_view_taken(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip, uint64_t now_ms);
int ctdb_view_released(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip,
		       uint64_t now_ms);

/** A takeover run of CTDB has begun; it has ended. */
void ctdb_view_run_began(struct ctdb_view *view);
void ctdb_view_run_ended(struct ctdb_view *view, uint64_t now_ms);

/** Whether the node is to be queried: this node's ctdbd is connected to it. */
bool ctdb_view_reachable(const struct ctdb_view *view, uint32_t pnn);
/** How many nodes there are, by number: 0 to n - 1. */
size_t ctdb_view_num_nodes(const struct ctdb_view *view);
/** Whether this node's ctdbd has started up, and every node has answered or failed to. */
bool ctdb_view_complete(const struct ctdb_view *view);

struct ctdb_view_intents {
	struct backend_intent *list; /* a child of the state */
	size_t num;
};

/**
 * The current snapshot.
 * @param state   a child of mem_ctx
 * @param intents those that were not returned before
 * @param next_ms when to query again even without news (clock_ms()); UINT64_MAX: never
 * @return 0 or ENOMEM
 */
int ctdb_view_compose(struct ctdb_view *view, TALLOC_CTX *mem_ctx, uint64_t now_ms,
		      struct cluster_state **state, struct ctdb_view_intents *intents,
		      uint64_t *next_ms);

/** What witnessctl status shows: generation, recovery, nodes with their flags; a new reference. */
json_t *ctdb_view_status(const struct ctdb_view *view);
/** The same in one line, with the nodes that have flags. @return a child of mem_ctx; NULL: no memory */
char *ctdb_view_summary(const struct ctdb_view *view, TALLOC_CTX *mem_ctx);

#endif
