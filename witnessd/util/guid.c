/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/guid.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Where each byte of the text form stands in the little-endian wire form. */
static const uint8_t wire_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

int guid_parse(const char *text, struct guid *out)
{
	struct guid guid;
	const char *p = text;

	for (int i = 0; i < 16; i++) {
		unsigned int byte;

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (*p++ != '-') {
				return EINVAL;
			}
		}
		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
		    sscanf(p, "%2x", &byte) != 1) {
			return EINVAL;
		}
		guid.b[wire_order[i]] = (uint8_t)byte;
		p += 2;
	}
	if (*p != '\0') {
		return EINVAL;
	}
	*out = guid;
	return 0;
}

const char *guid_format(const struct guid *guid, char buf[GUID_STRLEN])
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;

	/* By hand: each notification is logged with one, and sixteen sprintf() take longer than its signature. */
	for (int i = 0; i < 16; i++) {
		uint8_t byte = guid->b[wire_order[i]];

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			*p++ = '-';
		}
		*p++ = digits[byte >> 4];
		*p++ = digits[byte & 0xf];
	}
	*p = '\0';
	return buf;
}

int guid_random(struct guid *out)
{
	struct guid guid;

	if (getrandom(guid.b, sizeof(guid.b), 0) != (ssize_t)sizeof(guid.b)) {
		return errno != 0 ? errno : EIO;
	}
	guid.b[7] = (uint8_t)((guid.b[7] & 0x0f) | 0x40); /* version 4 */
	guid.b[8] = (uint8_t)((guid.b[8] & 0x3f) | 0x80); /* variant of RFC 4122 */
	*out = guid;
	return 0;
}

bool guid_equal(const struct guid *a, const struct guid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool guid_is_zero(const struct guid *guid)
{
	static const struct guid zero;

	return guid_equal(guid, &zero);
}
