/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cluster map: an ini text (docs/static-map.md) with the nodes, addresses and shares of a cluster and where
 * they are. A map is kept as a struct cluster_state with the content of the file; what follows from that (an
 * address on an offline node is down) is added by static_map_snapshot().
 */
#ifndef BACKENDS_STATIC_MAP_H
#define BACKENDS_STATIC_MAP_H

#include "witnessd/cluster/state.h"

#define STATIC_MAP_MAX_BYTES  (1024 * 1024)
#define STATIC_MAP_MAX_NODES  256
#define STATIC_MAP_MAX_ADDRS  2048
#define STATIC_MAP_MAX_SHARES 2048

/**
 * Parse a map. All or nothing.
 * @param text need not end with NUL; not longer than STATIC_MAP_MAX_BYTES
 * @param name of the file, for messages
 * @param why  "file:line: what is wrong and what was expected", a child of mem_ctx
 * @return 0, EINVAL with *why, or ENOMEM
 */
int static_map_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len, const char *name,
		     struct cluster_state **out, char **why);

/** The canonical text of a map; static_map_parse() takes it. @return NULL when memory is short */
char *static_map_format(TALLOC_CTX *mem_ctx, const struct cluster_state *map);

/**
 * The snapshot that a map means for the witnessd of node local (need not be in the map): addresses and
 * shares on offline nodes are down.
 * @return NULL when memory is short
 */
struct cluster_state *static_map_snapshot(TALLOC_CTX *mem_ctx, const struct cluster_state *map,
					  const char *local, uint64_t generation);

#endif
