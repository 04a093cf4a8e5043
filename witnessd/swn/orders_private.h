/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What orders.c (jobs) and orders_plan.c (who gets which order) share. */
#ifndef WITNESSD_SWN_ORDERS_PRIVATE_H
#define WITNESSD_SWN_ORDERS_PRIVATE_H

#include "witnessd/swn/orders.h"
#include "witnessd/util/wheel.h"

/* One registration of a job. */
struct swn_job_item {
	struct swn_handle handle;
	const char *witness; /* who has it; a child of the job; NULL: we, alone */
	bool own;
	bool orphan;
	unsigned int order; /* of job->orders */
	enum swn_order_result result;
	json_t *client; /* as it is shown */
};

struct swn_job {
	struct qb_list_head link;
	struct swn_orders *orders_of;
	uint64_t id;
	bool dry_run, done;
	struct swn_order *orders; /* with their strings children of the job */
	size_t num_orders;
	struct swn_job_item *items; /* in the order in which they are sent */
	size_t num, next;           /* next to be sent */
	size_t in_flight;           /* of items before .next, sent and not answered */
	size_t sent;
	uint32_t rate;
	uint64_t began_us;
	struct wheel_timer timer;
};

/**
 * Find the registrations and decide on their orders; what cannot be has its result already.
 * @param job zeroed, a talloc parent; filled in
 * @return as swn_orders_begin()
 */
int swn_job_plan(struct swn_job *job, TALLOC_CTX *mem_ctx, struct swn_service *service,
		 const struct swn_orders_request *request, char **why);

#endif
