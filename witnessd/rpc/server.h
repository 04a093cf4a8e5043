/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server side of the DCE/RPC runtime: endpoints, listening sockets, connections and their limits.
 * daemon > rpc_server > endpoint > connection > call; freeing any of them ends what is below.
 */
#ifndef WITNESSD_RPC_SERVER_H
#define WITNESSD_RPC_SERVER_H

#include "witnessd/rpc/auth.h"
#include "witnessd/rpc/iface.h"
#include "witnessd/util/tcpconn.h"

/* All limits; rpc_limits_default gives the documented defaults. Times in milliseconds. */
struct rpc_limits {
	unsigned int connections;           /* in all */
	unsigned int connections_principal; /* authenticated as one principal */
	unsigned int unauthenticated; /* connections without finished authentication, in all */
	unsigned int
		unauthenticated_source; /* likewise, and waiting ones, from one source address */
	unsigned int
		patience_ms; /* how long an unauthenticated client may be silent while others wait */
	unsigned int calls;  /* pending per connection */
	unsigned int contexts;     /* presentation contexts per connection */
	unsigned int sec_contexts; /* security contexts per connection */
	unsigned int auth_legs;    /* steps of one negotiation */
	size_t reassembly;         /* bytes of one request's stub */
	unsigned int fragments;    /* of one request */
	size_t unsent;             /* bytes queued to a client that does not read */
	size_t buffered;         /* bytes of all connections: unsent answers, incomplete requests */
	unsigned int bind_ms;    /* from accept() to a successful bind */
	unsigned int auth_ms;    /* from accept() to finished authentication, once it has begun */
	unsigned int pdu_ms;     /* from the first byte of a PDU to its last */
	unsigned int request_ms; /* from the first fragment of a request to its last */
	unsigned int close_ms;   /* to flush the last answer before closing */
	unsigned int idle_ms;    /* nothing pending and nothing registered; 0 = for ever. Anonymous
				  connections: auth_ms */
	unsigned int auth_failures; /* per second and network, an IPv4 address or an IPv6 /64; then
				  steps from there wait. 0 = unlimited */
	unsigned int
		unsent_ms; /* for a client to read what is queued; it takes effect after one to two of these */
	unsigned int
		keepalive_s; /* silence before TCP probes a client, which then has as long to answer */
};
extern const struct rpc_limits rpc_limits_default;

struct rpc_server;
struct rpc_endpoint;

/* The limits that a client can hit. Counted only when one has an effect on somebody. */
enum rpc_limit {
	RPC_LIMIT_CONNECTIONS,
	RPC_LIMIT_CONNECTIONS_PRINCIPAL,
	RPC_LIMIT_UNAUTHENTICATED,
	RPC_LIMIT_PATIENCE,
	RPC_LIMIT_UNAUTHENTICATED_SOURCE,
	RPC_LIMIT_CALLS,
	RPC_LIMIT_CONTEXTS,
	RPC_LIMIT_SEC_CONTEXTS,
	RPC_LIMIT_AUTH_LEGS,
	RPC_LIMIT_AUTH_FAILURES,
	RPC_LIMIT_AUTH_QUEUE, /* steps that wait for a thread; a constant */
	RPC_LIMIT_REQUEST,
	RPC_LIMIT_FRAGMENTS,
	RPC_LIMIT_UNSENT,
	RPC_LIMIT_BUFFERED,
	RPC_LIMIT_BIND_TIME,
	RPC_LIMIT_AUTH_TIME,
	RPC_LIMIT_PDU_TIME,
	RPC_LIMIT_REQUEST_TIME,
	RPC_LIMIT_UNSENT_TIME,
	RPC_LIMIT_CLOSE_TIME,
	RPC_LIMIT_IDLE_TIME,
	RPC_LIMIT_KEEPALIVE,
	RPC_LIMIT_FILES, /* of the process or the system */
	RPC_NUM_LIMITS,
};

/** The key in section [rpc]; "files" for RPC_LIMIT_FILES. */
const char *rpc_limit_name(enum rpc_limit limit);

/* Counters since the start; never reset. Shown by mgmt inq_stats and by witnessctl status. */
struct rpc_stats {
	uint64_t accepted, refused;   /* connections */
	uint64_t calls_in, calls_out; /* C706 rpc_c_stats_*; a server calls out to nobody */
	uint64_t pkts_in, pkts_out;   /* PDUs */
	uint64_t faults, naks;        /* sent */
	uint64_t auth_failures;
	uint64_t limited[RPC_NUM_LIMITS]; /* refused, closed or delayed because of it */
	size_t buffered;                  /* bytes now: rpc_limits.buffered */
	unsigned int waiting;             /* accepted, not served until there is room */
	unsigned int connections;         /* open now */
	unsigned int unauthenticated;     /* open now, of those */
	unsigned int assocs;              /* groups now */
	unsigned int calls;               /* pending now */
};

/**
 * A server without endpoints. limits is copied; auth is borrowed and must outlive the server (NULL:
 * no authentication type is offered).
 * @return 0, ENOMEM, or what timerfd_create(2) gave
 */
int rpc_server_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct rpc_limits *limits, struct rpc_auth *auth,
		      struct rpc_server **out);

/** A new endpoint of the server (and its child). Serves mgmt without being asked. @return 0 or ENOMEM */
int rpc_endpoint_create(struct rpc_server *server, const char *name, struct rpc_endpoint **out);

/**
 * Serve an interface on an endpoint. iface is a constant; iface_private is passed to its operations.
 * @return 0, EEXIST when the endpoint serves that UUID, or ENOMEM
 */
int rpc_endpoint_serve(struct rpc_endpoint *endpoint, const struct rpc_iface *iface,
		       void *iface_private);

/**
 * Listen on addr:port (port 0: the system chooses) with the endpoint's interfaces. IPv6 sockets are
 * v6 only. May be called several times; all sockets of an endpoint serve the same.
 * @param bound the port that is bound; may be NULL
 * @return 0, or the errno of socket(2), bind(2) (EADDRINUSE, EACCES, EADDRNOTAVAIL) or listen(2)
 */
int rpc_endpoint_listen(struct rpc_endpoint *endpoint, const struct ipaddr *addr, uint16_t port,
			uint16_t *bound);

/** The first port that the endpoint listens on; 0 before rpc_endpoint_listen(). */
uint16_t rpc_endpoint_port(const struct rpc_endpoint *endpoint);

/**
 * Call fn for each interface of each endpoint of the server (mgmt left out), in the order of creation;
 * a non-zero result ends the walk. @return that result, or 0
 */
int rpc_server_foreach_iface(struct rpc_server *server,
			     int (*fn)(const struct rpc_iface *iface,
				       const struct rpc_endpoint *endpoint, void *private_data),
			     void *private_data);

/** Borrowed, as long as the endpoint and the server live. */
struct rpc_server *rpc_endpoint_server(const struct rpc_endpoint *endpoint);
const struct rpc_stats *rpc_server_stats(const struct rpc_server *server);
const struct rpc_limits *rpc_server_limits(const struct rpc_server *server);

/** The name that mgmt inq_princ_name answers for every authentication type; copied. Default: none (0x6D3). */
int rpc_server_set_principal(struct rpc_server *server, const char *principal);
const char *rpc_server_principal(const struct rpc_server *server);

/**
 * Close connections whose local address is addr (which has left the node), from the event loop: operations
 * that are already done are still answered, and what is queued is flushed. @return how many
 */
unsigned int rpc_server_drop_local(struct rpc_server *server, const struct ipaddr *addr);

/**
 * Be notified when a connection has finished its authentication (open), and when it ends. One listener;
 * called from within a connection, so it must not call the server.
 */
void rpc_server_listen(struct rpc_server *server,
		       void (*fn)(void *private_data, const struct tcpconn *conn, bool open),
		       void *private_data);

/** All authenticated connections that are not closing. fn must not call the server. */
void rpc_server_foreach_conn(const struct rpc_server *server,
			     void (*fn)(void *private_data, const struct tcpconn *conn),
			     void *private_data);

#endif
