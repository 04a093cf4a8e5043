/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What administrators look at: metrics, and which nodes are drained. */
#include "tests/unit/cluster_pair.h"
#include "tests/unit/swn_fixture.h"
#include "witnessd/metrics.h"
#include "witnessd/swn/drains.h"

static void metrics_are_escaped_and_typed(void **state)
{
	json_t *status =
		json_pack("{s:s, s:i, s:{s:{s:i}}, s:{s:b, s:[{s:s, s:s}]}}", "version", "1\"\\\n2",
			  "uptime", 7, "witness", "ended", "forced", 3, "cluster", "quorate", 1,
			  "addresses", "address", "10.0.0.7", "state", "available");
	json_t *nodes = json_pack("[{s:s, s:i, s:b}]", "name", "n1", "clients", 5, "online", 1);
	char *text = metrics_text(NULL, status, nodes);

	assert_non_null(text);
	assert_non_null(strstr(text, "\nwitnessd_info{version=\"1\\\"\\\\\\n2\"} 1\n"));
	assert_non_null(strstr(text, "# TYPE witnessd_uptime_seconds gauge\n"
				     "witnessd_uptime_seconds 7\n"));
	assert_non_null(
		strstr(text, "\nwitnessd_registrations_ended_total{reason=\"forced\"} 3\n"));
	assert_non_null(strstr(text, "\nwitnessd_cluster_quorate 1\n"));
	assert_non_null(strstr(text, "\nwitnessd_node_clients{node=\"n1\"} 5\n"));
	assert_non_null(strstr(text, "\nwitnessd_address_available{address=\"10.0.0.7\"} 1\n"));
	assert_null(strstr(text, "witnessd_connections")); /* nothing is known of them */
	talloc_free(text);
	json_decref(status);
	json_decref(nodes);
}

static void the_last_word_on_a_node_holds(void **state)
{
	struct swn_fix *fix = fix_new();
	struct swn_drains *drains = NULL;

	assert_int_equal(swn_drains_create(fix, cluster_peers(fix->cluster), &drains), 0);
	assert_false(swn_drains_has(drains, "n1"));
	assert_int_equal(swn_drains_set(drains, "n1", true), 0);
	assert_int_equal(swn_drains_set(drains, "n2", true), 0);
	assert_true(swn_drains_has(drains, "n1"));
	assert_int_equal(swn_drains_set(drains, "n1", false), 0);
	assert_false(swn_drains_has(drains, "n1"));
	assert_true(swn_drains_has(drains, "n2"));
	talloc_free(drains);
	talloc_free(fix);
}

/* n1 tells what it says of a node, and n2 has drains. */
struct telling {
	struct pair *pair;
	struct cluster *from;
	struct swn_drains *drains;
	char mark[8]; /* a node whose word comes last */
};

static bool heard(void *private_data)
{
	const struct telling *t = private_data;

	return swn_drains_has(t->drains, t->mark);
}

static void tell(struct telling *t, const char *node, const struct swn_drain *word)
{
	uint8_t value[SWN_DRAIN_VALUE];

	swn_drain_push(word, value);
	assert_int_equal(peers_put(cluster_peers(t->from), PEERS_DRAIN, node, strlen(node), value,
				   sizeof(value)),
			 0);
}

/* Else two witnesses that are told otherwise at the same moment would never agree. */
static void of_two_words_at_once_drained_holds(void **state)
{
	static const struct {
		struct swn_drain words[2];
		bool drained;
	} rows[] = {
		{{{.drained = true, .when_us = 5}, {.drained = false, .when_us = 5}}, true},
		{{{.drained = false, .when_us = 5}, {.drained = true, .when_us = 5}}, true},
		{{{.drained = true, .when_us = 5}, {.drained = false, .when_us = 6}}, false},
		{{{.drained = false, .when_us = 6}, {.drained = true, .when_us = 5}}, false},
	};
	const struct swn_drain last = {.drained = true, .when_us = 1};

	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct pair *pair = talloc_zero(NULL, struct pair);
		struct telling t = {.pair = pair};
		struct cluster *to = NULL;

		pair->ev = tevent_context_init(pair);
		assert_int_equal(cluster_create(pair, pair->ev, &t.from), 0);
		assert_int_equal(cluster_create(pair, pair->ev, &to), 0);
		assert_int_equal(swn_drains_create(pair, cluster_peers(to), &t.drains), 0);
		pair_link(pair, t.from, to);
		for (unsigned char i = 0; i < 2; i++) {
			snprintf(t.mark, sizeof(t.mark), "mark%u", i);
			tell(&t, "n3", &rows[row].words[i]);
			tell(&t, t.mark, &last);
			pair_until(pair, heard, &t);
		}
		assert_int_equal(swn_drains_has(t.drains, "n3"), rows[row].drained);
		talloc_free(t.drains);
		talloc_free(pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_escaped_and_typed),
		cmocka_unit_test(the_last_word_on_a_node_holds),
		cmocka_unit_test(of_two_words_at_once_drained_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
