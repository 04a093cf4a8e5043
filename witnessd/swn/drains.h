/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes that an administrator has drained: no order sends clients there until they are undrained. Known to
 * all witnesses; the latest command wins. Each keeps a copy, so this is lost only if all end at once.
 */
#ifndef WITNESSD_SWN_DRAINS_H
#define WITNESSD_SWN_DRAINS_H

#include <stdbool.h>
#include <stdint.h>

#include "witnessd/cluster/peers.h"

struct swn_drains;

/* The record of a node at all witnesses (PEERS_DRAIN): the name is the key, the rest the value. */
struct swn_drain {
	char node[PEERS_NODE_MAX + 1];
	bool drained;
	uint64_t when_us; /* time of day; the latest wins, of two equal ones "drained" */
};

#define SWN_DRAIN_VALUE 10U

/** Decode a record. @return 0, or EBADMSG with *out untouched */
int swn_drain_pull(const void *key, size_t key_len, const uint8_t *value, size_t value_len,
		   struct swn_drain *out);

/** Encode the value of a record. */
void swn_drain_push(const struct swn_drain *drain, uint8_t value[SWN_DRAIN_VALUE]);

/** peers is borrowed and must outlive it. @return 0 or ENOMEM */
int swn_drains_create(TALLOC_CTX *mem_ctx, struct peers *peers, struct swn_drains **out);

/**
 * Set or clear the mark of a node, here and at the peers.
 * @return 0, EINVAL (not a node name), ENOSPC, ENOMEM, or as peers_put()
 */
int swn_drains_set(struct swn_drains *drains, const char *node, bool drained);

/** Whether a node is drained. */
bool swn_drains_has(const struct swn_drains *drains, const char *node);

#endif
