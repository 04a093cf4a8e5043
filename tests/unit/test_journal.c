/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What has happened: kept, written for other nodes, and gathered from them while somebody looks. */
#include "tests/unit/cluster_pair.h"
#include "tests/unit/swn_fixture.h"
#include "witnessd/journal.h"
#include "witnessd/journal_hub.h"
#include "witnessd/journal_share.h"
#include "witnessd/journal_wire.h"

struct rig {
	struct pair pair;
	struct swn_fix *fix[2];
	struct journal *journals[2];
	struct journal_share *share; /* of n2 */
	struct journal_hub *hub;     /* of n1 */
};

static int begin(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	rig->pair.ev = tevent_context_init(rig);
	for (int i = 0; i < 2; i++) {
		struct swn_fix *fix = talloc_zero(NULL, struct swn_fix);

		fix->ev = rig->pair.ev;
		fix_init(fix);
		assert_int_equal(cluster_create(fix, fix->ev, &fix->cluster), 0);
		fix_start(fix);
		assert_int_equal(journal_create(fix, fix->cluster, fix->service, &rig->journals[i]),
				 0);
		rig->fix[i] = fix;
	}
	assert_int_equal(journal_share_create(rig, rig->pair.ev,
					      cluster_peers(rig->fix[1]->cluster), rig->journals[1],
					      &rig->share),
			 0);
	assert_int_equal(journal_hub_create(rig, rig->pair.ev, rig->fix[0]->cluster,
					    rig->journals[0], &rig->hub),
			 0);
	pair_link(&rig->pair, rig->fix[0]->cluster, rig->fix[1]->cluster);
	pair_place(&rig->pair, "n1");
	*state = rig;
	return 0;
}

static int end(void **state)
{
	struct rig *rig = *state;

	TALLOC_FREE(rig->hub);
	TALLOC_FREE(rig->share);
	for (int i = 0; i < 2; i++) {
		TALLOC_FREE(rig->journals[i]);
		talloc_free(rig->fix[i]);
	}
	talloc_free(rig);
	return 0;
}

/* A witness tells a client something. */
static void tell(struct rig *rig, int node, const char *text)
{
	const struct swn_reg reg = {.ip = fix_ip("10.0.0.7"), .client_name = "c1"};
	struct swn_service *service = rig->fix[node]->service;

	service->told(service->told_private, &reg, SWN_RESOURCE_CHANGE, text);
}

/* --- on the wire --- */

static void entries_survive_the_wire(void **state)
{
	struct journal_entry entry = {.time_us = 1700000000123456, .has_handle = true}, again;
	uint8_t buf[JOURNAL_ENTRY_MAX];
	TALLOC_CTX *tmp = talloc_new(NULL);
	char longer[JOURNAL_TEXT_MAX + 10];
	size_t len;
	json_t *json;

	memset(longer, 'x', sizeof(longer));
	memcpy(longer + JOURNAL_TEXT_MAX - 1, "\xc3\xa4", 2); /* is not cut in half */
	longer[sizeof(longer) - 1] = '\0';
	entry.ip = fix_ip("fd00::9");
	for (int key = 1; key < JOURNAL_NUM_KEYS; key++) {
		entry.texts[key] = longer;
	}
	entry.texts[JOURNAL_EVENT] = "notification";
	len = journal_entry_pack(&entry, buf);
	assert_in_range(len, 1, JOURNAL_ENTRY_MAX);
	assert_int_equal(journal_entry_unpack(tmp, buf, len, &again), 0);
	assert_string_equal(again.texts[JOURNAL_EVENT], "notification");
	assert_int_equal(strlen(again.texts[JOURNAL_WHY]), JOURNAL_TEXT_MAX - 1);
	assert_true(ipaddr_equal(&again.ip, &entry.ip));
	json = journal_entry_json(&again);
	assert_float_equal(json_real_value(json_object_get(json, "time")), 1700000000.123456, 1e-5);
	assert_string_equal(json_string_value(json_object_get(json, "address")), "fd00::9");
	json_decref(json);
	for (size_t cut = 0; cut < len; cut++) {
		int err = journal_entry_unpack(tmp, buf, cut, &again);

		assert_true(err == EBADMSG || (err == 0 && again.texts[JOURNAL_WHY] == NULL));
	}
	talloc_free(tmp);
}

static void messages_survive_the_wire(void **state)
{
	struct journal_ask ask = {.life = 7, .after = 8, .newest = 9, .wait_ms = 10}, ask_again;
	struct journal_answer answer = {.life = 1, .upto = 2, .lost = 3, .more = true}, again;
	uint8_t buf[256];
	struct pack_out out = {.p = buf, .size = sizeof(buf)};
	const uint8_t *bytes;
	uint64_t number;
	size_t len;

	journal_ask_push(&out, &ask);
	assert_int_equal(out.len, JOURNAL_ASK_LEN);
	assert_int_equal(journal_ask_pull(buf, out.len, &ask_again), 0);
	assert_int_equal(ask_again.after, 8);
	assert_int_equal(ask_again.wait_ms, 10);
	assert_int_equal(journal_ask_pull(buf, out.len - 1, &ask_again), EBADMSG);
	out = (struct pack_out){.p = buf, .size = sizeof(buf)};
	journal_answer_push(&out, &answer);
	assert_int_equal(out.len, JOURNAL_ANSWER_HEAD);
	assert_true(journal_answer_push_entry(&out, 11, (const uint8_t *)"abc", 3));
	len = out.len;
	assert_false(journal_answer_push_entry(&out, 12, buf, 250));
	assert_int_equal(out.len, len);
	assert_int_equal(journal_answer_pull(buf, len, &again), 0);
	assert_true(again.more && again.upto == 2 && again.lost == 3);
	assert_true(journal_answer_next(&again.entries, &number, &bytes, &len));
	assert_int_equal(number, 11);
	assert_memory_equal(bytes, "abc", 3);
	assert_false(journal_answer_next(&again.entries, &number, &bytes, &len));
	assert_int_equal(journal_answer_pull(buf, out.len - 1, &again), EBADMSG);
}

/* --- the journal --- */

struct seen {
	size_t num, max;
	uint64_t first, last;
};

static bool see(void *private_data, uint64_t number, const uint8_t *bytes, size_t len)
{
	struct seen *seen = private_data;

	if (seen->num == seen->max) {
		return false;
	}
	assert_true(number > seen->last);
	seen->first = seen->num++ == 0 ? number : seen->first;
	seen->last = number;
	return true;
}

static struct seen read_all(const struct journal *journal, uint64_t after)
{
	struct seen seen = {.max = SIZE_MAX};

	journal_read(journal, after, see, &seen);
	assert_int_equal(journal_count(journal, after), seen.num);
	return seen;
}

static void a_flood_does_not_push_out_its_cause(void **state)
{
	struct rig *rig = *state;
	struct journal *journal = rig->journals[0];
	uint64_t events = journal_last(journal);
	struct seen seen;

	assert_true(events >= 1);
	for (unsigned int i = 0; i < JOURNAL_NOTIFICATIONS + 100; i++) {
		tell(rig, 0, "RESOURCE_CHANGE");
	}
	assert_int_equal(journal_last(journal), events + JOURNAL_NOTIFICATIONS + 100);
	seen = read_all(journal, 0);
	assert_int_equal(seen.num, events + JOURNAL_NOTIFICATIONS);
	assert_int_equal(seen.first, 1);
	assert_int_equal(read_all(journal, events).first, events + 101);
	assert_int_equal(read_all(journal, seen.last - 1).num, 1);
	assert_int_equal(read_all(journal, seen.last).num, 0);
	assert_int_equal(read_all(journal, seen.last + 5).num, 0);
	for (unsigned int i = 0; i < JOURNAL_EVENTS + 10; i++) {
		pair_place(&rig->pair, i % 2 == 0 ? NULL : "n1");
	}
	seen = read_all(journal, 0);
	assert_int_equal(seen.num, JOURNAL_EVENTS + JOURNAL_NOTIFICATIONS);
}

/* --- other nodes --- */

/* What the hub says of a node. */
static const char *state_of(struct rig *rig, const char *node, json_int_t *lost)
{
	static char text[32];
	json_t *list = journal_hub_nodes_json(rig->hub, node);
	json_t *first = json_array_get(list, 0);

	snprintf(text, sizeof(text), "%s",
		 first != NULL ? json_string_value(json_object_get(first, "state")) : "-");
	if (lost != NULL) {
		*lost = json_integer_value(json_object_get(first, "lost"));
	}
	json_decref(list);
	return text;
}

struct wish {
	struct rig *rig;
	const char *state; /* of n2 */
	const char *told;  /* in what is told of n2 */
	size_t num;        /* of them */
};

static json_t *told_by(struct rig *rig, const char *pattern)
{
	uint64_t pos = 0;
	char *text = talloc_strdup(rig, "");
	json_t *json;

	while (journal_hub_next(rig->hub, &pos, journal_hub_last(rig->hub), pattern, &text)) {
	}
	assert_non_null(text);
	json = json_loads(talloc_asprintf(text, "[%s]", text[0] == ',' ? text + 1 : text), 0, NULL);
	assert_true(json_is_array(json));
	talloc_free(text);
	return json;
}

static size_t count(struct rig *rig, const char *pattern, const char *node, const char *told)
{
	json_t *list = told_by(rig, pattern), *event;
	size_t i, num = 0;

	json_array_foreach(list, i, event)
	{
		const char *text = json_string_value(json_object_get(event, "told"));

		num += strcmp(json_string_value(json_object_get(event, "node")), node) == 0 &&
		       (told == NULL || (text != NULL && strcmp(text, told) == 0));
	}
	json_decref(list);
	return num;
}

static bool is_so(void *private_data)
{
	const struct wish *wish = private_data;

	return strcmp(state_of(wish->rig, "n2", NULL), wish->state) == 0 &&
	       (wish->told == NULL || count(wish->rig, NULL, "n2", wish->told) == wish->num);
}

static void until(struct rig *rig, const char *state, const char *told, size_t num)
{
	struct wish wish = {rig, state, told, num};

	pair_until(&rig->pair, is_so, &wish);
}

static void all_witnesses_are_followed(void **state)
{
	struct rig *rig = *state;
	json_int_t lost = -1;

	tell(rig, 1, "before");
	assert_string_equal(state_of(rig, "n2", NULL), "-"); /* nobody has looked */
	journal_hub_look(rig->hub);
	assert_string_equal(state_of(rig, "n1", NULL), "local");
	until(rig, "follows", "before", 1);
	tell(rig, 1, "news");
	tell(rig, 0, "here");
	until(rig, "follows", "news", 1);
	journal_hub_look(rig->hub);
	assert_int_equal(count(rig, NULL, "n1", "here"), 1);
	/* Events of the cluster are told once, those of another node when that is asked for. */
	assert_true(count(rig, NULL, "n1", NULL) > 1);
	assert_int_equal(count(rig, NULL, "n2", NULL), 2);
	assert_true(count(rig, "N2", "n2", NULL) > 2);
	assert_int_equal(count(rig, "N2", "n1", NULL), 0);
	assert_true(count(rig, "n*", "n1", NULL) > 1);
	(void)state_of(rig, "n2", &lost);
	assert_int_equal(lost, 0);
}

static uint64_t messages_of(struct rig *rig, int node)
{
	json_t *status = peers_status_json(cluster_peers(rig->fix[node]->cluster));
	uint64_t n = (uint64_t)json_integer_value(json_object_get(status, "sent"));

	json_decref(status);
	return n;
}

struct flood_wish {
	struct rig *rig;
	uint64_t last; /* of the row */
};

static bool has_come(void *private_data)
{
	const struct flood_wish *wish = private_data;

	return journal_hub_last(wish->rig->hub) >= wish->last;
}

/* Ten thousand at once: a bounded number of messages, and what was not fetched is counted. */
static void a_flood_is_bounded_and_counted(void **state)
{
	struct rig *rig = *state;
	struct flood_wish wish = {.rig = rig};
	json_int_t lost = 0;
	uint64_t before;
	size_t shown;

	journal_hub_look(rig->hub);
	until(rig, "follows", NULL, 0);
	before = messages_of(rig, 1);
	for (unsigned int i = 0; i < 10000; i++) {
		tell(rig, 1, "flood");
	}
	tell(rig, 1, "last");
	wish.last = journal_hub_last(rig->hub) + JOURNAL_NOTIFICATIONS;
	pair_until(&rig->pair, has_come, &wish);
	assert_int_equal(count(rig, NULL, "n2", "last"), 1);
	shown = count(rig, NULL, "n2", "flood");
	(void)state_of(rig, "n2", &lost);
	assert_in_range(shown, JOURNAL_NOTIFICATIONS / 2, JOURNAL_NOTIFICATIONS);
	assert_int_equal(shown + (size_t)lost, 10000);
	assert_in_range(messages_of(rig, 1) - before, 2, 64);
}

static void a_witness_that_cannot_is_named(void **state)
{
	struct rig *rig = *state;

	TALLOC_FREE(rig->share); /* as in one from before */
	journal_hub_look(rig->hub);
	until(rig, "older", NULL, 0);
	assert_int_equal(count(rig, NULL, "n2", NULL), 0);
	assert_true(count(rig, NULL, "n1", NULL) > 0);
}

static void one_that_goes_is_missed(void **state)
{
	struct rig *rig = *state;
	const struct backend_sink *sink = cluster_sink(rig->fix[0]->cluster);

	journal_hub_look(rig->hub);
	until(rig, "follows", NULL, 0);
	sink->peer_down(sink->private_data, "n2");
	until(rig, "gone", NULL, 0);
	sink->peer_up(sink->private_data, "n2");
	journal_hub_look(rig->hub);
	until(rig, "follows", NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_survive_the_wire),
		cmocka_unit_test(messages_survive_the_wire),
		cmocka_unit_test_setup_teardown(a_flood_does_not_push_out_its_cause, begin, end),
		cmocka_unit_test_setup_teardown(all_witnesses_are_followed, begin, end),
		cmocka_unit_test_setup_teardown(a_flood_is_bounded_and_counted, begin, end),
		cmocka_unit_test_setup_teardown(a_witness_that_cannot_is_named, begin, end),
		cmocka_unit_test_setup_teardown(one_that_goes_is_missed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
