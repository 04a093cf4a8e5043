/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server and its endpoints. Sockets are in listener.c, peers in source.c, connections in conn*.c. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/rpc/conn.h"
#include "witnessd/rpc/mgmt.h"
#include "witnessd/rpc/pdu.h"
#include "witnessd/rpc/server_private.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/log_sources.h"

const struct rpc_limits rpc_limits_default = {
	.connections = 25000,
	.connections_principal = 2500,
	.unauthenticated = 512,
	.unauthenticated_source = 128,
	.patience_ms = 2000,
	.calls = 320,
	.contexts = 32,
	.sec_contexts = 8,
	.auth_legs = 8,
	.reassembly = 256 * 1024,
	.fragments = 1024,
	.unsent = 1024 * 1024,
	.buffered = 256 * 1024 * 1024,
	.bind_ms = 10 * 1000,
	.auth_ms = 30 * 1000,
	.pdu_ms = 10 * 1000,
	.request_ms = 30 * 1000,
	.close_ms = 5 * 1000,
	.idle_ms = 20 * 60 * 1000,
	.unsent_ms = 30 * 1000,
	.keepalive_s = 60,
	.auth_failures = 10,
};

/* While others wait, a client that is never silent for patience_ms still has only BUSY_FACTOR * patience_ms. */
#define BUSY_FACTOR      5

#define LOG_WINDOW_MS    10000
#define LOG_WINDOW_LINES 20

/* Order matters: endpoints close their connections, and connections leave their groups. */
static int server_destructor(struct rpc_server *server)
{
	while (!qb_list_empty(&server->endpoints)) {
		talloc_free(qb_list_first_entry(&server->endpoints, struct rpc_endpoint, list));
	}
	rpc_source_forget_all(server);
	rpc_network_forget_all(server);
	wheel_cancel(&server->serve_timer);
	if (server->spare_fd != -1) {
		close(server->spare_fd);
	}
	return 0;
}

int rpc_server_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		      const struct rpc_limits *limits, struct rpc_auth *auth,
		      struct rpc_server **out)
{
	struct rpc_server *server = talloc_zero(mem_ctx, struct rpc_server);
	int ret;

	if (server == NULL) {
		return ENOMEM;
	}
	ret = wheel_create(server, ev, NULL, NULL, &server->wheel);
	if (ret == 0) {
		ret = poller_create(server, ev, &server->poller);
	}
	server->read_kept = tevent_create_immediate(server);
	if (ret == 0 && server->read_kept == NULL) {
		ret = ENOMEM;
	}
	if (ret != 0) {
		talloc_free(server);
		return ret;
	}
	server->ev = ev;
	server->limits = *limits;
	server->auth = auth;
	qb_list_init(&server->endpoints);
	qb_list_init(&server->conns);
	qb_list_init(&server->unauth);
	qb_list_init(&server->turns);
	server->serve = tevent_create_immediate(server);
	server->log_limits = log_sources_new(server);
	if (server->serve == NULL || server->log_limits == NULL) {
		talloc_free(server);
		return ENOMEM;
	}
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	talloc_set_destructor(server, server_destructor);
	*out = server;
	return 0;
}

static int endpoint_destructor(struct rpc_endpoint *endpoint)
{
	struct rpc_conn *conn, *next;

	qb_list_for_each_entry_safe (conn, next, &endpoint->server->conns, list) {
		if (conn->endpoint == endpoint) {
			talloc_free(conn);
		}
	}
	qb_list_del(&endpoint->list);
	return 0;
}

int rpc_endpoint_create(struct rpc_server *server, const char *name, struct rpc_endpoint **out)
{
	struct rpc_endpoint *endpoint = talloc_zero(server, struct rpc_endpoint);
	int ret;

	if (endpoint == NULL) {
		return ENOMEM;
	}
	endpoint->server = server;
	qb_list_init(&endpoint->served);
	qb_list_init(&endpoint->listeners);
	endpoint->name = talloc_strdup(endpoint, name);
	if (endpoint->name == NULL) {
		talloc_free(endpoint);
		return ENOMEM;
	}
	qb_list_add_tail(&endpoint->list, &server->endpoints);
	talloc_set_destructor(endpoint, endpoint_destructor);
	ret = rpc_endpoint_serve(endpoint, &rpc_mgmt_iface, endpoint);
	if (ret != 0) {
		talloc_free(endpoint);
		return ret;
	}
	*out = endpoint;
	return 0;
}

int rpc_endpoint_serve(struct rpc_endpoint *endpoint, const struct rpc_iface *iface,
		       void *iface_private)
{
	struct rpc_served *served;

	qb_list_for_each_entry (served, &endpoint->served, list) {
		if (guid_equal(&served->iface->syntax.uuid, &iface->syntax.uuid)) {
			return EEXIST;
		}
	}
	served = talloc_zero(endpoint, struct rpc_served);
	if (served == NULL) {
		return ENOMEM;
	}
	served->iface = iface;
	served->private_data = iface_private;
	qb_list_add_tail(&served->list, &endpoint->served);
	return 0;
}

const struct rpc_served *rpc_endpoint_find(const struct rpc_endpoint *endpoint,
					   const struct rpc_syntax *syntax)
{
	const struct rpc_served *served;

	qb_list_for_each_entry (served, &endpoint->served, list) {
		if (rpc_syntax_equal(&served->iface->syntax, syntax)) {
			return served;
		}
	}
	return NULL;
}

uint16_t rpc_endpoint_port(const struct rpc_endpoint *endpoint)
{
	return endpoint->port;
}

struct rpc_server *rpc_endpoint_server(const struct rpc_endpoint *endpoint)
{
	return endpoint->server;
}

int rpc_server_foreach_iface(struct rpc_server *server,
			     int (*fn)(const struct rpc_iface *iface,
				       const struct rpc_endpoint *endpoint, void *private_data),
			     void *private_data)
{
	const struct rpc_endpoint *endpoint;
	const struct rpc_served *served;
	int ret;

	qb_list_for_each_entry (endpoint, &server->endpoints, list) {
		qb_list_for_each_entry (served, &endpoint->served, list) {
			if (served->iface == &rpc_mgmt_iface) {
				continue;
			}
			ret = fn(served->iface, endpoint, private_data);
			if (ret != 0) {
				return ret;
			}
		}
	}
	return 0;
}

const struct rpc_stats *rpc_server_stats(const struct rpc_server *server)
{
	return &server->stats;
}

const struct rpc_limits *rpc_server_limits(const struct rpc_server *server)
{
	return &server->limits;
}

int rpc_server_set_principal(struct rpc_server *server, const char *principal)
{
	char *copy = talloc_strdup(server, principal);

	if (copy == NULL) {
		return ENOMEM;
	}
	talloc_free(server->principal);
	server->principal = copy;
	return 0;
}

const char *rpc_server_principal(const struct rpc_server *server)
{
	return server->principal;
}

static void local_gone(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	conn_close(talloc_get_type_abort(private_data, struct rpc_conn),
		   "its local address has left this node");
}

unsigned int rpc_server_drop_local(struct rpc_server *server, const struct ipaddr *addr)
{
	struct rpc_conn *conn;
	unsigned int num = 0;

	qb_list_for_each_entry (conn, &server->conns, list) {
		if (conn->state != CONN_CLOSING && ipaddr_equal(&conn->local, addr)) {
			/* After operations that are done and wait in the loop to be answered. */
			tevent_schedule_immediate(conn->closing, server->ev, local_gone, conn);
			num++;
		}
	}
	return num;
}

void rpc_server_listen(struct rpc_server *server,
		       void (*fn)(void *private_data, const struct tcpconn *conn, bool open),
		       void *private_data)
{
	server->conn_fn = fn;
	server->conn_private = private_data;
}

void rpc_server_foreach_conn(const struct rpc_server *server,
			     void (*fn)(void *private_data, const struct tcpconn *conn),
			     void *private_data)
{
	struct rpc_conn *conn;

	qb_list_for_each_entry (conn, &server->conns, list) {
		if (conn->authenticated && conn->state != CONN_CLOSING) {
			struct tcpconn tcp = conn_tcpconn(conn);

			fn(private_data, &tcp);
		}
	}
}

/* Whether the connection waits for us: a step runs, and is not being delayed as a penalty. */
static bool waits_for_us(const struct rpc_conn *conn)
{
	return conn->step != NULL && rpc_network_delay_ms(conn->server, &conn->remote) == 0;
}

/*
 * The oldest unauthenticated connection whose client has had enough time, of the network that has most of
 * them. One that is making progress is never chosen: when thousands come at once, each newcomer would drop
 * somebody who is nearly done and comes back at once, and nobody would ever be served.
 */
static struct rpc_conn *find_evictable(const struct rpc_server *server)
{
	uint64_t patience = server->limits.patience_ms, now = clock_ms();
	struct rpc_conn *conn, *found = NULL;

	qb_list_for_each_entry (conn, &server->unauth, unauth_list) {
		if (found != NULL && conn->source->network->unauthenticated <=
					     found->source->network->unauthenticated) {
			continue;
		}
		if (!waits_for_us(conn) && (now - conn->active_ms >= patience ||
					    now - conn->accepted_ms >= BUSY_FACTOR * patience)) {
			found = conn;
		}
	}
	return found;
}

bool rpc_server_evict(struct rpc_server *server)
{
	struct rpc_conn *conn = find_evictable(server);

	if (conn == NULL) {
		return false;
	}
	rpc_limit_reached(server, RPC_LIMIT_PATIENCE, &conn->remote);
	talloc_free(conn);
	server->stats.refused++;
	return true;
}

void rpc_server_has_room(struct rpc_server *server)
{
	struct rpc_endpoint *endpoint;

	rpc_waiting_serve_soon(server);
	if (!server->accept_waits) {
		return;
	}
	server->accept_waits = false;
	qb_list_for_each_entry (endpoint, &server->endpoints, list) {
		rpc_listeners_resume(endpoint);
	}
}

bool rpc_server_may_log(struct rpc_server *server)
{
	struct rpc_log_window *w = &server->log_window;
	uint64_t now = clock_ms();

	if (now - w->began_ms >= LOG_WINDOW_MS) {
		if (w->suppressed > 0) {
			log_notice("rpc: %u lines about misbehaving clients were not logged",
				   w->suppressed);
		}
		*w = (struct rpc_log_window){.began_ms = now};
	}
	if (w->lines >= LOG_WINDOW_LINES) {
		w->suppressed++;
		return false;
	}
	w->lines++;
	return true;
}
