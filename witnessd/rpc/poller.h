/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sockets of many connections as one descriptor of the event loop. tevent fetches one epoll event at a
 * time; with thousands of sockets readable at once that is a system call for each, and everything else in the
 * loop waits its turn among them. This fetches many at a time, and they take one turn.
 */
#ifndef WITNESSD_RPC_POLLER_H
#define WITNESSD_RPC_POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

struct poller;

/* A descriptor, embedded in the struct that it belongs to. All zero: not watched. */
struct poller_fd {
	struct poller *poller;
	int fd;
	uint16_t flags; /* TEVENT_FD_READ, TEVENT_FD_WRITE that are waited for */
	void (*fn)(void *private_data, uint16_t flags);
	void *private_data;
};

/** @return 0, ENOMEM, or the errno of epoll_create1(2) */
int poller_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct poller **out);

/** Set the descriptor and its handler; fn is called from the event loop with those of .flags that are ready. */
void poller_init(struct poller *poller, struct poller_fd *pfd, int fd,
		 void (*fn)(void *private_data, uint16_t flags), void *private_data);

/**
 * Set the events to wait for; 0: none. Errors are reported as the events waited for, and not at all with 0.
 * @return 0, or the errno of epoll_ctl(2), with nothing changed
 */
int poller_want(struct poller_fd *pfd, uint16_t flags);

/** Stop watching; call it before closing the descriptor. fn is not called any more. */
void poller_forget(struct poller_fd *pfd);

#endif
