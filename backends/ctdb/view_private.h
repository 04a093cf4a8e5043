/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the view share. */
#ifndef BACKENDS_CTDB_VIEW_PRIVATE_H
#define BACKENDS_CTDB_VIEW_PRIVATE_H

#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/packet.h"
#include "backends/ctdb/view.h"
#include "witnessd/util/hash.h"

/* What one node says of one address. */
struct view_claim {
	UT_hash_handle hh;
	struct ipaddr ip;
	uint32_t target;   /* who shall have it; the node itself: it says that it has it */
	uint64_t stamp;    /* of the question or message that said so */
	uint64_t heard;    /* stamp of the last message: answers to older questions do not count */
	uint64_t since_ms; /* since when it has said that it has it */
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
	bool silent;   /* it did not answer the last question */
	bool asked;    /* it has answered, or failed to, since the connection was made */
	bool logged;   /* .logged_flags are in the log */
	uint32_t logged_flags;
	uint32_t round;
	struct view_claim *claims; /* by ip */
};

/* An address of the cluster. */
struct view_addr {
	UT_hash_handle hh;
	struct ipaddr ip;
	uint32_t owner; /* who has it, as published; CTDB_UNKNOWN_PNN: nobody */
	bool known;     /* .owner has been decided once */
	uint32_t hint;  /* where others say that it shall go */
	bool told;      /* the intent of this hint */
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
/** The flags of a node, from whoever knows best. */
uint32_t ctdb_view_flags(const struct ctdb_view *view, uint32_t pnn);
bool ctdb_view_quorate(const struct ctdb_view *view);
/** "disabled, unhealthy", or "ok"; a child of mem_ctx. NULL: no memory */
char *ctdb_view_flags_text(TALLOC_CTX *mem_ctx, uint32_t flags);
/** What a node says of an address; NULL: nothing. */
struct view_claim *ctdb_view_claim(const struct ctdb_view *view, uint32_t pnn,
				   const struct ipaddr *ip);

#endif
