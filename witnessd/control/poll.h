/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libqb's IPC server on tevent: its poll handlers as tevent_fd, its jobs as tevent_immediate. */
#ifndef WITNESSD_CONTROL_POLL_H
#define WITNESSD_CONTROL_POLL_H

#include <qb/qbipcs.h>
#include <talloc.h>
#include <tevent.h>

/* The watches of the process; freeing it ends them all. */
struct control_poll;

/** @return 0, EBUSY when there is one already (libqb's handlers carry no context), or ENOMEM */
int control_poll_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct control_poll **out);

/** Have the service use it; it must be freed after the service. */
void control_poll_attach(qb_ipcs_service_t *service);

#endif
