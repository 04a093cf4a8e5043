/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The static backend with a real file in a folder of its own, and real inotify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backend.h"
#include "tests/unit/cluster_fixture.h"

#define MAP_ON(node)                                                                               \
	"[node n1]\nid=1\n[node n2]\nid=2\n[address 127.0.1.1]\ngroup=fs\nnode=" node "\n"

struct fixture {
	struct tevent_context *ev;
	struct config *config;
	struct backend_sink sink;
	struct backend *backend;
	char *dir, *map;
	struct cluster_state *state; /* the last snapshot */
	int snapshots, losts, intents;
	int refuse; /* so many snapshots for want of memory */
	char *intent_to;
	bool timed_out;
};

static int hear_snapshot(void *private_data, struct cluster_state **state)
{
	struct fixture *f = private_data;

	assert_non_null(f->backend); /* never from inside connect() */
	if (f->refuse > 0) {
		f->refuse--;
		TALLOC_FREE(*state);
		return ENOMEM;
	}
	talloc_free(f->state);
	f->state = talloc_move(f, state);
	f->snapshots++;
	return 0;
}

static void hear_lost(void *private_data, const char *reason)
{
	struct fixture *f = private_data;

	assert_non_null(f->backend);
	assert_non_null(strstr(reason, f->map));
	f->losts++;
}

static void hear_intent(void *private_data, const struct backend_intent *intent)
{
	struct fixture *f = private_data;

	f->intent_to = talloc_strdup(f, intent->to);
	f->intents++;
}

/* Alone in the group: test_static_peers.c has the company. */
static void hear_joined(void *private_data, const char *local)
{
	assert_string_equal(local, "n1");
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void load_config(struct fixture *f, const char *map)
{
	char *why = NULL;
	const char *overrides[] = {talloc_asprintf(f, "static.map=%s", map), "global.node=n1",
				   NULL};

	assert_int_equal(
		config_load(f, "/nonexistent/witnessd.conf", false, overrides, &f->config, &why),
		0);
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	const char *tmp = getenv("TMPDIR");

	f->ev = tevent_context_init(f);
	f->dir = talloc_asprintf(f, "%s/witnessd-static-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->map = talloc_asprintf(f, "%s/cluster.map", f->dir);
	f->sink = (struct backend_sink){.private_data = f,
					.snapshot = hear_snapshot,
					.lost = hear_lost,
					.intent = hear_intent,
					.peers_joined = hear_joined};
	load_config(f, f->map);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	TALLOC_FREE(f->backend);
	unlink(f->map);
	assert_int_equal(rmdir(f->dir), 0); /* no temporary file is left */
	talloc_free(f);
	return 0;
}

static void start(struct fixture *f)
{
	struct backend *backend = NULL;

	assert_int_equal(witnessd_backend.connect(f, f->ev, f->config, &f->sink, &backend), 0);
	assert_int_equal(f->snapshots + f->losts, 0);
	f->backend = backend;
}

static void time_is_up(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now,
		       void *private_data)
{
	*(bool *)private_data = true;
}

/* Run the loop until there have been that many snapshots and losses. */
static void wait_for(struct fixture *f, int snapshots, int losts)
{
	struct tevent_timer *timer = tevent_add_timer(f->ev, f, tevent_timeval_current_ofs(20, 0),
						      time_is_up, &f->timed_out);

	while ((f->snapshots < snapshots || f->losts < losts) && !f->timed_out) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	talloc_free(timer);
	assert_int_equal(f->snapshots, snapshots);
	assert_int_equal(f->losts, losts);
}

/* What status() says is wrong; NULL: nothing. */
static const char *problem(struct fixture *f)
{
	json_t *status = witnessd_backend.status(f->backend);
	char *text = talloc_strdup(f, json_string_value(json_object_get(status, "problem")));

	json_decref(status);
	return text;
}

static void wait_for_problem(struct fixture *f, const char *part)
{
	struct tevent_timer *timer = tevent_add_timer(f->ev, f, tevent_timeval_current_ofs(20, 0),
						      time_is_up, &f->timed_out);

	while ((problem(f) == NULL || strstr(problem(f), part) == NULL) && !f->timed_out) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	talloc_free(timer);
	assert_false(f->timed_out);
}

static const char *addr_node(struct fixture *f)
{
	return f->state->addrs[0].node;
}

static void first_map_is_submitted(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	assert_string_equal(addr_node(f), "n1");
	assert_string_equal(cluster_state_local(f->state)->name, "n1");
	assert_int_equal(f->state->generation, 1);
	assert_null(problem(f));
}

static void writing_in_place_is_seen(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	write_text(f->map, MAP_ON("n2"));
	wait_for(f, 2, 0);
	assert_string_equal(addr_node(f), "n2");
	assert_int_equal(f->state->generation, 2);
}

static void replacing_by_rename_is_seen(void **state)
{
	struct fixture *f = *state;
	char *other = talloc_asprintf(f, "%s/new", f->dir);

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	for (int i = 0; i < 3; i++) {
		write_text(other, i % 2 == 0 ? MAP_ON("n2") : MAP_ON("n1"));
		assert_int_equal(rename(other, f->map), 0);
		wait_for(f, 2 + i, 0);
		assert_string_equal(addr_node(f), i % 2 == 0 ? "n2" : "n1");
	}
}

static void same_content_is_silent(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	write_text(f->map, MAP_ON("n1"));
	write_text(f->map, MAP_ON("n2"));
	wait_for(f, 2, 0);
	write_text(f->map, MAP_ON("n2"));
	write_text(f->map, "# a comment\n" MAP_ON("n1"));
	wait_for(f, 3, 0);
}

static void absent_at_the_start(void **state)
{
	struct fixture *f = *state;

	start(f);
	wait_for(f, 0, 1);
	assert_non_null(strstr(problem(f), "there is no"));
	write_text(f->map, MAP_ON("n1"));
	wait_for(f, 1, 1);
	assert_null(problem(f));
}

static void deleted_and_created_again(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	assert_int_equal(unlink(f->map), 0);
	wait_for(f, 1, 1);
	/* The same text as before: still news, for the core is stale now. */
	write_text(f->map, MAP_ON("n1"));
	wait_for(f, 2, 1);
	assert_int_equal(unlink(f->map), 0);
	wait_for(f, 2, 2);
}

static void folder_that_comes_later(void **state)
{
	struct fixture *f = *state;
	char *folder = talloc_asprintf(f, "%s/later", f->dir);
	char *map = talloc_asprintf(f, "%s/cluster.map", folder);

	talloc_free(f->map);
	f->map = map;
	load_config(f, map);
	start(f);
	wait_for(f, 0, 1);
	assert_int_equal(mkdir(folder, 0700), 0);
	write_text(map, MAP_ON("n2"));
	wait_for(f, 1, 1);
	/* And again in a folder of the same name. */
	assert_int_equal(unlink(map), 0);
	assert_int_equal(rmdir(folder), 0);
	wait_for(f, 1, 2);
	assert_int_equal(mkdir(folder, 0700), 0);
	write_text(map, MAP_ON("n2"));
	wait_for(f, 2, 2);
	unlink(map);
	rmdir(folder);
}

static void broken_map_keeps_the_last_good_one(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	write_text(f->map, "[node n1]\nid = one\n");
	wait_for_problem(f, "cluster.map:2: \"one\" is not a number");
	assert_int_equal(f->snapshots, 1);
	write_text(f->map, MAP_ON("n2"));
	wait_for(f, 2, 0);
	assert_null(problem(f));
}

static void broken_at_the_start(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, "nonsense\n");
	start(f);
	wait_for_problem(f, "cluster.map:1: expected [SECTION] or KEY = VALUE");
	write_text(f->map, MAP_ON("n1"));
	wait_for(f, 1, 0);
}

static void what_is_no_map_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->map, 0600), 0);
	start(f);
	wait_for_problem(f, "not a regular file");
	unlink(f->map);
	write_text(f->map, MAP_ON("n1"));
	wait_for(f, 1, 0);
	assert_int_equal(truncate(f->map, 2 * 1024 * 1024), 0);
	wait_for_problem(f, "File too large");
}

static void map_without_this_node_is_used(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, "[node other]\nid=1\n");
	start(f);
	wait_for(f, 1, 0);
	assert_null(cluster_state_local(f->state));
}

static void path_must_be_given(void **state)
{
	struct fixture *f = *state;
	struct backend *backend = NULL;

	load_config(f, "");
	assert_int_equal(witnessd_backend.connect(f, f->ev, f->config, &f->sink, &backend), EINVAL);
	assert_null(backend);
}

/* --- commands --- */

/* @return the answer when it is a text (else NULL), or why not */
static const char *command(struct fixture *f, int want, const char *words)
{
	char *copy = talloc_strdup(f, words), *save = NULL, *why = NULL, *text = NULL;
	json_t *argv = json_array(), *request = json_pack("{s:o}", "argv", argv), *reply = NULL;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		json_array_append_new(argv, json_string(w));
	}
	assert_int_equal(witnessd_backend.control(f->backend, f, request, &reply, &why), want);
	if (want != 0) {
		assert_null(reply);
		assert_non_null(why);
		text = why;
	} else {
		assert_non_null(reply);
		text = talloc_strdup(f, json_string_value(reply));
	}
	json_decref(reply);
	json_decref(request);
	return text;
}

static void edits_are_submitted_before_the_answer(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	write_text(f->map, MAP_ON("n1"));
	assert_int_equal(chmod(f->map, 0640), 0);
	start(f);
	wait_for(f, 1, 0);
	command(f, 0, "move fs n2");
	assert_int_equal(f->snapshots, 2);
	assert_string_equal(addr_node(f), "n2");
	command(f, 0, "address 127.0.1.1 down");
	assert_int_equal(f->state->addrs[0].state, CLUSTER_ADDR_UNAVAILABLE);
	command(f, 0, "address 127.0.1.1 up");
	command(f, 0, "node n2 offline");
	assert_false(f->state->nodes[1].online);
	assert_int_equal(f->state->addrs[0].state, CLUSTER_ADDR_UNAVAILABLE);
	command(f, 0, "node n2 online");
	assert_int_equal(f->state->addrs[0].state, CLUSTER_ADDR_AVAILABLE);
	command(f, 0, "node n2 drain");
	assert_true(f->state->nodes[1].draining);
	command(f, 0, "quorum no");
	assert_false(f->state->quorate);
	assert_int_equal(f->snapshots, 8);
	assert_int_equal(stat(f->map, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_non_null(strstr(command(f, 0, "show"), "draining = yes"));
}

/* Two witnessd's share a map: what one changes, the other sees. */
static void edits_are_seen_by_the_others(void **state)
{
	struct fixture *f = *state, *other = talloc_zero(f, struct fixture);

	write_text(f->map, MAP_ON("n1"));
	other->ev = f->ev;
	other->map = f->map;
	other->config = f->config;
	other->sink = f->sink;
	other->sink.private_data = other;
	start(f);
	start(other);
	wait_for(f, 1, 0);
	wait_for(other, 1, 0);
	command(f, 0, "address 127.0.1.1 move n2");
	wait_for(other, 2, 0);
	assert_string_equal(addr_node(other), "n2");
	command(other, 0, "quorum no");
	wait_for(f, 3, 0);
	assert_false(f->state->quorate);
	TALLOC_FREE(other->backend);
}

static void own_edits_come_back_silently(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	command(f, 0, "move fs n2");
	/* The event of that edit is read before the one of this: no third snapshot comes from it. */
	write_text(f->map, MAP_ON("n1"));
	wait_for(f, 3, 0);
	assert_string_equal(addr_node(f), "n1");
}

static void links_stay_links(void **state)
{
	struct fixture *f = *state;
	char *target = talloc_asprintf(f, "%s/target", f->dir);
	struct stat st;

	write_text(target, MAP_ON("n1"));
	assert_int_equal(symlink("target", f->map), 0);
	start(f);
	wait_for(f, 1, 0);
	command(f, 0, "move fs n2");
	assert_int_equal(lstat(f->map, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	/* The target changes without an event for the link: found all the same. */
	write_text(target, MAP_ON("n1"));
	wait_for(f, 3, 0);
	unlink(target);
}

static void intents_are_reported_and_change_nothing(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	assert_non_null(strstr(command(f, ENOENT, "intent fs n2"), "no map yet"));
	wait_for(f, 1, 0);
	command(f, 0, "intent fs n2");
	assert_int_equal(f->intents, 1);
	assert_string_equal(f->intent_to, "n2");
	assert_int_equal(f->snapshots, 1);
	assert_non_null(strstr(command(f, ENOENT, "intent fish"), "no group or address fish"));
	assert_int_equal(f->intents, 1);
}

static void wrong_commands_change_nothing(void **state)
{
	struct fixture *f = *state;
	json_t *request = json_pack("{s:[i]}", "argv", 1), *reply = NULL;
	char *why = NULL;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	command(f, EINVAL, "");
	command(f, EINVAL, "dance");
	command(f, EINVAL, "show me");
	command(f, ENODEV, "node n9 online");
	assert_int_equal(witnessd_backend.control(f->backend, f, request, &reply, &why), EINVAL);
	json_decref(request);
	assert_int_equal(f->snapshots, 1);
	/* A broken file is not overwritten. */
	write_text(f->map, "broken\n");
	assert_non_null(strstr(command(f, EINVAL, "quorum no"), "cluster.map:1:"));
	wait_for_problem(f, "cluster.map:1:");
	assert_non_null(strstr(command(f, 0, "show"), "[node n1]"));
	assert_non_null(strstr(command(f, 0, "show"), "# NOT what the file says now"));
	unlink(f->map);
	assert_non_null(strstr(command(f, ENOENT, "quorum no"), "cannot read"));
}

static void concurrent_change_is_refused(void **state)
{
	struct fixture *f = *state;
	int fd;

	write_text(f->map, MAP_ON("n1"));
	start(f);
	wait_for(f, 1, 0);
	fd = open(f->dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_non_null(strstr(command(f, EWOULDBLOCK, "quorum no"), "try again"));
	close(fd);
	command(f, 0, "quorum no");
}

/* The core had no memory for it: nothing else happens to the file, and still it comes. */
static void what_the_core_could_not_take_is_told_again(void **state)
{
	struct fixture *f = *state;

	write_text(f->map, MAP_ON("n1"));
	f->refuse = 2;
	start(f);
	wait_for(f, 1, 0);
	assert_string_equal(addr_node(f), "n1");
	assert_null(problem(f));
	f->refuse = 1;
	write_text(f->map, MAP_ON("n2"));
	wait_for(f, 2, 0);
	assert_string_equal(addr_node(f), "n2");
	assert_int_equal(f->state->generation, 2);
	f->refuse = 1;
	command(f, ENOMEM, "address 127.0.1.1 move n1");
	wait_for(f, 3, 0);
	assert_string_equal(addr_node(f), "n1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_map_is_submitted),
		TEST(writing_in_place_is_seen),
		TEST(what_the_core_could_not_take_is_told_again),
		TEST(replacing_by_rename_is_seen),
		TEST(same_content_is_silent),
		TEST(absent_at_the_start),
		TEST(deleted_and_created_again),
		TEST(folder_that_comes_later),
		TEST(broken_map_keeps_the_last_good_one),
		TEST(broken_at_the_start),
		TEST(what_is_no_map_is_refused),
		TEST(map_without_this_node_is_used),
		TEST(path_must_be_given),
		TEST(edits_are_submitted_before_the_answer),
		TEST(edits_are_seen_by_the_others),
		TEST(own_edits_come_back_silently),
		TEST(links_stay_links),
		TEST(intents_are_reported_and_change_nothing),
		TEST(wrong_commands_change_nothing),
		TEST(concurrent_change_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
