/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of witnessd/cluster share of a struct cluster. */
#ifndef WITNESSD_CLUSTER_PRIVATE_H
#define WITNESSD_CLUSTER_PRIVATE_H

#include "witnessd/cluster/cluster.h"

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
	struct peers *peers;
	const struct backend_ops *ops;
	struct backend *backend;
};

#endif
