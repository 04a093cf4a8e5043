/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Eight levels of 64 slots, each level a digit of the due tick in base 64. A timer hangs at the highest
 * digit in which its due tick differs from the wheel's, so within a level all occupied slots are ahead of
 * the wheel's digit, and the earliest timer is in the lowest occupied slot of the lowest occupied
 * level. When the wheel reaches a slot of a higher level, its timers move down: at most seven times each.
 */
#include "witnessd/util/wheel.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "witnessd/util/clock.h"

#define LEVELS     8
#define DIGIT_BITS 6
#define SLOTS      (1U << DIGIT_BITS)
#define TICK_US    (WHEEL_TICK_MS * UINT64_C(1000))
/*
 * The latest time for which a timer can be set, some twenty thousand years ahead: due ticks stay below 2^48.
 */
#define MAX_TICKS (UINT64_C(1) << 46)
#define NO_LEVEL  0xff /* on the list of those that fire now */
#define NEVER     UINT64_MAX

struct wheel {
	wheel_clock_fn clock;
	void *clock_private;
	struct tevent_fd *fde; /* NULL with a test's clock */
	int fd;
	uint64_t tick;  /* everything due up to it has fired */
	uint64_t armed; /* tick that the timerfd is set for, or NEVER */
	bool running;
	uint64_t occupied[LEVELS]; /* a bit a slot */
	struct qb_list_head slots[LEVELS][SLOTS];
};

static uint64_t monotonic_us(void *private_data)
{
	return clock_us();
}

uint64_t wheel_now_us(const struct wheel *wheel)
{
	return wheel->clock(wheel->clock_private);
}

/* The earliest occupied slot. @return the tick it begins with, or NEVER */
static uint64_t next_slot(const struct wheel *wheel, unsigned int *level, unsigned int *slot)
{
	for (unsigned int l = 0; l < LEVELS; l++) {
		uint64_t above;

		if (wheel->occupied[l] == 0) {
			continue;
		}
		*level = l;
		*slot = (unsigned int)__builtin_ctzll(wheel->occupied[l]);
		above = wheel->tick >> (DIGIT_BITS * (l + 1));
		return (above << DIGIT_BITS | *slot) << (DIGIT_BITS * l);
	}
	return NEVER;
}

/* Set the timerfd for the next occupied slot. After a cancel it may fire too early, which is harmless. */
static void set_timerfd(struct wheel *wheel)
{
	unsigned int level, slot;
	uint64_t next = next_slot(wheel, &level, &slot), us = next * TICK_US;
	struct itimerspec its = {0};

	if (wheel->running || next == wheel->armed || (wheel->armed < next && next != NEVER)) {
		return;
	}
	wheel->armed = next;
	if (wheel->fde == NULL) {
		return;
	}
	if (next != NEVER) {
		its.it_value.tv_sec = (time_t)(us / 1000000);
		its.it_value.tv_nsec = (long)(us % 1000000) * 1000;
	}
	(void)timerfd_settime(wheel->fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static void hang(struct wheel *wheel, struct wheel_timer *timer)
{
	unsigned int level =
		(63U - (unsigned int)__builtin_clzll(timer->due ^ wheel->tick)) / DIGIT_BITS;

	timer->level = (uint8_t)level;
	timer->slot = (timer->due >> (DIGIT_BITS * level)) & (SLOTS - 1);
	wheel->occupied[level] |= UINT64_C(1) << timer->slot;
	qb_list_add_tail(&timer->link, &wheel->slots[level][timer->slot]);
}

static void unhang(struct wheel *wheel, struct wheel_timer *timer)
{
	qb_list_del(&timer->link);
	if (timer->level != NO_LEVEL && qb_list_empty(&wheel->slots[timer->level][timer->slot])) {
		wheel->occupied[timer->level] &= ~(UINT64_C(1) << timer->slot);
	}
	timer->wheel = NULL;
}

void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, uint64_t delay_ms,
	       void (*fn)(void *private_data), void *private_data)
{
	uint64_t now = wheel_now_us(wheel);
	uint64_t delay_ticks = delay_ms / WHEEL_TICK_MS, rest_us = delay_ms % WHEEL_TICK_MS * 1000;

	if (delay_ticks > MAX_TICKS) {
		delay_ticks = MAX_TICKS;
	}
	if (timer->wheel != NULL) {
		unhang(timer->wheel, timer);
	}
	timer->wheel = wheel;
	timer->fn = fn;
	timer->private_data = private_data;
	timer->due = delay_ticks + (now + rest_us + TICK_US - 1) / TICK_US;
	if (timer->due <= wheel->tick) {
		timer->due = wheel->tick + 1;
	}
	hang(wheel, timer);
	set_timerfd(wheel);
}

void wheel_cancel(struct wheel_timer *timer)
{
	struct wheel *wheel = timer->wheel;

	if (wheel == NULL) {
		return;
	}
	unhang(wheel, timer);
	set_timerfd(wheel);
}

bool wheel_armed(const struct wheel_timer *timer)
{
	return timer->wheel != NULL;
}

static void fire(struct qb_list_head *due)
{
	while (!qb_list_empty(due)) {
		struct wheel_timer *timer = qb_list_first_entry(due, struct wheel_timer, link);

		qb_list_del(&timer->link);
		timer->wheel = NULL;
		timer->fn(timer->private_data);
	}
}

/* The wheel has reached a slot: what is due moves to the list, the rest to lower levels. */
static void empty_slot(struct wheel *wheel, unsigned int level, unsigned int slot,
		       struct qb_list_head *due)
{
	struct qb_list_head *list = &wheel->slots[level][slot];

	wheel->occupied[level] &= ~(UINT64_C(1) << slot);
	while (!qb_list_empty(list)) {
		struct wheel_timer *timer = qb_list_first_entry(list, struct wheel_timer, link);

		qb_list_del(&timer->link);
		if (timer->due > wheel->tick) {
			hang(wheel, timer);
			continue;
		}
		timer->level = NO_LEVEL;
		qb_list_add_tail(&timer->link, due);
	}
}

void wheel_run(struct wheel *wheel)
{
	uint64_t target = wheel_now_us(wheel) / TICK_US;
	struct qb_list_head due;

	qb_list_init(&due);
	wheel->running = true;
	for (;;) {
		unsigned int level, slot;
		uint64_t next = next_slot(wheel, &level, &slot);

		if (next > target) {
			break;
		}
		wheel->tick = next;
		empty_slot(wheel, level, slot, &due);
		fire(&due);
	}
	/* The wheel may be set to any tick between two occupied slots: see the invariant above. */
	wheel->tick = target > wheel->tick ? target : wheel->tick;
	wheel->running = false;
	wheel->armed = NEVER;
	set_timerfd(wheel);
}

struct wait_state {
	struct wheel_timer timer;
};

static void wait_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	struct wait_state *state = tevent_req_data(req, struct wait_state);

	wheel_cancel(&state->timer);
}

static void wait_over(void *private_data)
{
	tevent_req_done(talloc_get_type_abort(private_data, struct tevent_req));
}

struct tevent_req *wheel_wait_send(TALLOC_CTX *mem_ctx, struct wheel *wheel, uint64_t delay_ms)
{
	struct wait_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct wait_state);

	if (req != NULL) {
		tevent_req_set_cleanup_fn(req, wait_cleanup);
		wheel_arm(wheel, &state->timer, delay_ms, wait_over, req);
	}
	return req;
}

uint64_t wheel_next_us(const struct wheel *wheel)
{
	return wheel->armed == NEVER ? NEVER : wheel->armed * TICK_US;
}

static void on_timerfd(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		       void *private_data)
{
	struct wheel *wheel = talloc_get_type_abort(private_data, struct wheel);
	uint64_t expirations;

	if (read(wheel->fd, &expirations, sizeof(expirations)) > 0) {
		wheel_run(wheel);
	}
}

static int open_timerfd(struct wheel *wheel, struct tevent_context *ev)
{
	wheel->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (wheel->fd < 0) {
		return errno;
	}
	wheel->fde = tevent_add_fd(ev, wheel, wheel->fd, TEVENT_FD_READ, on_timerfd, wheel);
	if (wheel->fde == NULL) {
		close(wheel->fd);
		return ENOMEM;
	}
	tevent_fd_set_auto_close(wheel->fde);
	return 0;
}

int wheel_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, wheel_clock_fn clock,
		 void *clock_private, struct wheel **out)
{
	struct wheel *wheel = talloc_zero(mem_ctx, struct wheel);
	int err;

	if (wheel == NULL) {
		return ENOMEM;
	}
	wheel->clock = clock != NULL ? clock : monotonic_us;
	wheel->clock_private = clock_private;
	wheel->fd = -1;
	wheel->armed = NEVER;
	for (unsigned int l = 0; l < LEVELS; l++) {
		for (unsigned int s = 0; s < SLOTS; s++) {
			qb_list_init(&wheel->slots[l][s]);
		}
	}
	wheel->tick = wheel_now_us(wheel) / TICK_US;
	if (clock == NULL) {
		err = open_timerfd(wheel, ev);
		if (err != 0) {
			talloc_free(wheel);
			return err;
		}
	}
	*out = wheel;
	return 0;
}
