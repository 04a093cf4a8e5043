/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The TCP connections of the cluster's floating addresses. Each node's tickle agent, witness-tickle(8),
 * reports those of its kernel, and the peers keep copies of them. When an address moves to this node its
 * agent is given the connections that the others had, and makes their clients notice.
 *
 *   agent ── new, gone ──► records of the peers ── this node has the address now ──► agent ──► tickles
 *
 * If the agent cannot run everything else goes on; starting it is tried again.
 */
#ifndef WITNESSD_CLUSTER_CONNTRACK_H
#define WITNESSD_CLUSTER_CONNTRACK_H

#include <jansson.h>

#include "witnessd/cluster/cluster.h"

struct conntrack;

struct conntrack_config {
	const char *agent; /* path of witness-tickle */
	const uint16_t *ports;
	size_t num_ports; /* 0: connections of all ports */
};

/**
 * Start the agent and follow the cluster, which must outlive it and have no more events for it once it
 * is freed.
 * @return 0 or ENOMEM
 */
int conntrack_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		     const struct conntrack_config *config, struct conntrack **out);

/**
 * Tickle the clients that other nodes had at ip, unless that was done a moment ago. The agent waits for the
 * address to come up here.
 * @param num how many connections; 0 if it was done already
 * @return 0; ENOTCONN (the agent does not run); ENOMEM
 */
int conntrack_tickle(struct conntrack *ct, const struct ipaddr *ip, size_t *num);

/** {"agent": {"path", "pid", "starts", "can_send"}, "own", "tickled", "packets", "ports"}; a new reference. */
json_t *conntrack_status_json(const struct conntrack *ct);

#endif
