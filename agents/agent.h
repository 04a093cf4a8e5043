/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of witness-tickle(8) share. */
#ifndef AGENTS_AGENT_H
#define AGENTS_AGENT_H

#include <talloc.h>
#include <tevent.h>

#include "agents/netaddr.h"
#include "agents/sender.h"
#include "agents/sock_diag.h"
#include "witnessd/util/track_limits.h"

/* Exit codes, documented in witness-tickle(8). */
enum { AGENT_OK = 0, AGENT_FAILED = 1, AGENT_USAGE = 2 };

#define AGENT_MAX_CONNS 100000 /* of one list: tracked, or to be tickled */

struct agent_options {
	struct ipaddr ip; /* --ip; family 0: not given */
	uint16_t ports[TRACK_MAX_PORTS];
	size_t num_ports;
	uint32_t interval_ms; /* --interval, of track */
	uint32_t wait_ms;     /* --wait, of tickle */
};

struct agent {
	struct tevent_context *ev;
	const struct agent_options *options;
	struct sock_diag *diag;
	struct netaddr *netaddr;
	struct sender *sender; /* NULL: not allowed to send */
};

/** Complain on standard error: "witness-tickle: ...". @return AGENT_FAILED */
int agent_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The commands. @return an exit code */
int agent_track(TALLOC_CTX *mem_ctx, struct agent *agent);
int agent_tickle(TALLOC_CTX *mem_ctx, struct agent *agent);
int agent_destroy(TALLOC_CTX *mem_ctx, struct agent *agent);

/**
 * End every connection that the filter lets through, again until none is left.
 * @param num how many were ended
 * @return 0; EBUSY (ever new ones came); EPERM, EOPNOTSUPP or another errno of sock_diag.h
 */
int agent_reset(const struct agent *agent, const struct sock_diag_filter *filter, size_t *num);

#endif
