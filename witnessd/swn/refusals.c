/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/refusals.h"

#include "witnessd/util/log_sources.h"

struct swn_refusals {
	struct log_sources *lines;
	uint64_t total[SWN_NUM_LIMITS];
};

struct swn_refusals *swn_refusals_new(TALLOC_CTX *mem_ctx)
{
	struct swn_refusals *refusals = talloc_zero(mem_ctx, struct swn_refusals);

	if (refusals == NULL) {
		return NULL;
	}
	refusals->lines = log_sources_new(refusals);
	if (refusals->lines == NULL) {
		TALLOC_FREE(refusals);
	}
	return refusals;
}

bool swn_refusals_note(struct swn_refusals *refusals, enum swn_limit limit,
		       const struct ipaddr *source, uint64_t now_us, uint64_t *unsaid)
{
	refusals->total[limit]++;
	return log_sources_may(refusals->lines, source, now_us, unsaid);
}

uint64_t swn_refusals_total(const struct swn_refusals *refusals, enum swn_limit limit)
{
	return refusals->total[limit];
}

const char *swn_limit_name(enum swn_limit limit)
{
	static const char *const names[SWN_NUM_LIMITS] = {
		[SWN_LIMIT_REGISTRATIONS] = "registrations",
		[SWN_LIMIT_PRINCIPAL] = "registrations_principal",
		[SWN_LIMIT_CONNECTION] = "registrations_connection",
	};

	return names[limit];
}
