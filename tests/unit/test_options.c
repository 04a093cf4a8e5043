/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of witnessd. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "witnessd/options.h"

#define MAX_WORDS 8

static int parse(TALLOC_CTX *mem_ctx, const char *const *words, struct options *options, char **why)
{
	char *argv[MAX_WORDS + 2] = {(char *)(uintptr_t) "witnessd"};
	int argc = 1;

	while (words[argc - 1] != NULL) {
		argv[argc] = talloc_strdup(mem_ctx, words[argc - 1]);
		argc++;
	}
	*why = NULL;
	return options_parse(mem_ctx, argc, argv, options, why);
}

static void nothing_means_the_default_file_and_the_foreground(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct options options;
	char *why;

	assert_int_equal(parse(mem_ctx, (const char *[]){NULL}, &options, &why), 0);
	assert_string_equal(options.config, WITNESSD_SYSCONFDIR "/witnessd.conf");
	assert_false(options.config_required);
	assert_false(options.daemon);
	assert_null(options.overrides[0]);
	assert_int_equal(options.action, OPTIONS_RUN);
	talloc_free(mem_ctx);
}

static void every_option_is_taken(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	const char *words[] = {"-fd", "-d", "-c", "/x", "-o", "a.b=c", "-od.e=f", "--check", NULL};
	struct options options;
	char *why;

	assert_int_equal(parse(mem_ctx, words, &options, &why), 0);
	assert_true(options.foreground);
	assert_int_equal(options.debug, 2);
	assert_string_equal(options.config, "/x");
	assert_true(options.config_required);
	assert_string_equal(options.overrides[0], "a.b=c");
	assert_string_equal(options.overrides[1], "d.e=f");
	assert_null(options.overrides[2]);
	assert_int_equal(options.action, OPTIONS_CHECK);
	talloc_free(mem_ctx);
}

static void a_relative_path_becomes_absolute(void **unused)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	char cwd[PATH_MAX];
	struct options options;
	char *why;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(parse(mem_ctx, (const char *[]){"--config=my.conf", NULL}, &options, &why),
			 0);
	assert_string_equal(options.config, talloc_asprintf(mem_ctx, "%s/my.conf", cwd));
	talloc_free(mem_ctx);
}

static void what_is_wrong_is_named(void **unused)
{
	static const struct {
		const char *words[MAX_WORDS];
		const char *said;
	} rows[] = {
		{{"-x"}, "-x is not an option"},  {{"-c"}, "-c needs a value"},
		{{"--config"}, "--config"},       {{"--no-such"}, "--no-such is not an option"},
		{{"file"}, "file: no arguments"}, {{"--daemon", "-f"}, "exclude each other"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *mem_ctx = talloc_new(NULL);
		struct options options;
		char *why;

		assert_int_equal(parse(mem_ctx, rows[i].words, &options, &why), EINVAL);
		assert_non_null(why);
		if (strstr(why, rows[i].said) == NULL) {
			fail_msg("\"%s\" lacks \"%s\"", why, rows[i].said);
		}
		talloc_free(mem_ctx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_means_the_default_file_and_the_foreground),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(a_relative_path_becomes_absolute),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
