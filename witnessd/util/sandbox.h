/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A seccomp filter for this process, its threads and the programs it starts. */
#ifndef WITNESSD_UTIL_SANDBOX_H
#define WITNESSD_UTIL_SANDBOX_H

#include <stdbool.h>

enum sandbox_mode {
	SANDBOX_NO,
	SANDBOX_LOG, /* refuse nothing: the kernel logs what would have been refused */
	SANDBOX_YES,
};

/** "yes", "log" or "no". @return 0 or EINVAL */
int sandbox_parse(const char *text, enum sandbox_mode *mode);

/**
 * From now on a system call that is not on the list fails with ENOSYS, as on a kernel without it: a library
 * falls back or gives up, and the daemon goes on. Calls that only an attacker would make (ptrace, mount,
 * modules and the like, without programs also execve) kill the process. Applies to all threads, and sets
 * PR_SET_NO_NEW_PRIVS. Does nothing in a build with a sanitizer, which needs many more calls.
 * @param programs whether this process starts programs
 * @return 0, or an errno: nothing is filtered then
 */
int sandbox_enter(enum sandbox_mode mode, bool programs);

/** For tests: whether sandbox_enter() does anything in this build. */
bool sandbox_available(void);

#endif
