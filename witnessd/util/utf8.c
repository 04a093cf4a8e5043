/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/utf8.h"

uint32_t utf8_next(const char **p)
{
	const uint8_t *s = (const uint8_t *)*p;
	static const uint32_t smallest[4] = {0, 0x80, 0x800, 0x10000};
	uint32_t c;
	int more;

	if (s[0] < 0x80) {
		*p += 1;
		return s[0];
	}
	if ((s[0] & 0xe0) == 0xc0) {
		c = s[0] & 0x1f;
		more = 1;
	} else if ((s[0] & 0xf0) == 0xe0) {
		c = s[0] & 0x0f;
		more = 2;
	} else if ((s[0] & 0xf8) == 0xf0) {
		c = s[0] & 0x07;
		more = 3;
	} else {
		return UINT32_MAX;
	}
	for (int i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return UINT32_MAX; /* the terminating NUL stops here, too */
		}
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		return UINT32_MAX;
	}
	*p += 1 + more;
	return c;
}
