/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves that have been asked for and have not happened yet, as a CIB shows them: location constraints
 * of crm_resource --move and --ban (pcs and crm write the same), node standby, an orderly shutdown of a
 * node, target-role=Stopped. Each CIB gives the whole set; what was not in the set before is new. A
 * request that is already met by the placement is none.
 */
#ifndef BACKENDS_PACEMAKER_INTENTS_H
#define BACKENDS_PACEMAKER_INTENTS_H

#include <libxml/tree.h>
#include <stddef.h>
#include <talloc.h>
#include <time.h>

#include "backends/backend.h"

struct intents {
	struct backend_intent *list; /* strings are children of the set */
	size_t num;
};

/**
 * What a CIB asks for. Nothing of what is in maintenance or unmanaged: that is not going to move.
 * @param state the placement of the same CIB
 * @param now   constraints whose lifetime ended before are passed over
 * @return 0 or ENOMEM
 */
int intents_read(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct cluster_state *state,
		 time_t now, struct intents **out);

/** Whether a set has the same request: same subject, ends and reason. */
bool intents_has(const struct intents *intents, const struct backend_intent *intent);

#endif
