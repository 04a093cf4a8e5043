/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/packet.h"

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

#define TICKLE_WINDOW 1234 /* any that is not 0 */
#define TICKLE_TTL    64
#define NA_HOP_LIMIT  255 /* RFC 4861: others are dropped */

static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 0x01};

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2) {
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	}
	return len % 2 != 0 ? sum + ((uint32_t)p[len - 1] << 8) : sum;
}

/* The Internet checksum (RFC 1071) over a pseudo header and what follows it. */
static uint16_t checksum(const uint8_t *src, const uint8_t *dst, size_t addr_len, uint8_t proto,
			 const uint8_t *p, size_t len)
{
	uint32_t sum = proto + (uint32_t)len;

	sum = sum16(sum, src, addr_len);
	sum = sum16(sum, dst, addr_len);
	sum = sum16(sum, p, len);
	while (sum > 0xffff) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

/* The IP checksum, total length and identification of IPv4 are filled in by the kernel: raw(7). */
static size_t put_ip4(uint8_t *p, const uint8_t *src, const uint8_t *dst, size_t payload)
{
	struct ip ip = {
		.ip_v = 4,
		.ip_hl = sizeof(ip) / 4,
		.ip_len = htons((uint16_t)(sizeof(ip) + payload)),
		.ip_off = htons(IP_DF),
		.ip_ttl = TICKLE_TTL,
		.ip_p = IPPROTO_TCP,
	};

	memcpy(&ip.ip_src, src, 4);
	memcpy(&ip.ip_dst, dst, 4);
	memcpy(p, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t put_ip6(uint8_t *p, const uint8_t *src, const uint8_t *dst, uint8_t proto,
		      uint8_t hops, size_t payload)
{
	struct ip6_hdr ip = {.ip6_ctlun.ip6_un1 = {
				     .ip6_un1_flow = htonl(6U << 28),
				     .ip6_un1_plen = htons((uint16_t)payload),
				     .ip6_un1_nxt = proto,
				     .ip6_un1_hlim = hops,
			     }};

	memcpy(&ip.ip6_src, src, 16);
	memcpy(&ip.ip6_dst, dst, 16);
	memcpy(p, &ip, sizeof(ip));
	return sizeof(ip);
}

size_t packet_tickle(const struct tcpconn *conn, uint8_t buf[PACKET_MAX])
{
	const uint8_t *src = conn->local.bytes, *dst = conn->remote.bytes;
	struct tcphdr tcp = {
		.th_sport = htons(conn->local_port),
		.th_dport = htons(conn->remote_port),
		.th_off = sizeof(tcp) / 4,
		.th_flags = TH_ACK,
		.th_win = htons(TICKLE_WINDOW),
	};
	bool v6 = conn->local.family == AF_INET6;
	size_t off = v6 ? put_ip6(buf, src, dst, IPPROTO_TCP, TICKLE_TTL, sizeof(tcp))
			: put_ip4(buf, src, dst, sizeof(tcp));

	tcp.th_sum = htons(
		checksum(src, dst, v6 ? 16 : 4, IPPROTO_TCP, (const uint8_t *)&tcp, sizeof(tcp)));
	memcpy(buf + off, &tcp, sizeof(tcp));
	return off + sizeof(tcp);
}

size_t packet_arp(const struct ipaddr *ip, const uint8_t *hw, size_t hw_len, uint16_t hardware,
		  bool reply, uint8_t buf[PACKET_MAX])
{
	uint8_t *p = buf + 8;

	if (ip->family != AF_INET || hw_len == 0 || hw_len > PACKET_HW_MAX) {
		return 0;
	}
	put16(buf, hardware);
	put16(buf + 2, 0x0800); /* IPv4 */
	buf[4] = (uint8_t)hw_len;
	buf[5] = 4;
	put16(buf + 6, reply ? 2 : 1);
	/* Sender and target protocol address are the same: that makes it gratuitous (RFC 5227, 3). */
	memcpy(p, hw, hw_len);
	memcpy(p + hw_len, ip->bytes, 4);
	p += hw_len + 4;
	memset(p, reply ? 0xff : 0, hw_len);
	memcpy(p + hw_len, ip->bytes, 4);
	return 8 + 2 * (hw_len + 4);
}

size_t packet_na(const struct ipaddr *ip, const uint8_t *hw, size_t hw_len, uint8_t buf[PACKET_MAX])
{
	uint8_t na[sizeof(struct nd_neighbor_advert) + 2 + PACKET_HW_MAX + 7] = {
		ND_NEIGHBOR_ADVERT};
	size_t option = (2 + hw_len + 7) / 8; /* in units of 8 bytes */
	size_t len = sizeof(struct nd_neighbor_advert) + option * 8, off;

	if (ip->family != AF_INET6 || hw_len == 0 || hw_len > PACKET_HW_MAX) {
		return 0;
	}
	na[4] = 0x20; /* override */
	memcpy(na + 8, ip->bytes, 16);
	na[24] = ND_OPT_TARGET_LINKADDR;
	na[25] = (uint8_t)option;
	memcpy(na + 26, hw, hw_len);
	put16(na + 2, checksum(ip->bytes, all_nodes, 16, IPPROTO_ICMPV6, na, len));
	off = put_ip6(buf, ip->bytes, all_nodes, IPPROTO_ICMPV6, NA_HOP_LIMIT, len);
	memcpy(buf + off, na, len);
	return off + len;
}
