/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which node serves which share, and which address serves which net name, from a cluster's configuration.
 *
 * A share moves with a resource when
 *  1. witness.share_resources says so,
 *  2. the resource is an ocf:heartbeat:smb-share for it, or
 *  3. its path in smb.conf lies below the `directory` of an ocf:heartbeat:Filesystem; of several the one with
 *     the longest directory.
 * Its addresses are those that are always on the resource's node. It is served by that node once one of
 * them is there, too. Shares of cloned resources are everywhere and are ignored.
 *
 * An address is also tied when a Samba service that is not cloned is always on its node: other addresses do
 * not lead to that Samba. Configured net names are more specific: then this rule does not apply.
 *
 * An address has the net names that the meta attribute witness-net-names of its resource lists, or that of
 * the group or clone that contains it, or that of anything that is always on the same node.
 */
#ifndef BACKENDS_PACEMAKER_SERVED_H
#define BACKENDS_PACEMAKER_SERVED_H

#include "backends/pacemaker/placement.h"
#include "backends/pacemaker/relations.h"
#include "witnessd/util/smbconf.h"

/* What is not in the CIB. */
struct served_config {
	const struct smbconf *smb;     /* NULL: none */
	const char *const *share_rscs; /* SHARE:RESOURCE, ended by NULL; NULL: none */
	bool names_set;                /* net names do not come from the CIB (alone) */
};

/**
 * Add net names and shares to a placement; once. A configured RESOURCE that is not in the CIB is ignored: it may be
 * an address, which the core handles.
 * @param relations of the same CIB, as is the placement
 * @return 0 or ENOMEM
 */
int served_apply(const xmlNode *cib, const struct relations *relations,
		 const struct served_config *config, struct placement *placement);

/* For placement.c, which learns of stops and lost nodes before the CIB does. */

/** A resource has stopped. @return whether a share moves with it */
bool served_stopped(struct placement *placement, const char *rsc, const char *node);
/** A node is gone. */
void served_node_lost(struct placement *placement, const char *node);
/** Addresses or the resources of shares have changed: determine again who serves what. */
void served_update(struct placement *placement);

#endif
