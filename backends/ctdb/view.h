/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the answers and messages of the ctdbds amount to: which node is there, who has which address, who
 * is about to lose one. No I/O and no clock of its own, so that recorded answers can be put to it.
 *
 * CTDB has no place where all this is written. Each node knows what it has itself; of the others it knows
 * what shall be (spec/ctdb.md, "GET_PUBLIC_IPS: what the answer really means"). Hence the rules:
 *  - an address is where a node says "I have it". Who had it keeps it as long as it says so, whatever
 *    another one says: the new host says so up to seconds before it is true;
 *  - a new host is believed when its TAKE_IP has been heard of, when a takeover run has ended meanwhile, or
 *    when it has said so for settle_ms;
 *  - what another node believes about an address that its host still has is an intent: it leaves for there;
 *  - a node is gone when this node's ctdbd does not reach it, and most of those that can be asked do not
 *    either. What a node had that does not answer and is not gone is unknown;
 *  - this node's word on what others have lost counts (quorate) while it is a running, active member, and
 *    most nodes are connected and answer, or a recovery has ended since they were lost: then CTDB has
 *    decided.
 *
 * Questions and messages overtake each other. Each question is stamped when it is sent; what a message has
 * said since then is not undone by its answer.
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

/** The connection is lost: no answer counts any more. Who had what is kept, for comparison. */
void ctdb_view_reset(struct ctdb_view *view);

/** The stamp of a question that is about to be sent. */
uint64_t ctdb_view_stamp(struct ctdb_view *view);

/* What this node's ctdbd says of itself. */
struct ctdb_view_local {
	uint32_t pnn, runstate, recmode, generation;
	const struct ctdb_nodemap *map; /* borrowed */
};

/** @return 0, EMSGSIZE (more nodes than CTDB can have) or ENOMEM */
int ctdb_view_local(struct ctdb_view *view, const struct ctdb_view_local *local);

/**
 * A node has answered a question with that stamp.
 * @param map as that node sees the others
 * @return 0, ENOENT (no such node), EMSGSIZE or ENOMEM
 */
int ctdb_view_answer(struct ctdb_view *view, uint32_t pnn, uint64_t stamp, uint64_t now_ms,
		     const struct ctdb_nodemap *map, const struct ctdb_iplist *ips);

/** A node has not. */
void ctdb_view_no_answer(struct ctdb_view *view, uint32_t pnn);

/**
 * A node has taken, or released, an address: it said so itself.
 * @return 0, or ENOENT: no such node, or none of the addresses that it has listed
 */
int ctdb_view_taken(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip, uint64_t now_ms);
int ctdb_view_released(struct ctdb_view *view, uint32_t pnn, const struct ipaddr *ip,
		       uint64_t now_ms);

/** CTDB begins to move addresses; it has done so. */
void ctdb_view_run_began(struct ctdb_view *view);
void ctdb_view_run_ended(struct ctdb_view *view, uint64_t now_ms);

/** Whether the node has to be asked: it is there, as far as this node's ctdbd knows. */
bool ctdb_view_reachable(const struct ctdb_view *view, uint32_t pnn);
size_t ctdb_view_num_nodes(const struct ctdb_view *view);
/** Whether this node's ctdbd is far enough to be believed, and every node has answered or failed to. */
bool ctdb_view_complete(const struct ctdb_view *view);

struct ctdb_view_intents {
	struct backend_intent *list; /* a child of the state */
	size_t num;
};

/**
 * What it all amounts to now.
 * @param state   a child of mem_ctx
 * @param intents those that were not returned before
 * @param next_ms when to ask again although nothing has been heard (clock_ms()); UINT64_MAX: never
 * @return 0 or ENOMEM
 */
int ctdb_view_compose(struct ctdb_view *view, TALLOC_CTX *mem_ctx, uint64_t now_ms,
		      struct cluster_state **state, struct ctdb_view_intents *intents,
		      uint64_t *next_ms);

/** What witnessctl status shows: generation, recovery, nodes with their flags; a new reference. */
json_t *ctdb_view_status(const struct ctdb_view *view);
/** The same in a line, with those nodes that have flags. @return a child of mem_ctx; NULL: no memory */
char *ctdb_view_summary(const struct ctdb_view *view, TALLOC_CTX *mem_ctx);

#endif
