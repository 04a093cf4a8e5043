/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which system calls this process, its threads and its programs may still make (seccomp). */
#ifndef WITNESSD_UTIL_SANDBOX_H
#define WITNESSD_UTIL_SANDBOX_H

#include <stdbool.h>

enum sandbox_mode {
	SANDBOX_NO,
	SANDBOX_LOG, /* the kernel logs what would have been refused */
	SANDBOX_YES,
};

/** "yes", "log" or "no". @return 0 or EINVAL */
int sandbox_parse(const char *text, enum sandbox_mode *mode);

/**
 * From now on a system call that is not known to be needed fails with ENOSYS, as on a kernel that does not
 * have it, so that a library takes its other way or gives up, and the daemon stays. What only an intruder
 * has a use for (ptrace, mount, modules and the like, and without programs also execve) ends the process.
 * For all threads; PR_SET_NO_NEW_PRIVS is set, too. Nothing happens in a build with a sanitizer, whose own
 * calls are many.
 * @param programs whether programs are started
 * @return 0, or an errno: nothing is filtered then
 */
int sandbox_enter(enum sandbox_mode mode, bool programs);

/** For tests: whether this build can filter, which one with a sanitizer cannot. */
bool sandbox_available(void);

#endif
