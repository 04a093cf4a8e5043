/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hands to the core what the view composes, when it differs from what the core has. */
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
	/** What a node says has stood for so long that the nodes are to be asked once more. */
	void (*ask_again)(void *private_data);
	void *private_data;
};

/** @return NULL when memory is short */
struct ctdb_publisher *ctdb_publisher_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					     const struct ctdb_publisher_config *config);

/** Now; nothing while the view is not complete. Not from inside connect(). */
void ctdb_publish(struct ctdb_publisher *publisher);

/** At the end of this turn of the event loop, once for all that has been heard in it. */
void ctdb_publish_soon(struct ctdb_publisher *publisher);

/**
 * ctdbd is lost.
 * @param ended it has ended, rather than become silent or confused: this node's addresses go with it
 */
void ctdb_publish_lost(struct ctdb_publisher *publisher, const char *reason, bool ended);

struct ctdb_publisher_stats {
	uint64_t snapshots, unchanged;
};

const struct ctdb_publisher_stats *ctdb_publisher_stats(const struct ctdb_publisher *publisher);

#endif
