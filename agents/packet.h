/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes that the tickle agent sends. Pure: no socket, no clock.
 *
 * A tickle is a bare ACK with sequence numbers that fit no connection. The client's TCP answers with an
 * ACK of its own that has the true ones (RFC 9293, 3.10.7.4), this host has no such connection and answers
 * with a reset, and the client knows what happened.
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
 * The body of an ARP packet that says where ip (IPv4) is now; the frame goes to everybody.
 * @param hw       link-layer address, 1 to PACKET_HW_MAX bytes
 * @param hardware ARP's number of the kind of link, as the kernel tells it (ARPHRD_ETHER, ...)
 * @param reply    as an answer instead of a question: hosts differ in which of them they believe
 * @return its length; 0 when hw_len or the family is none that fits
 */
size_t packet_arp(const struct ipaddr *ip, const uint8_t *hw, size_t hw_len, uint16_t hardware,
		  bool reply, uint8_t buf[PACKET_MAX]);

/** An IPv6 packet: unsolicited neighbour advertisement of ip with "override" (RFC 4861, 7.2.6). @return as above */
size_t packet_na(const struct ipaddr *ip, const uint8_t *hw, size_t hw_len,
		 uint8_t buf[PACKET_MAX]);

#endif
