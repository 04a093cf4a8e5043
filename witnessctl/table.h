/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays of JSON objects as aligned columns. */
#ifndef WITNESSCTL_TABLE_H
#define WITNESSCTL_TABLE_H

#include <jansson.h>
#include <stdio.h>
#include <talloc.h>

struct table_column {
	const char *title;
	const char *key; /* of the object; what is missing or null shows as "-" */
};

/**
 * Print one line an object under a line of titles.
 * @param columns ended by title NULL, at most TABLE_MAX_COLUMNS
 * @param width   columns of the terminal: longer lines lose the ends of their widest cells, addresses last; 0: no limit
 */
#define TABLE_MAX_COLUMNS 16
void table_print(FILE *out, const json_t *rows, const struct table_column *columns,
		 unsigned int width);

/** What COLUMNS in the environment says, else the columns of the terminal behind the stream; 0 when it is none. */
unsigned int table_terminal_width(FILE *stream);

/** A value in a cell: text as terminal_text() makes it, arrays with commas. Never NULL; what is
 * allocated is a child of mem_ctx. */
const char *table_cell(TALLOC_CTX *mem_ctx, const json_t *value);

#endif
