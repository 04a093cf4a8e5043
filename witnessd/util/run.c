/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"
#include "witnessd/util/spawn.h"

#define KILL_AFTER_MS 1000

struct run_state {
	struct tevent_context *ev;
	pid_t pid; /* 0: reaped */
	int status;
	bool late;
	struct tevent_signal *sigchld;
	struct mono_alarm *time; /* NULL: as long as it takes */
};

/* A program that is killed, whose request is gone. */
struct orphan {
	pid_t pid;
};

/* @return whether nothing is left of it */
static bool orphan_reap(const struct orphan *orphan)
{
	return waitpid(orphan->pid, NULL, WNOHANG) != 0;
}

static void on_orphan(struct tevent_context *ev, struct tevent_signal *se, int signum, int count,
		      void *siginfo, void *private_data)
{
	struct orphan *orphan = talloc_get_type_abort(private_data, struct orphan);

	if (orphan_reap(orphan)) {
		talloc_free(orphan);
	}
}

/* One that hangs in the kernel (a file server that is gone) ends when it can: the loop does not wait for it. */
static void kill_and_reap(struct tevent_context *ev, pid_t pid)
{
	struct orphan *orphan = talloc_zero(ev, struct orphan);

	if (orphan != NULL) {
		orphan->pid = pid;
		/* Before it is killed, so that its end is not missed. */
		(void)tevent_add_signal(ev, orphan, SIGCHLD, 0, on_orphan, orphan);
	}
	(void)kill(-pid, SIGKILL);
	if (orphan != NULL && orphan_reap(orphan)) {
		talloc_free(orphan);
	}
}

/* Freed while it runs: nobody will wait for it, so it must end now. */
static void run_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	struct run_state *state = tevent_req_data(req, struct run_state);

	if (req_state != TEVENT_REQ_RECEIVED || state->pid == 0) {
		return;
	}
	kill_and_reap(state->ev, state->pid);
	state->pid = 0;
}

static void reap(struct tevent_req *req)
{
	struct run_state *state = tevent_req_data(req, struct run_state);

	if (state->pid == 0 || waitpid(state->pid, &state->status, WNOHANG) != state->pid) {
		return;
	}
	if (state->late) {
		(void)kill(-state->pid, SIGKILL); /* what it has left behind */
	}
	state->pid = 0;
	TALLOC_FREE(state->time);
	if (state->late) {
		tevent_req_error(req, ETIMEDOUT);
	} else {
		tevent_req_done(req);
	}
}

static void on_child(struct tevent_context *ev, struct tevent_signal *se, int signum, int count,
		     void *siginfo, void *private_data)
{
	reap(private_data);
}

static void on_time(void *private_data)
{
	struct run_state *state = tevent_req_data(private_data, struct run_state);

	(void)kill(-state->pid, state->late ? SIGKILL : SIGTERM);
	state->late = true;
	mono_alarm_set(state->time, KILL_AFTER_MS);
}

/* @return 0 or an errno */
static int start(struct tevent_req *req, char *const *argv, char *const *env,
		 unsigned int timeout_ms)
{
	struct run_state *state = tevent_req_data(req, struct run_state);
	int null_fd, err;

	if (timeout_ms != 0) {
		err = mono_alarm_create(state, state->ev, on_time, req, &state->time);
		if (err != 0) {
			return err;
		}
	}
	/* Before the start, so that an early end is not missed. */
	state->sigchld = tevent_add_signal(state->ev, state, SIGCHLD, 0, on_child, req);
	if (state->sigchld == NULL) {
		return ENOMEM;
	}
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null_fd < 0) {
		return errno;
	}
	err = spawn_program(&(struct spawn){.argv = argv,
					    .env = env,
					    .in = null_fd,
					    .out = STDERR_FILENO,
					    .group = true},
			    &state->pid);
	close(null_fd);
	if (err == 0 && timeout_ms != 0) {
		mono_alarm_set(state->time, timeout_ms);
	}
	return err;
}

struct tevent_req *run_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev, char *const *argv,
			    char *const *env, unsigned int timeout_ms)
{
	struct run_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct run_state);

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	tevent_req_set_cleanup_fn(req, run_cleanup);
	if (tevent_req_error(req, (uint64_t)start(req, argv, env, timeout_ms))) {
		return tevent_req_post(req, ev);
	}
	return req;
}

int run_recv(struct tevent_req *req, int *status)
{
	struct run_state *state = tevent_req_data(req, struct run_state);
	int err = req_errno(req);

	if (err == 0) {
		*status = state->status;
	}
	tevent_req_received(req);
	return err;
}
