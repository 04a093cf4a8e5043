/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/child.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "witnessd/util/lines.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/spawn.h"

#define PAUSE_MIN_S 1
#define PAUSE_MAX_S 30
#define STEADY_S    60 /* one that ran so long begins with a short pause again */

struct child {
	struct tevent_context *ev;
	struct child_config config;
	char **argv;
	pid_t pid; /* also while it waits to be reaped */
	int fd;    /* our end; -1: none */
	struct lines *lines;
	struct mono_alarm *again; /* the next start */
	uint64_t since_ms;
	uint32_t pause_s;
	unsigned int starts;
};

static void start(struct child *child);

/* --- the process --- */

/* @return 0 or an errno */
static int begin(struct child *child)
{
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		return errno;
	}
	if (child->config.spawn != NULL) {
		err = child->config.spawn(child->argv[0], fds[1], &child->pid);
	} else {
		err = spawn_program(
			&(struct spawn){.argv = child->argv, .in = fds[1], .out = fds[1]},
			&child->pid);
	}
	close(fds[1]);
	if (err != 0) {
		close(fds[0]);
		return err;
	}
	child->fd = fds[0];
	return 0;
}

static void close_ours(struct child *child)
{
	TALLOC_FREE(child->lines);
	if (child->fd >= 0) {
		close(child->fd);
	}
	child->fd = -1;
}

/* @return whether there is nothing left to reap; *status is how it ended, or -1 */
static bool reap(struct child *child, int *status)
{
	pid_t pid;

	*status = -1;
	if (child->pid == 0) {
		return true;
	}
	if (child->config.spawn != NULL) {
		child->pid =
			0; /* whoever has started it reaps it; it ends because our end is closed */
		return true;
	}
	pid = waitpid(child->pid, status, WNOHANG);
	if (pid == 0) {
		return false;
	}
	child->pid = 0;
	return true;
}

/* --- again and again --- */

static void on_again(void *private_data)
{
	struct child *child = talloc_get_type_abort(private_data, struct child);
	int status;

	if (!reap(child, &status)) {
		kill(child->pid, SIGKILL); /* it has closed its ends, so it is of no use */
		mono_alarm_set(child->again, 1000);
		return;
	}
	start(child);
}

static void try_again(struct child *child, const char *why)
{
	if (clock_ms() - child->since_ms >= STEADY_S * UINT64_C(1000) || child->pause_s == 0) {
		child->pause_s = PAUSE_MIN_S;
	}
	mono_alarm_set(child->again, child->pause_s * UINT64_C(1000));
	child->pause_s = child->pause_s * 2 < PAUSE_MAX_S ? child->pause_s * 2 : PAUSE_MAX_S;
	if (child->config.ended != NULL) {
		child->config.ended(child->config.private_data, why);
	}
}

static void on_line(void *private_data, char *line)
{
	struct child *child = private_data;

	child->config.line(child->config.private_data, line);
}

static void on_closed(void *private_data, int err)
{
	struct child *child = talloc_get_type_abort(private_data, struct child);
	const char *why = err != 0 ? strerror(err) : "it has ended";
	int status;

	close_ours(child);
	if (reap(child, &status) && status != -1 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 127) {
		why = "it cannot be executed";
	}
	try_again(child, why);
}

static void start(struct child *child)
{
	struct lines_handlers handlers = {child, on_line, on_closed};
	int err = begin(child);

	child->since_ms = clock_ms();
	if (err == 0) {
		err = lines_create(child, child->ev, child->fd, child->fd, &handlers,
				   &child->lines);
	}
	if (err != 0) {
		close_ours(child);
		try_again(child, strerror(err));
		return;
	}
	child->starts++;
	child->config.started(child->config.private_data);
}

/* --- the object --- */

static int child_destructor(struct child *child)
{
	int status;

	close_ours(child);
	if (!reap(child, &status)) {
		kill(child->pid, SIGTERM);
		/* It ends at once; should it not, our end leaves it to init. */
		for (int i = 0; i < 100 && !reap(child, &status); i++) {
			usleep(1000);
		}
	}
	return 0;
}

static char **copy_argv(TALLOC_CTX *mem_ctx, const char *const *argv)
{
	size_t num = 0;
	char **copy;

	while (argv[num] != NULL) {
		num++;
	}
	copy = talloc_zero_array(mem_ctx, char *, num + 1);
	for (size_t i = 0; copy != NULL && i < num; i++) {
		copy[i] = talloc_strdup(copy, argv[i]);
		if (copy[i] == NULL) {
			return NULL;
		}
	}
	return copy;
}

int child_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct child_config *config,
		 struct child **out)
{
	struct child *child = talloc_zero(mem_ctx, struct child);
	int err;

	if (child == NULL) {
		return ENOMEM;
	}
	child->ev = ev;
	child->config = *config;
	child->fd = -1;
	child->argv = copy_argv(child, config->argv);
	err = child->argv == NULL ? ENOMEM
				  : mono_alarm_create(child, ev, on_again, child, &child->again);
	if (err != 0) {
		talloc_free(child);
		return err;
	}
	mono_alarm_set(child->again, 0); /* from the loop: nothing is told inside of this call */
	talloc_set_destructor(child, child_destructor);
	*out = child;
	return 0;
}

void child_send(struct child *child, const char *line)
{
	if (child->lines != NULL) {
		lines_send(child->lines, line);
	}
}

bool child_runs(const struct child *child)
{
	return child->lines != NULL;
}

pid_t child_pid(const struct child *child)
{
	return child->lines != NULL ? child->pid : 0;
}

unsigned int child_starts(const struct child *child)
{
	return child->starts;
}
