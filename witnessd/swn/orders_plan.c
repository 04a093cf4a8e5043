/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/swn/orders_private.h"
#include "witnessd/swn/service_private.h"
#include "witnessd/swn/spread.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

#define LOOK_AT_ONCE 20U  /* registrations between two looks at the clock */
#define SLICE_MAX    500U /* registrations */
#define SLICE_MS     4U

/* The search while it goes on. */
struct swn_planning {
	struct swn_job *job;
	struct swn_service *service;
	struct swn_walk *walk;
	bool found;                        /* all: the rest is to decide */
	bool patterns;                     /* the selection has some */
	size_t num_meant;                  /* found so far that match it */
	const struct cluster_state *state; /* ours: nodes are told by their places in it */
	enum swn_orders_plan plan;
	struct swn_order order;     /* of plans: to any node */
	int leaving;                /* node, of DRAIN */
	struct spread_item *spread; /* as many as job->items; of plans */
	size_t size;
	int err;
};

/* --- destinations that are named --- */

/* The node's name as the cluster writes it. @return 0, ENODEV, EINVAL or ENOMEM */
static int resolve_node(struct swn_order *order, TALLOC_CTX *mem_ctx, struct swn_job *job,
			const struct cluster_state *state, char **why)
{
	const struct cluster_node *node = NULL;
	int err = swn_orders_node(mem_ctx, state, order->node, &node, why);

	if (err != 0) {
		return err;
	}
	if (!node->online) {
		*why = talloc_asprintf(mem_ctx, "node %s is not online", node->name);
		return EINVAL;
	}
	order->node = talloc_strdup(job, node->name);
	return order->node != NULL ? 0 : ENOMEM;
}

static int resolve_addr(struct swn_order *order, TALLOC_CTX *mem_ctx, struct swn_job *job,
			const struct cluster_state *state, char **why)
{
	const struct cluster_addr *addr =
		state != NULL ? cluster_state_addr(state, &order->ip) : NULL;
	char ip[IPADDR_STRLEN];

	ipaddr_format(&order->ip, ip);
	if (addr == NULL) {
		*why = talloc_asprintf(mem_ctx, "%s is not an address of the cluster", ip);
		return ENXIO;
	}
	if (order->type == SWN_ORDER_IP_CHANGE) {
		return 0;
	}
	if (addr->state != CLUSTER_ADDR_AVAILABLE || addr->node == NULL) {
		*why = talloc_asprintf(mem_ctx, "no node has the address %s now", ip);
		return ENXIO;
	}
	order->node = talloc_strdup(job, addr->node);
	return order->node != NULL ? 0 : ENOMEM;
}

static int resolve(struct swn_order *order, TALLOC_CTX *mem_ctx, struct swn_job *job,
		   const struct cluster_state *state, char **why)
{
	if (order->ip.family != 0) {
		return resolve_addr(order, mem_ctx, job, state, why);
	}
	return order->node != NULL ? resolve_node(order, mem_ctx, job, state, why) : 0;
}

/* --- the search --- */

static bool grow(struct swn_planning *p)
{
	size_t size = p->size == 0 ? 64 : p->size * 2;
	struct swn_job *job = p->job;
	struct swn_job_item *items;
	struct spread_item *spread;

	if (job->num < p->size) {
		return true;
	}
	items = talloc_realloc(job, job->items, struct swn_job_item, size);
	if (items == NULL) {
		return false;
	}
	job->items = items;
	spread = talloc_realloc(p, p->spread, struct spread_item, size);
	if (spread == NULL) {
		return false;
	}
	p->spread = spread;
	p->size = size;
	return true;
}

/* A copy of the name that many items share. */
static const char *shared_name(struct swn_job *job, const char *name)
{
	if (name == NULL) {
		return NULL;
	}
	if (job->num > 0 && job->items[job->num - 1].witness != NULL &&
	    strcmp(job->items[job->num - 1].witness, name) == 0) {
		return job->items[job->num - 1].witness;
	}
	return talloc_strdup(job, name);
}

static int node_index(const struct cluster_state *state, const char *name)
{
	const struct cluster_node *node = cluster_state_node(state, name);

	return node != NULL ? (int)(node - state->nodes) : SPREAD_STAYS;
}

/* Where the client is, and where it could be; who is not meant counts where it is. */
static struct spread_item spread_of(const struct swn_planning *p, const struct swn_found *found)
{
	struct spread_item item = {.node = SPREAD_STAYS, .to = SPREAD_STAYS};

	if (found->orphan) {
		return item;
	}
	item.node = node_index(p->state, found->node);
	for (size_t i = 0; i < p->state->num_nodes && !found->rest; i++) {
		const struct cluster_node *node = &p->state->nodes[i];
		struct swn_order order = p->order;
		enum swn_order_result result;

		if (!node->online || node->draining ||
		    swn_drains_has(p->service->drains, node->name)) {
			continue;
		}
		order.node = node->name;
		result = swn_order_check(&order, found->reg, found->waiting);
		if (result == SWN_ORDER_TOLD || result == SWN_ORDER_QUEUED ||
		    result == SWN_ORDER_THERE) {
			item.nodes |= UINT64_C(1) << i;
		}
	}
	return item;
}

static void take(void *private_data, const struct swn_found *found)
{
	struct swn_planning *p = private_data;
	struct swn_job *job = p->job;
	struct swn_job_item *item;

	if (p->err != 0) {
		return;
	}
	if (!grow(p)) {
		p->err = ENOMEM;
		return;
	}
	item = &job->items[job->num];
	*item = (struct swn_job_item){
		.handle = found->reg->handle,
		.own = found->own,
		.orphan = found->orphan,
		/* Text, because ten thousand trees of JSON take a while to be freed. NULL when memory is short. */
		.client = found->rest ? NULL : text_json_open(job, swn_found_json(found)),
		.result = SWN_ORDER_WAITS,
	};
	item->witness = shared_name(job, found->witness);
	if ((item->client == NULL && !found->rest) ||
	    (item->witness == NULL && found->witness != NULL)) {
		p->err = ENOMEM;
		return;
	}
	if (p->plan == SWN_ORDERS_ALL) {
		item->result = found->orphan ? SWN_ORDER_UNREACHABLE
					     : swn_order_check(&job->orders[0], found->reg,
							       found->waiting);
	} else {
		item->result = found->waiting ? SWN_ORDER_TOLD : SWN_ORDER_QUEUED;
		p->spread[job->num] = spread_of(p, found);
	}
	p->num_meant += !found->rest;
	job->num++;
}

/* --- who goes where --- */

/* Without those who stay. */
static void keep_moved(struct swn_planning *p)
{
	struct swn_job *job = p->job;
	size_t kept = 0;

	for (size_t i = 0; i < job->num; i++) {
		bool leaves = p->plan == SWN_ORDERS_DRAIN && p->spread[i].node == p->leaving;

		if (p->spread[i].to == SPREAD_STAYS && !leaves) {
			talloc_free(job->items[i].client);
			continue;
		}
		job->items[kept] = job->items[i];
		if (p->spread[i].to == SPREAD_STAYS) {
			job->items[kept].result = SWN_ORDER_NOWHERE;
			job->items[kept].order = SWN_JOB_NO_ORDER;
		} else {
			job->items[kept].order = (unsigned int)p->spread[i].to;
		}
		kept++;
	}
	job->num = kept;
}

static int make_plan(struct swn_planning *p)
{
	struct swn_job *job = p->job;
	int err, num_nodes = (int)p->state->num_nodes;

	if (p->plan == SWN_ORDERS_EVEN) {
		err = spread_even(p->spread, job->num, num_nodes);
	} else {
		err = spread_drain(p->spread, job->num, num_nodes, p->leaving);
	}
	if (err == 0) {
		keep_moved(p);
	}
	return err;
}

/* One order for each node, at its index. */
static int orders_of_nodes(struct swn_job *job, const struct cluster_state *state,
			   const struct swn_order *order)
{
	job->orders = talloc_zero_array(job, struct swn_order, state->num_nodes);
	if (job->orders == NULL) {
		return ENOMEM;
	}
	job->num_orders = state->num_nodes;
	for (size_t i = 0; i < state->num_nodes; i++) {
		job->orders[i] = *order;
		job->orders[i].node = talloc_strdup(job, state->nodes[i].name);
		if (job->orders[i].node == NULL) {
			return ENOMEM;
		}
	}
	return 0;
}

static int one_order(struct swn_job *job, TALLOC_CTX *mem_ctx, const struct cluster_state *state,
		     const struct swn_order *order, char **why)
{
	job->orders = talloc_memdup(job, order, sizeof(*order));
	job->num_orders = 1;
	if (job->orders == NULL) {
		return ENOMEM;
	}
	if (order->reply != NULL) {
		job->orders->reply = talloc_memdup(job, order->reply, order->reply_len);
		if (job->orders->reply == NULL) {
			return ENOMEM;
		}
	}
	return resolve(job->orders, mem_ctx, job, state, why);
}

static int prepare(struct swn_planning *p, TALLOC_CTX *mem_ctx,
		   const struct swn_orders_request *request, char **why)
{
	const struct cluster_node *node = NULL;
	int err = 0;

	if (request->plan == SWN_ORDERS_ALL) {
		return one_order(p->job, mem_ctx, p->state, &request->order, why);
	}
	if (p->state == NULL || p->state->num_nodes > SPREAD_NODES_MAX) {
		*why = talloc_strdup(mem_ctx, p->state == NULL
						      ? "the state of the cluster is not known yet"
						      : "that is for clusters of up to 64 nodes");
		return EINVAL;
	}
	p->order = (struct swn_order){.type = request->order.type};
	p->leaving = SPREAD_STAYS;
	if (request->leaving != NULL) {
		err = swn_orders_node(mem_ctx, p->state, request->leaving, &node, why);
	}
	if (err == 0) {
		err = orders_of_nodes(p->job, p->state, &request->order);
	}
	if (err == 0 && node != NULL) {
		p->leaving = (int)(node - p->state->nodes);
		p->job->leaving = p->job->orders[p->leaving].node;
	}
	return err;
}

static bool reaches(enum swn_order_result result)
{
	return result == SWN_ORDER_TOLD || result == SWN_ORDER_QUEUED;
}

/* Those that one command can carry next to each other; the others do not wait for anything. */
static int compare(const void *a, const void *b)
{
	const struct swn_job_item *x = a, *y = b;
	int by_witness;

	if (reaches(x->result) != reaches(y->result)) {
		return reaches(x->result) ? 1 : -1;
	}
	if (x->witness != y->witness) {
		by_witness = x->witness == NULL   ? -1
			     : y->witness == NULL ? 1
						  : strcmp(x->witness, y->witness);
		if (by_witness != 0) {
			return by_witness;
		}
	}
	return (x->order > y->order) - (x->order < y->order);
}

static void finish(struct swn_planning *p)
{
	struct swn_job *job = p->job;

	if (job->num > 1) {
		qsort(job->items, job->num, sizeof(job->items[0]), compare);
	}
	for (size_t i = 0; i < job->num; i++) {
		struct swn_job_item *item = &job->items[i];

		if (!reaches(item->result)) {
			job->next = i + 1;
		} else if (!job->dry_run) {
			item->result = SWN_ORDER_WAITS;
		}
	}
}

/* --- the steps --- */

static int plan_begin(struct swn_planning *p, TALLOC_CTX *mem_ctx,
		      const struct swn_orders_request *request, char **why)
{
	const struct cluster_state *state = cluster_current(p->service->cluster);
	struct swn_select select = *request->select;
	int err = swn_select_check(mem_ctx, &select, p->service, why);

	if (err == 0 && state != NULL) {
		p->state = cluster_state_copy(p, state);
		err = p->state != NULL ? 0 : ENOMEM;
	}
	if (err == 0) {
		err = prepare(p, mem_ctx, request, why);
	}
	p->patterns = swn_select_has_patterns(&select);
	select.rest = p->plan == SWN_ORDERS_EVEN;
	return err != 0 ? err : swn_walk_create(p, p->service, &select, &p->walk);
}

int swn_job_plan(struct swn_job *job, TALLOC_CTX *mem_ctx, struct swn_service *service,
		 const struct swn_orders_request *request, char **why)
{
	struct swn_planning *p = talloc_zero(job, struct swn_planning);
	int err;

	if (p == NULL) {
		return ENOMEM;
	}
	p->job = job;
	p->service = service;
	p->plan = request->plan;
	err = plan_begin(p, mem_ctx, request, why);
	if (err != 0) {
		talloc_free(p);
		return err;
	}
	job->planning = p;
	return 0;
}

/* @return whether all have been found */
static bool look_on(struct swn_planning *p)
{
	uint64_t began_ms = clock_ms();

	for (size_t n = 0; n < SLICE_MAX && p->err == 0; n += LOOK_AT_ONCE) {
		if (!swn_walk_next(p->walk, LOOK_AT_ONCE, take, p)) {
			return true;
		}
		if (clock_ms() - began_ms >= SLICE_MS) {
			break;
		}
	}
	return p->err != 0;
}

static int decide(struct swn_planning *p, TALLOC_CTX *mem_ctx, char **why)
{
	int err = p->err;

	if (err == 0 && p->num_meant == 0 && (p->plan == SWN_ORDERS_ALL || p->patterns)) {
		*why = talloc_strdup(mem_ctx, "no registration matches");
		err = ESRCH;
	}
	if (err == 0 && p->plan != SWN_ORDERS_ALL) {
		err = make_plan(p);
	}
	if (err == 0) {
		finish(p);
	}
	return err;
}

int swn_job_plan_on(struct swn_job *job, TALLOC_CTX *mem_ctx, char **why)
{
	struct swn_planning *p = job->planning;
	int err;

	if (!p->found) {
		p->found = look_on(p);
		if (!p->found || job->num > SLICE_MAX) {
			return EAGAIN; /* to decide is a slice of its own when there are many */
		}
	}
	err = decide(p, mem_ctx, why);
	TALLOC_FREE(job->planning);
	return err;
}
