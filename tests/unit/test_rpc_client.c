/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls of a client whose server says what no server should say. */
#include "tests/unit/rpc_fake.h"

static void answer_all(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		respond(fake, hdr->call_id, FIRST | LAST, 12);
	}
}

static void test_a_call(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, answer_all);
	uint32_t fault = 1;
	size_t len = 0;

	assert_true(rpc_client_mpx(client));
	assert_int_equal(client->assoc_group_id, 0x1234);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(do_call(fake, client, &fault, &len), 0);
		assert_int_equal(fault, 0);
		assert_int_equal(len, 12);
	}
}

static void answer_in_fragments(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		respond(fake, hdr->call_id, FIRST, 4000);
		respond(fake, hdr->call_id, 0, 4000);
		respond(fake, hdr->call_id, LAST, 1);
	}
}

static void test_an_answer_in_fragments(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, answer_in_fragments);
	uint32_t fault = 1;
	size_t len = 0;

	assert_int_equal(do_call(fake, client, &fault, &len), 0);
	assert_int_equal(len, 8001);
}

static void answer_wrong_call_id(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		respond(fake, hdr->call_id + 1, FIRST | LAST, 4);
	}
}

static void answer_middle_first(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		respond(fake, hdr->call_id, LAST, 4);
	}
}

static void answer_first_twice(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		respond(fake, hdr->call_id, FIRST, 4);
		respond(fake, hdr->call_id, FIRST | LAST, 4);
	}
}

static void answer_too_long(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		respond(fake, hdr->call_id, FIRST | LAST, RPC_FRAG_MAX);
	}
}

static void answer_with_ack(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	size_t len = 0;
	uint8_t *ack = make_ack(fake, hdr->call_id, 0, &len);

	fake_send(fake, ack, len);
	talloc_free(ack);
}

static void say_http(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	static const char text[] = "HTTP/1.0 400 Bad Request\r\n\r\n";

	fake_send(fake, text, sizeof(text) - 1);
}

static void answer_with_garbage(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		say_http(fake, hdr, pdu);
	}
}

/* Answer with one byte of a good response changed. */
static void answer_spoiled(struct fake *fake, uint32_t call_id, size_t off, uint8_t value)
{
	size_t len = 0;
	uint8_t *pdu = make_response(fake, call_id, FIRST | LAST, 4, &len);

	pdu[off] = value;
	fake_send(fake, pdu, len);
	talloc_free(pdu);
}

static void answer_other_context(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		answer_spoiled(fake, hdr->call_id, 20, 1);
	}
}

static void answer_auth_too_long(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		answer_spoiled(fake, hdr->call_id, 10, 0xff);
	}
}

static void answer_like_a_client(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		answer_spoiled(fake, hdr->call_id, 2, RPC_REQUEST);
	}
}

static void answer_truncated(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	static const uint8_t bytes[20] = {5, 0, RPC_RESPONSE, 3, 0x10, 0, 0, 0, 20, 0, 0, 0, 2};

	if (!answer_bind(fake, hdr)) {
		fake_send(fake, bytes, sizeof(bytes));
	}
}

static void answer_endless(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (answer_bind(fake, hdr)) {
		return;
	}
	for (int i = 0; i < 1000; i++) {
		respond(fake, hdr->call_id, i == 0 ? FIRST : 0, 4000);
	}
}

static void answer_endless_empty(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (answer_bind(fake, hdr)) {
		return;
	}
	for (int i = 0; i < 10000; i++) {
		respond(fake, hdr->call_id, i == 0 ? FIRST : 0, 0);
	}
}

static void test_answers_that_break_the_protocol(void **state)
{
	static const fake_fn scripts[] = {
		answer_wrong_call_id, answer_middle_first,  answer_first_twice,
		answer_too_long,      answer_with_ack,      answer_with_garbage,
		answer_other_context, answer_auth_too_long, answer_like_a_client,
		answer_truncated,     answer_endless,       answer_endless_empty,
	};
	struct fake *fake = *state;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct rpc_client *client;
		uint32_t fault = 0;
		size_t len = 0;

		client = must_connect(fake, scripts[i]);
		assert_int_equal(do_call(fake, client, &fault, &len), EPROTO);
		/* A dead connection says so at once. */
		assert_int_equal(do_call(fake, client, &fault, &len), EPROTO);
		talloc_free(client);
		fake_close(fake);
	}
}

static void test_faults_leave_the_connection(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, answer_fault);
	uint32_t fault = 0;
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(do_call(fake, client, &fault, &len), 0);
		assert_int_equal(fault, RPC_FAULT_OP_RNG_ERROR);
	}
}

/* Keep two calls, then answer them, the later one first. */
static void answer_in_reverse(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (answer_bind(fake, hdr)) {
		return;
	}
	fake->held[fake->num_held++] = hdr->call_id;
	if (fake->num_held == 2) {
		respond(fake, fake->held[1], FIRST | LAST, 2);
		respond(fake, fake->held[0], FIRST | LAST, 1);
	}
}

static void test_two_calls_open(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, answer_in_reverse);
	struct tevent_req *one = start_call(fake, client, 3);
	struct tevent_req *two = start_call(fake, client, 0);
	uint32_t fault = 0;
	size_t len = 0;

	assert_int_equal(finish_call(fake, two, &fault, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(finish_call(fake, one, &fault, &len), 0);
	assert_int_equal(len, 1);
}

/* Each request is answered only when the next PDU (a cancel) comes. */
static void answer_when_cancelled(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (answer_bind(fake, hdr)) {
		return;
	}
	if (hdr->ptype == RPC_CO_CANCEL) {
		assert_int_equal(hdr->call_id, fake->held[0]);
		fake->num_held = 0;
		respond(fake, hdr->call_id, FIRST | LAST, 4);
		return;
	}
	assert_int_equal(fake->num_held, 0); /* one at a time, without MPX */
	fake->held[fake->num_held++] = hdr->call_id;
}

static void test_without_mpx_calls_take_turns(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client;
	struct tevent_req *one, *two;
	uint32_t fault = 0;
	size_t len = 0;

	fake->no_mpx = true;
	client = must_connect(fake, answer_when_cancelled);
	assert_false(rpc_client_mpx(client));
	one = start_call(fake, client, 3);
	two = start_call(fake, client, 0);
	assert_int_equal(rpc_client_cancel(one), 0);
	assert_int_equal(finish_call(fake, one, &fault, &len), 0);
	assert_int_equal(fault, 0);
	assert_int_equal(rpc_client_cancel(two), 0);
	assert_int_equal(finish_call(fake, two, &fault, &len), 0);
	assert_int_equal(fault, 0);
}

static void test_a_call_that_waits_can_be_cancelled(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client;
	struct tevent_req *one, *two;
	uint32_t fault = 0;
	size_t len = 0;

	fake->no_mpx = true;
	client = must_connect(fake, answer_when_cancelled);
	one = start_call(fake, client, 3);
	two = start_call(fake, client, 0);
	assert_int_equal(rpc_client_cancel(two), 0);
	assert_int_equal(finish_call(fake, two, &fault, &len), 0);
	assert_int_equal(fault, RPC_FAULT_CANCEL);
	assert_int_equal(rpc_client_cancel(one), 0);
	assert_int_equal(finish_call(fake, one, &fault, &len), 0);
	assert_int_equal(fault, 0);
}

static void test_an_answer_that_nobody_waits_for(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, answer_in_reverse);
	struct tevent_req *one = start_call(fake, client, 3);
	uint32_t fault = 0;
	size_t len = 0;

	while (fake->num_held == 0) {
		tevent_loop_once(fake->ev);
	}
	talloc_free(one);
	assert_int_equal(do_call(fake, client, &fault, &len), 0);
	assert_int_equal(len, 2);
	fake->fn = answer_all; /* the late answer has been dropped, and calls go on */
	assert_int_equal(do_call(fake, client, &fault, &len), 0);
	assert_int_equal(len, 12);
}

static void test_a_call_times_out_and_the_connection_stays(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, answer_in_reverse);
	struct tevent_req *req = rpc_client_call_send(fake, fake->ev, client, 3, NULL, 0, 20);
	uint32_t fault = 0;
	size_t len = 0;

	assert_int_equal(finish_call(fake, req, &fault, &len), ETIMEDOUT);
	assert_int_equal(do_call(fake, client, &fault, &len), 0);
	assert_int_equal(len, 2);
}

static void hang_up_on_requests(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	if (!answer_bind(fake, hdr)) {
		fake_close(fake);
	}
}

static void test_a_lost_connection_ends_all_calls(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, hang_up_on_requests);
	struct tevent_req *one, *two;
	uint32_t fault = 0;
	size_t len = 0;

	one = start_call(fake, client, 3);
	two = start_call(fake, client, 0);
	assert_int_equal(finish_call(fake, one, &fault, &len), ECONNRESET);
	assert_int_equal(finish_call(fake, two, &fault, &len), ECONNRESET);
	/* A dead connection says so at once. */
	assert_int_equal(do_call(fake, client, &fault, &len), ECONNRESET);
}

static void test_freeing_the_client_ends_its_calls(void **state)
{
	struct fake *fake = *state;
	struct rpc_client *client = must_connect(fake, answer_in_reverse);
	struct tevent_req *one = start_call(fake, client, 3);
	uint32_t fault = 0;
	size_t len = 0;

	talloc_free(client);
	assert_int_equal(finish_call(fake, one, &fault, &len), ECONNABORTED);
}

static void count_fragments(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	struct pdu_request request;

	if (answer_bind(fake, hdr)) {
		return;
	}
	assert_true(hdr->frag_length <= fake->max_recv);
	assert_int_equal(pdu_pull_request(pdu, hdr, &request), 0);
	assert_int_equal((hdr->flags & FIRST) != 0, fake->stub_bytes == 0);
	assert_int_equal(request.opnum, 7);
	fake->stub_bytes += request.body_len;
	if ((hdr->flags & LAST) != 0) {
		respond(fake, hdr->call_id, FIRST | LAST, 4);
	}
}

static void test_a_long_request_is_cut_as_the_server_wants(void **state)
{
	struct fake *fake = *state;
	uint8_t *stub = talloc_zero_array(fake, uint8_t, 20001);
	struct rpc_client *client;
	struct tevent_req *req;
	uint32_t fault = 0;
	size_t len = 0;

	fake->max_recv = 2048;
	client = must_connect(fake, count_fragments);
	req = rpc_client_call_send(fake, fake->ev, client, 7, stub, 20001, CALL_WAIT);
	talloc_free(stub); /* it has been copied */
	assert_int_equal(finish_call(fake, req, &fault, &len), 0);
	assert_int_equal(fake->stub_bytes, 20001);
	assert_true(fake->pdus > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_call),
		CASE(test_an_answer_in_fragments),
		CASE(test_answers_that_break_the_protocol),
		CASE(test_faults_leave_the_connection),
		CASE(test_two_calls_open),
		CASE(test_without_mpx_calls_take_turns),
		CASE(test_a_call_that_waits_can_be_cancelled),
		CASE(test_an_answer_that_nobody_waits_for),
		CASE(test_a_call_times_out_and_the_connection_stays),
		CASE(test_a_lost_connection_ends_all_calls),
		CASE(test_freeing_the_client_ends_its_calls),
		CASE(test_a_long_request_is_cut_as_the_server_wants),
	};

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
