/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decoding UTF-8. */
#ifndef WITNESSD_UTIL_UTF8_H
#define WITNESSD_UTIL_UTF8_H

#include <stdint.h>

/** The next code point of a text that has not ended, moving *p behind it. @return UINT32_MAX, with *p where it was,
 * when it is not UTF-8 */
uint32_t utf8_next(const char **p);

#endif
