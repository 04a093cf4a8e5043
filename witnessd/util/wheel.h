/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hierarchical timing wheel: arming and cancelling are O(1) however many timers there are, and all
 * of them share one timerfd. Time is CLOCK_MONOTONIC, so setting the wall clock has no effect. A timer
 * never fires early and at most WHEEL_TICK_MS late (plus the delay of the event loop). An idle wheel
 * does not wake the process: the timerfd is set for the next occupied slot only.
 */
#ifndef WITNESSD_UTIL_WHEEL_H
#define WITNESSD_UTIL_WHEEL_H

#include <qb/qblist.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#define WHEEL_TICK_MS 10

struct wheel;

/* A timer, embedded in the struct that it belongs to. All zero = not armed. */
struct wheel_timer {
	struct qb_list_head link;
	struct wheel *wheel; /* NULL unless armed */
	uint64_t due;        /* tick */
	uint8_t level, slot; /* its place in the wheel */
	void (*fn)(void *private_data);
	void *private_data;
};

/** Microseconds of a clock that never goes back. */
typedef uint64_t (*wheel_clock_fn)(void *private_data);

/**
 * A wheel without timers.
 * @param clock NULL: CLOCK_MONOTONIC and a timerfd on ev. A test passes its own (ev may then be NULL)
 *              and calls wheel_run() after advancing it
 * @return 0, ENOMEM, or the errno of timerfd_create(2)
 */
int wheel_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, wheel_clock_fn clock,
		 void *clock_private, struct wheel **out);

/** The wheel's clock, in microseconds. */
uint64_t wheel_now_us(const struct wheel *wheel);

/**
 * Call fn once, from the event loop and never from inside this call, delay_ms from now. An armed timer
 * is moved. The timer must be cancelled before its memory, or the wheel, is freed. fn may arm and
 * cancel any timer and free what this one is embedded in; it must not free the wheel.
 */
void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, uint64_t delay_ms,
	       void (*fn)(void *private_data), void *private_data);

/** Disarm a timer; does nothing to one that is not armed. */
void wheel_cancel(struct wheel_timer *timer);

/** Whether the timer is still to fire. */
bool wheel_armed(const struct wheel_timer *timer);

/**
 * A request that is done delay_ms from now; freeing it cancels the wait. The wheel must outlive it. It has no
 * _recv(). @return NULL when memory is short
 */
struct tevent_req *wheel_wait_send(TALLOC_CTX *mem_ctx, struct wheel *wheel, uint64_t delay_ms);

/** For tests, with a clock of their own: fire what is due. */
void wheel_run(struct wheel *wheel);

/** For tests: when the process will be woken next, in microseconds of the wheel's clock; UINT64_MAX = never. */
uint64_t wheel_next_us(const struct wheel *wheel);

#endif
