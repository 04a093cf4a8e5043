/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Location constraints that leave the scheduler no choice: run on this node, or not on that one. */
#ifndef BACKENDS_PACEMAKER_LOCATION_H
#define BACKENDS_PACEMAKER_LOCATION_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <time.h>

enum location_kind {
	LOCATION_PREFER, /* as crm_resource --move writes it */
	LOCATION_BAN,
};

/* Strings are borrowed from the CIB. */
struct location {
	enum location_kind kind;
	const char *id, *rsc, *node;
	bool promoted; /* the promoted role only */
};

/**
 * Read an <rsc_location>. Preferences count only if written by the move commands: those of an administrator are
 * permanent, and other scores may outweigh them. Of rules only "this node, until then" is understood.
 * @param now for lifetimes
 * @return false when it is none of these
 */
bool location_read(const xmlNode *element, time_t now, struct location *location);

#endif
