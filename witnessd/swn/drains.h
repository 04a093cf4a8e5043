/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes that an administrator has drained: nobody is sent there by order, until they are undrained. All
 * witnesses know; what was said last holds. Each keeps a copy, so it is lost only if all end at once.
 */
#ifndef WITNESSD_SWN_DRAINS_H
#define WITNESSD_SWN_DRAINS_H

#include <stdbool.h>

#include "witnessd/cluster/peers.h"

struct swn_drains;

/** peers is borrowed and must outlive it. @return 0 or ENOMEM */
int swn_drains_create(TALLOC_CTX *mem_ctx, struct peers *peers, struct swn_drains **out);

/** Mark a node, or take the mark away, here and at the peers. @return 0, ENOMEM, or what peers_put() gave */
int swn_drains_set(struct swn_drains *drains, const char *node, bool drained);

bool swn_drains_has(const struct swn_drains *drains, const char *node);

#endif
