/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of nodes. CTDB numbers them and no more; what a snapshot calls a node, and a peer, is the word
 * at its place in ctdb.node_names, else "node" and its number. Known at any time, connected or not.
 */
#ifndef BACKENDS_CTDB_NAMES_H
#define BACKENDS_CTDB_NAMES_H

#include <stdint.h>
#include <talloc.h>

#include "witnessd/config.h"

#define CTDB_NAME_LEN 16U /* of a name that was made of a number, NUL included */

struct ctdb_names;

/**
 * Names of a configuration, which is borrowed.
 * @return 0, EINVAL with the reason logged (two nodes of one name), or ENOMEM
 */
int ctdb_names_create(TALLOC_CTX *mem_ctx, const struct config *config, struct ctdb_names **out);

/** @return buf, or a string that lives as long as the names */
const char *ctdb_names_get(const struct ctdb_names *names, uint32_t pnn, char buf[CTDB_NAME_LEN]);

#endif
