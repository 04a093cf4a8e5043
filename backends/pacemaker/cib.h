/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connection to Pacemaker's CIB manager on this node. Signs on, and reconnects with back-off; each
 * change notification triggers a query of the whole CIB, with one query in progress and at most one more
 * pending; passes each answer on.
 */
#ifndef BACKENDS_PACEMAKER_CIB_H
#define BACKENDS_PACEMAKER_CIB_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "backends/pacemaker/glib_bridge.h"

struct cib_link;

/* Called from the event loop, never from within cib_link_create() or cib_link_refresh(). */
struct cib_link_handlers {
	void *private_data;
	/** A whole CIB; borrowed for the call. */
	void (*document)(void *private_data, const xmlNode *cib);
	/** Something has changed: the <notify> of libcib; borrowed. A document follows soon. */
	void (*notified)(void *private_data, const xmlNode *notify);
	/** The manager is gone, or does not answer any more; a document follows when it is back. */
	void (*lost)(void *private_data, const char *reason);
};

struct cib_link_stats {
	bool connected;
	uint64_t connects; /* successful sign-ons */
	uint64_t notifications;
	uint64_t queries;
	int64_t last_query_us; /* from the query to its complete answer; -1 = none yet */
	int64_t last_answer;   /* seconds since the epoch; 0 = none yet */
};

/**
 * Start connecting. One link per process, because libcib's notification callbacks have no context
 * pointer.
 * @param handlers borrowed; outlive the link
 * @return 0, EBUSY when there is a link already, ENOMEM
 */
int cib_link_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct glib_bridge *bridge,
		    uint32_t retry_max_s, const struct cib_link_handlers *handlers,
		    struct cib_link **out);

/** Query the CIB again without a notification; does nothing while disconnected. */
void cib_link_refresh(struct cib_link *link);

/** Borrowed. */
const struct cib_link_stats *cib_link_stats(const struct cib_link *link);

#endif
