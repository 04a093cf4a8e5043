/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct lines {
	struct tevent_context *ev;
	struct lines_handlers handlers;
	int read_fd, write_fd;
	struct tevent_fd *readable, *writable; /* writable is there while something is queued */
	struct tevent_immediate *closing;
	char *in; /* LINES_MAX bytes */
	size_t in_len;
	char *out; /* grows by doubling; out_done of out_len are written */
	size_t out_len, out_done;
	bool closed;
	int err;
	bool *freed; /* set by the destructor, while a line is being handled */
};

static int lines_destructor(struct lines *lines)
{
	if (lines->freed != NULL) {
		*lines->freed = true;
	}
	return 0;
}

static void tell_closed(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct lines *lines = talloc_get_type_abort(private_data, struct lines);

	lines->handlers.closed(lines->handlers.private_data, lines->err);
}

static void shut(struct lines *lines, int err)
{
	if (lines->closed) {
		return;
	}
	lines->closed = true;
	lines->err = err;
	TALLOC_FREE(lines->readable);
	TALLOC_FREE(lines->writable);
	tevent_schedule_immediate(lines->closing, lines->ev, tell_closed, lines);
}

/* Pass on the complete lines. @return false when a handler has freed or closed us */
static bool take_lines(struct lines *lines)
{
	char *start = lines->in, *end;
	bool freed = false;

	while (!lines->closed &&
	       (end = memchr(start, '\n', lines->in_len - (size_t)(start - lines->in))) != NULL) {
		*end = '\0';
		if (strlen(start) != (size_t)(end - start)) {
			shut(lines, EBADMSG);
			return false;
		}
		/* cppcheck-suppress autoVariables ; only during the call that follows */
		lines->freed = &freed;
		lines->handlers.line(lines->handlers.private_data, start);
		if (freed) {
			return false;
		}
		lines->freed = NULL;
		start = end + 1;
	}
	lines->in_len -= (size_t)(start - lines->in);
	memmove(lines->in, start, lines->in_len);
	return !lines->closed;
}

static void on_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			void *private_data)
{
	struct lines *lines = talloc_get_type_abort(private_data, struct lines);
	ssize_t got = read(lines->read_fd, lines->in + lines->in_len, LINES_MAX - lines->in_len);

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (got <= 0) {
		shut(lines, got < 0 ? errno : 0);
		return;
	}
	lines->in_len += (size_t)got;
	if (take_lines(lines) && lines->in_len == LINES_MAX) {
		shut(lines, EMSGSIZE);
	}
}

static void on_writable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			void *private_data)
{
	struct lines *lines = talloc_get_type_abort(private_data, struct lines);
	ssize_t put = write(lines->write_fd, lines->out + lines->out_done,
			    lines->out_len - lines->out_done);

	if (put < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			shut(lines, errno);
		}
		return;
	}
	lines->out_done += (size_t)put;
	if (lines->out_done == lines->out_len) {
		lines->out_len = lines->out_done = 0;
		TALLOC_FREE(lines->writable);
	}
}

static int make_room(struct lines *lines, size_t need)
{
	size_t waiting = lines->out_len - lines->out_done, size = talloc_array_length(lines->out);
	char *out;

	if (need > LINES_MAX_QUEUE - waiting) {
		return ENOBUFS;
	}
	if (size - lines->out_len >= need) {
		return 0;
	}
	memmove(lines->out, lines->out + lines->out_done, waiting);
	lines->out_len = waiting;
	lines->out_done = 0;
	while (size - waiting < need) {
		size *= 2;
	}
	out = talloc_realloc(lines, lines->out, char, size);
	if (out == NULL) {
		return ENOMEM;
	}
	lines->out = out;
	return 0;
}

void lines_send(struct lines *lines, const char *line)
{
	size_t len = strlen(line);
	int err;

	if (lines->closed) {
		return;
	}
	err = len >= LINES_MAX ? EMSGSIZE : make_room(lines, len + 1);
	if (err == 0 && lines->writable == NULL) {
		lines->writable = tevent_add_fd(lines->ev, lines, lines->write_fd, TEVENT_FD_WRITE,
						on_writable, lines);
		err = lines->writable == NULL ? ENOMEM : 0;
	}
	if (err != 0) {
		shut(lines, err);
		return;
	}
	memcpy(lines->out + lines->out_len, line, len);
	lines->out[lines->out_len + len] = '\n';
	lines->out_len += len + 1;
}

bool lines_flushed(const struct lines *lines)
{
	return lines->out_len == lines->out_done;
}

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ? errno : 0;
}

int lines_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, int read_fd, int write_fd,
		 const struct lines_handlers *handlers, struct lines **out)
{
	struct lines *lines = talloc_zero(mem_ctx, struct lines);
	int err;

	if (lines == NULL) {
		return ENOMEM;
	}
	*lines = (struct lines){
		.ev = ev, .handlers = *handlers, .read_fd = read_fd, .write_fd = write_fd};
	talloc_set_destructor(lines, lines_destructor);
	lines->in = talloc_array(lines, char, LINES_MAX);
	lines->out = talloc_array(lines, char, 4096);
	lines->closing = tevent_create_immediate(lines);
	lines->readable = tevent_add_fd(ev, lines, read_fd, TEVENT_FD_READ, on_readable, lines);
	err = lines->in == NULL || lines->out == NULL || lines->closing == NULL ||
			      lines->readable == NULL
		      ? ENOMEM
		      : set_nonblocking(read_fd);
	if (err == 0 && write_fd != read_fd) {
		err = set_nonblocking(write_fd);
	}
	if (err != 0) {
		talloc_free(lines);
		return err;
	}
	*out = lines;
	return 0;
}
