/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clients' connections to witnessd itself, for a cluster manager that tickles what it is told of.
 *
 *   authenticated ──► watch ... closed ──► a while ──► still our address? ──► unwatch
 *
 * Why a while: a manager that moves an address may reset its connections before it says that the address
 * goes. Those that were reset are just the ones whose clients the new owner has to tickle.
 */
#include "witnessd/daemon_private.h"

#include <string.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/hash.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

#define CLOSED_MS 10000 /* longer than the release of an address takes */

struct closed {
	UT_hash_handle hh;
	struct qb_list_head link; /* oldest first */
	struct tcpconn conn;
	uint64_t due_ms;
};

struct daemon_watch {
	struct daemon *daemon;
	struct closed *table;
	struct qb_list_head closed;
	struct mono_timer *timer;
};

static void tell_backend(struct daemon_watch *watch, const struct tcpconn *conn, bool open)
{
	struct cluster *cluster = watch->daemon->cluster;
	char text[TCPCONN_STRLEN];
	int ret = cluster_backend_ops(cluster)->watch_connection(cluster_backend(cluster), conn,
								 open);

	if (ret != 0) {
		log_debug("%s is not %s the cluster manager: %s", tcpconn_format(conn, text),
			  open ? "told to" : "taken back from", strerror(ret));
	}
}

/* Whether an address that moves is on this node now. */
static bool is_here(const struct daemon_watch *watch, const struct ipaddr *ip)
{
	const struct cluster_state *state = cluster_current(watch->daemon->cluster);
	const struct cluster_node *local = state != NULL ? cluster_state_local(state) : NULL;
	const struct cluster_addr *addr = state != NULL ? cluster_state_addr(state, ip) : NULL;

	return local != NULL && addr != NULL && addr->kind == CLUSTER_ADDR_FLOATING &&
	       addr->state == CLUSTER_ADDR_AVAILABLE && strcmp(addr->node, local->name) == 0;
}

/* --- ends --- */

static void forget(struct daemon_watch *watch, struct closed *closed)
{
	qb_list_del(&closed->link);
	if (watch->table != NULL) {
		HASH_DEL(watch->table, closed);
	}
	talloc_free(closed);
}

static void on_timer(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		     void *private_data);

/* One timer for all: each waits equally long. */
static void arm(struct daemon_watch *watch)
{
	struct closed *first;
	uint64_t now_ms = clock_ms();

	if (watch->timer != NULL || qb_list_empty(&watch->closed)) {
		return;
	}
	first = qb_list_first_entry(&watch->closed, struct closed, link);
	watch->timer =
		mono_timer_add(watch->daemon->ev, watch,
			       first->due_ms > now_ms ? (unsigned int)(first->due_ms - now_ms) : 0,
			       on_timer, watch);
}

static void on_timer(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		     void *private_data)
{
	struct daemon_watch *watch = talloc_get_type_abort(private_data, struct daemon_watch);
	struct closed *closed, *next;
	uint64_t now_ms = clock_ms();

	watch->timer = NULL;
	qb_list_for_each_entry_safe (closed, next, &watch->closed, link) {
		if (closed->due_ms > now_ms) {
			break;
		}
		if (is_here(watch, &closed->conn.local)) {
			tell_backend(watch, &closed->conn, false);
		}
		forget(watch, closed);
	}
	arm(watch);
}

static void on_close(struct daemon_watch *watch, const struct tcpconn *conn)
{
	struct closed *closed = talloc_zero(watch, struct closed);

	if (closed == NULL) {
		return; /* the manager remembers one too many */
	}
	closed->conn = *conn;
	closed->due_ms = clock_ms() + CLOSED_MS;
	HASH_ADD(hh, watch->table, conn, sizeof(closed->conn), closed);
	if (closed->hh.tbl == NULL) {
		talloc_free(closed);
		return;
	}
	qb_list_add_tail(&closed->link, &watch->closed);
	arm(watch);
}

/* --- beginnings --- */

static void on_conn(void *private_data, const struct tcpconn *conn, bool open)
{
	struct daemon_watch *watch = talloc_get_type_abort(private_data, struct daemon_watch);
	struct closed *closed = NULL;

	HASH_FIND(hh, watch->table, conn, sizeof(*conn), closed);
	if (closed != NULL) {
		forget(watch, closed); /* the same ports again */
	}
	if (!is_here(watch, &conn->local)) {
		return;
	}
	if (open) {
		tell_backend(watch, conn, true);
	} else {
		on_close(watch, conn);
	}
}

struct again {
	struct daemon_watch *watch;
	const struct ipaddr *ip; /* NULL: all */
};

static void tell_again(void *private_data, const struct tcpconn *conn)
{
	const struct again *again = private_data;

	if ((again->ip == NULL || ipaddr_equal(again->ip, &conn->local)) &&
	    is_here(again->watch, &conn->local)) {
		tell_backend(again->watch, conn, true);
	}
}

static void on_event(void *private_data, const struct cluster_event *event,
		     const struct cluster_state *state)
{
	struct daemon_watch *watch = talloc_get_type_abort(private_data, struct daemon_watch);
	struct again again = {.watch = watch, .ip = &event->ip};

	switch (event->type) {
	case CLUSTER_FRESH:
		again.ip = NULL; /* a manager that was away has forgotten them */
		break;
	case CLUSTER_ADDR_BACK:
	case CLUSTER_ADDR_MOVED:
	case CLUSTER_ADDR_ADDED:
		break;
	default:
		return;
	}
	if (watch->daemon->rpc != NULL) {
		rpc_server_foreach_conn(watch->daemon->rpc, tell_again, &again);
	}
}

static int watch_destructor(struct daemon_watch *watch)
{
	HASH_CLEAR(hh, watch->table);
	return 0;
}

int daemon_watch_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	struct daemon_watch *watch;

	if (cluster_backend_ops(daemon->cluster)->watch_connection == NULL) {
		return 0;
	}
	watch = talloc_zero(daemon, struct daemon_watch);
	if (watch == NULL) {
		return ENOMEM;
	}
	watch->daemon = daemon;
	qb_list_init(&watch->closed);
	talloc_set_destructor(watch, watch_destructor);
	daemon->watch = watch;
	rpc_server_listen(daemon->rpc, on_conn, watch);
	return cluster_listen(daemon->cluster, on_event, watch);
}
