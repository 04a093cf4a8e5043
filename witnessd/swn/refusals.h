/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Registrations that were refused because a limit is reached: counted, and logged once a source and
 * minute, so that an administrator hears of it and a client that tries for ever does not fill the log.
 */
#ifndef WITNESSD_SWN_REFUSALS_H
#define WITNESSD_SWN_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/ipaddr.h"

enum swn_limit {
	SWN_LIMIT_REGISTRATIONS, /* witness.max_registrations */
	SWN_LIMIT_PRINCIPAL,     /* witness.max_registrations_principal */
	SWN_LIMIT_CONNECTION,    /* witness.max_registrations_connection */
	SWN_NUM_LIMITS,
};

struct swn_refusals;

/** @return NULL when memory is short */
struct swn_refusals *swn_refusals_new(TALLOC_CTX *mem_ctx);

/**
 * Count a refusal.
 * @param now_us  of any clock that does not go back
 * @param unsaid  set with true: how many refusals, of anybody, were not to be logged since the last that was
 * @return whether it is to be logged
 */
bool swn_refusals_note(struct swn_refusals *refusals, enum swn_limit limit,
		       const struct ipaddr *source, uint64_t now_us, uint64_t *unsaid);

uint64_t swn_refusals_total(const struct swn_refusals *refusals, enum swn_limit limit);

/** The key in section [witness], without "max_". */
const char *swn_limit_name(enum swn_limit limit);

#endif
