/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is taken from a change notification itself, before the CIB has been asked: operations that have
 * just ended. A finished stop is the one fact that clients wait for, and on a busy node the way to the
 * CIB manager and back costs milliseconds.
 */
#ifndef BACKENDS_PACEMAKER_DIFF_H
#define BACKENDS_PACEMAKER_DIFF_H

#include <libxml/tree.h>

#define DIFF_RSC_MAX 256

/**
 * Call fn for each successful stop that a notification records. A history that is written anew as a
 * whole (a node rejoins) is passed over: its stops are old.
 * @param notify the element <notify>; what it lacks or has malformed is passed over
 * @param rsc    as in the operation history; valid during the call, as is node
 */
void diff_each_stop(const xmlNode *notify,
		    void (*fn)(void *private_data, const char *rsc, const char *node),
		    void *private_data);

#endif
