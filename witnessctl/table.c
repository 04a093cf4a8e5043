/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "witnessctl/terminal.h"
#include "witnessd/util/text_append.h"

#define GAP         2 /* blanks between columns */
#define MIN_CELL    6 /* nothing is cut below that */

#define MAX_COLUMNS 100000

/* COLUMNS of the environment, as ps and ls take it; 0: it says nothing. */
static unsigned int columns_asked_for(void)
{
	const char *text = getenv("COLUMNS");
	char *end = NULL;
	unsigned long n;

	if (text == NULL || text[0] < '0' || text[0] > '9') {
		return 0;
	}
	n = strtoul(text, &end, 10);
	return *end == '\0' && n <= MAX_COLUMNS ? (unsigned int)n : 0;
}

unsigned int table_terminal_width(FILE *stream)
{
	unsigned int asked = columns_asked_for();
	struct winsize size;

	if (asked > 0) {
		return asked;
	}
	if (!isatty(fileno(stream)) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0) {
		return 0;
	}
	return size.ws_col;
}

static char *list_cell(TALLOC_CTX *mem_ctx, const json_t *list)
{
	char *text = talloc_strdup(mem_ctx, "");
	const json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		text = text_append(text, "%s%s", i > 0 ? "," : "", table_cell(mem_ctx, value));
	}
	return text;
}

static const char *or_constant(const char *text)
{
	return text != NULL ? text : "(no memory)";
}

const char *table_cell(TALLOC_CTX *mem_ctx, const json_t *value)
{
	switch (value != NULL ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return json_string_length(value) > 0
			       ? terminal_text(mem_ctx, json_string_value(value))
			       : "-";
	case JSON_INTEGER:
		return or_constant(talloc_asprintf(mem_ctx, "%" JSON_INTEGER_FORMAT,
						   json_integer_value(value)));
	case JSON_REAL:
		return or_constant(talloc_asprintf(mem_ctx, "%.3f", json_real_value(value)));
	case JSON_TRUE:
		return "yes";
	case JSON_FALSE:
		return "no";
	case JSON_ARRAY:
		return or_constant(list_cell(mem_ctx, value));
	default:
		return "-";
	}
}

static void print_cell(FILE *out, const char *text, size_t width, bool last)
{
	bool whole = terminal_width(text) <= width;
	size_t bytes, shown = terminal_fit(text, whole ? width : width - 1, &bytes);

	fwrite(text, 1, bytes, out);
	if (!whole) {
		fputc('~', out);
		shown++;
	}
	if (!last) {
		fprintf(out, "%*s", (int)(width - shown + GAP), "");
	}
}

/* Half an address is none: they are cut last. */
static bool is_precious(const char *key)
{
	static const char *const keys[] = {"ip", "address", "to", "local", "remote", "addresses"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* The widest column that may be cut; num: there is none. */
static size_t widest(const struct table_column *columns, const size_t *widths, size_t num,
		     bool precious)
{
	size_t found = num;

	for (size_t i = 0; i < num; i++) {
		if (widths[i] > MIN_CELL && is_precious(columns[i].key) == precious &&
		    (found == num || widths[i] > widths[found])) {
			found = i;
		}
	}
	return found;
}

/* Take from the widest column until the line fits. */
static void fit(const struct table_column *columns, size_t *widths, size_t num, unsigned int limit)
{
	size_t total = GAP * (num - 1);

	for (size_t i = 0; i < num; i++) {
		total += widths[i];
	}
	for (; limit > 0 && total > limit; total--) {
		size_t i = widest(columns, widths, num, false);

		if (i == num) {
			i = widest(columns, widths, num, true);
		}
		if (i == num) {
			return;
		}
		widths[i]--;
	}
}

void table_print(FILE *out, const json_t *rows, const struct table_column *columns,
		 unsigned int width)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	size_t num_rows = json_array_size(rows), num = 0, widths[TABLE_MAX_COLUMNS] = {0};
	const char **cells;

	while (num < TABLE_MAX_COLUMNS && columns[num].title != NULL) {
		widths[num] = strlen(columns[num].title);
		num++;
	}
	cells = talloc_array(mem_ctx, const char *, (num_rows + 1) * num);
	for (size_t r = 0; cells != NULL && r <= num_rows; r++) {
		for (size_t i = 0; i < num; i++) {
			const char **cell = &cells[r * num + i];
			size_t width_of_cell;

			*cell = r == 0 ? columns[i].title
				       : table_cell(cells,
						    json_object_get(json_array_get(rows, r - 1),
								    columns[i].key));
			width_of_cell = terminal_width(*cell);
			widths[i] = width_of_cell > widths[i] ? width_of_cell : widths[i];
		}
	}
	fit(columns, widths, num, width);
	for (size_t i = 0; cells != NULL && i < (num_rows + 1) * num; i++) {
		bool last = i % num == num - 1;

		print_cell(out, cells[i], widths[i % num], last);
		if (last) {
			fputc('\n', out);
		}
	}
	talloc_free(mem_ctx);
}
