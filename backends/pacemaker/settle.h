/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Delays losses without proof. When a DC is elected, a node rejoins or its controller is respawned, the
 * operation history of a whole node is deleted, and rewritten by probes that begin about a second later:
 * meanwhile its resources seem to run nowhere. A recorded stop, a probe that found nothing, a start
 * elsewhere, or a node that has left the membership counts at once; a history that has just disappeared
 * only after it has stayed away for a while. An address whose node is alive without Pacemaker
 * (maintenance) stays where it is. Without quorum the addresses of other nodes stay, too, so that nothing
 * seems lost when the partitions join again.
 */
#ifndef BACKENDS_PACEMAKER_SETTLE_H
#define BACKENDS_PACEMAKER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "backends/pacemaker/placement.h"

struct settle;

/** @param wait_ms how long a loss without proof is delayed. @return 0 or ENOMEM */
int settle_create(TALLOC_CTX *mem_ctx, uint32_t wait_ms, struct settle **out);

/**
 * Correct the next state with the one published last.
 * @param last      published before; NULL: nothing
 * @param placement what proves the changes
 * @param next      a copy of placement->state; its addresses and nodes are put back where held
 * @param now_ms    of a clock that never goes back
 * @param deadline_ms when to call this again even without changes; untouched when nothing is held
 * @return whether something is held until the deadline
 */
bool settle_apply(struct settle *settle, const struct cluster_state *last,
		  const struct placement *placement, struct cluster_state *next, uint64_t now_ms,
		  uint64_t *deadline_ms);

#endif
