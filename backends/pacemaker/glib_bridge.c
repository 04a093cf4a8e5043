/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/glib_bridge.h"
#include "witnessd/util/mono.h"

#include <errno.h>
#include <glib.h>

/*
 * A hang-up makes a descriptor readable. One that is waited for only because of hang-ups (GLib then asks
 * for no events at all) is not watched: tevent has no way to, and libcib never does so.
 */
#define BRIDGE_READ  (G_IO_IN | G_IO_PRI | G_IO_HUP | G_IO_ERR)
#define BRIDGE_WRITE (G_IO_OUT)

struct glib_bridge {
	struct tevent_context *ev;
	GMainContext *context;
	struct tevent_immediate *round;
	bool scheduled;
	int priority;
	GPollFD *polls; /* what the context waits for, since the last prepare */
	gint num_polls;
	TALLOC_CTX *watches; /* parent of the tevent_fds and the timer that stand for polls */
};

static void bridge_round(struct tevent_context *ev, struct tevent_immediate *im,
			 void *private_data);

static void bridge_schedule(struct glib_bridge *bridge)
{
	if (bridge->scheduled) {
		return;
	}
	bridge->scheduled = true;
	tevent_schedule_immediate(bridge->round, bridge->ev, bridge_round, bridge);
}

/* Something is ready. The watches stay as they are here: a tevent_fd must outlive its own handler. */
static void bridge_fd_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			    void *private_data)
{
	bridge_schedule(talloc_get_type_abort(private_data, struct glib_bridge));
}

static void bridge_timeout(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			   void *private_data)
{
	bridge_schedule(talloc_get_type_abort(private_data, struct glib_bridge));
}

/* Ask the context what it waits for; polls grows until everything fits. */
static int bridge_query(struct glib_bridge *bridge, gint *timeout_ms)
{
	for (;;) {
		gint have = (gint)talloc_array_length(bridge->polls);
		gint need = g_main_context_query(bridge->context, bridge->priority, timeout_ms,
						 bridge->polls, have);
		GPollFD *polls;

		if (need <= have) {
			bridge->num_polls = need;
			return 0;
		}
		polls = talloc_realloc(bridge, bridge->polls, GPollFD, (unsigned int)need);
		if (polls == NULL) {
			bridge->num_polls = 0;
			return ENOMEM;
		}
		bridge->polls = polls;
	}
}

static uint16_t bridge_flags(const struct glib_bridge *bridge, gint fd)
{
	uint16_t flags = 0;

	for (gint i = 0; i < bridge->num_polls; i++) {
		if (bridge->polls[i].fd != fd) {
			continue;
		}
		if (bridge->polls[i].events & BRIDGE_READ) {
			flags |= TEVENT_FD_READ;
		}
		if (bridge->polls[i].events & BRIDGE_WRITE) {
			flags |= TEVENT_FD_WRITE;
		}
	}
	return flags;
}

static bool bridge_seen_before(const struct glib_bridge *bridge, gint index)
{
	for (gint i = 0; i < index; i++) {
		if (bridge->polls[i].fd == bridge->polls[index].fd) {
			return true;
		}
	}
	return false;
}

/* One tevent_fd a descriptor, though several sources may wait for it, and a timer if there is a limit. */
static int bridge_watch(struct glib_bridge *bridge, gint timeout_ms)
{
	bridge->watches = talloc_new(bridge);
	if (bridge->watches == NULL) {
		return ENOMEM;
	}
	for (gint i = 0; i < bridge->num_polls; i++) {
		uint16_t flags = bridge_flags(bridge, bridge->polls[i].fd);

		if (flags == 0 || bridge_seen_before(bridge, i)) {
			continue;
		}
		if (tevent_add_fd(bridge->ev, bridge->watches, bridge->polls[i].fd, flags,
				  bridge_fd_ready, bridge) == NULL) {
			return ENOMEM;
		}
	}
	if (timeout_ms == 0) {
		bridge_schedule(bridge);
	} else if (timeout_ms > 0 &&
		   mono_timer_add(bridge->ev, bridge->watches, (uint64_t)timeout_ms, bridge_timeout,
				  bridge) == NULL) {
		return ENOMEM;
	}
	return 0;
}

static void bridge_arm(struct glib_bridge *bridge)
{
	gint timeout_ms = -1;

	g_main_context_prepare(bridge->context, &bridge->priority);
	if (bridge_query(bridge, &timeout_ms) == 0 && bridge_watch(bridge, timeout_ms) == 0) {
		return;
	}
	/* Short of memory: look again in a round of the loop instead of losing the connection. */
	bridge_schedule(bridge);
}

/*
 * One round of g_main_context_iteration(), cut at its poll: what was prepared last time is polled
 * without waiting, checked and dispatched, then the next is prepared and left to tevent. The watches
 * are gone while sources are dispatched, for these may close descriptors and open others under the
 * same number, which epoll would not notice.
 */
static void bridge_round(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct glib_bridge *bridge = talloc_get_type_abort(private_data, struct glib_bridge);

	bridge->scheduled = false;
	TALLOC_FREE(bridge->watches);
	if (bridge->num_polls > 0) {
		g_poll(bridge->polls, (guint)bridge->num_polls, 0);
	}
	if (g_main_context_check(bridge->context, bridge->priority, bridge->polls,
				 bridge->num_polls)) {
		g_main_context_dispatch(bridge->context);
	}
	bridge_arm(bridge);
}

void glib_bridge_touch(struct glib_bridge *bridge)
{
	TALLOC_FREE(bridge->watches);
	bridge_schedule(bridge);
}

static int bridge_destructor(struct glib_bridge *bridge)
{
	TALLOC_FREE(bridge->watches);
	g_main_context_release(bridge->context);
	return 0;
}

int glib_bridge_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct glib_bridge **out)
{
	struct glib_bridge *bridge = talloc_zero(mem_ctx, struct glib_bridge);

	if (bridge == NULL) {
		return ENOMEM;
	}
	bridge->ev = ev;
	bridge->context = g_main_context_default();
	bridge->round = tevent_create_immediate(bridge);
	if (bridge->round == NULL) {
		talloc_free(bridge);
		return ENOMEM;
	}
	if (!g_main_context_acquire(bridge->context)) {
		talloc_free(bridge);
		return EBUSY;
	}
	talloc_set_destructor(bridge, bridge_destructor);
	bridge_arm(bridge);
	*out = bridge;
	return 0;
}
