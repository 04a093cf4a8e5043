/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The messages between witnessd and witness-opener: what a peer that is not itself any more can leave open. */
#include "witnessd/util/opener.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "witnessd/util/clock.h"

static int setup(void **state)
{
	static int fds[2];

	*state = fds;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

static int teardown(void **state)
{
	const int *fds = *state;

	close(fds[0]);
	close(fds[1]);
	return 0;
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int num = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		num++;
	}
	closedir(dir);
	return num;
}

static void send_descriptors(int sock, const int *fds, size_t num)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} room = {.bytes = {0}};
	struct iovec iov = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &room,
			     .msg_controllen = CMSG_SPACE(num * sizeof(int))};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(num * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, num * sizeof(int));
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static void a_descriptor_comes_with_the_message(void **state)
{
	const int *fds = *state;
	char octet = 0;
	int given = -1;

	assert_int_equal(opener_send(fds[0], "y", 1, STDIN_FILENO), 1);
	assert_int_equal(opener_receive(fds[1], &octet, 1, &given), 1);
	assert_int_equal(octet, 'y');
	assert_true(given >= 0);
	close(given);
	assert_int_equal(opener_send(fds[0], "z", 1, -1), 1);
	assert_int_equal(opener_receive(fds[1], &octet, 1, &given), 1);
	assert_int_equal(given, -1);
}

static void no_more_than_one_descriptor_is_taken(void **state)
{
	const int *fds = *state;
	unsigned int before = open_descriptors();
	char octet = 0;
	int given = -1;

	send_descriptors(fds[0], (const int[]){STDIN_FILENO, STDERR_FILENO}, 2);
	assert_int_equal(opener_receive(fds[1], &octet, 1, &given), 1);
	if (given >= 0) {
		close(given);
	}
	assert_int_equal(open_descriptors(), before);
}

/* Nobody answers: that is waited for once, and then never again. */
static void who_is_too_late_is_not_asked_again(void **state)
{
	const int *fds = *state;
	uint64_t begin, asked;
	int fd = -1;

	opener_set(dup(fds[0]));
	assert_int_equal(opener_file("/etc/passwd", &fd), ENOTCONN);
	begin = clock_ms();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(opener_file("/etc/passwd", &fd), ENOTCONN);
		assert_int_equal(opener_connect("/run/none", &fd), ENOTCONN);
	}
	asked = clock_ms() - begin;
	opener_set(-1);
	assert_true(asked < 20000); /* of 20 times two seconds */
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_descriptor_comes_with_the_message, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_more_than_one_descriptor_is_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_is_too_late_is_not_asked_again, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
