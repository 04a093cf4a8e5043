/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes that the tickle agent sends. Pure: no socket, no clock.
 *
 * A tickle is a bare ACK with invalid sequence numbers. The client's TCP answers with an ACK that has the right
 * ones (RFC 9293, 3.10.7.4); this host has no such connection and answers with a reset, which tells the client
 * that its connection is gone.
 */
#ifndef AGENTS_PACKET_H
#define AGENTS_PACKET_H

#include <stddef.h>

#include "witnessd/util/tcpconn.h"

#define PACKET_MAX    128
#define PACKET_HW_MAX 32 /* bytes of a link-layer address; the kernel's MAX_ADDR_LEN */

/** An IPv4 or IPv6 packet with a tickle from conn->local to conn->remote. @return its length */
size_t packet_tickle(const struct tcpconn *conn, uint8_t buf[PACKET_MAX]);

/**
 * The body of an ARP packet that announces ip (IPv4); the frame is to be broadcast.
 * @param hw       link-layer address, 1 to PACKET_HW_MAX bytes
 * @param hardware ARP hardware type of the link, as the kernel reports it (ARPHRD_ETHER, ...)
 * @param reply    as a reply instead of a request: hosts differ in which of them they accept
 * @return its length; 0 when hw_len or the family is unsuitable
 */
size_t packet_arp(const struct ipaddr *ip, const uint8_t *hw, size_t hw_len, uint16_t hardware,
		  bool reply, uint8_t buf[PACKET_MAX]);

/** An IPv6 packet: unsolicited neighbour advertisement of ip with "override" (RFC 4861, 7.2.6). @return as above */
size_t packet_na(const struct ipaddr *ip, const uint8_t *hw, size_t hw_len,
		 uint8_t buf[PACKET_MAX]);

#endif
