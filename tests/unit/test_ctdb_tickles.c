/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ctdbd is told of our connections, and how its age is found out. */
#include "backends/ctdb/tickles.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "backends/ctdb/payload.h"
#include "tests/unit/ctdb_fake.h"
#include "witnessd/util/log.h"

struct fixture {
	struct tevent_context *ev;
	struct ctdb_fake *fake;
	struct ctdb_client *client;
	struct ctdb_tickles *tickles;
	int32_t answer; /* to the question; 1: none */
	unsigned int asked, told;
	uint32_t opcode;
	uint8_t data[CTDB_CONNECTION_LEN];
};

static void on_request(struct ctdb_fake *fake, const struct ctdb_packet *request)
{
	struct fixture *f = fake->private_data;

	assert_int_equal(request->operation, CTDB_REQ_CONTROL);
	assert_int_equal(request->destnode, CTDB_CURRENT_NODE);
	assert_int_equal(request->data_len, CTDB_CONNECTION_LEN);
	if ((request->flags & CTDB_CONTROL_NOREPLY) == 0) {
		assert_int_equal(request->opcode, CTDB_TCP_CLIENT_DISCONNECTED);
		f->asked++;
		if (f->answer <= 0) {
			fake_reply(fake, request, f->answer, NULL, 0);
		}
		return;
	}
	f->opcode = request->opcode;
	memcpy(f->data, request->data, sizeof(f->data));
	f->told++;
}

static void start(struct fixture *f, int32_t answer)
{
	struct ctdb_client_config config = {
		.retry_max_ms = 100, .timeout_ms = 300, .silence_max_ms = 60000};

	f->answer = answer;
	f->fake = fake_create(f, f->ev);
	f->fake->private_data = f;
	f->fake->request = on_request;
	config.socket = f->fake->path;
	assert_int_equal(ctdb_client_create(f, f->ev, &config, &f->client), 0);
	assert_int_equal(ctdb_tickles_create(f, f->ev, f->client, &f->tickles), 0);
	assert_int_equal(ctdb_tickles_who(f->tickles), BACKEND_TICKLES_UNKNOWN);
	fake_wait_until(f->ev, f->asked == 1);
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	log_setup("test", "stderr", LOG_CRIT);
	f->ev = tevent_context_init(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	TALLOC_FREE(f->client);
	talloc_free(f);
	return 0;
}

static void tell(struct fixture *f, bool open)
{
	struct tcpconn conn = {.local_port = 49152, .remote_port = 50000};
	unsigned int told = f->told;

	assert_int_equal(ipaddr_parse("10.0.0.1", &conn.local), 0);
	assert_int_equal(ipaddr_parse("10.0.0.9", &conn.remote), 0);
	assert_int_equal(ctdb_tickles_watch(f->tickles, &conn, open), 0);
	fake_wait_until(f->ev, f->told == told + 1);
}

static void ctdb_417_tickles_and_wants_removals(void **state)
{
	struct fixture *f = *state;

	start(f, -1);
	fake_wait_until(f->ev, ctdb_tickles_who(f->tickles) != BACKEND_TICKLES_UNKNOWN);
	assert_int_equal(ctdb_tickles_who(f->tickles), BACKEND_TICKLES_ITSELF);
	tell(f, true);
	assert_int_equal(f->opcode, CTDB_TCP_CLIENT);
	tell(f, false);
	assert_int_equal(f->opcode, CTDB_TCP_REMOVE);
}

static void ctdb_420_needs_help_and_knows_of_ends(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	fake_wait_until(f->ev, ctdb_tickles_who(f->tickles) != BACKEND_TICKLES_UNKNOWN);
	assert_int_equal(ctdb_tickles_who(f->tickles), BACKEND_TICKLES_NOT);
	tell(f, false);
	assert_int_equal(f->opcode, CTDB_TCP_CLIENT_DISCONNECTED);
}

/* The client's end first, then ours; the rest of each address is empty. */
static void the_connection_is_as_ctdb_writes_it(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in ends[2] = {
		{.sin_family = AF_INET, .sin_port = htons(50000)},
		{.sin_family = AF_INET, .sin_port = htons(49152)},
	};
	uint8_t expected[CTDB_CONNECTION_LEN] = {0};

	inet_pton(AF_INET, "10.0.0.9", &ends[0].sin_addr);
	inet_pton(AF_INET, "10.0.0.1", &ends[1].sin_addr);
	memcpy(expected, &ends[0], sizeof(ends[0]));
	memcpy(expected + CTDB_SOCKADDR_LEN, &ends[1], sizeof(ends[1]));
	start(f, 0);
	tell(f, true);
	assert_memory_equal(f->data, expected, sizeof(expected));
}

static void without_an_answer_it_stays_unknown(void **state)
{
	struct fixture *f = *state;
	bool done = false;

	start(f, 1);
	tevent_add_timer(f->ev, f, tevent_timeval_current_ofs(0, 400000), fake_timed_out, &done);
	while (!done) {
		tevent_loop_once(f->ev);
	}
	assert_int_equal(ctdb_tickles_who(f->tickles), BACKEND_TICKLES_UNKNOWN);
	/* The next connection asks again. */
	f->answer = -1;
	fake_hang_up(f->fake);
	fake_wait_until(f->ev, ctdb_tickles_who(f->tickles) == BACKEND_TICKLES_ITSELF);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ctdb_417_tickles_and_wants_removals),
		TEST(ctdb_420_needs_help_and_knows_of_ends),
		TEST(the_connection_is_as_ctdb_writes_it),
		TEST(without_an_answer_it_stays_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
