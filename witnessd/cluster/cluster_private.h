/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of witnessd/cluster share of a struct cluster. */
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
	const char *
		*last; /* who had each address of current last, in their order; NULL: nobody yet */
	struct cluster_listener *listeners;
	size_t num_listeners;
	struct naming *naming; /* NULL: nothing is configured */
	struct peers *peers;
	struct heartbeat *heartbeat;   /* NULL: none */
	struct cluster_state *manager; /* with heartbeats: the last snapshot as it came */
	const struct backend_ops *ops;
	struct backend *backend;
};

/** cluster_create(), with peers that a test configures: their clock above all. */
int cluster_create_with(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			const struct peers_config *config, struct cluster **out);

/** The last snapshot of the backend as it came; NULL: there is none, it is stale, or no heartbeat runs. */
const struct cluster_state *cluster_manager(void *private_data);

/** Others count as dead than before (heartbeat.h): what the manager said last is seen in that light. */
void cluster_reconsider(void *private_data);

#endif
