/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program in a process of its own, also from one that has threads. */
#ifndef WITNESSD_UTIL_SPAWN_H
#define WITNESSD_UTIL_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

struct spawn {
	char *const *argv; /* [0] is the path; NULL at the end */
	char *const *env;  /* NULL: ours */
	int in, out;       /* its standard input and output */
	bool group;        /* a process group of its own, which can be killed with what it starts */
	void (*prepare)(void); /* in the new process; only what is safe after fork(); may be NULL */
};

/**
 * Start it, with no other descriptors but standard error, and with default signals. When it cannot be
 * executed the process ends with status 127.
 * @return 0, or the errno of fork(2) with *pid untouched
 */
int spawn_program(const struct spawn *spawn, pid_t *pid);

#endif
