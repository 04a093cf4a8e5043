/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/packet.h"

#include <errno.h>
#include <string.h>

#define MAGIC   0x43544442U
#define VERSION 1U

/* Offsets of the header's fields. */
enum {
	OFF_LENGTH = 0,
	OFF_MAGIC = 4,
	OFF_VERSION = 8,
	OFF_GENERATION = 12,
	OFF_OPERATION = 16,
	OFF_DESTNODE = 20,
	OFF_SRCNODE = 24,
	OFF_REQID = 28,
};

/* Where the octets of an operation's body are: after the fixed fields come data, then error text. */
struct layout {
	uint32_t operation;
	uint32_t fixed; /* octets before the data, header included */
	uint32_t off_opcode, off_srvid, off_flags, off_status, off_data_len,
		off_error_len; /* 0: none */
};

static const struct layout layouts[] = {
	{.operation = CTDB_REQ_MESSAGE, .fixed = 44, .off_srvid = 32, .off_data_len = 40},
	{.operation = CTDB_REQ_CONTROL,
	 .fixed = 60,
	 .off_opcode = 32,
	 .off_srvid = 40,
	 .off_flags = 52,
	 .off_data_len = 56},
	{.operation = CTDB_REPLY_CONTROL,
	 .fixed = 44,
	 .off_status = 32,
	 .off_data_len = 36,
	 .off_error_len = 40},
};

static const struct layout *find_layout(uint32_t operation)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].operation == operation) {
			return &layouts[i];
		}
	}
	return NULL;
}

/* Fields need not be aligned. */
static uint32_t get_u32(const uint8_t *buf, size_t off)
{
	uint32_t value;

	memcpy(&value, buf + off, sizeof(value));
	return value;
}

static uint32_t get_optional(const uint8_t *buf, size_t off)
{
	return off != 0 ? get_u32(buf, off) : 0;
}

static void put_u32(uint8_t *buf, size_t off, uint32_t value)
{
	memcpy(buf + off, &value, sizeof(value));
}

static void put_optional(uint8_t *buf, size_t off, uint32_t value)
{
	if (off != 0) {
		put_u32(buf, off, value);
	}
}

int ctdb_packet_length(const uint8_t *buf, size_t have, uint32_t *length)
{
	uint32_t value;

	if (have < sizeof(value)) {
		return EAGAIN;
	}
	value = get_u32(buf, OFF_LENGTH);
	if (value < CTDB_HEADER_LEN || value > CTDB_PACKET_MAX) {
		return EBADMSG;
	}
	*length = value;
	return 0;
}

int ctdb_packet_parse(const uint8_t *buf, size_t len, struct ctdb_packet *out)
{
	const struct layout *layout;
	struct ctdb_packet packet = {.operation = 0};
	size_t left;

	if (len < CTDB_HEADER_LEN || get_u32(buf, OFF_LENGTH) != len ||
	    get_u32(buf, OFF_MAGIC) != MAGIC || get_u32(buf, OFF_VERSION) != VERSION) {
		return EBADMSG;
	}
	packet.generation = get_u32(buf, OFF_GENERATION);
	packet.operation = get_u32(buf, OFF_OPERATION);
	packet.destnode = get_u32(buf, OFF_DESTNODE);
	packet.srcnode = get_u32(buf, OFF_SRCNODE);
	packet.reqid = get_u32(buf, OFF_REQID);
	layout = find_layout(packet.operation);
	if (layout == NULL) {
		return ENOTSUP;
	}
	if (len < layout->fixed) {
		return EBADMSG;
	}
	packet.opcode = get_optional(buf, layout->off_opcode);
	packet.flags = get_optional(buf, layout->off_flags);
	packet.status = (int32_t)get_optional(buf, layout->off_status);
	if (layout->off_srvid != 0) {
		memcpy(&packet.srvid, buf + layout->off_srvid, sizeof(packet.srvid));
	}
	packet.data_len = get_u32(buf, layout->off_data_len);
	packet.error_len = get_optional(buf, layout->off_error_len);
	left = len - layout->fixed; /* up to 7 octets of padding may follow */
	if (packet.data_len > left || packet.error_len > left - packet.data_len) {
		return EBADMSG;
	}
	packet.data = buf + layout->fixed;
	packet.error = packet.error_len > 0 ? packet.data + packet.data_len : NULL;
	*out = packet;
	return 0;
}

int ctdb_packet_push(TALLOC_CTX *mem_ctx, const struct ctdb_packet *packet, uint8_t **buf,
		     size_t *len)
{
	const struct layout *layout = find_layout(packet->operation);
	uint32_t error_len, room;
	uint8_t *out;
	size_t size;

	if (layout == NULL) {
		return ENOTSUP;
	}
	error_len = layout->off_error_len != 0 ? packet->error_len : 0;
	room = CTDB_PACKET_MAX - layout->fixed;
	if (packet->data_len > room || error_len > room - packet->data_len) {
		return EMSGSIZE;
	}
	size = (size_t)layout->fixed + packet->data_len + error_len;
	out = talloc_zero_size(mem_ctx, size);
	if (out == NULL) {
		return ENOMEM;
	}
	put_u32(out, OFF_LENGTH, (uint32_t)size);
	put_u32(out, OFF_MAGIC, MAGIC);
	put_u32(out, OFF_VERSION, VERSION);
	put_u32(out, OFF_GENERATION, packet->generation);
	put_u32(out, OFF_OPERATION, packet->operation);
	put_u32(out, OFF_DESTNODE, packet->destnode);
	put_u32(out, OFF_SRCNODE, packet->srcnode);
	put_u32(out, OFF_REQID, packet->reqid);
	put_optional(out, layout->off_opcode, packet->opcode);
	put_optional(out, layout->off_flags, packet->flags);
	put_optional(out, layout->off_status, (uint32_t)packet->status);
	if (layout->off_srvid != 0) {
		memcpy(out + layout->off_srvid, &packet->srvid, sizeof(packet->srvid));
	}
	put_u32(out, layout->off_data_len, packet->data_len);
	put_optional(out, layout->off_error_len, error_len);
	if (packet->data_len > 0) {
		memcpy(out + layout->fixed, packet->data, packet->data_len);
	}
	if (error_len > 0) {
		memcpy(out + layout->fixed + packet->data_len, packet->error, error_len);
	}
	*buf = out;
	*len = size;
	return 0;
}
