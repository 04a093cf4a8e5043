/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/control/poll.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "witnessd/util/hash.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/files.h"

struct control_poll {
	struct tevent_context *ev;
	struct watch *watches;
	uint64_t last_id;
	unsigned int max, num[CONTROL_NUM_RANKS]; /* connections */
	enum control_rank (*rank)(void *private_data, uid_t uid, gid_t gid);
	void *rank_private;
	uint64_t refused, out_of_files;
};

/* One fd of libqb's. */
struct watch {
	int32_t fd;
	uint64_t id; /* tells it from a later watch on the same fd */
	int32_t events;
	void *data;
	qb_ipcs_dispatch_fn_t fn;
	struct tevent_fd *fde;
	bool listening;
	struct mono_timer *pause; /* of a listening one: no descriptor is left */
	enum control_rank rank;   /* of the others */
	UT_hash_handle hh;
};

struct job {
	void *data;
	qb_loop_job_dispatch_fn fn;
};

/* Has to be global: dispatch_del() gets only an fd, and job_add() nothing that leads to the server. */
static struct control_poll *the_poll;

static int watch_destructor(struct watch *watch)
{
	HASH_DEL(the_poll->watches, watch);
	TALLOC_FREE(watch->fde);
	if (!watch->listening) {
		the_poll->num[watch->rank]--;
	}
	return 0;
}

static struct watch *watch_find(int32_t fd)
{
	struct watch *watch = NULL;

	if (the_poll != NULL) {
		HASH_FIND_INT(the_poll->watches, &fd, watch);
	}
	return watch;
}

static uint16_t tevent_flags(int32_t events)
{
	uint16_t flags = 0;

	if (events & POLLIN) {
		flags |= TEVENT_FD_READ;
	}
	if (events & POLLOUT) {
		flags |= TEVENT_FD_WRITE;
	}
	return flags;
}

static void watch_resume(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			 void *private_data)
{
	struct watch *watch = talloc_get_type_abort(private_data, struct watch);

	TALLOC_FREE(watch->pause);
	tevent_fd_set_flags(watch->fde, tevent_flags(watch->events));
}

/* libqb would try to accept, fail, log that and be called again, endlessly. */
static void watch_pause(struct watch *watch)
{
	the_poll->out_of_files++;
	watch->pause = mono_timer_add(the_poll->ev, watch, FILES_PAUSE_MS, watch_resume, watch);
	if (watch->pause != NULL) {
		tevent_fd_set_flags(watch->fde, 0);
	}
}

static void watch_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			void *private_data)
{
	struct watch *watch = private_data;
	uint64_t id = watch->id;
	int32_t fd = watch->fd;
	/* libqb distinguishes a hang-up from input; tevent does not. */
	struct pollfd pfd = {.fd = fd, .events = (short)watch->events};

	if (poll(&pfd, 1, 0) != 1) {
		return;
	}
	if (watch->listening && !files_left()) {
		watch_pause(watch);
		return;
	}
	if (watch->fn(fd, pfd.revents, watch->data) < 0) {
		/* As in qb_loop: a negative result ends the watch, unless it has ended already. */
		watch = watch_find(fd);
		if (watch != NULL && watch->id == id) {
			talloc_free(watch);
		}
	}
}

static int32_t dispatch_mod(enum qb_loop_priority p, int32_t fd, int32_t events, void *data,
			    qb_ipcs_dispatch_fn_t fn)
{
	struct watch *watch = watch_find(fd);

	if (watch == NULL) {
		return -ENOENT;
	}
	watch->events = events;
	watch->data = data;
	watch->fn = fn;
	if (watch->pause == NULL) {
		tevent_fd_set_flags(watch->fde, tevent_flags(events));
	}
	return 0;
}

static bool is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0;
}

static enum control_rank rank_of(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (the_poll->rank == NULL) {
		return CONTROL_OWNER;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
		return CONTROL_STRANGER;
	}
	return the_poll->rank(the_poll->rank_private, cred.uid, cred.gid);
}

static bool has_room(enum control_rank rank)
{
	const unsigned int *num = the_poll->num;
	unsigned int max = the_poll->max;
	unsigned int others = num[CONTROL_MEMBER] + num[CONTROL_STRANGER];

	if (the_poll->rank == NULL) {
		return true;
	}
	switch (rank) {
	case CONTROL_STRANGER:
		return num[CONTROL_STRANGER] < max / 4;
	case CONTROL_MEMBER:
		return others < max / 4 * 3;
	default:
		return num[CONTROL_OWNER] + others < max;
	}
}

static int32_t dispatch_add(enum qb_loop_priority p, int32_t fd, int32_t events, void *data,
			    qb_ipcs_dispatch_fn_t fn)
{
	bool listening = is_listening(fd);
	enum control_rank rank;
	struct watch *watch;

	if (the_poll == NULL || watch_find(fd) != NULL) {
		return -EEXIST;
	}
	rank = listening ? CONTROL_OWNER : rank_of(fd);
	if (!listening && !has_room(rank)) {
		the_poll->refused++;
		return -EMFILE;
	}
	watch = talloc_zero(the_poll, struct watch);
	if (watch == NULL) {
		return -ENOMEM;
	}
	watch->fd = fd;
	watch->id = ++the_poll->last_id;
	watch->events = events;
	watch->data = data;
	watch->fn = fn;
	watch->listening = listening;
	watch->rank = rank;
	watch->fde =
		tevent_add_fd(the_poll->ev, watch, fd, tevent_flags(events), watch_ready, watch);
	if (watch->fde == NULL) {
		talloc_free(watch);
		return -ENOMEM;
	}
	HASH_ADD_INT(the_poll->watches, fd, watch);
	if (watch->hh.tbl == NULL) {
		talloc_free(watch);
		return -ENOMEM;
	}
	if (!listening) {
		the_poll->num[rank]++;
	}
	talloc_set_destructor(watch, watch_destructor);
	return 0;
}

static int32_t dispatch_del(int32_t fd)
{
	struct watch *watch = watch_find(fd);

	if (watch == NULL) {
		return -ENOENT;
	}
	talloc_free(watch);
	return 0;
}

static void job_run(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	struct job *job = talloc_get_type_abort(private_data, struct job);
	void *data = job->data;
	qb_loop_job_dispatch_fn fn = job->fn;

	talloc_free(job);
	fn(data);
}

static int32_t job_add(enum qb_loop_priority p, void *data, qb_loop_job_dispatch_fn fn)
{
	struct job *job = the_poll != NULL ? talloc_zero(the_poll, struct job) : NULL;
	struct tevent_immediate *im = job != NULL ? tevent_create_immediate(job) : NULL;

	if (im == NULL) {
		talloc_free(job);
		return -ENOMEM;
	}
	job->data = data;
	job->fn = fn;
	tevent_schedule_immediate(im, the_poll->ev, job_run, job);
	return 0;
}

static int poll_destructor(struct control_poll *poll_ctx)
{
	struct watch *watch, *next;

	HASH_ITER (hh, poll_ctx->watches, watch, next) {
		talloc_free(watch);
	}
	the_poll = NULL;
	return 0;
}

int control_poll_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct control_poll **out)
{
	if (the_poll != NULL) {
		return EBUSY;
	}
	the_poll = talloc_zero(mem_ctx, struct control_poll);
	if (the_poll == NULL) {
		return ENOMEM;
	}
	the_poll->ev = ev;
	talloc_set_destructor(the_poll, poll_destructor);
	*out = the_poll;
	return 0;
}

void control_poll_attach(qb_ipcs_service_t *service)
{
	struct qb_ipcs_poll_handlers handlers = {
		.job_add = job_add,
		.dispatch_add = dispatch_add,
		.dispatch_mod = dispatch_mod,
		.dispatch_del = dispatch_del,
	};

	qb_ipcs_poll_handlers_set(service, &handlers); /* copies them */
}

void control_poll_limit(struct control_poll *poll_ctx, unsigned int max,
			enum control_rank (*rank)(void *private_data, uid_t uid, gid_t gid),
			void *private_data)
{
	poll_ctx->max = max;
	poll_ctx->rank = rank;
	poll_ctx->rank_private = private_data;
}

uint64_t control_poll_refused(const struct control_poll *poll_ctx)
{
	return poll_ctx->refused;
}

uint64_t control_poll_out_of_files(const struct control_poll *poll_ctx)
{
	return poll_ctx->out_of_files;
}
