/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#define TICK_US (WHEEL_TICK_MS * UINT64_C(1000))
#define MANY    10000

struct fixture {
	struct wheel *wheel;
	uint64_t now_us;
};

struct shot {
	struct wheel_timer timer;
	struct fixture *fix;
	uint64_t wanted_us; /* when it should fire */
	uint64_t fired_us;
	unsigned int count;
	struct shot *victim; /* cancelled when this one fires */
};

static uint64_t fake_clock(void *private_data)
{
	return ((struct fixture *)private_data)->now_us;
}

static void fired(void *private_data)
{
	struct shot *shot = private_data;

	assert_false(wheel_armed(&shot->timer));
	shot->fired_us = shot->fix->now_us;
	shot->count++;
	if (shot->victim != NULL) {
		wheel_cancel(&shot->victim->timer);
	}
}

static void arm(struct fixture *fix, struct shot *shot, uint64_t delay_ms)
{
	shot->fix = fix;
	shot->wanted_us = fix->now_us + delay_ms * 1000;
	wheel_arm(fix->wheel, &shot->timer, delay_ms, fired, shot);
}

/* Move the clock from wake-up to wake-up, as the timerfd would, until end. @return wake-ups */
static unsigned int run_until(struct fixture *fix, uint64_t end_us)
{
	unsigned int wakes = 0;

	while (wheel_next_us(fix->wheel) <= end_us) {
		if (wheel_next_us(fix->wheel) > fix->now_us) {
			fix->now_us = wheel_next_us(fix->wheel);
		}
		wheel_run(fix->wheel);
		wakes++;
	}
	fix->now_us = end_us;
	return wakes;
}

static void assert_in_time(const struct shot *shot)
{
	assert_int_equal(shot->count, 1);
	assert_true(shot->fired_us >= shot->wanted_us);
	assert_true(shot->fired_us - shot->wanted_us <= TICK_US);
}

static int setup(void **state)
{
	struct fixture *fix = talloc_zero(NULL, struct fixture);

	fix->now_us = 1234567891;
	*state = fix;
	return wheel_create(fix, NULL, fake_clock, fix, &fix->wheel);
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void a_timer_fires_once_and_never_early(void **state)
{
	static const uint64_t delays_ms[] = {0, 1, 9, 10, 11, 630, 640, 650, 5000, 30000, 120000};
	struct fixture *fix = *state;

	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		struct shot shot = {0};

		arm(fix, &shot, delays_ms[i]);
		assert_true(wheel_armed(&shot.timer));
		assert_int_equal(shot.count, 0);
		run_until(fix, fix->now_us + 200000 * UINT64_C(1000));
		assert_in_time(&shot);
	}
}

static void the_longest_keep_alive_does_not_overflow(void **state)
{
	struct fixture *fix = *state;
	struct shot shot = {0}, beyond = {0};
	uint64_t delay_ms = UINT64_C(0xFFFFFFFF) * 1000;

	arm(fix, &shot, delay_ms);
	wheel_arm(fix->wheel, &beyond.timer, UINT64_MAX, fired, &beyond);
	run_until(fix, fix->now_us + delay_ms * 1000 - 1);
	assert_int_equal(shot.count, 0);
	run_until(fix, fix->now_us + TICK_US + 1);
	assert_in_time(&shot);
	assert_true(wheel_armed(&beyond.timer));
	wheel_cancel(&beyond.timer);
}

static void an_idle_wheel_does_not_wake(void **state)
{
	struct fixture *fix = *state;
	struct shot shot = {0};

	assert_true(wheel_next_us(fix->wheel) == UINT64_MAX);
	arm(fix, &shot, 3600000);
	wheel_cancel(&shot.timer);
	assert_true(wheel_next_us(fix->wheel) == UINT64_MAX);

	/* One timer wakes it a few times to come down the levels, not every tick. */
	arm(fix, &shot, 3600000);
	assert_true(run_until(fix, fix->now_us + 4000 * UINT64_C(1000000)) <= 8);
	assert_in_time(&shot);
	assert_true(wheel_next_us(fix->wheel) == UINT64_MAX);
}

static void arming_again_moves_a_timer(void **state)
{
	struct fixture *fix = *state;
	struct shot shot = {0};

	arm(fix, &shot, 50);
	fix->now_us += 40000;
	arm(fix, &shot, 5000);
	run_until(fix, fix->now_us + 4000000);
	assert_int_equal(shot.count, 0);
	arm(fix, &shot, 20);
	run_until(fix, fix->now_us + 10000000);
	assert_in_time(&shot);
}

static void a_callback_may_cancel_its_neighbour(void **state)
{
	struct fixture *fix = *state;
	struct shot a = {0}, b = {0}, c = {0};

	a.victim = &b;
	arm(fix, &a, 100);
	arm(fix, &b, 100);
	arm(fix, &c, 100);
	run_until(fix, fix->now_us + 1000000);
	assert_in_time(&a);
	assert_int_equal(b.count, 0);
	assert_in_time(&c);
	wheel_cancel(&b.timer); /* twice does nothing */
}

static void again(void *private_data)
{
	struct shot *shot = private_data;

	shot->count++;
	if (shot->count < 5) {
		wheel_arm(shot->fix->wheel, &shot->timer, 0, again, shot);
	}
}

static void a_callback_may_arm_itself_but_not_spin(void **state)
{
	struct fixture *fix = *state;
	struct shot shot = {.fix = fix};

	wheel_arm(fix->wheel, &shot.timer, 0, again, &shot);
	assert_int_equal(shot.count, 0);
	fix->now_us += TICK_US;
	wheel_run(fix->wheel);
	assert_int_equal(shot.count, 1);
	run_until(fix, fix->now_us + 10 * TICK_US);
	assert_int_equal(shot.count, 5);
}

static void a_sleep_of_the_process_fires_all_that_is_overdue_in_order(void **state)
{
	struct fixture *fix = *state;
	struct shot early = {0}, late = {0}, future = {0};

	arm(fix, &late, 7000);
	arm(fix, &early, 20);
	arm(fix, &future, 86400000);
	early.victim = NULL;
	late.victim = &early; /* would stop it if it came first */
	fix->now_us += 3600 * UINT64_C(1000000);
	wheel_run(fix->wheel);
	assert_int_equal(early.count, 1);
	assert_int_equal(late.count, 1);
	assert_int_equal(future.count, 0);
	run_until(fix, fix->now_us + 86400 * UINT64_C(1000000));
	assert_in_time(&future);
}

static void ten_thousand_timers_are_armed_cancelled_and_fired(void **state)
{
	struct fixture *fix = *state;
	struct shot *shots = talloc_zero_array(fix, struct shot, MANY);
	uint64_t start = fix->now_us;

	srandom(42);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++) {
			arm(fix, &shots[i], (uint64_t)random() % 600000);
		}
		fix->now_us += 1;
	}
	for (size_t i = 0; i < MANY; i += 3) {
		wheel_cancel(&shots[i].timer);
	}
	run_until(fix, start + 700 * UINT64_C(1000000));
	for (size_t i = 0; i < MANY; i++) {
		if (i % 3 == 0) {
			assert_int_equal(shots[i].count, 0);
		} else {
			assert_in_time(&shots[i]);
		}
	}
}

static void stop(void *private_data)
{
	*(bool *)private_data = true;
}

static void the_real_clock_drives_it_through_tevent(void **state)
{
	struct tevent_context *ev = tevent_context_init(*state);
	struct wheel_timer timer = {0}, cancelled = {0};
	bool done = false, never = false;
	struct wheel *wheel;
	uint64_t start;

	assert_int_equal(wheel_create(ev, ev, NULL, NULL, &wheel), 0);
	start = wheel_now_us(wheel);
	wheel_arm(wheel, &cancelled, 10, stop, &never);
	wheel_arm(wheel, &timer, 50, stop, &done);
	wheel_cancel(&cancelled);
	while (!done) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_true(wheel_now_us(wheel) - start >= 50000);
	/* Loose, because the machine may be busy; the tick itself is tested above. */
	assert_true(wheel_now_us(wheel) - start < 1000000);
	assert_false(never);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_timer_fires_once_and_never_early),
		TEST(the_longest_keep_alive_does_not_overflow),
		TEST(an_idle_wheel_does_not_wake),
		TEST(arming_again_moves_a_timer),
		TEST(a_callback_may_cancel_its_neighbour),
		TEST(a_callback_may_arm_itself_but_not_spin),
		TEST(a_sleep_of_the_process_fires_all_that_is_overdue_in_order),
		TEST(ten_thousand_timers_are_armed_cancelled_and_fired),
		TEST(the_real_clock_drives_it_through_tevent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
