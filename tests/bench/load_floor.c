/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load_floor COUNT SERVER: what the machine can do at best. A server, which is a process of its own,
 * has COUNT connections of loopback; when asked it writes the same bytes to each of them, from one
 * epoll loop. Says "ready PORT PID" (the server's); then, for each line "wait BYTES" on standard input,
 * a line of JSON as arrivals_print() writes it. Ends at the end of its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

#include "tests/bench/arrivals.h"

#define MAX_BYTES  4096
#define TIMEOUT_MS 60000

static void die(const char *what)
{
	fprintf(stderr, "load_floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_on(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) != 0) {
		die("listen");
	}
	return fd;
}

/* ---- the server ---- */

struct server {
	int epfd;
	int trigger; /* a pipe: the number of bytes to write */
	int listener;
	int *fds;
	size_t num;
};

static void add(const struct server *server, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(server->epfd, EPOLL_CTL_ADD, fd, &event) != 0) {
		die("epoll_ctl");
	}
}

static void take(struct server *server)
{
	const int one = 1;
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		die("accept");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	add(server, fd);
	server->fds[server->num++] = fd;
}

static void write_all(const struct server *server)
{
	static const char bytes[MAX_BYTES];
	uint32_t len = 0;

	if (read(server->trigger, &len, sizeof(len)) != sizeof(len)) {
		exit(0); /* the client has ended */
	}
	for (size_t i = 0; i < server->num; i++) {
		if (write(server->fds[i], bytes, len) != (ssize_t)len) {
			die("write");
		}
	}
}

static void serve(size_t count, int listener, int trigger)
{
	struct server server = {.epfd = epoll_create1(EPOLL_CLOEXEC),
				.trigger = trigger,
				.listener = listener,
				.fds = calloc(count, sizeof(int))};
	struct epoll_event events[64];

	if (server.epfd < 0 || server.fds == NULL) {
		die("server");
	}
	add(&server, listener);
	add(&server, trigger);
	for (;;) {
		int got = epoll_wait(server.epfd, events, 64, -1);

		for (int i = 0; i < got; i++) {
			if (events[i].data.fd == trigger) {
				write_all(&server);
			} else if (events[i].data.fd == listener && server.num < count) {
				take(&server);
			}
		}
	}
}

/* ---- the clients ---- */

static int *connect_all(const struct sockaddr_in *addr, size_t count)
{
	int *fds = calloc(count, sizeof(int));

	for (size_t i = 0; fds != NULL && i < count; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fds[i] < 0 ||
		    connect(fds[i], (const struct sockaddr *)addr, sizeof(*addr)) != 0) {
			die("connect");
		}
	}
	return fds;
}

static void discard(const int *fds, size_t count)
{
	char bytes[MAX_BYTES];

	for (size_t i = 0; i < count; i++) {
		if (recv(fds[i], bytes, sizeof(bytes), MSG_DONTWAIT) <= 0) {
			die("a connection without its bytes");
		}
	}
}

static void measure(const int *fds, size_t count, int trigger, uint32_t len)
{
	struct arrivals arrivals;
	int epfd = arrivals_arm(fds, count);

	if (epfd < 0 || write(trigger, &len, sizeof(len)) != sizeof(len)) {
		die("start");
	}
	arrivals = arrivals_wait(epfd, count, TIMEOUT_MS);
	discard(fds, count);
	arrivals_print(&arrivals);
}

int main(int argc, char **argv)
{
	size_t count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	struct sockaddr_in addr = {.sin_family = AF_INET};
	int trigger[2], listener, *fds;
	char line[64];
	pid_t pid;

	if (count == 0 || inet_pton(AF_INET, argv[2], &addr.sin_addr) != 1) {
		fprintf(stderr, "usage: load_floor COUNT SERVER\n");
		return 2;
	}
	arrivals_need_fds(count);
	listener = listen_on(&addr);
	if (pipe(trigger) != 0 || (pid = fork()) < 0) {
		die("fork");
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(trigger[1]);
		serve(count, listener, trigger[0]);
	}
	close(trigger[0]);
	fds = connect_all(&addr, count);
	printf("ready %u %d\n", ntohs(addr.sin_port), pid);
	fflush(stdout);
	while (fds != NULL && fgets(line, sizeof(line), stdin) != NULL) {
		unsigned int len = 0;

		if (sscanf(line, "wait %u", &len) != 1 || len == 0 || len > MAX_BYTES) {
			fprintf(stderr, "load_floor: wait BYTES, of at most %d\n", MAX_BYTES);
			return 2;
		}
		measure(fds, count, trigger[1], len);
	}
	return 0;
}
