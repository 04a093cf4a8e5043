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
	SWN_ORDERS_EVEN,  /* as few as it takes go, so that the nodes are even */
};

/* Everything is borrowed for the call. */
struct swn_orders_request {
	enum swn_orders_plan plan;
	struct swn_order order; /* type CLIENT_MOVE for plans */
	const struct swn_select *select;
	const char *leaving;
	uint32_t rate; /* registrations a second; 0: no limit */
	bool dry_run;
};

/** Carry out what other nodes order, too. cluster and service are borrowed. @return 0 or ENOMEM */
int swn_orders_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		      struct swn_service *service, struct swn_orders **out);

/**
 * Begin, or with dry_run only look ahead.
 * @param result {"job": NUMBER or null, "total": NUMBER} and what swn_orders_status() says
 * @return 0; ESRCH (nothing matches); ENODEV, ENXIO (swn_select_check(), also of destinations); EINVAL;
 *         EBUSY (too many jobs); ENOMEM; with *why a sentence
 */
int swn_orders_begin(struct swn_orders *orders, TALLOC_CTX *mem_ctx,
		     const struct swn_orders_request *request, json_t **result, char **why);

/**
 * How far a job is: {"job", "dry_run", "done", "total", "results": {RESULT: NUMBER}}, and once it is done
 * "clients": objects of `witnessctl list` with "to" (node or address, or null) and "result". It is
 * forgotten a minute after its end. A new reference. @return 0, ENOENT or ENOMEM
 */
int swn_orders_status(const struct swn_orders *orders, uint64_t id, json_t **result);

/**
 * Mark a node as drained (drains.h), which a plan for DRAIN does by itself, or not any more.
 * @return 0; ENODEV with *why a sentence; or an errno
 */
int swn_orders_mark(struct swn_orders *orders, TALLOC_CTX *mem_ctx, const char *node, bool drained,
		    char **why);

/**
 * For `witnessctl nodes`: an array of {"name", "id", "online", "draining" (by the cluster manager),
 * "drained" (by an administrator), "local", "witness" (whether there is one), "addresses" (available),
 * "clients" (of its addresses), "registrations" (with its witness)}. A new reference.
 */
json_t *swn_orders_nodes_json(const struct swn_orders *orders);

#endif
