/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server, and connections to it with the bytes of a fuzzer: what the targets of connections share. */
#ifndef TESTS_FUZZ_CONN_TARGET_H
#define TESTS_FUZZ_CONN_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <tevent.h>

#include "witnessd/rpc/server.h"

struct conn_target {
	struct tevent_context *loop;
	struct rpc_auth *auth; /* NULL: everybody is anonymous */
	/** Before each event of a connection; or NULL */
	void (*turn)(struct rpc_server *server);
	/** Of each call that comes to its operation; or NULL */
	void (*called)(const struct rpc_call *call, enum rpc_auth_level min_level);
};

/** Make a server, which stays, and copy target. A principal may have one connection. Call once. @return the server */
struct rpc_server *conn_target_start(const struct conn_target *target);

/**
 * A client's bytes from the first to the end of the connection, which takes everything along: abort() else.
 * @param delay a call that waits is finished after so many events
 */
void conn_target_run(uint8_t delay, const uint8_t *data, size_t size);

#endif
