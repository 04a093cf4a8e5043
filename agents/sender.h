/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The non-blocking raw sockets of the tickle agent. */
#ifndef AGENTS_SENDER_H
#define AGENTS_SENDER_H

#include <talloc.h>

#include "agents/netaddr.h"
#include "witnessd/util/tcpconn.h"

struct sender;

/**
 * Open the sockets; needs CAP_NET_RAW. A kernel without IPv6 is no error.
 * @return 0; EPERM; or an errno
 */
int sender_open(TALLOC_CTX *mem_ctx, struct sender **out);

/**
 * Send one tickle.
 * @return 0; EAGAIN or ENOBUFS (the queue is full: try again later); EPERM (a local firewall); or another
 *         errno of sendto(2), as for a host without a route
 */
int sender_tickle(struct sender *sender, const struct tcpconn *conn);

/**
 * Tell the neighbours on each of these interfaces that ip is here: two gratuitous ARP packets, or an
 * unsolicited neighbour advertisement.
 * @return 0, also when there are no neighbours to tell; else the errno of the last failure
 */
int sender_announce(struct sender *sender, const struct ipaddr *ip,
		    const struct netaddr_links *links);

#endif
