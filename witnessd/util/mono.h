/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers for what there is one of: as tevent's, but by CLOCK_MONOTONIC, so that a step of the time of day neither
 * ends a wait at once nor makes it last for hours. Each is a timerfd; where there may be thousands take a wheel
 * (wheel.h), and for what happens again and again an alarm, which cannot fail to be set again. Nothing else of the project asks tevent for a time but "now" (tevent_timeval_zero()); tests/lint/clock
 * looks after that.
 */
#ifndef WITNESSD_UTIL_MONO_H
#define WITNESSD_UTIL_MONO_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct mono_timer;

/**
 * Call fn once, from the event loop, ms from now; freeing the timer cancels it, and after the call it is freed.
 * The handler's te is NULL and its now is 0. ms 0: as soon as the loop turns.
 * Where no descriptor is left it goes by the time of day after all.
 * @return NULL when memory is short
 */
struct mono_timer *mono_timer_add(struct tevent_context *ev, TALLOC_CTX *mem_ctx, uint64_t ms,
				  tevent_timer_handler_t fn, void *private_data);

struct mono_alarm;

/**
 * A timer that keeps all it needs, so that setting it again fails neither for memory nor for descriptors: for
 * jobs that must go on. Not set yet. Freeing it cancels it.
 * @param fn from the event loop, when a time that was set is over, once for each; it may set it again, and free it
 * @return 0, ENOMEM, or what timerfd_create(2) gave
 */
int mono_alarm_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      void (*fn)(void *private_data), void *private_data, struct mono_alarm **out);

/** Set it to ms from now, whatever it was set to before. 0: in the next round of the loop. */
void mono_alarm_set(struct mono_alarm *alarm, uint64_t ms);

/** Unset it. */
void mono_alarm_clear(struct mono_alarm *alarm);

/** For tests: whether it is set. */
bool mono_alarm_is_set(const struct mono_alarm *alarm);

/** A request ends as tevent_req_set_endtime() has it unless it is done ms from now. @return false: it has ended, memory is short */
bool mono_req_timeout(struct tevent_req *req, struct tevent_context *ev, uint64_t ms);

#endif
