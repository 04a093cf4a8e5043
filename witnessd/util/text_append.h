/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building text by appending to it. */
#ifndef WITNESSD_UTIL_TEXT_APPEND_H
#define WITNESSD_UTIL_TEXT_APPEND_H

/**
 * Append to a text that grows. All that is appended, or no text at all: talloc's own functions begin a new one,
 * which nobody owns, where there is none, so that a text that memory was short for in the middle would come out as
 * its tail. tests/lint/memory looks after that.
 * @param text made by talloc_strdup(), talloc_asprintf() or this, and as long as its memory; NULL: stays NULL
 * @return the text, which may have moved; NULL when memory is short: the text is freed then
 */
char *text_append(char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
