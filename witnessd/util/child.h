/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A helper program that runs as long as we do: it is started again when it ends, after a pause that grows
 * to half a minute, and talks to us in lines over its standard input and output. It ends when we close.
 */
#ifndef WITNESSD_UTIL_CHILD_H
#define WITNESSD_UTIL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include <talloc.h>
#include <tevent.h>

struct child;

struct child_config {
	const char *const *argv; /* [0] is the path; NULL at the end; copied */
	void *private_data;
	/** Starts argv[0] with fd as its input and output, as a process of somebody else; NULL: as one of ours.
	 *  @return 0 with *pid, or an errno */
	int (*spawn)(const char *path, int fd, pid_t *pid);
	/** It was started (again), without any state. Called from the event loop, as all of these. */
	void (*started)(void *private_data);
	/** A line that it has written. */
	void (*line)(void *private_data, char *line);
	/** It has ended, or could not be started; it will be started again. May be NULL. */
	void (*ended)(void *private_data, const char *why);
};

/** Start it. That it cannot be started is told by ended(). @return 0, ENOMEM, or what timerfd_create(2) gave */
int child_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct child_config *config,
		 struct child **out);

/** Send a line; dropped while it does not run. */
void child_send(struct child *child, const char *line);

/** Whether it runs now. */
bool child_runs(const struct child *child);

/** Its process id; 0 when it does not run. */
pid_t child_pid(const struct child *child);

/** How often it has been started. */
unsigned int child_starts(const struct child *child);

#endif
