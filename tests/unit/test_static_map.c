/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "backends/static/edit.h"
#include "backends/static/map.h"
#include "backends/static/mapfile.h"
#include "tests/unit/cluster_fixture.h"
#include "tests/unit/short_memory.h"

static const char good[] = "# three nodes\n"
			   "[cluster]\n"
			   "quorate = yes\n"
			   "\n"
			   "[node n1]\n"
			   "  id = 1\n"
			   "[node n2]\n"
			   "\tid = 2 ; the second\n"
			   "draining = ON\r\n"
			   "[node n3]\n"
			   "id=3\n"
			   "online: no\n"
			   "[address 127.0.1.1]\n"
			   "node = n1\n"
			   "group = fs\n"
			   "[address fd00:1111:2222:3333:4444:5555:6666:7777]\n"
			   "node = n3\n"
			   "group = v6\n"
			   "kind = fixed\n"
			   "[address 127.0.1.3]\n"
			   "group = fs\n"
			   "state = unavailable\n"
			   "[share Data and more ]\n"
			   "group = fs\n"
			   "node = n1\n"
			   "[share off]\n"
			   "node = n3\n"
			   "[share everywhere]\n"
			   "node = *";

static struct cluster_state *parse(TALLOC_CTX *mem_ctx, const char *text)
{
	struct cluster_state *map = NULL;
	char *why = NULL;
	int err = static_map_parse(mem_ctx, text, strlen(text), "map", &map, &why);

	if (err != 0) {
		fail_msg("%s", why);
	}
	return map;
}

static void good_map_is_understood(void **unused)
{
	struct cluster_state *map = parse(NULL, good);
	struct ipaddr ip = fix_ip("127.0.1.1");
	const struct cluster_addr *addr = cluster_state_addr(map, &ip);

	assert_true(map->quorate);
	assert_int_equal(map->num_nodes, 3);
	assert_true(map->nodes[0].online);
	assert_false(map->nodes[0].draining);
	assert_int_equal(map->nodes[1].id, 2);
	assert_true(map->nodes[1].draining);
	assert_false(map->nodes[2].online);
	assert_int_equal(map->num_addrs, 3);
	assert_string_equal(addr->node, "n1");
	assert_string_equal(addr->group, "fs");
	assert_int_equal(addr->state, CLUSTER_ADDR_AVAILABLE);
	assert_int_equal(addr->kind, CLUSTER_ADDR_FLOATING);
	assert_int_equal(map->addrs[1].kind, CLUSTER_ADDR_FIXED);
	assert_null(map->addrs[2].node);
	assert_int_equal(map->addrs[2].state, CLUSTER_ADDR_UNAVAILABLE);
	assert_int_equal(map->num_shares, 3);
	assert_string_equal(map->shares[0].name, "Data and more");
	assert_string_equal(map->shares[0].node, "n1");
	assert_null(map->shares[2].node);
	assert_null(map->shares[2].group);
	talloc_free(map);
}

/* What is installed as the example. The tests run in the source tree. */
static void example_is_a_map(void **unused)
{
	static const char path[] = "packaging/cluster.map.example";
	TALLOC_CTX *mem = talloc_new(NULL);
	struct cluster_state *map;
	char *text = NULL;
	size_t len = 0;

	if (access(path, R_OK) != 0) {
		skip();
	}
	assert_int_equal(mapfile_read(mem, path, &text, &len), 0);
	map = parse(mem, text);
	assert_int_equal(map->num_nodes, 2);
	assert_int_equal(map->num_addrs, 3);
	assert_int_equal(map->num_shares, 2);
	talloc_free(mem);
}

static void canonical_text_is_a_fixed_point(void **unused)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct cluster_state *map = parse(mem, good), *again;
	char *text = static_map_format(mem, map);

	again = parse(mem, text);
	assert_string_equal(static_map_format(mem, again), text);
	assert_int_equal(again->num_addrs, map->num_addrs);
	assert_int_equal(again->num_shares, map->num_shares);
	assert_false(again->nodes[2].online);
	talloc_free(mem);
}

/* Whatever memory was short for: half a map would be written over the whole one. */
static void a_text_is_whole_or_there_is_none(void **unused)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct cluster_state *map = parse(mem, good);
	char *whole = static_map_format(mem, map), *text;
	size_t blocks = talloc_total_blocks(mem);
	unsigned long nth = 0;
	bool failed;

	talloc_enable_null_tracking();
	do {
		size_t all = talloc_total_blocks(NULL);

		short_memory_begin(++nth);
		text = static_map_format(mem, map);
		failed = short_memory_end();
		if (text == NULL) {
			assert_int_equal(talloc_total_blocks(NULL), all);
		} else {
			assert_string_equal(text, whole);
			assert_false(failed);
		}
		talloc_free(text);
	} while (failed);
	assert_true(nth > 5);
	assert_int_equal(talloc_total_blocks(mem), blocks);
	talloc_disable_null_tracking();
	talloc_free(mem);
}

static void snapshot_adds_what_follows(void **unused)
{
	struct cluster_state *map = parse(NULL, good);
	struct cluster_state *state = static_map_snapshot(NULL, map, "n2", 9);
	char *why = NULL;

	talloc_free(map);
	assert_int_equal(cluster_state_check(state, state, &why), 0);
	assert_int_equal(state->generation, 9);
	assert_string_equal(cluster_state_local(state)->name, "n2");
	/* On a node that is offline nothing is up. */
	assert_int_equal(state->addrs[1].state, CLUSTER_ADDR_UNAVAILABLE);
	assert_string_equal(state->addrs[1].node, "n3");
	assert_null(cluster_state_share(state, "off")->node);
	assert_string_equal(cluster_state_share(state, "data AND more")->node, "n1");
	/* A share is where the addresses of its group are. */
	assert_int_equal(cluster_state_share(state, "data and more")->num_addrs, 2);
	assert_true(state->addrs[0].tied);
	assert_false(state->addrs[1].tied);
	assert_true(state->addrs[2].tied);
	assert_int_equal(cluster_state_share(state, "everywhere")->num_addrs, 0);
	talloc_free(state);
}

static void mistakes_are_named_with_their_line(void **unused)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "map:0: no [node NAME] in the whole map"},
		{"[cluster]\nquorate = yes\n", "map:2: no [node NAME]"},
		{"id = 1\n", "map:1: a key before the first section"},
		{"[node n1]\nid = 1\n\n[noed n2]\nid = 2\n", "map:4: unknown section [noed n2]"},
		{"[node n1]\nid = 1\n[nodes n2]\nid = 2\n", "map:3: unknown section [nodes n2]"},
		{"[node]\nid = 1\n", "map:1: expected [node NAME]"},
		{"[node n 1]\nid = 1\n", "map:1: expected [node NAME]"},
		{"[node n1]\nid = 1\n[node n1]\nid = 1\n", "map:3: n1 is there twice"},
		{"[node n1]\n[node n2]\nid = 1\n", "map:1: a section without a key"},
		{"[node n1]\nid = 1\n[node n2]", "map:3: a section without a key"},
		{"[node n1]\nid = 1\nid = 1\n", "map:3: id is there twice"},
		{"[node n1]\nid = 1x\n", "map:2: \"1x\" is not a number"},
		{"[node n1]\nid = -1\n", "map:2: \"-1\" is not a number"},
		{"[node n1]\nid = 4294967296\n", "map:2: \"4294967296\" is not a number"},
		{"[node n1]\nid =\n", "map:2: \"\" is not a number"},
		{"[node n1]\nonline = maybe\n", "map:2: \"maybe\" is neither yes nor no"},
		{"[node n1]\ncolour = red\n",
		 "map:2: unknown key \"colour\": expected id, online, draining"},
		{"[node n1]\nid 1\n", "map:2: expected [SECTION] or KEY = VALUE"},
		{"[node n1\nid = 1\n", "map:1: expected [SECTION], without a semicolon"},
		{"[node n1 ;]\nid = 1\n", "map:1: expected [SECTION], without a semicolon"},
		{"[]\nid = 1\n", "map:1: unknown section []"},
		{"[cluster x]\nquorate = yes\n", "map:1: [cluster] takes no name"},
		{"[cluster]\nquorate = 1\n[node n1]\nid = 1\n[cluster]\nquorate = 0\n",
		 "map:5: [cluster] is there twice"},
		{"[node n1]\nid=1\n[address 1.2.3]\ngroup = g\n",
		 "map:3: \"1.2.3\" is not an address"},
		{"[node n1]\nid=1\n[address ::1%lo]\ngroup = g\n", "map:3: \"::1%lo\" is not an"},
		{"[node n1]\nid=1\n[address 1.2.3.4]\nnode = n1\n",
		 "map:3: address 1.2.3.4 has no group"},
		{"[node n1]\nid=1\n[address 1.2.3.4]\ngroup = g\n",
		 "map:3: address 1.2.3.4 is available and has no node"},
		{"[node n1]\nid=1\n[address 1.2.3.4]\ngroup = g\nnode = n2\n[share x]\nnode = n1\n",
		 "map:3: there is no [node n2]"},
		{"[node n1]\nid=1\n[address 1.2.3.4]\ngroup = g\nstate = up\n",
		 "map:5: \"up\" is none of available, unavailable, unknown"},
		{"[node n1]\nid=1\n[address 1.2.3.4]\ngroup = g\nkind = loose\n",
		 "map:5: \"loose\" is neither floating nor fixed"},
		{"[node n1]\nid=1\n[address 1.2.3.4]\ngroup = two words\n",
		 "map:4: \"two words\" is not a name"},
		{"[node n1]\nid=1\n[share]\nnode = n1\n", "map:3: expected [share NAME]"},
		{"[node n1]\nid=1\n[share x]\nnode = n1\n[share X]\nnode = n1\n",
		 "map:5: X is there twice"},
		{"[node n1]\nid=1\n[share x]\nnode = n9\n", "map:3: there is no [node n9]"},
		{"[share 01234567890123456789012345678901234567890123456789]\nnode = n1\n",
		 "map:1: a section name of more than 49"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct cluster_state *map = NULL;
		char *why = NULL;

		assert_int_equal(static_map_parse(mem, rows[i].text, strlen(rows[i].text), "map",
						  &map, &why),
				 EINVAL);
		assert_null(map);
		if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0) {
			fail_msg("expected \"%s\", got \"%s\"", rows[i].why, why);
		}
		talloc_free(why);
		assert_int_equal(talloc_total_blocks(mem), 1);
		talloc_free(mem);
	}
}

static void expect_refused(const char *text, size_t len, const char *part)
{
	struct cluster_state *map = NULL;
	char *why = NULL;

	assert_int_equal(static_map_parse(NULL, text, len, "map", &map, &why), EINVAL);
	if (strstr(why, part) == NULL) {
		fail_msg("expected \"%s\", got \"%s\"", part, why);
	}
	talloc_free(why);
}

static void what_inih_would_cut_is_refused(void **unused)
{
	char *line = talloc_asprintf(NULL, "[node n1]\nid = 1 ; %0300d\n", 0);

	expect_refused(line, strlen(line), "map:2: a line of more than 199 characters");
	talloc_free(line);
	expect_refused("[node n1]\nid = \0001\n", 17, "map:2: a NUL byte");
	line = talloc_asprintf(NULL, "[node n1]\nid=1\n[share s]\ngroup = %0128d\n", 0);
	expect_refused(line, strlen(line), "map:4: ");
	talloc_free(line);
}

static void size_and_counts_are_bounded(void **unused)
{
	char *text = talloc_zero_array(NULL, char, STATIC_MAP_MAX_BYTES + 1);

	memset(text, '\n', STATIC_MAP_MAX_BYTES + 1);
	expect_refused(text, STATIC_MAP_MAX_BYTES + 1, "larger than");
	expect_refused(text, STATIC_MAP_MAX_BYTES, "no [node NAME]");
	talloc_free(text);
	text = talloc_strdup(NULL, "");
	for (int i = 0; i <= STATIC_MAP_MAX_NODES; i++) {
		text = talloc_asprintf_append_buffer(text, "[node n%d]\nid=%d\n", i, i);
	}
	expect_refused(text, strlen(text), "map:513: more than 256 nodes");
	talloc_free(text);
	text = talloc_strdup(NULL, "[node n]\nid=1\n");
	for (int i = 0; i <= STATIC_MAP_MAX_ADDRS; i++) {
		text = talloc_asprintf_append_buffer(
			text, "[address 10.0.%d.%d]\ngroup=g\nnode=n\n", i / 256, i % 256);
	}
	expect_refused(text, strlen(text), "more than 2048 addresses");
	talloc_free(text);
	text = talloc_strdup(NULL, "[node n]\nid=1\n");
	for (int i = 0; i <= STATIC_MAP_MAX_SHARES; i++) {
		text = talloc_asprintf_append_buffer(text, "[share s%d]\nnode=n\n", i);
	}
	expect_refused(text, strlen(text), "more than 2048 shares");
	talloc_free(text);
}

static void every_prefix_is_taken_or_refused(void **unused)
{
	for (size_t len = 0; len < strlen(good); len++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct cluster_state *map = NULL;
		char *why = NULL;
		int err = static_map_parse(mem, good, len, "map", &map, &why);

		assert_true(err == 0 ? map != NULL : err == EINVAL && why != NULL);
		talloc_free(mem);
	}
}

/* --- edits --- */

/* Run one command, words separated by blanks, NULL at the end. */
static int edit(TALLOC_CTX *mem_ctx, struct cluster_state *map, char **why, const char *command)
{
	char *words = talloc_strdup(mem_ctx, command), *save = NULL;
	const char *argv[8];
	size_t argc = 0;

	for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		argv[argc++] = w;
	}
	return static_edit(mem_ctx, map, argv, argc, why);
}

static void edits_change_the_map(void **unused)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct cluster_state *map = parse(mem, good);
	char *why = NULL;

	assert_int_equal(edit(mem, map, &why, "node n1 offline"), 0);
	assert_false(map->nodes[0].online);
	assert_int_equal(edit(mem, map, &why, "node n1 online"), 0);
	assert_true(map->nodes[0].online);
	assert_int_equal(edit(mem, map, &why, "node n1 drain"), 0);
	assert_true(map->nodes[0].draining);
	assert_int_equal(edit(mem, map, &why, "node n1 undrain"), 0);
	assert_false(map->nodes[0].draining);
	assert_int_equal(edit(mem, map, &why, "quorum no"), 0);
	assert_false(map->quorate);
	assert_int_equal(edit(mem, map, &why, "quorum yes"), 0);
	assert_true(map->quorate);
	assert_int_equal(edit(mem, map, &why, "address 127.0.1.1 down"), 0);
	assert_int_equal(map->addrs[0].state, CLUSTER_ADDR_UNAVAILABLE);
	assert_string_equal(map->addrs[0].node, "n1");
	assert_int_equal(edit(mem, map, &why, "address 127.0.1.1 up"), 0);
	assert_int_equal(map->addrs[0].state, CLUSTER_ADDR_AVAILABLE);
	assert_int_equal(edit(mem, map, &why, "address 127.0.1.3 move n2"), 0);
	assert_int_equal(map->addrs[2].state, CLUSTER_ADDR_AVAILABLE);
	assert_string_equal(map->addrs[2].node, "n2");
	assert_string_equal(map->shares[0].node, "n1");
	assert_int_equal(edit(mem, map, &why, "move fs n3"), 0);
	assert_string_equal(map->addrs[0].node, "n3");
	assert_string_equal(map->addrs[2].node, "n3");
	assert_string_equal(map->shares[0].node, "n3");
	parse(mem, static_map_format(mem, map));
	talloc_free(mem);
}

static void wrong_edits_say_why(void **unused)
{
	static const struct {
		const char *command;
		int err;
		const char *why;
	} rows[] = {
		{"", EINVAL, "expected show, node NAME"},
		{"dance", EINVAL, "expected show, node NAME"},
		{"node n1", EINVAL, "expected show, node NAME"},
		{"node n1 online now", EINVAL, "expected show, node NAME"},
		{"node n1 dance", EINVAL, "expected node NAME online"},
		{"node n9 online", ENODEV, "the map has no node n9"},
		{"address 127.0.1.9 up", ENXIO, "the map has no address 127.0.1.9"},
		{"address nonsense up", ENXIO, "the map has no address nonsense"},
		{"address 127.0.1.3 up", EINVAL, "the address has no node"},
		{"address 127.0.1.1 move", EINVAL, "expected address IP"},
		{"address 127.0.1.1 up n1", EINVAL, "expected address IP"},
		{"address 127.0.1.1 move n9", ENODEV, "the map has no node n9"},
		{"address fd00:1111:2222:3333:4444:5555:6666:7777 move n1", EINVAL,
		 "the address is fixed"},
		{"quorum perhaps", EINVAL, "expected quorum yes or no"},
		{"move fs n9", ENODEV, "the map has no node n9"},
		{"move v6 n1", ENOENT, "the map has no floating address or share in group v6"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		char *why = NULL;

		assert_int_equal(edit(mem, parse(mem, good), &why, rows[i].command), rows[i].err);
		if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0) {
			fail_msg("expected \"%s\", got \"%s\"", rows[i].why, why);
		}
		talloc_free(mem);
	}
}

static void intents_know_where_things_are(void **unused)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct cluster_state *map = parse(mem, good);
	const char *group[] = {"intent", "fs", "n2"}, *addr[] = {"intent", "127.0.1.3"};
	const char *nothing[] = {"intent", "fish"}, *nowhere[] = {"intent", "fs", "n9"};
	const char *nobodys[] = {"intent", "127.0.1.99"};
	struct backend_intent intent;
	char *why = NULL;

	assert_int_equal(static_intent(mem, map, group, 3, &intent, &why), 0);
	assert_int_equal(intent.kind, BACKEND_INTENT_GROUP);
	assert_string_equal(intent.what, "fs");
	assert_string_equal(intent.from, "n1");
	assert_string_equal(intent.to, "n2");
	assert_int_equal(static_intent(mem, map, addr, 2, &intent, &why), 0);
	assert_int_equal(intent.kind, BACKEND_INTENT_ADDR);
	assert_null(intent.from);
	assert_null(intent.to);
	assert_int_equal(static_intent(mem, map, nothing, 2, &intent, &why), ENOENT);
	assert_int_equal(static_intent(mem, map, nowhere, 3, &intent, &why), ENODEV);
	assert_int_equal(static_intent(mem, map, nobodys, 2, &intent, &why), ENXIO);
	assert_int_equal(static_intent(mem, map, group, 1, &intent, &why), EINVAL);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_map_is_understood),
		cmocka_unit_test(example_is_a_map),
		cmocka_unit_test(canonical_text_is_a_fixed_point),
		cmocka_unit_test(a_text_is_whole_or_there_is_none),
		cmocka_unit_test(snapshot_adds_what_follows),
		cmocka_unit_test(mistakes_are_named_with_their_line),
		cmocka_unit_test(what_inih_would_cut_is_refused),
		cmocka_unit_test(size_and_counts_are_bounded),
		cmocka_unit_test(every_prefix_is_taken_or_refused),
		cmocka_unit_test(edits_change_the_map),
		cmocka_unit_test(wrong_edits_say_why),
		cmocka_unit_test(intents_know_where_things_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
