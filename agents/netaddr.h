/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The interfaces that have an address, and what neighbours have to be told about them: rtnetlink(7). Netlink
 * messages are validated like any other input.
 */
#ifndef AGENTS_NETADDR_H
#define AGENTS_NETADDR_H

#include <stddef.h>
#include <talloc.h>

#include "agents/packet.h"

#define NETADDR_MAX_LINKS 16 /* interfaces that have one address */

/* An interface that has the address. */
struct netaddr_link {
	uint32_t index;
	uint16_t hardware; /* ARPHRD_... */
	bool neighbours;   /* up, with neighbours that resolve addresses */
	uint8_t hw[PACKET_HW_MAX];
	size_t hw_len; /* 0: unknown */
};

struct netaddr_links {
	struct netaddr_link list[NETADDR_MAX_LINKS];
	size_t num;
};

/**
 * Read one datagram of the answer to a listing of addresses: interfaces that have ip are appended. An
 * IPv6 address still in duplicate address detection cannot be used yet and does not count.
 * @return 0; EBADMSG; or the errno that the kernel reported. Sets *done at the end of the answer
 */
int netaddr_parse_addrs(const void *buf, size_t len, const struct ipaddr *ip,
			struct netaddr_links *links, bool *done);

/** The same for a listing of interfaces: fills in the fields of links. */
int netaddr_parse_links(const void *buf, size_t len, struct netaddr_links *links, bool *done);

struct netaddr;

/** @return 0 or an errno */
int netaddr_open(TALLOC_CTX *mem_ctx, struct netaddr **out);

/** The interfaces that have ip now; none: this host does not have it. @return 0 or an errno */
int netaddr_find(struct netaddr *netaddr, const struct ipaddr *ip, struct netaddr_links *links);

#endif
