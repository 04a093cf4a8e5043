/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/ipaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct ipaddr from_v6(const struct in6_addr *in6)
{
	struct ipaddr addr = {.family = AF_INET6};

	if (IN6_IS_ADDR_V4MAPPED(in6)) {
		addr.family = AF_INET;
		memcpy(addr.bytes, &in6->s6_addr[12], 4);
	} else {
		memcpy(addr.bytes, in6->s6_addr, 16);
	}
	return addr;
}

int ipaddr_parse(const char *text, struct ipaddr *out)
{
	struct ipaddr addr = {.family = AF_INET};
	struct in6_addr in6;

	if (inet_pton(AF_INET, text, addr.bytes) == 1) {
		*out = addr;
		return 0;
	}
	if (inet_pton(AF_INET6, text, &in6) == 1) {
		*out = from_v6(&in6);
		return 0;
	}
	return EINVAL;
}

/* inet_ntop() does it with sprintf(), and each notification has several. */
static void format_v4(const uint8_t bytes[4], char *p)
{
	for (int i = 0; i < 4; i++) {
		uint8_t b = bytes[i];

		if (b >= 100) {
			*p++ = (char)('0' + b / 100);
		}
		if (b >= 10) {
			*p++ = (char)('0' + b / 10 % 10);
		}
		*p++ = (char)('0' + b % 10);
		*p++ = i < 3 ? '.' : '\0';
	}
}

const char *ipaddr_format(const struct ipaddr *addr, char buf[IPADDR_STRLEN])
{
	if (addr->family == AF_INET) {
		format_v4(addr->bytes, buf);
	} else if (addr->family == 0 ||
		   inet_ntop((int)addr->family, addr->bytes, buf, IPADDR_STRLEN) == NULL) {
		memcpy(buf, "-", 2);
	}
	return buf;
}

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct ipaddr ipaddr_from_sockaddr(const struct sockaddr_storage *ss)
{
	struct ipaddr addr = {0};

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;

		addr.family = AF_INET;
		memcpy(addr.bytes, &sin->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		addr = from_v6(&((const struct sockaddr_in6 *)ss)->sin6_addr);
	}
	return addr;
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	       "the port is at one place in both");

uint16_t ipaddr_port(const struct sockaddr_storage *ss)
{
	uint16_t port = 0;

	if (ss->ss_family == AF_INET || ss->ss_family == AF_INET6) {
		memcpy(&port, (const uint8_t *)ss + offsetof(struct sockaddr_in, sin_port),
		       sizeof(port));
	}
	return ntohs(port);
}

socklen_t ipaddr_to_sockaddr(const struct ipaddr *addr, uint16_t port, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (addr->family == AF_INET) {
		struct sockaddr_in *sin = (struct sockaddr_in *)ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, addr->bytes, 4);
		return sizeof(*sin);
	}
	if (addr->family == AF_INET6) {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(port);
		memcpy(&sin6->sin6_addr, addr->bytes, 16);
		return sizeof(*sin6);
	}
	return 0;
}
