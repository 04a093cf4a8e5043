/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witnessds of a cluster as a closed process group of Corosync: membership, and broadcasts to all, including
 * the sender, in one order. Reconnects with back-off; works without quorum, so that each side of a
 * partition has its own group.
 */
#ifndef BACKENDS_PACEMAKER_CPG_H
#define BACKENDS_PACEMAKER_CPG_H

#include "backends/backend.h"

struct cpg_link;

/** Pacemaker's name of a node; NULL when that is not known (yet). Borrowed until the next call. */
typedef const char *(*cpg_name_fn)(void *private_data, uint32_t node_id);

/**
 * The sink is called from the event loop, never from within create. Members without a known name wait for
 * cpg_link_names_changed(); names in corosync.conf are used, too.
 * @return 0 or ENOMEM
 */
int cpg_link_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, uint32_t retry_max_s,
		    const struct backend_sink *sink, cpg_name_fn name_of, void *private_data,
		    struct cpg_link **out);

/** Names may be known now that were not before. */
void cpg_link_names_changed(struct cpg_link *link);

/** As backend_ops.broadcast. */
int cpg_link_broadcast(struct cpg_link *link, const uint8_t *bytes, size_t len);

/** {"connected", "connects", "members", "busy"}: busy counts refusals to be tried again. */
json_t *cpg_link_status(const struct cpg_link *link);

#endif
