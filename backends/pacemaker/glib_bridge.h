/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drives GLib's default main context from a tevent loop. libcib attaches its connection and its
 * timers to this context only. Sources are dispatched from the tevent loop, one after the other, without
 * threads or nested loops.
 */
#ifndef BACKENDS_PACEMAKER_GLIB_BRIDGE_H
#define BACKENDS_PACEMAKER_GLIB_BRIDGE_H

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct glib_bridge;

/**
 * Take over the default main context, until the bridge is freed. One bridge per process.
 * @return 0; EBUSY when another thread has the context; ENOMEM
 */
int glib_bridge_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct glib_bridge **out);

/**
 * Call this before anything that may add, change or close sources of the context from outside their callbacks
 * (every call of libcib). Stops watching at once, so that no descriptor is watched that libcib has
 * closed, and looks at the sources again in the next round of the loop.
 */
void glib_bridge_touch(struct glib_bridge *bridge);

#endif
