/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>

#include "tests/unit/cluster_fixture.h"
#include "tests/unit/short_memory.h"
#include "witnessd/cluster/cluster.h"
#include "witnessd/util/log.h"

#define VIP "10.0.0.1"

struct fixture {
	struct tevent_context *ev;
	struct cluster *cluster;
	char *heard; /* what the listener was told, one word an event */
	bool stale_when_told;
};

/* One letter an event, so that a whole story is a string. */
static void hear(void *private_data, const struct cluster_event *event,
		 const struct cluster_state *state)
{
	static const char letters[] = "LBMARudDSNqQIFX";
	struct fixture *f = private_data;

	short_memory_begin(0); /* it was taken, which is what counts */
	assert_ptr_equal(state, cluster_current(f->cluster));
	f->heard = talloc_asprintf_append(f->heard, "%c", letters[event->type]);
	f->stale_when_told = cluster_stale(f->cluster);
	if (event->type == CLUSTER_INTENT) {
		f->heard = talloc_asprintf_append(f->heard, "(%s %s %s)", event->intent->what,
						  event->from, event->to);
	}
	if (event->type == CLUSTER_ADDR_MOVED || event->type == CLUSTER_ADDR_LOST) {
		f->heard = talloc_asprintf_append(f->heard, "(%s)", event->from);
	}
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->ev = tevent_context_init(f);
	assert_int_equal(cluster_create(f, f->ev, &f->cluster), 0);
	assert_int_equal(cluster_listen(f->cluster, hear, f), 0);
	f->heard = talloc_strdup(f, "");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void expect(struct fixture *f, const char *story)
{
	assert_string_equal(f->heard, story);
	TALLOC_FREE(f->heard);
	f->heard = talloc_strdup(f, "");
}

/* Submit and see that it was taken over. */
static void submit(struct fixture *f, struct cluster_state *state)
{
	const struct backend_sink *sink = cluster_sink(f->cluster);

	(void)sink->snapshot(sink->private_data, &state);
	assert_null(state);
}

static struct cluster_state *with_vip(const char *node)
{
	struct cluster_state *state = fix_state(NULL);

	if (node != NULL) {
		fix_up(state, VIP, node);
	} else {
		fix_down(state, VIP);
	}
	return state;
}

static void lose(struct fixture *f)
{
	const struct backend_sink *sink = cluster_sink(f->cluster);

	sink->lost(sink->private_data, "the manager has gone home");
}

static void starts_with_nothing(void **state)
{
	struct fixture *f = *state;
	struct ipaddr vip = fix_ip(VIP);

	assert_null(cluster_current(f->cluster));
	assert_false(cluster_stale(f->cluster));
	assert_null(cluster_backend(f->cluster));
	assert_null(cluster_backend_ops(f->cluster));
	assert_null(cluster_last_node(f->cluster, &vip));
	expect(f, "");
}

static void snapshots_become_events(void **state)
{
	struct fixture *f = *state;

	submit(f, with_vip("n1"));
	expect(f, "F");
	submit(f, with_vip("n2"));
	expect(f, "M(n1)");
	submit(f, with_vip(NULL));
	expect(f, "L(n2)");
	submit(f, with_vip("n3"));
	expect(f, "B");
	submit(f, with_vip("n3"));
	expect(f, "");
}

static void invalid_snapshots_are_dropped(void **state)
{
	struct fixture *f = *state;
	const struct cluster_state *before;

	submit(f, with_vip("n1"));
	expect(f, "F");
	before = cluster_current(f->cluster);
	submit(f, with_vip("nowhere"));
	expect(f, "");
	assert_ptr_equal(cluster_current(f->cluster), before);
	/* Neither does one end staleness. */
	lose(f);
	submit(f, with_vip("nowhere"));
	expect(f, "X");
	assert_true(cluster_stale(f->cluster));
}

/* For want of memory nothing is half taken, and what gave it is told so. */
static void what_could_not_be_taken_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct backend_sink *sink = cluster_sink(f->cluster);
	unsigned long nth = 0;
	int err;

	log_setup("test", "stderr", LOG_CRIT);
	talloc_enable_null_tracking();
	submit(f, with_vip("n1"));
	expect(f, "F");
	do {
		struct cluster_state *next = with_vip("n2");
		struct cluster_state *wrong = with_vip("nowhere");
		size_t blocks = talloc_total_blocks(NULL);

		short_memory_begin(++nth);
		err = sink->snapshot(sink->private_data, &wrong);
		(void)short_memory_end();
		assert_true(err == (nth == 1 ? ENOMEM : EINVAL));
		assert_null(wrong);
		short_memory_begin(nth);
		err = sink->snapshot(sink->private_data, &next);
		(void)short_memory_end();
		assert_null(next);
		if (err != 0) {
			assert_int_equal(err, ENOMEM);
			assert_string_equal(cluster_current(f->cluster)->addrs[0].node, "n1");
			expect(f, "");
			assert_true(talloc_total_blocks(NULL) < blocks);
		}
	} while (err != 0);
	assert_true(nth > 3);
	expect(f, "M(n1)");
	talloc_disable_null_tracking();
}

static void stale_keeps_the_state_and_fresh_heals(void **state)
{
	struct fixture *f = *state;

	submit(f, with_vip("n1"));
	expect(f, "F");
	lose(f);
	lose(f);
	expect(f, "X");
	assert_true(cluster_stale(f->cluster));
	assert_int_equal(cluster_current(f->cluster)->num_addrs, 1);
	submit(f, with_vip("n2"));
	expect(f, "FM(n1)");
	assert_false(f->stale_when_told);
	assert_false(cluster_stale(f->cluster));
	/* Lost and found without a change: fresh, and nothing else. */
	lose(f);
	submit(f, with_vip("n2"));
	expect(f, "XF");
}

static void lost_before_the_first_snapshot_is_silent(void **state)
{
	struct fixture *f = *state;

	lose(f);
	expect(f, "");
	assert_true(cluster_stale(f->cluster));
	submit(f, with_vip("n1"));
	expect(f, "F");
	assert_false(cluster_stale(f->cluster));
}

static void ask(struct fixture *f)
{
	const struct backend_sink *sink = cluster_sink(f->cluster);
	struct backend_intent intent = {.kind = BACKEND_INTENT_GROUP,
					.what = "fs",
					.from = "n1",
					.to = "n2",
					.why = "the administrator asked"};

	sink->intent(sink->private_data, &intent);
}

static void intents_need_a_fresh_state(void **state)
{
	struct fixture *f = *state;

	ask(f);
	expect(f, "");
	submit(f, with_vip("n1"));
	ask(f);
	expect(f, "FI(fs n1 n2)");
	lose(f);
	ask(f);
	expect(f, "X");
}

static void a_draining_node_is_a_move_that_was_asked_for(void **state)
{
	struct fixture *f = *state;
	struct cluster_state *next = with_vip("n1");

	submit(f, with_vip("n1"));
	next->nodes[0].draining = true;
	submit(f, next);
	expect(f, "FDI(n1 n1 (null))");
	next = with_vip("n2");
	next->nodes[0].draining = true;
	submit(f, next);
	expect(f, "M(n1)");
}

static void last_node_is_remembered(void **state)
{
	struct fixture *f = *state;
	struct ipaddr vip = fix_ip(VIP);

	submit(f, with_vip(NULL));
	assert_null(cluster_last_node(f->cluster, &vip));
	submit(f, with_vip("n2"));
	assert_string_equal(cluster_last_node(f->cluster, &vip), "n2");
	submit(f, with_vip(NULL));
	submit(f, with_vip(NULL));
	assert_string_equal(cluster_last_node(f->cluster, &vip), "n2");
	submit(f, with_vip("n3"));
	assert_string_equal(cluster_last_node(f->cluster, &vip), "n3");
	/* Out of the configuration: forgotten, so that the table cannot grow for ever. */
	submit(f, fix_state(NULL));
	assert_null(cluster_last_node(f->cluster, &vip));
}

static void hear_second(void *private_data, const struct cluster_event *event,
			const struct cluster_state *state)
{
	struct fixture *f = private_data;

	f->heard = talloc_asprintf_append(f->heard, "2");
}

static void listeners_are_called_in_order(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(cluster_listen(f->cluster, hear_second, f), 0);
	submit(f, with_vip("n1"));
	submit(f, with_vip("n2"));
	expect(f, "F2M(n1)2");
}

static void status_shows_it_all(void **state)
{
	struct fixture *f = *state;
	const struct backend_sink *sink = cluster_sink(f->cluster);
	struct cluster_state *snapshot = with_vip("n1");
	json_t *status = cluster_status_json(f->cluster);

	assert_true(json_is_null(json_object_get(status, "backend")));
	assert_int_equal(json_array_size(json_object_get(status, "nodes")), 0);
	json_decref(status);
	snapshot->generation = 5;
	fix_node(snapshot, "caf\xe9", "");
	fix_share(snapshot, "data", "n1");
	submit(f, snapshot);
	sink->peer_up(sink->private_data, "n2");
	sink->peer_up(sink->private_data, "n2");
	sink->peer_up(sink->private_data, "n3");
	sink->peer_down(sink->private_data, "n3");
	sink->peer_down(sink->private_data, "n4");
	sink->message(sink->private_data, "n2", (const uint8_t *)"x", 1);
	status = cluster_status_json(f->cluster);
	assert_int_equal(json_integer_value(json_object_get(status, "generation")), 5);
	assert_true(json_is_true(json_object_get(status, "quorate")));
	assert_true(json_is_false(json_object_get(status, "stale")));
	assert_int_equal(json_array_size(json_object_get(status, "nodes")), 4);
	assert_int_equal(json_array_size(json_object_get(status, "addresses")), 1);
	assert_int_equal(json_array_size(json_object_get(status, "shares")), 1);
	/* n3 left nothing behind but its name, for a while. */
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(status, "peers"), "peers")), 2);
	json_decref(status);
}

static void rounds_leave_nothing_behind(void **state)
{
	struct fixture *f = *state;
	size_t blocks;

	submit(f, with_vip("n1"));
	submit(f, with_vip("n2"));
	blocks = talloc_total_blocks(f->cluster);
	for (int i = 0; i < 20; i++) {
		submit(f, with_vip(i % 2 == 0 ? "n1" : "n2"));
		submit(f, with_vip("nowhere"));
	}
	assert_int_equal(talloc_total_blocks(f->cluster), blocks);
}

static void peers_that_come_and_go_leave_nothing_behind(void **state)
{
	struct fixture *f = *state;
	const struct backend_sink *sink = cluster_sink(f->cluster);
	size_t blocks = 0;

	for (int i = 0; i < 20; i++) {
		sink->peers_joined(sink->private_data, "n1");
		sink->peer_up(sink->private_data, "n2");
		sink->message(sink->private_data, "n2", (const uint8_t *)"x", 1);
		sink->peer_down(sink->private_data, "n2");
		sink->peers_left(sink->private_data);
		if (i == 0) {
			blocks = talloc_total_blocks(f->cluster);
		}
	}
	assert_int_equal(talloc_total_blocks(f->cluster), blocks);
}

static void every_event_has_a_name(void **state)
{
	for (int type = CLUSTER_ADDR_LOST; type <= CLUSTER_STALE; type++) {
		assert_string_not_equal(cluster_event_type_name(type), "invalid");
	}
	assert_string_equal(cluster_event_type_name(CLUSTER_STALE + 1), "invalid");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts_with_nothing),
		TEST(snapshots_become_events),
		TEST(invalid_snapshots_are_dropped),
		TEST(what_could_not_be_taken_changes_nothing),
		TEST(stale_keeps_the_state_and_fresh_heals),
		TEST(lost_before_the_first_snapshot_is_silent),
		TEST(intents_need_a_fresh_state),
		TEST(a_draining_node_is_a_move_that_was_asked_for),
		TEST(last_node_is_remembered),
		TEST(listeners_are_called_in_order),
		TEST(status_shows_it_all),
		TEST(rounds_leave_nothing_behind),
		TEST(peers_that_come_and_go_leave_nothing_behind),
		TEST(every_event_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
