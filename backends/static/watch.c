/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/static/mapfile.h"
#include "witnessd/util/mono.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLL_MS 500

/*
 * Not IN_MODIFY or IN_CREATE: the map is only half written then. Changes that only these would report are
 * found by stat() later.
 */
#define WATCH_MASK                                                                                 \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

/* What changes when a file does; all zero: there is none. */
struct identity {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct mapfile_watch {
	struct tevent_context *ev;
	const char *path, *dir, *base;
	int fd;
	int wd; /* -1: the folder is not watched */
	struct tevent_fd *fde;
	struct mono_alarm *poll;
	struct identity told;   /* the file that changed() was last called for */
	struct identity before; /* the file at the last poll */
	bool missing_told;
	bool refused; /* what changed() was last called for */
	bool (*changed)(void *private_data);
	void (*missing)(void *private_data);
	void *private_data;
};

static struct identity look(const char *path)
{
	struct identity id = {.ino = 0};
	struct stat st;

	if (stat(path, &st) == 0) {
		id.dev = st.st_dev;
		id.ino = st.st_ino;
		id.size = st.st_size;
		id.changed = st.st_ctim;
	}
	return id;
}

static bool same(const struct identity *a, const struct identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool nothing(const struct identity *id)
{
	return id->ino == 0;
}

static void tell_changed(struct mapfile_watch *watch)
{
	watch->told = look(watch->path);
	if (!nothing(&watch->told)) {
		watch->missing_told = false;
		watch->refused = !watch->changed(watch->private_data);
	}
}

/* Whether an event is about our file or says that events got lost. */
static bool concerns(struct mapfile_watch *watch, const struct inotify_event *event)
{
	if ((event->mask & IN_IGNORED) != 0) {
		if (event->wd == watch->wd) {
			watch->wd = -1;
		}
		return false;
	}
	if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 && event->wd == watch->wd) {
		/* The folder has gone or has another name now: look for it by path again. */
		inotify_rm_watch(watch->fd, watch->wd);
		watch->wd = -1;
		return false;
	}
	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		return true;
	}
	return event->len > 0 && strcmp(event->name, watch->base) == 0;
}

static void watch_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			   void *private_data)
{
	struct mapfile_watch *watch = talloc_get_type_abort(private_data, struct mapfile_watch);
	char buf[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t len = read(watch->fd, buf, sizeof(buf));
	bool ours = false;

	for (ssize_t pos = 0; pos < len;) {
		const struct inotify_event *event = (const struct inotify_event *)&buf[pos];

		ours = concerns(watch, event) || ours;
		pos += (ssize_t)(sizeof(*event) + event->len);
	}
	if (ours) {
		tell_changed(watch);
	}
}

/* @return whether the folder has begun to be watched */
static bool watch_folder(struct mapfile_watch *watch)
{
	if (watch->wd >= 0) {
		return false;
	}
	watch->wd = inotify_add_watch(watch->fd, watch->dir, WATCH_MASK | IN_ONLYDIR);
	return watch->wd >= 0;
}

static void watch_poll(void *private_data)
{
	struct mapfile_watch *watch = talloc_get_type_abort(private_data, struct mapfile_watch);
	struct identity id = look(watch->path);
	bool settled = same(&id, &watch->before);
	bool begun = watch_folder(watch);

	watch->before = id;
	mono_alarm_set(watch->poll, POLL_MS);
	if (nothing(&id)) {
		if (settled && !watch->missing_told) {
			watch->missing_told = true;
			watch->told = id;
			watch->missing(watch->private_data);
		}
	} else if (begun || watch->refused || (settled && !same(&id, &watch->told))) {
		tell_changed(watch);
	}
}

static void watch_first(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct mapfile_watch *watch = talloc_get_type_abort(private_data, struct mapfile_watch);

	talloc_free(im);
	tell_changed(watch);
	if (nothing(&watch->told)) {
		watch->missing_told = true;
		watch->missing(watch->private_data);
	}
}

static int watch_destructor(struct mapfile_watch *watch)
{
	TALLOC_FREE(watch->fde);
	if (watch->fd >= 0) {
		close(watch->fd);
	}
	return 0;
}

static int watch_paths(struct mapfile_watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/');

	watch->path = talloc_strdup(watch, path);
	watch->base = talloc_strdup(watch, slash != NULL ? slash + 1 : path);
	watch->dir = slash == NULL   ? talloc_strdup(watch, ".")
		     : slash == path ? talloc_strdup(watch, "/")
				     : talloc_strndup(watch, path, (size_t)(slash - path));
	return watch->path != NULL && watch->base != NULL && watch->dir != NULL ? 0 : ENOMEM;
}

static int watch_start(struct mapfile_watch *watch)
{
	struct tevent_immediate *im;
	int err = mono_alarm_create(watch, watch->ev, watch_poll, watch, &watch->poll);

	if (err != 0) {
		return err;
	}
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		return errno;
	}
	watch->fde =
		tevent_add_fd(watch->ev, watch, watch->fd, TEVENT_FD_READ, watch_readable, watch);
	im = tevent_create_immediate(watch);
	if (watch->fde == NULL || im == NULL) {
		return ENOMEM;
	}
	mono_alarm_set(watch->poll, POLL_MS);
	watch_folder(watch);
	tevent_schedule_immediate(im, watch->ev, watch_first, watch);
	return 0;
}

int mapfile_watch_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *path,
			 bool (*changed)(void *private_data), void (*missing)(void *private_data),
			 void *private_data, struct mapfile_watch **out)
{
	struct mapfile_watch *watch = talloc_zero(mem_ctx, struct mapfile_watch);
	int err;

	if (watch == NULL) {
		return ENOMEM;
	}
	watch->ev = ev;
	watch->fd = -1;
	watch->wd = -1;
	watch->changed = changed;
	watch->missing = missing;
	watch->private_data = private_data;
	talloc_set_destructor(watch, watch_destructor);
	err = watch_paths(watch, path);
	err = err != 0 ? err : watch_start(watch);
	if (err != 0) {
		talloc_free(watch);
		return err;
	}
	*out = watch;
	return 0;
}
