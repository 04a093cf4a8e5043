/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef WITNESSD_UTIL_TEXT_JSON_H
#define WITNESSD_UTIL_TEXT_JSON_H

#include <jansson.h>
#include <talloc.h>

/**
 * Text of a peer or of the cluster manager, which need not be UTF-8, as JSON, which must be: escaped
 * where it is none. NULL becomes null. @return a new reference, NULL when memory is short
 */
json_t *text_json(const char *text);

/** The value at "rpc.stats.calls" of an object; NULL when there is none. */
const json_t *json_at(const json_t *json, const char *path);

/**
 * Append JSON to a text that grows, in one line.
 * @param text as text_append() has it (util/text_append.h)
 * @param json taken over
 * @return the text; NULL when memory is short or json is NULL: the text is freed then
 */
char *text_json_append(char *text, json_t *json);

/**
 * An object as text without its last brace, for more members to follow.
 * @param json taken over
 * @return NULL when memory is short or json is NULL
 */
char *text_json_open(TALLOC_CTX *mem_ctx, json_t *json);

#endif
