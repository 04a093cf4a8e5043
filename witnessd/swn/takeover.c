/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A registration after the address over which its client registered has left. A client that asks here for a
 * registration whose witness has disappeared, or has lost that address, takes it along: this witness has it
 * from then on. If the former one was only cut off, it finds out when they meet again, and drops it.
 */
#include "witnessd/swn/service_private.h"

#include <string.h>

#include "witnessd/swn/replica.h"

/* The client notices at once, as its connection is closed; and most register again instead of asking. */
#define DETACHED_S 15U

/* --- leaving us --- */

/* From now on any caller that proves to be its client may claim it. Meanwhile events are queued. */
static void detach(struct swn_reg *reg)
{
	if (!swn_notify_abandon_all(reg)) {
		return; /* an answer is on its way: it is not known whether it arrives */
	}
	rpc_assoc_release(reg->assoc);
	swn_registry_clear_assoc(reg->service->registry, reg);
	reg->reregister_later = wheel_armed(&reg->reregister_timer);
	wheel_cancel(&reg->reregister_timer);
	reg->handed_back = true;
	swn_reg_expect_claim(reg, DETACHED_S);
	swn_reg_log(reg, "waits for its client, whose connection has left with its address");
	swn_reg_publish(reg);
}

void swn_reg_detach_all(struct swn_service *service, const struct cluster_event *event,
			const struct cluster_state *state)
{
	struct swn_reg *reg;

	if ((event->type != CLUSTER_ADDR_LOST && event->type != CLUSTER_ADDR_MOVED) ||
	    !cluster_state_is_local(state, event->from)) {
		return;
	}
	for (reg = swn_registry_first(service->registry); reg != NULL;
	     reg = swn_registry_next(reg)) {
		if (reg->assoc != NULL && ipaddr_equal(&reg->local, &event->ip)) {
			detach(reg);
		}
	}
}

/* --- coming to us --- */

/* A witness on the address's own node would die with it: its client had better register elsewhere. */
static bool is_here(const struct swn_service *service, const struct ipaddr *ip)
{
	const struct cluster_state *state = cluster_current(service->cluster);
	const struct cluster_addr *addr = state != NULL ? cluster_state_addr(state, ip) : NULL;

	return addr != NULL && cluster_state_is_local(state, addr->node);
}

struct swn_reg *swn_reg_take_over(struct swn_service *service, const struct rpc_call *call,
				  const struct swn_handle *handle)
{
	uint8_t key[SWN_REPLICA_KEY];
	struct peers_record record;
	struct swn_reg *reg;
	bool waits;

	swn_replica_key(handle, key);
	if (peers_find(service->peers, PEERS_REGISTRATION, key, sizeof(key), &record) != 0 ||
	    record.own) {
		return NULL;
	}
	reg = swn_reg_from(&record, &waits);
	if (reg == NULL) {
		return NULL;
	}
	if ((!record.orphan && !waits) || !swn_reg_is_of(reg, call) || is_here(service, &reg->ip)) {
		talloc_free(reg);
		return NULL;
	}
	reg->takeovers++;
	if (!swn_reg_adopt(service, reg, "taken over from another witness")) {
		return NULL;
	}
	service->taken_over++;
	return swn_service_find(service, call, handle);
}

void swn_reg_found_elsewhere(struct swn_service *service, const struct peers_record *record)
{
	struct swn_handle handle;
	struct swn_reg *reg, *other;
	bool theirs, waits;

	if (swn_replica_handle(record->key, record->key_len, &handle) != 0 ||
	    peers_local(service->peers) == NULL) {
		return;
	}
	reg = swn_registry_find(service->registry, &handle);
	other = reg != NULL ? swn_reg_from(record, &waits) : NULL;
	if (other == NULL) {
		return;
	}
	theirs = other->takeovers > reg->takeovers ||
		 (other->takeovers == reg->takeovers &&
		  strcmp(record->owner, peers_local(service->peers)) < 0);
	talloc_free(other);
	if (theirs) {
		swn_reg_end(reg, SWN_END_TAKEN);
	}
}
