/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate: an address is about to leave this node, and is held back (by ocf:samba:tickle, ordered after
 * it) until its clients know. Most of them are registered with other nodes' witnesses, so all are asked:
 *
 *   begin ─┬─► this witness ──┬─► intent, .held ──► clients told? ──► answer
 *          └─► the others ────┘   (PEERS_LEAVE)
 *
 * Where the address will go has been learnt from Pacemaker's configuration, as an intent, a moment before.
 */
#ifndef WITNESSD_SWN_LEAVE_H
#define WITNESSD_SWN_LEAVE_H

#include "witnessd/cluster/cluster.h"
#include "witnessd/swn/service.h"

#define SWN_LEAVE_WAIT_MAX_MS 60000

struct swn_leaves;

struct swn_leave_result {
	bool done;
	uint32_t told;   /* clients that were waiting in AsyncNotify and have been told */
	uint32_t untold; /* likewise, but not told in time */
	uint32_t silent; /* witnesses that did not answer in time, this node's among them */
};

/** Also serves the requests of other nodes. cluster and service are borrowed. @return 0 or ENOMEM */
int swn_leaves_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		      struct swn_service *service, struct swn_leaves **out);

/**
 * Tell the clients of ip that it leaves this node. If that is under way for this address already, it goes on.
 * @param wait_ms how long to wait for them at most
 * @param why a sentence, a child of mem_ctx
 * @return 0; ENXIO (the cluster does not have it, or it is on no node), EADDRNOTAVAIL (it is another node's, or nothing
 *         is known of the cluster yet), both with *why: there is nobody to tell; ENOMEM
 */
int swn_leave_begin(struct swn_leaves *leaves, TALLOC_CTX *mem_ctx, const struct ipaddr *ip,
		    uint32_t wait_ms, char **why);

/** The progress so far. @return 0, or ENOENT (nothing was begun) */
int swn_leave_result(const struct swn_leaves *leaves, const struct ipaddr *ip,
		     struct swn_leave_result *result);

#endif
