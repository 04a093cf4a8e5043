/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many sockets as one descriptor of the loop: who is told of what, and who is not any more. */
#include "witnessd/rpc/poller.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS 3

struct pair {
	struct rig *rig;
	struct poller_fd pfd;
	int peer;
	unsigned int calls;
	uint16_t ready; /* the last time */
};

struct rig {
	struct tevent_context *ev;
	struct poller *poller;
	struct pair pairs[PAIRS];
	bool forget_others;
};

static void on_ready(void *private_data, uint16_t flags)
{
	struct pair *pair = private_data;

	pair->calls++;
	pair->ready = flags;
	for (int i = 0; pair->rig->forget_others && i < PAIRS; i++) {
		if (&pair->rig->pairs[i] != pair) {
			poller_forget(&pair->rig->pairs[i].pfd);
		}
	}
}

static int setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	rig->ev = tevent_context_init(rig);
	assert_int_equal(poller_create(rig, rig->ev, &rig->poller), 0);
	for (int i = 0; i < PAIRS; i++) {
		struct pair *pair = &rig->pairs[i];
		int fds[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
		pair->rig = rig;
		pair->peer = fds[1];
		poller_init(rig->poller, &pair->pfd, fds[0], on_ready, pair);
	}
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < PAIRS; i++) {
		poller_forget(&rig->pairs[i].pfd);
		close(rig->pairs[i].pfd.fd);
		if (rig->pairs[i].peer >= 0) {
			close(rig->pairs[i].peer);
		}
	}
	talloc_free(rig);
	return 0;
}

static void on_always(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		      void *private_data)
{
	(*(unsigned int *)private_data)++;
}

/* A descriptor that is always readable has had several turns: so have those that are ready. */
static void pump(struct rig *rig)
{
	unsigned int turns = 0;
	int fd = eventfd(1, EFD_CLOEXEC);
	struct tevent_fd *fde = tevent_add_fd(rig->ev, rig, fd, TEVENT_FD_READ, on_always, &turns);

	while (turns < 4) {
		assert_int_equal(tevent_loop_once(rig->ev), 0);
	}
	talloc_free(fde);
	close(fd);
}

static void only_what_is_wanted_is_told(void **state)
{
	struct rig *rig = *state;
	struct pair *pair = &rig->pairs[0];

	assert_int_equal(write(pair->peer, "x", 1), 1);
	pump(rig);
	assert_int_equal(pair->calls, 0);
	assert_int_equal(poller_want(&pair->pfd, TEVENT_FD_WRITE), 0);
	pump(rig);
	assert_true(pair->calls > 0);
	assert_int_equal(pair->ready, TEVENT_FD_WRITE);
	assert_int_equal(poller_want(&pair->pfd, TEVENT_FD_READ | TEVENT_FD_WRITE), 0);
	pump(rig);
	assert_int_equal(pair->ready, TEVENT_FD_READ | TEVENT_FD_WRITE);
	assert_int_equal(poller_want(&pair->pfd, 0), 0);
	pair->calls = 0;
	pump(rig);
	assert_int_equal(pair->calls, 0);
	assert_int_equal(rig->pairs[1].calls, 0);
}

/* Who waits for nothing is not woken by an end either, or the loop would spin. */
static void an_end_is_told_as_what_is_waited_for(void **state)
{
	struct rig *rig = *state;
	struct pair *reader = &rig->pairs[0], *silent = &rig->pairs[1];

	assert_int_equal(poller_want(&reader->pfd, TEVENT_FD_READ), 0);
	assert_int_equal(poller_want(&silent->pfd, TEVENT_FD_READ), 0);
	assert_int_equal(poller_want(&silent->pfd, 0), 0);
	for (int i = 0; i < 2; i++) {
		close(rig->pairs[i].peer);
		rig->pairs[i].peer = -1;
	}
	pump(rig);
	assert_true(reader->calls > 0);
	assert_int_equal(reader->ready, TEVENT_FD_READ);
	assert_int_equal(silent->calls, 0);
}

static void who_is_forgotten_meanwhile_is_not_told(void **state)
{
	struct rig *rig = *state;
	unsigned int told = 0;

	rig->forget_others = true;
	for (int i = 0; i < PAIRS; i++) {
		assert_int_equal(poller_want(&rig->pairs[i].pfd, TEVENT_FD_READ), 0);
		assert_int_equal(write(rig->pairs[i].peer, "x", 1), 1);
	}
	pump(rig);
	for (int i = 0; i < PAIRS; i++) {
		told += rig->pairs[i].calls > 0;
	}
	assert_int_equal(told, 1);
}

static void what_epoll_does_not_take_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct poller_fd pfd;

	poller_init(rig->poller, &pfd, -1, on_ready, NULL);
	assert_int_equal(poller_want(&pfd, TEVENT_FD_READ), EBADF);
	assert_int_equal(pfd.flags, 0);
	poller_forget(&pfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_is_wanted_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_is_told_as_what_is_waited_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_is_forgotten_meanwhile_is_not_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_epoll_does_not_take_changes_nothing, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
