/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The time of day is set while connections are being made and timers run: nothing ends early, and nothing lasts.
 * The program has a gettimeofday() of its own, which is what tevent takes its time from.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "tests/unit/rpc_rig.h"
#include "tests/unit/short_memory.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/wheel.h"

#define HOUR_S 3600

static time_t step_s; /* by which the time of day is wrong */

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec now;

	(void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	tv->tv_sec = now.tv_sec + step_s;
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}

static void note(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		 void *private_data)
{
	*(bool *)private_data = true;
}

/* Not by the rig's deadlines, which are of the time of day. */
static void run_for(struct tevent_context *ev, unsigned int ms)
{
	bool over = false;

	assert_non_null(mono_timer_add(ev, ev, ms, note, &over));
	while (!over) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
}

static int begin(void **state)
{
	step_s = 0;
	*state = rig_new();
	return 0;
}

static int end(void **state)
{
	step_s = 0;
	return rig_teardown(state);
}

/* Else the other tests would prove nothing. */
static void tevent_itself_goes_by_the_time_of_day(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	bool fired = false;

	assert_non_null(
		tevent_add_timer(ev, ev, tevent_timeval_current_ofs(HOUR_S / 2, 0), note, &fired));
	run_for(ev, 20);
	assert_false(fired);
	step_s = HOUR_S;
	run_for(ev, 20);
	assert_true(fired);
	talloc_free(ev);
}

static void timers_fire_in_their_time(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	bool early = false, soon = false, now = false, cancelled = false;
	uint64_t began_ms = clock_ms();
	struct mono_timer *timer;

	assert_non_null(mono_timer_add(ev, ev, HOUR_S * 1000, note, &early));
	assert_non_null(mono_timer_add(ev, ev, 60, note, &soon));
	assert_non_null(mono_timer_add(ev, ev, 0, note, &now));
	timer = mono_timer_add(ev, ev, 30, note, &cancelled);
	assert_non_null(timer);
	step_s = 2 * HOUR_S;
	run_for(ev, 20);
	assert_true(now);
	assert_false(early);
	talloc_free(timer);
	step_s = -2 * HOUR_S;
	while (!soon) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_true(clock_ms() - began_ms >= 60 && clock_ms() - began_ms < 10000);
	assert_false(early || cancelled);
	talloc_free(ev);
}

/* A handler may free its timer, and what the timer hangs on. */
static void frees(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		  void *private_data)
{
	talloc_free(private_data);
}

static void handlers_may_free_their_timers(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	TALLOC_CTX *parent = talloc_new(ev);
	size_t before = talloc_total_blocks(ev);

	for (unsigned int ms = 0; ms < 2; ms++) {
		assert_non_null(mono_timer_add(ev, parent, ms, frees, parent));
		run_for(ev, 20);
		assert_true(talloc_total_blocks(ev) < before);
		parent = talloc_new(ev);
	}
	talloc_free(ev);
}

/* What waits for descriptors must not wait for ever. */
static void without_descriptors_there_are_timers(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	struct rlimit limit, none;
	bool fired = false;
	struct mono_timer *timer;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	timer = mono_timer_add(ev, ev, 30, note, &fired);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_non_null(timer);
	run_for(ev, 200);
	assert_true(fired);
	talloc_free(ev);
}

struct ticks {
	struct mono_alarm *alarm;
	unsigned int num;
};

static void tick(void *private_data)
{
	struct ticks *ticks = private_data;

	if (++ticks->num < 3) {
		mono_alarm_set(ticks->alarm, ticks->num);
	}
}

/* Neither for memory nor for descriptors: what is done again and again goes on. */
static void alarms_can_be_set_again_whatever_is_short(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	struct rlimit limit, none;
	struct ticks ticks = {.num = 0};

	assert_int_equal(mono_alarm_create(ev, ev, tick, &ticks, &ticks.alarm), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	short_memory_begin(1);
	mono_alarm_set(ticks.alarm, 0);
	while (ticks.num < 3) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_false(short_memory_end());
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	talloc_free(ev);
}

static void alarms_fire_in_their_time(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	struct ticks ticks = {.num = 2};
	uint64_t began_ms = clock_ms();

	assert_int_equal(mono_alarm_create(ev, ev, tick, &ticks, &ticks.alarm), 0);
	assert_false(mono_alarm_is_set(ticks.alarm));
	mono_alarm_set(ticks.alarm, 0);
	mono_alarm_set(ticks.alarm, HOUR_S * 1000);
	step_s = 2 * HOUR_S;
	run_for(ev, 20);
	assert_int_equal(ticks.num, 2);
	assert_true(mono_alarm_is_set(ticks.alarm));
	/* One that is over and that nobody has heard yet is not over any more when it is cleared. */
	mono_alarm_set(ticks.alarm, 0);
	mono_alarm_clear(ticks.alarm);
	run_for(ev, 20);
	assert_int_equal(ticks.num, 2);
	assert_false(mono_alarm_is_set(ticks.alarm));
	mono_alarm_set(ticks.alarm, 60);
	while (ticks.num < 3) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_false(mono_alarm_is_set(ticks.alarm));
	assert_true(clock_ms() - began_ms >= 60);
	talloc_free(ev);
}

static void free_alarm(void *private_data)
{
	struct ticks *ticks = private_data;

	ticks->num++;
	TALLOC_FREE(ticks->alarm);
}

static void alarms_may_be_freed_by_what_they_call(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	struct ticks ticks = {.num = 0};

	assert_int_equal(mono_alarm_create(ev, ev, free_alarm, &ticks, &ticks.alarm), 0);
	mono_alarm_set(ticks.alarm, 0);
	while (ticks.num < 1) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_null(ticks.alarm);
	talloc_free(ev);
}

struct wait_state {
	int unused;
};

static void requests_time_out_in_their_time(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	struct wait_state *wait = NULL;
	struct tevent_req *req = tevent_req_create(ev, &wait, struct wait_state);
	struct tevent_req *done = tevent_req_create(ev, &wait, struct wait_state);

	assert_true(mono_req_timeout(req, ev, 60));
	assert_true(mono_req_timeout(done, ev, 30));
	tevent_req_done(done);
	step_s = HOUR_S;
	run_for(ev, 10);
	assert_true(tevent_req_is_in_progress(req));
	step_s = -HOUR_S;
	run_for(ev, 300);
	assert_int_equal(req_errno(req), ETIMEDOUT);
	assert_int_equal(req_errno(done), 0);
	talloc_free(ev);
}

static void a_wheel_waits_in_its_time(void **state)
{
	struct tevent_context *ev = tevent_context_init(NULL);
	struct wheel *wheel = NULL;
	struct tevent_req *longer, *cancelled, *soon;

	assert_int_equal(wheel_create(ev, ev, NULL, NULL, &wheel), 0);
	longer = wheel_wait_send(ev, wheel, HOUR_S * 1000);
	soon = wheel_wait_send(ev, wheel, 60);
	cancelled = wheel_wait_send(ev, wheel, 60);
	talloc_free(cancelled);
	step_s = 2 * HOUR_S;
	run_for(ev, 10);
	assert_true(tevent_req_is_in_progress(longer) && tevent_req_is_in_progress(soon));
	step_s = -2 * HOUR_S;
	run_for(ev, 300);
	assert_true(tevent_req_is_in_progress(longer));
	assert_false(tevent_req_is_in_progress(soon));
	talloc_free(longer);
	talloc_free(soon);
	talloc_free(ev);
}

static unsigned int connections(struct rig *rig)
{
	return (unsigned int)rpc_server_stats(rig->server)->connections;
}

/* One that has not said anything, and one that is in the middle of its bind. */
static void two_connections(struct rig *rig, int fds[2])
{
	static const uint8_t half[20] = {5, 0, RPC_BIND, 3, 0x10, 0, 0, 0, 60, 0, 0, 0, 1};

	rig_start(rig);
	fds[0] = rig_connect(rig);
	fds[1] = rig_connect(rig);
	assert_int_equal(write(fds[1], half, sizeof(half)), sizeof(half));
	while (connections(rig) < 2) {
		run_for(rig->ev, 10);
	}
	run_for(rig->ev, 20);
}

static void a_step_forward_cuts_no_connection(void **state)
{
	struct rig *rig = *state;
	int fds[2];

	two_connections(rig, fds);
	step_s = HOUR_S;
	run_for(rig->ev, 50);
	assert_int_equal(connections(rig), 2);
	close(fds[0]);
	close(fds[1]);
}

static void a_step_back_keeps_no_connection(void **state)
{
	struct rig *rig = *state;
	uint64_t began_ms = clock_ms();
	int fds[2];

	rig->limits.bind_ms = 400;
	rig->limits.pdu_ms = 400;
	two_connections(rig, fds);
	step_s = -HOUR_S;
	while (connections(rig) > 0 && clock_ms() - began_ms < 10000) {
		run_for(rig->ev, 20);
	}
	assert_int_equal(connections(rig), 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tevent_itself_goes_by_the_time_of_day, begin, end),
		cmocka_unit_test_setup_teardown(timers_fire_in_their_time, begin, end),
		cmocka_unit_test_setup_teardown(handlers_may_free_their_timers, begin, end),
		cmocka_unit_test_setup_teardown(without_descriptors_there_are_timers, begin, end),
		cmocka_unit_test_setup_teardown(alarms_fire_in_their_time, begin, end),
		cmocka_unit_test_setup_teardown(alarms_may_be_freed_by_what_they_call, begin, end),
		cmocka_unit_test_setup_teardown(alarms_can_be_set_again_whatever_is_short, begin,
						end),
		cmocka_unit_test_setup_teardown(requests_time_out_in_their_time, begin, end),
		cmocka_unit_test_setup_teardown(a_wheel_waits_in_its_time, begin, end),
		cmocka_unit_test_setup_teardown(a_step_forward_cuts_no_connection, begin, end),
		cmocka_unit_test_setup_teardown(a_step_back_keeps_no_connection, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
