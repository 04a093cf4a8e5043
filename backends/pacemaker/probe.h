/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a libqb service answers. The libraries of Pacemaker and Corosync connect without a time limit:
 * a daemon that is there but stopped or stuck would hold this one up for as long. So they are only
 * called when the service has just answered a connection that waits in the event loop.
 */
#ifndef BACKENDS_PACEMAKER_PROBE_H
#define BACKENDS_PACEMAKER_PROBE_H

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#define PROBE_TIMEOUT_MS 3000 /* what a busy machine may take */

/** @param service as libqb knows it: "cib_ro", "quorum". Freeing the request gives up. */
struct tevent_req *probe_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *service,
			      uint32_t timeout_ms);

/** @return 0; ETIMEDOUT: no answer; ECONNREFUSED or another errno: not there; ENOMEM */
int probe_recv(struct tevent_req *req);

#endif
