/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What orders.c (jobs), orders_plan.c (who gets which order) and orders_show.c share. */
#ifndef WITNESSD_SWN_ORDERS_PRIVATE_H
#define WITNESSD_SWN_ORDERS_PRIVATE_H

#include <limits.h>
#include <qb/qblist.h>

#include "witnessd/swn/orders.h"
#include "witnessd/util/wheel.h"

#define SWN_JOB_NO_ORDER UINT_MAX

/* One registration of a job. */
struct swn_job_item {
	struct swn_handle handle;
	const char *witness; /* who has it; a child of the job; NULL: we, alone */
	bool own;
	bool orphan;
	unsigned int order; /* of job->orders; SWN_JOB_NO_ORDER: it has its result without one */
	enum swn_order_result result;
	char *client; /* as it is shown: an object of JSON without its last brace; a child of the job */
};

struct swn_orders {
	struct tevent_context *ev;
	struct cluster *cluster;
	struct swn_service *service;
	struct wheel *wheel;
	struct qb_list_head jobs;
	unsigned int num_jobs;
	uint64_t last_id;
};

struct swn_planning;

struct swn_job {
	struct qb_list_head link;
	struct swn_orders *orders_of;
	uint64_t id;
	const char *leaving; /* node, of a drain; else NULL */
	bool dry_run, done;
	struct swn_planning *planning; /* NULL once it is known who gets what; a child */
	int err;                       /* that came to nothing; with .why, a child */
	char *why;
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
 * Find the registrations and decide on their orders, a slice at a time; what cannot be has its result already.
 * @param job zeroed, a talloc parent; filled in
 * @return 0: swn_job_plan_on() has to follow; or as swn_orders_begin()
 */
int swn_job_plan(struct swn_job *job, TALLOC_CTX *mem_ctx, struct swn_service *service,
		 const struct swn_orders_request *request, char **why);

/** The next slice, of a few milliseconds. @return 0: that was all; EAGAIN; or as swn_orders_begin() */
int swn_job_plan_on(struct swn_job *job, TALLOC_CTX *mem_ctx, char **why);

/** A node by its name as it was typed; state NULL: it has none yet. @return 0, or ENODEV with *why a sentence */
int swn_orders_node(TALLOC_CTX *mem_ctx, const struct cluster_state *state, const char *name,
		    const struct cluster_node **node, char **why);

/** @return NULL: there is none, or it has ended long ago */
struct swn_job *swn_job_find(const struct swn_orders *orders, uint64_t id);

/** How many have got that result so far. */
size_t swn_job_count(const struct swn_job *job, enum swn_order_result result);

#endif
