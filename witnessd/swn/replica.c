/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * format u8 (3), flags u8, version u32, level u8, keep_alive u32, client ip, ip, since u64, last_used u64,
 * notifications u64, takeovers u32, then text: principal, net name, client name, share, node of the address, node of the
 * share; then what is queued: changes (count u8, available u8 each), and three lists of addresses (count u16; ip, online u8 each).
 */
#include "witnessd/swn/replica.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/pack.h"

#define FORMAT    3U
#define TEXT_MAX  4096U
#define ADDRS_MAX 256U /* of one list; so that everything fits */
#define NUM_SLOTS 3U

enum {
	FLAG_IP_NOTIFICATION = 0x01,
	FLAG_SHARE = 0x02,
	FLAG_WAITING = 0x04,
	FLAG_REREGISTER = 0x08,
	FLAG_TOLD_UNAVAILABLE = 0x10,
	FLAG_IP_NODE = 0x20,
	FLAG_HANDED_BACK = 0x40,
	FLAG_SHARE_NODE = 0x80,
};

static const uint32_t slot_types[NUM_SLOTS] = {SWN_CLIENT_MOVE, SWN_SHARE_MOVE, SWN_IP_CHANGE};

/* --- key --- */

void swn_replica_key(const struct swn_handle *handle, uint8_t key[SWN_REPLICA_KEY])
{
	struct pack_out out = {.p = key, .size = SWN_REPLICA_KEY};

	pack_u32(&out, handle->attributes);
	pack_bytes(&out, &handle->uuid, sizeof(handle->uuid));
}

int swn_replica_handle(const uint8_t *key, size_t len, struct swn_handle *handle)
{
	struct pack_in in = {.p = key, .left = len};

	if (len != SWN_REPLICA_KEY) {
		return EBADMSG;
	}
	handle->attributes = unpack_u32(&in);
	memcpy(&handle->uuid, in.p, sizeof(handle->uuid));
	return 0;
}

/* --- push --- */

static uint8_t flags_of(const struct swn_replica *replica)
{
	const struct swn_reg *reg = replica->reg;

	return (uint8_t)((reg->ip_notification ? FLAG_IP_NOTIFICATION : 0) |
			 (reg->share_name != NULL ? FLAG_SHARE : 0) |
			 (replica->waiting ? FLAG_WAITING : 0) |
			 (replica->reregister ? FLAG_REREGISTER : 0) |
			 (reg->queue.told_unavailable ? FLAG_TOLD_UNAVAILABLE : 0) |
			 (replica->ip_node != NULL ? FLAG_IP_NODE : 0) |
			 (reg->handed_back ? FLAG_HANDED_BACK : 0) |
			 (replica->share_node != NULL ? FLAG_SHARE_NODE : 0));
}

static void push_slot(struct pack_out *out, const struct swn_queue_slot *slot)
{
	size_t first = slot->num > ADDRS_MAX ? slot->num - ADDRS_MAX : 0;

	pack_u16(out, (uint16_t)(slot->num - first));
	for (size_t i = first; i < slot->num; i++) {
		pack_ip(out, &slot->addrs[i].ip);
		pack_u8(out, slot->addrs[i].online);
	}
}

static void push_queue(struct pack_out *out, const struct swn_queue *queue)
{
	pack_u8(out, (uint8_t)queue->num_changes);
	for (size_t i = 0; i < queue->num_changes; i++) {
		pack_u8(out, queue->changes[i].available);
	}
	for (size_t i = 0; i < NUM_SLOTS; i++) {
		push_slot(out, swn_queue_slot(queue, slot_types[i]));
	}
}

int swn_replica_push(const struct swn_replica *replica, uint8_t *value, size_t *len)
{
	const struct swn_reg *reg = replica->reg;
	struct pack_out out = {.p = value, .size = PEERS_VALUE_MAX};

	pack_u8(&out, FORMAT);
	pack_u8(&out, flags_of(replica));
	pack_u32(&out, reg->version);
	pack_u8(&out, (uint8_t)reg->level);
	pack_u32(&out, reg->keep_alive_s);
	pack_ip(&out, &reg->client);
	pack_ip(&out, &reg->ip);
	pack_u64(&out, (uint64_t)reg->since);
	pack_u64(&out, (uint64_t)reg->last_used);
	pack_u64(&out, reg->notifications);
	pack_u32(&out, reg->takeovers);
	pack_text(&out, reg->principal);
	pack_text(&out, reg->net_name);
	pack_text(&out, reg->client_name);
	pack_text(&out, reg->share_name != NULL ? reg->share_name : "");
	pack_text(&out, replica->ip_node != NULL ? replica->ip_node : "");
	pack_text(&out, replica->share_node != NULL ? replica->share_node : "");
	push_queue(&out, &reg->queue);
	if (out.err == 0) {
		*len = out.len;
	}
	return out.err;
}

/* --- pull --- */

static void pull_slot(struct pack_in *in, struct swn_reg *reg, uint32_t type)
{
	struct swn_queue_addr addrs[ADDRS_MAX];
	size_t num = unpack_u16(in);

	if (num > ADDRS_MAX) {
		in->err = EBADMSG;
		return;
	}
	for (size_t i = 0; i < num && in->err == 0; i++) {
		addrs[i].ip = unpack_ip(in);
		addrs[i].online = unpack_u8(in) != 0;
		if (in->err == 0 && addrs[i].ip.family == 0) {
			in->err = EBADMSG;
		}
	}
	if (in->err == 0 && num > 0) {
		in->err = swn_queue_addrs(&reg->queue, reg, (enum swn_message_type)type, addrs, num,
					  0);
	}
}

static void pull_queue(struct pack_in *in, struct swn_reg *reg, bool told_unavailable)
{
	size_t num = unpack_u8(in);

	reg->queue.told_unavailable = told_unavailable;
	if (num > SWN_QUEUE_CHANGES) {
		in->err = EBADMSG;
		return;
	}
	for (size_t i = 0; i < num && in->err == 0; i++) {
		(void)swn_queue_change(&reg->queue, unpack_u8(in) != 0, 0);
	}
	for (size_t i = 0; i < NUM_SLOTS && in->err == 0; i++) {
		pull_slot(in, reg, slot_types[i]);
	}
}

static void pull_value(struct pack_in *in, struct swn_reg *reg, struct swn_replica *replica)
{
	uint8_t format = unpack_u8(in), flags = unpack_u8(in);
	char *share, *node, *share_node;

	if (format != FORMAT) {
		in->err = EBADMSG;
		return;
	}
	reg->ip_notification = (flags & FLAG_IP_NOTIFICATION) != 0;
	reg->handed_back = (flags & FLAG_HANDED_BACK) != 0;
	reg->version = unpack_u32(in);
	reg->level = (enum rpc_auth_level)unpack_u8(in);
	reg->keep_alive_s = unpack_u32(in);
	reg->client = unpack_ip(in);
	reg->ip = unpack_ip(in);
	reg->since = (time_t)unpack_u64(in);
	reg->last_used = (time_t)unpack_u64(in);
	reg->notifications = unpack_u64(in);
	reg->takeovers = unpack_u32(in);
	reg->principal = unpack_text(in, reg, TEXT_MAX);
	reg->net_name = unpack_text(in, reg, TEXT_MAX);
	reg->client_name = unpack_text(in, reg, TEXT_MAX);
	share = unpack_text(in, reg, TEXT_MAX);
	node = unpack_text(in, reg, TEXT_MAX);
	share_node = unpack_text(in, reg, TEXT_MAX);
	reg->share_name = (flags & FLAG_SHARE) != 0 ? share : NULL;
	*replica = (struct swn_replica){
		.reg = reg,
		.waiting = (flags & FLAG_WAITING) != 0,
		.reregister = (flags & FLAG_REREGISTER) != 0,
		.ip_node = (flags & FLAG_IP_NODE) != 0 ? node : NULL,
		.share_node = (flags & FLAG_SHARE_NODE) != 0 ? share_node : NULL,
	};
	pull_queue(in, reg, (flags & FLAG_TOLD_UNAVAILABLE) != 0);
}

int swn_replica_pull(TALLOC_CTX *mem_ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		     size_t len, struct swn_replica *replica)
{
	struct pack_in in = {.p = value, .left = len};
	struct swn_reg *reg = talloc_zero(mem_ctx, struct swn_reg);
	struct swn_replica pulled;

	if (reg == NULL) {
		return ENOMEM;
	}
	in.err = swn_replica_handle(key, key_len, &reg->handle);
	if (in.err == 0) {
		pull_value(&in, reg, &pulled);
	}
	if (in.err == 0 && (reg->ip.family == 0 ||
			    (reg->version != SWN_VERSION_1 && reg->version != SWN_VERSION_2))) {
		in.err = EBADMSG;
	}
	if (in.err != 0) {
		talloc_free(reg);
		return in.err;
	}
	*replica = pulled;
	return 0;
}
