/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Selections, orders and jobs on one witness. */
#include "tests/unit/short_memory.h"
#include "tests/unit/swn_fixture.h"
#include "witnessd/swn/order_reply.h"
#include "witnessd/swn/orders.h"
#include "witnessd/swn/select.h"

struct rig {
	struct swn_fix *fix;
	struct swn_orders *orders;
};

#define MANY 600 /* more than are looked at in one turn of the loop */

static int begin(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	rig->fix = fix_new();
	rig->fix->config.max_registrations = MANY;
	rig->fix->config.max_registrations_principal = MANY;
	rig->fix->config.max_registrations_assoc = MANY;
	fix_start(rig->fix);
	fix_place(rig->fix, "n1", "n2");
	assert_int_equal(swn_orders_create(rig, rig->fix->ev, rig->fix->cluster, rig->fix->service,
					   &rig->orders),
			 0);
	*state = rig;
	return 0;
}

static int end(void **state)
{
	struct rig *rig = *state;

	talloc_free(rig->orders);
	talloc_free(rig->fix);
	talloc_free(rig);
	return 0;
}

static struct swn_handle registered(struct rig *rig, const char *client, const char *share)
{
	struct swn_register args = fix_args();

	args.client_computer_name = client;
	args.share_name = share;
	return fix_register_ok(rig->fix, true, &args);
}

static size_t selected(struct rig *rig, const char *json)
{
	struct swn_select select;
	json_t *parsed = json_loads(json, 0, NULL), *list;
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *why = NULL;
	size_t n;

	assert_non_null(parsed);
	assert_int_equal(swn_select_parse(tmp, parsed, &select, &why), 0);
	list = fix_list(rig->fix, &select);
	n = json_array_size(list);
	json_decref(list);
	json_decref(parsed);
	talloc_free(tmp);
	return n;
}

static void patterns_select(void **state)
{
	struct rig *rig = *state;

	registered(rig, "one.example.com", "data");
	registered(rig, "two.example.com", NULL);
	assert_int_equal(selected(rig, "{}"), 2);
	assert_int_equal(selected(rig, "{\"client_computer_name\": \"ONE*\"}"), 1);
	assert_int_equal(selected(rig, "{\"client_computer_name\": \"[ot]*\"}"), 2);
	assert_int_equal(selected(rig, "{\"share_name\": \"*\"}"), 1);
	assert_int_equal(selected(rig, "{\"net_name\": \"F?\", \"share_name\": \"Data\"}"), 1);
	assert_int_equal(selected(rig, "{\"ip_address\": \"::ffff:10.0.0.7\"}"), 2);
	assert_int_equal(selected(rig, "{\"ip_address\": \"10.0.0.8\"}"), 0);
	assert_int_equal(selected(rig, "{\"node\": \"n1\", \"local\": true}"), 2);
	assert_int_equal(selected(rig, "{\"node\": \"n2\"}"), 0);
	assert_int_equal(selected(rig, "{\"registration\": \"0*\", \"net_name\": \"x\"}"), 0);
}

static void odd_selections_are_refused(void **state)
{
	static const char *const odd[] = {
		"{\"net_name\": 1}",
		"{\"net_name\": \"\"}",
		"{\"net_name\": \"a\\u0000b\"}",
		"{\"share_name\": \"*********\"}",
		"{\"node\": []}",
	};
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		json_t *json = json_loads(odd[i], JSON_ALLOW_NUL, NULL);
		struct swn_select select = {.all = true};
		char *why = NULL;

		assert_non_null(json);
		assert_int_equal(swn_select_parse(tmp, json, &select, &why), EINVAL);
		assert_non_null(why);
		assert_true(select.all);
		json_decref(json);
	}
	talloc_free(tmp);
}

/* Begin, run to the end, and count a result. */
static json_int_t run(struct rig *rig, struct swn_orders_request *request, const char *name)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	json_t *result = NULL;
	uint64_t id = 0;
	json_int_t n;
	char *why = NULL;

	assert_int_equal(swn_orders_begin(rig->orders, tmp, request, &id, &why), 0);
	assert_int_equal(swn_orders_status(rig->orders, tmp, id, &result, &why), 0);
	while (!json_is_true(json_object_get(result, "done"))) {
		assert_int_equal(json_integer_value(json_object_get(result, "job")), id);
		json_decref(result);
		fix_pass_ms(rig->fix, 20);
		assert_int_equal(swn_orders_status(rig->orders, tmp, id, &result, &why), 0);
	}
	n = json_integer_value(json_object_get(json_object_get(result, "results"), name));
	json_decref(result);
	talloc_free(tmp);
	return n;
}

static const struct swn_select all = {.all = true};

static void a_move_is_told_once_and_only_where_it_makes_sense(void **state)
{
	struct rig *rig = *state;
	struct swn_handle handle = registered(rig, "one", "data");
	struct swn_fix_call *call = fix_async(rig->fix, &handle);
	struct swn_orders_request move = {.order = {.type = SWN_ORDER_CLIENT_MOVE, .node = "N2"},
					  .select = &all};
	struct swn_notify *notify;
	uint32_t werror;

	move.dry_run = true;
	assert_int_equal(run(rig, &move, "told"), 1);
	assert_false(call->done);
	move.dry_run = false;
	assert_int_equal(run(rig, &move, "told"), 1);
	notify = fix_notify(call, &werror);
	assert_int_equal(notify->type, SWN_CLIENT_MOVE);
	assert_int_equal(notify->num_addrs, 1);
	assert_int_equal(run(rig, &move, "queued"), 1);
	move.order.node = "n1";
	assert_int_equal(run(rig, &move, "already there"), 1);
	move.order.node = NULL;
	move.order.ip = fix_ip("10.0.0.7");
	assert_int_equal(run(rig, &move, "already there"), 1);
	move.order.ip = fix_ip("10.0.0.8");
	move.order.type = SWN_ORDER_SHARE_MOVE;
	assert_int_equal(run(rig, &move, "queued"), 1);
}

static void unknown_destinations_are_refused(void **state)
{
	struct rig *rig = *state;
	struct swn_orders_request move = {.order = {.type = SWN_ORDER_CLIENT_MOVE, .node = "n9"},
					  .select = &all};
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint64_t id = 0;
	char *why = NULL;

	registered(rig, "one", NULL);
	assert_int_equal(swn_orders_begin(rig->orders, tmp, &move, &id, &why), ENODEV);
	move.order.node = NULL;
	move.order.ip = fix_ip("10.0.0.99");
	assert_int_equal(swn_orders_begin(rig->orders, tmp, &move, &id, &why), ENXIO);
	fix_place(rig->fix, "n1", NULL);
	move.order.ip = fix_ip("10.0.0.8"); /* the cluster's, and nowhere */
	assert_int_equal(swn_orders_begin(rig->orders, tmp, &move, &id, &why), ENXIO);
	move.order.ip = fix_ip("fd00::9");
	move.select = &(struct swn_select){.client_computer_name = "nobody"};
	assert_int_equal(swn_orders_begin(rig->orders, tmp, &move, &id, &why), ESRCH);
	assert_int_equal(id, 0);
	talloc_free(tmp);
}

static void more_than_a_portion_at_a_rate(void **state)
{
	struct rig *rig = *state;
	struct swn_orders_request change = {.order = {.type = SWN_ORDER_CHANGE, .online = false},
					    .select = &all};
	uint64_t before_us;

	for (unsigned int i = 0; i < 50; i++) {
		rig->fix->assoc = fix_assoc(1 + i / 20);
		registered(rig, "many", NULL);
	}
	before_us = rig->fix->now_us;
	change.rate = 10;
	assert_int_equal(run(rig, &change, "queued"), 50);
	assert_in_range(rig->fix->now_us - before_us, 4800000, 5400000);
	assert_int_equal(run(rig, &change, "already known"), 50);
	change.rate = 0;
	change.order.type = SWN_ORDER_END;
	assert_int_equal(run(rig, &change, "told"), 50);
	assert_int_equal(swn_registry_count(rig->fix->service->registry), 0);
}

/* What has been told is told; the others are let alone. */
static void a_job_is_cancelled(void **state)
{
	struct rig *rig = *state;
	struct swn_orders_request change = {
		.order = {.type = SWN_ORDER_CHANGE, .online = false}, .select = &all, .rate = 10};
	TALLOC_CTX *tmp = talloc_new(NULL);
	json_t *result = NULL, *results;
	json_int_t told;
	uint64_t id = 0;
	char *why = NULL;

	for (unsigned int i = 0; i < 20; i++) {
		registered(rig, "many", NULL);
	}
	assert_int_equal(swn_orders_begin(rig->orders, tmp, &change, &id, &why), 0);
	fix_pass_ms(rig->fix, 500);
	assert_int_equal(swn_orders_cancel(rig->orders, id), 0);
	fix_pass_ms(rig->fix, 20);
	assert_int_equal(swn_orders_status(rig->orders, tmp, id, &result, &why), 0);
	assert_true(json_is_true(json_object_get(result, "done")));
	results = json_object_get(result, "results");
	told = json_integer_value(json_object_get(results, "queued"));
	assert_in_range(told, 4, 8);
	assert_int_equal(json_integer_value(json_object_get(results, "cancelled")), 20 - told);
	json_decref(result);
	fix_pass_ms(rig->fix, 5000);
	change.rate = 0;
	assert_int_equal(run(rig, &change, "queued"), 20 - told);
	assert_int_equal(swn_orders_cancel(rig->orders, id), 0); /* it has ended: nothing changes */
	assert_int_equal(swn_orders_cancel(rig->orders, id + 100), ENOENT);
	talloc_free(tmp);
}

/* Begin, go on until there is something to be said, and cancel. @return what was said */
static int try_to_plan(struct rig *rig)
{
	struct swn_orders_request move = {.order = {.type = SWN_ORDER_CLIENT_MOVE, .node = "n2"},
					  .select = &all,
					  .dry_run = true};
	TALLOC_CTX *tmp = talloc_new(NULL);
	json_t *result = NULL;
	bool done = false;
	uint64_t id = 0;
	char *why = NULL;
	int err = swn_orders_begin(rig->orders, tmp, &move, &id, &why);

	while (err == 0 && !done) {
		fix_pass_ms(rig->fix, 1);
		err = swn_orders_status(rig->orders, tmp, id, &result, &why);
		done = json_is_true(json_object_get(result, "done"));
		json_decref(result);
		result = NULL;
	}
	if (id != 0) {
		assert_int_equal(swn_orders_cancel(rig->orders, id), 0);
	}
	talloc_free(tmp);
	return err;
}

/* Whichever list could not grow, before the plan's first pause or after: it says so, and can be cancelled. */
static void a_plan_that_came_to_nothing_is_cancelled(void **state)
{
	static const char *const types[] = {"struct swn_job_item", "struct spread_item"};
	struct rig *rig = *state;

	for (int i = 0; i < MANY; i++) {
		char name[40];

		snprintf(name, sizeof(name), "client-%d", i);
		registered(rig, name, "data");
	}
	for (size_t i = 0; i < 2; i++) {
		unsigned long nth = 0;
		int err;

		do {
			short_memory_begin_of(types[i], ++nth);
			err = try_to_plan(rig);
			assert_int_equal(err, short_memory_end() ? ENOMEM : 0);
		} while (err != 0);
		assert_true(nth > 3);
	}
}

static void a_node_is_drained_and_evened(void **state)
{
	struct rig *rig = *state;
	struct swn_orders_request plan = {.plan = SWN_ORDERS_DRAIN,
					  .order = {.type = SWN_ORDER_CLIENT_MOVE},
					  .select = &all,
					  .leaving = "n1",
					  .dry_run = true};

	for (unsigned int i = 0; i < 15; i++) {
		registered(rig, "many", NULL);
	}
	assert_int_equal(run(rig, &plan, "queued"), 15);
	plan.plan = SWN_ORDERS_EVEN;
	plan.leaving = NULL;
	assert_int_equal(run(rig, &plan, "queued"), 10);
	fix_place(rig->fix, "n1", NULL);
	assert_int_equal(run(rig, &plan, "queued"), 7); /* n1 and n3 are left */
}

static void register_at(struct rig *rig, const char *client, const char *ip)
{
	struct swn_register args = fix_args();

	args.client_computer_name = client;
	args.ip_address = ip;
	fix_register_ok(rig->fix, true, &args);
}

/* Six on n1, six on n2, none on n3. */
static void a_selection_is_evened_with_regard_to_the_others(void **state)
{
	struct rig *rig = *state;
	struct swn_select some = {.client_computer_name = "some"};
	struct swn_orders_request plan = {.plan = SWN_ORDERS_EVEN,
					  .order = {.type = SWN_ORDER_CLIENT_MOVE},
					  .select = &some,
					  .dry_run = true};
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *why = NULL, *text = talloc_strdup(tmp, "");
	size_t pos = 0;
	uint64_t id;

	for (unsigned int i = 0; i < 6; i++) {
		register_at(rig, "some", "10.0.0.7");
		register_at(rig, "others", "10.0.0.8");
	}
	assert_int_equal(run(rig, &plan, "queued"), 3); /* all to n3, as n2 has enough */
	assert_int_equal(swn_orders_begin(rig->orders, tmp, &plan, &id, &why), 0);
	assert_false(swn_orders_clients(rig->orders, id, &pos, &text));
	assert_non_null(strstr(text, "\"to\":\"n3\""));
	assert_null(strstr(text, "\"to\":\"n2\""));
	assert_null(strstr(text, "others"));
	some.client_computer_name = "nobody";
	assert_int_equal(swn_orders_begin(rig->orders, tmp, &plan, &id, &why), ESRCH);
	assert_string_equal(why, "no registration matches");
	plan.select = &all;
	assert_int_equal(run(rig, &plan, "queued"), 4);
	talloc_free(tmp);
}

/* The mark that nodes shows has the name as the cluster writes it. */
static bool is_drained(struct rig *rig)
{
	json_t *nodes = swn_orders_nodes_json(rig->orders);
	const json_t *n1 = json_array_get(nodes, 0);
	bool drained = json_is_true(json_object_get(n1, "drained"));

	assert_string_equal(json_string_value(json_object_get(n1, "name")), "n1");
	json_decref(nodes);
	return drained;
}

static void a_node_may_be_typed_in_any_case(void **state)
{
	struct rig *rig = *state;
	struct swn_orders_request plan = {.plan = SWN_ORDERS_DRAIN,
					  .order = {.type = SWN_ORDER_CLIENT_MOVE},
					  .select = &all,
					  .leaving = "N1"};
	TALLOC_CTX *tmp = talloc_new(NULL);
	const char *marked = NULL;
	char *why = NULL;

	registered(rig, "one", NULL);
	assert_int_equal(run(rig, &plan, "queued"), 1);
	assert_true(is_drained(rig));
	assert_int_equal(swn_orders_mark(rig->orders, tmp, "N1", false, &marked, &why), 0);
	assert_string_equal(marked, "n1");
	assert_false(is_drained(rig));
	assert_int_equal(swn_orders_mark(rig->orders, tmp, "n", true, &marked, &why), ENODEV);
	assert_string_equal(why, "the cluster has no node n");
	talloc_free(tmp);
}

static void a_reply_by_hand(void **state)
{
	struct rig *rig = *state;
	struct swn_handle handle = registered(rig, "one", NULL);
	struct swn_orders_request force = {.order = {.type = SWN_ORDER_REPLY}, .select = &all};
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct swn_fix_call *call;
	struct swn_notify *notify;
	uint8_t *stub = NULL;
	char *why = NULL;
	uint32_t werror;

	assert_int_equal(
		swn_order_reply(tmp,
				"{\"result\": 7, \"response\": {\"type\": 1, \"messages\": "
				"[{\"state\": 3, \"name\": \"x\"}]}}",
				&stub, &force.order.reply_len, &why),
		0);
	force.order.reply = stub;
	assert_int_equal(run(rig, &force, "no call waits"), 1);
	call = fix_async(rig->fix, &handle);
	assert_int_equal(run(rig, &force, "told"), 1);
	notify = fix_notify(call, &werror);
	assert_int_equal(werror, 7);
	assert_int_equal(notify->changes[0].state, 3);
	assert_string_equal(notify->changes[0].name, "x");
	/* The registration is as it was. */
	call = fix_async(rig->fix, &handle);
	assert_false(call->done);
	fix_place(rig->fix, NULL, "n2");
	fix_pump(rig->fix);
	fix_assert_changes(call, "10.0.0.7", "U");
	talloc_free(tmp);
}

static const struct {
	const char *text;
	uint32_t flags;
	const char *v4, *v6; /* bytes of the one record that there is */
} replies[] = {
	/* As "net witness force-response" has them. */
	{"{\"response\": {\"type\": 2, \"messages\": [[{\"flags\": 9, \"ipv4\": \"10.0.10.1\"}]]}}",
	 9, "\x0a\x00\x0a\x01", NULL},
	{"{\"response\": {\"type\": 3, \"messages\": [[{\"flags\": 27, \"ipv4\": \"10.0.10.1\", "
	 "\"ipv6\": \"::5\"}]]}}",
	 27, "\x0a\x00\x0a\x01", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5"},
	{"{\"response\": {\"type\": 4, \"messages\": [{\"ipv6\": \"::5\"}]}}",
	 SWN_IPADDR_V6 | SWN_IPADDR_ONLINE, NULL, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5"},
	{"{\"response\": {\"type\": 4, \"messages\": [{\"ip\": \"10.0.10.1\", \"ipv6\": "
	 "\"::5\"}]}}",
	 SWN_IPADDR_V4 | SWN_IPADDR_V6 | SWN_IPADDR_ONLINE, "\x0a\x00\x0a\x01",
	 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5"},
};

/* Of the list: header 20, array size 4, Length, Reserved, number. */
#define RECORD_AT 36

static void a_record_holds_both_addresses(void **state)
{
	static const uint8_t none[16];
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const uint8_t *record;
		uint8_t *stub = NULL;
		char *why = NULL;
		size_t len = 0;

		assert_int_equal(swn_order_reply(tmp, replies[i].text, &stub, &len, &why), 0);
		assert_int_equal(len, RECORD_AT + 24 + 4);
		record = stub + RECORD_AT;
		assert_int_equal(record[0], replies[i].flags);
		assert_memory_equal(record + 4,
				    replies[i].v4 != NULL ? replies[i].v4 : (const char *)none, 4);
		assert_memory_equal(record + 8,
				    replies[i].v6 != NULL ? replies[i].v6 : (const char *)none, 16);
	}
	talloc_free(tmp);
}

/* Nothing that was written is lost without a word. */
static void replies_that_say_a_thing_twice_are_refused(void **state)
{
	static const char *const odd[] = {
		"{\"response\": {\"type\": 2, \"messages\": [{\"ip\": \"10.0.0.1\", \"ipv4\": "
		"\"10.0.0.2\"}]}}",
		"{\"response\": {\"type\": 2, \"messages\": [{\"ipv4\": \"::5\"}]}}",
		"{\"response\": {\"type\": 2, \"messages\": [{\"ipv6\": \"10.0.0.1\"}]}}",
		"{\"response\": {\"type\": 2, \"messages\": [{\"ipv4\": \"10.0.0.1\", \"ipv6\": "
		"5}]}}",
		"{\"response\": {\"type\": 2, \"messages\": [{\"flags\": 9}]}}",
		"{\"response\": {\"type\": 1, \"messages\": [{\"name\": \"x\", \"state\": 1, "
		"\"type\": 255}]}}",
		"{\"response\": {\"type\": 1, \"messages\": {}}}",
	};
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		uint8_t *stub = NULL;
		char *why = NULL;
		size_t len = 0;

		assert_int_equal(swn_order_reply(tmp, odd[i], &stub, &len, &why), EBADMSG);
		assert_non_null(why);
		assert_null(stub);
	}
	talloc_free(tmp);
}

static void orders_survive_the_wire(void **state)
{
	struct swn_handle handles[2] = {{.attributes = 1}, {.attributes = 2}}, *got;
	struct swn_order order = {.type = SWN_ORDER_CLIENT_MOVE, .node = "n2"}, again;
	uint8_t buf[PEERS_COMMAND_MAX];
	TALLOC_CTX *tmp = talloc_new(NULL);
	size_t len, num;

	order.ip = fix_ip("fd00::9");
	assert_int_equal(swn_order_push(&order, handles, 2, buf, &len), 0);
	assert_int_equal(swn_order_pull(tmp, buf, len, &again, &got, &num), 0);
	assert_int_equal(num, 2);
	assert_memory_equal(got, handles, sizeof(handles));
	assert_string_equal(again.node, "n2");
	assert_true(ipaddr_equal(&again.ip, &order.ip));
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(swn_order_pull(tmp, buf, cut, &again, &got, &num), EBADMSG);
	}
	buf[1] = SWN_NUM_ORDERS;
	assert_int_equal(swn_order_pull(tmp, buf, len, &again, &got, &num), EBADMSG);
	order.reply_len = SWN_ORDER_REPLY_MAX + 1;
	assert_int_equal(swn_order_push(&order, handles, 2, buf, &len), EMSGSIZE);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(patterns_select, begin, end),
		cmocka_unit_test(odd_selections_are_refused),
		cmocka_unit_test_setup_teardown(a_move_is_told_once_and_only_where_it_makes_sense,
						begin, end),
		cmocka_unit_test_setup_teardown(unknown_destinations_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(more_than_a_portion_at_a_rate, begin, end),
		cmocka_unit_test_setup_teardown(a_job_is_cancelled, begin, end),
		cmocka_unit_test_setup_teardown(a_plan_that_came_to_nothing_is_cancelled, begin,
						end),
		cmocka_unit_test_setup_teardown(a_node_is_drained_and_evened, begin, end),
		cmocka_unit_test_setup_teardown(a_selection_is_evened_with_regard_to_the_others,
						begin, end),
		cmocka_unit_test_setup_teardown(a_node_may_be_typed_in_any_case, begin, end),
		cmocka_unit_test(a_record_holds_both_addresses),
		cmocka_unit_test(replies_that_say_a_thing_twice_are_refused),
		cmocka_unit_test_setup_teardown(a_reply_by_hand, begin, end),
		cmocka_unit_test(orders_survive_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
