/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/terminal.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "witnessd/util/utf8.h"

#define ESCAPED_MAX 6 /* bytes of \uXXXX */

void terminal_setup(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
		(void)setlocale(LC_CTYPE, "");
	}
}

/* All of them are below U+10000. */
static bool is_harmful(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x00, 0x1f},
		{0x7f, 0x9f},     /* controls: U+009B alone begins a command of terminals */
		{0x061c, 0x061c}, /* Unicode's Bidi_Control, here to U+2069 */
		{0x200e, 0x200f},
		{0x2028, 0x2029}, /* line and paragraph separator */
		{0x202a, 0x202e},
		{0x2066, 0x2069},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

const char *terminal_text(TALLOC_CTX *mem_ctx, const char *text)
{
	char *copy = talloc_strdup(mem_ctx, text), *out = copy;
	const char *p = copy;

	while (copy != NULL && *p != '\0') {
		const char *from = p;
		uint32_t c = utf8_next(&p);

		if (c == UINT32_MAX) {
			p++;
		}
		if (c == UINT32_MAX || is_harmful(c)) {
			*out++ = '?';
		} else {
			while (from < p) {
				*out++ = *from++;
			}
		}
	}
	if (copy == NULL) {
		return "(no memory)";
	}
	*out = '\0';
	return copy;
}

/* What the tables of the C library do not know is taken for a usual letter. */
static size_t columns_of(uint32_t c)
{
	int width = c < 0x80 || c == UINT32_MAX ? 1 : wcwidth((wchar_t)c);

	return width < 0 ? 1 : (size_t)width;
}

size_t terminal_fit(const char *text, size_t limit, size_t *bytes)
{
	const char *p = text;
	size_t used = 0;

	*bytes = 0;
	while (*p != '\0') {
		uint32_t c = utf8_next(&p);

		p += c == UINT32_MAX;
		if (columns_of(c) > limit - used) {
			break;
		}
		used += columns_of(c);
		*bytes = (size_t)(p - text);
	}
	return used;
}

size_t terminal_width(const char *text)
{
	size_t bytes;

	return terminal_fit(text, SIZE_MAX, &bytes);
}

/* The newlines of the indentation are nobody's; jansson has escaped those in strings. */
static bool has_to_be_escaped(uint32_t c)
{
	return c >= 0x20 && c != UINT32_MAX && is_harmful(c);
}

static char *escape(TALLOC_CTX *mem_ctx, const char *dump)
{
	size_t num = 0, len = 0;
	const char *p = dump;
	char *text, *out;

	while (*p != '\0') {
		uint32_t c = utf8_next(&p);

		p += c == UINT32_MAX;
		num += has_to_be_escaped(c);
	}
	len = (size_t)(p - dump);
	text = out = talloc_array(mem_ctx, char, len + num * ESCAPED_MAX + 1);
	for (p = dump; out != NULL && *p != '\0';) {
		const char *from = p;
		uint32_t c = utf8_next(&p);

		p += c == UINT32_MAX;
		if (has_to_be_escaped(c)) {
			out += sprintf(out, "\\u%04x", (unsigned int)c);
		} else {
			while (from < p) {
				*out++ = *from++;
			}
		}
	}
	if (out != NULL) {
		*out = '\0';
	}
	return text;
}

char *terminal_json(TALLOC_CTX *mem_ctx, const json_t *json, size_t flags)
{
	char *dump = json_dumps(json, flags);
	char *text = dump != NULL ? escape(mem_ctx, dump) : NULL;

	free(dump);
	return text;
}

void terminal_print_json(const json_t *json, size_t flags)
{
	char *text = terminal_json(NULL, json, flags);

	if (text == NULL) {
		fputs("witnessctl: out of memory\n", stderr);
		return;
	}
	puts(text);
	talloc_free(text);
}
