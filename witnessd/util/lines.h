/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of text in both directions between two processes of ours; either may hang, die or send garbage. */
#ifndef WITNESSD_UTIL_LINES_H
#define WITNESSD_UTIL_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>
#include <tevent.h>

#define LINES_MAX       (64 * 1024)       /* bytes of a line */
#define LINES_MAX_QUEUE (8 * 1024 * 1024) /* bytes waiting to be written */

struct lines;

struct lines_handlers {
	void *private_data;
	/** A line without its newline. May free the lines. */
	void (*line)(void *private_data, char *line);
	/**
	 * The other end has gone, or sends garbage: err is 0 (end of file), EMSGSIZE (a line too long),
	 * EBADMSG (a NUL), ENOBUFS (it does not read), ENOMEM, or what read(2) or write(2) returned. Nothing follows.
	 * Comes from the event loop. May free the lines.
	 */
	void (*closed)(void *private_data, int err);
};

/** Both descriptors are made non-blocking and remain the caller's; they may be the same. @return 0 or an errno */
int lines_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, int read_fd, int write_fd,
		 const struct lines_handlers *handlers, struct lines **out);

/** Queue a line; a newline is added. If that fails, closed() is called later. */
void lines_send(struct lines *lines, const char *line);

/** Whether all that was queued has been written. */
bool lines_flushed(const struct lines *lines);

#endif
