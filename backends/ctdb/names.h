/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of nodes. CTDB has only numbers; snapshots and peers use the word at that position of
 * ctdb.node_names, else "node" and the number. Available whether connected or not.
 */
#ifndef BACKENDS_CTDB_NAMES_H
#define BACKENDS_CTDB_NAMES_H

#include <stdint.h>
#include <talloc.h>

#include "witnessd/config.h"

#define CTDB_NAME_LEN 16U /* of a name made from a number, NUL included */

struct ctdb_names;

/**
 * Read the names of a configuration, which is borrowed.
 * @return 0, EINVAL with the reason logged (two nodes with one name), or ENOMEM
 */
int ctdb_names_create(TALLOC_CTX *mem_ctx, const struct config *config, struct ctdb_names **out);

/** @return buf, or a string that lives as long as the names */
const char *ctdb_names_get(const struct ctdb_names *names, uint32_t pnn, char buf[CTDB_NAME_LEN]);

#endif
