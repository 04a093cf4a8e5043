/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A snapshot of a cluster: which nodes there are, which address is where, which node serves which share.
 * Complete and immutable once a backend has passed it on. Every cluster manager is described in these
 * terms; extensions are made here for all of them, never for one.
 */
#ifndef WITNESSD_CLUSTER_STATE_H
#define WITNESSD_CLUSTER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/ipaddr.h"

enum cluster_addr_state {
	CLUSTER_ADDR_UNKNOWN,     /* not known now: keeps its last state */
	CLUSTER_ADDR_AVAILABLE,   /* configured and up on .node */
	CLUSTER_ADDR_UNAVAILABLE, /* on no node, or on one that is down */
};

enum cluster_addr_kind {
	CLUSTER_ADDR_FLOATING, /* moves between nodes */
	CLUSTER_ADDR_FIXED,    /* belongs to one node */
};

struct cluster_node {
	const char *name; /* unique */
	uint32_t id;      /* the manager's number; 0 when it has none */
	bool online;      /* member of the cluster and able to host resources */
	bool draining;    /* standby, shutting down: still hosts, should be left */
	bool local;       /* this witnessd runs on it; at most one */
};

struct cluster_addr {
	struct ipaddr ip;  /* unique */
	const char *node;  /* the node that has it, a name of .nodes; NULL: none */
	const char *group; /* what moves together: resource group, primitive or clone; never NULL */
	const char *resource; /* the manager's name of the address itself; NULL: none */
	/* Net names that only addresses listing them serve; NULL-terminated. NULL: none, the address serves
	 * all names that no address lists. */
	const char *const *net_names;
	enum cluster_addr_state state;
	enum cluster_addr_kind kind;
	bool tied;   /* a share has it among its .addrs, so that no other address serves that one */
	bool pinned; /* the manager does not move it (maintenance) */
};

struct cluster_share {
	const char *name;  /* compared ignoring case */
	const char *group; /* what moves together; NULL: served by every node */
	const char *node;  /* who serves it now; NULL: no node, or (without group) every node */
	/* The only addresses that serve it, as they move with it; none: each address of .node. */
	const struct ipaddr *addrs;
	size_t num_addrs;
	/* Who served it last; left NULL by backends, kept by the diff while no node serves it. */
	const char *last;
	bool pinned; /* as of addresses */
};

struct state_index;

struct cluster_state {
	uint64_t generation; /* grows with each snapshot of one backend */
	bool quorate;
	struct cluster_node *nodes;
	size_t num_nodes;
	struct cluster_addr *addrs; /* sorted by nothing; unique by ip */
	size_t num_addrs;
	struct cluster_share *shares;
	size_t num_shares;
	size_t num_named; /* addresses with .net_names */
	/* Indexes, kept by cluster_state_add_*(): nothing else may append to the arrays, and names and
	 * addresses must not change afterwards. */
	struct state_index *node_index, *addr_index, *share_index;
};

/** An empty, quorate state. Its strings and arrays are its children. @return NULL when memory is short */
struct cluster_state *cluster_state_new(TALLOC_CTX *mem_ctx);

/**
 * Append; strings and arrays are copied. Add the addresses of a share before it.
 * @return 0, EEXIST when name or ip is there already, or ENOMEM
 */
int cluster_state_add_node(struct cluster_state *state, const struct cluster_node *node);
int cluster_state_add_addr(struct cluster_state *state, const struct cluster_addr *addr);
int cluster_state_add_share(struct cluster_state *state, const struct cluster_share *share);

/**
 * Replace the net names of the address at an index by copies of these. NULL or empty: none.
 * @return 0 or ENOMEM
 */
int cluster_state_name_addr(struct cluster_state *state, size_t index, const char *const *names);

/** A deep copy. @return NULL when memory is short */
struct cluster_state *cluster_state_copy(TALLOC_CTX *mem_ctx, const struct cluster_state *state);

/** Look up by hash; NULL when there is none. The result is borrowed from the state. */
const struct cluster_node *cluster_state_node(const struct cluster_state *state, const char *name);
/** As somebody types it: without case, in ASCII, unless one is spelled just so. */
const struct cluster_node *cluster_state_node_typed(const struct cluster_state *state,
						    const char *name);
/** The node that this witnessd runs on. */
const struct cluster_node *cluster_state_local(const struct cluster_state *state);
/** The address, by IP. */
const struct cluster_addr *cluster_state_addr(const struct cluster_state *state,
					      const struct ipaddr *ip);

/** Whether that is the name of this node; state and node may be NULL: no. */
bool cluster_state_is_local(const struct cluster_state *state, const char *node);
/** The share, ignoring case (ASCII). */
const struct cluster_share *cluster_state_share(const struct cluster_state *state,
						const char *name);

/** Whether two names (of nodes, groups ...), NULL for none, are the same. */
bool cluster_same_name(const char *a, const char *b);

/** Whether two states are equal, except for the generation and for .last. */
bool cluster_state_equal(const struct cluster_state *a, const struct cluster_state *b);

/** Whether the same addresses have the same net names of their own in both. */
bool cluster_state_names_equal(const struct cluster_state *a, const struct cluster_state *b);

/** Whether some address lists this net name: then only such addresses serve it. */
bool cluster_state_has_net_name(const struct cluster_state *state, const char *net_name);

/** Whether an address of the state serves clients that use this net name (util/netname.h). */
bool cluster_state_serves(const struct cluster_state *state, const struct cluster_addr *addr,
			  const char *net_name);

/** Whether a share is served at an address; true for shares without .addrs. */
bool cluster_share_at(const struct cluster_share *share, const struct ipaddr *ip);

/**
 * Check a snapshot: no address or share has an unknown node, AVAILABLE addresses have a node, every address
 * has a group, everything has a name, the addresses of shares are in .addrs, at most one node is local.
 * @return 0, or EINVAL with *why a sentence, a child of mem_ctx (NULL: no memory for it)
 */
int cluster_state_check(TALLOC_CTX *mem_ctx, const struct cluster_state *state, char **why);

const char *cluster_addr_state_name(enum cluster_addr_state state); /* "available", ... */

#endif
