/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CLOCK_MONOTONIC, which setting the time of day does not change, and the time of day itself. */
#ifndef WITNESSD_UTIL_CLOCK_H
#define WITNESSD_UTIL_CLOCK_H

#include <stdint.h>

/** Microseconds of CLOCK_MONOTONIC: for measuring and for timers. Means nothing on another node or after a boot. */
uint64_t clock_us(void);
/** The same in milliseconds, rounded down. */
uint64_t clock_ms(void);

/** Time of day, in microseconds since 1970: to be shown, or compared between nodes. May be set back. */
uint64_t clock_wall_us(void);

#endif
