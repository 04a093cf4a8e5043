/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which clients go to which node, so that the nodes have as many as each other. Pure. */
#ifndef WITNESSD_SWN_SPREAD_H
#define WITNESSD_SWN_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#define SPREAD_NODES_MAX 64
#define SPREAD_STAYS     (-1)

struct spread_item {
	int node;       /* where the client is; SPREAD_STAYS: nowhere that counts */
	uint64_t nodes; /* bit n: node n can serve it */
	int to;         /* filled in: where it goes, or SPREAD_STAYS */
};

/**
 * Everyone goes from one node to others, so that these are as even as the nodes allow that can serve each:
 * within one if that can be. Those who are elsewhere count and stay; who can be served nowhere else stays.
 * @param num_nodes at most SPREAD_NODES_MAX
 * @return 0 or ENOMEM with every .to SPREAD_STAYS
 */
int spread_drain(struct spread_item *items, size_t num, int num_nodes, int leaving);

/**
 * As few go as it takes for no two nodes to differ by more than one, or as little as the nodes allow that can
 * serve each client. Who is on a node that is not one of its .nodes stays.
 * @return 0 or ENOMEM with every .to SPREAD_STAYS
 */
int spread_even(struct spread_item *items, size_t num, int num_nodes);

#endif
