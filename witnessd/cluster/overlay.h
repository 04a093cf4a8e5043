/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Applying what the peers know before the manager does: dead nodes (suspicion.h). Pure. */
#ifndef WITNESSD_CLUSTER_OVERLAY_H
#define WITNESSD_CLUSTER_OVERLAY_H

#include "witnessd/cluster/state.h"

/**
 * The manager's snapshot with dead nodes offline and what they had on no node. Other nodes stay as the
 * manager reports them, so an address of a dead node is back as soon as it is seen elsewhere.
 * @param manager the backend's snapshot
 * @param before the effective state before: where an address that is UNKNOWN now was; NULL: none
 * @param out a child of mem_ctx
 * @return 0 or ENOMEM
 */
int cluster_overlay(TALLOC_CTX *mem_ctx, const struct cluster_state *manager,
		    const struct cluster_state *before,
		    bool (*is_dead)(const void *private_data, const char *node),
		    const void *private_data, struct cluster_state **out);

#endif
