/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which resource, address or not, runs on which node, according to the operation history. */
#ifndef BACKENDS_PACEMAKER_PRESENCE_H
#define BACKENDS_PACEMAKER_PRESENCE_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <talloc.h>

#include "backends/pacemaker/relations.h"
#include "witnessd/cluster/state.h"

struct presence;

/**
 * Read a CIB's history of the nodes that are online.
 * @param relations of the same CIB, as is the state; both borrowed, outlive the presence
 * @return 0 or ENOMEM
 */
int presence_load(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct relations *relations,
		  const struct cluster_state *state, struct presence **out);

/** Whether a resource, or anything in it, runs on a node. */
bool presence_on(const struct presence *presence, size_t rsc, const char *node);

/** Whether it runs on any node but this one. */
bool presence_elsewhere(const struct presence *presence, size_t rsc, const char *node);

#endif
