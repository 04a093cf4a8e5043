/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Registrations and the other witnessds: what is sent of ours, what they hand back after a restart, and how a
 * client finds its registration again. A registration that was handed back belongs to no connection. Events
 * of its address are queued as ever; when its client asks with the handle, over any connection, it continues,
 * and is told what it missed. If no client asks in time it ends.
 */
#include "witnessd/swn/service_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/swn/replica.h"
#include "witnessd/util/log.h"

/* --- ours, to the others --- */

static void forget_unpublished(struct swn_reg *reg)
{
	if (reg->is_unpublished) {
		reg->is_unpublished = false;
		qb_list_del(&reg->unpublished);
	}
}

/* Where the client believes, or will believe, that its address and share are. */
static void find_places(const struct swn_reg *reg, struct swn_replica *replica)
{
	const struct cluster_state *state = cluster_current(reg->service->cluster);
	const struct cluster_addr *addr =
		state != NULL ? cluster_state_addr(state, &reg->ip) : NULL;
	const struct cluster_share *share = state != NULL && reg->share_name != NULL
						    ? cluster_state_share(state, reg->share_name)
						    : NULL;

	if (reg->missed_unknown) {
		replica->ip_node = reg->ip_node;
		replica->share_node = reg->share_node;
		return;
	}
	replica->ip_node = addr != NULL ? addr->node : NULL;
	replica->share_node = share != NULL ? share->last : NULL;
}

void swn_reg_publish(struct swn_reg *reg)
{
	struct swn_service *service = reg->service;
	struct swn_replica replica = {
		.reg = reg,
		.waiting = reg->num_waiters > 0,
		.reregister = reg->handed_back ? reg->reregister_later
					       : wheel_armed(&reg->reregister_timer),
	};
	uint8_t key[SWN_REPLICA_KEY];
	size_t len = 0;
	int err;

	find_places(reg, &replica);
	err = swn_replica_push(&replica, service->replica, &len);
	forget_unpublished(reg);
	swn_replica_key(&reg->handle, key);
	if (err == 0) {
		err = peers_put(service->peers, PEERS_REGISTRATION, key, sizeof(key),
				service->replica, len);
	}
	if (err != 0) {
		log_warn("a registration is not replicated: %s", strerror(err));
	}
}

static void publish_waiting(struct tevent_context *ev, struct tevent_immediate *im,
			    void *private_data)
{
	struct swn_service *service = talloc_get_type_abort(private_data, struct swn_service);

	if (!service->replies_first) {
		/* Again to the end of the queue, after the replies that were woken together with this. */
		service->replies_first = true;
		tevent_schedule_immediate(im, ev, publish_waiting, service);
		return;
	}
	while (!qb_list_empty(&service->unpublished)) {
		swn_reg_publish(
			qb_list_first_entry(&service->unpublished, struct swn_reg, unpublished));
	}
}

void swn_reg_publish_soon(struct swn_reg *reg)
{
	struct swn_service *service = reg->service;

	if (reg->is_unpublished) {
		return;
	}
	if (qb_list_empty(&service->unpublished)) {
		service->replies_first = false;
		tevent_schedule_immediate(service->publish, service->ev, publish_waiting, service);
	}
	reg->is_unpublished = true;
	qb_list_add_tail(&reg->unpublished, &service->unpublished);
}

void swn_reg_unpublish(struct swn_reg *reg)
{
	uint8_t key[SWN_REPLICA_KEY];

	forget_unpublished(reg);
	swn_replica_key(&reg->handle, key);
	(void)peers_delete(reg->service->peers, PEERS_REGISTRATION, key, sizeof(key));
}

/* --- what a client has missed --- */

/*
 * All addresses of its net name with their states: a client that wants IP_CHANGE and was away cannot know
 * which have changed.
 */
static void queue_all_addrs(struct swn_reg *reg, const struct cluster_state *state, uint64_t now_us)
{
	struct swn_queue_addr *addrs = talloc_array(NULL, struct swn_queue_addr, state->num_addrs);
	size_t num = 0;

	for (size_t i = 0; addrs != NULL && i < state->num_addrs; i++) {
		const struct cluster_addr *addr = &state->addrs[i];

		if (swn_interface_offered(reg->service, addr) &&
		    cluster_state_serves(state, addr, reg->net_name) &&
		    addr->state != CLUSTER_ADDR_UNKNOWN) {
			addrs[num++] = (struct swn_queue_addr){
				.ip = addr->ip, .online = addr->state == CLUSTER_ADDR_AVAILABLE};
		}
	}
	if (num > 0) {
		(void)swn_queue_addrs(&reg->queue, reg, SWN_IP_CHANGE, addrs, num, now_us);
	}
	talloc_free(addrs);
}

/* Whatever this witness has told: another one may have said "available" since. */
static void queue_loss_anyway(struct swn_reg *reg)
{
	swn_queue_doubt(&reg->queue);
	(void)swn_queue_change(&reg->queue, false, wheel_now_us(reg->service->wheel));
}

static bool is_down(const struct swn_reg *reg)
{
	const struct cluster_state *state = cluster_current(reg->service->cluster);
	const struct cluster_addr *addr =
		state != NULL ? cluster_state_addr(state, &reg->ip) : NULL;

	return state != NULL && (addr == NULL || addr->state == CLUSTER_ADDR_UNAVAILABLE);
}

/* Its share, if it moved without its client: as it is told of a move that its witness sees. */
static void queue_share_move(struct swn_reg *reg, const struct cluster_state *state,
			     uint64_t now_us)
{
	const struct policy_reg view = swn_reg_view(reg);
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct policy_notices notices;
	int err = policy_share_missed(tmp, state, &view, reg->share_node, &notices);

	if (err == 0) {
		(void)swn_reg_queue(reg, &notices, now_us);
	} else {
		log_err("a notification is lost: %s", strerror(err));
	}
	talloc_free(tmp);
}

/*
 * Compare what the client believes with the facts. Without quorum, or without a fresh state, the addresses of
 * other nodes are uncertain: that waits.
 */
static void find_missed(struct swn_reg *reg)
{
	struct swn_service *service = reg->service;
	const struct cluster_state *state = cluster_current(service->cluster);
	uint64_t now_us = wheel_now_us(service->wheel);
	const struct cluster_addr *addr;
	bool moved;

	if (!reg->missed_unknown || state == NULL || !state->quorate ||
	    cluster_stale(service->cluster)) {
		return;
	}
	reg->missed_unknown = false;
	addr = cluster_state_addr(state, &reg->ip);
	if (addr == NULL || addr->state != CLUSTER_ADDR_UNKNOWN) {
		bool available = addr != NULL && addr->state == CLUSTER_ADDR_AVAILABLE;

		moved = available && reg->ip_node != NULL && addr->node != NULL &&
			strcmp(reg->ip_node, addr->node) != 0;
		if (moved) {
			/* Its connections ended though it is there again. */
			(void)swn_queue_change(&reg->queue, false, now_us);
		}
		if (available) {
			(void)swn_queue_change(&reg->queue, true, now_us);
		} else {
			queue_loss_anyway(reg);
		}
	}
	queue_share_move(reg, state, now_us);
	if (reg->ip_notification && reg->version == SWN_VERSION_2) {
		queue_all_addrs(reg, state, now_us);
	}
	swn_reg_publish(reg);
	swn_notify_wake(reg);
}

void swn_find_missed_all(struct swn_service *service)
{
	struct swn_reg *reg;

	for (reg = swn_registry_first(service->registry); reg != NULL;
	     reg = swn_registry_next(reg)) {
		find_missed(reg);
	}
}

/* --- back to us --- */

static void on_unclaimed(void *private_data)
{
	swn_reg_end(private_data, SWN_END_UNCLAIMED);
}

void swn_reg_expect_claim(struct swn_reg *reg, uint32_t seconds)
{
	wheel_arm(reg->service->wheel, &reg->unused_timer, UINT64_C(1000) * seconds, on_unclaimed,
		  reg);
}

/* Whether there is a place for it. One that is here already gives way while no client has claimed it. */
static bool make_room(struct swn_service *service, const struct swn_reg *reg)
{
	struct swn_reg *old = swn_registry_find(service->registry, &reg->handle);

	if (old != NULL && !old->handed_back) {
		return false;
	}
	if (old != NULL) {
		swn_reg_end(old, SWN_END_REPLACED);
	}
	return swn_registry_count(service->registry) < service->config.max_registrations;
}

struct swn_reg *swn_reg_from(const struct peers_record *record, bool *waits)
{
	struct swn_replica replica;
	int err = swn_replica_pull(NULL, record->key, record->key_len, record->value,
				   record->value_len, &replica);

	if (err != 0) {
		log_warn("a registration that another witness has kept is of no use: %s",
			 strerror(err));
		return NULL;
	}
	*waits = replica.reg->handed_back;
	replica.reg->handed_back = replica.reg->missed_unknown = true;
	replica.reg->reregister_later = replica.reregister;
	replica.reg->ip_node = replica.ip_node;
	replica.reg->share_node = replica.share_node;
	return replica.reg;
}

bool swn_reg_adopt(struct swn_service *service, struct swn_reg *reg, const char *how)
{
	if (!make_room(service, reg) || swn_reg_restore(service, reg, how) != 0) {
		talloc_free(reg);
		return false;
	}
	swn_reg_expect_claim(reg, peers_handover_timeout(service->peers));
	find_missed(reg);
	return true;
}

/* Whether another witness that is there has it. */
static bool lives_elsewhere(const struct swn_service *service, const struct peers_record *handed)
{
	struct peers_record record;

	return peers_find(service->peers, PEERS_REGISTRATION, handed->key, handed->key_len,
			  &record) == 0 &&
	       !record.own && !record.orphan;
}

static void restore(struct swn_service *service, const struct peers_record *record)
{
	bool waits;
	struct swn_reg *reg =
		lives_elsewhere(service, record) ? NULL : swn_reg_from(record, &waits);
	struct swn_handle handle;

	if (reg == NULL) {
		return;
	}
	handle = reg->handle;
	if (swn_reg_adopt(service, reg, "handed back")) {
		service->restored++;
		swn_notify_look_again(service, &handle);
	}
}

int swn_reg_claim(struct swn_reg *reg, const struct rpc_call *call)
{
	int err = swn_registry_set_assoc(reg->service->registry, reg, call->assoc);

	if (err != 0) {
		return err;
	}
	rpc_assoc_hold(reg->assoc);
	wheel_cancel(&reg->unused_timer);
	reg->handed_back = false;
	reg->conn_id = call->conn_id;
	reg->client = call->remote;
	reg->local = call->local;
	reg->service->claimed++;
	swn_reg_used(reg);
	swn_reg_idle(reg);
	if (reg->reregister_later) {
		swn_reg_expect_reregister(reg);
	}
	/* It may have been at another witness meanwhile, and told things based on a copy. */
	if (!reg->missed_unknown && is_down(reg)) {
		queue_loss_anyway(reg);
	}
	swn_reg_log(reg, "claimed by its client");
	swn_reg_publish(reg);
	return 0;
}

static void on_peers(void *private_data, const struct peers_event *event)
{
	struct swn_service *service = talloc_get_type_abort(private_data, struct swn_service);

	if (event->type == PEERS_PUT) {
		swn_reg_found_elsewhere(service, event->record);
	} else if (event->type == PEERS_HANDED_BACK) {
		restore(service, event->record);
	} else if (event->type == PEERS_HANDOVER_DONE) {
		swn_notify_look_again(service, NULL);
	}
}

/* --- with the service --- */

int swn_replicate_start(struct swn_service *service)
{
	service->peers = cluster_peers(service->cluster);
	service->replica = talloc_array(service, uint8_t, PEERS_VALUE_MAX);
	service->publish = tevent_create_immediate(service);
	if (service->replica == NULL || service->publish == NULL) {
		return ENOMEM;
	}
	return peers_listen(service->peers, PEERS_REGISTRATION, on_peers, service);
}

void swn_replicate_stop(struct swn_service *service)
{
	if (service->peers != NULL) {
		peers_unlisten(service->peers, on_peers, service);
	}
}
