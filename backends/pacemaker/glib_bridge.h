/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drives GLib's default main context from a tevent loop. libcib attaches its connection and its
 * timers there and nowhere else. Sources are dispatched from the tevent loop, one after the other; no
 * thread and no nested loop is involved.
 */
#ifndef BACKENDS_PACEMAKER_GLIB_BRIDGE_H
#define BACKENDS_PACEMAKER_GLIB_BRIDGE_H

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct glib_bridge;

/**
 * Take the default main context over, until the bridge is freed. One bridge a process.
 * @return 0; EBUSY when another thread has the context; ENOMEM
 */
int glib_bridge_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct glib_bridge **out);

/**
 * To be called before anything that may add, change or close sources of the context from outside of
 * their callbacks (every call of libcib). Stops watching at once, so that no descriptor is watched
 * that libcib has closed, and looks anew in the next round of the loop.
 */
void glib_bridge_touch(struct glib_bridge *bridge);

#endif
