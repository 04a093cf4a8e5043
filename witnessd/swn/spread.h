/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributing clients evenly over nodes. Pure. */
#ifndef WITNESSD_SWN_SPREAD_H
#define WITNESSD_SWN_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#define SPREAD_NODES_MAX 64
#define SPREAD_STAYS     (-1)

struct spread_item {
	int node;       /* where the client is; SPREAD_STAYS: on none of the nodes */
	uint64_t nodes; /* bit n: node n can serve it */
	int to;         /* filled in: where it goes, or SPREAD_STAYS */
};

/**
 * Move all clients off one node, so that the others end up as even as possible given which nodes can serve each
 * client: within one, if that can be reached. Clients on other nodes count and stay; a client that no other node
 * can serve stays.
 * @param num_nodes at most SPREAD_NODES_MAX
 * @return 0 or ENOMEM with every .to SPREAD_STAYS
 */
int spread_drain(struct spread_item *items, size_t num, int num_nodes, int leaving);

/**
 * Move as few clients as possible so that no two nodes differ by more than one, or by as little as possible given
 * which nodes can serve each client. A client on a node that is not one of its .nodes stays.
 * @return 0 or ENOMEM with every .to SPREAD_STAYS
 */
int spread_even(struct spread_item *items, size_t num, int num_nodes);

#endif
