/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking a node whether it lives: its ctdbd is the fake's to play, its kernel is this machine's. */
#include "backends/ctdb/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "tests/unit/ctdb_fake.h"
#include "witnessd/util/log.h"

#define OTHER_PNN 2U

struct fixture {
	struct tevent_context *ev;
	struct ctdb_fake *fake;
	struct ctdb_client *client;
	int32_t pong; /* what PING is answered; 1: not at all */
	bool done, connected;
	int err;
};

static void on_connected(void *private_data)
{
	((struct fixture *)private_data)->connected = true;
}

static void on_request(struct ctdb_fake *fake, const struct ctdb_packet *request)
{
	struct fixture *f = fake->private_data;

	assert_int_equal(request->opcode, CTDB_PING);
	assert_int_equal(request->destnode, OTHER_PNN);
	if (f->pong <= 0) {
		fake_reply(fake, request, f->pong, NULL, 0);
	}
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	struct ctdb_client_config config = {
		.retry_max_ms = 100, .timeout_ms = 300, .silence_max_ms = 5000};

	log_setup("test", "stderr", LOG_CRIT);
	f->ev = tevent_context_init(f);
	f->fake = fake_create(f, f->ev);
	f->fake->private_data = f;
	f->fake->request = on_request;
	config.socket = f->fake->path;
	f->pong = 1;
	assert_int_equal(ctdb_client_create(f, f->ev, &config, &f->client), 0);
	assert_int_equal(ctdb_client_watch(f->client, on_connected, NULL, f), 0);
	fake_wait_until(f->ev, f->connected);
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

static void on_probed(struct tevent_req *req)
{
	struct fixture *f = tevent_req_callback_data(req, struct fixture);

	f->err = ctdb_probe_recv(req);
	f->done = true;
	talloc_free(req);
}

/* @param address "": none */
static int probe(struct fixture *f, const char *address, uint16_t port)
{
	struct ctdb_probe_config config = {
		.client = f->client, .pnn = OTHER_PNN, .port = port, .timeout_ms = 300};
	struct tevent_req *req;

	if (address[0] != '\0') {
		assert_int_equal(ipaddr_parse(address, &config.ip), 0);
	}
	f->done = false;
	req = ctdb_probe_send(f, f->ev, &config);
	assert_non_null(req);
	tevent_req_set_callback(req, on_probed, f);
	fake_wait_until(f->ev, f->done);
	return f->err;
}

/* A port of loopback that nobody listens on, or that somebody does who never accepts. */
static uint16_t a_port(int *fd, bool listening)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);

	*fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&in, &len), 0);
	if (listening) {
		assert_int_equal(listen(*fd, 1), 0);
	}
	return ntohs(in.sin_port);
}

static void an_answer_of_its_ctdbd_is_enough(void **state)
{
	struct fixture *f = *state;

	f->pong = 0;
	assert_int_equal(probe(f, "", 445), 0);
	/* Even where the kernel could not be asked: a local address that is nobody's to connect from. */
	assert_int_equal(probe(f, "255.255.255.255", 445), 0);
}

static void an_answer_of_its_kernel_is_enough(void **state)
{
	struct fixture *f = *state;
	uint16_t port;
	int fd;

	port = a_port(&fd, false);
	assert_int_equal(probe(f, "127.0.0.1", port), 0); /* refused */
	close(fd);
	port = a_port(&fd, true);
	assert_int_equal(probe(f, "127.0.0.1", port), 0); /* accepted, by nobody but the kernel */
	/* Its ctdbd is not there, says ours: the node is. */
	f->pong = -1;
	assert_int_equal(probe(f, "127.0.0.1", port), 0);
	close(fd);
}

/* A listener whose queue is full does not answer, as a node without power. */
static void silence_is_silence(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd, fillers[8];
	uint16_t port = a_port(&fd, true);

	in.sin_port = htons(port);
	for (size_t i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&in, sizeof(in));
	}
	assert_int_equal(probe(f, "127.0.0.1", port), ETIMEDOUT);
	f->pong = -1;
	assert_int_equal(probe(f, "127.0.0.1", port), ETIMEDOUT);
	for (size_t i = 0; i < 8; i++) {
		close(fillers[i]);
	}
	close(fd);
	assert_int_equal(probe(f, "", 445), ETIMEDOUT);
}

static void without_ctdbd_nothing_is_known(void **state)
{
	struct fixture *f = *state;

	fake_die(f->fake);
	fake_wait_until(f->ev, !ctdb_client_is_up(f->client));
	assert_int_equal(probe(f, "", 445), ENOTCONN);
}

static void may_be_given_up(void **state)
{
	struct fixture *f = *state;
	struct ctdb_probe_config config = {
		.client = f->client, .pnn = OTHER_PNN, .timeout_ms = 300};
	struct tevent_req *req = ctdb_probe_send(f, f->ev, &config);
	bool done = false;

	assert_non_null(req);
	talloc_free(req);
	tevent_add_timer(f->ev, f, tevent_timeval_current_ofs(0, 400000), fake_timed_out, &done);
	while (!done) {
		tevent_loop_once(f->ev);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_of_its_ctdbd_is_enough),
		TEST(an_answer_of_its_kernel_is_enough),
		TEST(silence_is_silence),
		TEST(without_ctdbd_nothing_is_known),
		TEST(may_be_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
