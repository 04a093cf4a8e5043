/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting a program, also from a process with threads. */
#ifndef WITNESSD_UTIL_SPAWN_H
#define WITNESSD_UTIL_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

struct spawn {
	char *const *argv; /* [0] is the path; NULL at the end */
	char *const *env;  /* NULL: ours */
	int in, out;       /* its standard input and output */
	bool group;        /* a process group of its own, to be killed together with its children */
	void (*prepare)(void); /* called in the new process: async-signal-safe only; may be NULL */
};

/**
 * Start it with in, out and our standard error, no other descriptors, and default signal handling. If it
 * cannot be executed the process exits with status 127.
 * @return 0, or the errno of fork(2) with *pid untouched
 */
int spawn_program(const struct spawn *spawn, pid_t *pid);

#endif
