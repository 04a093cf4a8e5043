/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For both examples: text that a server has sent, shown to a person. */
#ifndef SWN_TEXT_H
#define SWN_TEXT_H

#include <stdio.h>

/* All but printable ASCII becomes \xNN, so that nobody's terminal does what a server wants. NULL is "-". */
static inline void put_text(FILE *out, const char *text)
{
	for (const char *c = text != NULL ? text : "-"; *c != '\0'; c++) {
		if (*c >= ' ' && *c <= '~' && *c != '\\') {
			fputc(*c, out);
		} else {
			fprintf(out, "\\x%02x", (unsigned char)*c);
		}
	}
}

#endif
