/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/tcplisten.h"

#include <errno.h>
#include <unistd.h>

int tcplisten(const struct ipaddr *addr, uint16_t port, int backlog, int *fd)
{
	struct sockaddr_storage ss;
	int one = 1, err, sock;
	socklen_t len;

	if (addr->family != AF_INET && addr->family != AF_INET6) {
		return EAFNOSUPPORT;
	}
	len = ipaddr_to_sockaddr(addr, port, &ss);
	sock = socket((int)addr->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock == -1) {
		return errno;
	}
	/* A restarted daemon gets its port back at once. */
	if (setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    (addr->family == AF_INET6 &&
	     setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == -1) ||
	    bind(sock, (struct sockaddr *)&ss, len) == -1 || listen(sock, backlog) == -1) {
		err = errno;
		close(sock);
		return err;
	}
	*fd = sock;
	return 0;
}
