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

size_t tcpconn_pack(const struct tcpconn *conn, uint8_t buf[TCPCONN_PACKED_MAX])
{
	size_t len = conn->local.family == AF_INET ? 4 : 16;
	uint8_t *p = buf;

	*p++ = len == 4 ? 4 : 6;
	memcpy(p, conn->local.bytes, len);
	memcpy(p + len, conn->remote.bytes, len);
	p += 2 * len;
	*p++ = (uint8_t)(conn->local_port >> 8);
	*p++ = (uint8_t)conn->local_port;
	*p++ = (uint8_t)(conn->remote_port >> 8);
	*p++ = (uint8_t)conn->remote_port;
	return (size_t)(p - buf);
}

int tcpconn_unpack(const uint8_t *bytes, size_t len, struct tcpconn *out)
{
	size_t addr = len > 0 && bytes[0] == 4 ? 4 : 16;
	struct tcpconn conn = {.local_port = 0};
	const uint8_t *p = bytes + 1;

	if (len != 1 + 2 * addr + 4 || (bytes[0] != 4 && bytes[0] != 6)) {
		return EBADMSG;
	}
	conn.local.family = conn.remote.family = addr == 4 ? AF_INET : AF_INET6;
	memcpy(conn.local.bytes, p, addr);
	memcpy(conn.remote.bytes, p + addr, addr);
	p += 2 * addr;
	conn.local_port = (uint16_t)(p[0] << 8 | p[1]);
	conn.remote_port = (uint16_t)(p[2] << 8 | p[3]);
	if (conn.local_port == 0 || conn.remote_port == 0) {
		return EBADMSG;
	}
	*out = conn;
	return 0;
}
