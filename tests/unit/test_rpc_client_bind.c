/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Binding, and asking the endpoint mapper, where the server says what no server should say. */
#include "tests/unit/rpc_fake.h"

static void test_nobody_listens(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = NULL;

	TALLOC_FREE(fake->listen_fde);
	close(fake->listen_fd);
	fake->listen_fd = -1;
	assert_int_equal(try_connect(fake, NULL, &client), ECONNREFUSED);
}

static void say_nothing(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
}

static void test_a_silent_server_times_out(void **state)
{
	struct fake *fake = *state;
	struct rpc_client_params params = params_for(fake);
	struct rpc_client *client = NULL;

	fake->fn = say_nothing;
	params.timeout_ms = 50;
	assert_int_equal(connect_with(fake, &params, &client), ETIMEDOUT);
}

static void test_a_server_that_hangs_up(void **state)
{
	struct rpc_client *client = NULL;

	assert_int_equal(try_connect(*state, NULL, &client), ECONNRESET);
}

static void say_http(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	static const char text[] = "HTTP/1.0 400 Bad Request\r\n\r\n";

	fake_send(fake, text, sizeof(text) - 1);
}

static void say_short_pdu(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	static const uint8_t bytes[16] = {5, 0, RPC_BIND_ACK, 3, 0x10, 0, 0, 0, 15};

	fake_send(fake, bytes, sizeof(bytes));
}

static void say_empty_ack(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	static const uint8_t bytes[16] = {5, 0, RPC_BIND_ACK, 3, 0x10, 0, 0, 0, 16, 0, 0, 0, 1};

	fake_send(fake, bytes, sizeof(bytes));
}

static void say_response(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	respond(fake, hdr->call_id, FIRST | LAST, 8);
}

static void say_ack_of_another_call(struct fake *fake, const struct pdu_hdr *hdr,
				    const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id + 1, 0, &len);

	fake_send(fake, ack, len);
	talloc_free(ack);
}

static void say_ack_with_too_many_results(struct fake *fake, const struct pdu_hdr *hdr,
					  const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id, 0, &len);

	assert_int_equal(ack[32], 2); /* n_results */
	ack[32] = 200;
	fake_send(fake, ack, len);
	talloc_free(ack);
}

static void say_ack_with_no_result(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id, 0, &len);

	ack[32] = 0;
	fake_send(fake, ack, len);
	talloc_free(ack);
}

static void say_ack_with_ndr64(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id, 0, &len);

	ack[40] ^= 0xff; /* the transfer syntax of the first result */
	fake_send(fake, ack, len);
	talloc_free(ack);
}

static void say_alter_resp(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id, 0, &len);

	ack[2] = RPC_ALTER_CONTEXT_RESP;
	fake_send(fake, ack, len);
	talloc_free(ack);
}

static void say_tiny_frags(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	fake->max_recv = 100;
	(void)answer_bind(fake, hdr);
}

static void test_answers_to_the_bind_that_break_the_protocol(void **state)
{
	static const fake_fn scripts[] = {
		say_http,           say_short_pdu,
		say_empty_ack,      say_response,
		say_alter_resp,     say_ack_of_another_call,
		say_tiny_frags,     say_ack_with_too_many_results,
		say_ack_with_ndr64, say_ack_with_no_result,
	};
	struct fake *fake = *state;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct rpc_client *client = NULL;

		assert_int_equal(try_connect(fake, scripts[i], &client), EPROTO);
		assert_null(client);
		fake_close(fake);
	}
}

static void say_refused(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id, 2, &len);

	fake_send(fake, ack, len);
	talloc_free(ack);
}

static void test_the_interface_is_not_served(void **state)
{
	struct rpc_client *client = NULL;

	assert_int_equal(try_connect(*state, say_refused, &client), EPROTONOSUPPORT);
}

static void say_nak(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	uint8_t *nak = NULL;
	size_t len = 0;

	assert_int_equal(pdu_push_bind_nak(fake, hdr->call_id, (uint16_t)fake->held[0], &nak, &len),
			 0);
	fake_send(fake, nak, len);
	talloc_free(nak);
	fake_close_later(fake);
}

static void test_naks(void **state)
{
	static const struct {
		uint16_t reason;
		int err;
	} naks[] = {{0, EPROTO}, {1, ECONNREFUSED}, {2, ECONNREFUSED}, {4, EPROTO},
		    {8, EACCES}, {9, EACCES},       {999, EPROTO}};
	struct fake *fake = *state;

	for (size_t i = 0; i < sizeof(naks) / sizeof(naks[0]); i++) {
		struct rpc_client *client = NULL;

		fake->held[0] = naks[i].reason;
		assert_int_equal(try_connect(fake, say_nak, &client), naks[i].err);
	}
}

static void say_prefix(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id, 0, &len);

	fake_send(fake, ack, fake->held[0]);
	fake->held[1] = fake->held[0] + 1 == len;
	talloc_free(ack);
	fake_close_later(fake);
}

static void test_every_prefix_of_an_ack(void **state)
{
	struct fake *fake = *state;

	do {
		struct rpc_client *client = NULL;

		assert_int_equal(try_connect(fake, say_prefix, &client), ECONNRESET);
		fake->held[0]++;
	} while (!fake->held[1]);
}

static void hang_up_on_requests(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		fake_close(fake);
	}
}

static void answer_map_with_garbage(struct fake *fake, const struct pdu_hdr *hdr,
				    const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		respond(fake, hdr->call_id, FIRST | LAST, 30);
	}
}

static int map_port(struct fake *fake, fake_fn fn, uint16_t *port)
{
	struct rpc_client_params params = params_for(fake);
	struct tevent_req *req;
	int err;

	fake->fn = fn;
	req = rpc_epm_map_send(fake, fake->ev, &params.addr, fake->port, &witness, 2000);
	assert_non_null(req);
	assert_true(tevent_req_poll(req, fake->ev));
	err = rpc_epm_map_recv(req, port);
	talloc_free(req);
	fake_close(fake);
	return err;
}

static void test_a_mapper_that_lies(void **state)
{
	struct fake *fake = *state;
	uint16_t port = 0;

	assert_int_equal(map_port(fake, answer_map_with_garbage, &port), EPROTO);
	assert_int_equal(map_port(fake, answer_fault, &port), EPROTO);
	assert_int_equal(map_port(fake, hang_up_on_requests, &port), ECONNRESET);
	assert_int_equal(map_port(fake, NULL, &port), ECONNRESET);
	assert_int_equal(port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_nobody_listens),
		CASE(test_a_silent_server_times_out),
		CASE(test_a_server_that_hangs_up),
		CASE(test_answers_to_the_bind_that_break_the_protocol),
		CASE(test_the_interface_is_not_served),
		CASE(test_naks),
		CASE(test_every_prefix_of_an_ack),
		CASE(test_a_mapper_that_lies),
	};

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
