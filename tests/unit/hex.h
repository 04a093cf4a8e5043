/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Test vectors are written in hex. */
#ifndef WITNESSD_TESTS_HEX_H
#define WITNESSD_TESTS_HEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* The bytes of pairs of digits, with blanks between pairs or not. @return how many */
static inline size_t unhex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;

	while (*text != '\0') {
		unsigned int byte;

		if (*text == ' ') {
			text++;
			continue;
		}
		assert_true(n < size);
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
		text += 2;
	}
	return n;
}

#endif
