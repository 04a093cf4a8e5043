/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of limits, counting and logging clients that hit them, and the memory that all connections share.
 */
#include "witnessd/rpc/conn.h"

#include <inttypes.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/log_sources.h"

static const struct {
	const char *name;
	bool quiet; /* also affects well-behaved clients: only counted */
} limits[RPC_NUM_LIMITS] = {
	[RPC_LIMIT_CONNECTIONS] = {"max_connections", false},
	[RPC_LIMIT_CONNECTIONS_PRINCIPAL] = {"max_connections_principal", false},
	[RPC_LIMIT_UNAUTHENTICATED] = {"max_unauthenticated", false},
	[RPC_LIMIT_PATIENCE] = {"patience", false},
	[RPC_LIMIT_UNAUTHENTICATED_SOURCE] = {"max_unauthenticated_source", false},
	[RPC_LIMIT_CALLS] = {"max_calls", false},
	[RPC_LIMIT_CONTEXTS] = {"max_contexts", false},
	[RPC_LIMIT_SEC_CONTEXTS] = {"max_security_contexts", false},
	[RPC_LIMIT_AUTH_LEGS] = {"max_auth_steps", false},
	[RPC_LIMIT_AUTH_FAILURES] = {"max_auth_failures", false},
	[RPC_LIMIT_AUTH_QUEUE] = {"auth_queue", false},
	[RPC_LIMIT_REQUEST] = {"max_request", false},
	[RPC_LIMIT_FRAGMENTS] = {"max_fragments", false},
	[RPC_LIMIT_UNSENT] = {"max_unsent", false},
	[RPC_LIMIT_BUFFERED] = {"max_buffered", false},
	[RPC_LIMIT_BIND_TIME] = {"bind_timeout", false},
	[RPC_LIMIT_AUTH_TIME] = {"auth_timeout", false},
	[RPC_LIMIT_PDU_TIME] = {"pdu_timeout", false},
	[RPC_LIMIT_REQUEST_TIME] = {"request_timeout", false},
	[RPC_LIMIT_UNSENT_TIME] = {"unsent_timeout", false},
	[RPC_LIMIT_CLOSE_TIME] = {"close_timeout", true},
	[RPC_LIMIT_IDLE_TIME] = {"idle_timeout", true},
	[RPC_LIMIT_KEEPALIVE] = {"keepalive", true},
	[RPC_LIMIT_FILES] = {"files", false},
};

const char *rpc_limit_name(enum rpc_limit limit)
{
	return limits[limit].name;
}

void rpc_limit_reached(struct rpc_server *server, enum rpc_limit limit, const struct ipaddr *remote)
{
	char text[IPADDR_STRLEN];
	uint64_t unsaid = 0;

	server->stats.limited[limit]++;
	if (limits[limit].quiet ||
	    !log_sources_may(server->log_limits, remote, clock_ms() * 1000, &unsaid)) {
		return;
	}
	log_warn("rpc: a connection from %s has reached rpc.%s; so have %" PRIu64
		 " more, of anybody, since the last such line",
		 ipaddr_format(remote, text), limits[limit].name, unsaid);
}

static size_t held(const struct rpc_conn *conn)
{
	size_t n = conn->out_held + conn->auth_held;

	n += conn->in_pdu != NULL ? CONN_MEMORY(conn->hdr.frag_length) : 0;
	n += conn->kept != NULL ? CONN_MEMORY(conn->ahead_len) : 0;
	if (conn->incomplete != NULL) {
		n += CONN_MEMORY(sizeof(*conn->incomplete)) +
		     CONN_MEMORY(conn->incomplete->stub_size);
	}
	return n;
}

static struct rpc_conn *find_largest(const struct rpc_server *server)
{
	struct rpc_conn *conn, *largest = NULL;

	qb_list_for_each_entry (conn, &server->conns, list) {
		if (largest == NULL || conn->held > largest->held) {
			largest = conn;
		}
	}
	return largest;
}

/* Drop the largest, not the latest: that one may be a client that is being notified. */
void conn_account(struct rpc_conn *conn)
{
	struct rpc_server *server = conn->server;
	size_t now = conn->abort ? 0 : held(conn);

	server->stats.buffered += now - conn->held;
	conn->held = now;
	while (server->stats.buffered > server->limits.buffered) {
		struct rpc_conn *largest = find_largest(server);

		if (largest == NULL || largest->held == 0) {
			return;
		}
		server->stats.buffered -= largest->held;
		largest->held = 0;
		conn_limit(largest, RPC_LIMIT_BUFFERED);
	}
}

void conn_limit_note(struct rpc_conn *conn, enum rpc_limit limit)
{
	rpc_limit_reached(conn->server, limit, &conn->remote);
}

void conn_limit(struct rpc_conn *conn, enum rpc_limit limit)
{
	if (conn->abort) {
		return;
	}
	conn_limit_note(conn, limit);
	conn_drop(conn, limits[limit].name);
}
