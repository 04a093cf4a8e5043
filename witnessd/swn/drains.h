/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes that an administrator has drained: nobody is sent there by order, until they are undrained. All
 * witnesses know; what was said last holds. Each keeps a copy, so it is lost only if all end at once.
 */
#ifndef WITNESSD_SWN_DRAINS_H
#define WITNESSD_SWN_DRAINS_H

#include <stdbool.h>
#include <stdint.h>

#include "witnessd/cluster/peers.h"

struct swn_drains;

/* What a witness tells the others of a node (PEERS_DRAIN): the key is the name, this the value. */
struct swn_drain {
	char node[PEERS_NODE_MAX + 1];
	bool drained;
	uint64_t when_us; /* of the day's clock; the latest holds, of two at once "drained" */
};

#define SWN_DRAIN_VALUE 10U

/** Take a record apart. @return 0, or EBADMSG with *out untouched */
int swn_drain_pull(const void *key, size_t key_len, const uint8_t *value, size_t value_len,
		   struct swn_drain *out);

/** The value of a record. */
void swn_drain_push(const struct swn_drain *drain, uint8_t value[SWN_DRAIN_VALUE]);

/** peers is borrowed and must outlive it. @return 0 or ENOMEM */
int swn_drains_create(TALLOC_CTX *mem_ctx, struct peers *peers, struct swn_drains **out);

/** Mark a node, or take the mark away, here and at the peers. @return 0, EINVAL (no name of a node), ENOSPC, ENOMEM, or what peers_put() gave */
int swn_drains_set(struct swn_drains *drains, const char *node, bool drained);

bool swn_drains_has(const struct swn_drains *drains, const char *node);

#endif
