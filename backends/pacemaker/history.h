/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the operation history of one resource on one node proves. The scheduler library says where a resource
 * is supposed to be active, which does not distinguish a start that has only begun from a stop that failed.
 * For clients the difference matters.
 */
#ifndef BACKENDS_PACEMAKER_HISTORY_H
#define BACKENDS_PACEMAKER_HISTORY_H

#include <libxml/tree.h>
#include <stdint.h>

enum history_fact {
	HISTORY_NONE,     /* nothing on record */
	HISTORY_PROBING,  /* nothing on record yet: the first probe is running */
	HISTORY_STARTING, /* not there yet */
	HISTORY_RUNNING,
	HISTORY_STOPPING, /* still there */
	HISTORY_STOPPED,  /* stopped, or found stopped by a monitor */
	HISTORY_FAILED,   /* a start failed: assume that it is not there */
	HISTORY_DOUBTFUL, /* a stop or a monitor failed: may be there */
};

struct history {
	enum history_fact fact;
	int64_t started; /* when it was last started here, seconds since the epoch; 0 = not recorded */
};

/** Read an <lrm_resource>. Operations are ordered by their call-id; a pending one is the newest. */
struct history history_read(const xmlNode *lrm_resource);

#endif
