/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sock_diag.c and netaddr.c share: requests to the kernel and the frame of its answers. */
#ifndef AGENTS_NETLINK_H
#define AGENTS_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct netlink;

/** A socket of a netlink family. A kernel that does not answer within seconds is an error. @return 0 or an errno */
int netlink_open(TALLOC_CTX *mem_ctx, int family, struct netlink **out);

/**
 * Ask: a message of that type with a body. The answer to an earlier request that was given up is not
 * mistaken for this one's.
 * @return 0 or an errno
 */
int netlink_send(struct netlink *nl, uint16_t type, uint16_t flags, const void *body, size_t len);

/*
 * Reads one datagram; sets *done at the end of the answer. @return 0 or an errno; it is called for what
 * follows all the same, unless it is EBADMSG
 */
typedef int (*netlink_read_fn)(void *private_data, const void *buf, size_t len, bool *done);

/**
 * Read until the answer ends, also when fn has failed: the kernel may answer EBUSY to the next request while
 * it is still listing.
 * @return 0, an errno of the socket, ETIMEDOUT, or what fn gave first
 */
int netlink_receive(struct netlink *nl, netlink_read_fn fn, void *private_data);

/* Takes one message of a type that was asked for. @return 0 or an errno */
typedef int (*netlink_message_fn)(void *private_data, const struct nlmsghdr *nlh);

/**
 * Walk over the messages of one datagram; those of type go to fn, the ends of answers are understood,
 * others are passed over. After an error only the end is looked for. Pure.
 * @return 0; EBADMSG (not what a kernel writes); EINTR (the listing is inconsistent: ask again); what fn
 *         gave; or the errno that the kernel told
 */
int netlink_walk(const void *buf, size_t len, uint16_t type, netlink_message_fn fn,
		 void *private_data, bool *done);

#endif
