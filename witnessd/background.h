/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the process lives beside others: background, pid file, readiness, limits. */
#ifndef WITNESSD_BACKGROUND_H
#define WITNESSD_BACKGROUND_H

#include <stdbool.h>
#include <talloc.h>
#include <tevent.h>

/**
 * Fork; the child goes on as the leader of a session of its own, the caller does not return: it waits
 * for background_done(), prints what went wrong and exits, 0 when nothing did.
 * @param fd for background_done() in the child
 * @return 0 in the child, or an errno
 */
int background_start(int *fd);

/** Let the parent go. why NULL: the daemon serves; standard streams become /dev/null. */
void background_done(int fd, const char *why);

/* A locked file with the process id; freeing it removes the file. */
struct pidfile;

/**
 * @param why a sentence, a child of mem_ctx; names the other daemon's pid with EBUSY
 * @return 0, EBUSY when another process holds it, or an errno
 */
int pidfile_create(TALLOC_CTX *mem_ctx, const char *path, struct pidfile **out, char **why);

/** Tell the service manager ("READY=1"), if there is one that wants it (sd_notify(3)). */
void notify_manager(const char *state);

/**
 * If the service manager watches us (WATCHDOG_USEC), tell it from the event loop that that turns, twice in the
 * time after which it would start us again. A loop can stop: libraries of cluster managers wait without limit for a
 * manager that hangs.
 * @return 0 or ENOMEM
 */
int watchdog_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev);

/** Raise RLIMIT_NOFILE to at least that. @return the limit now: less, where more is not allowed */
unsigned long raise_file_limit(unsigned long files);

#endif
