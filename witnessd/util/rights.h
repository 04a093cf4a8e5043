/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From root to a user with a few capabilities, once and for good. */
#ifndef WITNESSD_UTIL_RIGHTS_H
#define WITNESSD_UTIL_RIGHTS_H

#include <stddef.h>
#include <sys/types.h>

struct rights {
	uid_t uid;
	gid_t gid;
	gid_t file_gid;      /* what new files belong to */
	const gid_t *groups; /* supplementary ones */
	size_t num_groups;
	const int *caps; /* CAP_*: what is kept, as far as it is there now */
	size_t num_caps;
	const int *child_caps; /* those of caps that a program can be given by rights_give() */
	size_t num_child_caps;
};

/**
 * Become that. The bounding set is emptied, and no program that is executed from here gains anything
 * (PR_SET_NO_NEW_PRIVS). For this thread: there must be no other one yet.
 * @return 0, or the errno of what failed: the process has to end then
 */
int rights_take(const struct rights *rights);

/** Give up every capability; what threads of later start with, too. @return 0 or EPERM */
int rights_none(void);

/** Between fork() and exec(): the program will have this one of child_caps. @return 0 or an errno */
int rights_give(int cap);

#endif
