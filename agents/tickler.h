/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tickle the clients of an address that this host has taken over: wait for the address, tell the neighbours, send
 * every client a tickle, and again after 0.8 and 2.2 s, because packets can be lost and a receiver answers
 * such segments of one connection at most every 0.5 s (net.ipv4.tcp_invalid_ratelimit).
 */
#ifndef AGENTS_TICKLER_H
#define AGENTS_TICKLER_H

#include <tevent.h>

#include "agents/netaddr.h"
#include "agents/sender.h"

/* Pacing: TICKLER_BATCH packets, then a pause; some 5000/s. */
#define TICKLER_BATCH    50
#define TICKLER_PAUSE_MS 10

struct tickler_config {
	struct netaddr *netaddr; /* borrowed, as sender */
	struct sender *sender;
	uint32_t wait_ms; /* how long to wait for the address */
};

struct tickler_result {
	size_t conns;       /* tickled */
	size_t sent;        /* packets */
	size_t failed;      /* packets that could not be sent */
	int last_error;     /* of those, or of the announcement; 0: none */
	uint32_t waited_ms; /* for the address */
};

/**
 * @param conns  those with another local address than ip are left out; borrowed until the end
 * @return NULL when memory is short; recv's errors: EADDRNOTAVAIL (the address has not come up, or has
 *         gone again before the end of the first round), or the errno of netlink
 */
struct tevent_req *tickler_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				const struct tickler_config *config, const struct ipaddr *ip,
				const struct tcpconn *conns, size_t num);
int tickler_recv(struct tevent_req *req, struct tickler_result *result);

#endif
