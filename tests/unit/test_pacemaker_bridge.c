/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "witnessd/util/backoff.h"
#include "backends/pacemaker/glib_bridge.h"
#include "backends/pacemaker/pcmk.h"
#include "witnessd/util/log.h"

#define DEADLINE_S 10

struct scene {
	struct tevent_context *ev;
	struct glib_bridge *bridge;
	int pipe[2];
	unsigned int fired;
	bool late;
};

static int scene_setup(void **arg)
{
	struct scene *scene = talloc_zero(NULL, struct scene);

	assert_non_null(scene);
	scene->ev = tevent_context_init(scene);
	assert_non_null(scene->ev);
	assert_int_equal(glib_bridge_create(scene, scene->ev, &scene->bridge), 0);
	assert_int_equal(pipe2(scene->pipe, O_NONBLOCK | O_CLOEXEC), 0);
	*arg = scene;
	return 0;
}

static int scene_teardown(void **arg)
{
	struct scene *scene = *arg;

	TALLOC_FREE(scene->bridge);
	close(scene->pipe[0]);
	close(scene->pipe[1]);
	talloc_free(scene);
	return 0;
}

static void deadline_passed(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			    void *private_data)
{
	((struct scene *)private_data)->late = true;
}

/* Run the loop until something has fired that often; fails the test when it takes too long. */
static void run_until(struct scene *scene, unsigned int fired)
{
	struct tevent_timer *deadline =
		tevent_add_timer(scene->ev, scene, tevent_timeval_current_ofs(DEADLINE_S, 0),
				 deadline_passed, scene);

	assert_non_null(deadline);
	while (scene->fired < fired) {
		assert_int_equal(tevent_loop_once(scene->ev), 0);
		assert_false(scene->late);
	}
	talloc_free(deadline);
}

static gboolean timer_fired(gpointer data)
{
	((struct scene *)data)->fired++;
	return G_SOURCE_REMOVE;
}

static gboolean timer_fired_again(gpointer data)
{
	((struct scene *)data)->fired++;
	return G_SOURCE_CONTINUE;
}

static void timers_fire_in_order_and_in_time(void **arg)
{
	struct scene *scene = *arg;
	struct timeval began = tevent_timeval_current(), now, took;

	glib_bridge_touch(scene->bridge);
	g_timeout_add(30, timer_fired, scene);
	g_timeout_add(5, timer_fired, scene);
	run_until(scene, 2);
	now = tevent_timeval_current();
	took = tevent_timeval_until(&began, &now);
	assert_true(took.tv_sec > 0 || took.tv_usec >= 29000);
}

static gboolean pipe_readable(gint fd, GIOCondition condition, gpointer data)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
	((struct scene *)data)->fired++;
	return G_SOURCE_CONTINUE;
}

static void descriptors_are_watched(void **arg)
{
	struct scene *scene = *arg;
	guint id;

	glib_bridge_touch(scene->bridge);
	id = g_unix_fd_add(scene->pipe[0], G_IO_IN, pipe_readable, scene);
	assert_int_equal(write(scene->pipe[1], "abc", 3), 3);
	run_until(scene, 3);
	assert_int_equal(write(scene->pipe[1], "d", 1), 1);
	run_until(scene, 4);
	glib_bridge_touch(scene->bridge);
	g_source_remove(id);
}

static gboolean pipe_hung_up(gint fd, GIOCondition condition, gpointer data)
{
	struct scene *scene = data;

	assert_true((condition & G_IO_HUP) != 0);
	scene->fired++;
	return G_SOURCE_REMOVE;
}

static void hangup_is_seen(void **arg)
{
	struct scene *scene = *arg;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	glib_bridge_touch(scene->bridge);
	g_unix_fd_add(fds[0], G_IO_IN | G_IO_HUP, pipe_hung_up, scene);
	close(fds[1]);
	run_until(scene, 1);
	close(fds[0]);
}

/* libcib closes its socket and opens the next inside one dispatch; the number is the same then. */
static gboolean reopen(gint fd, GIOCondition condition, gpointer data)
{
	struct scene *scene = data;
	int fds[2];

	assert_int_equal(close(fd), 0);
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(fds[0], fd);
	assert_int_equal(write(fds[1], "x", 1), 1);
	close(scene->pipe[1]);
	scene->pipe[0] = fds[0];
	scene->pipe[1] = fds[1];
	g_unix_fd_add(fds[0], G_IO_IN, pipe_readable, scene);
	scene->fired++;
	return G_SOURCE_REMOVE;
}

static void reused_descriptor_is_watched(void **arg)
{
	struct scene *scene = *arg;
	guint id;

	glib_bridge_touch(scene->bridge);
	id = g_unix_fd_add(scene->pipe[0], G_IO_IN, reopen, scene);
	assert_true(id > 0);
	assert_int_equal(write(scene->pipe[1], "x", 1), 1);
	run_until(scene, 2); /* reopen(), then the new pipe */
	glib_bridge_touch(scene->bridge);
	while (g_source_remove_by_user_data(scene)) {
		; /* what reopen() added */
	}
}

static gboolean idle_once(gpointer data)
{
	struct scene *scene = data;

	scene->fired++;
	g_timeout_add(1, timer_fired, scene); /* from inside a callback: nobody has to be told */
	return G_SOURCE_REMOVE;
}

static void sources_added_by_callbacks_run(void **arg)
{
	struct scene *scene = *arg;

	glib_bridge_touch(scene->bridge);
	g_idle_add(idle_once, scene);
	run_until(scene, 2);
}

static void count_fired(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			void *private_data)
{
	((struct scene *)private_data)->fired++;
}

/* A source that is never ready, and counts how often it is asked: once each time the context is looked at. */
struct counter {
	GSource source;
	unsigned int rounds;
};

static gboolean counter_prepare(GSource *source, gint *timeout_ms)
{
	((struct counter *)source)->rounds++;
	*timeout_ms = -1;
	return FALSE;
}

static gboolean counter_check(GSource *source)
{
	return FALSE;
}

static gboolean counter_dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

static struct counter *counter_start(void)
{
	static GSourceFuncs funcs = {
		.prepare = counter_prepare, .check = counter_check, .dispatch = counter_dispatch};
	GSource *source = g_source_new(&funcs, sizeof(struct counter));

	g_source_attach(source, NULL);
	return (struct counter *)source;
}

static void counter_stop(struct counter *counter)
{
	g_source_destroy(&counter->source);
	g_source_unref(&counter->source);
}

/* With a descriptor to watch and nothing on it, the loop sleeps: no round for 200 ms. */
static void idle_loop_sleeps(void **arg)
{
	struct scene *scene = *arg;
	struct counter *counter;
	unsigned int rounds;
	guint id;

	glib_bridge_touch(scene->bridge);
	counter = counter_start();
	id = g_unix_fd_add(scene->pipe[0], G_IO_IN, pipe_readable, scene);
	g_timeout_add(1, timer_fired, scene);
	run_until(scene, 1);
	rounds = counter->rounds;
	assert_non_null(tevent_add_timer(
		scene->ev, scene, tevent_timeval_current_ofs(0, 200 * 1000), count_fired, scene));
	run_until(scene, 2);
	assert_true(rounds > 0 && counter->rounds <= rounds + 2);
	glib_bridge_touch(scene->bridge);
	counter_stop(counter);
	g_source_remove(id);
}

/* A recurring timer costs one or two rounds a tick, not a spin in between. */
static void ticking_timer_does_not_spin(void **arg)
{
	struct scene *scene = *arg;
	struct counter *counter;
	unsigned int rounds;
	guint id;

	glib_bridge_touch(scene->bridge);
	counter = counter_start();
	id = g_timeout_add(20, timer_fired_again, scene);
	run_until(scene, 1);
	rounds = counter->rounds;
	run_until(scene, 6);
	assert_true(rounds > 0 && counter->rounds - rounds <= 20);
	glib_bridge_touch(scene->bridge);
	counter_stop(counter);
	g_source_remove(id);
}

static void bridge_can_be_made_again(void **arg)
{
	struct scene *scene = *arg;

	TALLOC_FREE(scene->bridge);
	assert_int_equal(glib_bridge_create(scene, scene->ev, &scene->bridge), 0);
	glib_bridge_touch(scene->bridge);
	g_timeout_add(1, timer_fired, scene);
	run_until(scene, 1);
}

static void backoff_doubles_to_its_limit(void **arg)
{
	static const unsigned int expected_ms[] = {100, 200, 400, 800, 1000, 1000};
	struct backoff backoff = {.max_ms = 1000};

	for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
		assert_int_equal(backoff_next(&backoff), expected_ms[i]);
	}
	backoff_reset(&backoff);
	assert_int_equal(backoff.next_ms, 0);
}

/* Pacemaker's set-up changes umask, locale, GLib's and libqb's logging: none of it may stay. */
static void pcmk_init_leaves_the_process_as_it_was(void **arg)
{
	char path[] = "/tmp/test_pacemaker_bridge.XXXXXX";
	int fd = mkstemp(path);
	mode_t mask;
	char text[512];
	FILE *file;

	assert_true(fd >= 0);
	close(fd);
	setlocale(LC_ALL, "C");
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("CIB_file", "/nonexistent", 1);
	umask(0077);
	assert_int_equal(log_setup("test", path, LOG_INFO), 0);

	pcmk_init();

	assert_null(getenv("CIB_file"));
	mask = umask(0022);
	assert_int_equal(mask, 0077);
	assert_string_equal(setlocale(LC_ALL, NULL), "C");
	log_info("ours");
	log_debug("too detailed");
	qb_log_from_external_source("func", "cib_native.c", "theirs", LOG_ERR, 1, 0);
	assert_int_equal(log_setup("test", "stderr", LOG_ERR), 0); /* closes the file */

	file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	unlink(path);
	assert_non_null(strstr(text, "[info] ours\n"));
	assert_null(strstr(text, "too detailed"));
	assert_null(strstr(text, "theirs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
		cmocka_unit_test(pcmk_init_leaves_the_process_as_it_was),
		cmocka_unit_test(backoff_doubles_to_its_limit),
		T(timers_fire_in_order_and_in_time),
		T(descriptors_are_watched),
		T(hangup_is_seen),
		T(reused_descriptor_is_watched),
		T(sources_added_by_callbacks_run),
		T(idle_loop_sleeps),
		T(ticking_timer_does_not_spin),
		T(bridge_can_be_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
