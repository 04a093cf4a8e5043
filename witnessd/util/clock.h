/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time in milliseconds: since when, and until when. */
#ifndef WITNESSD_UTIL_CLOCK_H
#define WITNESSD_UTIL_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

/** CLOCK_MONOTONIC: for measuring, whatever happens to the time of day. */
uint64_t clock_ms(void);

/** The time of day ms from now: what tevent's timers and endtimes want. */
struct timeval clock_in_ms(unsigned int ms);

#endif
