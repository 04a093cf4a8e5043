/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cluster as the core sees it: takes the backend's snapshots, keeps the last valid one, diffs the
 * next against it, and passes typed events to its listeners. The diff (diff.c) is a pure function.
 */
#ifndef WITNESSD_CLUSTER_CLUSTER_H
#define WITNESSD_CLUSTER_CLUSTER_H

#include "backends/backend.h"
#include "witnessd/cluster/peers.h"
#include "witnessd/cluster/state.h"

enum cluster_event_type {
	CLUSTER_ADDR_LOST,  /* was available (or unknown), is unavailable or gone */
	CLUSTER_ADDR_BACK,  /* was not available, is now, maybe on another node */
	CLUSTER_ADDR_MOVED, /* available on .from before, on .to now, within one snapshot */
	CLUSTER_ADDR_ADDED, /* new in the configuration; see the snapshot for its state */
	CLUSTER_ADDR_REMOVED, /* gone from the configuration; comes after LOST unless it was unavailable */
	CLUSTER_NODE_UP,
	CLUSTER_NODE_DOWN,
	CLUSTER_NODE_DRAINING, /* began to drain; an INTENT for the whole node follows */
	CLUSTER_SHARE_MOVED,   /* its node changed from .from to .to */
	CLUSTER_NAMES_CHANGED, /* net names of addresses changed since .before; comes after ADDR_* */
	CLUSTER_QUORUM_GAINED,
	CLUSTER_QUORUM_LOST,
	CLUSTER_INTENT, /* a move was requested; .intent */
	CLUSTER_FRESH, /* the first snapshot, or the first after the manager was lost; comes first */
	CLUSTER_STALE, /* the manager is lost; the last snapshot stays in force */
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
 *  - the first snapshot gives FRESH and nothing else: nobody can have registered before it;
 *  - without quorum (in the new snapshot) addresses of other nodes are not LOST or REMOVED: they keep their last
 *    state until quorum returns; addresses of the local node may be LOST. An address seen on another node
 *    has always moved;
 *  - shares follow the same rules; nodes are taken from the snapshot, so an address whose state was kept
 *    can be AVAILABLE on an offline node: clients are notified by address, never by node;
 *  - CLUSTER_ADDR_UNKNOWN keeps the last known state.
 * So cluster_diff() returns the *effective* new state, and that one is kept.
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
 * Start empty, without a backend. The sink drops, and logs, snapshots that do not pass
 * cluster_state_check(), and intents while there is no fresh snapshot to interpret them by.
 * @return 0 or ENOMEM
 */
int cluster_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster **out);

/** Where a backend reports to; lives as long as the cluster. Not to be called from a listener. */
const struct backend_sink *cluster_sink(struct cluster *cluster);

/** The other witnessds of the cluster; none unless the backend can carry messages. */
struct peers *cluster_peers(const struct cluster *cluster);

/** The last effective state; NULL before the first snapshot. Valid until the next event round ends. */
const struct cluster_state *cluster_current(const struct cluster *cluster);

/** Whether the backend has lost its manager since the last snapshot. */
bool cluster_stale(const struct cluster *cluster);

/**
 * Be called for every event, after cluster_current() has become the new state. Listeners are called in the
 * order of registration; they must not free the cluster.
 * @param state cluster_current()
 * @return 0 or ENOMEM
 */
int cluster_listen(struct cluster *cluster,
		   void (*fn)(void *private_data, const struct cluster_event *event,
			      const struct cluster_state *state),
		   void *private_data);

/** No event comes to this listener any more, not even the one that is being told. */
void cluster_unlisten(struct cluster *cluster,
		      void (*fn)(void *private_data, const struct cluster_event *event,
				 const struct cluster_state *state),
		      void *private_data);

/**
 * The node that has this address, or had it last if no node has it; NULL when it was not seen on any node
 * since it was configured. Valid until the next event round ends.
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
