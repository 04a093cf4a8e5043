/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a CIB to a cluster state: which nodes there are, which address is where, and what proves it.
 * The scheduler library determines the state of nodes and evaluates parameters (templates, rules, references); the
 * operation history decides whether an address is there now.
 *
 * Rules beyond the obvious:
 *  - Configured addresses that run nowhere are UNAVAILABLE; a failed stop or monitor gives UNKNOWN.
 *  - An address active on two nodes belongs to the one where it was started last, not to one where a
 *    probe has found it left over; UNKNOWN if that does not decide.
 *  - A cluster IP (clone of an address on several nodes at once) has no failover: it is always UNKNOWN, which
 *    the core never reports to clients.
 *  - Nodes that are offline, pending or unclean host nothing.
 */
#ifndef BACKENDS_PACEMAKER_PLACEMENT_H
#define BACKENDS_PACEMAKER_PLACEMENT_H

#include <libxml/tree.h>
#include <talloc.h>

#include "backends/pacemaker/history.h"
#include "witnessd/cluster/state.h"

/* How far a node's history can be trusted. */
enum placement_node {
	PLACEMENT_NODE_USABLE,    /* online: its history is valid */
	PLACEMENT_NODE_ABSENT,    /* a cluster member without a running Pacemaker */
	PLACEMENT_NODE_LEFT,      /* likewise, after an orderly stop of Pacemaker */
	PLACEMENT_NODE_CONDEMNED, /* about to be fenced: nothing on it counts */
	PLACEMENT_NODE_LOST,      /* not a member: nothing is on it */
};

/* What a share moves with. */
struct placement_share {
	const char *rsc;  /* a resource */
	const char *node; /* that it is on; NULL: none */
};

struct placement {
	struct cluster_state *state;
	const char **rscs;          /* the resource that each of state->addrs belongs to */
	enum placement_node *nodes; /* of state->nodes */
	uint8_t *facts;             /* enum history_fact of addr a on node n: [a * num_nodes + n] */
	struct placement_share *shares; /* of state->shares; see served.h */
};

/* This node: by corosync's number if known, else by name. */
struct placement_local {
	uint32_t id;      /* 0 = unknown */
	const char *name; /* NULL = unknown */
};

/**
 * Evaluate a CIB. pcmk_init() must have been called before it was parsed.
 * @param cib the element <cib>, borrowed and not changed
 * @return 0; EPROTO: no CIB; ESTALE: there is no DC now, so that its status proves nothing; ENOMEM
 */
int placement_build(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct placement_local *local,
		    struct placement **out);

/** What the history says of an address on a node; NONE for unknown ones. */
enum history_fact placement_fact(const struct placement *placement, const struct ipaddr *ip,
				 const char *node);

/** How far a node's history can be trusted; LOST for unknown ones. */
enum placement_node placement_node(const struct placement *placement, const char *node);

/**
 * Record that a resource has been stopped on a node, before a CIB shows it. An address that is also on record
 * on another node is left to the next CIB.
 * @return whether an address or a share was lost by that
 */
bool placement_stopped(struct placement *placement, const char *rsc, const char *node);

/** Record that a node has left the membership, before the CIB shows it: nothing is on it any more. */
void placement_drop_node(struct placement *placement, size_t node_index);

#endif
