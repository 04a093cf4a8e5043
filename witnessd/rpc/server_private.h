/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the RPC server share; nobody else includes it. */
#ifndef WITNESSD_RPC_SERVER_PRIVATE_H
#define WITNESSD_RPC_SERVER_PRIVATE_H

#include <qb/qblist.h>

#include "witnessd/rpc/poller.h"
#include "witnessd/rpc/server.h"
#include "witnessd/util/hash.h"
#include "witnessd/util/wheel.h"

#define RPC_READ_AHEAD 4096 /* bytes: a bind with a ticket may need a second recv(2) */

/*
 * An IPv4 address, or an IPv6 network of 64 bits: a host has as many addresses in there as it likes. It may
 * as well hold all clients of a site, so it has no limit of its own; but places are shared by networks.
 */
struct rpc_network {
	struct ipaddr prefix;
	unsigned int sources;         /* struct rpc_source, that refer to it */
	unsigned int unauthenticated; /* places that it has */
	unsigned int num_waiting;
	struct qb_list_head waiting; /* struct rpc_waiting, oldest first */
	UT_hash_handle hh;
};

/* A peer address that has unauthenticated connections, or whose authentication failed lately. */
struct rpc_source {
	struct rpc_server *server;
	struct rpc_network *network;
	struct ipaddr addr;
	unsigned int unauthenticated; /* waiting ones, too */
	uint64_t failed_until_ms;     /* each failure moves it on; monotonic */
	struct wheel_timer forget;
	UT_hash_handle hh;
};

/* Lines that an anonymous peer can cause: at most so many in a while. */
struct rpc_log_window {
	uint64_t began_ms;
	unsigned int lines;
	unsigned int suppressed;
};

struct rpc_server {
	struct tevent_context *ev;
	struct wheel
		*wheel; /* long timers of connections: tevent looks through its own one by one */
	struct poller *poller; /* of the connections' sockets */
	struct rpc_limits limits;
	struct rpc_auth *auth; /* borrowed; NULL: nothing but anonymous */
	struct rpc_stats stats;
	char *principal;
	struct qb_list_head endpoints;  /* in order of creation */
	struct qb_list_head conns;      /* struct rpc_conn.list, oldest first */
	struct qb_list_head unauth;     /* struct rpc_conn.unauth_list, oldest first */
	struct rpc_assoc *assocs;       /* hash by id */
	struct rpc_source *sources;     /* hash by address */
	struct rpc_network *networks;   /* hash by prefix */
	struct tevent_immediate *serve; /* those who wait */
	struct wheel_timer serve_timer;
	struct rpc_principal *principals; /* hash by name */
	uint64_t last_conn_id;
	uint8_t in_buf[RPC_READ_AHEAD]; /* of the connection whose handler runs */
	struct qb_list_head turns;      /* struct rpc_conn.turn */
	struct tevent_immediate *read_kept;
	bool accept_waits; /* a listener rests until a connection ends or is authenticated */
	int spare_fd;      /* given up for a moment to refuse a connection at EMFILE; -1 = none */
	struct rpc_log_window log_window;
	struct log_sources *log_limits;
	void (*conn_fn)(void *private_data, const struct tcpconn *conn, bool open);
	void *conn_private;
};

/* An interface as an endpoint serves it. */
struct rpc_served {
	struct qb_list_head list;
	const struct rpc_iface *iface;
	void *private_data;
};

struct rpc_endpoint {
	struct qb_list_head list;
	struct rpc_server *server;
	char *name;
	uint16_t port;
	struct qb_list_head served;    /* struct rpc_served */
	struct qb_list_head listeners; /* struct rpc_listener */
};

struct rpc_assoc {
	uint32_t id;
	struct rpc_endpoint *endpoint;
	struct ipaddr remote; /* who made it; nobody else may join */
	unsigned int conns;
	unsigned int holds;
	UT_hash_handle hh;
};

/** The interface of an endpoint with exactly this UUID and version, or NULL. */
const struct rpc_served *rpc_endpoint_find(const struct rpc_endpoint *endpoint,
					   const struct rpc_syntax *syntax);

/** A new group with one member. @return NULL when memory or randomness is short */
struct rpc_assoc *rpc_assoc_create(struct rpc_endpoint *endpoint, const struct ipaddr *remote);
/** Join a group. @return NULL when there is none with that id for this endpoint and address */
struct rpc_assoc *rpc_assoc_join(struct rpc_endpoint *endpoint, uint32_t id,
				 const struct ipaddr *remote);
/** Leave; the last one out has the handles run down. All calls of the leaver are gone before. */
void rpc_assoc_leave(struct rpc_assoc *assoc);

/**
 * Close the unauthenticated connection that has kept others waiting for longest, of the network that has most
 * of them. Call from the event loop only, never inside a connection.
 * @return false when all of them are making progress
 */
bool rpc_server_evict(struct rpc_server *server);
/** One (unauthenticated) connection less: those who wait in the queues may come. */
void rpc_server_has_room(struct rpc_server *server);

/* listener.c */

/** End the rest of an endpoint's listeners. */
void rpc_listeners_resume(struct rpc_endpoint *endpoint);

/* waiting.c */

/**
 * Take over an accepted socket: it becomes a connection, waits until it may be one, or is closed. Call from the
 * event loop only, never inside a connection.
 */
void rpc_admit(struct rpc_endpoint *endpoint, int fd, const struct ipaddr *remote);
/** There may be room for those who wait; they come from the event loop. */
void rpc_waiting_serve_soon(struct rpc_server *server);
/** The network of an address: made if it is not known. @return NULL when memory is short */
struct rpc_network *rpc_network_get(struct rpc_server *server, const struct ipaddr *addr);
void rpc_network_put(struct rpc_server *server, struct rpc_network *network);

/* limits.c */

/** Count that a limit has cost this client something, and log it now and then. */
void rpc_limit_reached(struct rpc_server *server, enum rpc_limit limit,
		       const struct ipaddr *remote);

/* source.c */

/** How many unauthenticated connections an address has. */
unsigned int rpc_source_unauthenticated(struct rpc_server *server, const struct ipaddr *addr);
/** Count an unauthenticated connection. @return NULL when memory is short */
struct rpc_source *rpc_source_enter(struct rpc_server *server, const struct ipaddr *addr);
void rpc_source_leave(struct rpc_source *source);
/** Note that an authentication of this address has failed. */
void rpc_source_failed(struct rpc_server *server, const struct ipaddr *addr);
/** How long the next step of an authentication from there has to wait: guessing is slow. */
unsigned int rpc_source_delay_ms(struct rpc_server *server, const struct ipaddr *addr);
/** Forget what is left of all addresses; no connection is open any more. */
void rpc_source_forget_all(struct rpc_server *server);

/* principal.c */

struct rpc_principal;

/** Count a connection of a principal. @return 0, EDQUOT (it has as many as it may), or ENOMEM */
int rpc_principal_enter(struct rpc_server *server, const char *name, struct rpc_principal **out);
void rpc_principal_leave(struct rpc_principal *principal);

/** Whether a line that an anonymous peer caused may be logged now. Tells about those that were not. */
bool rpc_server_may_log(struct rpc_server *server);

#endif
