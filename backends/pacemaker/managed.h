/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the cluster does not manage, and meta attributes in force. Rules are not evaluated: a set with a rule is
 * ignored.
 */
#ifndef BACKENDS_PACEMAKER_MANAGED_H
#define BACKENDS_PACEMAKER_MANAGED_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "backends/pacemaker/placement.h"
#include "backends/pacemaker/relations.h"

/**
 * A meta attribute of a resource: its own, its template's, that of an enclosing resource, or the default.
 * @param rsc an element below <resources>
 * @return NULL when there is none
 */
const char *managed_meta(const xmlNode *cib, const xmlNode *rsc, const char *name);

/**
 * Mark in a placement what will not be moved: nodes in maintenance are not evacuated, whatever else is requested,
 * and addresses and shares on them, or of unmanaged resources, are pinned. Call it after served_apply().
 */
void managed_apply(const xmlNode *cib, const struct relations *relations,
		   struct placement *placement);

#endif
