/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a CIB says about nodes that the scheduler library does not tell. */
#ifndef BACKENDS_PACEMAKER_STATUS_H
#define BACKENDS_PACEMAKER_STATUS_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

struct node_status {
	const char *name; /* borrowed from the CIB */
	uint32_t id;      /* corosync's number; 0 for Pacemaker Remote nodes */
	bool gone;        /* not a member of the cluster, according to the status */
	bool left;        /* Pacemaker was shut down there */
	bool standby;
	bool shutdown; /* being shut down: the earliest sign of it */
};

/**
 * Every node of <nodes>, and those that are only in the status (Pacemaker Remote, guests).
 * @param list a talloc array, a child of mem_ctx
 * @return 0 or ENOMEM
 */
int status_nodes(TALLOC_CTX *mem_ctx, const xmlNode *cib, struct node_status **list);

/**
 * Convert membership to the old format in a copy of a CIB. Since Pacemaker 2.1.7 a DC writes in_ccm and crmd as
 * times, which older libraries take for "no". All understand true/false and online/offline.
 */
void status_normalise(xmlNode *cib);

/** A cluster property; NULL when it is not set. Rules are not evaluated. */
const char *status_property(const xmlNode *cib, const char *name);

/** A node attribute, permanent or of the status; NULL when it has none. Rules are not evaluated. */
const char *status_node_attr(const xmlNode *node_or_state, const char *name);

#endif
