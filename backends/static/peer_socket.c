/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every POLL_MS each process sends an empty datagram to all sockets of the folder: receivers learn the
 * sender, and a failure to send shows that a peer is gone. A datagram begins with a number that a process
 * chooses at its start, so that a restart is noticed. When the queue of a peer is full its datagram is kept,
 * and no other is accepted until it is through.
 */
#include "backends/static/peer_socket.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <qb/qblist.h>

#include "witnessd/util/mono.h"
#include "witnessd/util/log.h"

#define POLL_MS           200
#define JOIN_MS           100 /* for those who are there already to answer */
#define RETRY_MS          10
#define SUFFIX            ".sock"
#define SIZE_MAX_DATAGRAM 65536U
#define MAX_PEERS         64U
#define BURST             64 /* datagrams read in one turn of the event loop */

struct peer {
	struct qb_list_head link;
	const char *node;
	struct sockaddr_un addr;
	uint64_t instance;
	uint8_t *late; /* a datagram that did not go into its queue; a child */
	size_t late_len;
};

struct peer_socket {
	struct tevent_context *ev;
	const struct backend_sink *sink;
	const char *dir, *node;
	struct sockaddr_un addr;
	int fd; /* -1: alone */
	struct tevent_fd *fde;
	struct mono_timer *poll, *join, *retry;
	uint64_t instance;
	struct qb_list_head peers;
	unsigned int num_peers;
};

/* --- names --- */

static int make_addr(const char *dir, const char *node, struct sockaddr_un *addr)
{
	int len;

	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	len = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s" SUFFIX, dir, node);
	return len < 0 || (size_t)len >= sizeof(addr->sun_path) ? ENAMETOOLONG : 0;
}

/* The node of a file name; NULL when it is none. */
static char *node_of(TALLOC_CTX *mem_ctx, const char *name)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);

	if (len <= suffix || name[0] == '.' || strcmp(name + len - suffix, SUFFIX) != 0) {
		return NULL;
	}
	return talloc_strndup(mem_ctx, name, len - suffix);
}

/* --- peers --- */

static struct peer *find_peer(struct peer_socket *ps, const char *node)
{
	struct peer *peer;

	qb_list_for_each_entry (peer, &ps->peers, link) {
		if (strcmp(peer->node, node) == 0) {
			return peer;
		}
	}
	return NULL;
}

static void drop_peer(struct peer_socket *ps, struct peer *peer)
{
	qb_list_del(&peer->link);
	ps->num_peers--;
	ps->sink->peer_down(ps->sink->private_data, peer->node);
	talloc_free(peer);
}

/* @return 0, EAGAIN, or another errno: nobody is there */
static int send_to(struct peer_socket *ps, const struct sockaddr_un *addr, const uint8_t *bytes,
		   size_t len)
{
	struct iovec iov[] = {{.iov_base = &ps->instance, .iov_len = sizeof(ps->instance)},
			      {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len}};
	struct msghdr msg = {.msg_name = (void *)(uintptr_t)addr,
			     .msg_namelen = sizeof(*addr),
			     .msg_iov = iov,
			     .msg_iovlen = 2};

	if (sendmsg(ps->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		return 0;
	}
	return errno == EWOULDBLOCK || errno == ENOBUFS ? EAGAIN : errno;
}

static struct peer *add_peer(struct peer_socket *ps, const char *node, uint64_t instance)
{
	struct peer *peer;

	if (ps->num_peers >= MAX_PEERS) {
		return NULL;
	}
	peer = talloc_zero(ps, struct peer);
	if (peer == NULL) {
		return NULL;
	}
	peer->node = talloc_strdup(peer, node);
	peer->instance = instance;
	if (peer->node == NULL || make_addr(ps->dir, node, &peer->addr) != 0) {
		talloc_free(peer);
		return NULL;
	}
	qb_list_add_tail(&peer->link, &ps->peers);
	ps->num_peers++;
	(void)send_to(ps, &peer->addr, NULL,
		      0); /* so that it knows us before anything else comes */
	ps->sink->peer_up(ps->sink->private_data, peer->node);
	return peer;
}

/* --- sending --- */

static void retry_soon(struct peer_socket *ps);

/* @return whether nothing is late any more */
static bool send_late(struct peer_socket *ps)
{
	struct peer *peer, *next;
	bool all = true;

	qb_list_for_each_entry_safe (peer, next, &ps->peers, link) {
		int err = peer->late == NULL ? 0
					     : send_to(ps, &peer->addr, peer->late, peer->late_len);

		if (err == EAGAIN) {
			all = false;
		} else {
			TALLOC_FREE(peer->late); /* a peer that has gone is noticed by the poll */
		}
	}
	return all;
}

static void on_retry(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		     void *private_data)
{
	struct peer_socket *ps = talloc_get_type_abort(private_data, struct peer_socket);

	ps->retry = NULL;
	if (!send_late(ps)) {
		retry_soon(ps);
	}
}

static void retry_soon(struct peer_socket *ps)
{
	if (ps->retry == NULL) {
		ps->retry = mono_timer_add(ps->ev, ps, RETRY_MS, on_retry, ps);
	}
}

int peer_socket_broadcast(struct peer_socket *ps, const uint8_t *bytes, size_t len)
{
	struct peer *peer;

	if (len > SIZE_MAX_DATAGRAM - sizeof(ps->instance)) {
		return EMSGSIZE;
	}
	if (!send_late(ps)) {
		retry_soon(ps);
		return EAGAIN;
	}
	qb_list_for_each_entry (peer, &ps->peers, link) {
		if (send_to(ps, &peer->addr, bytes, len) == EAGAIN) {
			peer->late = talloc_memdup(peer, bytes, len);
			peer->late_len = len;
			retry_soon(ps);
		}
	}
	return 0;
}

/* --- receiving --- */

/* Who sent it: a socket of the folder. @return a child of mem_ctx, or NULL */
static char *sender_of(struct peer_socket *ps, TALLOC_CTX *mem_ctx, const struct sockaddr_un *addr,
		       socklen_t addr_len)
{
	size_t dir_len = strlen(ps->dir), len;
	char path[sizeof(addr->sun_path) + 1] = "";

	if (addr_len <= offsetof(struct sockaddr_un, sun_path)) {
		return NULL;
	}
	/* unix(7): of a name that fills its room the length counts a terminator that is not there */
	len = addr_len - offsetof(struct sockaddr_un, sun_path);
	memcpy(path, addr->sun_path, len < sizeof(path) ? len : sizeof(path) - 1);
	if (strncmp(path, ps->dir, dir_len) != 0 || path[dir_len] != '/' ||
	    strchr(path + dir_len + 1, '/') != NULL) {
		return NULL;
	}
	return node_of(mem_ctx, path + dir_len + 1);
}

static void take(struct peer_socket *ps, const char *node, const uint8_t *bytes, size_t len)
{
	struct peer *peer = find_peer(ps, node);
	uint64_t instance;

	if (len < sizeof(instance) || strcmp(node, ps->node) == 0) {
		return;
	}
	memcpy(&instance, bytes, sizeof(instance));
	if (peer != NULL && peer->instance != instance) {
		drop_peer(ps, peer);
		peer = NULL;
	}
	if (peer == NULL && add_peer(ps, node, instance) == NULL) {
		return;
	}
	if (len > sizeof(instance)) {
		ps->sink->message(ps->sink->private_data, node, bytes + sizeof(instance),
				  len - sizeof(instance));
	}
}

/* @return whether there may be more */
static bool receive_one(struct peer_socket *ps, uint8_t *buf)
{
	struct sockaddr_un addr;
	socklen_t addr_len = sizeof(addr);
	ssize_t len = recvfrom(ps->fd, buf, SIZE_MAX_DATAGRAM, MSG_DONTWAIT | MSG_TRUNC,
			       (struct sockaddr *)&addr, &addr_len);
	char *node;

	if (len < 0) {
		return false;
	}
	node = sender_of(ps, ps, &addr, addr_len);
	if (node != NULL && (size_t)len <= SIZE_MAX_DATAGRAM) {
		take(ps, node, buf, (size_t)len);
	}
	talloc_free(node);
	return true;
}

static void on_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			void *private_data)
{
	struct peer_socket *ps = talloc_get_type_abort(private_data, struct peer_socket);
	uint8_t *buf = talloc_array(ps, uint8_t, SIZE_MAX_DATAGRAM);

	for (int i = 0; buf != NULL && i < BURST && receive_one(ps, buf); i++) {
	}
	talloc_free(buf);
}

/* --- finding --- */

/* Tell everybody in the folder that we are there; who does not take it is not. */
static void greet_all(struct peer_socket *ps)
{
	DIR *dir = opendir(ps->dir);
	struct peer *peer, *next;
	struct sockaddr_un addr;
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *node = node_of(ps, entry->d_name);

		if (node != NULL && strcmp(node, ps->node) != 0 && find_peer(ps, node) == NULL &&
		    make_addr(ps->dir, node, &addr) == 0) {
			(void)send_to(ps, &addr, NULL, 0);
		}
		talloc_free(node);
	}
	if (dir != NULL) {
		closedir(dir);
	}
	qb_list_for_each_entry_safe (peer, next, &ps->peers, link) {
		int err = peer->late != NULL ? 0 : send_to(ps, &peer->addr, NULL, 0);

		if (err == ECONNREFUSED || err == ENOENT) {
			drop_peer(ps, peer);
		}
	}
}

static void on_poll(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		    void *private_data)
{
	struct peer_socket *ps = talloc_get_type_abort(private_data, struct peer_socket);

	greet_all(ps);
	ps->poll = mono_timer_add(ps->ev, ps, POLL_MS, on_poll, ps);
	if (ps->poll == NULL) {
		log_err("static: out of memory: peers are not looked for any more");
	}
}

static void on_join(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		    void *private_data)
{
	struct peer_socket *ps = talloc_get_type_abort(private_data, struct peer_socket);

	ps->join = NULL;
	ps->sink->peers_joined(ps->sink->private_data, ps->node);
}

/* --- start --- */

static int peer_socket_destructor(struct peer_socket *ps)
{
	TALLOC_FREE(ps->fde);
	if (ps->fd >= 0) {
		close(ps->fd);
		unlink(ps->addr.sun_path);
	}
	return 0;
}

static int open_socket(struct peer_socket *ps)
{
	int err = make_addr(ps->dir, ps->node, &ps->addr);

	if (err == 0 && (strchr(ps->node, '/') != NULL || ps->node[0] == '.')) {
		err = EINVAL;
	}
	if (err != 0) {
		return err;
	}
	ps->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ps->fd < 0) {
		return errno;
	}
	/* Left by a killed process. The pid file, not this, prevents two from playing the same node. */
	unlink(ps->addr.sun_path);
	if (bind(ps->fd, (const struct sockaddr *)&ps->addr, sizeof(ps->addr)) != 0 ||
	    getrandom(&ps->instance, sizeof(ps->instance), 0) != sizeof(ps->instance)) {
		err = errno;
		close(ps->fd);
		ps->fd = -1;
		return err;
	}
	ps->fde = tevent_add_fd(ps->ev, ps, ps->fd, TEVENT_FD_READ, on_readable, ps);
	return ps->fde == NULL ? ENOMEM : 0;
}

static int start(struct peer_socket *ps)
{
	bool alone = ps->dir[0] == '\0';
	int err = alone ? 0 : open_socket(ps);

	if (err != 0) {
		return err;
	}
	ps->join = mono_timer_add(ps->ev, ps, alone ? 0 : JOIN_MS, on_join, ps);
	if (!alone) {
		ps->poll = mono_timer_add(ps->ev, ps, 0, on_poll, ps);
	}
	return ps->join == NULL || (!alone && ps->poll == NULL) ? ENOMEM : 0;
}

int peer_socket_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *dir,
		       const char *node, const struct backend_sink *sink, struct peer_socket **out)
{
	struct peer_socket *ps = talloc_zero(mem_ctx, struct peer_socket);
	int err;

	if (ps == NULL) {
		return ENOMEM;
	}
	ps->ev = ev;
	ps->sink = sink;
	ps->fd = -1;
	ps->dir = talloc_strdup(ps, dir);
	ps->node = talloc_strdup(ps, node);
	qb_list_init(&ps->peers);
	talloc_set_destructor(ps, peer_socket_destructor);
	err = ps->dir == NULL || ps->node == NULL ? ENOMEM : start(ps);
	if (err != 0) {
		talloc_free(ps);
		return err;
	}
	*out = ps;
	return 0;
}
