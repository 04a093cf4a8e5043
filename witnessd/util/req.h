/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a tevent_req ended, in the project's error currency. */
#ifndef WITNESSD_UTIL_REQ_H
#define WITNESSD_UTIL_REQ_H

#include <tevent.h>

/**
 * For x_recv(): the errno of a finished request, however it ended.
 * @return 0; what tevent_req_error() was given; ETIMEDOUT (its endtime passed); ENOMEM
 */
int req_errno(struct tevent_req *req);

#endif
