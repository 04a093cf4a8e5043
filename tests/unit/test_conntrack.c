/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two nodes with stand-ins for the tickle agent: a script that says what a file has, and notes what it hears. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cluster_pair.h"
#include "witnessd/cluster/conn_list.h"
#include "witnessd/cluster/conntrack.h"

#define CONN_1 "10.0.0.7:445 192.0.2.1:50001"
#define CONN_2 "10.0.0.7:445 192.0.2.1:50002"
#define OTHER  "10.0.0.8:445 192.0.2.1:50003"

static const char agent_script[] = "#!/bin/sh\n"
				   "echo run >>\"$0.runs\"\n"
				   "echo '{\"ready\": \"0\", \"can_send\": true}'\n"
				   "cat \"$0.says\"\n"
				   "[ ! -e \"$0.ends\" ] || { rm \"$0.ends\" \"$0.says\"; mv "
				   "\"$0.next\" \"$0.says\"; exit 0; }\n"
				   "exec cat >>\"$0.heard\" 2>/dev/null\n"; /* of a reset */

struct fixture {
	struct pair pair;
	char dir[32];
	char *agents[2];
	struct cluster *clusters[2];
	struct conntrack *cts[2];
};

static void write_file(struct fixture *f, int node, const char *suffix, const char *text)
{
	char *path = talloc_asprintf(f, "%s%s", f->agents[node], suffix);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
	talloc_free(path);
}

static char *read_file(struct fixture *f, int node, const char *suffix)
{
	char *path = talloc_asprintf(f, "%s%s", f->agents[node], suffix);
	char *text = talloc_zero_size(f, 8192);
	FILE *file = fopen(path, "r");

	if (file != NULL) {
		(void)!fread(text, 1, 8191, file);
		fclose(file);
	}
	talloc_free(path);
	return text;
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	strcpy(f->dir, "/tmp/conntrack-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->pair.ev = tevent_context_init(f);
	for (int i = 0; i < 2; i++) {
		f->agents[i] = talloc_asprintf(f, "%s/n%d", f->dir, i + 1);
		write_file(f, i, "", agent_script);
		write_file(f, i, ".says", "");
		assert_int_equal(cluster_create(f, f->pair.ev, &f->clusters[i]), 0);
	}
	pair_link(&f->pair, f->clusters[0], f->clusters[1]);
	*state = f;
	return 0;
}

static void start(struct fixture *f)
{
	const uint16_t ports[] = {445};

	for (int i = 0; i < 2; i++) {
		struct conntrack_config config = {
			.agent = f->agents[i], .ports = ports, .num_ports = 1};

		assert_int_equal(
			conntrack_create(f, f->pair.ev, f->clusters[i], &config, &f->cts[i]), 0);
	}
	pair_place(&f->pair, "n1");
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[64];

	for (int i = 0; i < 2; i++) {
		TALLOC_FREE(f->cts[i]);
		TALLOC_FREE(f->clusters[i]);
	}
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	talloc_free(f);
	return 0;
}

/* --- what to wait for --- */

struct wish {
	struct fixture *f;
	int node;
	size_t num;
	const char *text;
};

/* What a node knows of all connections, looked through one by one. */
static json_t *list_of(struct fixture *f, int node)
{
	struct conn_list *list = NULL;
	char *text = talloc_strdup(f, "");
	json_t *json;

	assert_int_equal(conn_list_create(f, cluster_peers(f->clusters[node]), &list), 0);
	while (conn_list_next(list, 1, &text)) {
	}
	assert_non_null(text);
	text = talloc_asprintf(f, "[%s]", text[0] == ',' ? text + 1 : text);
	json = json_loads(text, 0, NULL);
	assert_true(json_is_array(json));
	talloc_free(list);
	return json;
}

static bool lists(void *private_data)
{
	struct wish *wish = private_data;
	json_t *list = list_of(wish->f, wish->node);
	size_t num = json_array_size(list);

	json_decref(list);
	return num == wish->num;
}

static void until_listed(struct fixture *f, int node, size_t num)
{
	struct wish wish = {f, node, num, NULL};

	pair_until(&f->pair, lists, &wish);
}

static bool heard(void *private_data)
{
	struct wish *wish = private_data;
	char *text = read_file(wish->f, wish->node, ".heard");
	bool has = strstr(text, wish->text) != NULL;

	talloc_free(text);
	return has;
}

static void until_heard(struct fixture *f, int node, const char *text)
{
	struct wish wish = {f, node, 0, text};

	pair_until(&f->pair, heard, &wish);
}

static bool is_in(struct fixture *f, int node, const char *text)
{
	struct wish wish = {f, node, 0, text};

	return heard(&wish);
}

/* --- the tests --- */

static void the_agent_is_told_what_to_watch(void **state)
{
	struct fixture *f = *state;

	start(f);
	until_heard(f, 0, "{\"watch\":[\"10.0.0.7\",\"10.0.0.8\"],\"ports\":[445]}\n");
}

static void a_dead_nodes_clients_are_tickled(void **state)
{
	struct fixture *f = *state;

	write_file(f, 0, ".says", "{\"new\": [\"" CONN_1 "\", \"" CONN_2 "\", \"" OTHER "\"]}\n");
	start(f);
	until_listed(f, 1, 3);
	until_heard(f, 1, "watch");
	pair_lose_n1(&f->pair);
	pair_place(&f->pair, NULL);
	pair_place(&f->pair, "n2");
	until_heard(f, 1, "{\"tickle\":\"10.0.0.7\"}\n");
	assert_true(is_in(f, 1, CONN_1));
	assert_true(is_in(f, 1, CONN_2));
	assert_false(is_in(f, 1, OTHER));
}

/* Fencing may take longer than peers keep what a vanished one had. */
static void the_address_comes_late(void **state)
{
	struct fixture *f = *state;

	write_file(f, 0, ".says", "{\"new\": [\"" CONN_1 "\"]}\n");
	peers_set_handover_timeout(cluster_peers(f->clusters[1]), 1);
	start(f);
	until_listed(f, 1, 1);
	until_heard(f, 1, "watch");
	pair_lose_n1(&f->pair);
	pair_place(&f->pair, NULL);
	until_listed(f, 1, 0);
	pair_place(&f->pair, "n2");
	until_heard(f, 1, "{\"connections\":[\"" CONN_1 "\"]}\n{\"tickle\":\"10.0.0.7\"}\n");
}

static void what_has_gone_is_not_tickled(void **state)
{
	struct fixture *f = *state;

	write_file(f, 0, ".says",
		   "{\"new\": [\"" CONN_1 "\", \"" CONN_2 "\"]}\n{\"gone\": [\"" CONN_1 "\"]}\n");
	start(f);
	until_listed(f, 1, 1);
	until_heard(f, 1, "watch");
	pair_place(&f->pair, "n2");
	until_heard(f, 1, "{\"tickle\":\"10.0.0.7\"}\n");
	assert_true(is_in(f, 1, CONN_2));
	assert_false(is_in(f, 1, CONN_1));
}

static void a_second_request_is_not_a_second_tickle(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = fix_ip("10.0.0.7");
	size_t num;

	write_file(f, 0, ".says", "{\"new\": [\"" CONN_1 "\"]}\n");
	start(f);
	until_listed(f, 1, 1);
	until_heard(f, 1, "watch");
	assert_int_equal(conntrack_tickle(f->cts[1], &ip, &num), 0);
	assert_int_equal(num, 1);
	assert_int_equal(conntrack_tickle(f->cts[1], &ip, &num), 0);
	assert_int_equal(num, 0);
}

static void nobody_is_tickled_for_ones_own_connections(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = fix_ip("10.0.0.7");
	size_t num;

	write_file(f, 0, ".says", "{\"new\": [\"" CONN_1 "\"]}\n");
	start(f);
	until_listed(f, 0, 1);
	assert_int_equal(conntrack_tickle(f->cts[0], &ip, &num), 0);
	assert_int_equal(num, 0);
}

static void nonsense_of_the_agent_is_survived(void **state)
{
	struct fixture *f = *state;

	write_file(f, 0, ".says",
		   "{\nnull\n[]\n{\"new\": 5}\n{\"new\": [5, \"x\"]}\n{\"problem\": 1}\n"
		   "{\"tickled\": {}}\n{\"gone\": [\"" CONN_1 "\"]}\n{\"new\": [\"" CONN_2
		   "\"]}\n");
	start(f);
	until_listed(f, 1, 1);
}

/* What it does not list any more has gone. */
static void an_agent_that_ends_is_started_again(void **state)
{
	struct fixture *f = *state;
	json_t *list, *first;

	write_file(f, 0, ".says", "{\"new\": [\"" CONN_1 "\", \"" OTHER "\"]}\n");
	write_file(f, 0, ".next", "{\"new\": [\"" CONN_2 "\"]}\n");
	write_file(f, 0, ".ends", "");
	start(f);
	until_listed(f, 1, 2);
	until_listed(f, 1, 1);
	list = list_of(f, 1);
	first = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(first, "remote")), "192.0.2.1:50002");
	assert_string_equal(json_string_value(json_object_get(first, "node")), "n1");
	json_decref(list);
}

static bool gave_up(void *private_data)
{
	struct fixture *f = private_data;
	json_t *status = conntrack_status_json(f->cts[0]);
	json_int_t starts =
		json_integer_value(json_object_get(json_object_get(status, "agent"), "starts"));

	json_decref(status);
	return starts >= 1;
}

static void no_agent_is_no_end(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = fix_ip("10.0.0.7");
	size_t num;
	char *missing = f->agents[0];

	f->agents[0] = talloc_strdup(f, "/nonexistent/witness-tickle");
	start(f);
	pair_until(&f->pair, gave_up, f);
	pair_place(&f->pair, "n2");
	until_heard(f, 1, "watch");
	f->agents[0] = missing;
	(void)conntrack_tickle(f->cts[0], &ip, &num);
	assert_int_equal(num, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_agent_is_told_what_to_watch),
		TEST(a_dead_nodes_clients_are_tickled),
		TEST(the_address_comes_late),
		TEST(what_has_gone_is_not_tickled),
		TEST(a_second_request_is_not_a_second_tickle),
		TEST(nobody_is_tickled_for_ones_own_connections),
		TEST(nonsense_of_the_agent_is_survived),
		TEST(an_agent_that_ends_is_started_again),
		TEST(no_agent_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
