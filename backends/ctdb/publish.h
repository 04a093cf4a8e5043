/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes the snapshots that the view composes to the core when they differ from the last one. */
#ifndef BACKENDS_CTDB_PUBLISH_H
#define BACKENDS_CTDB_PUBLISH_H

#include "backends/backend.h"
#include "backends/ctdb/client.h"
#include "backends/ctdb/view.h"

struct ctdb_publisher;

struct ctdb_publisher_config {
	const struct ctdb_client *client; /* borrowed, as is all here */
	struct ctdb_view *view;
	const struct backend_sink *sink;
	/** A node's claim has been stable for settle_ms: the nodes are to be queried once more. */
	void (*ask_again)(void *private_data);
	void *private_data;
};

/** @return NULL when memory is short */
struct ctdb_publisher *ctdb_publisher_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					     const struct ctdb_publisher_config *config);

/** Publish now; does nothing while the view is incomplete. Not from within connect(). */
void ctdb_publish(struct ctdb_publisher *publisher);

/** Publish at the end of this round of the event loop, once for everything received in it. */
void ctdb_publish_soon(struct ctdb_publisher *publisher);

/**
 * The connection to ctdbd is lost.
 * @param ended ctdbd has closed it, as opposed to silence or invalid data: this node's addresses go with it
 */
void ctdb_publish_lost(struct ctdb_publisher *publisher, const char *reason, bool ended);

struct ctdb_publisher_stats {
	uint64_t snapshots, unchanged;
};

/** Borrowed. */
const struct ctdb_publisher_stats *ctdb_publisher_stats(const struct ctdb_publisher *publisher);

#endif
