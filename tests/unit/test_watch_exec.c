/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl watch --exec when notifications come faster than the program runs. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "witnessctl/watch_exec.h"

#define EXTRA 10 /* notifications beyond what may wait */

struct rig {
	struct tevent_context *ev;
	char dir[64];
	bool idle;
	int stderr_fd; /* as it was */
};

static char *path_of(struct rig *rig, const char *name)
{
	return talloc_asprintf(rig, "%s/%s", rig->dir, name);
}

static int setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);
	int fd;

	rig->ev = tevent_context_init(rig);
	strcpy(rig->dir, "/tmp/test_watch_exec.XXXXXX");
	if (mkdtemp(rig->dir) == NULL) {
		return -1;
	}
	fflush(stderr);
	rig->stderr_fd = dup(STDERR_FILENO);
	fd = open(path_of(rig, "said"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"said", "out", "go"};
	struct rig *rig = *state;

	fflush(stderr);
	dup2(rig->stderr_fd, STDERR_FILENO);
	close(rig->stderr_fd);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unlink(path_of(rig, names[i]));
	}
	rmdir(rig->dir);
	talloc_free(rig);
	return 0;
}

static char *text_of(struct rig *rig, const char *name)
{
	char *text = talloc_zero_array(rig, char, 256 * 1024);
	FILE *f = fopen(path_of(rig, name), "re");

	if (f != NULL) {
		text[fread(text, 1, 256 * 1024 - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t num = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++) {
		num++;
	}
	return num;
}

static void on_idle(void *private_data)
{
	((struct rig *)private_data)->idle = true;
}

/* A program that writes the name and, the first time, waits for the file "go". */
static struct watch_exec *start(struct rig *rig)
{
	const char *script = talloc_asprintf(
		rig,
		"cd %s; echo \"[$WITNESS_NAME]\" >>out; while ! [ -e go ]; do sleep 0.05; done",
		rig->dir);
	const char *argv[] = {"sh", "-c", script, NULL};
	const struct watch_exec_config config = {
		.argv = argv, .net_name = "FS", .idle = on_idle, .private_data = rig};
	struct watch_exec *exec = NULL;

	assert_int_equal(watch_exec_create(rig, rig->ev, &config, &exec), 0);
	return exec;
}

static void notify(struct rig *rig, struct watch_exec *exec, unsigned int number)
{
	char name[32];
	struct swnc_change change = {.name = name, .state = SWNC_UNAVAILABLE};
	const struct swnc_event event = {.type = SWNC_NOTIFIED,
					 .server = "192.0.2.1",
					 .message = SWNC_RESOURCE_CHANGE,
					 .changes = &change,
					 .num_changes = 1};

	snprintf(name, sizeof(name), "n%u", number);
	watch_exec_event(exec, &event);
}

static void the_oldest_that_waits_is_forgotten(void **state)
{
	struct rig *rig = *state;
	struct watch_exec *exec = start(rig);
	char *out;

	for (unsigned int i = 0; i < 1 + WATCH_EXEC_QUEUE + EXTRA; i++) {
		notify(rig, exec, i);
	}
	assert_false(watch_exec_is_idle(exec));
	close(open(path_of(rig, "go"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	while (!rig->idle && tevent_loop_once(rig->ev) == 0) {
	}
	assert_true(watch_exec_is_idle(exec));
	fflush(stderr);
	assert_int_equal(count(text_of(rig, "said"), "RESOURCE_CHANGE: not run: too many wait"),
			 EXTRA);
	out = text_of(rig, "out");
	assert_int_equal(count(out, "["), 1 + WATCH_EXEC_QUEUE);
	/* the one that ran, and the newest, in their order */
	assert_memory_equal(out, "[n0]\n[n11]\n[n12]\n", 17);
	assert_non_null(strstr(out, "[n265]\n[n266]\n"));
	assert_string_equal(text_of(rig, "said") + strlen(text_of(rig, "said")) - 5, "wait\n");
}

static void events_that_are_no_notifications_are_left_alone(void **state)
{
	const struct swnc_event event = {.type = SWNC_LOST, .server = "192.0.2.1", .why = "x"};
	struct watch_exec *exec = start(*state);

	watch_exec_event(exec, &event);
	assert_true(watch_exec_is_idle(exec));
}

static void changes_of_one_notification_are_runs_of_their_own(void **state)
{
	struct rig *rig = *state;
	struct watch_exec *exec = start(rig);
	struct swnc_change changes[] = {{.name = "a", .state = SWNC_AVAILABLE},
					{.name = "b\n$(id)", .state = SWNC_UNAVAILABLE}};
	const struct swnc_event event = {.type = SWNC_NOTIFIED,
					 .server = "192.0.2.1",
					 .message = SWNC_RESOURCE_CHANGE,
					 .changes = changes,
					 .num_changes = 2};

	close(open(path_of(rig, "go"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	watch_exec_event(exec, &event);
	while (!rig->idle && tevent_loop_once(rig->ev) == 0) {
	}
	assert_string_equal(text_of(rig, "out"), "[a]\n[b?$(id)]\n");
	assert_string_equal(text_of(rig, "said"), "");
}

/* What a terminal would obey is replaced, and escaped in the JSON. */
static void variables_do_not_steer_a_terminal(void **state)
{
	struct rig *rig = *state;
	const char *script = talloc_asprintf(
		rig, "printf '%%s ' \"$WITNESS_NAME\" \"$WITNESS_JSON\" >%s/out", rig->dir);
	const char *argv[] = {"sh", "-c", script, NULL};
	const struct watch_exec_config config = {
		.argv = argv, .net_name = "FS", .idle = on_idle, .private_data = rig};
	struct watch_exec *exec = NULL;
	struct swnc_change change = {.name = "a\xc2\x9b"
					     "31m\xe2\x80\xae\x7f\xc3\xa4",
				     .state = SWNC_AVAILABLE};
	const struct swnc_event event = {.type = SWNC_NOTIFIED,
					 .server = "192.0.2.1",
					 .message = SWNC_RESOURCE_CHANGE,
					 .changes = &change,
					 .num_changes = 1};
	char *out;

	assert_int_equal(watch_exec_create(rig, rig->ev, &config, &exec), 0);
	watch_exec_event(exec, &event);
	while (!rig->idle && tevent_loop_once(rig->ev) == 0) {
	}
	out = text_of(rig, "out");
	assert_memory_equal(out, "a?31m??\xc3\xa4 {", 11);
	assert_non_null(strstr(out, "\"a\\u009b31m\\u202e\\u007f\xc3\xa4\""));
}

static void freeing_it_ends_what_runs(void **state)
{
	struct rig *rig = *state;
	struct watch_exec *exec = start(rig);

	notify(rig, exec, 1);
	notify(rig, exec, 2);
	talloc_free(exec); /* kills what runs */
	close(open(path_of(rig, "go"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_false(rig->idle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_oldest_that_waits_is_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(events_that_are_no_notifications_are_left_alone,
						setup, teardown),
		cmocka_unit_test_setup_teardown(changes_of_one_notification_are_runs_of_their_own,
						setup, teardown),
		cmocka_unit_test_setup_teardown(variables_do_not_steer_a_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(freeing_it_ends_what_runs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
