/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the daemon lives beside others: pid file, background, readiness. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "witnessd/background.h"
#include "witnessd/util/clock.h"

struct fixture {
	char dir[64];
	char *path;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	strcpy(f->dir, "/tmp/test_background.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = talloc_asprintf(f, "%s/pid", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	talloc_free(f);
	return 0;
}

static void a_pid_file_has_the_pid_and_goes_with_its_owner(void **state)
{
	struct fixture *f = *state;
	struct pidfile *pidfile = NULL;
	char text[32] = "", *why = NULL;
	FILE *in;

	assert_int_equal(pidfile_create(f, f->path, &pidfile, &why), 0);
	in = fopen(f->path, "r");
	assert_non_null(in);
	assert_non_null(fgets(text, sizeof(text), in));
	fclose(in);
	assert_int_equal(atoi(text), getpid());
	talloc_free(pidfile);
	assert_int_equal(access(f->path, F_OK), -1);
}

static void a_second_owner_is_told_the_pid_of_the_first(void **state)
{
	struct fixture *f = *state;
	struct pidfile *first = NULL, *second = NULL;
	char *why = NULL;

	assert_int_equal(pidfile_create(f, f->path, &first, &why), 0);
	assert_int_equal(pidfile_create(f, f->path, &second, &why), EBUSY);
	assert_null(second);
	assert_non_null(strstr(why, talloc_asprintf(f, "process id %d", (int)getpid())));
	assert_int_equal(access(f->path, F_OK), 0); /* the refused one left it alone */
	talloc_free(first);
}

static void a_stale_pid_file_is_taken_over(void **state)
{
	struct fixture *f = *state;
	struct pidfile *pidfile = NULL;
	char text[32] = "", *why = NULL;
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	fputs("1234567890123\n", file);
	fclose(file);
	assert_int_equal(pidfile_create(f, f->path, &pidfile, &why), 0);
	file = fopen(f->path, "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_int_equal(atoi(text), getpid());
	talloc_free(pidfile);
}

static void a_pid_file_that_cannot_be_is_named(void **state)
{
	struct fixture *f = *state;
	struct pidfile *pidfile = NULL;
	char *why = NULL;

	assert_int_equal(pidfile_create(f, "/nonexistent/dir/pid", &pidfile, &why), ENOENT);
	assert_non_null(strstr(why, "/nonexistent/dir/pid"));
	assert_int_equal(symlink("elsewhere", f->path), 0);
	assert_int_equal(pidfile_create(f, f->path, &pidfile, &why), ELOOP);
}

/* The daemon's part in the test of background_start(). */
static void in_background(int fd, const char *why)
{
	background_done(fd, why);
	_exit(0);
}

/* What the command that started it ends with, and says. */
static int start_in_background(const char *why, char *said, size_t size)
{
	int err[2], fd = -1, status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(err[1], 2);
		if (background_start(&fd) == 0) {
			in_background(fd, why);
		}
		_exit(99);
	}
	close(err[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = read(err[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(err[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_starter_returns_when_the_daemon_serves(void **state)
{
	char said[256];

	assert_int_equal(start_in_background(NULL, said, sizeof(said)), 0);
	assert_string_equal(said, "");
}

static void the_starter_says_why_it_does_not(void **state)
{
	char said[256];

	assert_int_equal(start_in_background("port 135 is in use", said, sizeof(said)), 1);
	assert_string_equal(said, "witnessd: port 135 is in use\n");
}

static void check_notified(const struct sockaddr_un *un, socklen_t len, const char *name)
{
	char text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)un, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_manager("READY=1");
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 7);
	assert_string_equal(text, "READY=1");
	close(fd);
}

static void the_service_manager_is_told(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	strcpy(un.sun_path, f->path);
	check_notified(&un, sizeof(un), f->path);

	memset(un.sun_path, 0, sizeof(un.sun_path));
	snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "test-notify-%d", (int)getpid());
	check_notified(
		&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(un.sun_path + 1)),
		talloc_asprintf(f, "@%s", un.sun_path + 1));

	notify_manager("READY=1"); /* nobody wants it */
}

static void nothing(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		    void *private_data)
{
}

/* @return the signs of life in half a second in which one is due each 50 ms */
static unsigned int signs_of_life(struct fixture *f, const char *pid)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct tevent_context *ev = tevent_context_init(f);
	uint64_t end = clock_ms() + 500;
	unsigned int num = 0;
	char text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	strcpy(un.sun_path, f->path);
	unlink(f->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	setenv("NOTIFY_SOCKET", f->path, 1);
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(watchdog_start(f, ev), 0);
	while (clock_ms() < end) {
		/* A timer of our own: without a watchdog nothing would happen. */
		assert_non_null(tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 20000),
						 nothing, NULL));
		assert_int_equal(tevent_loop_once(ev), 0);
		for (; recv(fd, text, sizeof(text) - 1, 0) > 0; num++) {
			assert_string_equal(text, "WATCHDOG=1");
		}
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	close(fd);
	talloc_free(ev);
	return num;
}

static void the_service_manager_gets_signs_of_life(void **state)
{
	char pid[16];
	unsigned int num;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	num = signs_of_life(*state, pid);
	assert_in_range(num, 2, 11);
	snprintf(pid, sizeof(pid), "%d", (int)getppid());
	assert_int_equal(signs_of_life(*state, pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pid_file_has_the_pid_and_goes_with_its_owner,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_owner_is_told_the_pid_of_the_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_stale_pid_file_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pid_file_that_cannot_be_is_named, setup,
						teardown),
		cmocka_unit_test(the_starter_returns_when_the_daemon_serves),
		cmocka_unit_test(the_starter_says_why_it_does_not),
		cmocka_unit_test_setup_teardown(the_service_manager_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(the_service_manager_gets_signs_of_life, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
