/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the connections that were opened or closed between two listings. No I/O. */
#ifndef AGENTS_TRACKER_H
#define AGENTS_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "witnessd/util/tcpconn.h"

struct tracker;

/** A tracker without connections. @return NULL when memory is short */
struct tracker *tracker_new(TALLOC_CTX *mem_ctx);

/**
 * Pass a complete listing. changed() is called for each connection that was not in the last one, as new, and for
 * each that is not in it any more. Duplicates count once.
 * @return 0; ENOMEM: what could not be stored is new again next time
 */
int tracker_update(struct tracker *tracker, const struct tcpconn *conns, size_t num,
		   void (*changed)(void *private_data, const struct tcpconn *conn, bool is_new),
		   void *private_data);

#endif
