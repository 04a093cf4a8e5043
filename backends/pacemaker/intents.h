/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves that have been asked for, or have just begun, and have not happened yet, as a CIB shows them:
 *
 *  - location constraints of crm_resource --move and --ban (pcs and crm write the same), and others that
 *    forbid the node where an address is; of the address, its group or clone, a promoted role, or of what
 *    it is colocated with;
 *  - target-role=Stopped, also of what an address depends on, and stop-all-resources;
 *  - a fail-count that has reached migration-threshold;
 *  - a stop that is under way: the last sign, and the only one of what the scheduler has decided for other
 *    reasons.
 *
 * A node that is to be left (standby, shutdown) is no matter of these: the placement says so of the node.
 * Each CIB gives the whole set; what was not in the set before is new. A request that is already met by
 * the placement is none.
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
 * What a CIB asks for: at most one intent an address, and one for all where a whole group goes; also of
 * shares that move without an address. Nothing of what is pinned.
 * @param relations of the same CIB, as is the placement, after served_apply() and managed_apply()
 * @param now       constraints whose lifetime ended before are passed over
 * @return 0 or ENOMEM
 */
int intents_read(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct relations *relations,
		 const struct placement *placement, time_t now, struct intents **out);

/** Whether a set has the same request: same subject, ends and reason. */
bool intents_has(const struct intents *intents, const struct backend_intent *intent);

#endif
