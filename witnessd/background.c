/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "witnessd/util/mono.h"
#include "witnessd/util/fileio.h"
#include "witnessd/util/log.h"

/* In the parent: what the child says until it closes the pipe. The first byte is 0 for "serves". */
static void parent_wait(int fd)
{
	char text[2048];
	size_t have = 0;
	ssize_t n;

	do {
		n = read(fd, text + have, sizeof(text) - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	text[have] = '\0';
	if (have > 0 && text[0] == '\0') {
		_exit(0);
	}
	fprintf(stderr, "witnessd: %s\n", have > 0 ? text : "ended before it could serve");
	_exit(1);
}

int background_start(int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		return errno;
	}
	pid = fork();
	if (pid < 0) {
		int err = errno;

		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (pid > 0) {
		close(ends[1]);
		parent_wait(ends[0]);
	}
	close(ends[0]);
	setsid();
	if (chdir("/") != 0) {
		return errno;
	}
	*fd = ends[1];
	return 0;
}

void background_done(int fd, const char *why)
{
	int null;

	/* Where writing fails the parent has gone: nobody is left to be told. */
	if (why != NULL) {
		(void)fileio_write(fd, why, strlen(why));
	} else {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int i = 0; null >= 0 && i < 3; i++) {
			dup2(null, i);
		}
		if (null > 2) {
			close(null);
		}
		(void)fileio_write(fd, "", 1);
	}
	close(fd);
}

void notify_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(un.sun_path) || (path[0] != '/' && path[0] != '@')) {
		return;
	}
	memcpy(un.sun_path, path, len);
	if (path[0] == '@') {
		un.sun_path[0] = '\0';
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return;
	}
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
		log_warn("The service manager could not be told %s: %s", state, strerror(errno));
	}
	close(fd);
}

/* Half of what the manager waits, in ms; 0: it does not. */
static unsigned int watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long us = usec != NULL ? strtoull(usec, NULL, 10) : 0;

	if (pid != NULL && strtoll(pid, NULL, 10) != getpid()) {
		return 0; /* it means another process */
	}
	us /= 2000;
	return us > UINT_MAX / 2 ? UINT_MAX / 2 : (unsigned int)us;
}

struct watchdog {
	unsigned int ms;
};

static void loop_turns(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		       void *private_data)
{
	struct watchdog *watchdog = talloc_get_type_abort(private_data, struct watchdog);

	notify_manager("WATCHDOG=1");
	if (mono_timer_add(ev, watchdog, watchdog->ms, loop_turns, watchdog) == NULL) {
		log_err("out of memory: the service manager will believe that this daemon hangs");
	}
}

int watchdog_start(TALLOC_CTX *mem_ctx, struct tevent_context *ev)
{
	unsigned int ms = watchdog_ms();
	struct watchdog *watchdog;

	if (ms == 0) {
		return 0;
	}
	watchdog = talloc_zero(mem_ctx, struct watchdog);
	if (watchdog == NULL) {
		return ENOMEM;
	}
	watchdog->ms = ms;
	if (tevent_add_timer(ev, watchdog, tevent_timeval_zero(), loop_turns, watchdog) == NULL) {
		talloc_free(watchdog);
		return ENOMEM;
	}
	return 0;
}

unsigned long raise_file_limit(unsigned long files)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return files;
	}
	if (limit.rlim_cur >= files) {
		return limit.rlim_cur;
	}
	limit.rlim_cur = files;
	if (limit.rlim_max < files) {
		limit.rlim_max = files;
	}
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
		return files;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}
