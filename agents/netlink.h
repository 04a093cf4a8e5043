/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by sock_diag.c and netaddr.c: requests to the kernel and the framing of its answers. */
#ifndef AGENTS_NETLINK_H
#define AGENTS_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct netlink;

/** Open a socket of a netlink family; requests that get no answer within seconds fail. @return 0 or an errno */
int netlink_open(TALLOC_CTX *mem_ctx, int family, struct netlink **out);

/**
 * Send a request. A late answer to an earlier, abandoned one is not mistaken for this one's.
 * @return 0 or an errno
 */
int netlink_send(struct netlink *nl, uint16_t type, uint16_t flags, const void *body, size_t len);

/*
 * Reads one datagram; sets *done at the end of the answer. @return 0 or an errno; it is called for what
 * follows all the same, unless it is EBADMSG
 */
typedef int (*netlink_read_fn)(void *private_data, const void *buf, size_t len, bool *done);

/**
 * Read until the answer ends, even after fn has failed: the kernel may answer EBUSY to the next request while it is
 * still listing.
 * @return 0, an errno of the socket, ETIMEDOUT, or what fn returned first
 */
int netlink_receive(struct netlink *nl, netlink_read_fn fn, void *private_data);

/* Handles one message of the requested type. @return 0 or an errno */
typedef int (*netlink_message_fn)(void *private_data, const struct nlmsghdr *nlh);

/**
 * Walk over the messages of one datagram: passes those of type to fn, recognises the end of an answer, ignores
 * others. After an error only looks for the end. Pure.
 * @return 0; EBADMSG (malformed); EINTR (the listing is inconsistent: request it again); what fn returned; or
 *         the errno that the kernel reported
 */
int netlink_walk(const void *buf, size_t len, uint16_t type, netlink_message_fn fn,
		 void *private_data, bool *done);

#endif
