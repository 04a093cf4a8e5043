/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Corosync's membership and quorum (libquorum). It knows of a dead node a second or more before the
 * address is up elsewhere, and long before fencing ends. Reconnects with back-off; while disconnected the
 * CIB is the only source.
 */
#ifndef BACKENDS_PACEMAKER_MEMBERSHIP_H
#define BACKENDS_PACEMAKER_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct membership;

/** The membership has changed, or the connection was made or lost. From the event loop, never from create. */
typedef void (*membership_changed_fn)(void *private_data);

/** @return 0 or ENOMEM */
int membership_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, uint32_t retry_max_s,
		      membership_changed_fn changed, void *private_data, struct membership **out);

/** Whether a membership was received on this connection; if not, do not call the next two. */
bool membership_known(const struct membership *membership);
bool membership_quorate(const struct membership *membership);
bool membership_has(const struct membership *membership, uint32_t node_id);

/** The number of this node, from the last connection; 0 before the first. */
uint32_t membership_local_id(const struct membership *membership);

/** Connections made so far. */
uint64_t membership_connects(const struct membership *membership);

#endif
