/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/latency.h"

static const uint64_t upper_us[SWN_LATENCY_BUCKETS] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 20000, 50000, 100000, 1000000, UINT64_MAX,
};

void swn_latency_add(struct swn_latency *latency, uint64_t us)
{
	unsigned int i = 0;

	while (us > upper_us[i]) {
		i++;
	}
	latency->buckets[i]++;
	latency->min_us = latency->count == 0 || us < latency->min_us ? us : latency->min_us;
	latency->max_us = us > latency->max_us ? us : latency->max_us;
	latency->sum_us += us;
	latency->count++;
}

static uint64_t median_us(const struct swn_latency *latency)
{
	uint64_t seen = 0;

	for (unsigned int i = 0; i < SWN_LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (2 * seen >= latency->count) {
			return upper_us[i] < latency->max_us ? upper_us[i] : latency->max_us;
		}
	}
	return latency->max_us;
}

json_t *swn_latency_json(const struct swn_latency *latency)
{
	json_t *buckets = json_array();

	for (unsigned int i = 0; i < SWN_LATENCY_BUCKETS; i++) {
		json_t *upper = upper_us[i] == UINT64_MAX ? json_null()
							  : json_integer((json_int_t)upper_us[i]);

		json_array_append_new(buckets, json_pack("{s:o, s:I}", "up_to_us", upper, "count",
							 (json_int_t)latency->buckets[i]));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "count", (json_int_t)latency->count,
			 "sum_us", (json_int_t)latency->sum_us, "min_us",
			 (json_int_t)latency->min_us, "median_us",
			 (json_int_t)(latency->count == 0 ? 0 : median_us(latency)), "max_us",
			 (json_int_t)latency->max_us, "buckets", buckets);
}
