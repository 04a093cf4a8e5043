/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the view. */
#ifndef BACKENDS_CTDB_VIEW_PRIVATE_H
#define BACKENDS_CTDB_VIEW_PRIVATE_H

#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/packet.h"
#include "backends/ctdb/view.h"
#include "witnessd/util/hash.h"

/* What one node claims about one address. */
struct view_claim {
	UT_hash_handle hh;
	struct ipaddr ip;
	uint32_t target;   /* its planned host; the node itself: it claims to have it */
	uint64_t stamp;    /* of the query or message that it comes from */
	uint64_t heard;    /* stamp of the last message: answers to older queries do not count */
	uint64_t since_ms; /* when it began to claim that it has it */
	bool confirmed;    /* it is known to be true */
	uint32_t round;    /* of the answer that listed it last */
};

struct view_node {
	struct ipaddr ip;
	uint32_t flags;      /* as this node's ctdbd sees it */
	uint32_t self_flags; /* as it sees itself; valid with .answered */
	uint32_t *seen;      /* flags of all nodes as it sees them */
	size_t num_seen;
	bool answered; /* since the connection was made, and since it was gone */
	bool silent;   /* it did not answer the last query */
	bool asked;    /* queried since the connection was made, and answered or failed to */
	bool logged;   /* .logged_flags have been logged */
	uint32_t logged_flags;
	uint32_t round;
	struct view_claim *claims; /* by ip */
};

/* An address of the cluster. */
struct view_addr {
	UT_hash_handle hh;
	struct ipaddr ip;
	uint32_t owner; /* its host as published; CTDB_UNKNOWN_PNN: none */
	bool known;     /* .owner has been decided once */
	uint32_t hint;  /* planned host, according to others */
	bool told;      /* the intent of this hint has been returned */
	uint32_t mark;  /* for the sweep */
};

struct ctdb_view {
	struct ctdb_view_config config;
	uint32_t pnn, runstate, recmode, generation;
	bool local_known;
	size_t num_connected, num_configured; /* nodes, this one included */
	uint32_t agreed_generation; /* the last one of those nodes that have been lost since */
	struct view_node *nodes;    /* by number */
	size_t num_nodes;
	struct view_addr *addrs; /* by ip */
	uint32_t mark;
	uint64_t last_stamp;
	uint64_t run_ended_stamp; /* 0: no takeover run has ended lately */
	uint64_t run_ended_ms;
};

/** Whether a node is gone; see view.h. */
bool ctdb_view_gone(const struct ctdb_view *view, uint32_t pnn);
/** The flags of a node, from the best source. */
uint32_t ctdb_view_flags(const struct ctdb_view *view, uint32_t pnn);
/** Whether this node's view counts; see view.h. */
bool ctdb_view_quorate(const struct ctdb_view *view);
/** "disabled, unhealthy", or "ok"; a child of mem_ctx. NULL: no memory */
char *ctdb_view_flags_text(TALLOC_CTX *mem_ctx, uint32_t flags);
/** A node's claim about an address; NULL: none. */
struct view_claim *ctdb_view_claim(const struct ctdb_view *view, uint32_t pnn,
				   const struct ipaddr *ip);

#endif
