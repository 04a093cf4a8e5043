/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/order.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "witnessd/swn/service_private.h"

const char *swn_order_result_name(enum swn_order_result result)
{
	static const char *const names[SWN_NUM_ORDER_RESULTS] = {
		[SWN_ORDER_TOLD] = "told",
		[SWN_ORDER_QUEUED] = "queued",
		[SWN_ORDER_THERE] = "already there",
		[SWN_ORDER_KNOWN] = "already known",
		[SWN_ORDER_NOWHERE] = "not served there",
		[SWN_ORDER_UNWANTED] = "not registered for that",
		[SWN_ORDER_SILENT] = "no call waits",
		[SWN_ORDER_GONE] = "gone",
		[SWN_ORDER_FAILED] = "failed",
		[SWN_ORDER_UNREACHABLE] = "witness unreachable",
		[SWN_ORDER_REFUSED] = "refused by its witness",
		[SWN_ORDER_WAITS] = "waits",
		[SWN_ORDER_CANCELLED] = "cancelled",
	};

	return names[result];
}

/* --- moves --- */

static bool is_move(const struct swn_order *order)
{
	return order->type == SWN_ORDER_CLIENT_MOVE || order->type == SWN_ORDER_SHARE_MOVE;
}

/* Whether the client is where it is to go. */
static bool is_there(const struct swn_order *order, const struct swn_reg *reg,
		     const struct cluster_state *state)
{
	const struct cluster_addr *addr = cluster_state_addr(state, &reg->ip);

	if (order->ip.family != 0) {
		return ipaddr_equal(&order->ip, &reg->ip);
	}
	return addr != NULL && addr->state == CLUSTER_ADDR_AVAILABLE && addr->node != NULL &&
	       strcmp(addr->node, order->node) == 0;
}

static enum policy_notice_type move_type(const struct swn_order *order)
{
	return order->type == SWN_ORDER_CLIENT_MOVE ? POLICY_CLIENT_MOVE : POLICY_SHARE_MOVE;
}

/* The notices for it; notices->num is 0 unless the result is TOLD. */
static enum swn_order_result decide_move(TALLOC_CTX *mem_ctx, const struct swn_order *order,
					 const struct swn_reg *reg, struct policy_notices *notices)
{
	const struct cluster_state *state = cluster_current(reg->service->cluster);
	const struct policy_reg view = swn_reg_view(reg);

	notices->num = 0;
	if (order->type == SWN_ORDER_SHARE_MOVE &&
	    (reg->version != SWN_VERSION_2 || reg->share_name == NULL)) {
		return SWN_ORDER_UNWANTED;
	}
	if (state == NULL) {
		return SWN_ORDER_NOWHERE;
	}
	if (is_there(order, reg, state)) {
		return SWN_ORDER_THERE;
	}
	if (policy_send_to(mem_ctx, state, &view, move_type(order), order->node,
			   order->ip.family != 0 ? &order->ip : NULL, notices) != 0) {
		return SWN_ORDER_FAILED;
	}
	return notices->num > 0 ? SWN_ORDER_TOLD : SWN_ORDER_NOWHERE;
}

/* --- looking ahead --- */

enum swn_order_result swn_order_check(const struct swn_order *order, const struct swn_reg *reg,
				      bool waiting)
{
	struct policy_notices notices;
	struct swn_queue queue = reg->queue;
	TALLOC_CTX *tmp;
	enum swn_order_result result = SWN_ORDER_TOLD;

	if (is_move(order)) {
		tmp = talloc_new(NULL);
		result = decide_move(tmp, order, reg, &notices);
		talloc_free(tmp);
	} else if (order->type == SWN_ORDER_CHANGE) {
		/* A change does not modify what the copy shares with the queue. */
		result = swn_queue_change(&queue, order->online, 0) ? SWN_ORDER_TOLD
								    : SWN_ORDER_KNOWN;
	} else if (order->type == SWN_ORDER_IP_CHANGE) {
		result = reg->version == SWN_VERSION_2 && reg->ip_notification ? SWN_ORDER_TOLD
									       : SWN_ORDER_UNWANTED;
	} else if (order->type == SWN_ORDER_REPLY) {
		return waiting ? SWN_ORDER_TOLD : SWN_ORDER_SILENT;
	}
	if (result == SWN_ORDER_TOLD && !waiting && order->type != SWN_ORDER_END) {
		result = SWN_ORDER_QUEUED;
	}
	return result;
}

/* --- doing --- */

static enum swn_order_result queue_notices(struct swn_reg *reg,
					   const struct policy_notices *notices)
{
	bool waiting = reg->num_waiters > 0;

	if (!swn_reg_queue(reg, notices, wheel_now_us(reg->service->wheel))) {
		return SWN_ORDER_KNOWN;
	}
	swn_notify_wake(reg);
	return waiting ? SWN_ORDER_TOLD : SWN_ORDER_QUEUED;
}

static enum swn_order_result do_move(struct swn_reg *reg, const struct swn_order *order)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct policy_notices notices;
	enum swn_order_result result = decide_move(tmp, order, reg, &notices);

	if (result == SWN_ORDER_TOLD) {
		result = queue_notices(reg, &notices);
	}
	talloc_free(tmp);
	return result;
}

static enum swn_order_result do_change(struct swn_reg *reg, const struct swn_order *order)
{
	const struct policy_notices notices = {
		.list = {{.type = POLICY_CHANGE, .available = order->online}}, .num = 1};

	return queue_notices(reg, &notices);
}

static enum swn_order_result do_ip_change(struct swn_reg *reg, const struct swn_order *order)
{
	struct policy_addr addr = {.ip = order->ip, .online = order->online};
	const struct policy_notices notices = {
		.list = {{.type = POLICY_IP_CHANGE, .addrs = &addr, .num_addrs = 1}}, .num = 1};

	if (reg->version != SWN_VERSION_2 || !reg->ip_notification) {
		return SWN_ORDER_UNWANTED;
	}
	return queue_notices(reg, &notices);
}

static enum swn_order_result do_end(struct swn_reg *reg, const struct swn_order *order)
{
	swn_reg_end(reg, SWN_END_FORCED);
	return SWN_ORDER_TOLD;
}

static enum swn_order_result do_reply(struct swn_reg *reg, const struct swn_order *order)
{
	int err = swn_notify_force(reg, order->reply, order->reply_len);

	return err == 0 ? SWN_ORDER_TOLD : err == EAGAIN ? SWN_ORDER_SILENT : SWN_ORDER_FAILED;
}

enum swn_order_result swn_order_do(struct swn_service *service, const struct swn_order *order,
				   const struct swn_handle *handle)
{
	static enum swn_order_result (*const functions[SWN_NUM_ORDERS])(
		struct swn_reg * reg, const struct swn_order *order) = {
		[SWN_ORDER_CHANGE] = do_change,   [SWN_ORDER_CLIENT_MOVE] = do_move,
		[SWN_ORDER_SHARE_MOVE] = do_move, [SWN_ORDER_IP_CHANGE] = do_ip_change,
		[SWN_ORDER_END] = do_end,         [SWN_ORDER_REPLY] = do_reply,
	};
	struct swn_reg *reg = swn_registry_find(service->registry, handle);

	if (reg == NULL) {
		return SWN_ORDER_GONE;
	}
	return functions[order->type](reg, order);
}
