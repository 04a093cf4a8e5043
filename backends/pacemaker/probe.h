/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a libqb service answers. The libraries of Pacemaker and Corosync connect without a timeout: a daemon that
 * is stopped or stuck would block this one. So they are called only after the service has answered an
 * asynchronous connection.
 */
#ifndef BACKENDS_PACEMAKER_PROBE_H
#define BACKENDS_PACEMAKER_PROBE_H

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#define PROBE_TIMEOUT_MS 3000 /* enough for a busy machine */

/** @param service as libqb knows it: "cib_ro", "quorum". Freeing the request gives up. */
struct tevent_req *probe_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *service,
			      uint32_t timeout_ms);

/** @return 0; ETIMEDOUT: no answer; ECONNREFUSED or another errno: not there; ENOMEM */
int probe_recv(struct tevent_req *req);

#endif
