/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves that were requested, or have just begun, and have not happened yet, as found in a CIB:
 *
 *  - location constraints of crm_resource --move and --ban (pcs and crm write the same), and others that
 *    forbid the node where an address is; of the address, its group or clone, a promoted role, or of what
 *    it is colocated with;
 *  - target-role=Stopped, also of what an address depends on, and stop-all-resources;
 *  - a fail-count that has reached migration-threshold;
 *  - a stop that is running: the last sign, and the only one for what the scheduler has decided for other
 *    reasons.
 *
 * A node that is to be evacuated (standby, shutdown) is not an intent: the placement marks the node. Each CIB
 * gives the whole set; what was not in the previous set is new. A request that the placement already meets
 * does not count.
 */
#ifndef BACKENDS_PACEMAKER_INTENTS_H
#define BACKENDS_PACEMAKER_INTENTS_H

#include <libxml/tree.h>
#include <stddef.h>
#include <talloc.h>
#include <time.h>

#include "backends/backend.h"
#include "backends/pacemaker/placement.h"
#include "backends/pacemaker/relations.h"

struct intents {
	struct backend_intent *list; /* strings are children of the set */
	size_t num;
};

/**
 * The moves that a CIB asks for: at most one intent per address, and one for a whole group that moves; also for
 * shares that move without an address. None for anything pinned.
 * @param relations of the same CIB, as is the placement, after served_apply() and managed_apply()
 * @param now       constraints whose lifetime has ended are ignored
 * @return 0 or ENOMEM
 */
int intents_read(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct relations *relations,
		 const struct placement *placement, time_t now, struct intents **out);

/** Whether a set has the same request: same subject, source, destination and reason. */
bool intents_has(const struct intents *intents, const struct backend_intent *intent);

#endif
