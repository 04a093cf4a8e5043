/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The map's file: reading it, replacing it in one step, and hearing of changes. */
#ifndef BACKENDS_STATIC_MAPFILE_H
#define BACKENDS_STATIC_MAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>
#include <tevent.h>

/**
 * Read a regular file of at most STATIC_MAP_MAX_BYTES.
 * @param text a child of mem_ctx, ended by NUL
 * @return 0, EFBIG, EINVAL (not a regular file), EAGAIN (it is growing), ENOMEM, or what opening or reading gave
 */
int mapfile_read(TALLOC_CTX *mem_ctx, const char *path, char **text, size_t *len);

/**
 * Replace the file in one step (temporary file, fsync, rename): readers see the old text or the new.
 * Mode and, where allowed, owner stay; a symbolic link stays one. Blocks for the fsync.
 * @return 0, ENOENT (there is no file to replace), or what the steps gave
 */
int mapfile_write(const char *path, const char *text, size_t len);

/**
 * Take the lock that everyone takes who changes the map, without waiting. It is advisory and on the
 * folder, since the file itself is replaced.
 * @param fd to be closed, which unlocks
 * @return 0, EWOULDBLOCK (somebody else is changing it), or what opening gave
 */
int mapfile_lock(const char *path, int *fd);

struct mapfile_watch;

/**
 * Watch a file that may not exist, may be replaced, deleted and created again, with its folder. Uses
 * inotify on the folder for what happens there at once, and stat() twice a second for what inotify
 * cannot see (a folder that is missing or replaced, network file systems, targets of links).
 * @param changed there may be new content: not from inside this function and not after the free; it
 *        must not free the watch. false: it could not be taken in now, and is to be told again in half a second
 * @param missing the file is not there at the start, or has been away for at least half a second; once each
 *        time
 * @return 0, ENOMEM, or the errno of inotify_init1(2)
 */
int mapfile_watch_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *path,
			 bool (*changed)(void *private_data), void (*missing)(void *private_data),
			 void *private_data, struct mapfile_watch **out);

#endif
