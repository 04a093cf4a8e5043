/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * format u8 (1), type u8, online u8, node text (empty: none), ip, length of the reply u16, reply, number of
 * handles u16, 20 bytes each. The answer is as many bytes, each a result.
 */
#include "witnessd/swn/order.h"

#include <errno.h>
#include <string.h>

#include "witnessd/swn/replica.h"
#include "witnessd/util/pack.h"

#define FORMAT 1U

int swn_order_push(const struct swn_order *order, const struct swn_handle *handles, size_t num,
		   uint8_t buf[PEERS_COMMAND_MAX], size_t *len)
{
	struct pack_out out = {.p = buf, .size = PEERS_COMMAND_MAX};

	if (num > SWN_ORDER_HANDLES || order->reply_len > SWN_ORDER_REPLY_MAX) {
		return EMSGSIZE;
	}
	pack_u8(&out, FORMAT);
	pack_u8(&out, (uint8_t)order->type);
	pack_u8(&out, order->online);
	pack_text(&out, order->node != NULL ? order->node : "");
	pack_ip(&out, &order->ip);
	pack_u16(&out, (uint16_t)order->reply_len);
	pack_bytes(&out, order->reply, order->reply_len);
	pack_u16(&out, (uint16_t)num);
	for (size_t i = 0; i < num; i++) {
		uint8_t key[SWN_REPLICA_KEY];

		swn_replica_key(&handles[i], key);
		pack_bytes(&out, key, sizeof(key));
	}
	*len = out.len;
	return out.err;
}

/* Whether what the type needs is there. */
static bool is_complete(const struct swn_order *order)
{
	switch (order->type) {
	case SWN_ORDER_CLIENT_MOVE:
	case SWN_ORDER_SHARE_MOVE:
		return order->node != NULL;
	case SWN_ORDER_IP_CHANGE:
		return order->ip.family != 0;
	case SWN_ORDER_REPLY:
		return order->reply_len > 0;
	case SWN_ORDER_CHANGE:
	case SWN_ORDER_END:
		return true;
	default:
		return false;
	}
}

static int pull_handles(TALLOC_CTX *mem_ctx, struct pack_in *in, struct swn_handle **handles,
			size_t *num)
{
	size_t count = unpack_u16(in);
	struct swn_handle *list;

	if (in->err != 0 || count > SWN_ORDER_HANDLES || in->left != count * SWN_REPLICA_KEY) {
		return EBADMSG;
	}
	list = talloc_zero_array(mem_ctx, struct swn_handle, count);
	if (list == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		const uint8_t *key = unpack_bytes(in, SWN_REPLICA_KEY);

		if (key == NULL || swn_replica_handle(key, SWN_REPLICA_KEY, &list[i]) != 0) {
			talloc_free(list);
			return EBADMSG;
		}
	}
	*handles = list;
	*num = count;
	return 0;
}

int swn_order_pull(TALLOC_CTX *mem_ctx, const uint8_t *bytes, size_t len, struct swn_order *order,
		   struct swn_handle **handles, size_t *num)
{
	struct pack_in in = {.p = bytes, .left = len};
	struct swn_order got = {.type = 0};
	uint8_t format = unpack_u8(&in);
	char *node;

	got.type = (enum swn_order_type)unpack_u8(&in);
	got.online = unpack_u8(&in) != 0;
	node = unpack_text(&in, mem_ctx, PEERS_NODE_MAX);
	got.ip = unpack_ip(&in);
	got.reply_len = unpack_u16(&in);
	if (in.err != 0 || format != FORMAT || got.reply_len > SWN_ORDER_REPLY_MAX) {
		return in.err == ENOMEM ? ENOMEM : EBADMSG;
	}
	got.node = node[0] != '\0' ? node : NULL;
	got.reply = unpack_bytes(&in, got.reply_len);
	if (in.err != 0 || !is_complete(&got)) {
		return EBADMSG;
	}
	*order = got;
	return pull_handles(mem_ctx, &in, handles, num);
}
