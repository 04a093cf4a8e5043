/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Between fork() and exec() only what POSIX allows a process that had threads. */
static void become(const struct spawn *spawn)
{
	sigset_t none;
	struct rlimit files;

	if (spawn->group) {
		(void)setpgid(0, 0);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	if (spawn->prepare != NULL) {
		spawn->prepare();
	}
	if (dup2(spawn->in, STDIN_FILENO) < 0 || dup2(spawn->out, STDOUT_FILENO) < 0) {
		_exit(126);
	}
	/* Not all libraries open their descriptors with close-on-exec. */
	if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0 && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		for (int i = 3; (rlim_t)i < files.rlim_cur; i++) {
			close(i);
		}
	}
	execve(spawn->argv[0], spawn->argv, spawn->env != NULL ? spawn->env : environ);
	_exit(127);
}

int spawn_program(const struct spawn *spawn, pid_t *pid)
{
	pid_t child = fork();

	if (child < 0) {
		return errno;
	}
	if (child == 0) {
		become(spawn);
	}
	if (spawn->group) {
		(void)setpgid(child, child); /* whoever is first */
	}
	*pid = child;
	return 0;
}
