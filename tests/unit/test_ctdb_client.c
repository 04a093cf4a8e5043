/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection to ctdbd against one that misbehaves. */
#include "backends/ctdb/client.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/ctdb_fake.h"
#include "witnessd/util/log.h"

#define SRVID_A 0x5749000000000001ULL
#define SRVID_B 0x5749000000000002ULL

struct fixture {
	struct tevent_context *ev;
	struct ctdb_fake *fake;
	struct ctdb_client *client;
	unsigned int connected, disconnected, messages;
	char text[64];
	struct ctdb_packet request; /* the last that the fake was asked; no data */
	unsigned int requests;
	bool answered;
	int err;
	int32_t status;
	uint8_t *data;
	size_t len;
};

static void on_connected(void *private_data)
{
	((struct fixture *)private_data)->connected++;
}

static void on_disconnected(void *private_data, const char *reason)
{
	((struct fixture *)private_data)->disconnected++;
}

static void on_message(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	struct fixture *f = private_data;

	assert_true(srvid == SRVID_A || srvid == SRVID_B);
	f->messages++;
	snprintf(f->text, sizeof(f->text), "%.*s", (int)len, (const char *)data);
}

static void on_request(struct ctdb_fake *fake, const struct ctdb_packet *request)
{
	struct fixture *f = fake->private_data;

	f->request = *request;
	f->requests++;
}

static struct fixture *create(void)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	struct ctdb_client_config config = {
		.retry_max_ms = 200, .timeout_ms = 1000, .silence_max_ms = 500};

	f->ev = tevent_context_init(f);
	f->fake = fake_create(f, f->ev);
	f->fake->private_data = f;
	f->fake->request = on_request;
	config.socket = f->fake->path;
	assert_int_equal(ctdb_client_create(f, f->ev, &config, &f->client), 0);
	assert_int_equal(ctdb_client_watch(f->client, on_connected, on_disconnected, f), 0);
	assert_int_equal(ctdb_client_listen(f->client, SRVID_A, on_message, f), 0);
	return f;
}

static int setup(void **state)
{
	log_setup("test", "stderr", LOG_CRIT);
	*state = create();
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	TALLOC_FREE(f->client);
	talloc_free(f);
	return 0;
}

static void answered(struct tevent_req *req)
{
	struct fixture *f = tevent_req_callback_data(req, struct fixture);

	f->err = ctdb_control_recv(req, f, &f->status, &f->data, &f->len);
	f->answered = true;
	talloc_free(req);
}

static struct tevent_req *ask_with(struct fixture *f, const struct ctdb_control *control)
{
	struct tevent_req *req = ctdb_control_send(f, f->ev, f->client, control);

	assert_non_null(req);
	f->answered = false;
	tevent_req_set_callback(req, answered, f);
	return req;
}

static struct tevent_req *ask(struct fixture *f, uint32_t destnode)
{
	const struct ctdb_control control = {.opcode = CTDB_GET_NODEMAP, .destnode = destnode};

	return ask_with(f, &control);
}

static void up(struct fixture *f)
{
	fake_wait_until(f->ev, f->connected == 1);
}

static void greets_and_registers(void **state)
{
	struct fixture *f = *state;

	assert_false(ctdb_client_is_up(f->client));
	assert_int_equal(ctdb_client_listen(f->client, SRVID_A, on_message, f), EEXIST);
	up(f);
	assert_true(ctdb_client_is_up(f->client));
	assert_int_equal(ctdb_client_pnn(f->client), FAKE_PNN);
	assert_int_equal(f->fake->registered, 1);
	assert_int_equal(ctdb_client_listen(f->client, SRVID_B, on_message, f), 0);
	fake_wait_until(f->ev, f->fake->registered == 2);
	fake_message(f->fake, SRVID_B, "hello", 5);
	fake_wait_until(f->ev, f->messages == 1);
	assert_string_equal(f->text, "hello");
}

static void control_has_its_reply(void **state)
{
	struct fixture *f = *state;

	up(f);
	ask(f, 3);
	fake_wait_until(f->ev, f->requests == 1);
	assert_int_equal(f->request.opcode, CTDB_GET_NODEMAP);
	assert_int_equal(f->request.destnode, 3);
	fake_reply(f->fake, &f->request, 7, "abc", 3);
	fake_wait_until(f->ev, f->answered);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->status, 7);
	assert_int_equal(f->len, 3);
	assert_memory_equal(f->data, "abc", 3);
}

static void failure_is_told(void **state)
{
	struct fixture *f = *state;
	struct ctdb_packet reply = {.operation = CTDB_REPLY_CONTROL,
				    .status = -1,
				    .error = (const uint8_t *)"not\x1b there",
				    .error_len = 10};

	up(f);
	ask(f, 3);
	fake_wait_until(f->ev, f->requests == 1);
	reply.reqid = f->request.reqid;
	fake_push(f->fake, &reply);
	fake_wait_until(f->ev, f->answered);
	assert_int_equal(f->err, EREMOTEIO);
	assert_true(ctdb_client_is_up(f->client));
}

static void silence_of_another_node_is_a_timeout(void **state)
{
	struct fixture *f = *state;
	struct ctdb_packet late;

	up(f);
	ask(f, 3);
	fake_wait_until(f->ev, f->answered);
	assert_int_equal(f->err, ETIMEDOUT);
	assert_int_equal(f->disconnected, 0);
	/* The late reply, and one to a question that nobody asked, disturb nothing. */
	late = f->request;
	fake_reply(f->fake, &late, 0, NULL, 0);
	late.reqid += 1000;
	fake_reply(f->fake, &late, 0, NULL, 0);
	fake_message(f->fake, SRVID_A, "after", 5);
	fake_wait_until(f->ev, f->messages == 1);
	assert_int_equal(ctdb_client_stats(f->client)->dropped, 2);
	assert_int_equal(ctdb_client_stats(f->client)->timeouts, 1);
}

static void silence_of_the_own_ctdbd_ends_the_connection(void **state)
{
	struct fixture *f = *state;

	up(f);
	f->fake->mute = true;
	ask(f, CTDB_CURRENT_NODE);
	fake_wait_until(f->ev, f->disconnected == 1);
	assert_int_equal(f->err, ETIMEDOUT);
	f->fake->mute = false;
	fake_wait_until(f->ev, f->connected == 2);
}

static void silent_greeting_is_tried_again(void **state)
{
	struct fixture *f = *state;

	f->fake->mute = true;
	fake_wait_until(f->ev, f->fake->clients == 2);
	assert_int_equal(f->connected, 0);
	assert_int_equal(f->disconnected, 0);
	f->fake->mute = false;
	up(f);
}

static void pending_controls_fail_when_it_dies(void **state)
{
	struct fixture *f = *state;

	up(f);
	ask(f, 3);
	fake_wait_until(f->ev, f->requests == 1);
	fake_die(f->fake);
	fake_wait_until(f->ev, f->disconnected == 1);
	assert_true(f->answered);
	assert_int_equal(f->err, ENOTCONN);
	ask(f, 3);
	fake_wait_until(f->ev, f->answered);
	assert_int_equal(f->err, ENOTCONN);
	assert_int_equal(ctdb_client_message(f->client, 0, SRVID_A, NULL, 0), ENOTCONN);
	fake_listen(f->fake);
	fake_wait_until(f->ev, f->connected == 2);
	assert_int_equal(f->fake->registered, 2);
}

static void packets_come_in_any_pieces(void **state)
{
	struct fixture *f = *state;
	struct ctdb_packet message = {.operation = CTDB_REQ_MESSAGE,
				      .srvid = SRVID_A,
				      .data = (const uint8_t *)"piece",
				      .data_len = 5};
	uint8_t *buf = NULL, *twice;
	size_t len;

	up(f);
	assert_int_equal(ctdb_packet_push(f, &message, &buf, &len), 0);
	for (size_t i = 0; i < len; i++) {
		fake_write(f->fake, buf + i, 1);
		tevent_loop_once(f->ev);
	}
	fake_wait_until(f->ev, f->messages == 1);
	/* Two and a half at once. */
	twice = talloc_array(f, uint8_t, 3 * len);
	memcpy(twice, buf, len);
	memcpy(twice + len, buf, len);
	memcpy(twice + 2 * len, buf, len);
	fake_write(f->fake, twice, 2 * len + 10);
	fake_wait_until(f->ev, f->messages == 3);
	fake_write(f->fake, twice + 2 * len + 10, len - 10);
	fake_wait_until(f->ev, f->messages == 4);
	assert_string_equal(f->text, "piece");
}

/* Longer than the first buffer, and longer than one read. */
static void long_packets_come_through(void **state)
{
	struct fixture *f = *state;
	struct ctdb_packet message = {
		.operation = CTDB_REQ_MESSAGE, .srvid = SRVID_A, .data_len = 300000};
	uint8_t *buf = NULL, *data = talloc_zero_array(f, uint8_t, 300000);
	size_t len, sent = 0;

	up(f);
	data[0] = 'x';
	message.data = data;
	assert_int_equal(ctdb_packet_push(f, &message, &buf, &len), 0);
	while (sent < len) {
		ssize_t n = send(f->fake->fd, buf + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		tevent_loop_once(f->ev);
	}
	fake_wait_until(f->ev, f->messages == 1);
	assert_string_equal(f->text, "x");
}

static void end_in_mid_packet_is_survived(void **state)
{
	struct fixture *f = *state;
	const uint8_t half[40] = {100};

	up(f);
	fake_write(f->fake, half, sizeof(half));
	fake_hang_up(f->fake);
	fake_wait_until(f->ev, f->connected == 2);
	fake_message(f->fake, SRVID_A, "new", 3);
	fake_wait_until(f->ev, f->messages == 1);
	assert_string_equal(f->text, "new");
}

static void nonsense_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	static const uint8_t zero_length[4], short_length[4] = {31},
					     huge_length[4] = {0xff, 0xff, 0xff, 0xff},
					     no_magic[32] = {32};
	static const struct {
		const uint8_t *buf;
		size_t len;
	} rows[] = {{zero_length, 4}, {short_length, 4}, {huge_length, 4}, {no_magic, 32}};

	up(f);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_write(f->fake, rows[i].buf, rows[i].len);
		fake_wait_until(f->ev, f->connected == i + 2);
		assert_int_equal(f->disconnected, i + 1);
	}
}

static void what_would_crash_another_node_is_refused(void **state)
{
	struct fixture *f = *state;
	static const uint32_t opcodes[] = {CTDB_TCP_CLIENT, CTDB_TCP_CLIENT_DISCONNECTED,
					   CTDB_TCP_CLIENT_PASSED};
	static const uint32_t dests[] = {0, FAKE_PNN, CTDB_BROADCAST_ALL, CTDB_BROADCAST_CONNECTED};

	up(f);
	for (size_t i = 0; i < 3; i++) {
		struct ctdb_control control = {.opcode = opcodes[i]};

		for (size_t k = 0; k < 4; k++) {
			control.destnode = dests[k];
			ask_with(f, &control);
			fake_wait_until(f->ev, f->answered);
			assert_int_equal(f->err, EPERM);
			assert_int_equal(ctdb_client_tell(f->client, &control), EPERM);
		}
		control.destnode = CTDB_CURRENT_NODE;
		f->requests = 0;
		assert_int_equal(ctdb_client_tell(f->client, &control), 0);
		fake_wait_until(f->ev, f->requests == 1);
		assert_int_equal(f->request.flags, CTDB_CONTROL_NOREPLY);
	}
	/* A broadcast is never answered. */
	ask(f, CTDB_BROADCAST_CONNECTED);
	fake_wait_until(f->ev, f->answered);
	assert_int_equal(f->err, EPERM);
}

static void full_queue_is_told_and_drains(void **state)
{
	struct fixture *f = *state;
	static uint8_t block[65536];
	unsigned int sent = 0;
	int err;

	up(f);
	do {
		err = ctdb_client_message(f->client, 0, SRVID_A, block, sizeof(block) - 100);
		sent += err == 0;
	} while (err == 0);
	assert_int_equal(err, EAGAIN);
	assert_true(ctdb_client_stats(f->client)->queued <= CTDB_CLIENT_QUEUE_MAX);
	fake_wait_until(f->ev, f->requests == sent);
	assert_int_equal(ctdb_client_stats(f->client)->queued, 0);
	assert_int_equal(ctdb_client_message(f->client, 0, SRVID_A, block, CTDB_PACKET_MAX),
			 EMSGSIZE);
}

static void questions_outlive_the_client(void **state)
{
	struct fixture *f = *state;
	struct tevent_req *req;

	up(f);
	req = ask(f, 3);
	TALLOC_FREE(f->client);
	assert_true(tevent_req_is_in_progress(req));
	talloc_free(req);
}

static void long_paths_are_refused(void **state)
{
	char path[200];
	struct ctdb_client_config config = {.socket = path};
	struct ctdb_client *client = NULL;
	struct tevent_context *ev = tevent_context_init(NULL);

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(ctdb_client_create(ev, ev, &config, &client), EINVAL);
	assert_null(client);
	talloc_free(ev);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(greets_and_registers),
		TEST(control_has_its_reply),
		TEST(failure_is_told),
		TEST(silence_of_another_node_is_a_timeout),
		TEST(silence_of_the_own_ctdbd_ends_the_connection),
		TEST(silent_greeting_is_tried_again),
		TEST(pending_controls_fail_when_it_dies),
		TEST(packets_come_in_any_pieces),
		TEST(long_packets_come_through),
		TEST(end_in_mid_packet_is_survived),
		TEST(nonsense_ends_the_connection),
		TEST(what_would_crash_another_node_is_refused),
		TEST(full_queue_is_told_and_drains),
		TEST(questions_outlive_the_client),
		cmocka_unit_test(long_paths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
