/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dropping root for a user with a few capabilities, irrevocably. */
#ifndef WITNESSD_UTIL_RIGHTS_H
#define WITNESSD_UTIL_RIGHTS_H

#include <stddef.h>
#include <sys/types.h>

struct rights {
	uid_t uid;
	gid_t gid;
	gid_t file_gid;      /* group of new files */
	const gid_t *groups; /* supplementary ones */
	size_t num_groups;
	const int *caps; /* CAP_*: those to keep, if held now */
	size_t num_caps;
	const int *child_caps; /* those of caps that rights_give() may pass to a program */
	size_t num_child_caps;
};

/**
 * Become that user. The bounding set is emptied, and no program executed later can gain privileges
 * (PR_SET_NO_NEW_PRIVS). Affects this thread only, so no other may have been started yet.
 * @return 0, or the errno of the step that failed: the process must exit then
 */
int rights_take(const struct rights *rights);

/** Give up every capability; threads started later have none, either. @return 0 or EPERM */
int rights_none(void);

/** Between fork() and exec(): give the program this one of child_caps. @return 0 or an errno */
int rights_give(int cap);

#endif
