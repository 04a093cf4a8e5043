/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a tevent_req ended, in the project's error currency. */
#ifndef WITNESSD_UTIL_REQ_H
#define WITNESSD_UTIL_REQ_H

#include <tevent.h>

/**
 * For x_recv(): the errno with which a finished request ended, whatever made it end.
 * @return 0; what tevent_req_error() was given; ETIMEDOUT (its endtime passed); ENOMEM
 */
int req_errno(struct tevent_req *req);

#endif
