/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses and shares as configured, for any backend: which addresses serve a net name of their own
 * (witness.net_name_resources), which shares move with which addresses (witness.share_resources). A RESOURCE
 * is an address, or the .resource or .group of addresses.
 */
#ifndef WITNESSD_CLUSTER_NAMING_H
#define WITNESSD_CLUSTER_NAMING_H

#include "witnessd/cluster/state.h"
#include "witnessd/config.h"

struct naming;

/** @param config borrowed, must outlive the result. @return 0 or ENOMEM */
int naming_create(TALLOC_CTX *mem_ctx, const struct config *config, struct naming **out);

/**
 * Apply it to a snapshot. Configured names replace those that the backend has found for an address; shares
 * that the backend has placed stay as they are. A RESOURCE that the snapshot lacks is logged once, and again
 * only after it has been there.
 * @return 0 or ENOMEM
 */
int naming_apply(struct naming *naming, struct cluster_state *state);

#endif
