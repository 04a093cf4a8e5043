/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sockets of many connections, as one descriptor of the event loop. tevent asks epoll for one event at a
 * time; with thousands of sockets readable at once that is a system call for each, and whatever else the loop
 * watches waits for its turn among them. This asks for many, and they count as one.
 */
#ifndef WITNESSD_RPC_POLLER_H
#define WITNESSD_RPC_POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct poller;

/* A descriptor, embedded in what it belongs to. All zero: not watched. */
struct poller_fd {
	struct poller *poller;
	int fd;
	uint16_t flags; /* TEVENT_FD_READ, TEVENT_FD_WRITE that are waited for */
	void (*fn)(void *private_data, uint16_t flags);
	void *private_data;
};

/** @return 0, ENOMEM, or what epoll_create1(2) gave */
int poller_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct poller **out);

/** What will be watched, and whom to tell: fn is called from the event loop with what is ready of .flags. */
void poller_init(struct poller *poller, struct poller_fd *pfd, int fd,
		 void (*fn)(void *private_data, uint16_t flags), void *private_data);

/**
 * Wait for that, or with 0 for nothing, not even for errors: those count as what is waited for.
 * @return 0, or what epoll_ctl(2) gave, with nothing changed
 */
int poller_want(struct poller_fd *pfd, uint16_t flags);

/** Before the descriptor is closed; fn is not called any more. */
void poller_forget(struct poller_fd *pfd);

#endif
