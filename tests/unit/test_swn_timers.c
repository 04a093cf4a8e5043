/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ends by itself: calls, registrations, connections and the service. */
#include "tests/unit/swn_fixture.h"

/* --- timers --- */

static void keep_alive_zero_times_out_at_once(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;

	args.keep_alive_timeout = 0;
	handle = fix_register_ok(fix, true, &args);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_TIMEOUT);
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_TIMEOUT);
	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
}

static void keep_alive_counts_from_each_call(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *c;

	args.keep_alive_timeout = 10;
	handle = fix_register_ok(fix, true, &args);
	for (int i = 0; i < 3; i++) {
		fix_pass_ms(fix, 7000);
		c = fix_async(fix, &handle);
		fix_pass_ms(fix, 9999);
		assert_false(c->done);
		fix_pass_ms(fix, 20);
		fix_assert_ended(c, SWN_ERROR_TIMEOUT);
	}
	assert_int_equal(fix->service->timeouts, 3);
}

static void the_longest_keep_alive_waits(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *c;

	args.keep_alive_timeout = 0xFFFFFFFF;
	handle = fix_register_ok(fix, true, &args);
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, UINT64_C(1000) * 0xFFFFFFFE);
	assert_false(c->done);
	fix_pass_ms(fix, 1020);
	fix_assert_ended(c, SWN_ERROR_TIMEOUT);
}

static void version_1_never_times_out(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered_v1(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix_pass_ms(fix, 30 * UINT64_C(86400000));
	assert_false(c->done);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
}

static void an_unused_registration_is_deleted(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix), v1 = fix_registered_v1(fix);
	struct swn_fix_call *c;

	fix_pass_ms(fix, 29990);
	/* An open call keeps it, and a call that ended, also by a cancel, starts the time anew. */
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 60000);
	assert_int_equal(fix_unregister(fix, &v1), SWN_ERROR_INVALID_PARAMETER);
	TALLOC_FREE(c->req);
	fix_pass_ms(fix, 29990);
	c = fix_async(fix, &handle);
	assert_false(c->done);
	TALLOC_FREE(c->req);
	fix_pass_ms(fix, 30020);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix->service->ended[SWN_END_UNUSED], 2);
}

static void a_client_told_of_a_loss_has_to_register_again(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c;

	fix_place(fix, NULL, "n2");
	fix_pass_ms(fix, 10000); /* it counts from the delivery, not from the event */
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 3000);
	fix_place(fix, "n2", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "A"); /* does not arm it anew, nor stop it */
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 1990);
	assert_false(c->done);
	fix_pass_ms(fix, 30);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix_unregister(fix, &handle), SWN_ERROR_INVALID_PARAMETER);
}

static void a_later_loss_restarts_the_five_seconds(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix_place(fix, "n2", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "UA");
	fix_pass_ms(fix, 4000);
	c = fix_async(fix, &handle);
	fix_place(fix, "n1", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "UA");
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 4990);
	assert_false(c->done);
	fix_pass_ms(fix, 30);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
}

static void available_and_ip_change_do_not_make_it_register_again(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *c;

	args.flags = SWN_REGISTER_IP_NOTIFICATION;
	handle = fix_register_ok(fix, true, &args);
	c = fix_async(fix, &handle);
	fix_place(fix, "n1", NULL);
	fix_pump(fix);
	assert_true(c->done);
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 60000);
	assert_false(c->done);
}

static void a_planned_move_makes_it_register_again(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix->service->config.planned_moves = true;
	fix_intend(fix, NULL);
	fix_pump(fix);
	assert_true(c->done);
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 5020);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix->service->ended[SWN_END_REREGISTER], 1);
}

static void re_registration_can_be_turned_off(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;
	struct swn_fix_call *c;

	fix->config.reregister_delay_s = 0;
	fix_start(fix);
	fix_place(fix, NULL, "n2");
	handle = fix_registered(fix);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 100000);
	assert_false(c->done);
}

/* --- the end of connections and of the service --- */

static void the_last_connection_takes_its_registrations_with_it(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle mine = fix_registered(fix), other;

	fix_registered_v1(fix);
	fix->assoc = fix_assoc(2);
	other = fix_registered(fix);
	swn_iface.assoc_gone(fix->service, fix_assoc(1));
	swn_iface.assoc_gone(fix->service, fix_assoc(1));
	swn_iface.assoc_gone(fix->service, fix_assoc(7)); /* never registered */
	assert_int_equal(swn_registry_count(fix->service->registry), 1);
	assert_int_equal(fix_assoc(1)->holds, 0);
	assert_int_equal(fix_assoc(2)->holds, 1); /* an idle connection stays for it */
	fix->assoc = fix_assoc(1);
	fix_assert_ended(fix_async(fix, &mine), SWN_ERROR_NOT_FOUND);
	fix->assoc = fix_assoc(2);
	assert_int_equal(fix_unregister(fix, &other), SWN_SUCCESS);
}

static void the_service_may_end_while_calls_wait(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;
	struct swn_fix_call *notify, *list;

	fix_start(fix);
	fix_snapshot(fix, fix_state(NULL));
	fix_place(fix, "n1", "n2");
	handle = fix_registered(fix);
	notify = fix_async(fix, &handle);
	{
		struct cluster_state *dead = fix_state(NULL);

		fix_down(dead, "10.0.0.8");
		fix_up(dead, "10.0.0.7", "n1");
		fix_snapshot(fix, dead);
		dead = fix_state(NULL);
		fix_addr(dead, "10.0.0.7", "n1", CLUSTER_ADDR_UNKNOWN);
		fix_down(dead, "10.0.0.8");
		dead->addrs[0].kind = CLUSTER_ADDR_FIXED; /* not offered any more */
		fix_snapshot(fix, dead);
	}
	list = fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0);
	assert_false(list->done);
	assert_false(notify->done);
	TALLOC_FREE(fix->service);
	fix_pump(fix);
	fix_assert_ended(notify, SWN_ERROR_NOT_FOUND);
	assert_true(list->done);
	assert_int_equal(list->err, ESHUTDOWN);
}

int main(void)
{
#define TEST(fn)    cmocka_unit_test_setup_teardown(fn, fix_setup, fix_teardown)
#define STARTED(fn) cmocka_unit_test_setup_teardown(fn, fix_setup_started, fix_teardown)
	const struct CMUnitTest tests[] = {
		STARTED(keep_alive_zero_times_out_at_once),
		STARTED(keep_alive_counts_from_each_call),
		STARTED(the_longest_keep_alive_waits),
		STARTED(version_1_never_times_out),
		STARTED(an_unused_registration_is_deleted),
		STARTED(a_client_told_of_a_loss_has_to_register_again),
		STARTED(a_later_loss_restarts_the_five_seconds),
		STARTED(available_and_ip_change_do_not_make_it_register_again),
		STARTED(a_planned_move_makes_it_register_again),
		TEST(re_registration_can_be_turned_off),
		STARTED(the_last_connection_takes_its_registrations_with_it),
		TEST(the_service_may_end_while_calls_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
