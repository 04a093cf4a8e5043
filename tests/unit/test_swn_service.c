/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GetInterfaceList, stubs that are cut short, and what the service shows of itself. */
#include "tests/unit/short_memory.h"
#include "tests/unit/swn_fixture.h"
#include "witnessd/cluster/cluster_private.h"
#include "witnessd/cluster/peers_private.h"
#include "witnessd/swn/select.h"

/* --- GetInterfaceList --- */

static struct swn_interface_list *get_list(struct swn_fix_call *c, uint32_t *werror)
{
	struct swn_interface_list *list = NULL;

	assert_true(c->done);
	assert_int_equal(c->err, 0);
	assert_int_equal(
		swn_pull_interface_list_reply(c, c->reply.stub, c->reply.stub_len, &list, werror),
		0);
	return list;
}

static void an_empty_list_is_no_more_items(void **state)
{
	uint32_t werror;

	fix_start(*state);
	assert_null(get_list(fix_call(*state, SWN_GET_INTERFACE_LIST, NULL, 0), &werror));
	assert_int_equal(werror, SWN_ERROR_NO_MORE_ITEMS);
	fix_snapshot(*state, fix_state(NULL));
	assert_null(get_list(fix_call(*state, SWN_GET_INTERFACE_LIST, NULL, 0), &werror));
	assert_int_equal(werror, SWN_ERROR_NO_MORE_ITEMS);
}

static void the_list_names_nodes_and_witnesses(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_interface_list *list;
	struct ipaddr ip7 = fix_ip("10.0.0.7"), ip9 = fix_ip("fd00::9");
	uint32_t werror;

	fix_place(fix, "n1", NULL); /* n2 had 10.0.0.8 last */
	list = get_list(fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0), &werror);
	assert_int_equal(werror, SWN_SUCCESS);
	assert_int_equal(list->num, 3);
	assert_string_equal(list->entries[0].group_name, "n1");
	assert_true(ipaddr_equal(&list->entries[0].ipv4, &ip7));
	assert_int_equal(list->entries[0].state, SWN_INTERFACE_AVAILABLE);
	assert_int_equal(list->entries[0].version, SWN_VERSION_2);
	assert_false(list->entries[0].witness);
	assert_string_equal(list->entries[1].group_name, "n2");
	assert_int_equal(list->entries[1].state, SWN_INTERFACE_UNAVAILABLE);
	assert_true(list->entries[1].witness);
	assert_string_equal(list->entries[2].group_name, "n3");
	assert_int_equal(list->entries[2].ipv4.family, 0);
	assert_true(ipaddr_equal(&list->entries[2].ipv6, &ip9));
	assert_true(list->entries[2].witness);
}

static void fixed_addresses_are_listed_only_when_wanted(void **state)
{
	struct swn_fix *fix = *state;
	struct cluster_state *snapshot = fix_state(NULL);
	struct swn_interface_list *list;
	uint32_t werror;

	fix_start(fix);
	fix_up(snapshot, "10.0.0.7", "n1");
	fix_up(snapshot, "10.0.0.8", "n2");
	snapshot->addrs[1].kind = CLUSTER_ADDR_FIXED;
	fix_snapshot(fix, snapshot);
	list = get_list(fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0), &werror);
	assert_int_equal(list->num, 1);
	fix->service->config.fixed_addresses = true;
	list = get_list(fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0), &werror);
	assert_int_equal(list->num, 2);
}

static void dead_world(struct swn_fix *fix, bool one_back)
{
	struct cluster_state *dead = fix_state(NULL);

	fix_down(dead, "10.0.0.7");
	if (one_back) {
		fix_up(dead, "10.0.0.8", "n3");
	} else {
		fix_down(dead, "10.0.0.8");
	}
	fix_snapshot(fix, dead);
}

static void the_list_waits_until_an_interface_is_available(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_fix_call *c, *cancelled;
	struct swn_interface_list *list;
	uint32_t werror;

	fix_start(fix);
	dead_world(fix, false);
	c = fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0);
	cancelled = fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0);
	fix_pass_ms(fix, 3600000);
	dead_world(fix, false);
	fix_pump(fix);
	assert_false(c->done);
	TALLOC_FREE(cancelled->req);
	assert_int_equal(fix->service->num_list_waiters, 1);
	dead_world(fix, true);
	fix_pump(fix);
	list = get_list(c, &werror);
	assert_int_equal(werror, SWN_SUCCESS);
	assert_int_equal(list->num, 2);
	assert_string_equal(list->entries[0].group_name, "fs"); /* nobody ever had it: its group */
	assert_int_equal(fix->service->num_list_waiters, 0);
}

/* --- bad stubs, and what is shown --- */

static void every_short_stub_is_bad_stub_data(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();

	for (uint16_t opnum = SWN_REGISTER; opnum < SWN_NUM_OPS; opnum++) {
		struct swn_handle handle = {0};
		uint8_t *stub;
		size_t len;

		if (opnum == SWN_REGISTER) {
			assert_int_equal(swn_push_register(fix, &args, &stub, &len), 0);
		} else if (opnum == SWN_REGISTER_EX) {
			assert_int_equal(swn_push_register_ex(fix, &args, &stub, &len), 0);
		} else {
			assert_int_equal(swn_push_handle(fix, &handle, &stub, &len), 0);
		}
		for (size_t n = 0; n < len; n++) {
			struct swn_fix_call *c = fix_call(fix, opnum, stub, n);

			assert_true(c->done);
			assert_int_equal(c->err, EBADMSG);
		}
	}
	assert_int_equal(swn_registry_count(fix->service->registry), 0);
}

static void json_shows_registrations_interfaces_and_counters(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	json_t *list, *reg, *status, *interfaces;
	char guid[GUID_STRLEN];

	args.share_name = "data";
	args.flags = 1;
	args.client_computer_name = "c\n\xc3\xa4";
	handle = fix_register_ok(fix, true, &args);
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	list = fix_list(fix, &(struct swn_select){.all = true});
	assert_int_equal(json_array_size(list), 1);
	reg = json_array_get(list, 0);
#define TEXT(key)   json_string_value(json_object_get(reg, key))
#define NUMBER(key) json_integer_value(json_object_get(reg, key))
	assert_string_equal(TEXT("handle"), guid_format(&handle.uuid, guid));
	assert_string_equal(TEXT("client"), "c\n\xc3\xa4");
	assert_string_equal(TEXT("client_address"), "192.0.2.1");
	assert_string_equal(TEXT("net_name"), "fs");
	assert_string_equal(TEXT("share"), "data");
	assert_string_equal(TEXT("ip"), "10.0.0.7");
	assert_string_equal(TEXT("state"), "registered");
	assert_string_equal(TEXT("principal"), "alice@EXAMPLE");
	assert_int_equal(NUMBER("version"), 2);
	assert_int_equal(NUMBER("flags"), 1);
	assert_int_equal(NUMBER("keep_alive"), 120);
	assert_int_equal(NUMBER("notifications"), 1);
	assert_int_equal(NUMBER("queued"), 1); /* the IP_CHANGE */
	assert_int_equal(strlen(TEXT("registered_since")), strlen("2026-11-21T14:51:35Z"));
	json_decref(list);

	interfaces = swn_service_interfaces_json(fix->service);
	assert_int_equal(json_array_size(interfaces), 3);
	reg = json_array_get(interfaces, 0);
	assert_string_equal(TEXT("ip"), "10.0.0.7");
	assert_string_equal(TEXT("state"), "unavailable");
	assert_string_equal(TEXT("group"), "n1");
	json_decref(interfaces);

	status = swn_service_status_json(fix->service);
	reg = status;
	assert_int_equal(NUMBER("registrations"), 1);
	assert_int_equal(NUMBER("registered_total"), 1);
	reg = json_object_get(status, "notified");
	assert_int_equal(NUMBER("RESOURCE_CHANGE"), 1);
	reg = json_object_get(status, "latency");
	assert_int_equal(NUMBER("count"), 1);
	json_decref(status);
}

/* --- the object --- */

/* Those who will be called. */
static unsigned int listeners(const struct swn_fix *fix)
{
	const struct peers *peers = cluster_peers(fix->cluster);
	unsigned int num = 0;

	for (size_t i = 0; i < fix->cluster->num_listeners; i++) {
		num += fix->cluster->listeners[i].fn != NULL;
	}
	for (size_t i = 0; i < peers->num_listeners; i++) {
		num += peers->listeners[i].fn != NULL;
	}
	return num;
}

static void nobody_calls_a_service_that_did_not_begin(void **state)
{
	struct swn_fix *fix = *state;
	unsigned int before = listeners(fix);
	unsigned long nth = 0;
	int err;

	do {
		short_memory_begin(++nth);
		err = swn_service_create_clocked(fix, fix->ev, &fix->config, fix->cluster,
						 fix_clock, fix, &fix->service);
		(void)short_memory_end();
		assert_true(err == 0 || err == ENOMEM);
		assert_true(err == 0 || listeners(fix) == before);
	} while (err != 0);
	assert_true(nth > 5);
	fix_place(fix, "n1", "n2");
	assert_true(listeners(fix) > before);
	TALLOC_FREE(fix->service);
	assert_int_equal(listeners(fix), before);
	fix_place(fix, "n2", "n1");
}

static void latency_has_a_median(void **state)
{
	struct swn_latency latency = {0};
	json_t *reg;

	reg = swn_latency_json(&latency);
	assert_int_equal(NUMBER("median_us"), 0);
	json_decref(reg);
	swn_latency_add(&latency, 90);
	swn_latency_add(&latency, 400);
	swn_latency_add(&latency, 450);
	swn_latency_add(&latency, 5000000);
	reg = swn_latency_json(&latency);
	assert_int_equal(NUMBER("count"), 4);
	assert_int_equal(NUMBER("min_us"), 90);
	assert_int_equal(NUMBER("median_us"), 500);
	assert_int_equal(NUMBER("max_us"), 5000000);
	json_decref(reg);
}

int main(void)
{
#define TEST(fn)    cmocka_unit_test_setup_teardown(fn, fix_setup, fix_teardown)
#define STARTED(fn) cmocka_unit_test_setup_teardown(fn, fix_setup_started, fix_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_list_is_no_more_items),
		STARTED(the_list_names_nodes_and_witnesses),
		TEST(fixed_addresses_are_listed_only_when_wanted),
		TEST(the_list_waits_until_an_interface_is_available),
		STARTED(every_short_stub_is_bad_stub_data),
		STARTED(json_shows_registrations_interfaces_and_counters),
		TEST(nobody_calls_a_service_that_did_not_begin),
		TEST(latency_has_a_median),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
