/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WitnessrAsyncNotify (MS-SWN 3.1.4.4): the call waits on its registration until there is something to tell,
 * the keep-alive time is over (version 2), or the registration ends. Notifications leave the queue in recv(),
 * when the reply is certain to be sent; a call that is cancelled before takes nothing with it.
 */
#include "witnessd/swn/service_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"
#include "witnessd/util/req.h"
#include "witnessd/util/text_append.h"

#define MAX_HANDOVER_WAITERS 20000U
#define TELL_POOL            768 /* bytes */

struct notify_state {
	struct tevent_req *req;
	struct swn_reg *reg; /* NULL: does not wait on one (any more) */
	struct qb_list_head link;
	struct wheel_timer keep_alive;
	uint64_t arrived_us;
	uint32_t werror; /* the answer when there is nothing to tell */
	bool woken;      /* done, and recv() will take from the queue */
	uint8_t *forced; /* or not from the queue: an administrator's reply; a child */
	size_t forced_len;
	/* Waiting for a registration that may yet be handed back; NULL: does not. */
	struct swn_service *handover;
	const struct rpc_call *call; /* borrowed, while .handover */
	struct swn_handle handle;
};

/* --- waiting --- */

static void leave(struct notify_state *state)
{
	struct swn_reg *reg = state->reg;

	if (reg == NULL) {
		return;
	}
	wheel_cancel(&state->keep_alive);
	qb_list_del(&state->link);
	reg->num_waiters--;
	reg->service->num_notify_waiters--;
	state->reg = NULL;
}

/* The call is over for the registration: answered, timed out or cancelled. */
static void leave_and_idle(struct notify_state *state)
{
	struct swn_reg *reg = state->reg;

	leave(state);
	if (reg != NULL && reg->num_waiters == 0) {
		swn_reg_used(reg);
		swn_reg_idle(reg);
		swn_reg_publish_soon(reg);
	}
}

static void on_keep_alive(void *private_data)
{
	struct notify_state *state = private_data;

	state->reg->service->timeouts++;
	state->werror = SWN_ERROR_TIMEOUT;
	leave_and_idle(state);
	tevent_req_done(state->req);
}

static void leave_handover(struct notify_state *state)
{
	if (state->handover != NULL) {
		qb_list_del(&state->link);
		state->handover->num_handover_waiters--;
		state->handover = NULL;
	}
}

static void notify_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	struct notify_state *state = tevent_req_data(req, struct notify_state);
	struct swn_reg *reg = state->reg;

	leave_handover(state);
	if (req_state != TEVENT_REQ_RECEIVED || reg == NULL) {
		return;
	}
	leave_and_idle(state);
	/* If this one was to be answered, answer the next one. */
	swn_notify_wake(reg);
}

/* Wait, in the order of arrival. @return SWN_SUCCESS, or the code to answer at once */
static uint32_t wait_on(struct notify_state *state, struct swn_reg *reg)
{
	struct swn_service *service = reg->service;
	bool times_out = reg->version == SWN_VERSION_2;

	if (reg->num_waiters >= SWN_MAX_WAITERS) {
		swn_refuse(service->refusals, SWN_LIMIT_NOTIFY_CALLS, reg->principal, &reg->client,
			   wheel_now_us(service->wheel));
		return SWN_ERROR_NO_SYSTEM_RESOURCES;
	}
	swn_reg_used(reg);
	if (times_out && reg->keep_alive_s == 0 &&
	    (reg->num_waiters > 0 || swn_queue_next(&reg->queue) == 0)) {
		service->timeouts++;
		return SWN_ERROR_TIMEOUT;
	}
	state->reg = reg;
	state->arrived_us = wheel_now_us(service->wheel);
	qb_list_add_tail(&state->link, &reg->waiters);
	reg->num_waiters++;
	service->num_notify_waiters++;
	wheel_cancel(&reg->unused_timer);
	/* A client of version 1 does not know ERROR_TIMEOUT: it waits as long as it likes. */
	if (times_out) {
		wheel_arm(service->wheel, &state->keep_alive, UINT64_C(1000) * reg->keep_alive_s,
			  on_keep_alive, state);
	}
	swn_reg_publish_soon(reg);
	return SWN_SUCCESS;
}

/* Whether the call can wait until the other witnessds have handed back our registrations. */
static bool wait_for_handover(struct notify_state *state, struct swn_service *service,
			      const struct rpc_call *call)
{
	if (!peers_handover_pending(service->peers) ||
	    swn_registry_find(service->registry, &state->handle) != NULL) {
		return false;
	}
	if (service->num_handover_waiters >= MAX_HANDOVER_WAITERS) {
		swn_refuse(service->refusals, SWN_LIMIT_HANDOVER_CALLS, call->identity.principal,
			   &call->remote, wheel_now_us(service->wheel));
		return false;
	}
	state->handover = service;
	state->call = call;
	qb_list_add_tail(&state->link, &service->handover_waiters);
	service->num_handover_waiters++;
	return true;
}

void swn_notify_look_again(struct swn_service *service, const struct swn_handle *handle)
{
	struct notify_state *state, *next;

	qb_list_for_each_entry_safe (state, next, &service->handover_waiters, link) {
		struct swn_reg *reg;

		if (handle != NULL && memcmp(handle, &state->handle, sizeof(*handle)) != 0) {
			continue;
		}
		leave_handover(state);
		reg = swn_service_find(service, state->call, &state->handle);
		state->werror = reg != NULL ? wait_on(state, reg) : SWN_ERROR_NOT_FOUND;
		if (state->reg == NULL) {
			tevent_req_done(state->req);
		} else {
			swn_notify_wake(state->reg);
		}
	}
}

/* @return 0 or EBADMSG; *werror as wait_on() */
static int start(struct notify_state *state, const struct rpc_call *call)
{
	struct swn_service *service =
		talloc_get_type_abort(call->iface_private, struct swn_service);
	struct swn_reg *reg;
	int err = swn_pull_handle(call->stub, call->stub_len, call->big_endian, &state->handle);

	if (err != 0) {
		return err;
	}
	reg = swn_service_find(service, call, &state->handle);
	if (reg == NULL) {
		reg = swn_reg_take_over(service, call, &state->handle);
	}
	if (reg == NULL && wait_for_handover(state, service, call)) {
		return 0;
	}
	state->werror = reg != NULL ? wait_on(state, reg) : SWN_ERROR_NOT_FOUND;
	return 0;
}

struct tevent_req *swn_async_notify_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					 const struct rpc_call *call)
{
	struct notify_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct notify_state);
	int err;

	if (req == NULL) {
		return NULL;
	}
	state->req = req;
	tevent_req_set_cleanup_fn(req, notify_cleanup);
	err = start(state, call);
	if (tevent_req_error(req, (uint64_t)err)) {
		return tevent_req_post(req, ev);
	}
	if (state->reg == NULL && state->handover == NULL) {
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}
	/* One event may answer thousands of calls: their replies are made one by one from the loop. */
	tevent_req_defer_callback(req, ev);
	if (state->reg != NULL) {
		swn_notify_wake(state->reg);
	}
	return req;
}

/* --- answering --- */

/* A witness that has just started knows of no address; another one may have taken the registration over. */
static bool is_online(void *private_data, const struct ipaddr *ip)
{
	const struct swn_service *service = private_data;
	const struct cluster_state *state = cluster_current(service->cluster);
	const struct cluster_addr *addr = state != NULL ? cluster_state_addr(state, ip) : NULL;

	return addr != NULL && addr->state == CLUSTER_ADDR_AVAILABLE;
}

/* A destination that is gone by now would mislead the client. */
static void drop_dead_moves(struct swn_reg *reg)
{
	static const uint32_t moves[] = {SWN_CLIENT_MOVE, SWN_SHARE_MOVE};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (swn_queue_prune(&reg->queue, moves[i], is_online, reg->service)) {
			TALLOC_FREE(reg->moved_to);
		}
	}
}

void swn_notify_wake(struct swn_reg *reg)
{
	struct notify_state *state;

	if (reg->num_waiters == 0) {
		return;
	}
	state = qb_list_first_entry(&reg->waiters, struct notify_state, link);
	if (state->woken) {
		return; /* on its way: it must find something in the queue */
	}
	drop_dead_moves(reg);
	if (swn_queue_next(&reg->queue) == 0) {
		return;
	}
	state->woken = true;
	wheel_cancel(&state->keep_alive);
	tevent_req_done(state->req);
}

int swn_notify_force(struct swn_reg *reg, const uint8_t *stub, size_t len)
{
	struct notify_state *state =
		reg->num_waiters > 0 ? qb_list_first_entry(&reg->waiters, struct notify_state, link)
				     : NULL;

	if (state == NULL || state->woken) {
		return EAGAIN;
	}
	state->forced = talloc_memdup(state, stub, len);
	if (state->forced == NULL) {
		return ENOMEM;
	}
	state->forced_len = len;
	state->woken = true;
	wheel_cancel(&state->keep_alive);
	tevent_req_done(state->req);
	return 0;
}

bool swn_notify_abandon_all(struct swn_reg *reg)
{
	struct notify_state *state, *next;

	qb_list_for_each_entry (state, &reg->waiters, link) {
		if (state->woken) {
			return false;
		}
	}
	qb_list_for_each_entry_safe (state, next, &reg->waiters, link) {
		leave(state);
	}
	return true;
}

void swn_notify_end_all(struct swn_reg *reg, uint32_t werror)
{
	struct notify_state *state, *next;

	qb_list_for_each_entry_safe (state, next, &reg->waiters, link) {
		state->werror = werror;
		leave(state);
		if (!state->woken) {
			tevent_req_done(state->req);
		}
	}
}

/* What a message of this type says now. @return 0 or ENOMEM; *text for the log */
static int build(TALLOC_CTX *mem_ctx, const struct swn_reg *reg, uint32_t type,
		 struct swn_notify *notify, char **text)
{
	const struct swn_queue_slot *slot = swn_queue_slot(&reg->queue, type);
	char ip[IPADDR_STRLEN];
	const char *name = talloc_strdup(mem_ctx, ipaddr_format(&reg->ip, ip));

	*notify = (struct swn_notify){.type = type};
	*text = talloc_strdup(mem_ctx, swn_message_type_name(type));
	if (type == SWN_RESOURCE_CHANGE) {
		notify->num_changes = reg->queue.num_changes;
		notify->changes =
			talloc_array(mem_ctx, struct swn_resource_change, notify->num_changes);
	} else {
		notify->num_addrs = slot->num;
		notify->addrs = talloc_zero_array(mem_ctx, struct swn_ipaddr, slot->num);
	}
	if (name == NULL || *text == NULL || (notify->changes == NULL && notify->addrs == NULL)) {
		return ENOMEM;
	}
	for (size_t i = 0; i < notify->num_changes; i++) {
		bool available = reg->queue.changes[i].available;

		notify->changes[i] = (struct swn_resource_change){
			.state = available ? SWN_RESOURCE_AVAILABLE : SWN_RESOURCE_UNAVAILABLE,
			.name = name,
		};
		*text = text_append(*text, "%s", available ? " available" : " unavailable");
	}
	for (size_t i = 0; i < notify->num_addrs; i++) {
		const struct swn_queue_addr *addr = &slot->addrs[i];

		notify->addrs[i].ip = addr->ip;
		notify->addrs[i].flags = addr->ip.family == AF_INET ? SWN_IPADDR_V4 : SWN_IPADDR_V6;
		/* 2.2.2.1: ONLINE and OFFLINE exist only on servers of version 2. */
		if (reg->service->config.version != SWN_VERSION_1) {
			notify->addrs[i].flags |=
				addr->online ? SWN_IPADDR_ONLINE : SWN_IPADDR_OFFLINE;
		}
		*text = text_append(*text, " %s%s", ipaddr_format(&addr->ip, ip),
				    addr->online ? "" : " offline");
	}
	return *text != NULL ? 0 : ENOMEM;
}

/*
 * Whether the client should register again after this: Windows goes on with its old registration, which
 * names the address it has just left, and would miss the next failure.
 */
static bool makes_reregister(const struct swn_reg *reg, const struct swn_notify *notify)
{
	if (notify->type == SWN_IP_CHANGE) {
		return false;
	}
	for (size_t i = 0; i < notify->num_changes; i++) {
		if (notify->changes[i].state != SWN_RESOURCE_AVAILABLE) {
			return true;
		}
	}
	for (size_t i = 0; i < notify->num_addrs; i++) {
		if (!ipaddr_equal(&notify->addrs[i].ip, &reg->ip)) {
			return true;
		}
	}
	return false;
}

/* A reply goes out: take it from the queue, count it, log it. */
static void delivered(struct notify_state *state, const struct swn_notify *notify, const char *text)
{
	struct swn_reg *reg = state->reg;
	struct swn_service *service = reg->service;
	uint64_t now_us = wheel_now_us(service->wheel);
	uint64_t event_us = swn_queue_oldest_us(&reg->queue, notify->type);
	uint64_t ready_us = event_us > state->arrived_us ? event_us : state->arrived_us;
	char guid[GUID_STRLEN];

	swn_queue_delivered(&reg->queue, notify->type);
	reg->notifications++;
	service->notified[notify->type]++;
	swn_latency_add(&service->latency, now_us - ready_us);
	log_info("registration %s of %s told %s, %llu us after the event",
		 guid_format(&reg->handle.uuid, guid), log_printable(reg->client_name), text,
		 (unsigned long long)(now_us - event_us));
	if (service->told != NULL) {
		service->told(service->told_private, reg, notify->type, text);
	}
	if (makes_reregister(reg, notify)) {
		swn_reg_expect_reregister(reg);
	}
	swn_reg_publish_soon(reg);
}

/* The reply with what is queued. Nothing is taken out unless it could be made. @return 0 or ENOMEM */
static int tell(struct notify_state *state, TALLOC_CTX *mem_ctx, uint8_t **stub, size_t *len)
{
	/* Nearly all notifications are small, and need one block of memory then. */
	TALLOC_CTX *tmp = talloc_pool(mem_ctx, TELL_POOL);
	struct swn_notify notify;
	char *text;
	int err = build(tmp, state->reg, swn_queue_next(&state->reg->queue), &notify, &text);

	if (err == 0) {
		err = swn_push_notify_reply(mem_ctx, &notify, SWN_SUCCESS, stub, len);
	}
	if (err == 0) {
		delivered(state, &notify, text);
	}
	talloc_free(tmp);
	return err;
}

int swn_async_notify_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_reply *reply)
{
	struct notify_state *state = tevent_req_data(req, struct notify_state);
	int err = req_errno(req);
	uint8_t *stub = NULL;

	if (err == 0 && state->forced != NULL && state->reg != NULL) {
		swn_reg_log(state->reg, "given a reply by an administrator");
		stub = talloc_move(mem_ctx, &state->forced);
		reply->stub_len = state->forced_len;
	} else if (err == 0 && state->woken && state->reg != NULL) {
		err = tell(state, mem_ctx, &stub, &reply->stub_len);
	} else if (err == 0) {
		err = swn_push_notify_reply(mem_ctx, NULL, state->werror, &stub, &reply->stub_len);
	}
	if (err == 0) {
		reply->stub = stub;
	}
	tevent_req_received(req);
	return err;
}
