/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64 /* then the rest of the loop has its turn */

struct poller {
	int epfd;
	struct tevent_fd *fde;
	/* The events of one epoll_wait(2), while their handlers run. */
	struct epoll_event events[EVENTS_AT_ONCE];
	int num, next;
};

static uint32_t to_epoll(uint16_t flags)
{
	return ((flags & TEVENT_FD_READ) != 0 ? EPOLLIN : 0) |
	       ((flags & TEVENT_FD_WRITE) != 0 ? EPOLLOUT : 0);
}

static uint16_t from_epoll(uint32_t events)
{
	uint16_t flags = 0;

	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
		flags |= TEVENT_FD_READ;
	}
	if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
		flags |= TEVENT_FD_WRITE;
	}
	return flags;
}

static void on_events(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		      void *private_data)
{
	struct poller *poller = talloc_get_type_abort(private_data, struct poller);

	poller->num = epoll_wait(poller->epfd, poller->events, EVENTS_AT_ONCE, 0);
	for (poller->next = 0; poller->next < poller->num;) {
		struct epoll_event *event = &poller->events[poller->next++];
		struct poller_fd *pfd = event->data.ptr;
		uint16_t ready = pfd != NULL ? from_epoll(event->events) & pfd->flags : 0;

		if (ready != 0) {
			pfd->fn(pfd->private_data, ready);
		}
	}
	poller->num = 0;
}

static int poller_destructor(struct poller *poller)
{
	TALLOC_FREE(poller->fde);
	close(poller->epfd);
	return 0;
}

int poller_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct poller **out)
{
	struct poller *poller = talloc_zero(mem_ctx, struct poller);
	int err;

	if (poller == NULL) {
		return ENOMEM;
	}
	poller->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (poller->epfd < 0) {
		err = errno;
		talloc_free(poller);
		return err;
	}
	talloc_set_destructor(poller, poller_destructor);
	poller->fde = tevent_add_fd(ev, poller, poller->epfd, TEVENT_FD_READ, on_events, poller);
	if (poller->fde == NULL) {
		talloc_free(poller);
		return ENOMEM;
	}
	*out = poller;
	return 0;
}

void poller_init(struct poller *poller, struct poller_fd *pfd, int fd,
		 void (*fn)(void *private_data, uint16_t flags), void *private_data)
{
	*pfd = (struct poller_fd){
		.poller = poller, .fd = fd, .fn = fn, .private_data = private_data};
}

int poller_want(struct poller_fd *pfd, uint16_t flags)
{
	struct epoll_event event = {.events = to_epoll(flags), .data.ptr = pfd};
	int op = flags == 0 ? EPOLL_CTL_DEL : pfd->flags == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (flags == pfd->flags) {
		return 0;
	}
	if (epoll_ctl(pfd->poller->epfd, op, pfd->fd, &event) != 0) {
		return errno;
	}
	pfd->flags = flags;
	return 0;
}

void poller_forget(struct poller_fd *pfd)
{
	struct poller *poller = pfd->poller;

	if (poller == NULL) {
		return;
	}
	(void)poller_want(pfd, 0);
	for (int i = poller->next; i < poller->num; i++) {
		if (poller->events[i].data.ptr == pfd) {
			poller->events[i].data.ptr = NULL;
		}
	}
	pfd->poller = NULL;
}
