/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of witnessctl for the witness of another node: on the wire, answered there, and fetched. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cluster_pair.h"
#include "witnessd/control/control.h"
#include "witnessd/remote_ask.h"
#include "witnessd/remote_serve.h"
#include "witnessd/remote_wire.h"

/* n1 asks, n2 answers: what .text says, or a result of .len bytes. */
struct rig {
	struct pair pair;
	struct cluster *clusters[2];
	struct remote_serve *serve;
	const char *text;
	size_t len;
	unsigned int asked;
	char *request;
	/* A request that is under way, and how it ended. */
	struct tevent_req *req;
	bool done;
	int err;
	json_t *result;
	char *why;
};

static char *answer(void *private_data, TALLOC_CTX *mem_ctx, const char *from, const char *request,
		    size_t len)
{
	struct rig *rig = private_data;
	char *filler;

	assert_string_equal(from, "n1");
	rig->asked++;
	TALLOC_FREE(rig->request);
	rig->request = talloc_strndup(rig, request, len);
	if (rig->text != NULL) {
		return talloc_strdup(mem_ctx, rig->text);
	}
	filler = talloc_size(mem_ctx, rig->len + 1);
	memset(filler, 'a' + (int)(rig->asked % 26), rig->len);
	filler[rig->len] = '\0';
	return talloc_asprintf(mem_ctx, "{\"ok\":true,\"result\":\"%s\"}", filler);
}

static int begin(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	rig->pair.ev = tevent_context_init(rig);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cluster_create(rig, rig->pair.ev, &rig->clusters[i]), 0);
	}
	assert_int_equal(remote_serve_create(rig, rig->pair.ev, cluster_peers(rig->clusters[1]),
					     answer, rig, &rig->serve),
			 0);
	pair_link(&rig->pair, rig->clusters[0], rig->clusters[1]);
	pair_place(&rig->pair, "n1");
	*state = rig;
	return 0;
}

static int end(void **state)
{
	struct rig *rig = *state;

	json_decref(rig->result);
	TALLOC_FREE(rig->req);
	TALLOC_FREE(rig->serve);
	for (int i = 0; i < 2; i++) {
		TALLOC_FREE(rig->clusters[i]);
	}
	talloc_free(rig);
	return 0;
}

static void ended(struct tevent_req *req)
{
	struct rig *rig = tevent_req_callback_data(req, struct rig);

	rig->err = remote_ask_recv(req, rig, &rig->result, &rig->why);
	TALLOC_FREE(rig->req);
	rig->done = true;
}

static void ask(struct rig *rig, const char *text, uint32_t timeout_ms)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "status", "text", text);

	json_decref(rig->result);
	rig->result = NULL;
	TALLOC_FREE(rig->why);
	rig->done = false;
	rig->req = remote_ask_send(rig, rig->pair.ev, cluster_peers(rig->clusters[0]), "n2",
				   request, timeout_ms);
	assert_non_null(rig->req);
	tevent_req_set_callback(rig->req, ended, rig);
	json_decref(request);
}

static bool is_done(void *private_data)
{
	return ((struct rig *)private_data)->done;
}

static void ask_and_wait(struct rig *rig, const char *text)
{
	ask(rig, text, 15000);
	pair_until(&rig->pair, is_done, rig);
}

/* --- on the wire --- */

static void questions_survive_the_wire(void **state)
{
	struct remote_question question = {
		.op = REMOTE_ASK, .request = (const uint8_t *)"{}", .len = 2};
	struct remote_question again;
	uint8_t buf[64];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};

	remote_question_push(&out, &question);
	assert_int_equal(remote_question_pull(buf, out.len, &again), 0);
	assert_int_equal(again.op, REMOTE_ASK);
	assert_int_equal(again.len, 2);
	assert_memory_equal(again.request, "{}", 2);

	out.len = 0;
	question = (struct remote_question){
		.op = REMOTE_MORE, .answer = {.b = "0123456789abcde"}, .offset = 77};
	remote_question_push(&out, &question);
	assert_int_equal(out.len, REMOTE_MORE_LEN);
	assert_int_equal(remote_question_pull(buf, out.len, &again), 0);
	assert_int_equal(again.op, REMOTE_MORE);
	assert_int_equal(again.offset, 77);
	assert_true(guid_equal(&again.answer, &question.answer));
	for (size_t cut = 0; cut < out.len; cut++) {
		assert_int_equal(remote_question_pull(buf, cut, &again), EBADMSG);
	}
	buf[0] = 3;
	assert_int_equal(remote_question_pull(buf, out.len, &again), EBADMSG);
}

static void parts_survive_the_wire(void **state)
{
	struct remote_part part = {.answer = {.b = "0123456789abcde"},
				   .total = 10,
				   .bytes = (const uint8_t *)"hello",
				   .len = 5};
	struct remote_part again;
	uint8_t buf[64];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};

	remote_part_push(&out, &part);
	assert_int_equal(remote_part_pull(buf, out.len, &again), 0);
	assert_int_equal(again.total, 10);
	assert_int_equal(again.len, 5);
	assert_memory_equal(again.bytes, "hello", 5);
	for (size_t cut = 0; cut <= REMOTE_PART_HEAD; cut++) {
		assert_int_equal(remote_part_pull(buf, cut, &again), EBADMSG);
	}
}

static void a_part_that_claims_too_much_is_refused(void **state)
{
	static const uint32_t totals[] = {0, 4, REMOTE_ANSWER_MAX + 1, UINT32_MAX};
	struct remote_part part = {.bytes = (const uint8_t *)"hello", .len = 5}, again;
	uint8_t buf[64];

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct pack_out out = {.p = buf, .size = sizeof(buf)};

		part.total = totals[i];
		remote_part_push(&out, &part);
		assert_int_equal(remote_part_pull(buf, out.len, &again), EBADMSG);
	}
}

static void parts_of_two_answers_never_mix(void **state)
{
	struct remote_part part = {.answer = {.b = "one"},
				   .total = 10,
				   .bytes = (const uint8_t *)"hello world",
				   .len = 6};
	struct remote_whole whole = {0};
	TALLOC_CTX *tmp = talloc_new(NULL);

	assert_false(remote_whole_complete(&whole));
	assert_int_equal(remote_whole_add(tmp, &whole, &part), 0);
	assert_int_equal(remote_whole_add(tmp, &whole, &part), EBADMSG); /* beyond the end */
	part.len = 4;
	part.total = 11;
	assert_int_equal(remote_whole_add(tmp, &whole, &part), EBADMSG);
	part.total = 10;
	part.answer.b[0] = 'O';
	assert_int_equal(remote_whole_add(tmp, &whole, &part), EBADMSG);
	part.answer.b[0] = 'o';
	assert_int_equal(whole.len, 6);
	assert_false(remote_whole_complete(&whole));
	assert_int_equal(remote_whole_add(tmp, &whole, &part), 0);
	assert_true(remote_whole_complete(&whole));
	assert_memory_equal(whole.text, "hello hell", 10);
	talloc_free(tmp);
}

/* --- from node to node --- */

static void a_command_is_answered_there(void **state)
{
	struct rig *rig = *state;

	rig->text = "{\"ok\":true,\"result\":{\"pid\":7}}";
	ask_and_wait(rig, "x");
	assert_int_equal(rig->err, 0);
	assert_int_equal(json_integer_value(json_object_get(rig->result, "pid")), 7);
	assert_int_equal(rig->asked, 1);
	assert_string_equal(rig->request, "{\"command\":\"status\",\"text\":\"x\"}");
	assert_int_equal(remote_serve_kept(rig->serve), 0);
}

static void answers_of_all_lengths_arrive(void **state)
{
	static const size_t head = sizeof("{\"ok\":true,\"result\":\"\"}") - 1;
	const size_t lens[] = {0,
			       REMOTE_PART_MAX - head,
			       REMOTE_PART_MAX - head + 1,
			       2 * REMOTE_PART_MAX - head,
			       100000,
			       REMOTE_ANSWER_MAX - head};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		rig->len = lens[i];
		ask_and_wait(rig, "x");
		assert_int_equal(rig->err, 0);
		assert_int_equal(json_string_length(rig->result), lens[i]);
		assert_int_equal(remote_serve_kept(rig->serve), 0);
	}
	rig->len++;
	ask_and_wait(rig, "x");
	assert_int_equal(rig->err, EMSGSIZE);
	assert_string_equal(rig->why, "node n2 has an answer that is longer than 1 MiB: ask there");
	assert_int_equal(remote_serve_kept(rig->serve), 0);
}

static void a_refusal_says_whose_it_is(void **state)
{
	struct rig *rig = *state;

	rig->text = "{\"ok\":false,\"error\":\"not\\u001b me\"}";
	ask_and_wait(rig, "x");
	assert_int_equal(rig->err, EREMOTEIO);
	assert_string_equal(rig->why, "node n2: not\\x1b me");
	rig->text = "{\"ok\":false,\"error\":\"none\",\"code\":\"no node\"}";
	ask_and_wait(rig, "x");
	assert_int_equal(rig->err, ENODEV);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const texts[] = {"{",
					    "[]",
					    "{\"ok\":true}",
					    "{\"ok\":false}",
					    "{\"ok\":false,\"error\":1}",
					    "{\"ok\":1,\"result\":1}",
					    "\xff"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		rig->text = texts[i];
		ask_and_wait(rig, "x");
		assert_int_equal(rig->err, EPROTO);
		assert_string_equal(rig->why, "node n2 has answered with what is no answer");
		assert_null(rig->result);
	}
}

static void a_request_that_is_too_long_is_not_sent(void **state)
{
	struct rig *rig = *state;
	char *text = talloc_size(rig, REMOTE_REQUEST_MAX + 1);

	memset(text, 'x', REMOTE_REQUEST_MAX);
	text[REMOTE_REQUEST_MAX] = '\0';
	ask_and_wait(rig, text);
	assert_int_equal(rig->err, E2BIG);
	assert_string_equal(rig->why, "node n2 can be sent no more than 16383 bytes");
	assert_int_equal(rig->asked, 0);
}

static void silence_ends(void **state)
{
	struct rig *rig = *state;

	rig->pair.cut = true;
	ask(rig, "x", 50);
	pair_until(&rig->pair, is_done, rig);
	assert_int_equal(rig->err, ETIMEDOUT);
	assert_string_equal(rig->why, "node n2 has not answered within 50 ms");
}

static void a_node_that_vanishes_ends_the_waiting(void **state)
{
	struct rig *rig = *state;
	const struct backend_sink *sink = cluster_sink(rig->clusters[0]);

	rig->pair.cut = true;
	ask(rig, "x", 15000);
	sink->peer_down(sink->private_data, "n2");
	pair_until(&rig->pair, is_done, rig);
	assert_int_equal(rig->err, EHOSTUNREACH);
	ask_and_wait(rig, "x");
	assert_int_equal(rig->err, EHOSTUNREACH);
	assert_string_equal(rig->why, "node n2 has no witness that can be reached");
}

static void an_older_witness_is_named(void **state)
{
	struct rig *rig = *state;

	TALLOC_FREE(rig->serve);
	ask_and_wait(rig, "x");
	assert_int_equal(rig->err, EOPNOTSUPP);
	assert_string_equal(rig->why, "node n2 has a witness of an older version, which takes no "
				      "commands from other nodes");
}

static void who_does_not_wait_any_more_is_forgotten(void **state)
{
	struct rig *rig = *state;

	rig->len = 100000;
	ask(rig, "x", 15000);
	TALLOC_FREE(rig->req);
	ask_and_wait(rig, "y");
	assert_int_equal(rig->err, 0);
	assert_int_equal(json_string_length(rig->result), 100000);
	/* What the first one did not fetch is kept for a while. */
	assert_int_equal(remote_serve_kept(rig->serve), 1);
}

/* --- by hand, as a peer would that is broken --- */

struct hand {
	bool done;
	int err;
	uint8_t *bytes;
	size_t len;
};

static void hand_ended(struct tevent_req *req)
{
	struct hand *hand = tevent_req_callback_data(req, struct hand);

	hand->err = peers_command_recv(req, hand, &hand->bytes, &hand->len);
	hand->done = true;
	talloc_free(req);
}

static bool hand_is_done(void *private_data)
{
	return ((struct hand *)private_data)->done;
}

static struct hand *by_hand(struct rig *rig, const void *bytes, size_t len)
{
	struct hand *hand = talloc_zero(rig, struct hand);
	struct tevent_req *req =
		peers_command_send(hand, rig->pair.ev, cluster_peers(rig->clusters[0]), "n2",
				   PEERS_CONTROL, bytes, len, 15000);

	tevent_req_set_callback(req, hand_ended, hand);
	pair_until(&rig->pair, hand_is_done, hand);
	return hand;
}

static struct hand *more_by_hand(struct rig *rig, const struct guid *which, uint32_t offset)
{
	uint8_t buf[REMOTE_MORE_LEN];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	const struct remote_question question = {
		.op = REMOTE_MORE, .answer = *which, .offset = offset};

	remote_question_push(&out, &question);
	return by_hand(rig, buf, out.len);
}

static void what_is_kept_is_limited(void **state)
{
	struct rig *rig = *state;
	struct guid first = {0};
	struct remote_part part;

	rig->len = 2 * REMOTE_PART_MAX;
	for (unsigned int i = 0; i <= REMOTE_KEPT_MAX; i++) {
		struct hand *hand = by_hand(rig, "\x01{}", 3);

		assert_int_equal(hand->err, 0);
		assert_int_equal(remote_part_pull(hand->bytes, hand->len, &part), 0);
		if (i == 0) {
			first = part.answer;
		}
		assert_int_equal(remote_serve_kept(rig->serve),
				 i < REMOTE_KEPT_MAX ? i + 1 : REMOTE_KEPT_MAX);
	}
	/* The oldest has made room; the newest is there, at any of its bytes and nowhere else. */
	assert_int_equal(more_by_hand(rig, &first, 1)->err, ENOENT);
	assert_int_equal(more_by_hand(rig, &part.answer, part.total)->err, EINVAL);
	assert_int_equal(more_by_hand(rig, &part.answer, UINT32_MAX)->err, EINVAL);
	assert_int_equal(more_by_hand(rig, &part.answer, 1)->err, 0);
	assert_int_equal(more_by_hand(rig, &part.answer, part.total - 1)->err, 0);
	assert_int_equal(more_by_hand(rig, &part.answer, 1)->err, ENOENT); /* has been fetched */
}

static void nonsense_is_refused(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(by_hand(rig, "", 0)->err, EINVAL);
	assert_int_equal(by_hand(rig, "\x07hello", 6)->err, EINVAL);
	assert_int_equal(by_hand(rig, "\x02hello", 6)->err, EINVAL);
	assert_int_equal(rig->asked, 0);
	rig->text = "{\"ok\":true,\"result\":1}";
	assert_int_equal(by_hand(rig, "\x01", 1)->err, 0); /* an empty request is a request */
	assert_string_equal(rig->request, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_survive_the_wire),
		cmocka_unit_test(parts_survive_the_wire),
		cmocka_unit_test(a_part_that_claims_too_much_is_refused),
		cmocka_unit_test(parts_of_two_answers_never_mix),
		cmocka_unit_test_setup_teardown(a_command_is_answered_there, begin, end),
		cmocka_unit_test_setup_teardown(answers_of_all_lengths_arrive, begin, end),
		cmocka_unit_test_setup_teardown(a_refusal_says_whose_it_is, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_answer_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_request_that_is_too_long_is_not_sent, begin, end),
		cmocka_unit_test_setup_teardown(silence_ends, begin, end),
		cmocka_unit_test_setup_teardown(a_node_that_vanishes_ends_the_waiting, begin, end),
		cmocka_unit_test_setup_teardown(an_older_witness_is_named, begin, end),
		cmocka_unit_test_setup_teardown(who_does_not_wait_any_more_is_forgotten, begin,
						end),
		cmocka_unit_test_setup_teardown(what_is_kept_is_limited, begin, end),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
