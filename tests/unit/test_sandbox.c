/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filter of system calls, each time in a process of its own: nobody gets out of it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "witnessd/util/sandbox.h"

enum { FINE = 42, NOT_ENTERED = 99, SIGNALLED = 128 };

/* What becomes of a process that calls fn() in the sandbox: an exit status, or SIGNALLED + a signal. */
static int fate(int (*fn)(void), enum sandbox_mode mode, bool programs)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		_exit(sandbox_enter(mode, programs) == 0 ? fn() : NOT_ENTERED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

static void *thread(void *arg)
{
	*(int *)arg = FINE;
	return NULL;
}

static int start_thread(void)
{
	pthread_t id;
	int result = 0;

	return pthread_create(&id, NULL, thread, &result) == 0 && pthread_join(id, NULL) == 0
		       ? result
		       : 1;
}

static int result_of(long ret)
{
	return ret >= 0 ? FINE : errno;
}

static int open_file(void)
{
	return result_of(open("/dev/null", O_RDWR | O_CLOEXEC));
}

static int ask_keyring(void)
{
	return result_of(syscall(SYS_keyctl, 0, 0, 0));
}

static int vsock_socket(void)
{
	return result_of(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int packet_socket(void)
{
	return result_of(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int new_process(void)
{
	pid_t child = fork();

	if (child == 0) {
		_exit(0);
	}
	return result_of(child);
}

static int new_namespace(void)
{
	long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0) {
		_exit(0);
	}
	return result_of(child);
}

static int debug_parent(void)
{
	return result_of(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static int run_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static void what_is_needed_works(void **state)
{
	assert_int_equal(fate(start_thread, SANDBOX_YES, false), FINE);
	assert_int_equal(fate(open_file, SANDBOX_YES, false), FINE);
}

static void what_is_not_known_fails_as_on_an_older_kernel(void **state)
{
	assert_int_equal(fate(ask_keyring, SANDBOX_YES, false), ENOSYS);
	assert_int_equal(fate(vsock_socket, SANDBOX_YES, false), ENOSYS);
	assert_int_equal(fate(packet_socket, SANDBOX_YES, false), ENOSYS);
	assert_int_equal(fate(new_process, SANDBOX_YES, false), ENOSYS);
	assert_int_equal(fate(new_namespace, SANDBOX_YES, false), ENOSYS);
}

static void what_only_an_intruder_does_ends_the_process(void **state)
{
	assert_int_equal(fate(debug_parent, SANDBOX_YES, false), SIGNALLED + SIGSYS);
	assert_int_equal(fate(run_program, SANDBOX_YES, false), SIGNALLED + SIGSYS);
}

static void who_starts_programs_may_but_in_no_namespace(void **state)
{
	assert_int_equal(fate(run_program, SANDBOX_YES, true), 0);
	assert_int_equal(fate(new_process, SANDBOX_YES, true), FINE);
	assert_int_equal(fate(new_namespace, SANDBOX_YES, true), ENOSYS);
	assert_int_equal(fate(vsock_socket, SANDBOX_YES, true), ENOSYS);
	assert_int_equal(fate(debug_parent, SANDBOX_YES, true), SIGNALLED + SIGSYS);
}

static void without_and_with_a_log_only_nothing_is_refused(void **state)
{
	static const enum sandbox_mode modes[] = {SANDBOX_NO, SANDBOX_LOG};

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(fate(new_process, modes[i], false), FINE);
		assert_int_equal(fate(run_program, modes[i], false), 0);
	}
}

static void modes_have_names(void **state)
{
	enum sandbox_mode mode = SANDBOX_NO;

	assert_int_equal(sandbox_parse("yes", &mode), 0);
	assert_int_equal(mode, SANDBOX_YES);
	assert_int_equal(sandbox_parse("log", &mode), 0);
	assert_int_equal(mode, SANDBOX_LOG);
	assert_int_equal(sandbox_parse("perhaps", &mode), EINVAL);
	assert_int_equal(mode, SANDBOX_LOG);
	assert_int_equal(sandbox_parse("no", &mode), 0);
	assert_int_equal(mode, SANDBOX_NO);
}

int main(void)
{
	const struct CMUnitTest everywhere[] = {
		cmocka_unit_test(what_is_needed_works),
		cmocka_unit_test(without_and_with_a_log_only_nothing_is_refused),
		cmocka_unit_test(modes_have_names),
	};
	const struct CMUnitTest filtered[] = {
		cmocka_unit_test(what_is_not_known_fails_as_on_an_older_kernel),
		cmocka_unit_test(what_only_an_intruder_does_ends_the_process),
		cmocka_unit_test(who_starts_programs_may_but_in_no_namespace),
	};
	int failed = cmocka_run_group_tests(everywhere, NULL, NULL);

	/* A sanitizer's build has no filter. */
	return sandbox_available() ? failed + cmocka_run_group_tests(filtered, NULL, NULL) : failed;
}
