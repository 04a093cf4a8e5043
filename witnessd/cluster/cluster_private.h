/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct cluster, shared by the files of witnessd/cluster. */
#ifndef WITNESSD_CLUSTER_PRIVATE_H
#define WITNESSD_CLUSTER_PRIVATE_H

#include "witnessd/cluster/cluster.h"
#include "witnessd/cluster/heartbeat.h"
#include "witnessd/cluster/naming.h"

struct cluster_listener {
	void (*fn)(void *private_data, const struct cluster_event *event,
		   const struct cluster_state *state);
	void *private_data;
};

struct cluster {
	struct tevent_context *ev;
	struct backend_sink sink;
	struct cluster_state *current; /* effective; NULL before the first snapshot */
	bool stale;                    /* the backend lost its manager after current */
	const char **last; /* last node of each address of current, in its order; NULL: none yet */
	struct cluster_listener *listeners;
	size_t num_listeners;
	struct naming *naming; /* NULL: nothing is configured */
	struct peers *peers;
	struct heartbeat *heartbeat;   /* NULL: none */
	struct cluster_state *manager; /* with heartbeats: the last snapshot as it came */
	const struct backend_ops *ops;
	struct backend *backend;
};

/** For tests: cluster_create() with peers of another configuration, such as a clock. */
int cluster_create_with(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct peers_config *config, struct cluster **out);

/** The last snapshot of the backend, unchanged; NULL: none, it is stale, or no heartbeat runs. */
const struct cluster_state *cluster_manager(void *private_data);

/** The set of dead nodes has changed (heartbeat.h): apply it to the manager's last snapshot. */
void cluster_reconsider(void *private_data);

#endif
