/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Registrations and AsyncNotify calls that were refused because of a limit: counted, and logged once a minute per source, so that
 * the administrator learns of it and a client that keeps trying does not flood the log.
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
	SWN_NUM_REGISTRATION_LIMITS,
	SWN_LIMIT_NOTIFY_CALLS = SWN_NUM_REGISTRATION_LIMITS, /* of one registration; a constant */
	SWN_LIMIT_HANDOVER_CALLS,                             /* in all; a constant */
	SWN_NUM_LIMITS,
};

struct swn_refusals;

/** @return NULL when memory is short */
struct swn_refusals *swn_refusals_new(TALLOC_CTX *mem_ctx);

/**
 * Count a refusal.
 * @param now_us  any clock that does not go back
 * @param unsaid  set when the result is true: refusals, of all sources, not logged since the last one logged
 * @return whether it is to be logged
 */
bool swn_refusals_note(struct swn_refusals *refusals, enum swn_limit limit,
		       const struct ipaddr *source, uint64_t now_us, uint64_t *unsaid);

/** Refusals because of a limit so far. */
uint64_t swn_refusals_total(const struct swn_refusals *refusals, enum swn_limit limit);

/** Count a refusal, and log it if it is to be logged. now_us: as above; principal: NULL for none. */
void swn_refuse(struct swn_refusals *refusals, enum swn_limit limit, const char *principal,
		const struct ipaddr *source, uint64_t now_us);

/** The key in section [witness]; of a constant, the name that counts it. */
const char *swn_limit_name(enum swn_limit limit);

#endif
