/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/queue.h"

#include <errno.h>
#include <string.h>

/* What the client will believe once everything queued has been delivered. */
static bool will_believe_available(const struct swn_queue *queue)
{
	if (queue->num_changes > 0) {
		return queue->changes[queue->num_changes - 1].available;
	}
	return !queue->told_unavailable;
}

bool swn_queue_change(struct swn_queue *queue, bool available, uint64_t event_us)
{
	struct swn_queue_change *changes = queue->changes;

	if (will_believe_available(queue) == available) {
		return false;
	}
	if (queue->num_changes == SWN_QUEUE_CHANGES) {
		/* States alternate: without the second and third the first still leads to the fourth. */
		memmove(&changes[1], &changes[3], (SWN_QUEUE_CHANGES - 3) * sizeof(changes[0]));
		queue->num_changes -= 2;
	}
	changes[queue->num_changes++] =
		(struct swn_queue_change){.available = available, .event_us = event_us};
	return true;
}

void swn_queue_doubt(struct swn_queue *queue)
{
	if (queue->num_changes == 0) {
		queue->told_unavailable = false;
	}
}

static struct swn_queue_slot *slot_of(struct swn_queue *queue, uint32_t type)
{
	switch (type) {
	case SWN_CLIENT_MOVE:
		return &queue->client_move;
	case SWN_SHARE_MOVE:
		return &queue->share_move;
	case SWN_IP_CHANGE:
		return &queue->ip_change;
	default:
		return NULL;
	}
}

const struct swn_queue_slot *swn_queue_slot(const struct swn_queue *queue, uint32_t type)
{
	return slot_of((struct swn_queue *)queue, type);
}

static void clear(struct swn_queue_slot *slot)
{
	talloc_free(slot->addrs);
	*slot = (struct swn_queue_slot){0};
}

/* Append an address, replacing an older entry of it; when full the oldest entry is dropped. */
static void put_addr(struct swn_queue_slot *slot, const struct swn_queue_addr *addr)
{
	size_t gone = 0;

	while (gone < slot->num && !ipaddr_equal(&slot->addrs[gone].ip, &addr->ip)) {
		gone++;
	}
	if (gone == slot->num && slot->num == SWN_QUEUE_ADDRS) {
		gone = 0;
	}
	if (gone < slot->num) {
		memmove(&slot->addrs[gone], &slot->addrs[gone + 1],
			(slot->num - gone - 1) * sizeof(slot->addrs[0]));
		slot->num--;
	}
	slot->addrs[slot->num++] = *addr;
}

int swn_queue_addrs(struct swn_queue *queue, TALLOC_CTX *owner, enum swn_message_type type,
		    const struct swn_queue_addr *addrs, size_t num, uint64_t event_us)
{
	struct swn_queue_slot *slot = slot_of(queue, type);
	struct swn_queue_slot next = {.event_us = event_us};
	bool merge = type == SWN_IP_CHANGE;
	size_t room;

	if (slot == NULL || num == 0) {
		return EINVAL;
	}
	room = num > SWN_QUEUE_ADDRS ? SWN_QUEUE_ADDRS : num;
	if (merge) {
		room = slot->num + room > SWN_QUEUE_ADDRS ? SWN_QUEUE_ADDRS : slot->num + room;
	}
	next.addrs = talloc_array(owner, struct swn_queue_addr, room);
	if (next.addrs == NULL) {
		return ENOMEM;
	}
	if (merge && slot->num > 0) {
		memcpy(next.addrs, slot->addrs, slot->num * sizeof(next.addrs[0]));
		next.num = slot->num;
		next.event_us = slot->event_us;
	}
	for (size_t i = 0; i < num; i++) {
		put_addr(&next, &addrs[i]);
	}
	clear(slot);
	*slot = next;
	return 0;
}

uint32_t swn_queue_next(const struct swn_queue *queue)
{
	if (queue->num_changes > 0) {
		return SWN_RESOURCE_CHANGE;
	}
	if (queue->client_move.num > 0) {
		return SWN_CLIENT_MOVE;
	}
	if (queue->share_move.num > 0) {
		return SWN_SHARE_MOVE;
	}
	return queue->ip_change.num > 0 ? SWN_IP_CHANGE : 0;
}

void swn_queue_delivered(struct swn_queue *queue, uint32_t type)
{
	if (type == SWN_RESOURCE_CHANGE) {
		queue->told_unavailable = !will_believe_available(queue);
		queue->num_changes = 0;
	} else {
		swn_queue_drop(queue, type);
	}
}

void swn_queue_drop(struct swn_queue *queue, uint32_t type)
{
	struct swn_queue_slot *slot = slot_of(queue, type);

	if (slot != NULL) {
		clear(slot);
	}
}

bool swn_queue_prune(struct swn_queue *queue, uint32_t type,
		     bool (*keep)(void *private_data, const struct ipaddr *ip), void *private_data)
{
	struct swn_queue_slot *slot = slot_of(queue, type);
	size_t num = 0;

	if (slot == NULL || slot->num == 0) {
		return false;
	}
	for (size_t i = 0; i < slot->num; i++) {
		if (keep(private_data, &slot->addrs[i].ip)) {
			slot->addrs[num++] = slot->addrs[i];
		}
	}
	slot->num = num;
	if (num == 0) {
		clear(slot);
	}
	return num == 0;
}

uint64_t swn_queue_oldest_us(const struct swn_queue *queue, uint32_t type)
{
	const struct swn_queue_slot *slot = swn_queue_slot(queue, type);

	if (slot != NULL) {
		return slot->event_us;
	}
	return type == SWN_RESOURCE_CHANGE && queue->num_changes > 0 ? queue->changes[0].event_us
								     : 0;
}

size_t swn_queue_length(const struct swn_queue *queue)
{
	return queue->num_changes + (queue->client_move.num > 0) + (queue->share_move.num > 0) +
	       (queue->ip_change.num > 0);
}
