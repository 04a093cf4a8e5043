/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's TCP connections: listing them, and ending them with a reset to the peer (sock_diag(7),
 * SOCK_DESTROY). Netlink messages are validated like any other input.
 */
#ifndef AGENTS_SOCK_DIAG_H
#define AGENTS_SOCK_DIAG_H

#include <linux/inet_diag.h>
#include <stddef.h>
#include <talloc.h>

#include "witnessd/util/tcpconn.h"

/*
 * Masks of TCP states: those in which the client believes that it is connected (established, or closed here without
 * its knowledge, because the address had left); and all in which a reset can be sent.
 */
#define SOCK_DIAG_CONNECTED (1U << 1 | 1U << 4) /* ESTABLISHED, FIN_WAIT1 */
#define SOCK_DIAG_ENDABLE   0xb7eU              /* all but closed, TIME_WAIT and LISTEN */

/* Which connections: of these local addresses and, unless there are none, these local ports. */
struct sock_diag_filter {
	const struct ipaddr *addrs;
	size_t num_addrs;
	const uint16_t *ports;
	size_t num_ports;
};

struct sock_diag_entry {
	struct tcpconn conn;
	uint8_t family; /* of the socket: AF_INET6 for an IPv4 connection of a dual-stack one */
	struct inet_diag_sockid id;
};

struct sock_diag_list {
	struct sock_diag_entry *entries;
	size_t num;
	size_t max; /* maximum number of entries; 0: no limit */
	bool cut;   /* there were more */
};

/**
 * Read the messages of one datagram of the kernel's answer to a listing.
 * @param list entries are appended; they are children of mem_ctx
 * @param done set at the end of the answer
 * @return 0; EBADMSG (malformed); ENOMEM; or the errno that the kernel reported
 */
int sock_diag_parse(const void *buf, size_t len, const struct sock_diag_filter *filter,
		    TALLOC_CTX *mem_ctx, struct sock_diag_list *list, bool *done);

struct sock_diag;

/** @return 0 or an errno */
int sock_diag_open(TALLOC_CTX *mem_ctx, struct sock_diag **out);

/**
 * List connections of both families in the given states. The kernel puts the answer into the socket's
 * buffer when it takes the request, so this does not wait for other processes.
 * @param list  the caller sets max; the rest is filled in
 * @return 0 or an errno
 */
int sock_diag_list(struct sock_diag *diag, uint32_t states, const struct sock_diag_filter *filter,
		   TALLOC_CTX *mem_ctx, struct sock_diag_list *list);

/**
 * End a connection: the kernel sends a reset to the peer, and the local process gets ECONNABORTED.
 * @return 0; ENOENT (it is gone already); EPERM; EOPNOTSUPP (kernel without INET_DIAG_DESTROY)
 */
int sock_diag_destroy(struct sock_diag *diag, const struct sock_diag_entry *entry);

#endif
