/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of witnessd/cluster share of a struct cluster. */
#ifndef WITNESSD_CLUSTER_PRIVATE_H
#define WITNESSD_CLUSTER_PRIVATE_H

#include <qb/qblist.h>

#include "witnessd/cluster/cluster.h"

struct cluster_listener {
	void (*fn)(void *private_data, const struct cluster_event *event,
		   const struct cluster_state *state);
	void *private_data;
};

/* Which node had an address last; one for each address of the current state. */
struct cluster_last {
	struct ipaddr ip;
	const char *node; /* a child of the array */
};

/* A witnessd of the peer group. */
struct cluster_peer {
	struct qb_list_head entry;
	const char *node;
};

struct cluster {
	struct tevent_context *ev;
	struct backend_sink sink;
	struct cluster_state *current; /* effective; NULL before the first snapshot */
	bool stale;                    /* the backend lost its manager after current */
	struct cluster_last *last;
	size_t num_last;
	struct cluster_listener *listeners;
	size_t num_listeners;
	struct qb_list_head peers;
	const struct backend_ops *ops;
	struct backend *backend;
};

#endif
