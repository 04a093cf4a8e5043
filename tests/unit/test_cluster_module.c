/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading a backend: the real static module beside this program, and what only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/cluster/cluster.h"

struct fixture {
	struct tevent_context *ev;
	struct config *config;
	struct cluster *cluster;
	char *dir, *module; /* a folder for modules, and a file in it */
	char *why;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	const char *tmp = getenv("TMPDIR");
	const char *overrides[] = {"static.map=/nonexistent/cluster.map", "global.node=n1", NULL};

	f->ev = tevent_context_init(f);
	assert_int_equal(
		config_load(f, "/nonexistent/witnessd.conf", false, overrides, &f->config, &f->why),
		0);
	assert_int_equal(cluster_create(f, f->ev, &f->cluster), 0);
	f->dir = talloc_asprintf(f, "%s/witnessd-module-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->module = talloc_asprintf(f, "%s/witnessd-backend-fake.so", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->module);
	assert_int_equal(rmdir(f->dir), 0);
	talloc_free(f);
	return 0;
}

/* Both steps, as the daemon does them. */
static int load(struct fixture *f, const char *dir, const char *name)
{
	const struct backend_ops *ops = NULL;
	int err = cluster_find_backend(dir, name, f, &ops, &f->why);

	return err != 0 ? err : cluster_connect_backend(f->cluster, f->config, ops, f, &f->why);
}

static void expect_refused(struct fixture *f, const char *name, int err, const char *part)
{
	assert_int_equal(load(f, f->dir, name), err);
	if (strstr(f->why, part) == NULL) {
		fail_msg("expected \"%s\", got \"%s\"", part, f->why);
	}
	assert_null(cluster_backend(f->cluster));
	assert_null(cluster_backend_ops(f->cluster));
}

static void names_cannot_leave_the_folder(void **state)
{
	struct fixture *f = *state;

	expect_refused(f, "../fake", EINVAL, "not the name of a backend");
	expect_refused(f, "", EINVAL, "not the name of a backend");
	expect_refused(f, "fake.so", EINVAL, "not the name of a backend");
	expect_refused(f, "a\nb", EINVAL, "a\\x0ab");
}

static void missing_module_is_named(void **state)
{
	struct fixture *f = *state;

	expect_refused(f, "fake", ENOENT, f->module);
}

static void file_that_is_no_library(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->module, "w");

	assert_non_null(file);
	assert_true(fputs("#!/bin/sh\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	expect_refused(f, "fake", ELIBACC, "cannot load");
}

static void library_that_is_no_backend(void **state)
{
	struct fixture *f = *state;
	Dl_info info;

	assert_true(dladdr((void *)talloc_version_major, &info) != 0);
	assert_int_equal(symlink(info.dli_fname, f->module), 0);
	expect_refused(f, "fake", EPROTO, "has no witnessd_backend");
}

/* Where the build puts the modules: two folders above tests/unit/. */
static char *build_dir(TALLOC_CTX *mem_ctx)
{
	char *exe = talloc_zero_array(mem_ctx, char, PATH_MAX);

	assert_true(readlink("/proc/self/exe", exe, PATH_MAX - 1) > 0);
	return dirname(dirname(dirname(exe)));
}

static void static_module_is_loaded_once(void **state)
{
	struct fixture *f = *state;
	char *dir = build_dir(f);
	json_t *status;

	assert_int_equal(load(f, dir, "static"), 0);
	assert_non_null(cluster_backend(f->cluster));
	assert_string_equal(cluster_backend_ops(f->cluster)->name, "static");
	status = cluster_status_json(f->cluster);
	assert_string_equal(json_string_value(json_object_get(status, "backend")), "static");
	assert_true(json_is_object(json_object_get(status, "backend_status")));
	json_decref(status);
	/* It has found out that there is no map and says so through the sink. */
	while (!cluster_stale(f->cluster)) {
		assert_int_equal(tevent_loop_once(f->ev), 0);
	}
	assert_int_equal(load(f, dir, "static"), EBUSY);
}

static void backend_that_does_not_start_is_not_kept(void **state)
{
	struct fixture *f = *state;
	const char *overrides[] = {"static.map=", NULL};

	assert_int_equal(
		config_load(f, "/nonexistent/witnessd.conf", false, overrides, &f->config, &f->why),
		0);
	assert_int_equal(load(f, build_dir(f), "static"), EINVAL);
	assert_null(cluster_backend(f->cluster));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_cannot_leave_the_folder), TEST(missing_module_is_named),
		TEST(file_that_is_no_library),       TEST(library_that_is_no_backend),
		TEST(static_module_is_loaded_once),  TEST(backend_that_does_not_start_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
