/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/refusals.h"

#include <inttypes.h>

#include "witnessd/util/log.h"
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
		[SWN_LIMIT_REGISTRATIONS] = "max_registrations",
		[SWN_LIMIT_PRINCIPAL] = "max_registrations_principal",
		[SWN_LIMIT_CONNECTION] = "max_registrations_connection",
		[SWN_LIMIT_NOTIFY_CALLS] = "notify_calls",
		[SWN_LIMIT_HANDOVER_CALLS] = "handover_calls",
	};

	return names[limit];
}

void swn_refuse(struct swn_refusals *refusals, enum swn_limit limit, const char *principal,
		const struct ipaddr *source, uint64_t now_us)
{
	char text[IPADDR_STRLEN];
	uint64_t unsaid = 0;
	TALLOC_CTX *tmp;

	if (!swn_refusals_note(refusals, limit, source, now_us, &unsaid)) {
		return;
	}
	tmp = talloc_new(NULL);
	log_warn("refused %s of %s from %s: witness.%s is reached; %" PRIu64
		 " more were refused since the last such line",
		 limit < SWN_NUM_REGISTRATION_LIMITS ? "a registration" : "an AsyncNotify call",
		 principal != NULL ? log_escape(tmp, principal) : "-", ipaddr_format(source, text),
		 swn_limit_name(limit), unsaid);
	talloc_free(tmp);
}
