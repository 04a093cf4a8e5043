/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text on its way to a terminal. It is UTF-8 whatever the locale is. Names come from clients and files: they must
 * neither steer the terminal nor rearrange the line that they stand in.
 */
#ifndef WITNESSCTL_TERMINAL_H
#define WITNESSCTL_TERMINAL_H

#include <jansson.h>
#include <talloc.h>

/** Have wcwidth(3) know more than ASCII, whatever the environment says; once, at the start. Without a locale of
 * UTF-8 on this machine every character counts as one column. */
void terminal_setup(void);

/**
 * A copy with ? for each control character (C0, C1, DEL), each that changes the direction of text or ends a line or
 * paragraph, and each byte that is not UTF-8.
 * @return a child of mem_ctx; a constant string when memory is short, so it can always be printed
 */
const char *terminal_text(TALLOC_CTX *mem_ctx, const char *text);

/**
 * The longest beginning of a text that takes no more columns than the limit.
 * @param bytes set to its length
 * @return its columns: two for a wide character of East Asia, none for one that is put onto another
 */
size_t terminal_fit(const char *text, size_t limit, size_t *bytes);

/** The columns of a whole text. */
size_t terminal_width(const char *text);

/** JSON as json_dumps() makes it, with those characters escaped as JSON has it: the value is the same.
 * @return a child of mem_ctx, NULL when memory is short */
char *terminal_json(TALLOC_CTX *mem_ctx, const json_t *json, size_t flags);

/** The same to standard output, and a newline. */
void terminal_print_json(const json_t *json, size_t flags);

#endif
