/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is read from a change notification itself, without waiting for a query of the CIB: operations that
 * have just ended. A finished stop is what clients need to know first, and on a busy node querying the CIB
 * manager takes milliseconds.
 */
#ifndef BACKENDS_PACEMAKER_DIFF_H
#define BACKENDS_PACEMAKER_DIFF_H

#include <libxml/tree.h>

#define DIFF_RSC_MAX 256

/**
 * Call fn for each successful stop that a notification records. A history that is rewritten as a
 * whole (a node rejoins) is ignored: its stops are old.
 * @param notify the element <notify>; missing and malformed parts are ignored
 * @param rsc    as in the operation history; valid during the call, as is node
 */
void diff_each_stop(const xmlNode *notify,
		    void (*fn)(void *private_data, const char *rsc, const char *node),
		    void *private_data);

#endif
