/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witnessctl watch --exec: a program that runs for each notification, one at a time, in their order, with
 * what was notified in its environment. No shell is involved.
 */
#ifndef WITNESSCTL_WATCH_EXEC_H
#define WITNESSCTL_WATCH_EXEC_H

#include <stdbool.h>
#include <talloc.h>
#include <tevent.h>

#include "libswnclient/swnclient.h"

#define WATCH_EXEC_QUEUE                                                                           \
	256 /* runs that may wait; then the oldest is forgotten, and that is said */

struct watch_exec;

struct watch_exec_config {
	const char *const *argv; /* [0] is a path or found in PATH; NULL at the end; borrowed */
	unsigned int timeout_ms; /* for a run; 0: none */
	bool all;                /* for every event, not for notifications only */
	const char *net_name;    /* borrowed */
	const char *share;       /* that was registered; NULL: none; borrowed */
	/** After a run, when no other waits. */
	void (*idle)(void *private_data);
	void *private_data;
};

/** @return 0, ENOENT (argv[0] is not to be found), EACCES (not executable) or ENOMEM */
int watch_exec_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct watch_exec_config *config, struct watch_exec **out);

/** Run the program for it, as soon as those before it have ended. Failures are told on standard error. */
void watch_exec_event(struct watch_exec *exec, const struct swnc_event *event);

/** Whether nothing runs and nothing waits. */
bool watch_exec_is_idle(const struct watch_exec *exec);

#endif
