/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listing the TCP connections that peers have published, in pieces: there may be a great many. */
#ifndef WITNESSD_CLUSTER_CONN_LIST_H
#define WITNESSD_CLUSTER_CONN_LIST_H

#include "witnessd/cluster/peers.h"

struct conn_list;

/** Take the list of keys; peers is borrowed. @return 0 or ENOMEM */
int conn_list_create(TALLOC_CTX *mem_ctx, const struct peers *peers, struct conn_list **out);

/**
 * Append the next ones that still exist: {"node", "local", "remote", "orphan"}, each after a comma.
 * @param text NULL afterwards: memory is short
 * @return whether there are more
 */
bool conn_list_next(struct conn_list *list, size_t max, char **text);

#endif
