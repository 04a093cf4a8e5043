/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pause between two attempts to reach something that is not there: doubles up to a limit. */
#ifndef WITNESSD_UTIL_BACKOFF_H
#define WITNESSD_UTIL_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 100

struct backoff {
	uint32_t max_ms;
	uint32_t next_ms; /* 0 = start anew */
};

/** In how many ms the next attempt is due; the one after it comes later. */
static inline uint32_t backoff_next(struct backoff *backoff)
{
	uint32_t ms = backoff->next_ms == 0 ? BACKOFF_FIRST_MS : backoff->next_ms;

	if (ms > backoff->max_ms) {
		ms = backoff->max_ms;
	}
	backoff->next_ms = 2 * ms;
	return ms;
}

/** It was there: the next attempt after a loss comes soon. */
static inline void backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = 0;
}

#endif
