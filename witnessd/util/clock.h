/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CLOCK_MONOTONIC for measuring, whatever happens to the time of day; and that. */
#ifndef WITNESSD_UTIL_CLOCK_H
#define WITNESSD_UTIL_CLOCK_H

#include <stdint.h>

uint64_t clock_us(void);
uint64_t clock_ms(void);

/** Microseconds since 1970, by a clock that may be set: for people, and for what other nodes compare. */
uint64_t clock_wall_us(void);

#endif
