/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a CIB to a cluster state: which nodes there are, which address is where, and what proves it.
 * The scheduler library judges the nodes and evaluates parameters (templates, rules, references); the
 * operation history decides whether an address is there now.
 *
 * Rules beyond the obvious:
 *  - Addresses configured but nowhere are UNAVAILABLE; a failed stop or monitor gives UNKNOWN.
 *  - An address active on two nodes belongs to the one where it was started last, not to one where a
 *    probe has found it left over; UNKNOWN on a draw.
 *  - A cluster IP (clone of an address on several nodes at once) has no failover: it is UNKNOWN for
 *    ever, which the core never tells anybody.
 *  - Nodes that are offline, pending or unclean host nothing.
 */
#ifndef BACKENDS_PACEMAKER_PLACEMENT_H
#define BACKENDS_PACEMAKER_PLACEMENT_H

#include <libxml/tree.h>
#include <talloc.h>

#include "backends/pacemaker/history.h"
#include "witnessd/cluster/state.h"

/* How far a node's history can be believed. */
enum placement_node {
	PLACEMENT_NODE_USABLE, /* online: what its history says is so */
	PLACEMENT_NODE_ABSENT, /* a member of the cluster, but Pacemaker does not take part there now */
	PLACEMENT_NODE_LEFT,      /* the same, after an orderly stop of Pacemaker */
	PLACEMENT_NODE_CONDEMNED, /* about to be fenced: nothing on it counts */
	PLACEMENT_NODE_LOST,      /* no member: nothing is on it */
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

/* Which node is this one: by corosync's number where that is known, else by name. */
struct placement_local {
	uint32_t id;      /* 0 = unknown */
	const char *name; /* NULL = unknown */
};

/**
 * Judge a CIB. pcmk_init() must have been called before it was parsed.
 * @param cib the element <cib>, borrowed and left as it is
 * @return 0; EPROTO: no CIB; ESTALE: there is no DC now, so that its status proves nothing; ENOMEM
 */
int placement_build(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct placement_local *local,
		    struct placement **out);

/** What the history says of an address on a node; NONE for unknown ones. */
enum history_fact placement_fact(const struct placement *placement, const struct ipaddr *ip,
				 const char *node);

/** LOST for unknown ones. */
enum placement_node placement_node(const struct placement *placement, const char *node);

/**
 * Record that a resource has been stopped on a node, before a CIB says so. An address that is on record
 * on another node, too, is left to the next CIB.
 * @return whether an address or a share was lost by it
 */
bool placement_stopped(struct placement *placement, const char *rsc, const char *node);

/** Record that a node has left the membership, before the CIB says so: nothing is on it any more. */
void placement_drop_node(struct placement *placement, size_t node_index);

#endif
