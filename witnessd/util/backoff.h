/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pause between two attempts to reach something that is down: doubles up to a limit. */
#ifndef WITNESSD_UTIL_BACKOFF_H
#define WITNESSD_UTIL_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 100

struct backoff {
	uint32_t max_ms;
	uint32_t next_ms; /* 0 = start anew */
};

/** @return milliseconds until the next attempt; the pause after that one is longer */
static inline uint32_t backoff_next(struct backoff *backoff)
{
	uint32_t ms = backoff->next_ms == 0 ? BACKOFF_FIRST_MS : backoff->next_ms;

	if (ms > backoff->max_ms) {
		ms = backoff->max_ms;
	}
	backoff->next_ms = 2 * ms;
	return ms;
}

/** An attempt succeeded: start again from the shortest pause. */
static inline void backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = 0;
}

#endif
