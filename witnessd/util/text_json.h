/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that may not be UTF-8 as JSON, and JSON as text that is built bit by bit. */
#ifndef WITNESSD_UTIL_TEXT_JSON_H
#define WITNESSD_UTIL_TEXT_JSON_H

#include <jansson.h>
#include <talloc.h>

/**
 * Text of a peer or of the cluster manager as a JSON string. JSON has to be UTF-8; text that is not
 * is escaped by log_escape(). NULL becomes null. @return a new reference, NULL when memory is short
 */
json_t *text_json(const char *text);

/** The value at a path of names, such as "rpc.stats.calls"; NULL when there is none. */
const json_t *json_at(const json_t *json, const char *path);

/**
 * Append JSON, on one line, to a text.
 * @param text as of text_append() (util/text_append.h)
 * @param json reference taken over
 * @return the text; NULL when memory is short or json is NULL: the text is freed then
 */
char *text_json_append(char *text, json_t *json);

/**
 * An object as text without its closing brace, so that more members can be appended.
 * @param json reference taken over
 * @return NULL when memory is short or json is NULL
 */
char *text_json_open(TALLOC_CTX *mem_ctx, json_t *json);

#endif
