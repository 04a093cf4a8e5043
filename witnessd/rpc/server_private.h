/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the RPC server, and private to them. */
#ifndef WITNESSD_RPC_SERVER_PRIVATE_H
#define WITNESSD_RPC_SERVER_PRIVATE_H

#include <qb/qblist.h>

#include "witnessd/rpc/poller.h"
#include "witnessd/rpc/server.h"
#include "witnessd/util/hash.h"
#include "witnessd/util/wheel.h"

#define RPC_READ_AHEAD 4096 /* bytes: a bind with a ticket may need a second recv(2) */

/*
 * An IPv4 address, or an IPv6 /64: a host can use any number of addresses in one. A /64 may also hold all
 * clients of a site, so nobody in it is refused for what others do; but connections are shared out fairly among
 * networks, and all logons from one that guesses passwords are delayed.
 */
struct rpc_network {
	struct rpc_server *server;
	struct ipaddr prefix;
	unsigned int users;           /* who has it from rpc_network_get() */
	unsigned int unauthenticated; /* connections that it has */
	unsigned int num_waiting;
	struct qb_list_head waiting; /* struct rpc_waiting, oldest first */
	uint64_t failed_until_us;    /* each failed logon extends it; monotonic */
	struct wheel_timer forget;   /* when there are no users */
	UT_hash_handle hh;
};

/* A peer address that has unauthenticated connections. */
struct rpc_source {
	struct rpc_server *server;
	struct rpc_network *network;
	struct ipaddr addr;
	unsigned int unauthenticated; /* waiting ones, too */
	UT_hash_handle hh;
};

/* Rate limit for log lines that an anonymous peer can cause. */
struct rpc_log_window {
	uint64_t began_ms;
	unsigned int lines;
	unsigned int suppressed;
};

struct rpc_server {
	struct tevent_context *ev;
	struct wheel *wheel;   /* long timers of connections: tevent searches its own linearly */
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
	struct tevent_immediate *serve; /* serves those who wait */
	struct wheel_timer serve_timer;
	struct rpc_principal *principals; /* hash by name */
	uint64_t last_conn_id;
	uint8_t in_buf[RPC_READ_AHEAD]; /* of the connection whose handler runs */
	struct qb_list_head turns;      /* struct rpc_conn.turn */
	struct tevent_immediate *read_kept;
	bool accept_waits; /* a listener pauses until a connection ends or is authenticated */
	int spare_fd;      /* closed for a moment to refuse a connection at EMFILE; -1 = none */
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
	struct ipaddr remote; /* who created it; nobody else may join */
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
/** Leave; when the last one leaves, handles are run down. All calls of the connection have ended before. */
void rpc_assoc_leave(struct rpc_assoc *assoc);

/**
 * Close the unauthenticated connection that has kept others waiting longest, of the network with the most of
 * them. Call from the event loop only, never from within a connection.
 * @return false when all of them are making progress
 */
bool rpc_server_evict(struct rpc_server *server);
/** There is one (unauthenticated) connection less: serve those who wait in the queues. */
void rpc_server_has_room(struct rpc_server *server);

/* listener.c */

/** Let an endpoint's paused listeners accept again. */
void rpc_listeners_resume(struct rpc_endpoint *endpoint);

/* waiting.c */

/**
 * Take over an accepted socket: it becomes a connection, waits until it may be one, or is closed. Call from the
 * event loop only, never from within a connection.
 */
void rpc_admit(struct rpc_endpoint *endpoint, int fd, const struct ipaddr *remote);
/** There may be room for those who wait; they are served from the event loop. */
void rpc_waiting_serve_soon(struct rpc_server *server);

/* network.c */

/** Take a reference to the network of an address, created if needed. @return NULL when memory is short */
struct rpc_network *rpc_network_get(struct rpc_server *server, const struct ipaddr *addr);
/** Drop a reference; after the last one the network is freed as soon as no logon has failed there lately. */
void rpc_network_put(struct rpc_network *network);
/** Note that an authentication from this address has failed. */
void rpc_network_failed(struct rpc_server *server, const struct ipaddr *addr);
/** How long the next authentication step from this address has to wait, to slow down guessing. */
unsigned int rpc_network_delay_ms(struct rpc_server *server, const struct ipaddr *addr);
/** Free all networks; no address is known any more. */
void rpc_network_forget_all(struct rpc_server *server);

/* limits.c */

/** Count that a limit has affected this client, and log it (rate-limited). */
void rpc_limit_reached(struct rpc_server *server, enum rpc_limit limit,
		       const struct ipaddr *remote);

/* source.c */

/** How many unauthenticated connections an address has. */
unsigned int rpc_source_unauthenticated(struct rpc_server *server, const struct ipaddr *addr);
/** Count an unauthenticated connection. @return NULL when memory is short */
struct rpc_source *rpc_source_enter(struct rpc_server *server, const struct ipaddr *addr);
/** The connection has ended or is authenticated. */
void rpc_source_leave(struct rpc_source *source);
/** Free all addresses; no connection is open any more. */
void rpc_source_forget_all(struct rpc_server *server);

/* principal.c */

struct rpc_principal;

/** Count a connection of a principal. @return 0, EDQUOT (it has as many as it may), or ENOMEM */
int rpc_principal_enter(struct rpc_server *server, const char *name, struct rpc_principal **out);
void rpc_principal_leave(struct rpc_principal *principal);

/** Whether a line that an anonymous peer caused may be logged now. Logs how many were suppressed. */
bool rpc_server_may_log(struct rpc_server *server);

#endif
