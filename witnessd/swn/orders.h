/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Orders for many registrations: found where they are asked for (select.h), sent in portions to the
 * witnesses that have them, with a limit to their rate. Each is a job that is asked about until it is done.
 */
#ifndef WITNESSD_SWN_ORDERS_H
#define WITNESSD_SWN_ORDERS_H

#include <jansson.h>

#include "witnessd/cluster/cluster.h"
#include "witnessd/swn/order.h"
#include "witnessd/swn/select.h"

#define SWN_ORDERS_RATE_MAX 100000U

struct swn_orders;

enum swn_orders_plan {
	SWN_ORDERS_ALL,   /* all that are selected get the order */
	SWN_ORDERS_DRAIN, /* the clients of .leaving go to other nodes, evenly */
	SWN_ORDERS_EVEN, /* as few as it takes of those go, so that the nodes are even, counting all */
};

/* Everything is borrowed for the call. */
struct swn_orders_request {
	enum swn_orders_plan plan;
	struct swn_order order; /* type CLIENT_MOVE for plans */
	const struct swn_select *select;
	const char *leaving; /* of DRAIN; case does not matter */
	uint32_t rate;       /* registrations a second; 0: no limit */
	bool dry_run;
};

/** Carry out what other nodes order, too. cluster and service are borrowed. @return 0 or ENOMEM */
int swn_orders_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		      struct swn_service *service, struct swn_orders **out);

/**
 * Begin, or with dry_run only look ahead. Whom it is for is found out in slices of a few milliseconds, the first
 * of them here: what comes to light later is told by swn_orders_status().
 * @return 0; ESRCH (nothing matches); ENODEV, ENXIO (swn_select_check(), also of destinations); EINVAL;
 *         EBUSY (too many jobs); ENOMEM; with *why a sentence
 */
int swn_orders_begin(struct swn_orders *orders, TALLOC_CTX *mem_ctx,
		     const struct swn_orders_request *request, uint64_t *id, char **why);

/**
 * How far a job is: {"job" (null of dry_run, once it is done), "dry_run", "done", "total" (0 while they are being
 * found), "results": {RESULT: NUMBER}}, of a drain with "node"; a new reference. It is forgotten a minute after its end.
 * @return 0, ENOENT, ENOMEM, or as swn_orders_begin() if the job came to nothing
 */
int swn_orders_status(const struct swn_orders *orders, TALLOC_CTX *mem_ctx, uint64_t id,
		      json_t **result, char **why);

/** Nobody gets the order any more who has not got it yet; the job ends soon. @return 0 or ENOENT */
int swn_orders_cancel(struct swn_orders *orders, uint64_t id);

/**
 * The clients of a job that is done, from *pos on, which moves: objects of `witnessctl list` with "to" (node or
 * address, or null) and "result", each after a comma.
 * @param text grows; NULL when memory is short
 * @return whether there are more; false, too, when the job is no more
 */
bool swn_orders_clients(const struct swn_orders *orders, uint64_t id, size_t *pos, char **text);

/**
 * Mark a node as drained (drains.h), which a plan for DRAIN does by itself, or not any more.
 * @param name   case does not matter
 * @param marked its name as the cluster writes it; borrowed, for the moment
 * @return 0; ENODEV with *why a sentence; or an errno
 */
int swn_orders_mark(struct swn_orders *orders, TALLOC_CTX *mem_ctx, const char *name, bool drained,
		    const char **marked, char **why);

/**
 * For `witnessctl nodes`: an array of {"name", "id", "online", "draining" (by the cluster manager),
 * "drained" (by an administrator), "local", "witness" (whether there is one), "addresses" (available),
 * "clients" (of its addresses), "registrations" (with its witness)}. A new reference.
 */
json_t *swn_orders_nodes_json(const struct swn_orders *orders);

#endif
