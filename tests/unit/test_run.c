/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs that run once: how they end, what they have of us, and that none is left over. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "witnessd/util/run.h"

/* The Makefile puts it in the place of waitpid(). */
static int not_ended_yet; /* so many times */
pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	assert_int_not_equal(options & WNOHANG, 0); /* the loop goes on */
	if (not_ended_yet > 0) {
		not_ended_yet--;
		return 0;
	}
	return __real_waitpid(pid, status, options);
}

struct rig {
	struct tevent_context *ev;
	char dir[64];
};

static int setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	rig->ev = tevent_context_init(rig);
	strcpy(rig->dir, "/tmp/test_run.XXXXXX");
	*state = rig;
	return mkdtemp(rig->dir) == NULL;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/out", rig->dir);
	unlink(path);
	rmdir(rig->dir);
	talloc_free(rig);
	return 0;
}

/* Run a command of the shell in the test's folder. */
static struct tevent_req *run_sh(struct rig *rig, const char *command, unsigned int timeout_ms)
{
	char *text = talloc_asprintf(rig, "cd %s; %s", rig->dir, command);
	char *env[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", (char *)(uintptr_t) "COLOUR=blue",
		       NULL};
	char *argv[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c", text, NULL};
	struct tevent_req *req = run_send(rig, rig->ev, argv, env, timeout_ms);

	assert_non_null(req);
	talloc_free(text);
	return req;
}

static int finish(struct rig *rig, struct tevent_req *req, int *status)
{
	int err;

	assert_true(tevent_req_poll(req, rig->ev));
	err = run_recv(req, status);
	talloc_free(req);
	return err;
}

static void read_written(const struct rig *rig, char *text, size_t size)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/out", rig->dir);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
}

static void assert_written(const struct rig *rig, const char *expected)
{
	char text[256];

	read_written(rig, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void its_exit_status_is_told(void **state)
{
	int status = -1;

	assert_int_equal(finish(*state, run_sh(*state, "exit 7", 0), &status), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(finish(*state, run_sh(*state, "kill -KILL $$", 0), &status), 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void what_cannot_be_executed_is_127(void **state)
{
	struct rig *rig = *state;
	char *argv[] = {rig->dir, NULL};
	int status = -1;

	assert_int_equal(finish(rig, run_send(rig, rig->ev, argv, NULL, 0), &status), 0);
	assert_int_equal(WEXITSTATUS(status), 127);
}

static void it_has_the_environment_given_and_no_input(void **state)
{
	int status = -1;

	assert_int_equal(
		finish(*state,
		       run_sh(*state, "{ echo $COLOUR$HOME; cat; ls /proc/self/fd | wc -l; } >out",
			      0),
		       &status),
		0);
	assert_int_equal(status, 0);
	assert_written(*state, "blue\n4\n"); /* 0, 1, 2, and the folder that ls reads */
}

/* Whether a process is gone, or only waits for its parent to notice. */
static bool has_ended(long pid)
{
	char path[64], text[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (f == NULL) {
		return true;
	}
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return strstr(text, ") Z ") != NULL || text[0] == '\0';
}

static void who_takes_too_long_is_ended_with_what_it_started(void **state)
{
	char text[64];
	int status = -1;

	assert_int_equal(
		finish(*state, run_sh(*state, "sleep 77 & echo $! >out; wait", 100), &status),
		ETIMEDOUT);
	assert_int_equal(status, -1);
	read_written(*state, text, sizeof(text));
	assert_true(atol(text) > 1);
	for (int i = 0; i < 3000 && !has_ended(atol(text)); i++) {
		usleep(10000);
	}
	assert_true(has_ended(atol(text)));
}

static void who_does_not_want_to_end_is_killed(void **state)
{
	int status = -1;

	assert_int_equal(finish(*state,
				run_sh(*state, "trap '' TERM; while :; do sleep 0.1; done", 100),
				&status),
			 ETIMEDOUT);
}

static void time_is_up(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		       void *private_data)
{
	fail_msg("the program is not reaped");
}

/* @return whether we have a process, dead or alive; it stays so */
static bool have_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* The kernel may take a while to end it; we do not wait for that. */
static void freeing_the_request_ends_it(void **state)
{
	struct rig *rig = *state;

	for (int slow = 0; slow < 2; slow++) {
		struct tevent_req *req = run_sh(rig, "sleep 77", 0);
		struct tevent_timer *timer;

		assert_true(have_children());
		not_ended_yet = slow;
		talloc_free(req);
		assert_int_equal(not_ended_yet, 0);
		timer = tevent_add_timer(rig->ev, rig, tevent_timeval_current_ofs(30, 0),
					 time_is_up, NULL);
		while (have_children()) {
			assert_int_equal(tevent_loop_once(rig->ev), 0);
		}
		talloc_free(timer);
	}
}

static void two_at_a_time_end_each_for_itself(void **state)
{
	struct rig *rig = *state;
	struct tevent_req *slow = run_sh(rig, "sleep 0.3; exit 1", 0);
	struct tevent_req *quick = run_sh(rig, "exit 2", 0);
	int status = -1;

	assert_int_equal(finish(rig, quick, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_int_equal(finish(rig, slow, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_exit_status_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_executed_is_127, setup, teardown),
		cmocka_unit_test_setup_teardown(it_has_the_environment_given_and_no_input, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_takes_too_long_is_ended_with_what_it_started,
						setup, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_want_to_end_is_killed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(freeing_the_request_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(two_at_a_time_end_each_for_itself, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
