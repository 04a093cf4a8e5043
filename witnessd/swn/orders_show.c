/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs and nodes as witnessctl shows them. */
#include <errno.h>
#include <stdlib.h>

#include "witnessd/swn/orders_private.h"
#include "witnessd/swn/service_private.h"
#include "witnessd/util/text_append.h"
#include "witnessd/util/text_json.h"

#define CLIENTS_AT_ONCE 100U /* in a piece of text */

/* --- jobs --- */

size_t swn_job_count(const struct swn_job *job, enum swn_order_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < job->num; i++) {
		n += job->items[i].result == result;
	}
	return n;
}

static json_t *results_json(const struct swn_job *job)
{
	json_t *json = json_object();

	for (int i = 0; i < SWN_NUM_ORDER_RESULTS; i++) {
		size_t n = swn_job_count(job, (enum swn_order_result)i);

		if (n > 0) {
			(void)json_object_set_new(json,
						  swn_order_result_name((enum swn_order_result)i),
						  json_integer((json_int_t)n));
		}
	}
	return json;
}

struct swn_job *swn_job_find(const struct swn_orders *orders, uint64_t id)
{
	struct swn_job *job;

	qb_list_for_each_entry (job, &orders->jobs, link) {
		if (job->id == id) {
			return job;
		}
	}
	return NULL;
}

int swn_orders_status(const struct swn_orders *orders, TALLOC_CTX *mem_ctx, uint64_t id,
		      json_t **result, char **why)
{
	const struct swn_job *job = swn_job_find(orders, id);
	bool planning;

	if (job == NULL) {
		*why = talloc_strdup(mem_ctx, "there is no such order, or it has ended long ago");
		return ENOENT;
	}
	if (job->err != 0) {
		*why = job->why != NULL ? talloc_strdup(mem_ctx, job->why) : NULL;
		return job->err;
	}
	planning = job->planning != NULL;
	*result = json_pack("{s:o, s:b, s:b, s:I, s:o}", "job",
			    job->dry_run && job->done ? json_null()
						      : json_integer((json_int_t)job->id),
			    "dry_run", job->dry_run, "done", job->done, "total",
			    (json_int_t)(planning ? 0 : job->num), "results",
			    planning ? json_object() : results_json(job));
	if (job->leaving != NULL) {
		(void)json_object_set_new(*result, "node", text_json(job->leaving));
	}
	return *result != NULL ? 0 : ENOMEM;
}

static json_t *destination(const struct swn_job *job, const struct swn_job_item *item)
{
	const struct swn_order *order;
	char ip[IPADDR_STRLEN];

	if (item->order == SWN_JOB_NO_ORDER) {
		return json_null();
	}
	order = &job->orders[item->order];
	return order->ip.family != 0 ? json_string(ipaddr_format(&order->ip, ip))
				     : text_json(order->node);
}

bool swn_orders_clients(const struct swn_orders *orders, uint64_t id, size_t *pos, char **text)
{
	const struct swn_job *job = swn_job_find(orders, id);
	size_t end;

	if (job == NULL || !job->done || *pos >= job->num) {
		return false;
	}
	end = job->num - *pos > CLIENTS_AT_ONCE ? *pos + CLIENTS_AT_ONCE : job->num;
	for (; *pos < end && *text != NULL; (*pos)++) {
		const struct swn_job_item *item = &job->items[*pos];

		*text = text_append(*text, ",%s,\"to\":", item->client);
		*text = text_json_append(*text, destination(job, item));
		*text = text_append(*text, ",\"result\":\"%s\"}",
				    swn_order_result_name(item->result));
	}
	return *pos < job->num;
}

/* --- nodes --- */

struct node_count {
	const struct cluster_state *state;
	struct {
		int addresses, clients, registrations;
	} * nodes; /* at the places of the state */
};

static void count_found(void *private_data, const struct swn_found *found)
{
	struct node_count *count = private_data;
	const struct cluster_node *node;

	node = found->node != NULL ? cluster_state_node(count->state, found->node) : NULL;
	if (node != NULL) {
		count->nodes[node - count->state->nodes].clients++;
	}
	node = found->witness != NULL ? cluster_state_node(count->state, found->witness) : NULL;
	if (node != NULL) {
		count->nodes[node - count->state->nodes].registrations++;
	}
}

static void count_addresses(struct node_count *count)
{
	const struct cluster_state *state = count->state;

	for (size_t i = 0; i < state->num_addrs; i++) {
		const struct cluster_node *node =
			state->addrs[i].state == CLUSTER_ADDR_AVAILABLE
				? cluster_state_node(state, state->addrs[i].node)
				: NULL;

		if (node != NULL) {
			count->nodes[node - state->nodes].addresses++;
		}
	}
}

static json_t *node_json(const struct swn_orders *orders, const struct node_count *count, size_t i)
{
	const struct cluster_node *node = &count->state->nodes[i];

	return json_pack("{s:o, s:I, s:b, s:b, s:b, s:b, s:b, s:i, s:i, s:i}", "name",
			 text_json(node->name), "id", (json_int_t)node->id, "online", node->online,
			 "draining", node->draining, "drained",
			 swn_drains_has(orders->service->drains, node->name), "local", node->local,
			 "witness",
			 node->local || peers_is_up(cluster_peers(orders->cluster), node->name),
			 "addresses", count->nodes[i].addresses, "clients", count->nodes[i].clients,
			 "registrations", count->nodes[i].registrations);
}

json_t *swn_orders_nodes_json(const struct swn_orders *orders)
{
	const struct swn_select all = {.all = true};
	struct node_count count = {.state = cluster_current(orders->cluster)};
	json_t *list = json_array();

	if (count.state == NULL || count.state->num_nodes == 0) {
		return list;
	}
	count.nodes = calloc(count.state->num_nodes, sizeof(count.nodes[0]));
	if (count.nodes == NULL) {
		json_decref(list);
		return NULL;
	}
	count_addresses(&count);
	swn_select_foreach(orders->service, &all, count_found, &count);
	for (size_t i = 0; i < count.state->num_nodes; i++) {
		(void)json_array_append_new(list, node_json(orders, &count, i));
	}
	free(count.nodes);
	return list;
}
