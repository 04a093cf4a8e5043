/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/arrivals.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int arrivals_arm(const int *fds, size_t num)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC);

	for (size_t i = 0; epfd >= 0 && i < num; i++) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fds[i]};

		if (epoll_ctl(epfd, EPOLL_CTL_ADD, fds[i], &event) != 0) {
			close(epfd);
			return -1;
		}
	}
	return epfd;
}

struct arrivals arrivals_wait(int epfd, size_t wanted, unsigned int timeout_ms)
{
	struct epoll_event events[EVENTS];
	struct arrivals arrivals = {.count = 0};
	double end = now() + timeout_ms / 1000.0;
	int last_fd = -1, bytes = 0;

	while (arrivals.count < wanted && now() < end) {
		/*
		 * With the first, stay awake: on one machine it is the sender who has to wake us, time
		 * and again, which costs it more than to send, and which no client on another machine does.
		 */
		int got = epoll_wait(epfd, events, EVENTS, arrivals.count == 0 ? 100 : 0);

		if (got <= 0) {
			continue;
		}
		arrivals.last = now();
		if (arrivals.count == 0) {
			arrivals.first = arrivals.last;
		}
		arrivals.count += (size_t)got;
		last_fd = events[got - 1].data.fd;
	}
	if (last_fd >= 0 && ioctl(last_fd, FIONREAD, &bytes) == 0) {
		arrivals.bytes = (size_t)bytes;
	}
	close(epfd);
	return arrivals;
}

void arrivals_print(const struct arrivals *arrivals)
{
	printf("{\"first\": %.9f, \"last\": %.9f, \"count\": %zu, \"bytes\": %zu}\n",
	       arrivals->first, arrivals->last, arrivals->count, arrivals->bytes);
	fflush(stdout);
}

void arrivals_need_fds(size_t num)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = num + 512; /* each that connects has a timer, too */
	if (limit.rlim_max < limit.rlim_cur) {
		limit.rlim_max = limit.rlim_cur;
	}
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		fprintf(stderr, "%zu descriptors: %s\n", num, strerror(errno));
		exit(1);
	}
}

size_t arrivals_sockets(TALLOC_CTX *mem_ctx, unsigned int port, int **out)
{
	struct rlimit limit;
	size_t num = 0;
	int *fds;

	getrlimit(RLIMIT_NOFILE, &limit);
	fds = talloc_array(mem_ctx, int, limit.rlim_cur);
	for (int fd = 0; fds != NULL && fd < (int)limit.rlim_cur; fd++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
		    peer.sin_family == AF_INET && ntohs(peer.sin_port) == port) {
			fds[num++] = fd;
		}
	}
	*out = fds;
	return num;
}
