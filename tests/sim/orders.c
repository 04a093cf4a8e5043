/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Administrators: orders, plans and marks on nodes, given at any witness at any time. What is carried out is
 * looked at where it happens: the linker puts __wrap_swn_order_do() in the place of the daemon's function.
 */
#include "tests/sim/sim.h"

#include "tests/sim/chance.h"
#include "witnessd/swn/order_reply.h"
#include "witnessd/swn/orders.h"

enum swn_order_result __wrap_swn_order_do(struct swn_service *service,
					  const struct swn_order *order,
					  const struct swn_handle *handle);
enum swn_order_result __real_swn_order_do(struct swn_service *service,
					  const struct swn_order *order,
					  const struct swn_handle *handle);

static struct sim *running; /* for what is called by the daemon's own code */

/* --- carried out --- */

static const struct sim_witness *witness_of(const struct swn_service *service)
{
	for (int i = 0; running != NULL && i < NET_NODES; i++) {
		const struct sim_witness *w = &running->witnesses[i];

		if (w->fix != NULL && w->fix->service == service) {
			return w;
		}
	}
	return NULL;
}

static struct sim_client *client_of(const struct swn_handle *handle)
{
	for (int i = 0; i < SIM_CLIENTS; i++) {
		struct sim_client *c = &running->clients[i];

		if (c->at >= 0 && memcmp(&c->handle, handle, sizeof(*handle)) == 0) {
			return c;
		}
	}
	return NULL;
}

/* Where the order sends a client, as far as it may go there; a bit each address. */
static unsigned int destinations(const struct sim_witness *w, const struct sim_client *c,
				 const struct swn_order *order)
{
	int node = order->node[1] - '1';
	unsigned int mask = 0;

	if (!w->has || !w->known.online[node] ||
	    (order->type == SWN_ORDER_CLIENT_MOVE && sim_bound(&w->known, c))) {
		return 0;
	}
	for (int ip = 0; ip < SIM_ADDRS; ip++) {
		struct ipaddr key = fix_ip(sim_ips[ip]);

		if (w->known.at[ip] == node && sim_can_go(w, c, ip, c->has_share) &&
		    (order->ip.family == 0 || ipaddr_equal(&order->ip, &key))) {
			mask |= 1U << ip;
		}
	}
	return mask;
}

static void check_move(const struct sim_witness *w, const struct sim_client *c,
		       const struct swn_reg *reg, const struct swn_order *order,
		       enum swn_order_result result)
{
	const struct swn_queue_slot *slot = order->type == SWN_ORDER_CLIENT_MOVE
						    ? &reg->queue.client_move
						    : &reg->queue.share_move;
	bool told = result == SWN_ORDER_TOLD || result == SWN_ORDER_QUEUED;
	unsigned int may = destinations(w, c, order), mask = 0;

	for (size_t i = 0; told && i < slot->num; i++) {
		mask |= 1U << sim_ip_index(&slot->addrs[i].ip);
	}
	if (told && (mask == 0 || mask != may)) {
		sim_fail(w->sim, "c%d is ordered to addresses 0x%x, and may go to 0x%x", c->num + 1,
			 mask, may);
	}
	if (result == SWN_ORDER_NOWHERE && may != 0) {
		sim_fail(w->sim, "c%d may go to addresses 0x%x, and the order says nowhere",
			 c->num + 1, may);
	}
}

/* What a registration's client will hear, or that there is none any more. */
static void check_news(const struct sim_witness *w, const struct swn_order *order,
		       const struct swn_handle *handle)
{
	const struct swn_reg *reg = swn_registry_find(w->fix->service->registry, handle);
	const struct swn_queue *queue = reg != NULL ? &reg->queue : NULL;
	bool done = true;

	if (order->type == SWN_ORDER_END) {
		done = reg == NULL;
	} else if (order->type == SWN_ORDER_CHANGE) {
		done = queue->num_changes > 0 &&
		       queue->changes[queue->num_changes - 1].available == order->online;
	} else if (order->type == SWN_ORDER_IP_CHANGE) {
		const struct swn_queue_addr *last =
			queue->ip_change.num > 0 ? &queue->ip_change.addrs[queue->ip_change.num - 1]
						 : NULL;

		done = last != NULL && last->online == order->online &&
		       ipaddr_equal(&last->ip, &order->ip);
	}
	if (!done) {
		sim_fail(w->sim, "n%d does not do what it was ordered (%d)", w->num + 1,
			 (int)order->type);
	}
}

static void note(struct sim_client *c, const struct swn_order *order)
{
	c->misled |= order->type == SWN_ORDER_CHANGE;
	c->mistold |= order->type == SWN_ORDER_IP_CHANGE;
	c->forced |= order->type == SWN_ORDER_REPLY;
	c->ended |= order->type == SWN_ORDER_END;
}

enum swn_order_result __wrap_swn_order_do(struct swn_service *service,
					  const struct swn_order *order,
					  const struct swn_handle *handle)
{
	const struct sim_witness *w = witness_of(service);
	const struct swn_reg *reg = swn_registry_find(service->registry, handle);
	struct sim_client *c = w != NULL ? client_of(handle) : NULL;
	enum swn_order_result result = __real_swn_order_do(service, order, handle);

	if (w == NULL) {
		return result;
	}
	w->sim->ordered++;
	sim_say(w->sim, "    n%d carries out order %d: %s", w->num + 1, (int)order->type,
		swn_order_result_name(result));
	if ((reg == NULL) != (result == SWN_ORDER_GONE)) {
		sim_fail(w->sim, "n%d says \"%s\" of a registration that is %s", w->num + 1,
			 swn_order_result_name(result), reg == NULL ? "gone" : "there");
	}
	if (c != NULL && reg != NULL) {
		if (order->type == SWN_ORDER_CLIENT_MOVE || order->type == SWN_ORDER_SHARE_MOVE) {
			check_move(w, c, reg, order, result);
		}
		note(c, order);
	}
	if (result == SWN_ORDER_TOLD || result == SWN_ORDER_QUEUED) {
		check_news(w, order, handle);
	}
	return result;
}

/* --- given --- */

/* What an order must not change when it is only looked at. */
static uint64_t sum_of(const struct sim_witness *w)
{
	uint64_t sum = 0;

	for (const struct swn_reg *reg = swn_registry_first(w->fix->service->registry); reg != NULL;
	     reg = swn_registry_next(reg)) {
		sum += 1 + (uintptr_t)reg->queue.client_move.addrs + reg->queue.num_changes +
		       (uintptr_t)reg->queue.share_move.addrs;
	}
	for (int i = 0; i < NET_NODES; i++) {
		sum += swn_drains_has(w->fix->service->drains, sim_node_name(i))
			       ? UINT64_C(1) << (50 + i)
			       : 0;
	}
	return sum;
}

/* Those that go by a plan go to nodes that stay, and not to those that are drained. */
static void check_destinations(const struct sim_witness *w,
			       const struct swn_orders_request *request, const json_t *clients)
{
	const json_t *client;
	size_t i;

	json_array_foreach(clients, i, client)
	{
		const char *to = json_string_value(json_object_get(client, "to"));
		const char *what = json_string_value(json_object_get(client, "result"));
		int node = to != NULL ? to[1] - '1' : -1;

		if (what == NULL || (strcmp(what, "told") != 0 && strcmp(what, "queued") != 0)) {
			continue;
		}
		if (node < 0 || !w->known.online[node] || w->known.draining[node] ||
		    swn_drains_has(w->fix->service->drains, to) ||
		    (request->leaving != NULL && strcmp(request->leaving, to) == 0)) {
			sim_fail(w->sim, "n%d plans to send a client to %s", w->num + 1,
				 to != NULL ? to : "nowhere");
		}
	}
}

/* Those that are found are those that were meant. */
static void check_chosen(const struct sim_witness *w, const struct swn_select *select,
			 const json_t *clients)
{
	static const char *const keys[] = {"handle", "ip", "share", "node", "witness"};
	const char *wanted[] = {select->registration, select->ip_address, select->share_name,
				select->node, select->witness};
	const json_t *client;
	size_t i;

	json_array_foreach(clients, i, client)
	{
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			const char *text = json_string_value(json_object_get(client, keys[k]));

			if (wanted[k] != NULL &&
			    (text == NULL || strncasecmp(text, wanted[k], 2) != 0 ||
			     (k != 2 && strcmp(text, wanted[k]) != 0))) {
				sim_fail(w->sim, "n%d was asked for %s %s and finds %s", w->num + 1,
					 keys[k], wanted[k], text != NULL ? text : "none");
			}
		}
	}
}

/* Whom an order that was only looked at is for. */
static void check_clients(const struct sim_witness *w, const struct swn_orders_request *request,
			  uint64_t id)
{
	char *text = talloc_strdup(NULL, "");
	json_t *clients;
	size_t pos = 0;

	while (swn_orders_clients(w->orders, id, &pos, &text)) {
	}
	text[0] = text[0] != '\0' ? '[' : text[0];
	text = talloc_asprintf_append(text, "%s]", text[0] != '\0' ? "" : "[");
	clients = json_loads(text, 0, NULL);
	if (clients == NULL) {
		sim_fail(w->sim, "n%d shows an order's clients as %s", w->num + 1, text);
	}
	if (request->plan != SWN_ORDERS_ALL) {
		check_destinations(w, request, clients);
	} else {
		check_chosen(w, request->select, clients);
	}
	json_decref(clients);
	talloc_free(text);
}

static void remember(struct sim_witness *w, uint64_t id)
{
	struct sim *sim = w->sim;

	if (sim->num_jobs < SIM_JOBS) {
		sim->jobs[sim->num_jobs++] =
			(struct sim_job){.witness = w->num, .life = w->life, .id = id};
	}
}

static void give(struct sim_witness *w, const struct swn_orders_request *request)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *why = NULL;
	uint64_t sum = sum_of(w), id = 0;
	int err;

	chance_day(w->sim->net->now_us + (uint64_t)w->sim->shape.skew_s[w->num] * 1000000);
	running = w->sim;
	err = swn_orders_begin(w->orders, tmp, request, &id, &why);
	if (err != 0 && (why == NULL || (err != ESRCH && err != ENODEV && err != ENXIO &&
					 err != EINVAL && err != EBUSY))) {
		sim_fail(w->sim, "n%d is given an order: %s", w->num + 1, strerror(err));
	}
	if ((err != 0 || request->dry_run) && sum_of(w) != sum) {
		sim_fail(w->sim, "n%d does what it is only asked about", w->num + 1);
	}
	if (err == 0) {
		remember(w, id);
	}
	if (err == 0 && request->dry_run) {
		check_clients(w, request, id);
	}
	talloc_free(tmp);
}

/* Who is meant. */
static struct swn_select choose(TALLOC_CTX *mem_ctx, const struct sim *sim, struct chance *chance)
{
	unsigned int num = chance_next(chance);
	const struct sim_client *c = &sim->clients[num % SIM_CLIENTS];
	const char *node = sim_node_name((int)(chance_next(chance) % NET_NODES));
	char guid[GUID_STRLEN];

	for (unsigned int i = 0; i < SIM_CLIENTS && c->at < 0; i++) {
		c = &sim->clients[++num % SIM_CLIENTS];
	}
	switch (chance_next(chance) % 6) {
	case 0:
		return (struct swn_select){.ip_address = sim_ips[c->ip]};
	case 1:
		return (struct swn_select){
			.registration = talloc_strdup(mem_ctx, guid_format(&c->handle.uuid, guid))};
	case 2:
		return (struct swn_select){.share_name = "da*"};
	case 3:
		return (struct swn_select){.node = node};
	case 4:
		return (struct swn_select){.witness = node};
	default:
		return (struct swn_select){.all = true};
	}
}

static struct sim_witness *pick_witness(struct sim *sim, struct chance *chance)
{
	struct sim_witness *w = &sim->witnesses[chance_next(chance) % NET_NODES];

	return w->fix != NULL ? w : NULL;
}

/* A reply that no witness would give by itself. */
static void make_reply(TALLOC_CTX *mem_ctx, struct swn_order *order)
{
	char *text = talloc_asprintf(mem_ctx, "{\"result\": %d}", SIM_FORCED), *why = NULL;
	uint8_t *stub = NULL;

	if (swn_order_reply(mem_ctx, text, &stub, &order->reply_len, &why) == 0) {
		order->reply = stub;
	}
}

void sim_order(struct sim *sim, uint32_t r)
{
	struct chance chance = {.state = r};
	struct sim_witness *w = pick_witness(sim, &chance);
	TALLOC_CTX *tmp;
	struct swn_select select;
	struct swn_orders_request request = {
		.plan = SWN_ORDERS_ALL, .select = &select, .rate = chance_next(&chance) % 3};
	struct swn_order *order = &request.order;

	if (w == NULL) {
		return;
	}
	tmp = talloc_new(NULL);
	select = choose(tmp, sim, &chance);
	order->type = (enum swn_order_type)(1 + chance_next(&chance) % (SWN_NUM_ORDERS - 1));
	order->online = chance_next(&chance) % 2 == 0;
	if (order->type == SWN_ORDER_IP_CHANGE || chance_next(&chance) % 2 == 0) {
		order->ip = fix_ip(sim_ips[chance_next(&chance) % SIM_ADDRS]);
	}
	if (order->type == SWN_ORDER_CLIENT_MOVE || order->type == SWN_ORDER_SHARE_MOVE) {
		order->node = order->ip.family == 0
				      ? sim_node_name((int)(chance_next(&chance) % NET_NODES))
				      : NULL;
	} else if (order->type != SWN_ORDER_IP_CHANGE) {
		order->ip = (struct ipaddr){0};
	}
	if (order->type == SWN_ORDER_REPLY) {
		make_reply(tmp, order);
	}
	request.dry_run = chance_next(&chance) % 4 == 0;
	sim_say(sim, "n%d is given an order of type %d%s", w->num + 1, (int)order->type,
		request.dry_run ? ", to look at" : "");
	give(w, &request);
	talloc_free(tmp);
}

void sim_plan(struct sim *sim, uint32_t r)
{
	struct chance chance = {.state = r};
	struct sim_witness *w = pick_witness(sim, &chance);
	const char *leaving = sim_node_name((int)(chance_next(&chance) % NET_NODES));
	const struct swn_select all = {.all = true};
	struct swn_orders_request request = {
		.plan = chance_next(&chance) % 2 == 0 ? SWN_ORDERS_DRAIN : SWN_ORDERS_EVEN,
		.order = {.type = SWN_ORDER_CLIENT_MOVE},
		.select = &all,
		.rate = chance_next(&chance) % 3,
		.dry_run = chance_next(&chance) % 2 == 0};

	if (w == NULL) {
		return;
	}
	request.leaving = request.plan == SWN_ORDERS_DRAIN ? leaving : NULL;
	sim->words += !request.dry_run && request.leaving != NULL;
	sim_say(sim, "n%d is to %s %s%s", w->num + 1,
		request.leaving != NULL ? "drain" : "rebalance",
		request.leaving != NULL ? leaving : "all", request.dry_run ? ", to look at" : "");
	give(w, &request);
}

/* --- drained nodes --- */

static void mark(struct sim_witness *w, const char *node, bool drained)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const char *marked;
	char *why = NULL;
	int err;

	chance_day(w->sim->net->now_us + (uint64_t)w->sim->shape.skew_s[w->num] * 1000000);
	err = swn_orders_mark(w->orders, tmp, node, drained, &marked, &why);
	if (err != 0 && (err != ENODEV || w->has)) {
		sim_fail(w->sim, "n%d cannot mark %s: %s", w->num + 1, node, strerror(err));
	}
	talloc_free(tmp);
}

void sim_undrain(struct sim *sim, uint32_t r)
{
	struct chance chance = {.state = r};
	struct sim_witness *w = pick_witness(sim, &chance);
	const char *node = sim_node_name((int)(chance_next(&chance) % NET_NODES));
	bool drained = chance_next(&chance) % 3 == 0;

	if (w != NULL) {
		sim_say(sim, "n%d is told that %s is %s", w->num + 1, node,
			drained ? "drained" : "not drained any more");
		sim->words++;
		mark(w, node, drained);
	}
}

static void check_agreed(const struct sim *sim, int node, bool drained)
{
	for (int i = 0; i < NET_NODES; i++) {
		if (swn_drains_has(sim->witnesses[i].fix->service->drains, sim_node_name(node)) !=
		    drained) {
			sim_fail(sim, "n%d does not know that n%d is%s drained", i + 1, node + 1,
				 drained ? "" : " not");
		}
	}
}

void sim_check_drains(struct sim *sim)
{
	int from = (int)(sim->words % NET_NODES);

	if (sim->words == 0) {
		return;
	}
	for (int node = 0; node < NET_NODES; node++) {
		bool drained =
			swn_drains_has(sim->witnesses[0].fix->service->drains, sim_node_name(node));

		check_agreed(sim, node, drained);
		mark(&sim->witnesses[from], sim_node_name(node), !drained);
		sim_pass(sim, 1, true);
		check_agreed(sim, node, !drained);
	}
}

/* --- done --- */

static void check_done(const struct sim *sim, const struct sim_job *job, const json_t *result)
{
	const json_t *results = json_object_get(result, "results"), *number;
	json_int_t sum = 0;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)results, key, number)
	{
		sum += json_integer_value(number);
	}
	if (!json_is_true(json_object_get(result, "done")) ||
	    json_object_get(results, "waits") != NULL ||
	    sum != json_integer_value(json_object_get(result, "total"))) {
		sim_fail(sim, "n%d does not finish order %llu", job->witness + 1,
			 (unsigned long long)job->id);
	}
}

void sim_check_jobs(struct sim *sim)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (unsigned int i = 0; i < sim->num_jobs; i++) {
		const struct sim_job *job = &sim->jobs[i];
		const struct sim_witness *w = &sim->witnesses[job->witness];
		json_t *result = NULL;
		char *why = NULL;

		if (w->life == job->life &&
		    swn_orders_status(w->orders, tmp, job->id, &result, &why) == 0) {
			check_done(sim, job, result);
			json_decref(result);
		}
	}
	talloc_free(tmp);
	running = NULL;
}
