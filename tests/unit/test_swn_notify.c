/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AsyncNotify: what is told, to whom, in which order; calls that are cancelled. */
#include "tests/unit/swn_fixture.h"

/* --- AsyncNotify --- */

static void an_unknown_handle_is_not_found(void **state)
{
	struct swn_handle none = {0}, unknown = {0};

	assert_int_equal(guid_random(&unknown.uuid), 0);
	fix_assert_ended(fix_async(*state, &none), SWN_ERROR_NOT_FOUND);
	fix_assert_ended(fix_async(*state, &unknown), SWN_ERROR_NOT_FOUND);
}

static void a_lost_address_and_its_return_are_told(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle v1 = fix_registered_v1(fix), v2 = fix_registered(fix);
	struct swn_fix_call *c1 = fix_async(fix, &v1), *c2 = fix_async(fix, &v2);

	fix_place(fix, "n1", NULL); /* another's address */
	fix_pump(fix);
	assert_false(c1->done);
	assert_false(c2->done);
	fix_place(fix, NULL, NULL);
	fix_pump(fix);
	fix_assert_changes(c1, "10.0.0.7", "U");
	fix_assert_changes(c2, "10.0.0.7", "U");
	c1 = fix_async(fix, &v1);
	assert_false(c1->done);
	fix_place(fix, "n2", NULL);
	fix_pump(fix);
	fix_assert_changes(c1, "10.0.0.7", "A");
	fix_assert_changes(fix_async(fix, &v2), "10.0.0.7", "A");
}

static void a_missed_pair_and_a_move_are_two_records(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c;

	fix_place(fix, NULL, "n2");
	fix_place(fix, "n1", "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "UA");
	c = fix_async(fix, &handle);
	assert_false(c->done);
	fix_place(fix, "n3", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "UA");
}

static void a_long_absence_keeps_the_first_loss_and_the_truth(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered_v1(fix);

	for (int i = 0; i < 50; i++) {
		fix_place(fix, NULL, "n2");
		fix_place(fix, "n1", "n2");
	}
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "UAU");
}

static void an_address_that_leaves_the_configuration_is_lost(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix_place(fix, "", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
	fix_place(fix, "n2", "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "A");
}

static void whoever_registers_for_a_dead_address_is_told_at_once(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;

	fix_place(fix, NULL, "n2");
	handle = fix_registered(fix);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	fix_place(fix, "n2", "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "A");
}

static void a_lost_manager_tells_nobody_anything(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	const struct backend_sink *sink = cluster_sink(fix->cluster);
	struct swn_fix_call *c = fix_async(fix, &handle);

	sink->lost(sink->private_data, "test");
	fix_pump(fix);
	fix_place(fix, "n1", "n2");
	fix_pump(fix);
	assert_false(c->done);
	sink->lost(sink->private_data, "test");
	fix_place(fix, NULL, "n2"); /* what happened meanwhile comes with the first fresh view */
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
}

static void ip_changes_go_to_those_who_asked(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct ipaddr ip7 = fix_ip("10.0.0.7"), ip8 = fix_ip("10.0.0.8");
	struct swn_handle asked, not_asked = fix_registered(fix), v1 = fix_registered_v1(fix);
	struct swn_fix_call *silent = fix_async(fix, &not_asked), *old = fix_async(fix, &v1), *c;
	struct swn_notify *n;
	uint32_t werror;

	args.flags = SWN_REGISTER_IP_NOTIFICATION;
	asked = fix_register_ok(fix, true, &args);
	c = fix_async(fix, &asked);
	fix_place(fix, "n1", NULL);
	fix_pump(fix);
	n = fix_notify(c, &werror);
	assert_int_equal(n->type, SWN_IP_CHANGE);
	assert_int_equal(n->num_addrs, 1);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip8));
	assert_int_equal(n->addrs[0].flags, SWN_IPADDR_V4 | SWN_IPADDR_OFFLINE);
	assert_false(silent->done);
	assert_false(old->done);

	/* Several kinds at once: one a reply, changes first, and addresses merged to the newest truth. */
	fix_place(fix, NULL, "n2");
	fix_place(fix, "n1", NULL);
	fix_assert_changes(fix_async(fix, &asked), "10.0.0.7", "UA");
	n = fix_notify(fix_async(fix, &asked), &werror);
	assert_int_equal(n->type, SWN_IP_CHANGE);
	assert_int_equal(n->num_addrs, 2);
	for (size_t i = 0; i < 2; i++) {
		bool is7 = ipaddr_equal(&n->addrs[i].ip, &ip7);

		assert_int_equal(n->addrs[i].flags,
				 SWN_IPADDR_V4 | (is7 ? SWN_IPADDR_ONLINE : SWN_IPADDR_OFFLINE));
	}
	assert_false(fix_async(fix, &asked)->done);
}

static void a_planned_move_names_where_to_go(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered_v1(fix);
	struct ipaddr ip8 = fix_ip("10.0.0.8"), ip9 = fix_ip("fd00::9");
	struct swn_fix_call *c = fix_async(fix, &handle);
	struct swn_notify *n;
	uint32_t werror;

	fix_intend(fix, "n2"); /* planned_moves is off: nobody is told */
	fix_pump(fix);
	assert_false(c->done);
	fix->service->config.planned_moves = true;
	fix_intend(fix, "n2");
	fix_pump(fix);
	n = fix_notify(c, &werror);
	assert_int_equal(n->type, SWN_CLIENT_MOVE);
	assert_int_equal(n->num_addrs, 1);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip8));
	assert_int_equal(n->addrs[0].flags, SWN_IPADDR_V4 | SWN_IPADDR_ONLINE);

	/* The latest destination wins; one that has died since is not told. */
	fix_intend(fix, "n2");
	fix_intend(fix, NULL);
	fix_intend(fix, "n3");
	n = fix_notify(fix_async(fix, &handle), &werror);
	assert_int_equal(n->num_addrs, 1);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip9));
	fix_intend(fix, "n2");
	fix_place(fix, "n1", NULL);
	assert_false(fix_async(fix, &handle)->done);
}

/* The move was not the last word: the address may go before its client has gone. */
static void a_planned_move_is_followed_by_what_happens(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c;
	uint32_t werror;

	fix->service->config.planned_moves = true;
	fix_intend(fix, NULL);
	assert_int_equal(fix_notify(fix_async(fix, &handle), &werror)->type, SWN_CLIENT_MOVE);
	fix_intend(fix, NULL); /* the same once more: the stop, or the gate */
	c = fix_async(fix, &handle);
	assert_false(c->done);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
	fix_place(fix, "n2", "n1");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "A");
	fix_intend_from(fix, "n2", NULL); /* it moves on */
	assert_int_equal(fix_notify(fix_async(fix, &handle), &werror)->type, SWN_CLIENT_MOVE);
}

/* Where it was to go has died before it was told: the next one is told anew. */
static void a_move_that_came_to_nothing_is_forgotten(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct ipaddr ip9 = fix_ip("fd00::9");
	struct swn_fix_call *c;
	struct swn_notify *n;
	uint32_t werror;

	fix->service->config.planned_moves = true;
	fix_intend(fix, "n2");
	fix_place(fix, "n1", NULL);
	c = fix_async(fix, &handle);
	assert_false(c->done);
	fix_intend(fix, NULL);
	fix_pump(fix);
	n = fix_notify(c, &werror);
	assert_int_equal(n->type, SWN_CLIENT_MOVE);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip9));
}

static void a_node_that_is_to_be_left_is_a_planned_move(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);
	struct cluster_state *next = cluster_state_copy(NULL, cluster_current(fix->cluster));
	uint32_t werror;

	fix->service->config.planned_moves = true;
	next->nodes[0].draining = true;
	fix_snapshot(fix, next);
	fix_pump(fix);
	assert_int_equal(fix_notify(c, &werror)->type, SWN_CLIENT_MOVE);
	next = cluster_state_copy(NULL, cluster_current(fix->cluster));
	fix_snapshot(fix, next);
	assert_false(fix_async(fix, &handle)->done);
}

/* --- several calls, cancelled calls --- */

static void two_calls_on_one_handle_are_served_in_order(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c[SWN_MAX_WAITERS];

	for (int i = 0; i < SWN_MAX_WAITERS; i++) {
		c[i] = fix_async(fix, &handle);
		assert_false(c[i]->done);
	}
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);
	assert_int_equal(swn_service_refused(fix->service, SWN_LIMIT_NOTIFY_CALLS), 1);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(c[0], "10.0.0.7", "U");
	assert_false(c[1]->done);
	fix_place(fix, "n1", "n2");
	fix_pump(fix);
	fix_assert_changes(c[1], "10.0.0.7", "A");
	assert_false(c[2]->done);
}

static void a_cancelled_call_leaves_everything_as_it_was(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle), *next;

	TALLOC_FREE(c->req);
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");

	/* Also when it was about to be answered: the next call gets what it would have got. */
	c = fix_async(fix, &handle);
	next = fix_async(fix, &handle);
	fix_place(fix, "n2", "n2");
	TALLOC_FREE(c->req);
	fix_pump(fix);
	fix_assert_changes(next, "10.0.0.7", "A");
}

int main(void)
{
#define STARTED(fn) cmocka_unit_test_setup_teardown(fn, fix_setup_started, fix_teardown)
	const struct CMUnitTest tests[] = {
		STARTED(an_unknown_handle_is_not_found),
		STARTED(a_lost_address_and_its_return_are_told),
		STARTED(a_missed_pair_and_a_move_are_two_records),
		STARTED(a_long_absence_keeps_the_first_loss_and_the_truth),
		STARTED(an_address_that_leaves_the_configuration_is_lost),
		STARTED(whoever_registers_for_a_dead_address_is_told_at_once),
		STARTED(a_lost_manager_tells_nobody_anything),
		STARTED(ip_changes_go_to_those_who_asked),
		STARTED(a_planned_move_names_where_to_go),
		STARTED(a_planned_move_is_followed_by_what_happens),
		STARTED(a_move_that_came_to_nothing_is_forgotten),
		STARTED(a_node_that_is_to_be_left_is_a_planned_move),
		STARTED(two_calls_on_one_handle_are_served_in_order),
		STARTED(a_cancelled_call_leaves_everything_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
