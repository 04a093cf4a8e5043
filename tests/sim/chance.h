/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All chance that a history has comes from its seed: also handles, and the times of day. */
#ifndef TESTS_SIM_CHANCE_H
#define TESTS_SIM_CHANCE_H

#include <stdint.h>

struct chance {
	uint64_t state;
};

uint32_t chance_next(struct chance *chance);

/** From now on handles come from this seed. */
void chance_handles(uint64_t seed);

/** From now on that is the time of day: of whoever acts. */
void chance_day(uint64_t us);

#endif
