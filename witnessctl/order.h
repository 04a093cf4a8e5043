/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders (swn/orders.h): begun, waited for, and shown. */
#ifndef WITNESSCTL_ORDER_H
#define WITNESSCTL_ORDER_H

#include <jansson.h>

#include "witnessctl/ctl.h"

/**
 * Have the daemon carry an order out, with progress on a terminal. Interrupted it cancels the order, and goes on until
 * the daemon has ended it: then nobody is told any more.
 * @param request {"do": ...}; taken over
 * @param result  the job when it is done, or what was last heard of it; a new reference, NULL if it was not begun
 * @return CTL_OK once it is done, or an exit code after a complaint
 */
int order_run(struct ctl *ctl, json_t *request, json_t **result);

/** Print it: with --json as it is, else what came of it and whom it did not reach. @return an exit code */
int order_show(const struct ctl *ctl, const json_t *result);

/** Print how many clients got which result. */
void order_summary(const json_t *result);

/** How many clients got a result that has this name. */
json_int_t order_count(const json_t *result, const char *name);

/**
 * Sleep so long before the daemon is asked again. After order_run() SIGINT and SIGTERM end only the sleep, so that
 * what was begun can be ended, and reported. @return whether one has come
 */
bool order_pause(struct ctl *ctl, int ms);

/** Now that all has been told: end as the signal would have had it, if one has come. */
void order_die(const struct ctl *ctl);

/** Whether progress may be written to standard error. */
bool order_progress(const struct ctl *ctl);

#endif
