/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tickles of CTDB: witnessd's own connections are registered with it, and which CTDB this is decides
 * whether it can be relied upon for those of smbd. spec/ctdb.md, section 6.
 *
 * From 4.20 on an smbd that ends or is reset while its address is being released takes its connection out of
 * the list of all nodes, so that the new owner has nobody to tickle (bug 15994; mended in 4.23.11). ctdbd
 * does not tell its version, but 4.20 is where it learned TCP_CLIENT_DISCONNECTED. Where the bug is mended
 * clients get a tickle or two more, which harms nobody.
 */
#ifndef BACKENDS_CTDB_TICKLES_H
#define BACKENDS_CTDB_TICKLES_H

#include "backends/backend.h"
#include "backends/ctdb/client.h"

struct ctdb_tickles;

/** Ask which CTDB it is, whenever the client is connected. @return 0 or ENOMEM */
int ctdb_tickles_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct ctdb_client *client,
			struct ctdb_tickles **out);

/** As backend_ops.watch_connection. */
int ctdb_tickles_watch(struct ctdb_tickles *tickles, const struct tcpconn *conn, bool open);

/** As backend_ops.tickles. */
enum backend_tickles ctdb_tickles_who(const struct ctdb_tickles *tickles);

#endif
