/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cluster as the core sees it: takes the backend's snapshots, keeps the last good one, diffs the
 * next against it, and hands typed events to its listeners. The diff (diff.c) is a pure function.
 */
#ifndef WITNESSD_CLUSTER_CLUSTER_H
#define WITNESSD_CLUSTER_CLUSTER_H

#include "backends/backend.h"
#include "witnessd/cluster/peers.h"
#include "witnessd/cluster/state.h"

enum cluster_event_type {
	CLUSTER_ADDR_LOST, /* was available (or never known), is unavailable or gone */
	CLUSTER_ADDR_BACK, /* was not available, is; also on another node than before */
	CLUSTER_ADDR_MOVED, /* available before on .from and now on .to: one step, no snapshot between */
	CLUSTER_ADDR_ADDED, /* new in the configuration; its state is in the snapshot */
	CLUSTER_ADDR_REMOVED, /* gone from the configuration; a LOST precedes it unless it was unavailable */
	CLUSTER_NODE_UP,
	CLUSTER_NODE_DOWN,
	CLUSTER_NODE_DRAINING, /* began to drain; an INTENT for the whole node follows */
	CLUSTER_SHARE_MOVED,   /* its node changed from .from to .to */
	CLUSTER_NAMES_CHANGED, /* net names of addresses did, since .before; comes after ADDR_* */
	CLUSTER_QUORUM_GAINED,
	CLUSTER_QUORUM_LOST,
	CLUSTER_INTENT, /* a move was asked for; .intent */
	CLUSTER_FRESH, /* the first snapshot, or the first after the manager was lost; comes first */
	CLUSTER_STALE, /* the manager is gone; the last snapshot stays */
};

struct cluster_event {
	enum cluster_event_type type;
	struct ipaddr ip;             /* ADDR_* */
	const char *group;            /* ADDR_* */
	const char *const *net_names; /* ADDR_*: of the address, as in the state */
	const char *name;             /* node (NODE_*) or share (SHARE_*) */
	const char *from,
		*to; /* ADDR_*, SHARE_*: node before (of a share: the last one) and after, NULL where there is none */
	const struct backend_intent *intent;
	const struct cluster_state *before; /* NAMES_CHANGED: the effective state */
};

/*
 * Rules of the diff (design, "Rules that keep it safe"):
 *  - the first snapshot gives FRESH and nothing else: nobody can be registered for what was before;
 *  - without quorum (in the new snapshot) addresses of other nodes are not LOST or REMOVED: they keep their last
 *    state until quorum returns; addresses that the local node itself had may be;
 *    Good news is always believed: an address seen on another node has moved;
 *  - shares follow the same rules; nodes are what the snapshot says, so an address that was kept can be
 *    AVAILABLE on a node that is offline: clients are told by the address, never by the node;
 *  - CLUSTER_ADDR_UNKNOWN keeps the last known state.
 * To make that last, cluster_diff() yields the *effective* new state, and that is what is kept.
 */
struct cluster_events {
	struct cluster_event *list;
	size_t num;
};

/**
 * Diff two snapshots. Pure.
 * @param old  the effective state before; NULL: none
 * @param next the backend's new snapshot
 * @param effective the state to keep, a child of mem_ctx, independent of old and next
 * @param events a child of mem_ctx; strings borrowed from old and *effective
 * @return 0 or ENOMEM
 */
int cluster_diff(TALLOC_CTX *mem_ctx, const struct cluster_state *old,
		 const struct cluster_state *next, struct cluster_state **effective,
		 struct cluster_events *events);

struct cluster;

/**
 * Start empty; no backend yet. The sink drops, with a line in the log, snapshots that do not pass
 * cluster_state_check(), and intents while no fresh snapshot is there to understand them by.
 * @return 0 or ENOMEM
 */
int cluster_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster **out);

/** Where a backend reports to; lives as long as the cluster. Not to be called from a listener. */
const struct backend_sink *cluster_sink(struct cluster *cluster);

/** The witnessd's of the cluster. Without a backend that carries messages they stay alone. */
struct peers *cluster_peers(const struct cluster *cluster);

/** The last effective state; NULL before the first snapshot. Valid until the next event round ends. */
const struct cluster_state *cluster_current(const struct cluster *cluster);

/** Whether the backend has lost its manager since the last snapshot. */
bool cluster_stale(const struct cluster *cluster);

/**
 * Hear every event, after cluster_current() has become the new state. Listeners are called in the
 * order of registration; they must not free the cluster.
 * @param state cluster_current()
 * @return 0 or ENOMEM
 */
int cluster_listen(struct cluster *cluster,
		   void (*fn)(void *private_data, const struct cluster_event *event,
			      const struct cluster_state *state),
		   void *private_data);

/**
 * Node that last had this address, while nobody has it; else who has it; NULL when it was never seen
 * anywhere since it is configured. Valid until the next event round ends.
 */
const char *cluster_last_node(const struct cluster *cluster, const struct ipaddr *ip);

/**
 * Load backend module NAME from dir. Separate from connecting it because the daemon gives up its rights in
 * between, and only root may be able to read the module. The module stays in memory until the process ends:
 * a pending event may still point into it.
 * @param why a sentence, a child of mem_ctx
 * @return 0; EINVAL (a name with other characters than letters, digits, - and _); ENOENT (no such
 *         module); ELIBACC (it cannot be loaded); EPROTO (wrong ABI or no table)
 */
int cluster_find_backend(const char *dir, const char *name, TALLOC_CTX *mem_ctx,
			 const struct backend_ops **ops, char **why);

/**
 * Connect a loaded backend to the cluster; a cluster has one backend.
 * @param config borrowed; must outlive the cluster
 * @param why a sentence, a child of mem_ctx
 * @return 0; EBUSY (there is a backend already); EINVAL (configuration); or what its connect() returned
 */
int cluster_connect_backend(struct cluster *cluster, const struct config *config,
			    const struct backend_ops *ops, TALLOC_CTX *mem_ctx, char **why);

/** The connected backend and its table; NULL before cluster_connect_backend(). */
struct backend *cluster_backend(const struct cluster *cluster);
const struct backend_ops *cluster_backend_ops(const struct cluster *cluster);

/**
 * What witnessctl status shows: {"backend", "generation", "quorate", "stale", "nodes", "addresses",
 * "shares", "peers", "heartbeat", "backend_status"}; a new reference, NULL when memory is short.
 */
json_t *cluster_status_json(const struct cluster *cluster);

const char *cluster_event_type_name(enum cluster_event_type type); /* "address lost", ... */

#endif
