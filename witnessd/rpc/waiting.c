/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who gets one of the places for unauthenticated connections. When all are taken newcomers wait in queues,
 * one per network, and the network with the fewest places gets the next one that becomes free. So a flood
 * only delays itself: others are served first. Many addresses do not help, of which a host has 2^64 with
 * IPv6; and a site with thousands of clients in one network is only slowed down when all come at once.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/rpc/conn.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"

#define SERVE_MS 50 /* between checks for clients that have had enough time */

struct rpc_waiting {
	struct qb_list_head list; /* in its network */
	struct rpc_endpoint *endpoint;
	struct rpc_source *source;
	uint64_t since_ms;
	int fd; /* -1: has become a connection */
};

static int waiting_destructor(struct rpc_waiting *waiting)
{
	struct rpc_source *source = waiting->source;

	qb_list_del(&waiting->list);
	source->network->num_waiting--;
	source->server->stats.waiting--;
	if (waiting->fd != -1) {
		close(waiting->fd);
	}
	rpc_source_leave(source);
	return 0;
}

/* Close one, because it has waited too long or somebody has to go. */
static void waiting_refuse(struct rpc_waiting *waiting)
{
	struct rpc_server *server = waiting->source->server;

	server->stats.refused++;
	rpc_limit_reached(server, RPC_LIMIT_UNAUTHENTICATED, &waiting->source->addr);
	talloc_free(waiting);
}

static void refuse(struct rpc_server *server, int fd, enum rpc_limit limit,
		   const struct ipaddr *remote)
{
	close(fd);
	server->stats.refused++;
	rpc_limit_reached(server, limit, remote);
}

static void begin(struct rpc_endpoint *endpoint, int fd)
{
	int err = conn_create(endpoint, fd);

	if (err != 0) {
		endpoint->server->stats.refused++;
		if (rpc_server_may_log(endpoint->server)) {
			log_warn("rpc: %s: dropped a connection: %s", endpoint->name,
				 strerror(err));
		}
	}
}

static bool has_place(struct rpc_server *server)
{
	return server->stats.unauthenticated < server->limits.unauthenticated ||
	       rpc_server_evict(server);
}

static struct rpc_waiting *first_of(const struct rpc_network *network)
{
	return qb_list_first_entry(&network->waiting, struct rpc_waiting, list);
}

/* Whether a comes before b: the one with fewer places, else the one whose first has waited longer. */
static bool goes_before(const struct rpc_network *a, const struct rpc_network *b)
{
	return a->unauthenticated != b->unauthenticated
		       ? a->unauthenticated < b->unauthenticated
		       : first_of(a)->since_ms < first_of(b)->since_ms;
}

/* Somebody waits. */
static struct rpc_waiting *next_to_serve(const struct rpc_server *server)
{
	const struct rpc_network *network, *next, *best = NULL;

	HASH_ITER (hh, server->networks, network, next) {
		if (network->num_waiting > 0 && (best == NULL || goes_before(network, best))) {
			best = network;
		}
	}
	return best != NULL ? first_of(best) : NULL;
}

static void end_those_who_waited_too_long(struct rpc_server *server)
{
	uint64_t now = clock_ms();
	struct rpc_network *network, *next;
	struct rpc_waiting *waiting, *after;

	HASH_ITER (hh, server->networks, network, next) {
		network->users++; /* it is looked at until the end of this turn */
		qb_list_for_each_entry_safe (waiting, after, &network->waiting, list) {
			if (now - waiting->since_ms < server->limits.auth_ms) {
				break;
			}
			waiting_refuse(waiting);
		}
		rpc_network_put(network);
	}
}

static void serve(struct rpc_server *server);

static void serve_again(void *private_data)
{
	struct rpc_server *server = talloc_get_type_abort(private_data, struct rpc_server);

	end_those_who_waited_too_long(server);
	serve(server);
}

static void serve(struct rpc_server *server)
{
	while (server->stats.waiting > 0 && has_place(server)) {
		struct rpc_waiting *waiting = next_to_serve(server);
		int fd;

		if (waiting == NULL) {
			return;
		}
		fd = waiting->fd;
		waiting->fd = -1;
		begin(waiting->endpoint, fd); /* before the source could be forgotten */
		talloc_free(waiting);
	}
	if (server->stats.waiting > 0 && !wheel_armed(&server->serve_timer)) {
		wheel_arm(server->wheel, &server->serve_timer, SERVE_MS, serve_again, server);
	}
}

static void serve_now(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	serve(talloc_get_type_abort(private_data, struct rpc_server));
}

void rpc_waiting_serve_soon(struct rpc_server *server)
{
	if (server->stats.waiting > 0) {
		tevent_schedule_immediate(server->serve, server->ev, serve_now, server);
	}
}

/* Drop the last one of the longest queue, if that is longer than that of the newcomer. */
static bool shorten_longest(struct rpc_server *server, const struct rpc_network *newcomer)
{
	struct rpc_network *network, *next, *longest = NULL;

	HASH_ITER (hh, server->networks, network, next) {
		if (longest == NULL || network->num_waiting > longest->num_waiting) {
			longest = network;
		}
	}
	if (longest == NULL || longest->num_waiting <= newcomer->num_waiting) {
		return false;
	}
	waiting_refuse(qb_list_entry(longest->waiting.prev, struct rpc_waiting, list));
	return true;
}

/* @param source has been entered; belongs to the waiting one, or is left */
static void enqueue(struct rpc_endpoint *endpoint, int fd, struct rpc_source *source)
{
	struct rpc_server *server = endpoint->server;
	struct rpc_waiting *waiting;

	if (server->stats.connections + server->stats.waiting >= server->limits.connections &&
	    !rpc_server_evict(server) && !shorten_longest(server, source->network)) {
		refuse(server, fd, RPC_LIMIT_CONNECTIONS, &source->addr);
		rpc_source_leave(source);
		return;
	}
	waiting = talloc_zero(endpoint, struct rpc_waiting);
	if (waiting == NULL) {
		refuse(server, fd, RPC_LIMIT_UNAUTHENTICATED, &source->addr);
		rpc_source_leave(source);
		return;
	}
	waiting->endpoint = endpoint;
	waiting->source = source;
	waiting->fd = fd;
	waiting->since_ms = clock_ms();
	qb_list_add_tail(&waiting->list, &source->network->waiting);
	source->network->num_waiting++;
	server->stats.waiting++;
	talloc_set_destructor(waiting, waiting_destructor);
	if (!wheel_armed(&server->serve_timer)) {
		wheel_arm(server->wheel, &server->serve_timer, SERVE_MS, serve_again, server);
	}
}

void rpc_admit(struct rpc_endpoint *endpoint, int fd, const struct ipaddr *remote)
{
	struct rpc_server *server = endpoint->server;
	const struct rpc_limits *limits = &server->limits;
	struct rpc_source *source;

	if (rpc_source_unauthenticated(server, remote) >= limits->unauthenticated_source) {
		refuse(server, fd, RPC_LIMIT_UNAUTHENTICATED_SOURCE, remote);
		return;
	}
	if (server->stats.waiting == 0 &&
	    (server->stats.connections < limits->connections || rpc_server_evict(server)) &&
	    has_place(server)) {
		begin(endpoint, fd);
		return;
	}
	source = rpc_source_enter(server, remote);
	if (source == NULL) {
		refuse(server, fd, RPC_LIMIT_UNAUTHENTICATED, remote);
		return;
	}
	enqueue(endpoint, fd, source);
}
