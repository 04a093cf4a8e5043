/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packets on ctdbd's Unix socket (spec/ctdb.md, section 2): buffers to structs and back, no I/O.
 * Numbers are in host byte order, because both ends are on one host. Only the operations needed by a client
 * without databases are supported.
 */
#ifndef BACKENDS_CTDB_PACKET_H
#define BACKENDS_CTDB_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define CTDB_HEADER_LEN 32U
#define CTDB_PACKET_MAX (4U << 20) /* longer ones are invalid here; ctdbd itself has no limit */

enum ctdb_operation {
	CTDB_REQ_MESSAGE = 5,
	CTDB_REQ_CONTROL = 7,
	CTDB_REPLY_CONTROL = 8,
};

/* Special destinations beside the numbers of nodes. */
#define CTDB_CURRENT_NODE        0xF0000001U
#define CTDB_BROADCAST_ALL       0xF0000002U
#define CTDB_BROADCAST_ACTIVE    0xF0000003U
#define CTDB_BROADCAST_CONNECTED 0xF0000004U
#define CTDB_UNKNOWN_PNN         0xFFFFFFFFU

#define CTDB_CONTROL_NOREPLY     1U

/* A packet of any of the operations; fields that an operation lacks are 0 or NULL. */
struct ctdb_packet {
	uint32_t generation; /* 1: from a node that is no member, or from a client */
	uint32_t operation;  /* enum ctdb_operation */
	uint32_t destnode, srcnode;
	uint32_t reqid;       /* 0 in messages */
	uint32_t opcode;      /* REQ_CONTROL */
	uint32_t flags;       /* REQ_CONTROL */
	uint64_t srvid;       /* REQ_CONTROL (REGISTER_SRVID), REQ_MESSAGE */
	int32_t status;       /* REPLY_CONTROL: the result, negative on failure */
	const uint8_t *data;  /* borrowed from the buffer; not aligned */
	uint32_t data_len;    /* octets */
	const uint8_t *error; /* REPLY_CONTROL: text without a NUL, borrowed */
	uint32_t error_len;   /* octets */
};

/**
 * The length of the packet that begins at buf.
 * @return 0; EAGAIN (fewer than 4 octets there); EBADMSG (shorter than a header, or beyond the limit: the
 *         beginning of the next packet is unknown then)
 */
int ctdb_packet_length(const uint8_t *buf, size_t have, uint32_t *length);

/**
 * Read one whole packet.
 * @return 0; EBADMSG (magic, version or lengths are wrong); ENOTSUP (another operation)
 */
int ctdb_packet_parse(const uint8_t *buf, size_t len, struct ctdb_packet *out);

/**
 * Write a packet.
 * @param buf a child of mem_ctx
 * @return 0, EMSGSIZE, ENOTSUP (operation) or ENOMEM
 */
int ctdb_packet_push(TALLOC_CTX *mem_ctx, const struct ctdb_packet *packet, uint8_t **buf,
		     size_t *len);

#endif
