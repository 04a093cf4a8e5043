/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CLOCK_MONOTONIC, for measuring: whatever happens to the time of day. */
#ifndef WITNESSD_UTIL_CLOCK_H
#define WITNESSD_UTIL_CLOCK_H

#include <stdint.h>

uint64_t clock_us(void);
uint64_t clock_ms(void);

#endif
