/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A latency histogram with fixed buckets, for witnessctl status. */
#ifndef WITNESSD_SWN_LATENCY_H
#define WITNESSD_SWN_LATENCY_H

#include <jansson.h>
#include <stdint.h>

#define SWN_LATENCY_BUCKETS 12

struct swn_latency {
	uint64_t count, sum_us, min_us, max_us;
	uint64_t buckets[SWN_LATENCY_BUCKETS]; /* the last one has no upper bound */
};

/** Count one duration. */
void swn_latency_add(struct swn_latency *latency, uint64_t us);

/** {"count", "sum_us", "min_us", "median_us" (upper bound of its bucket, or the maximum), "max_us", "buckets"}; a new reference */
json_t *swn_latency_json(const struct swn_latency *latency);

#endif
