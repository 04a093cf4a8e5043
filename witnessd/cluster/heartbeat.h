/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Heartbeats among the peers: each sends the others, a few times a second, a beat with what it hears from
 * them. Where a manager is slow to notice that a node is dead (CTDB: half a minute), the peers agree on it
 * after about three seconds. The rules are in suspicion.h; this is the clock, the beats and the probes.
 *
 *   peers ── beats ──► suspicion ◄── answers ── backend (probe_node)
 *                          │
 *                          └── who is dead ──► cluster: overlaid on the manager's snapshot
 *
 * With a backend without probe_node_send() there is no proof, so no node is ever found dead; beats and silence
 * are still shown.
 */
#ifndef WITNESSD_CLUSTER_HEARTBEAT_H
#define WITNESSD_CLUSTER_HEARTBEAT_H

#include <jansson.h>

#include "backends/backend.h"
#include "witnessd/cluster/peers.h"

struct heartbeat;

struct heartbeat_config {
	uint32_t interval_ms; /* between two beats */
	uint32_t timeout_ms;  /* silence that counts */
	/* The backend; both or neither. Borrowed; must outlive the heartbeat. */
	const struct backend_ops *ops;
	struct backend *backend;
	/** The last snapshot of the backend; NULL while there is none or it is stale. */
	const struct cluster_state *(*manager)(void *private_data);
	/** The set of dead nodes has changed; called from the event loop. */
	void (*changed)(void *private_data);
	void *private_data;
	/* For tests, as in peers.h. */
	wheel_clock_fn clock;
	void *clock_private;
};

/**
 * Send beats whenever this node is a member. peers must outlive it.
 * @return 0, ENOMEM, or the errno of timerfd_create(2)
 */
int heartbeat_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct peers *peers,
		     const struct heartbeat_config *config, struct heartbeat **out);

/** The backend has a new snapshot, not yet in force: ends verdicts that it confirms. Does not call changed(). */
void heartbeat_manager(struct heartbeat *hb, const struct cluster_state *manager);

/** Whether a node counts as dead. */
bool heartbeat_is_dead(const struct heartbeat *hb, const char *node);

/** {"interval_ms", "timeout_ms", "nodes": [{"node", "state", "silent_ms"}]}; a new reference. */
json_t *heartbeat_status_json(const struct heartbeat *hb);

/** For tests, with a clock of their own: do what is due. */
void heartbeat_run(struct heartbeat *hb);

#endif
