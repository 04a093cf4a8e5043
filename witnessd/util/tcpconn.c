/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/tcpconn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct tcpconn) == 2 * sizeof(struct ipaddr) + 4, "no padding");

static int parse_port(const char *text, size_t len, uint16_t *out)
{
	uint32_t port = 0;

	if (len == 0 || len > 5) {
		return EINVAL;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return EINVAL;
		}
		port = port * 10 + (uint32_t)(text[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX) {
		return EINVAL;
	}
	*out = (uint16_t)port;
	return 0;
}

/* One end: len characters of text, "ADDRESS:PORT" or "[ADDRESS]:PORT". */
static int parse_end(const char *text, size_t len, struct ipaddr *ip, uint16_t *port)
{
	bool bracket = len > 0 && text[0] == '[';
	const char *colon = memrchr(text, ':', len);
	char addr[IPADDR_STRLEN];
	size_t addr_len;

	if (colon == NULL) {
		return EINVAL;
	}
	addr_len = (size_t)(colon - text);
	if (bracket) {
		if (addr_len < 2 || text[addr_len - 1] != ']') {
			return EINVAL;
		}
		text++;
		addr_len -= 2;
	}
	if (addr_len >= sizeof(addr)) {
		return EINVAL;
	}
	memcpy(addr, text, addr_len);
	addr[addr_len] = '\0';
	if (strlen(addr) != addr_len || (strchr(addr, ':') != NULL) != bracket ||
	    ipaddr_parse(addr, ip) != 0) {
		return EINVAL;
	}
	return parse_port(colon + 1, len - (size_t)(colon - (text - bracket)) - 1, port);
}

int tcpconn_parse(const char *text, struct tcpconn *out)
{
	const char *blank = strchr(text, ' ');
	struct tcpconn conn = {.local_port = 0};

	if (blank == NULL ||
	    parse_end(text, (size_t)(blank - text), &conn.local, &conn.local_port) != 0 ||
	    parse_end(blank + 1, strlen(blank + 1), &conn.remote, &conn.remote_port) != 0 ||
	    conn.local.family != conn.remote.family) {
		return EINVAL;
	}
	*out = conn;
	return 0;
}

static size_t format_end(const struct ipaddr *ip, uint16_t port, char *buf, size_t size)
{
	char addr[IPADDR_STRLEN];
	bool bracket = ip->family == AF_INET6;
	int len = snprintf(buf, size, "%s%s%s:%u", bracket ? "[" : "", ipaddr_format(ip, addr),
			   bracket ? "]" : "", (unsigned int)port);

	return len < 0 || (size_t)len >= size ? size - 1 : (size_t)len;
}

const char *tcpconn_format(const struct tcpconn *conn, char buf[TCPCONN_STRLEN])
{
	size_t len = format_end(&conn->local, conn->local_port, buf, TCPCONN_STRLEN - 1);

	buf[len] = ' ';
	format_end(&conn->remote, conn->remote_port, buf + len + 1, TCPCONN_STRLEN - len - 1);
	return buf;
}
