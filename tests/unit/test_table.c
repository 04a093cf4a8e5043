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
#include "witnessctl/terminal.c"

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
	/* C1: NEL, CSI and the last of them; what changes the direction, with and without an end; separators */
	assert_table("[{\"name\": \"\\u0085\\u009b31m\\u009f\", \"n\": \"\\u202egpj.exe\\u202c\","
		     " \"last\": \"\\u2066\\u2069\\u200e\\u200f\\u061c\\u2028\\u2029z\"}]",
		     0,
		     "NAME    LONG TITLE  LAST\n"
		     "??31m?  ?gpj.exe?   ???????z\n");
	/* neighbours of those are left alone */
	assert_table(
		"[{\"name\": \" ~\\u00a0\\u00bf\", \"n\": \"\\u2010\\u2027\\u202f\", \"last\": "
		"\"\\u2065\"}]",
		0,
		"NAME  LONG TITLE  LAST\n"
		" ~\xc2\xa0\xc2\xbf  \xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf         \xe2\x81\xa5\n");
}

static void bytes_that_are_not_utf8_become_question_marks(void **unused)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"\xe4", "?"},         /* cut off */
		{"\xe4pfel", "?pfel"}, /* Latin-1 */
		{"\x9b"
		 "31m",
		 "?31m"},                     /* C1 as a byte */
		{"\xe0\x82\x9b", "???"},      /* C1, longer than it has to be */
		{"\xed\xa0\x80", "???"},      /* half a surrogate pair */
		{"\xf5\x80\x80\x80", "????"}, /* beyond Unicode */
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"", ""},
	};
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(terminal_text(tmp, cases[i].text), cases[i].shown);
	}
	talloc_free(tmp);
}

/* Two columns for each ideograph and none for an accent that is put onto a letter. */
static void columns_are_counted_and_not_characters(void **unused)
{
	assert_table("[{\"name\": \"\\u6f22\\u5b57\\u540d\", \"n\": \"e\\u0301a\", \"last\": 1}]",
		     0,
		     "NAME    LONG TITLE  LAST\n"
		     "\xe6\xbc\xa2\xe5\xad\x97\xe5\x90\x8d  e\xcc\x81"
		     "a          1\n");
	/* What fits of five ideographs, beside the mark, into nine columns, and into eight. */
	assert_table("[{\"name\": \"\\u6f22\\u5b57\\u540d\\u6f22\\u5b57\", \"n\": 1, \"last\": 2}]",
		     26,
		     "NAME       LONG TIT~  LAST\n"
		     "\xe6\xbc\xa2\xe5\xad\x97\xe5\x90\x8d\xe6\xbc\xa2~  1          2\n");
	assert_table("[{\"name\": \"\\u6f22\\u5b57\\u540d\\u6f22\\u5b57\", \"n\": 1, \"last\": 2}]",
		     25,
		     "NAME      LONG TIT~  LAST\n"
		     "\xe6\xbc\xa2\xe5\xad\x97\xe5\x90\x8d~   1          2\n");
}

static void json_has_no_text_that_steers_the_terminal(void **unused)
{
	static const char text[] = "{\"\\u009b\": \"\\u007f\\u202e\\u0085\\u2028\\n\xc3\xa4\"}";
	TALLOC_CTX *tmp = talloc_new(NULL);
	json_t *json =
		json_loads("{\"\\u009b\": \"\\u007f\\u202e\\u0085\\u2028\\n\\u00e4\"}", 0, NULL);
	json_t *again;

	assert_non_null(json);
	assert_string_equal(terminal_json(tmp, json, 0), text);
	again = json_loads(terminal_json(tmp, json, JSON_INDENT(2)), 0, NULL);
	assert_true(json_equal(json, again));
	assert_non_null(strstr(terminal_json(tmp, json, JSON_INDENT(2)), "{\n  "));
	json_decref(again);
	json_decref(json);
	talloc_free(tmp);
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
	terminal_setup();

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(the_widest_cells_are_cut_to_fit_the_terminal),
		cmocka_unit_test(addresses_are_cut_last),
		cmocka_unit_test(nothing_is_cut_to_nothing),
		cmocka_unit_test(characters_are_counted_and_not_bytes),
		cmocka_unit_test(names_cannot_steer_the_terminal),
		cmocka_unit_test(bytes_that_are_not_utf8_become_question_marks),
		cmocka_unit_test(columns_are_counted_and_not_characters),
		cmocka_unit_test(json_has_no_text_that_steers_the_terminal),
		cmocka_unit_test(the_environment_says_how_wide_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
