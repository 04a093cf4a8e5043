/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/refusals.h"

#include <uthash.h>

#define QUIET_US (60U * 1000000U)

/* A source of which a line was logged less than a minute ago. */
struct refused {
	UT_hash_handle hh;
	struct ipaddr source;
	uint64_t logged_us;
};

struct swn_refusals {
	struct refused *sources; /* in the order of their lines: the oldest is the first */
	uint64_t total[SWN_NUM_LIMITS];
	uint64_t unsaid;
};

static void forget(struct swn_refusals *refusals, struct refused *refused)
{
	HASH_DELETE(hh, refusals->sources, refused);
	talloc_free(refused);
}

static int refusals_destructor(struct swn_refusals *refusals)
{
	HASH_CLEAR(hh, refusals->sources); /* which are its children */
	return 0;
}

struct swn_refusals *swn_refusals_new(TALLOC_CTX *mem_ctx)
{
	struct swn_refusals *refusals = talloc_zero(mem_ctx, struct swn_refusals);

	if (refusals != NULL) {
		talloc_set_destructor(refusals, refusals_destructor);
	}
	return refusals;
}

static bool may_log(struct swn_refusals *refusals, const struct ipaddr *source, uint64_t now_us)
{
	struct refused *refused;

	while (refusals->sources != NULL && now_us - refusals->sources->logged_us >= QUIET_US) {
		forget(refusals, refusals->sources);
	}
	HASH_FIND(hh, refusals->sources, source, sizeof(*source), refused);
	if (refused != NULL || HASH_COUNT(refusals->sources) >= SWN_REFUSALS_SOURCES) {
		return false;
	}
	refused = talloc_zero(refusals, struct refused);
	if (refused == NULL) {
		return false;
	}
	refused->source = *source;
	refused->logged_us = now_us;
	HASH_ADD(hh, refusals->sources, source, sizeof(refused->source), refused);
	return true;
}

bool swn_refusals_note(struct swn_refusals *refusals, enum swn_limit limit,
		       const struct ipaddr *source, uint64_t now_us, uint64_t *unsaid)
{
	refusals->total[limit]++;
	if (!may_log(refusals, source, now_us)) {
		refusals->unsaid++;
		return false;
	}
	*unsaid = refusals->unsaid;
	refusals->unsaid = 0;
	return true;
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
