/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Heartbeats among the peers: each tells the others a few times a second that it is there, and what it
 * hears of them. Where a manager is slow to notice that a node is gone (CTDB: half a minute), the peers
 * agree on it after about three seconds. suspicion.h has the rules; here are the clock, the beats and the
 * probes of the nodes.
 *
 *   peers ── beats ──► suspicion ◄── answers ── backend (probe_node)
 *                          │
 *                          └── who is dead ──► cluster: laid over the manager's snapshot
 *
 * A backend without probe_node_send() gives no proof, so nobody is ever found dead; beats and silence can
 * still be looked at.
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
	/* Of the backend; both or none. Borrowed; must outlive the heartbeat. */
	const struct backend_ops *ops;
	struct backend *backend;
	/** The last snapshot of the backend; NULL while there is none or it is stale. */
	const struct cluster_state *(*manager)(void *private_data);
	/** Others count as dead than before: from the event loop. */
	void (*changed)(void *private_data);
	void *private_data;
	/* For tests, as in peers.h. */
	wheel_clock_fn clock;
	void *clock_private;
};

/**
 * Begin to beat, whenever we are a member. peers must outlive it.
 * @return 0, ENOMEM, or what timerfd_create(2) gave
 */
int heartbeat_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct peers *peers,
		     const struct heartbeat_config *config, struct heartbeat **out);

/** The backend has a new snapshot, not yet in force: verdicts that it makes needless end. No changed(). */
void heartbeat_manager(struct heartbeat *hb, const struct cluster_state *manager);

bool heartbeat_is_dead(const struct heartbeat *hb, const char *node);

/** {"interval_ms", "timeout_ms", "nodes": [{"node", "state", "silent_ms"}]}; a new reference. */
json_t *heartbeat_status_json(const struct heartbeat *hb);

/** For tests, with a clock of their own: do what is due. */
void heartbeat_run(struct heartbeat *hb);

#endif
