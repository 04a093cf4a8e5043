/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WitnessrGetInterfaceList (MS-SWN 3.1.4.1). It waits as long as no interface is available. */
#include "witnessd/swn/service_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/req.h"

struct list_state {
	struct tevent_req *req;
	struct swn_service *service; /* NULL unless it waits */
	struct qb_list_head link;
	uint8_t *stub; /* the answer, a child */
	size_t stub_len;
};

bool swn_interface_offered(const struct swn_service *service, const struct cluster_addr *addr)
{
	return addr->kind == CLUSTER_ADDR_FLOATING || service->config.fixed_addresses;
}

static uint16_t interface_state(enum cluster_addr_state state)
{
	switch (state) {
	case CLUSTER_ADDR_AVAILABLE:
		return SWN_INTERFACE_AVAILABLE;
	case CLUSTER_ADDR_UNAVAILABLE:
		return SWN_INTERFACE_UNAVAILABLE;
	case CLUSTER_ADDR_UNKNOWN:
		break;
	}
	return SWN_INTERFACE_UNKNOWN;
}

static void fill(const struct swn_service *service, const struct cluster_state *state,
		 const struct cluster_addr *addr, struct swn_interface *iface)
{
	const struct cluster_node *local = cluster_state_local(state);
	const char *node = addr->node;

	if (node == NULL) {
		node = cluster_last_node(service->cluster, &addr->ip);
	}
	*iface = (struct swn_interface){
		.group_name = node != NULL ? node : addr->group,
		.version = service->config.version,
		.state = interface_state(addr->state),
		/* A witness on the node that has the address would die with it. */
		.witness =
			local == NULL || addr->node == NULL || strcmp(local->name, addr->node) != 0,
	};
	if (addr->ip.family == AF_INET) {
		iface->ipv4 = addr->ip;
	} else {
		iface->ipv6 = addr->ip;
	}
}

int swn_interface_list(TALLOC_CTX *mem_ctx, const struct swn_service *service,
		       struct swn_interface_list *list)
{
	const struct cluster_state *state = cluster_current(service->cluster);
	size_t max = state != NULL ? state->num_addrs : 0;

	list->num = 0;
	list->entries = talloc_array(mem_ctx, struct swn_interface, max);
	if (list->entries == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < max; i++) {
		if (swn_interface_offered(service, &state->addrs[i])) {
			fill(service, state, &state->addrs[i], &list->entries[list->num++]);
		}
	}
	return 0;
}

/* Whether the call can be answered now: an interface is available, or there is none at all. */
static bool answerable(const struct swn_service *service)
{
	const struct cluster_state *state = cluster_current(service->cluster);
	bool any = false;

	for (size_t i = 0; state != NULL && i < state->num_addrs; i++) {
		const struct cluster_addr *addr = &state->addrs[i];

		if (!swn_interface_offered(service, addr)) {
			continue;
		}
		if (addr->state == CLUSTER_ADDR_AVAILABLE) {
			return true;
		}
		any = true;
	}
	return !any;
}

static void leave(struct list_state *state)
{
	if (state->service != NULL) {
		qb_list_del(&state->link);
		state->service->num_list_waiters--;
		state->service = NULL;
	}
}

static void list_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	leave(tevent_req_data(req, struct list_state));
}

/* End the call with the list as it is. */
static void answer(struct list_state *state, const struct swn_service *service)
{
	struct swn_interface_list list;
	int err = swn_interface_list(state, service, &list);

	if (err == 0) {
		err = swn_push_interface_list_reply(state, list.num > 0 ? &list : NULL,
						    list.num > 0 ? SWN_SUCCESS
								 : SWN_ERROR_NO_MORE_ITEMS,
						    &state->stub, &state->stub_len);
		talloc_free(list.entries);
	}
	if (!tevent_req_error(state->req, (uint64_t)err)) {
		tevent_req_done(state->req);
	}
}

struct tevent_req *swn_get_interface_list_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					       const struct rpc_call *call)
{
	struct swn_service *service =
		talloc_get_type_abort(call->iface_private, struct swn_service);
	struct list_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct list_state);

	if (req == NULL) {
		return NULL;
	}
	state->req = req;
	if (answerable(service)) {
		answer(state, service);
		return tevent_req_post(req, ev);
	}
	state->service = service;
	qb_list_add_tail(&state->link, &service->list_waiters);
	service->num_list_waiters++;
	tevent_req_set_cleanup_fn(req, list_cleanup);
	tevent_req_defer_callback(req, ev);
	return req;
}

int swn_get_interface_list_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct rpc_reply *reply)
{
	struct list_state *state = tevent_req_data(req, struct list_state);
	int err = req_errno(req);

	if (err == 0) {
		reply->stub = talloc_steal(mem_ctx, state->stub);
		reply->stub_len = state->stub_len;
	}
	tevent_req_received(req);
	return err;
}

void swn_interfaces_wake(struct swn_service *service)
{
	struct list_state *state, *next;

	if (service->num_list_waiters == 0 || !answerable(service)) {
		return;
	}
	/* Callbacks are deferred, so that nobody but this loop changes the list. */
	qb_list_for_each_entry_safe (state, next, &service->list_waiters, link) {
		answer(state, service);
	}
}

void swn_interfaces_end_all(struct swn_service *service)
{
	struct list_state *state, *next;

	qb_list_for_each_entry_safe (state, next, &service->list_waiters, link) {
		tevent_req_error(state->req, ESHUTDOWN);
	}
}
