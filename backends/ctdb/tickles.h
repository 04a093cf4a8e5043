/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CTDB's tickles: registers witnessd's own connections with CTDB, and finds out from its version whether it
 * can be relied on for those of smbd. spec/ctdb.md, section 6.
 *
 * From 4.20 on an smbd that ends or is reset while its address is being released removes its connection from
 * the list on all nodes, so that the new owner has nobody to tickle (bug 15994; fixed in 4.23.11). ctdbd does
 * not report its version, but TCP_CLIENT_DISCONNECTED was added in 4.20. Where the bug is fixed clients get a
 * tickle or two more, which is harmless.
 */
#ifndef BACKENDS_CTDB_TICKLES_H
#define BACKENDS_CTDB_TICKLES_H

#include "backends/backend.h"
#include "backends/ctdb/client.h"

struct ctdb_tickles;

/** Find out the version whenever the client is connected. @return 0 or ENOMEM */
int ctdb_tickles_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct ctdb_client *client,
			struct ctdb_tickles **out);

/** As backend_ops.watch_connection. */
int ctdb_tickles_watch(struct ctdb_tickles *tickles, const struct tcpconn *conn, bool open);

/** As backend_ops.tickles. */
enum backend_tickles ctdb_tickles_who(const struct ctdb_tickles *tickles);

#endif
