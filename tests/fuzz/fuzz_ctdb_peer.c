/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What any process of root's on any node of a CTDB cluster may send to the witnessd's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/ctdb/peer_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[CTDB_PEER_HEADER];
	struct ctdb_peer_packet packet;

	if (ctdb_peer_parse(data, size, &packet) != 0) {
		return 0;
	}
	ctdb_peer_push(&packet, header);
	if (packet.len != size - CTDB_PEER_HEADER || packet.data != data + CTDB_PEER_HEADER ||
	    memcmp(header, data, sizeof(header)) != 0) {
		abort();
	}
	return 0;
}
