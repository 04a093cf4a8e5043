/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/peer_packet.h"

#include <errno.h>

#include "witnessd/util/pack.h"

#define MAGIC   0x57504545U
#define VERSION 1U

int ctdb_peer_parse(const uint8_t *bytes, size_t len, struct ctdb_peer_packet *out)
{
	struct pack_in in = {.p = bytes, .left = len};
	struct ctdb_peer_packet packet = {.flags = 0};
	uint32_t magic = unpack_u32(&in);
	uint8_t version = unpack_u8(&in), kind = unpack_u8(&in);

	packet.flags = unpack_u16(&in);
	packet.pnn = unpack_u32(&in);
	packet.instance = unpack_u64(&in);
	if (in.err != 0 || magic != MAGIC || len > CTDB_PEER_MAX) {
		return EBADMSG;
	}
	if (version != VERSION || kind < CTDB_PEER_HELLO || kind > CTDB_PEER_BYE) {
		return ENOTSUP;
	}
	packet.kind = (enum ctdb_peer_kind)kind;
	packet.data = in.p;
	packet.len = in.left;
	*out = packet;
	return 0;
}

void ctdb_peer_push(const struct ctdb_peer_packet *packet, uint8_t out[CTDB_PEER_HEADER])
{
	struct pack_out pack = {.p = out, .size = CTDB_PEER_HEADER};

	pack_u32(&pack, MAGIC);
	pack_u8(&pack, VERSION);
	pack_u8(&pack, (uint8_t)packet->kind);
	pack_u16(&pack, packet->flags);
	pack_u32(&pack, packet->pnn);
	pack_u64(&pack, packet->instance);
}
