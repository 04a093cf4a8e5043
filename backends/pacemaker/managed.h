/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the cluster leaves alone, and meta attributes as they are in force. Rules are not evaluated: a set
 * with one counts as not there.
 */
#ifndef BACKENDS_PACEMAKER_MANAGED_H
#define BACKENDS_PACEMAKER_MANAGED_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "backends/pacemaker/placement.h"
#include "backends/pacemaker/relations.h"

/**
 * A meta attribute of a resource: its own, its template's, that of what is around it, or the default for all.
 * @param rsc an element below <resources>
 * @return NULL when there is none
 */
const char *managed_meta(const xmlNode *cib, const xmlNode *rsc, const char *name);

/**
 * Mark in a placement what nobody is going to move: nodes in maintenance are not left, whatever else is
 * asked for, and addresses and shares on them, or of resources that are not managed, stay. After
 * served_apply().
 */
void managed_apply(const xmlNode *cib, const struct relations *relations,
		   struct placement *placement);

#endif
