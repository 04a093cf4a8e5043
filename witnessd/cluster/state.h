/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A snapshot of a cluster: which nodes there are, which address is where, who hosts which share.
 * Complete and immutable once a backend has handed it over. Every cluster manager is described in
 * these words; what they lack is added here for all, never for one.
 */
#ifndef WITNESSD_CLUSTER_STATE_H
#define WITNESSD_CLUSTER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/ipaddr.h"

enum cluster_addr_state {
	CLUSTER_ADDR_UNKNOWN,     /* nothing can be said now: keeps what was said before */
	CLUSTER_ADDR_AVAILABLE,   /* configured and up on .node */
	CLUSTER_ADDR_UNAVAILABLE, /* nowhere, or on a node that is gone */
};

enum cluster_addr_kind {
	CLUSTER_ADDR_FLOATING, /* moves between nodes */
	CLUSTER_ADDR_FIXED,    /* belongs to one node */
};

struct cluster_node {
	const char *name; /* unique */
	uint32_t id;      /* the manager's number; 0 when it has none */
	bool online;      /* member of the cluster and able to host */
	bool draining;    /* standby, shutting down: still hosts, should be left */
	bool local;       /* this witnessd runs on it; at most one */
};

struct cluster_addr {
	struct ipaddr ip;  /* unique */
	const char *node;  /* who has it, a name of .nodes; NULL when nobody */
	const char *group; /* what moves together: resource group, primitive or clone; never NULL */
	const char *resource; /* what the manager calls the address itself; NULL: nothing */
	/* Names of the file service that only these addresses serve, ended by NULL. NULL: none, the address
	 * belongs to the service under all names that no address has. */
	const char *const *net_names;
	enum cluster_addr_state state;
	enum cluster_addr_kind kind;
	bool tied; /* what it serves no other address does: set where a share has it among its .addrs */
	bool pinned; /* the manager leaves it where it is (maintenance): no move of it is planned */
};

struct cluster_share {
	const char *name;  /* compared without case */
	const char *group; /* what moves together; NULL: served by every node */
	const char *node;  /* who serves it now; NULL: nobody, or (without group) everybody */
	/* Where alone it is served, since they move with it; none: at each address of .node. */
	const struct ipaddr *addrs;
	size_t num_addrs;
	/* Who served it last; backends leave it NULL, the diff keeps it over the time that nobody does. */
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
	/* Where names and addresses are, kept by cluster_state_add_*(): only they append to the arrays,
	 * and names and addresses do not change afterwards. */
	struct state_index *node_index, *addr_index, *share_index;
};

/** An empty, quorate state. Strings and arrays of it are its children. @return NULL when memory is short */
struct cluster_state *cluster_state_new(TALLOC_CTX *mem_ctx);

/**
 * Append; strings and arrays are copied. The addresses of a share come before it.
 * @return 0, EEXIST when name or ip is there already, or ENOMEM
 */
int cluster_state_add_node(struct cluster_state *state, const struct cluster_node *node);
int cluster_state_add_addr(struct cluster_state *state, const struct cluster_addr *addr);
int cluster_state_add_share(struct cluster_state *state, const struct cluster_share *share);

/**
 * Give the address at an index other names; they are copied. names NULL or without an element: none.
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
const struct cluster_node *cluster_state_local(const struct cluster_state *state);
const struct cluster_addr *cluster_state_addr(const struct cluster_state *state,
					      const struct ipaddr *ip);

/** Whether that is the name of this node; state and node may be NULL: no. */
bool cluster_state_is_local(const struct cluster_state *state, const char *node);
/** Without case, in ASCII. */
const struct cluster_share *cluster_state_share(const struct cluster_state *state,
						const char *name);

/** Whether two names (of nodes, groups ...), NULL for none, are the same. */
bool cluster_same_name(const char *a, const char *b);

/** Whether two states say the same, but for the generation and what was before (.last). */
bool cluster_state_equal(const struct cluster_state *a, const struct cluster_state *b);

/** Whether the same addresses have the same net names of their own in both. */
bool cluster_state_names_equal(const struct cluster_state *a, const struct cluster_state *b);

/** Whether some address has this net name: then it is served by such addresses only. */
bool cluster_state_has_net_name(const struct cluster_state *state, const char *net_name);

/** Whether an address of the state serves clients that know the service as net_name (util/netname.h). */
bool cluster_state_serves(const struct cluster_state *state, const struct cluster_addr *addr,
			  const char *net_name);

/** Whether a share is served at an address; any address will do for those that name none. */
bool cluster_share_at(const struct cluster_share *share, const struct ipaddr *ip);

/**
 * Whether the snapshot is fit to be used: no addr or share names an unknown node, AVAILABLE addresses
 * have a node, every address a group, everything a name; the addresses of shares are listed; at most one
 * local node.
 * @return 0, or EINVAL with *why a sentence, a child of mem_ctx (NULL: no memory for it)
 */
int cluster_state_check(TALLOC_CTX *mem_ctx, const struct cluster_state *state, char **why);

const char *cluster_addr_state_name(enum cluster_addr_state state); /* "available", ... */

#endif
