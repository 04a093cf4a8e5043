/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The copy of a file that only another process may open: what it is after that fails. */
#include "witnessd/util/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "witnessd/util/opener.h"

struct rig {
	char dir[64];
	char path[80];
	pid_t opener;
	struct secret *secret;
};

/* As witness-opener: in another process, which other limits hold for. */
static void serve(int sock)
{
	struct opener_request request;
	int none;

	while (opener_receive(sock, &request, sizeof(request), &none) == sizeof(request)) {
		int fd = open(request.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		struct opener_reply reply = {.err = fd < 0 ? errno : 0};

		opener_send(sock, &reply, sizeof(reply), fd);
		close(fd);
	}
	_exit(0);
}

static int setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);
	int fds[2];

	*state = rig;
	strcpy(rig->dir, "/tmp/test_secret.XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof(rig->path), "%s/keytab", rig->dir);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	rig->opener = fork();
	assert_true(rig->opener >= 0);
	if (rig->opener == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		serve(fds[1]);
	}
	close(fds[1]);
	opener_set(fds[0]);
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	opener_set(-1);
	assert_int_equal(waitpid(rig->opener, NULL, 0), rig->opener);
	unlink(rig->path);
	rmdir(rig->dir);
	talloc_free(rig);
	return 0;
}

/* A new file each time: size and time alone may be those of the one before. */
static void put(const struct rig *rig, const char *text)
{
	char temp[96];
	FILE *f;

	snprintf(temp, sizeof(temp), "%s.new", rig->path);
	f = fopen(temp, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(temp, rig->path), 0);
}

static void check_copy(const struct rig *rig, const char *text)
{
	char buf[64] = "";
	int fd = open(secret_name(rig->secret), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

static void start_with(struct rig *rig, const char *text)
{
	put(rig, text);
	assert_int_equal(secret_create(rig, rig->path, &rig->secret), 0);
	assert_string_not_equal(secret_name(rig->secret), rig->path);
	check_copy(rig, text);
	assert_false(secret_changed(rig->secret));
}

static void a_copy_follows_its_file(void **state)
{
	struct rig *rig = *state;

	start_with(rig, "one");
	put(rig, "two");
	assert_true(secret_changed(rig->secret));
	assert_false(secret_changed(rig->secret));
	check_copy(rig, "two");
	assert_int_equal(unlink(rig->path), 0);
	assert_true(secret_changed(rig->secret));
	assert_false(secret_changed(rig->secret));
	check_copy(rig, "");
	put(rig, "three");
	assert_true(secret_changed(rig->secret));
	check_copy(rig, "three");
}

static void a_file_that_cannot_be_read_leaves_the_copy(void **state)
{
	struct rig *rig = *state;

	start_with(rig, "one");
	assert_int_equal(unlink(rig->path), 0);
	assert_int_equal(symlink("/dev/null", rig->path), 0); /* ELOOP */
	assert_false(secret_changed(rig->secret));
	check_copy(rig, "one");

	put(rig, "too long");
	assert_int_equal(truncate(rig->path, SECRET_MAX + 1), 0);
	assert_false(secret_changed(rig->secret));
	check_copy(rig, "one");

	put(rig, "two");
	assert_true(secret_changed(rig->secret));
	check_copy(rig, "two");
}

/* Room for the descriptor of the file, and for none of a copy. @return the limit that was */
static struct rlimit leave_descriptors(rlim_t num)
{
	struct rlimit before, now;
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(lowest >= 0);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	now = before;
	now.rlim_cur = (rlim_t)lowest + num;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	return before;
}

static void what_could_not_be_copied_is_copied_later(void **state)
{
	struct rig *rig = *state;

	start_with(rig, "one");
	put(rig, "two");
	for (rlim_t num = 0; num < 2; num++) {
		struct rlimit before = leave_descriptors(num);

		assert_false(secret_changed(rig->secret));
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		check_copy(rig, "one");
	}
	assert_true(secret_changed(rig->secret));
	check_copy(rig, "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_follows_its_file, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_leaves_the_copy, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_copied_is_copied_later, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
