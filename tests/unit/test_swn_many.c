/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What witnessctl asks about thousands of clients, half of them at another witness: no turn of the event loop has
 * to do all of it. Measured is the time of this thread, so that a busy machine makes no difference.
 */
#include <malloc.h>

#include "tests/unit/cluster_pair.h"
#include "tests/unit/swn_fixture.h"
#include "witnessd/swn/orders.h"
#include "witnessd/swn/select.h"

#define CLIENTS 4000

struct rig {
	struct pair pair;
	struct swn_fix *fix[2];
	struct swn_orders *orders;
};

static struct rig *the_rig; /* made once: it takes its time */

static struct swn_fix *new_fix(struct rig *rig)
{
	struct swn_fix *fix = talloc_zero(NULL, struct swn_fix);

	fix->ev = rig->pair.ev;
	fix_init(fix);
	fix->config.max_registrations = CLIENTS;
	fix->config.max_registrations_principal = CLIENTS;
	fix->config.max_registrations_assoc = CLIENTS;
	assert_int_equal(cluster_create(fix, fix->ev, &fix->cluster), 0);
	return fix;
}

static void register_all(struct rig *rig)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct swn_register args = fix_args();
		char name[40];

		snprintf(name, sizeof(name), "client-%05d.example.com", i);
		args.client_computer_name = name;
		args.share_name = "data";
		fix_register_ok(rig->fix[i % 2], true, &args);
	}
	fix_pump(rig->fix[0]);
}

static int begin(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	rig->pair.ev = tevent_context_init(rig);
	rig->fix[0] = new_fix(rig);
	rig->fix[1] = new_fix(rig);
	pair_link(&rig->pair, rig->fix[0]->cluster, rig->fix[1]->cluster);
	fix_start(rig->fix[0]);
	fix_start(rig->fix[1]);
	assert_int_equal(swn_orders_create(rig, rig->fix[0]->ev, rig->fix[0]->cluster,
					   rig->fix[0]->service, &rig->orders),
			 0);
	pair_place(&rig->pair, "n1");
	register_all(rig);
	the_rig = rig;
	return 0;
}

static int end(void **state)
{
	talloc_free(the_rig->orders);
	talloc_free(the_rig->fix[0]);
	talloc_free(the_rig->fix[1]);
	talloc_free(the_rig);
	return 0;
}

/* --- time --- */

struct timing {
	double began_ms, longest_ms, total_ms;
	unsigned int steps;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void step_begins(struct timing *timing)
{
	timing->began_ms = now_ms();
}

static void step_ends(struct timing *timing)
{
	double ms = now_ms() - timing->began_ms;

	timing->total_ms += ms;
	timing->longest_ms = ms > timing->longest_ms ? ms : timing->longest_ms;
	timing->steps++;
}

/* However slow the machine or the sanitizer, no step is a large part of the whole. */
static void check_timing(const struct timing *timing, const char *what)
{
	print_message("%s of %d clients: %u steps, %.1f ms, the longest %.2f ms\n", what, CLIENTS,
		      timing->steps, timing->total_ms, timing->longest_ms);
	assert_true(timing->steps >= CLIENTS / 500);
	assert_true(timing->longest_ms < timing->total_ms / 3);
}

/* --- lists --- */

static void append_found(void *private_data, const struct swn_found *found)
{
	json_decref(swn_found_json(found));
	(*(size_t *)private_data)++;
}

static void a_list_is_made_in_small_steps(void **state)
{
	static const struct swn_select all = {.all = true};
	struct timing timing = {.steps = 0};
	struct swn_walk *walk = NULL;
	size_t found = 0;
	bool more = true;

	step_begins(&timing);
	assert_int_equal(swn_walk_create(the_rig, the_rig->fix[0]->service, &all, &walk), 0);
	step_ends(&timing);
	while (more) {
		step_begins(&timing);
		more = swn_walk_next(walk, 50, append_found, &found);
		step_ends(&timing);
	}
	talloc_free(walk);
	assert_int_equal(found, CLIENTS);
	check_timing(&timing, "list");
}

static void what_goes_and_comes_meanwhile_does_no_harm(void **state)
{
	static const struct swn_select some = {.client_computer_name = "client-00*"};
	struct swn_registry *registry = the_rig->fix[0]->service->registry;
	struct swn_walk *walk = NULL;
	size_t found = 0;

	assert_int_equal(swn_walk_create(the_rig, the_rig->fix[0]->service, &some, &walk), 0);
	assert_true(swn_walk_next(walk, 10, append_found, &found));
	assert_int_equal(found, 10);
	for (int i = 0; i < 20; i++) {
		swn_reg_end(swn_registry_first(registry), SWN_END_FORCED);
	}
	fix_registered(the_rig->fix[0]);
	while (swn_walk_next(walk, 100, append_found, &found)) {
	}
	talloc_free(walk);
	assert_int_equal(found, 1000 - 10); /* ten have gone before they were looked at */
}

/* --- orders --- */

static json_t *plan(struct swn_orders_request *request, struct timing *timing)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct wheel *wheel = the_rig->fix[0]->service->wheel;
	json_t *status = NULL;
	uint64_t id = 0;
	char *why = NULL;

	(void)malloc_trim(0); /* what the test has freed is not to be tidied up in a step */
	step_begins(timing);
	assert_int_equal(swn_orders_begin(the_rig->orders, tmp, request, &id, &why), 0);
	step_ends(timing);
	for (;;) {
		json_decref(status);
		assert_int_equal(swn_orders_status(the_rig->orders, tmp, id, &status, &why), 0);
		if (json_is_true(json_object_get(status, "done"))) {
			break;
		}
		assert_int_equal(json_integer_value(json_object_get(status, "total")), 0);
		the_rig->fix[0]->now_us = wheel_next_us(wheel);
		step_begins(timing);
		wheel_run(wheel);
		step_ends(timing);
	}
	talloc_free(tmp);
	(void)json_object_set_new(status, "id", json_integer((json_int_t)id));
	return status;
}

/* All clients of a job, as witnessctl gets them. */
static size_t count_clients(uint64_t id)
{
	char *text = talloc_strdup(the_rig, "");
	size_t pos = 0, num = 0;
	json_t *json, *client;
	size_t i;

	while (swn_orders_clients(the_rig->orders, id, &pos, &text)) {
	}
	assert_non_null(text);
	json = json_loads(talloc_asprintf(text, "[%s]", text[0] == ',' ? text + 1 : text), 0, NULL);
	assert_non_null(json);
	json_array_foreach(json, i, client)
	{
		assert_non_null(json_string_value(json_object_get(client, "handle")));
		assert_string_equal(json_string_value(json_object_get(client, "to")), "n2");
		num += strcmp(json_string_value(json_object_get(client, "result")), "queued") == 0;
	}
	json_decref(json);
	talloc_free(text);
	return num;
}

static void an_order_is_planned_in_small_steps(void **state)
{
	static const struct swn_select all = {.all = true};
	struct swn_orders_request move = {
		.order = {.type = SWN_ORDER_CLIENT_MOVE, .node = "n2"},
		.select = &all,
		.dry_run = true,
	};
	struct timing timing = {.steps = 0};
	json_t *status = plan(&move, &timing);

	assert_int_equal(json_integer_value(json_object_get(status, "total")), CLIENTS);
	assert_true(json_is_null(json_object_get(status, "job")));
	assert_int_equal(count_clients((uint64_t)json_integer_value(json_object_get(status, "id"))),
			 CLIENTS);
	json_decref(status);
	check_timing(&timing, "client-move");
}

static void a_drain_is_planned_in_small_steps(void **state)
{
	static const struct swn_select all = {.all = true};
	struct swn_orders_request drain = {
		.plan = SWN_ORDERS_DRAIN,
		.order = {.type = SWN_ORDER_CLIENT_MOVE},
		.leaving = "n1",
		.select = &all,
		.dry_run = true,
	};
	struct timing timing = {.steps = 0};
	json_t *status = plan(&drain, &timing);

	assert_int_equal(json_integer_value(json_object_get(status, "total")), CLIENTS);
	json_decref(status);
	check_timing(&timing, "drain");
}

/* What comes to light in a later step is told, too. */
static void an_order_for_nobody_among_many(void **state)
{
	static const struct swn_select nobody = {.client_computer_name = "nobody"};
	struct swn_orders_request end_them = {.order = {.type = SWN_ORDER_END}, .select = &nobody};
	TALLOC_CTX *tmp = talloc_new(NULL);
	json_t *status = NULL;
	char *why = NULL;
	uint64_t id = 0;

	assert_int_equal(swn_orders_begin(the_rig->orders, tmp, &end_them, &id, &why), 0);
	fix_pass_ms(the_rig->fix[0], 1000);
	assert_int_equal(swn_orders_status(the_rig->orders, tmp, id, &status, &why), ESRCH);
	assert_string_equal(why, "no registration matches");
	assert_null(status);
	talloc_free(tmp);
}

/* While it is found out whom it is for. */
static void an_order_is_cancelled_before_it_begins(void **state)
{
	static const struct swn_select all = {.all = true};
	struct swn_orders_request end_them = {.order = {.type = SWN_ORDER_END}, .select = &all};
	TALLOC_CTX *tmp = talloc_new(NULL);
	json_t *status = NULL;
	char *why = NULL;
	uint64_t id = 0;

	assert_int_equal(swn_orders_begin(the_rig->orders, tmp, &end_them, &id, &why), 0);
	assert_int_equal(swn_orders_cancel(the_rig->orders, id), 0);
	assert_int_equal(swn_orders_status(the_rig->orders, tmp, id, &status, &why), 0);
	assert_true(json_is_true(json_object_get(status, "done")));
	assert_int_equal(json_integer_value(json_object_get(status, "total")), 0);
	json_decref(status);
	fix_pass_ms(the_rig->fix[0], 1000);
	assert_int_equal(swn_registry_count(the_rig->fix[0]->service->registry), CLIENTS / 2);
	talloc_free(tmp);
}

static void nodes_are_counted(void **state)
{
	struct timing timing = {.steps = 0};
	json_t *nodes;

	step_begins(&timing);
	nodes = swn_orders_nodes_json(the_rig->orders);
	step_ends(&timing);
	print_message("nodes: %.2f ms\n", timing.longest_ms);
	assert_int_equal(json_array_size(nodes), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(nodes, 0), "clients")),
			 CLIENTS);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(nodes, 1), "registrations")),
		CLIENTS / 2);
	json_decref(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_made_in_small_steps),
		cmocka_unit_test(an_order_is_planned_in_small_steps),
		cmocka_unit_test(a_drain_is_planned_in_small_steps),
		cmocka_unit_test(an_order_for_nobody_among_many),
		cmocka_unit_test(an_order_is_cancelled_before_it_begins),
		cmocka_unit_test(nodes_are_counted),
		cmocka_unit_test(what_goes_and_comes_meanwhile_does_no_harm),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
