/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/sender.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <unistd.h>

#include "agents/packet.h"

struct sender {
	int ip4, ip6, arp; /* -1: none */
};

static int sender_destructor(struct sender *sender)
{
	const int fds[] = {sender->ip4, sender->ip6, sender->arp};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
	return 0;
}

int sender_open(TALLOC_CTX *mem_ctx, struct sender **out)
{
	struct sender *sender = talloc(mem_ctx, struct sender);
	const int type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int err;

	if (sender == NULL) {
		return ENOMEM;
	}
	*sender = (struct sender){.ip4 = -1, .ip6 = -1, .arp = -1};
	talloc_set_destructor(sender, sender_destructor);
	sender->ip4 = socket(AF_INET, type, IPPROTO_RAW);
	/* Protocol 0: it only sends, and the kernel hands it no packets. */
	sender->arp = sender->ip4 < 0
			      ? -1
			      : socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sender->arp < 0) {
		err = errno;
		talloc_free(sender);
		return err;
	}
	sender->ip6 = socket(AF_INET6, type, IPPROTO_RAW);
	*out = sender;
	return 0;
}

static int send_to(int fd, const uint8_t *buf, size_t len, const void *to, size_t to_len)
{
	if (fd < 0) {
		return EAFNOSUPPORT;
	}
	return sendto(fd, buf, len, 0, to, (socklen_t)to_len) < 0 ? errno : 0;
}

int sender_tickle(struct sender *sender, const struct tcpconn *conn)
{
	struct sockaddr_storage to;
	/* The port has to be 0: a raw socket takes it for a protocol. */
	socklen_t to_len = ipaddr_to_sockaddr(&conn->remote, 0, &to);
	uint8_t buf[PACKET_MAX];
	size_t len = packet_tickle(conn, buf);

	return send_to(conn->remote.family == AF_INET ? sender->ip4 : sender->ip6, buf, len, &to,
		       to_len);
}

static int announce_ip4(struct sender *sender, const struct ipaddr *ip,
			const struct netaddr_link *link)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)link->index,
		.sll_halen = (uint8_t)link->hw_len,
	};
	uint8_t buf[PACKET_MAX];
	int err = 0;

	if (link->hw_len > sizeof(to.sll_addr)) {
		return EOPNOTSUPP; /* such links have no broadcast address that fits here */
	}
	memset(to.sll_addr, 0xff, link->hw_len);
	/* Some hosts accept only requests, some only replies. */
	for (int reply = 0; reply < 2 && err == 0; reply++) {
		size_t len =
			packet_arp(ip, link->hw, link->hw_len, link->hardware, reply != 0, buf);

		err = send_to(sender->arp, buf, len, &to, sizeof(to));
	}
	return err;
}

static int announce_ip6(struct sender *sender, const struct ipaddr *ip,
			const struct netaddr_link *link)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_addr = {.s6_addr = {0xff, 0x02, [15] = 0x01}},
		.sin6_scope_id = link->index,
	};
	uint8_t buf[PACKET_MAX];
	size_t len = packet_na(ip, link->hw, link->hw_len, buf);

	return send_to(sender->ip6, buf, len, &to, sizeof(to));
}

int sender_announce(struct sender *sender, const struct ipaddr *ip,
		    const struct netaddr_links *links)
{
	int ret = 0;

	for (size_t i = 0; i < links->num; i++) {
		const struct netaddr_link *link = &links->list[i];
		int err = 0;

		if (link->neighbours && link->hw_len > 0) {
			err = ip->family == AF_INET ? announce_ip4(sender, ip, link)
						    : announce_ip6(sender, ip, link);
		}
		ret = err != 0 ? err : ret;
	}
	return ret;
}
