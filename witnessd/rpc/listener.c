/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening sockets: bind, accept, running out of descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/rpc/conn.h"
#include "witnessd/rpc/server_private.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/files.h"
#include "witnessd/util/log.h"
#include "witnessd/util/tcplisten.h"

#define BACKLOG         1024
#define ACCEPTS_AT_ONCE 16 /* then others get a turn */

struct rpc_listener {
	struct qb_list_head list;
	struct rpc_endpoint *endpoint;
	int fd;
	struct tevent_fd *fde;
	struct wheel_timer pause;
};

static int listener_destructor(struct rpc_listener *listener)
{
	TALLOC_FREE(listener->fde); /* before its descriptor goes */
	if (listener->fd != -1) {
		close(listener->fd);
	}
	wheel_cancel(&listener->pause);
	qb_list_del(&listener->list);
	return 0;
}

static void listener_resume(void *private_data)
{
	struct rpc_listener *listener = talloc_get_type_abort(private_data, struct rpc_listener);

	TEVENT_FD_READABLE(listener->fde);
}

static void listener_pause(struct rpc_listener *listener)
{
	struct rpc_server *server = listener->endpoint->server;

	wheel_arm(server->wheel, &listener->pause, FILES_PAUSE_MS, listener_resume, listener);
	TEVENT_FD_NOT_READABLE(listener->fde);
	server->accept_waits = true;
}

void rpc_listeners_resume(struct rpc_endpoint *endpoint)
{
	struct rpc_listener *listener;

	qb_list_for_each_entry (listener, &endpoint->listeners, list) {
		wheel_cancel(&listener->pause);
		TEVENT_FD_READABLE(listener->fde);
	}
}

/*
 * No descriptor is left, and the client in the queue would wake us endlessly. Close the spare one to accept
 * and refuse the client; without a spare one stop accepting for a moment.
 */
static void out_of_descriptors(struct rpc_listener *listener, int err)
{
	struct rpc_server *server = listener->endpoint->server;
	int fd;

	server->stats.limited[RPC_LIMIT_FILES]++;
	if (rpc_server_may_log(server)) {
		log_warn("rpc: %s: cannot accept a connection: %s", listener->endpoint->name,
			 strerror(err));
	}
	if (server->spare_fd != -1) {
		close(server->spare_fd);
		fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1) {
			close(fd);
			server->stats.refused++;
		}
	}
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	listener_pause(listener);
}

/* @return false when nothing more is to be accepted now */
static bool listener_accept_one(struct rpc_listener *listener)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	struct ipaddr remote;
	int fd;

	fd = accept4(listener->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		remote = ipaddr_from_sockaddr(&ss);
		rpc_admit(listener->endpoint, fd, &remote);
		return true;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
		out_of_descriptors(listener, errno);
		return false;
	case ENOBUFS:
	case ENOMEM:
		listener_pause(listener);
		return false;
	case EAGAIN:
		return false;
	default: /* that client has gone: the next one */
		return true;
	}
}

static void listener_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			      void *private_data)
{
	struct rpc_listener *listener = talloc_get_type_abort(private_data, struct rpc_listener);

	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		if (!listener_accept_one(listener)) {
			return;
		}
	}
}

static uint16_t socket_port(int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1) {
		return 0;
	}
	return ipaddr_port(&ss);
}

int rpc_endpoint_listen(struct rpc_endpoint *endpoint, const struct ipaddr *addr, uint16_t port,
			uint16_t *bound)
{
	struct rpc_listener *listener;
	char text[IPADDR_STRLEN];
	uint16_t got;
	int err;

	listener = talloc_zero(endpoint, struct rpc_listener);
	if (listener == NULL) {
		return ENOMEM;
	}
	listener->endpoint = endpoint;
	err = tcplisten(addr, port, BACKLOG, &listener->fd);
	if (err != 0) {
		talloc_free(listener);
		return err;
	}
	qb_list_add_tail(&listener->list, &endpoint->listeners);
	talloc_set_destructor(listener, listener_destructor);
	listener->fde = tevent_add_fd(endpoint->server->ev, listener, listener->fd, TEVENT_FD_READ,
				      listener_readable, listener);
	if (listener->fde == NULL) {
		talloc_free(listener);
		return ENOMEM;
	}
	got = socket_port(listener->fd);
	if (endpoint->port == 0) {
		endpoint->port = got;
	}
	if (bound != NULL) {
		*bound = got;
	}
	log_info("rpc: %s: listening on %s port %u", endpoint->name, ipaddr_format(addr, text),
		 (unsigned int)got);
	return 0;
}
