/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of registrations, and how cluster events reach them. */
#include "witnessd/swn/service_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"

static const char *const end_names[SWN_NUM_ENDS] = {
	[SWN_END_UNREGISTERED] = "unregistered", [SWN_END_UNUSED] = "unused",
	[SWN_END_REREGISTER] = "re-register",    [SWN_END_DISCONNECTED] = "disconnected",
	[SWN_END_SHUTDOWN] = "shutdown",         [SWN_END_FORCED] = "forced",
	[SWN_END_UNCLAIMED] = "unclaimed",       [SWN_END_REPLACED] = "replaced",
	[SWN_END_TAKEN] = "taken over",
};

const char *swn_end_name(enum swn_end why)
{
	return end_names[why];
}

/* --- registrations --- */

/* What a protection level is worth: on TCP, PACKET protects as INTEGRITY does. */
static enum rpc_auth_level level_worth(enum rpc_auth_level level)
{
	return level == RPC_LEVEL_PACKET ? RPC_LEVEL_INTEGRITY : level;
}

bool swn_reg_is_of(const struct swn_reg *reg, const struct rpc_call *call)
{
	const char *principal = call->identity.principal;

	return strcmp(reg->principal, principal != NULL ? principal : "") == 0 &&
	       level_worth(call->identity.level) >= level_worth(reg->level);
}

struct swn_reg *swn_service_find(struct swn_service *service, const struct rpc_call *call,
				 const struct swn_handle *handle)
{
	struct swn_reg *reg = swn_registry_find(service->registry, handle);

	if (reg == NULL || (reg->assoc != call->assoc && !reg->handed_back) ||
	    !swn_reg_is_of(reg, call)) {
		return NULL;
	}
	if (reg->handed_back && swn_reg_claim(reg, call) != 0) {
		return NULL;
	}
	return reg;
}

void swn_reg_used(struct swn_reg *reg)
{
	reg->last_use_us = wheel_now_us(reg->service->wheel);
	reg->last_used = time(NULL);
}

static void on_unused(void *private_data)
{
	swn_reg_end(private_data, SWN_END_UNUSED);
}

static void on_reregister(void *private_data)
{
	swn_reg_end(private_data, SWN_END_REREGISTER);
}

void swn_reg_idle(struct swn_reg *reg)
{
	struct swn_service *service = reg->service;

	/* MS-SWN 3.1.2: a server of version 1 has no timers. */
	if (service->config.version != SWN_VERSION_1) {
		wheel_arm(service->wheel, &reg->unused_timer,
			  UINT64_C(1000) * service->config.unused_timeout_s, on_unused, reg);
	}
}

void swn_reg_expect_reregister(struct swn_reg *reg)
{
	struct swn_service *service = reg->service;

	if (service->config.reregister_delay_s > 0) {
		wheel_arm(service->wheel, &reg->reregister_timer,
			  UINT64_C(1000) * service->config.reregister_delay_s, on_reregister, reg);
	}
}

void swn_reg_log(const struct swn_reg *reg, const char *what)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char guid[GUID_STRLEN], ip[IPADDR_STRLEN], client[IPADDR_STRLEN];

	log_info("registration %s of %s (%s, %s) for %s at %s%s%s: %s",
		 guid_format(&reg->handle.uuid, guid), log_escape(tmp, reg->client_name),
		 log_escape(tmp, reg->principal), ipaddr_format(&reg->client, client),
		 log_escape(tmp, reg->net_name), ipaddr_format(&reg->ip, ip),
		 reg->share_name != NULL ? " share " : "",
		 reg->share_name != NULL ? log_escape(tmp, reg->share_name) : "", what);
	talloc_free(tmp);
}

int swn_reg_begin(struct swn_service *service, struct swn_reg *reg)
{
	int err;

	reg->service = service;
	qb_list_init(&reg->waiters);
	err = swn_registry_add(service->registry, reg);
	if (err != 0) {
		return err;
	}
	rpc_assoc_hold(reg->assoc);
	service->registered++;
	reg->since = time(NULL);
	swn_reg_used(reg);
	swn_reg_idle(reg);
	swn_reg_log(reg, "made");
	swn_reg_publish_soon(reg);
	return 0;
}

int swn_reg_restore(struct swn_service *service, struct swn_reg *reg, const char *how)
{
	int err;

	reg->service = service;
	qb_list_init(&reg->waiters);
	err = swn_registry_add(service->registry, reg);
	if (err == 0) {
		reg->last_use_us = wheel_now_us(service->wheel);
		swn_reg_log(reg, how);
		swn_reg_publish(reg);
	}
	return err;
}

void swn_reg_end(struct swn_reg *reg, enum swn_end why)
{
	struct swn_service *service = reg->service;

	wheel_cancel(&reg->unused_timer);
	wheel_cancel(&reg->reregister_timer);
	swn_notify_end_all(reg, SWN_ERROR_NOT_FOUND);
	service->ended[why]++;
	swn_reg_log(reg, swn_end_name(why));
	if (reg->assoc != NULL) {
		rpc_assoc_release(reg->assoc);
	}
	/* At the end of the daemon the others keep it, to hand it back to the next one. */
	if (why != SWN_END_SHUTDOWN) {
		swn_reg_unpublish(reg);
	} else if (reg->is_unpublished) {
		swn_reg_publish(reg);
	}
	swn_registry_remove(service->registry, reg, NULL);
	talloc_free(reg);
}

void swn_service_assoc_gone(void *iface_private, struct rpc_assoc *assoc)
{
	struct swn_service *service = talloc_get_type_abort(iface_private, struct swn_service);
	struct swn_reg *reg;

	while ((reg = swn_registry_first_by_assoc(service->registry, assoc)) != NULL) {
		swn_reg_end(reg, SWN_END_DISCONNECTED);
	}
}

/* --- events --- */

static bool is_drained(const void *drains, const char *node)
{
	return swn_drains_has(drains, node);
}

struct policy_reg swn_reg_view(const struct swn_reg *reg)
{
	return (struct policy_reg){
		.ip = reg->ip,
		.net_name = reg->net_name,
		.share = reg->share_name,
		.version_2 = reg->version == SWN_VERSION_2,
		.ip_notification = reg->ip_notification,
		.spread = reg->handle.uuid.b[0] | (uint32_t)reg->handle.uuid.b[1] << 8,
		.fixed_addresses = reg->service->config.fixed_addresses,
		.moved_to = reg->moved_to,
		.avoid = is_drained,
		.avoid_private = reg->service->drains,
	};
}

static enum swn_message_type message_type(enum policy_notice_type type)
{
	static const enum swn_message_type types[] = {
		[POLICY_CHANGE] = SWN_RESOURCE_CHANGE,
		[POLICY_CLIENT_MOVE] = SWN_CLIENT_MOVE,
		[POLICY_SHARE_MOVE] = SWN_SHARE_MOVE,
		[POLICY_IP_CHANGE] = SWN_IP_CHANGE,
	};

	return types[type];
}

static bool queue_addrs(struct swn_reg *reg, const struct policy_notice *notice, uint64_t event_us)
{
	struct swn_queue_addr *addrs = talloc_array(NULL, struct swn_queue_addr, notice->num_addrs);
	int err = ENOMEM;

	for (size_t i = 0; addrs != NULL && i < notice->num_addrs; i++) {
		addrs[i] = (struct swn_queue_addr){.ip = notice->addrs[i].ip,
						   .online = notice->addrs[i].online};
	}
	if (addrs != NULL) {
		err = swn_queue_addrs(&reg->queue, reg, message_type(notice->type), addrs,
				      notice->num_addrs, event_us);
	}
	talloc_free(addrs);
	if (err != 0) {
		log_err("a notification is lost: %s", strerror(err));
	}
	return err == 0;
}

/* For want of memory it may be told twice. */
static void note_move(struct swn_reg *reg, const struct policy_notice *notice)
{
	if (notice->type == POLICY_CLIENT_MOVE) {
		TALLOC_FREE(reg->moved_to);
		reg->moved_to = talloc_strdup(reg, notice->node);
	}
}

bool swn_reg_queue(struct swn_reg *reg, const struct policy_notices *notices, uint64_t event_us)
{
	bool news = false;

	for (size_t i = 0; i < notices->num; i++) {
		const struct policy_notice *notice = &notices->list[i];

		if (notice->type == POLICY_CHANGE) {
			news |= swn_queue_change(&reg->queue, notice->available, event_us);
			TALLOC_FREE(reg->moved_to);
		} else if (queue_addrs(reg, notice, event_us)) {
			news = true;
			note_move(reg, notice);
		}
	}
	if (news) {
		swn_reg_publish_soon(reg);
	}
	return news;
}

static struct swn_reg *first_of(const struct swn_service *service,
				const struct policy_target *target, enum swn_index *index)
{
	switch (target->index) {
	case POLICY_BY_IP:
		*index = SWN_BY_IP;
		return swn_registry_first_by_ip(service->registry, &target->ip);
	case POLICY_BY_SHARE:
		*index = SWN_BY_SHARE;
		return swn_registry_first_by_share(service->registry, target->share);
	case POLICY_BY_IP_CHANGE:
		*index = SWN_BY_IP_CHANGE;
		return swn_registry_first_by_ip_change(service->registry);
	}
	return NULL;
}

/* Queue notifications for the registrations of one target. @return how many have any */
static unsigned int tell_target(struct swn_service *service, const struct cluster_event *event,
				const struct cluster_state *state,
				const struct policy_target *target, uint64_t event_us)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	enum swn_index index = SWN_BY_IP;
	unsigned int told = 0;
	struct swn_reg *reg;

	/* Waiting calls are answered from the event loop, so nobody leaves the list meanwhile. */
	for (reg = first_of(service, target, &index); reg != NULL;
	     reg = swn_registry_next_in(reg, index)) {
		struct policy_reg view = swn_reg_view(reg);
		struct policy_notices notices;
		int err = policy_decide(tmp, event, state, target, &view, &notices);

		if (err != 0) {
			log_err("a notification is lost: %s", strerror(err));
		} else if (swn_reg_queue(reg, &notices, event_us)) {
			swn_notify_wake(reg);
			told++;
		} else if (event->type == CLUSTER_SHARE_MOVED) {
			swn_reg_publish_soon(
				reg); /* clients that need not be told have it elsewhere now, too */
		}
		talloc_free_children(tmp);
	}
	talloc_free(tmp);
	return told;
}

static void on_event(void *private_data, const struct cluster_event *event,
		     const struct cluster_state *state)
{
	struct swn_service *service = talloc_get_type_abort(private_data, struct swn_service);
	uint64_t event_us = wheel_now_us(service->wheel);
	struct policy_targets targets = {.num = 0};
	unsigned int told = 0;
	int err;

	if (state == NULL || (event->type == CLUSTER_INTENT && !service->config.planned_moves &&
			      !event->intent->held)) {
		return;
	}
	if (event->type == CLUSTER_FRESH || event->type == CLUSTER_QUORUM_GAINED) {
		swn_find_missed_all(service);
	}
	err = policy_find_targets(service, event, state, &targets);
	if (err != 0) {
		log_err("%s: nobody is told: %s", cluster_event_type_name(event->type),
			strerror(err));
		return;
	}
	for (size_t i = 0; i < targets.num; i++) {
		told += tell_target(service, event, state, &targets.list[i], event_us);
	}
	talloc_free(targets.list);
	swn_reg_detach_all(service, event, state);
	if (told > 0) {
		log_info("%s: notifications for %u registrations",
			 cluster_event_type_name(event->type), told);
	}
	swn_interfaces_wake(service);
}

uint32_t swn_service_untold(const struct swn_service *service, const struct ipaddr *ip)
{
	uint32_t num = 0;

	for (const struct swn_reg *reg = swn_registry_first_by_ip(service->registry, ip);
	     reg != NULL; reg = swn_registry_next_in(reg, SWN_BY_IP)) {
		num += reg->num_waiters > 0 && swn_queue_next(&reg->queue) != 0;
	}
	return num;
}

void swn_service_set_told(struct swn_service *service, swn_told_fn fn, void *private_data)
{
	service->told = fn;
	service->told_private = private_data;
}

/* --- the object --- */

static int end_service(struct swn_service *service)
{
	struct swn_reg *reg;

	while ((reg = swn_registry_first(service->registry)) != NULL) {
		swn_reg_end(reg, SWN_END_SHUTDOWN);
	}
	swn_interfaces_end_all(service);
	swn_notify_look_again(service, NULL);
	swn_replicate_stop(service);
	cluster_unlisten(service->cluster, on_event, service);
	return 0;
}

static const char *const *copy_names(TALLOC_CTX *mem_ctx, const char *const *names)
{
	const char **copy;
	size_t num = 0;

	while (names[num] != NULL) {
		num++;
	}
	copy = talloc_zero_array(mem_ctx, const char *, num + 1);
	for (size_t i = 0; copy != NULL && i < num; i++) {
		copy[i] = talloc_strdup(copy, names[i]);
		if (copy[i] == NULL) {
			return NULL;
		}
	}
	return copy;
}

int swn_service_create_clocked(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
			       const struct swn_config *config, struct cluster *cluster,
			       wheel_clock_fn clock, void *clock_private, struct swn_service **out)
{
	struct swn_service *service = talloc_zero(mem_ctx, struct swn_service);
	int err;

	if (service == NULL) {
		return ENOMEM;
	}
	service->ev = ev;
	service->cluster = cluster;
	service->config = *config;
	service->config.net_names = copy_names(service, config->net_names);
	service->registry = swn_registry_new(service);
	service->refusals = swn_refusals_new(service);
	qb_list_init(&service->list_waiters);
	qb_list_init(&service->handover_waiters);
	qb_list_init(&service->unpublished);
	err = service->config.net_names == NULL || service->registry == NULL ||
			      service->refusals == NULL
		      ? ENOMEM
		      : 0;
	if (err == 0) {
		err = wheel_create(service, ev, clock, clock_private, &service->wheel);
	}
	if (err == 0) {
		err = swn_drains_create(service, cluster_peers(cluster), &service->drains);
	}
	if (err == 0) {
		/* From here on it has callbacks registered: whatever fails, they have to be removed. */
		talloc_set_destructor(service, end_service);
		err = swn_replicate_start(service);
	}
	if (err == 0) {
		err = cluster_listen(cluster, on_event, service);
	}
	if (err != 0) {
		talloc_free(service);
		return err;
	}
	*out = service;
	return 0;
}

int swn_service_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		       const struct swn_config *config, struct cluster *cluster,
		       struct swn_service **out)
{
	return swn_service_create_clocked(mem_ctx, ev, config, cluster, NULL, NULL, out);
}
