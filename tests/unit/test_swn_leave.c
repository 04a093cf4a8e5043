/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate: clients are told before their address goes, by whichever witness they have. */
#include "tests/unit/swn_fixture.h"

#include "tests/unit/cluster_pair.h"
#include "witnessd/swn/leave.h"
#include "witnessd/util/mono.h"

/* The Makefile puts it in the place of mono_timer_add(). */
static unsigned int timers_that_fail;
struct mono_timer *__real_mono_timer_add(struct tevent_context *ev, TALLOC_CTX *mem_ctx,
					 uint64_t ms, tevent_timer_handler_t fn,
					 void *private_data);
struct mono_timer *__wrap_mono_timer_add(struct tevent_context *ev, TALLOC_CTX *mem_ctx,
					 uint64_t ms, tevent_timer_handler_t fn,
					 void *private_data);

struct mono_timer *__wrap_mono_timer_add(struct tevent_context *ev, TALLOC_CTX *mem_ctx,
					 uint64_t ms, tevent_timer_handler_t fn, void *private_data)
{
	if (timers_that_fail > 0) {
		timers_that_fail--;
		return NULL;
	}
	return __real_mono_timer_add(ev, mem_ctx, ms, fn, private_data);
}

struct fixture {
	struct pair pair;
	struct swn_fix *nodes[2];
	struct swn_leaves *leaves[2];
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	for (int i = 0; i < 2; i++) {
		f->nodes[i] = talloc_steal(f, fix_new());
		f->nodes[i]->config.planned_moves = false;
		if (i == 1) {
			/* One loop for both. */
			talloc_free(f->nodes[1]->cluster);
			f->nodes[1]->ev = f->nodes[0]->ev;
			assert_int_equal(
				cluster_create(f->nodes[1], f->nodes[1]->ev, &f->nodes[1]->cluster),
				0);
		}
		fix_start(f->nodes[i]);
		assert_int_equal(swn_leaves_create(f, f->nodes[i]->ev, f->nodes[i]->cluster,
						   f->nodes[i]->service, &f->leaves[i]),
				 0);
	}
	f->pair.ev = f->nodes[0]->ev;
	pair_link(&f->pair, f->nodes[0]->cluster, f->nodes[1]->cluster);
	pair_place(&f->pair, "n1");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		TALLOC_FREE(f->leaves[i]);
		TALLOC_FREE(f->nodes[i]->service);
		TALLOC_FREE(f->nodes[i]->cluster);
	}
	talloc_free(f);
	return 0;
}

struct wish {
	struct swn_leaves *leaves;
	struct ipaddr ip;
	struct swn_leave_result result;
};

static bool is_done(void *private_data)
{
	struct wish *wish = private_data;

	assert_int_equal(swn_leave_result(wish->leaves, &wish->ip, &wish->result), 0);
	return wish->result.done;
}

/* 10.0.0.7 leaves n1. */
static struct swn_leave_result leave(struct fixture *f, uint32_t wait_ms)
{
	struct wish wish = {.leaves = f->leaves[0], .ip = fix_ip("10.0.0.7")};
	char *why = NULL;

	assert_int_equal(swn_leave_begin(f->leaves[0], f, &wish.ip, wait_ms, &why), 0);
	pair_until(&f->pair, is_done, &wish);
	return wish.result;
}

static void assert_moved_to(struct swn_fix_call *call, const char *ip)
{
	struct ipaddr want = fix_ip(ip);
	uint32_t werror;
	struct swn_notify *notify = fix_notify(call, &werror);

	assert_int_equal(werror, SWN_SUCCESS);
	assert_int_equal(notify->type, SWN_CLIENT_MOVE);
	assert_int_equal(notify->num_addrs, 1);
	assert_memory_equal(&notify->addrs[0].ip, &want, sizeof(want));
}

static void a_client_of_the_own_witness_is_told(void **state)
{
	struct fixture *f = *state;
	struct swn_handle handle = fix_registered(f->nodes[0]);
	struct swn_fix_call *call = fix_async(f->nodes[0], &handle);
	struct swn_leave_result result;

	assert_false(call->done);
	result = leave(f, 3000);
	assert_moved_to(call, "10.0.0.8");
	assert_int_equal(result.told, 1);
	assert_int_equal(result.untold, 0);
	assert_int_equal(result.silent, 0);
}

static void a_client_of_another_nodes_witness_is_told(void **state)
{
	struct fixture *f = *state;
	struct swn_handle handle = fix_registered(f->nodes[1]);
	struct swn_fix_call *call = fix_async(f->nodes[1], &handle);
	struct swn_leave_result result = leave(f, 3000);

	assert_moved_to(call, "10.0.0.8");
	assert_int_equal(result.told, 1);
	assert_int_equal(result.silent, 0);
}

/* It is told as soon as it asks; nobody waits for that. */
static void a_client_that_does_not_wait_holds_nobody_up(void **state)
{
	struct fixture *f = *state;
	struct swn_handle handle = fix_registered(f->nodes[0]);
	struct swn_leave_result result = leave(f, 3000);

	assert_int_equal(result.told, 0);
	assert_int_equal(result.untold, 0);
	assert_moved_to(fix_async(f->nodes[0], &handle), "10.0.0.8");
}

/* 10.0.0.7 alone, on a node or nowhere (NULL). */
static void place_alone(struct swn_fix *fix, const char *node)
{
	struct cluster_state *state = fix_state(NULL);

	if (node != NULL) {
		fix_up(state, "10.0.0.7", node);
	} else {
		fix_down(state, "10.0.0.7");
	}
	fix_snapshot(fix, state);
}

/* No other address serves: what is left to say is that this one goes, once. */
static void a_client_without_an_alternative_is_told_that_it_goes(void **state)
{
	struct fixture *f = *state;
	struct swn_fix *node = f->nodes[0];
	struct swn_handle handle = fix_registered(node);
	struct swn_fix_call *call = fix_async(node, &handle);

	place_alone(node, "n1");
	leave(f, 3000);
	fix_assert_changes(call, "10.0.0.7", "U");
	call = fix_async(node, &handle);
	place_alone(node, NULL);
	fix_pump(node);
	assert_false(call->done);
	place_alone(node, "n2");
	fix_pump(node);
	fix_assert_changes(call, "10.0.0.7", "A");
}

static void the_destination_is_the_one_that_was_asked_for(void **state)
{
	struct fixture *f = *state;
	struct swn_fix *node = f->nodes[0];
	const struct backend_sink *sink = cluster_sink(node->cluster);
	const struct backend_intent intent = {.kind = BACKEND_INTENT_GROUP,
					      .what = "fs",
					      .from = "n1",
					      .to = "n3",
					      .why = "location constraint"};
	struct swn_handle handle = fix_registered(node);
	struct swn_fix_call *call = fix_async(node, &handle);

	fix_place(node, "n1", "n2"); /* and fd00::9 on n3 */
	sink->intent(sink->private_data, &intent);
	fix_pump(node);
	assert_false(call->done); /* witness.planned_moves is off */
	leave(f, 3000);
	assert_moved_to(call, "fd00::9");
}

static void only_the_nodes_own_addresses_leave(void **state)
{
	struct fixture *f = *state;
	struct ipaddr elsewhere = fix_ip("10.0.0.8"), unknown = fix_ip("10.0.0.99");
	struct swn_leave_result result;
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *why = NULL;

	assert_int_equal(swn_leave_begin(f->leaves[0], tmp, &elsewhere, 0, &why), EADDRNOTAVAIL);
	assert_string_equal(why, "this node does not have the address: n2 has it");
	assert_int_equal(swn_leave_begin(f->leaves[0], tmp, &unknown, 0, &why), ENXIO);
	assert_string_equal(why, "10.0.0.99 is not an address of the cluster");
	fix_place(f->nodes[0], "n1", NULL);
	assert_int_equal(swn_leave_begin(f->leaves[0], tmp, &elsewhere, 0, &why), ENXIO);
	assert_string_equal(why, "no node has the address 10.0.0.8 now");
	talloc_free(tmp);
	assert_int_equal(swn_leave_result(f->leaves[0], &unknown, &result), ENOENT);
}

/* A witness that hangs delays the address by the time that was given, and some. */
static void a_silent_witness_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct swn_leave_result result;

	f->pair.cut = true;
	result = leave(f, 50);
	assert_int_equal(result.silent, 1);
}

/* Neither can it be waited for, nor is it known whether its clients know. */
static void the_own_witness_is_silent_when_memory_is_short(void **state)
{
	struct fixture *f = *state;
	struct swn_handle handle = fix_registered(f->nodes[0]);
	struct swn_leave_result result;

	(void)fix_async(f->nodes[0], &handle);
	timers_that_fail = 1;
	result = leave(f, 3000);
	assert_int_equal(timers_that_fail, 0);
	assert_int_equal(result.told, 0);
	assert_int_equal(result.silent, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_client_of_the_own_witness_is_told),
		TEST(a_client_of_another_nodes_witness_is_told),
		TEST(a_client_that_does_not_wait_holds_nobody_up),
		TEST(a_client_without_an_alternative_is_told_that_it_goes),
		TEST(the_destination_is_the_one_that_was_asked_for),
		TEST(only_the_nodes_own_addresses_leave),
		TEST(a_silent_witness_is_not_waited_for),
		TEST(the_own_witness_is_silent_when_memory_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
