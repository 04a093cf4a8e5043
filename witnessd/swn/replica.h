/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The copy of a registration that the other witnessds keep: all that is needed to list it there, and to restore
 * it when its own witnessd restarts. The value of a PEERS_REGISTRATION record, whose key is the handle.
 */
#ifndef WITNESSD_SWN_REPLICA_H
#define WITNESSD_SWN_REPLICA_H

#include "witnessd/cluster/peers.h"
#include "witnessd/swn/registry.h"

#define SWN_REPLICA_KEY 20U /* bytes */

struct swn_replica {
	struct swn_reg *reg; /* no group, no timers, in no registry; a child of the mem_ctx given */
	bool waiting;        /* an AsyncNotify call is waiting */
	bool reregister;     /* it was about to end, so that its client registers again */
	/* Who had the address, and who served the share, when this was sent; NULL: unknown. Children of reg. */
	const char *ip_node, *share_node;
};

/** The key of a handle. */
void swn_replica_key(const struct swn_handle *handle, uint8_t key[SWN_REPLICA_KEY]);
/** @return 0 or EBADMSG */
int swn_replica_handle(const uint8_t *key, size_t len, struct swn_handle *handle);

/**
 * Encode a registration. Of queued moves and address changes only the newest are included.
 * @param replica reg is read only
 * @param value of PEERS_VALUE_MAX bytes
 * @return 0 or EMSGSIZE
 */
int swn_replica_push(const struct swn_replica *replica, uint8_t *value, size_t *len);

/** @return 0; EBADMSG (also for a later format); ENOMEM */
int swn_replica_pull(TALLOC_CTX *mem_ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		     size_t len, struct swn_replica *replica);

#endif
