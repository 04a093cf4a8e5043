/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/peers_wire.h"

#include <errno.h>
#include <string.h>

#define OP_PUT    1
#define OP_DELETE 2

/* The numbers of errors differ between architectures; on the wire they are indexes into this table. */
static const int statuses[] = {0,         EIO,        ENOENT,       EINVAL, EACCES,
			       EBUSY,     ENOMEM,     EMSGSIZE,     ENOSPC, ETIMEDOUT,
			       ECANCELED, EOPNOTSUPP, EHOSTUNREACH, EAGAIN};
#define STATUS_OTHER 1U

static uint8_t status_of(int err)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i] == err) {
			return (uint8_t)i;
		}
	}
	return STATUS_OTHER;
}

static int error_of(uint8_t status)
{
	return status < sizeof(statuses) / sizeof(statuses[0]) ? statuses[status] : EIO;
}

/* --- pull --- */

bool peers_wire_entry(struct pack_in *entries, struct peers_wire_entry *entry)
{
	struct pack_in in = *entries;
	uint8_t op;

	if (in.left == 0 || in.err != 0) {
		return false;
	}
	*entry = (struct peers_wire_entry){.kind = 0};
	op = unpack_u8(&in);
	entry->put = op == OP_PUT;
	entry->kind = unpack_u8(&in);
	entry->key_len = unpack_u8(&in);
	entry->key = unpack_bytes(&in, entry->key_len);
	entry->version = unpack_u64(&in);
	if (entry->put) {
		entry->value_len = unpack_u16(&in);
		entry->value = unpack_bytes(&in, entry->value_len);
	}
	if (in.err != 0 || (op != OP_PUT && op != OP_DELETE) || entry->key_len == 0 ||
	    entry->value_len > PEERS_VALUE_MAX) {
		entries->err = EBADMSG;
		return false;
	}
	*entries = in;
	return true;
}

static void pull_name(struct pack_in *in, char node[PEERS_NODE_MAX + 1])
{
	size_t len = unpack_u16(in);
	const uint8_t *p = unpack_bytes(in, len);

	if (p == NULL || len == 0 || len > PEERS_NODE_MAX || memchr(p, '\0', len) != NULL) {
		in->err = EBADMSG;
		return;
	}
	memcpy(node, p, len);
	node[len] = '\0';
}

bool peers_wire_opinion(struct pack_in *in, struct peers_wire_opinion *opinion)
{
	if (in->left == 0 || in->err != 0) {
		return false;
	}
	opinion->say = unpack_u8(in);
	pull_name(in, opinion->node);
	return in->err == 0;
}

static void pull_entries(struct pack_in *in, struct peers_msg *msg)
{
	struct pack_in check = *in;
	struct peers_wire_entry entry;

	while (peers_wire_entry(&check, &entry)) {
	}
	in->err = check.err;
	msg->entries = *in;
}

static void pull_beat(struct pack_in *in, struct peers_msg *msg)
{
	struct peers_wire_opinion opinion;
	struct pack_in check;

	msg->interval_ms = unpack_u32(in);
	check = *in;
	while (peers_wire_opinion(&check, &opinion)) {
	}
	msg->len = in->left;
	msg->bytes = unpack_bytes(in, in->left);
	in->err = check.err;
}

static void pull_bytes(struct pack_in *in, struct peers_msg *msg)
{
	msg->len = in->left;
	msg->bytes = unpack_bytes(in, in->left);
	if (msg->len > PEERS_COMMAND_MAX) {
		in->err = EBADMSG;
	}
}

static void pull_body(struct pack_in *in, struct peers_msg *msg)
{
	switch (msg->type) {
	case PEERS_MSG_BEGIN:
	case PEERS_MSG_END:
		msg->sync = unpack_u32(in);
		break;
	case PEERS_MSG_RETURN:
		pull_name(in, msg->node);
		if (in->err == 0) {
			pull_entries(in, msg);
		}
		break;
	case PEERS_MSG_RECORDS:
		pull_entries(in, msg);
		break;
	case PEERS_MSG_RETURNED:
	case PEERS_MSG_REQUEST:
		pull_name(in, msg->node);
		break;
	case PEERS_MSG_COMMAND:
		pull_name(in, msg->node);
		msg->id = unpack_u64(in);
		msg->verb = unpack_u8(in);
		pull_bytes(in, msg);
		break;
	case PEERS_MSG_REPLY:
		pull_name(in, msg->node);
		msg->id = unpack_u64(in);
		msg->err = error_of(unpack_u8(in));
		pull_bytes(in, msg);
		break;
	case PEERS_MSG_BEAT:
		pull_beat(in, msg);
		break;
	default: /* of a later witnessd */
		break;
	}
}

int peers_wire_pull(const uint8_t *bytes, size_t len, struct peers_msg *msg)
{
	struct pack_in in = {.p = bytes, .left = len};
	uint32_t magic = unpack_u32(&in);
	uint8_t version = unpack_u8(&in);

	if (in.err != 0 || magic != PEERS_WIRE_MAGIC || len > PEERS_MESSAGE_MAX) {
		return EBADMSG;
	}
	if (version != PEERS_WIRE_VERSION) {
		return EPROTONOSUPPORT;
	}
	*msg = (struct peers_msg){.type = unpack_u8(&in)};
	(void)unpack_u16(&in);
	msg->incarnation = unpack_u64(&in);
	msg->sequence = unpack_u64(&in);
	if (in.err == 0) {
		pull_body(&in, msg);
	}
	return in.err;
}

/* --- push --- */

static void push_body(struct pack_out *out, const struct peers_msg *msg)
{
	switch (msg->type) {
	case PEERS_MSG_BEGIN:
	case PEERS_MSG_END:
		pack_u32(out, msg->sync);
		return;
	case PEERS_MSG_RECORDS:
		return;
	case PEERS_MSG_BEAT:
		pack_u32(out, msg->interval_ms);
		pack_bytes(out, msg->bytes, msg->len);
		return;
	default:
		pack_text(out, msg->node);
		break;
	}
	if (msg->type == PEERS_MSG_COMMAND || msg->type == PEERS_MSG_REPLY) {
		pack_u64(out, msg->id);
		pack_u8(out, msg->type == PEERS_MSG_COMMAND ? msg->verb : status_of(msg->err));
		pack_bytes(out, msg->bytes, msg->len);
	}
}

void peers_wire_push(struct pack_out *out, const struct peers_msg *msg)
{
	pack_u32(out, PEERS_WIRE_MAGIC);
	pack_u8(out, PEERS_WIRE_VERSION);
	pack_u8(out, msg->type);
	pack_u16(out, 0);
	pack_u64(out, msg->incarnation);
	pack_u64(out, msg->sequence);
	push_body(out, msg);
}

void peers_wire_push_opinion(struct pack_out *out, uint8_t say, const char *node)
{
	pack_u8(out, say);
	pack_text(out, node);
}

int peers_wire_push_entry(struct pack_out *out, const struct peers_wire_entry *entry)
{
	struct pack_out before = *out;

	pack_u8(out, entry->put ? OP_PUT : OP_DELETE);
	pack_u8(out, entry->kind);
	pack_u8(out, (uint8_t)entry->key_len);
	pack_bytes(out, entry->key, entry->key_len);
	pack_u64(out, entry->version);
	if (entry->put) {
		pack_u16(out, (uint16_t)entry->value_len);
		pack_bytes(out, entry->value, entry->value_len);
	}
	if (out->err != 0) {
		*out = before;
		return EMSGSIZE;
	}
	return 0;
}
