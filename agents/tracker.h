/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which connections came and went between two listings. No I/O. */
#ifndef AGENTS_TRACKER_H
#define AGENTS_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "witnessd/util/tcpconn.h"

struct tracker;

/** Knows nothing yet. @return NULL when memory is short */
struct tracker *tracker_new(TALLOC_CTX *mem_ctx);

/**
 * Take a complete listing. Connections that it has for the first time are given to changed() as new,
 * those that it lacks as gone. Duplicates in the listing count once.
 * @return 0; ENOMEM: what did not fit is new the next time
 */
int tracker_update(struct tracker *tracker, const struct tcpconn *conns, size_t num,
		   void (*changed)(void *private_data, const struct tcpconn *conn, bool is_new),
		   void *private_data);

#endif
