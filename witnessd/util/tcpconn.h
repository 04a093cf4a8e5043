/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TCP connection of a service address, as the tickle agent, witnessd and its peers write it. Its text
 * is "10.0.0.1:445 10.0.0.9:50000" or "[2001:db8::1]:445 [2001:db8::9]:50000": the service first, the
 * client second. A client that reached a dual-stack socket by IPv4 is written as IPv4.
 */
#ifndef WITNESSD_UTIL_TCPCONN_H
#define WITNESSD_UTIL_TCPCONN_H

#include "witnessd/util/ipaddr.h"

/* Two addresses in brackets, two ports and separators; NUL included. */
#define TCPCONN_STRLEN (2 * (INET6_ADDRSTRLEN + 8) + 2)

/* A value type without padding: whole structs compare and hash as memory. */
struct tcpconn {
	struct ipaddr local, remote;      /* of one family */
	uint16_t local_port, remote_port; /* host order, never 0 */
};

/** Parse the text form. @return 0, or EINVAL with *out untouched */
int tcpconn_parse(const char *text, struct tcpconn *out);

/** Write the text form. @return buf */
const char *tcpconn_format(const struct tcpconn *conn, char buf[TCPCONN_STRLEN]);

/* A byte for the family, two addresses, two ports. */
#define TCPCONN_PACKED_MAX (1 + 2 * 16 + 2 * 2)

/** Write the form that goes to other nodes: 4 or 6, the addresses, the ports in network order. @return its length */
size_t tcpconn_pack(const struct tcpconn *conn, uint8_t buf[TCPCONN_PACKED_MAX]);

/** @return 0, or EBADMSG with *out untouched */
int tcpconn_unpack(const uint8_t *bytes, size_t len, struct tcpconn *out);

#endif
