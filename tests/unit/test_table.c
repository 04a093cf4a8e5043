/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl's tables: alignment, narrow terminals, hostile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The program's objects are in no library. */
#include "witnessctl/table.c"

static const struct table_column columns[] = {
	{"NAME", "name"}, {"LONG TITLE", "n"}, {"LAST", "last"}, {NULL, NULL}};

static void assert_table(const char *json, unsigned int width, const char *expected)
{
	json_t *rows = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(rows);
	assert_non_null(out);
	table_print(out, rows, columns, width);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	json_decref(rows);
}

static void columns_are_as_wide_as_their_widest_cell(void **unused)
{
	assert_table("[{\"name\": \"a\", \"n\": 1, \"last\": true},"
		     " {\"name\": \"longer\", \"n\": null, \"last\": [\"x\", 2]}]",
		     0,
		     "NAME    LONG TITLE  LAST\n"
		     "a       1           yes\n"
		     "longer  -           x,2\n");
	assert_table("[]", 0, "NAME  LONG TITLE  LAST\n");
	assert_table("[{}]", 0, "NAME  LONG TITLE  LAST\n-     -           -\n");
}

static void the_widest_cells_are_cut_to_fit_the_terminal(void **unused)
{
	assert_table("[{\"name\": \"abcdefghijklmnopqrstuvwxyz\", \"n\": 1, \"last\": \"z\"}]", 30,
		     "NAME          LONG TITLE  LAST\n"
		     "abcdefghijk~  1           z\n");
}

static void addresses_are_cut_last(void **unused)
{
	static const struct table_column with_address[] = {
		{"NAME", "ip"}, {"LONG TITLE", "n"}, {NULL, NULL}};
	json_t *rows = json_loads("[{\"ip\": \"abcdefghijkl\", \"n\": \"mnopqrstuv\"}]", 0, NULL);
	static const struct {
		unsigned int width;
		const char *text;
	} cases[] = {
		{24, "NAME          LONG TITLE\nabcdefghijkl  mnopqrstuv\n"},
		{20, "NAME          LONG ~\nabcdefghijkl  mnopq~\n"},
		{16, "NAME      LONG ~\nabcdefg~  mnopq~\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		assert_non_null(out);
		table_print(out, rows, with_address, cases[i].width);
		fclose(out);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
	json_decref(rows);
}

static void nothing_is_cut_to_nothing(void **unused)
{
	assert_table("[{\"name\": \"abcdefgh\", \"n\": 1, \"last\": \"z\"}]", 1,
		     "NAME    LONG ~  LAST\n"
		     "abcde~  1       z\n");
}

static void characters_are_counted_and_not_bytes(void **unused)
{
	assert_table("[{\"name\": \"\xc3\xa4\xc3\xb6\xc3\xbc\", \"n\": 1, \"last\": 1.5},"
		     " {\"name\": \"abcde\", \"n\": 1, \"last\": \"\"}]",
		     0,
		     "NAME   LONG TITLE  LAST\n"
		     "\xc3\xa4\xc3\xb6\xc3\xbc    1           1.500\n"
		     "abcde  1           -\n");
}

static void names_cannot_steer_the_terminal(void **unused)
{
	assert_table("[{\"name\": \"a\\u001b[31m\\n\\u007f\", \"n\": 1, \"last\": \"z\"}]", 0,
		     "NAME      LONG TITLE  LAST\n"
		     "a?[31m??  1           z\n");
}

/* Of a stream that is no terminal. */
static void the_environment_says_how_wide_it_is(void **unused)
{
	static const struct {
		const char *columns;
		unsigned int width;
	} cases[] = {{"80", 80},
		     {"1", 1},
		     {"100000", 100000},
		     {"0", 0},
		     {"", 0},
		     {"-80", 0},
		     {" 80", 0},
		     {"80x", 0},
		     {"100001", 0},
		     {"99999999999999999999", 0}};
	FILE *out = tmpfile();

	assert_non_null(out);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("COLUMNS", cases[i].columns, 1);
		assert_int_equal(table_terminal_width(out), cases[i].width);
	}
	unsetenv("COLUMNS");
	assert_int_equal(table_terminal_width(out), 0);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(the_widest_cells_are_cut_to_fit_the_terminal),
		cmocka_unit_test(addresses_are_cut_last),
		cmocka_unit_test(nothing_is_cut_to_nothing),
		cmocka_unit_test(characters_are_counted_and_not_bytes),
		cmocka_unit_test(names_cannot_steer_the_terminal),
		cmocka_unit_test(the_environment_says_how_wide_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
