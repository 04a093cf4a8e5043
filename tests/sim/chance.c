/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The linker puts the __wrap_ functions in the place of the daemon's sources of chance (Makefile, --wrap). */
#include "tests/sim/chance.h"

#include <time.h>

#include "witnessd/util/guid.h"

int __wrap_guid_random(struct guid *out);
time_t __wrap_time(time_t *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __real_clock_gettime(clockid_t clock, struct timespec *out);

/* splitmix64: every seed is as good as its neighbour. */
uint32_t chance_next(struct chance *chance)
{
	uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static struct chance handles;

void chance_handles(uint64_t seed)
{
	handles.state = ~seed;
}

int __wrap_guid_random(struct guid *out)
{
	for (unsigned int i = 0; i < sizeof(out->b); i++) {
		out->b[i] = (uint8_t)chance_next(&handles);
	}
	return 0;
}

time_t __wrap_time(time_t *out)
{
	const time_t now = 1700000000;

	if (out != NULL) {
		*out = now;
	}
	return now;
}

static uint64_t day_us;

void chance_day(uint64_t us)
{
	day_us = us;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	if (clock != CLOCK_REALTIME) {
		return __real_clock_gettime(clock, out);
	}
	out->tv_sec = 1700000000 + (time_t)(day_us / 1000000);
	out->tv_nsec = (long)(day_us % 1000000) * 1000;
	return 0;
}
