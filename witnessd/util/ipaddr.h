/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An IPv4 or IPv6 address without a port: how the cluster, the wire and the configuration name a host. */
#ifndef WITNESSD_UTIL_IPADDR_H
#define WITNESSD_UTIL_IPADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Long enough for every address that ipaddr_format() writes, NUL included. */
#define IPADDR_STRLEN INET6_ADDRSTRLEN

/* A value type. Unused bytes are zero, so that whole structs compare and hash as memory. */
struct ipaddr {
	uint32_t family;   /* AF_INET or AF_INET6; 0 = no address */
	uint8_t bytes[16]; /* network order; IPv4 in the first four */
};

/**
 * Parse the text form of an address. An IPv4-mapped IPv6 address becomes IPv4, so that equal
 * hosts compare equal. Scope suffixes (%eth0), prefixes (/24), brackets and host names are refused.
 * @return 0, or EINVAL with *out untouched
 */
int ipaddr_parse(const char *text, struct ipaddr *out);

/** Write the canonical text of an address (RFC 5952 for IPv6) to buf; "-" for family 0. @return buf */
const char *ipaddr_format(const struct ipaddr *addr, char buf[IPADDR_STRLEN]);

/** Whether two addresses are the same. */
bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b);

/** Take the address out of a socket address; v4-mapped becomes IPv4; other families give family 0. */
struct ipaddr ipaddr_from_sockaddr(const struct sockaddr_storage *ss);

/** The port (host order) of an AF_INET or AF_INET6 socket address; 0 for other families. */
uint16_t ipaddr_port(const struct sockaddr_storage *ss);

/**
 * Fill a socket address from an address and a port (host order).
 * @return its length; 0 for any other family, with *ss zeroed
 */
socklen_t ipaddr_to_sockaddr(const struct ipaddr *addr, uint16_t port, struct sockaddr_storage *ss);

#endif
