/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client may use up: time, connections, descriptors, memory. Limits are set small. */
#include <sys/resource.h>

#include "tests/unit/rpc_rig.h"

/* What malloc() gives the core: its hash tables take it from there (Makefile). */
static bool no_malloc;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return no_malloc ? NULL : __real_malloc(size);
}

static unsigned int connections(struct rig *rig)
{
	return rpc_server_stats(rig->server)->connections;
}

/* Send single bytes for ever: each step would prolong a naive timer. */
static void drip_until_closed(struct rig *rig, int fd, const uint8_t *bytes, size_t len,
			      unsigned int at_most)
{
	for (unsigned int i = 0; i < at_most; i++) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (i < len) {
			rig_send(fd, bytes + i, 1);
		}
		rig_settle(rig, 10);
		if (poll(&p, 1, 0) == 1) {
			rig_expect_closed(rig, fd);
			return;
		}
	}
	fail_msg("the connection is still open");
}

static const uint8_t long_bind[60] = {5, 0, RPC_BIND, 3, 0x10, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0};

static void a_bind_has_to_come_in_time(void **state)
{
	struct rig *rig = *state;
	int fd;

	rig->limits.bind_ms = 60;
	rig_start(rig);
	fd = rig_connect(rig);
	rig_expect_closed(rig, fd);
	fd = rig_connect(rig);
	drip_until_closed(rig, fd, long_bind, sizeof(long_bind), 50);
	RIG_UNTIL(rig, connections(rig) == 0);
}

static void a_pdu_has_to_come_in_time(void **state)
{
	static const uint8_t request[56] = {5, 0, 0, 3, 0x10, 0, 0, 0, 56, 0, 0, 0, 1, 0, 0, 0};
	struct rig *rig = *state;
	int fd;

	rig->limits.pdu_ms = 60;
	rig_start(rig);
	fd = rig_bound(rig, 0, 0, NULL);
	rig_settle(rig, 100); /* between PDUs there is time */
	rig_request(fd, 1, RIG_ECHO, "a", 1);
	rig_expect_response(rig, fd, 1, "a", 1);
	drip_until_closed(rig, fd, request, sizeof(request), 50);
}

static void idle_anonymous_connections_are_closed_soon(void **state)
{
	struct rig *rig = *state;
	int fd;

	rig->limits.auth_ms = 80;
	rig->limits.idle_ms = 0; /* for ever, for others */
	rig_start(rig);
	fd = rig_bound(rig, 0, 0, NULL);
	for (uint32_t i = 0; i < 8; i++) { /* not while they work */
		rig_request(fd, i, RIG_ECHO, "a", 1);
		rig_expect_response(rig, fd, i, "a", 1);
		rig_settle(rig, 20);
	}
	rig_request(fd, 9, RIG_WAIT, NULL, 0); /* nor while they wait */
	rig_settle(rig, 200);
	rig_release(rig);
	rig_expect_response(rig, fd, 9, "done", 4);
	rig_expect_closed(rig, fd);
}

static void one_source_cannot_take_all_places(void **state)
{
	struct rig *rig = *state;
	int fds[2], fd;

	rig->limits.unauthenticated_source = 2;
	rig_start(rig);
	fds[0] = rig_bound(rig, 0, 0, NULL);
	fds[1] = rig_connect(rig);
	fd = rig_connect(rig);
	rig_expect_closed(rig, fd);
	assert_int_equal(rpc_server_stats(rig->server)->refused, 1);
	close(fds[1]);
	RIG_UNTIL(rig, connections(rig) == 1);
	fd = rig_bound(rig, 0, 0, NULL);
	close(fd);
	close(fds[0]);
}

static void the_oldest_unauthenticated_connection_makes_room(void **state)
{
	struct rig *rig = *state;
	int fds[3];

	rig->limits.patience_ms = 0;
	rig_start(rig);
	for (int i = 0; i < 3; i++) {
		fds[i] = rig_bound(rig, 0, 0, NULL);
	}
	rig_expect_closed(rig, fds[0]);
	assert_int_equal(connections(rig), 2);
	rig_request(fds[1], 1, RIG_ECHO, NULL, 0);
	rig_expect_response(rig, fds[1], 1, NULL, 0);
	close(fds[1]);
	close(fds[2]);
}

static void the_limit_of_unauthenticated_connections(void **state)
{
	struct rig *rig = *state;

	rig->limits.unauthenticated = 2;
	the_oldest_unauthenticated_connection_makes_room(state);
}

/* Whoever is making progress is not thrown out for a newcomer: that one waits in the socket's queue. */
static void newcomers_wait_for_those_who_make_progress(void **state)
{
	struct rig *rig = *state;
	int fds[2], late;

	rig->limits.unauthenticated = 2;
	rig->limits.patience_ms = 60 * 1000;
	rig_start(rig);
	fds[0] = rig_bound(rig, 0, 0, NULL);
	fds[1] = rig_bound(rig, 0, 0, NULL);
	late = rig_connect(rig);
	rig_settle(rig, 100);
	for (int i = 0; i < 2; i++) {
		rig_request(fds[i], 1, RIG_ECHO, NULL, 0);
		rig_expect_response(rig, fds[i], 1, NULL, 0);
	}
	assert_int_equal(connections(rig), 2);
	assert_int_equal(rpc_server_stats(rig->server)->refused, 0);
	close(fds[0]);
	RIG_UNTIL(rig, rpc_server_stats(rig->server)->accepted == 3);
	rig_request(fds[1], 2, RIG_ECHO, NULL, 0);
	rig_expect_response(rig, fds[1], 2, NULL, 0);
	close(fds[1]);
	close(late);
}

/* But nobody waits for those who say nothing, or never come to an end. */
static void patience_with_the_others_ends(void **state)
{
	struct rig *rig = *state;
	int silent, busy, late;

	rig->limits.unauthenticated = 2;
	rig->limits.patience_ms = 100;
	rig_start(rig);
	busy = rig_bound(rig, 0, 0, NULL);
	silent = rig_connect(rig);
	late = rig_connect(rig);
	for (uint32_t i = 0; rpc_server_stats(rig->server)->accepted < 3; i++) {
		rig_request(busy, i, RIG_ECHO, NULL, 0);
		rig_expect_response(rig, busy, i, NULL, 0);
		rig_settle(rig, 10);
	}
	rig_expect_closed(rig, silent);
	rig_settle(rig, 500);
	close(rig_connect(rig));
	rig_expect_closed(rig, busy);
	close(late);
}

static void the_limit_of_connections(void **state)
{
	struct rig *rig = *state;

	rig->limits.connections = 2;
	the_oldest_unauthenticated_connection_makes_room(state);
}

/* A client that asks and does not read is not read from, then closed. */
static void a_client_that_does_not_read_is_closed(void **state)
{
	struct rig *rig = *state;
	struct tevent_timer *te;
	int fd;

	rig->limits.unsent = 100 * 1000;
	rig->limits.unsent_ms = 100;
	rig_start(rig);
	fd = rig_bound(rig, RPC_PFC_CONC_MPX, 0, NULL);
	for (uint32_t i = 0; i < 100; i++) {
		rig_request_u32(fd, i, RIG_SIZE, 1000 * 1000);
	}
	te = rig_deadline(rig);
	while (connections(rig) > 0) {
		assert_false(rig->timed_out);
		assert_int_equal(tevent_loop_once(rig->ev), 0);
	}
	talloc_free(te);
	/* what filled the socket, and at most two answers in memory */
	assert_in_range(rpc_server_stats(rig->server)->calls_in, 1, 20);
	close(fd);
}

/* What is queued has to be read in time; going on slowly does not prolong it. */
static void a_client_that_reads_slowly_is_closed(void **state)
{
	static uint8_t buf[100 * 1000];
	struct rig *rig = *state;
	size_t got = 0;
	int fd;

	rig->limits.unsent = 96 * 1024 * 1024;
	rig->limits.unsent_ms = 700;
	rig_start(rig);
	fd = rig_bound(rig, RPC_PFC_CONC_MPX, 0, NULL);
	for (uint32_t i = 0; i < 8; i++) {
		rig_request_u32(fd, i, RIG_SIZE, 4 * 1000 * 1000);
	}
	RIG_UNTIL(rig, rpc_server_stats(rig->server)->calls_in == 8);
	while (connections(rig) > 0) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		got += n > 0 ? (size_t)n : 0;
		assert_in_range(got, 0, 30 * 1000 * 1000);
		rig_settle(rig, 10);
	}
	assert_int_equal(rpc_server_stats(rig->server)->limited[RPC_LIMIT_UNSENT_TIME], 1);
	assert_int_equal(rpc_server_stats(rig->server)->buffered, 0);
	close(fd);
}

static void answers_to_a_full_queue_close_it(void **state)
{
	struct rig *rig = *state;
	int fd;

	rig->limits.unsent = 1000;
	rig_start(rig);
	fd = rig_bound(rig, RPC_PFC_CONC_MPX, 0, NULL);
	rig_request(fd, 1, RIG_WAIT, NULL, 0);
	rig_request_u32(fd, 2, RIG_SIZE, 4 * 1024 * 1024);
	rig_request_u32(fd, 3, RIG_SIZE, 4 * 1024 * 1024);
	rig_request_u32(fd, 4, RIG_SIZE, 4 * 1024 * 1024);
	RIG_UNTIL(rig, rpc_server_stats(rig->server)->calls_in >= 3 ||
			       rpc_server_stats(rig->server)->pkts_out > 700);
	rig_settle(rig, 20);
	rig_release(rig);
	RIG_UNTIL(rig, connections(rig) == 0);
	assert_int_equal(rig->recvs, 0); /* the answer stays with the operation */
	close(fd);
}

static void a_peer_that_never_closes_is_left_behind(void **state)
{
	struct rig *rig = *state;
	int fd;

	rig->limits.close_ms = 50;
	rig_start(rig);
	fd = rig_bound(rig, 0, 0, NULL);
	rig_empty(fd, RPC_SHUTDOWN, 3);
	rig_expect_fault(rig, fd, 3, 0x23, 0, RPC_FAULT_PROTO_ERROR);
	assert_int_equal(connections(rig), 1);
	RIG_UNTIL(rig, connections(rig) == 0);
	close(fd);
}

static void running_out_of_descriptors_refuses_and_recovers(void **state)
{
	struct rig *rig = *state;
	struct rlimit old, tight;
	int fd, next;

	rig_start(rig);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	next = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = (rlim_t)next + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	{
		struct ipaddr addr = rig_loopback();
		struct sockaddr_storage ss;
		socklen_t len = ipaddr_to_sockaddr(&addr, rig->port, &ss);

		assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
		rig_expect_closed(rig, fd);
		assert_int_equal(connections(rig), 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_int_equal(connect(next, (struct sockaddr *)&ss, len), 0);
	}
	RIG_UNTIL(rig, connections(rig) == 1);
	close(next);
}

/* Clients need tables: of sources, networks and groups. For want of them one is turned away, and no more. */
static void running_out_of_memory_refuses_and_recovers(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	int fd;

	rig_start(rig);
	no_malloc = true;
	fd = rig_connect(rig);
	rig_expect_closed(rig, fd);
	no_malloc = false;
	fd = rig_connect(rig);
	RIG_UNTIL(rig, connections(rig) == 1);
	no_malloc = true;
	rig_send_bind(fd, RPC_BIND, 3, &bind);
	rig_expect_nak(rig, fd, RPC_NAK_NOT_SPECIFIED);
	no_malloc = false;
	RIG_UNTIL(rig, connections(rig) == 0);
	fd = rig_bound(rig, 0, 0, NULL);
	rig_request(fd, 1, RIG_ECHO, "a", 1);
	rig_expect_response(rig, fd, 1, "a", 1);
	close(fd);
}

static void freeing_the_server_ends_everything(void **state)
{
	struct rig *rig = *state;
	uint32_t group;
	int fd = rig_bound(rig, 0, 0, &group);
	int same = rig_bound(rig, 0, group, NULL);

	rig_request(fd, 1, RIG_WAIT, NULL, 0);
	RIG_UNTIL(rig, rig->num_waiters == 1);
	TALLOC_FREE(rig->server);
	assert_int_equal(rig->num_waiters, 0);
	assert_int_equal(rig->groups_gone, 1);
	assert_int_equal(rig->recvs, 0);
	close(fd);
	close(same);
}

int main(void)
{
#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)
#define TEST_LATER(fn) cmocka_unit_test_setup_teardown(fn, rig_setup_later, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST_LATER(a_bind_has_to_come_in_time),
		TEST_LATER(a_pdu_has_to_come_in_time),
		TEST_LATER(idle_anonymous_connections_are_closed_soon),
		TEST_LATER(one_source_cannot_take_all_places),
		TEST_LATER(the_limit_of_unauthenticated_connections),
		TEST_LATER(newcomers_wait_for_those_who_make_progress),
		TEST_LATER(patience_with_the_others_ends),
		TEST_LATER(the_limit_of_connections),
		TEST_LATER(a_client_that_does_not_read_is_closed),
		TEST_LATER(a_client_that_reads_slowly_is_closed),
		TEST_LATER(answers_to_a_full_queue_close_it),
		TEST_LATER(a_peer_that_never_closes_is_left_behind),
		TEST_LATER(running_out_of_descriptors_refuses_and_recovers),
		TEST_LATER(running_out_of_memory_refuses_and_recovers),
		TEST(freeing_the_server_ends_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
