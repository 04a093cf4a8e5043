/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/text_append.h"

#include <stdarg.h>
#include <talloc.h>

char *text_append(char *text, const char *fmt, ...)
{
	va_list ap;
	char *more;

	if (text == NULL) {
		return NULL;
	}
	va_start(ap, fmt);
	more = talloc_vasprintf_append_buffer(text, fmt, ap);
	va_end(ap);
	if (more == NULL) {
		talloc_free(text);
	}
	return more;
}
