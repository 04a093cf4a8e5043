/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/mono.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct mono_timer {
	struct tevent_fd *fde;   /* closes its descriptor; or */
	struct tevent_timer *te; /* see arm() */
	tevent_timer_handler_t fn;
	void *private_data;
	bool *gone; /* not NULL: fn runs, and wants to know whether it has freed us */
};

static int timer_destructor(struct mono_timer *timer)
{
	if (timer->gone != NULL) {
		*timer->gone = true;
	}
	return 0;
}

static void fire(struct mono_timer *timer, struct tevent_context *ev)
{
	bool gone = false;

	/* cppcheck-suppress autoVariables ; taken back below, unless the timer is no more */
	timer->gone = &gone;
	timer->fn(ev, NULL, tevent_timeval_zero(), timer->private_data);
	if (!gone) {
		timer->gone = NULL;
		talloc_free(timer);
	}
}

static void on_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		     void *private_data)
{
	struct mono_timer *timer = talloc_get_type_abort(private_data, struct mono_timer);

	TALLOC_FREE(timer->fde);
	fire(timer, ev);
}

static void on_te(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		  void *private_data)
{
	struct mono_timer *timer = talloc_get_type_abort(private_data, struct mono_timer);

	timer->te = NULL; /* tevent frees it */
	fire(timer, ev);
}

/* The descriptor can be read from ms from now on; what it was set to before is forgotten. */
static void set_timer(int fd, uint64_t ms)
{
	/* All zero would stop it. */
	const struct itimerspec when = {
		.it_value = {.tv_sec = (time_t)(ms / 1000),
			     .tv_nsec = ms > 0 ? (long)(ms % 1000) * 1000000 : 1}};

	(void)timerfd_settime(fd, 0, &when, NULL);
}

/* @return a descriptor, or -1 */
static int open_timer(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

/* tevent's own, which goes by the time of day: right for "now", and better than none. */
static void arm_tevent(struct mono_timer *timer, struct tevent_context *ev, uint64_t ms)
{
	struct timeval when = tevent_timeval_zero();

	if (ms > 0) {
		when = tevent_timeval_current_ofs((uint32_t)(ms / 1000),
						  (uint32_t)(ms % 1000) * 1000);
	}
	timer->te = tevent_add_timer(ev, timer, when, on_te, timer);
}

static void arm(struct mono_timer *timer, struct tevent_context *ev, uint64_t ms)
{
	int fd = ms > 0 ? open_timer() : -1;

	if (fd < 0) {
		/* Also where no descriptor is left: what waits for one must not wait for ever. */
		arm_tevent(timer, ev, ms);
		return;
	}
	set_timer(fd, ms);
	timer->fde = tevent_add_fd(ev, timer, fd, TEVENT_FD_READ, on_ready, timer);
	if (timer->fde == NULL) {
		close(fd);
		return;
	}
	tevent_fd_set_auto_close(timer->fde);
}

struct mono_timer *mono_timer_add(struct tevent_context *ev, TALLOC_CTX *mem_ctx, uint64_t ms,
				  tevent_timer_handler_t fn, void *private_data)
{
	struct mono_timer *timer = talloc_zero(mem_ctx, struct mono_timer);

	if (timer == NULL) {
		return NULL;
	}
	timer->fn = fn;
	timer->private_data = private_data;
	arm(timer, ev, ms);
	if (timer->fde == NULL && timer->te == NULL) {
		talloc_free(timer);
		return NULL;
	}
	talloc_set_destructor(timer, timer_destructor);
	return timer;
}

static void on_req_timeout(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			   void *private_data)
{
	struct tevent_req *req = talloc_get_type_abort(private_data, struct tevent_req);

	/* By way of tevent's own, so that cleanup functions see why it ends: a time that has always been over. */
	if (tevent_req_is_in_progress(req)) {
		(void)tevent_req_set_endtime(req, ev, tevent_timeval_zero());
	}
}

bool mono_req_timeout(struct tevent_req *req, struct tevent_context *ev, uint64_t ms)
{
	return !tevent_req_nomem(mono_timer_add(ev, req, ms, on_req_timeout, req), req);
}

/* --- alarms --- */

struct mono_alarm {
	int fd; /* closed by fde */
	struct tevent_fd *fde;
	bool set;
	void (*fn)(void *private_data);
	void *private_data;
};

static void on_alarm(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		     void *private_data)
{
	struct mono_alarm *alarm = talloc_get_type_abort(private_data, struct mono_alarm);
	uint64_t times;

	/* Nothing to read: it has been set anew or cleared since the loop was told. */
	if (read(alarm->fd, &times, sizeof(times)) != (ssize_t)sizeof(times)) {
		return;
	}
	alarm->set = false;
	alarm->fn(alarm->private_data);
}

int mono_alarm_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      void (*fn)(void *private_data), void *private_data, struct mono_alarm **out)
{
	struct mono_alarm *alarm = talloc_zero(mem_ctx, struct mono_alarm);
	int err;

	if (alarm == NULL) {
		return ENOMEM;
	}
	alarm->fn = fn;
	alarm->private_data = private_data;
	alarm->fd = open_timer();
	if (alarm->fd < 0) {
		err = errno;
		talloc_free(alarm);
		return err;
	}
	alarm->fde = tevent_add_fd(ev, alarm, alarm->fd, TEVENT_FD_READ, on_alarm, alarm);
	if (alarm->fde == NULL) {
		close(alarm->fd);
		talloc_free(alarm);
		return ENOMEM;
	}
	tevent_fd_set_auto_close(alarm->fde);
	*out = alarm;
	return 0;
}

void mono_alarm_set(struct mono_alarm *alarm, uint64_t ms)
{
	set_timer(alarm->fd, ms);
	alarm->set = true;
}

void mono_alarm_clear(struct mono_alarm *alarm)
{
	(void)timerfd_settime(alarm->fd, 0, &(struct itimerspec){.it_value = {0}}, NULL);
	alarm->set = false;
}

bool mono_alarm_is_set(const struct mono_alarm *alarm)
{
	return alarm->set;
}
