/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UUIDs as DCE/RPC carries them. */
#ifndef WITNESSD_UTIL_GUID_H
#define WITNESSD_UTIL_GUID_H

#include <stdbool.h>
#include <stdint.h>

#define GUID_STRLEN 37

/* A UUID, kept as the 16 bytes of its little-endian wire form (C706 A.1: u32, u16, u16, 8 bytes). */
struct guid {
	uint8_t b[16];
};

/** Parse "ccd8c074-d0e5-4a40-92b4-d074faa6ba28". @return 0, or EINVAL with *out untouched */
int guid_parse(const char *text, struct guid *out);

/** Write the text form, lower case. @return buf */
const char *guid_format(const struct guid *guid, char buf[GUID_STRLEN]);

/** A version 4 UUID from the kernel's random source. @return 0, or the errno of getrandom(2) */
int guid_random(struct guid *out);

/** Whether two UUIDs are the same. */
bool guid_equal(const struct guid *a, const struct guid *b);
/** Whether it is the nil UUID. */
bool guid_is_zero(const struct guid *guid);

#endif
