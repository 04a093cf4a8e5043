/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witness service: the six calls of MS-SWN on the registrations, fed by the cluster's events.
 */
#ifndef WITNESSD_SWN_SERVICE_H
#define WITNESSD_SWN_SERVICE_H

#include <jansson.h>

#include "witnessd/swn/refusals.h"
#include "witnessd/cluster/cluster.h"
#include "witnessd/rpc/iface.h"
#include "witnessd/swn/wire.h"

struct swn_service;

/* The interface for rpc_endpoint_serve(); its private data is the struct swn_service. */
extern const struct rpc_iface swn_iface;

/** The configuration of the service. Strings are copied. */
struct swn_config {
	const char *const
		*net_names; /* NULL-terminated, at least one: names clients may register with */
	uint32_t version;   /* SWN_VERSION_1 or SWN_VERSION_2 */
	bool unregister_not_found; /* UnRegister of an unknown handle: NOT_FOUND instead of INVALID_PARAMETER */
	uint32_t unused_timeout_s;
	uint32_t reregister_delay_s; /* 0: never */
	uint32_t max_registrations, max_registrations_principal, max_registrations_assoc;
	bool planned_moves;   /* tell CLIENT_MOVE of CLUSTER_INTENT events */
	bool fixed_addresses; /* list CLUSTER_ADDR_FIXED addresses, too */
	/** Whether a share is known, ignoring case; NULL fn: none is. *any: whether there is any share at all. */
	bool (*share_known)(void *private_data, const char *share, bool *any);
	void *share_private;
};

/**
 * Create the service and subscribe it to the cluster, which must outlive it and must not send events once
 * it is freed. Freeing it ends waiting calls with NOT_FOUND or a fault.
 * @return 0, ENOMEM, or the errno of timerfd_create(2)
 */
int swn_service_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		       const struct swn_config *config, struct cluster *cluster,
		       struct swn_service **out);

/** How many clients of an address wait in AsyncNotify and have not yet been told what is queued for them. */
uint32_t swn_service_untold(const struct swn_service *service, const struct ipaddr *ip);

struct swn_reg;
/** Called for each notification that is sent; text as in the log: "CLIENT_MOVE 10.0.0.8". */
typedef void (*swn_told_fn)(void *private_data, const struct swn_reg *reg, uint32_t type,
			    const char *text);
/** fn NULL: call nothing any more. */
void swn_service_set_told(struct swn_service *service, swn_told_fn fn, void *private_data);

struct swn_found;

/** For `witnessctl list`: an object; a new reference. */
json_t *swn_found_json(const struct swn_found *found);
/** For `witnessctl interfaces`: what GetInterfaceList would answer now; a new reference. */
json_t *swn_service_interfaces_json(const struct swn_service *service);
/** For `witnessctl status`: counters and limits; a new reference. */
json_t *swn_service_status_json(const struct swn_service *service);

/** Registrations or calls that were refused because of a limit, since the start. */
uint64_t swn_service_refused(const struct swn_service *service, enum swn_limit limit);
/** Registrations that were deleted because of witness.unused_timeout. */
uint64_t swn_service_unused(const struct swn_service *service);

#endif
