/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/clock.h"

#include <tevent.h>
#include <time.h>

uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct timeval clock_in_ms(unsigned int ms)
{
	return tevent_timeval_current_ofs(ms / 1000, ms % 1000 * 1000);
}
