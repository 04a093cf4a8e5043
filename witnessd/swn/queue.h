/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a registration's client has yet to be told (MS-SWN 3.1.1: the pending notifications). Pure: no
 * clock, no I/O. Bounded, however much happens while the client is silent.
 *
 * Changes of the registered address are a list. The client is assumed to believe the last state that it
 * was told, or "available" if none; a change to a state that it will believe anyway is dropped, so states
 * alternate, and the last one in the list is the current one. When the list is full, a pair in its middle is
 * removed: the client still hears of an "unavailable", and of the current state. Moves and address lists
 * have one slot each.
 */
#ifndef WITNESSD_SWN_QUEUE_H
#define WITNESSD_SWN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/swn/wire.h"
#include "witnessd/util/ipaddr.h"

#define SWN_QUEUE_CHANGES 4
#define SWN_QUEUE_ADDRS   1024 /* of one slot */

struct swn_queue_change {
	bool available;
	uint64_t event_us; /* when it happened: the clock of whoever queued it */
};

/* An address and its state. */
struct swn_queue_addr {
	struct ipaddr ip;
	bool online;
};

struct swn_queue_slot {
	struct swn_queue_addr *addrs; /* a talloc child of the queue's owner; NULL when empty */
	size_t num;
	uint64_t event_us; /* of the oldest event in it */
};

struct swn_queue {
	bool told_unavailable; /* the last change delivered; false at first */
	struct swn_queue_change changes[SWN_QUEUE_CHANGES];
	size_t num_changes;
	struct swn_queue_slot client_move, share_move, ip_change;
};

/** Queue a change of the registered address. @return false when the client will believe that anyway */
bool swn_queue_change(struct swn_queue *queue, bool available, uint64_t event_us);

/**
 * The client may have been told more than this queue, the copy of another witness, records. The next
 * "unavailable" is told even if the client should know it already.
 */
void swn_queue_doubt(struct swn_queue *queue);

/**
 * Queue a move (SWN_CLIENT_MOVE, SWN_SHARE_MOVE), which replaces one that has not been delivered, or
 * addresses that changed (SWN_IP_CHANGE), each replacing what was queued of the same address.
 * @param owner talloc parent of the queue's memory
 * @return 0; EINVAL (other type, or no address); ENOMEM with the queue as it was
 */
int swn_queue_addrs(struct swn_queue *queue, TALLOC_CTX *owner, enum swn_message_type type,
		    const struct swn_queue_addr *addrs, size_t num, uint64_t event_us);

/** The message type of the next reply, in the order of 3.1.4.4; 0 when nothing is queued. */
uint32_t swn_queue_next(const struct swn_queue *queue);

/** The slot of a type; NULL for SWN_RESOURCE_CHANGE and unknown ones. */
const struct swn_queue_slot *swn_queue_slot(const struct swn_queue *queue, uint32_t type);

/** Everything queued of a type has been delivered. */
void swn_queue_delivered(struct swn_queue *queue, uint32_t type);

/** Discard a queued move, or queued address changes, undelivered. */
void swn_queue_drop(struct swn_queue *queue, uint32_t type);

/**
 * Discard the addresses of a slot for which keep() returns false.
 * @return whether that has emptied the slot
 */
bool swn_queue_prune(struct swn_queue *queue, uint32_t type,
		     bool (*keep)(void *private_data, const struct ipaddr *ip), void *private_data);

/** When the oldest queued event of a type happened; 0 when there is none. */
uint64_t swn_queue_oldest_us(const struct swn_queue *queue, uint32_t type);

/** Records queued: changes one by one, each slot as one. */
size_t swn_queue_length(const struct swn_queue *queue);

#endif
