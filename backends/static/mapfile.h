/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The map's file: reading it, replacing it atomically, and watching it. */
#ifndef BACKENDS_STATIC_MAPFILE_H
#define BACKENDS_STATIC_MAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>
#include <tevent.h>

/**
 * Read a regular file of at most STATIC_MAP_MAX_BYTES.
 * @param text a child of mem_ctx, ended by NUL
 * @return 0, EFBIG, EINVAL (not a regular file), EAGAIN (it is growing), ENOMEM, or the errno of opening or reading
 */
int mapfile_read(TALLOC_CTX *mem_ctx, const char *path, char **text, size_t *len);

/**
 * Replace the file atomically (temporary file, fsync, rename): readers see either the old text or the new.
 * Mode and, where allowed, owner stay; a symbolic link stays one. Blocks for the fsync.
 * @return 0, ENOENT (there is no file to replace), or the errno of a step
 */
int mapfile_write(const char *path, const char *text, size_t len);

/**
 * Take the lock for changing the map, without waiting. It is advisory and on the folder, because the file itself
 * is replaced.
 * @param fd to be closed, which unlocks
 * @return 0, EWOULDBLOCK (somebody else is changing it), or what opening gave
 */
int mapfile_lock(const char *path, int *fd);

struct mapfile_watch;

/**
 * Watch a file that may not exist, and may be replaced, deleted and created again, as may its folder. Uses
 * inotify on the folder to see changes at once, and stat() twice a second for what inotify does not report (a
 * folder that is missing or replaced, network file systems, targets of links).
 * @param changed there may be new content. Not called from within this function, nor after the free; must not
 *        free the watch. Returns false to be called again in half a second, when the content cannot be used now
 * @param missing the file is not there at the start, or has been missing for at least half a second; once
 *        each time
 * @return 0, ENOMEM, or the errno of inotify_init1(2)
 */
int mapfile_watch_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *path,
			 bool (*changed)(void *private_data), void (*missing)(void *private_data),
			 void *private_data, struct mapfile_watch **out);

#endif
