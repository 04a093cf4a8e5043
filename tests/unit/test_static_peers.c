/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peers of the static backend: real sockets in a folder of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/static/peer_socket.h"

struct node {
	struct fixture *f;
	struct backend_sink sink;
	struct peer_socket *socket;
	char *heard;
	size_t large; /* bytes of messages that were not text */
};

struct fixture {
	struct tevent_context *ev;
	char *dir;
	struct node nodes[3];
	bool timed_out;
};

static void hear(struct node *node, const char *what, const char *who)
{
	node->heard = talloc_asprintf_append(node->heard, "%s:%s ", what, who);
}

static void hear_joined(void *private_data, const char *local)
{
	hear(private_data, "joined", local);
}

static void hear_up(void *private_data, const char *node)
{
	hear(private_data, "up", node);
}

static void hear_down(void *private_data, const char *node)
{
	hear(private_data, "down", node);
}

static void hear_message(void *private_data, const char *from, const uint8_t *bytes, size_t len)
{
	struct node *node = private_data;
	char text[64];

	if (len > 32) {
		/* Numbered, and in their order. */
		assert_int_equal(bytes[0], (uint8_t)(node->large / 32768));
		node->large += len;
		return;
	}
	snprintf(text, sizeof(text), "%s=%.*s", from, (int)len, (const char *)bytes);
	hear(node, "msg", text);
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	const char *tmp = getenv("TMPDIR");

	f->ev = tevent_context_init(f);
	f->dir = talloc_asprintf(f, "%s/witnessd-peers-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	for (int i = 0; i < 3; i++) {
		f->nodes[i].f = f;
		f->nodes[i].heard = talloc_strdup(f, "");
		f->nodes[i].sink = (struct backend_sink){.private_data = &f->nodes[i],
							 .peers_joined = hear_joined,
							 .peer_up = hear_up,
							 .peer_down = hear_down,
							 .message = hear_message};
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		TALLOC_FREE(f->nodes[i].socket);
	}
	assert_int_equal(rmdir(f->dir), 0); /* no socket is left */
	talloc_free(f);
	return 0;
}

static void start(struct fixture *f, int num)
{
	char name[8];

	snprintf(name, sizeof(name), "n%d", num + 1);
	assert_int_equal(peer_socket_create(f, f->ev, f->dir, name, &f->nodes[num].sink,
					    &f->nodes[num].socket),
			 0);
}

static void time_is_up(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now,
		       void *private_data)
{
	*(bool *)private_data = true;
}

static void wait_for(struct fixture *f, int num, const char *story)
{
	struct tevent_timer *timer = tevent_add_timer(f->ev, f, tevent_timeval_current_ofs(10, 0),
						      time_is_up, &f->timed_out);

	while (strstr(f->nodes[num].heard, story) == NULL && !f->timed_out) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	if (f->timed_out) {
		fail_msg("n%d heard \"%s\", not \"%s\"", num + 1, f->nodes[num].heard, story);
	}
	talloc_free(timer);
	talloc_free(f->nodes[num].heard);
	f->nodes[num].heard = talloc_strdup(f, "");
}

static void say(struct fixture *f, int num, const char *text)
{
	assert_int_equal(
		peer_socket_broadcast(f->nodes[num].socket, (const uint8_t *)text, strlen(text)),
		0);
}

static void they_find_each_other(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	wait_for(f, 0, "joined:n1 ");
	start(f, 1);
	wait_for(f, 1, "up:n1 joined:n2 "); /* who is there already comes first */
	wait_for(f, 0, "up:n2 ");
	say(f, 0, "hello");
	say(f, 0, "world");
	wait_for(f, 1, "msg:n1=hello msg:n1=world ");
	say(f, 1, "thanks");
	wait_for(f, 0, "msg:n2=thanks ");
}

static void who_ends_is_missed(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	start(f, 1);
	wait_for(f, 0, "up:n2 ");
	TALLOC_FREE(f->nodes[1].socket);
	wait_for(f, 0, "down:n2 ");
	start(f, 1);
	wait_for(f, 0, "up:n2 ");
}

static void a_restart_is_a_departure_and_a_return(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	start(f, 1);
	wait_for(f, 0, "up:n2 ");
	TALLOC_FREE(f->nodes[1].socket);
	start(f, 1);
	wait_for(f, 0, "down:n2 up:n2 ");
}

static void what_a_killed_one_left_is_in_nobodys_way(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/n2.sock", f->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	start(f, 0);
	wait_for(f, 0, "joined:n1 ");
	start(f, 1);
	wait_for(f, 0, "up:n2 ");
}

static void a_full_queue_loses_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[32768] = {0};
	unsigned int sent = 0, refused = 0;

	start(f, 0);
	start(f, 1);
	wait_for(f, 0, "up:n2 ");
	while (sent < 1000) {
		bytes[0] = (uint8_t)sent;
		if (peer_socket_broadcast(f->nodes[0].socket, bytes, sizeof(bytes)) == EAGAIN) {
			refused++;
			assert_int_equal(tevent_loop_once(f->ev), 0);
		} else {
			sent++;
		}
	}
	assert_true(refused > 0);
	say(f, 0, "end");
	wait_for(f, 1, "msg:n1=end ");
	assert_int_equal(f->nodes[1].large, 1000U * sizeof(bytes));
}

static void without_a_folder_one_is_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		peer_socket_create(f, f->ev, "", "n1", &f->nodes[0].sink, &f->nodes[0].socket), 0);
	wait_for(f, 0, "joined:n1 ");
	say(f, 0, "anybody there?");
	assert_string_equal(f->nodes[0].heard, "");
}

/* Its length comes with a terminator that the address has no room for: ASan sees what reads on. */
static void a_name_that_fills_an_address_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct {
		struct sockaddr_un un;
		char end; /* which valgrind reads to */
	} own = {.un.sun_family = AF_UNIX};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const uint64_t instance = 4711;
	char path[sizeof(own.un.sun_path) + 1];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(f->dir) + 1;

	start(f, 0);
	wait_for(f, 0, "joined:n1 ");
	assert_true(len + 6 < sizeof(own.un.sun_path));
	snprintf(path, sizeof(path), "%s/%0*d.sock", f->dir, (int)(sizeof(path) - 1 - len - 5), 1);
	memcpy(own.un.sun_path, path, sizeof(own.un.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&own.un, sizeof(own.un)), 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/n1.sock", f->dir);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sendto(fd, &instance, sizeof(instance), 0, (struct sockaddr *)&to,
					sizeof(to)),
				 sizeof(instance));
	}
	start(f, 1);
	wait_for(f, 0, "up:n2 "); /* which came behind them */
	close(fd);
	assert_int_equal(unlink(path), 0);
}

static void bad_names_are_refused(void **state)
{
	struct fixture *f = *state;
	struct peer_socket *out = NULL;
	char *dir = talloc_asprintf(f, "%s/%0150d", f->dir, 1);

	assert_int_equal(peer_socket_create(f, f->ev, f->dir, "a/b", &f->nodes[0].sink, &out),
			 EINVAL);
	assert_int_equal(peer_socket_create(f, f->ev, dir, "n1", &f->nodes[0].sink, &out),
			 ENAMETOOLONG);
	dir = talloc_asprintf(f, "%s/none", f->dir);
	assert_int_equal(peer_socket_create(f, f->ev, dir, "n1", &f->nodes[0].sink, &out), ENOENT);
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(they_find_each_other),
		T(who_ends_is_missed),
		T(a_restart_is_a_departure_and_a_return),
		T(what_a_killed_one_left_is_in_nobodys_way),
		T(a_full_queue_loses_nothing),
		T(without_a_folder_one_is_alone),
		T(a_name_that_fills_an_address_is_read_to_its_end),
		T(bad_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
