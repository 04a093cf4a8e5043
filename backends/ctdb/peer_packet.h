/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the witnessds of a CTDB cluster send each other, to the SRVID CTDB_SRVID_WITNESSD_PEERS, in network
 * byte order. CTDB does not name the sender of a message, so the header does.
 *
 *   u32 "WPEE", u8 version 1, u8 kind, u16 flags, u32 pnn, u64 instance, then
 *   HELLO   nothing: "I am here"; with flag ANSWER: "who else is?"
 *   DATA    a message of peers.h
 *   BYE     nothing: "I am gone"; ctdbd sends it when its client, the witnessd, has ended
 *
 * Pure: encoding and decoding only. For the behaviour see peers.h.
 */
#ifndef BACKENDS_CTDB_PEER_PACKET_H
#define BACKENDS_CTDB_PEER_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define CTDB_PEER_HEADER 20U
#define CTDB_PEER_MAX    (CTDB_PEER_HEADER + 40000U) /* octets; ctdbd itself has no limit */
#define CTDB_PEER_ANSWER 1U                          /* flag of HELLO */

enum ctdb_peer_kind {
	CTDB_PEER_HELLO = 1,
	CTDB_PEER_DATA = 2,
	CTDB_PEER_BYE = 3,
};

struct ctdb_peer_packet {
	enum ctdb_peer_kind kind;
	uint16_t flags;
	uint32_t pnn;        /* of the sender */
	uint64_t instance;   /* of the sender: a new one each time that it connects to ctdbd */
	const uint8_t *data; /* DATA: borrowed */
	size_t len;
};

/** @return 0, EBADMSG, or ENOTSUP for an unknown kind or version */
int ctdb_peer_parse(const uint8_t *bytes, size_t len, struct ctdb_peer_packet *out);

/**
 * Write the header. The caller appends the data of DATA; .data and .len are ignored.
 */
void ctdb_peer_push(const struct ctdb_peer_packet *packet, uint8_t out[CTDB_PEER_HEADER]);

#endif
