/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of witnessctl(8) on registrations that are selected, wherever in the cluster they are. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/swn/order_reply.h"
#include "witnessd/swn/orders.h"
#include "witnessd/swn/select.h"

static const struct {
	const char *name;
	enum swn_orders_plan plan;
	enum swn_order_type type;
} kinds[] = {
	{"change", SWN_ORDERS_ALL, SWN_ORDER_CHANGE},
	{"client-move", SWN_ORDERS_ALL, SWN_ORDER_CLIENT_MOVE},
	{"share-move", SWN_ORDERS_ALL, SWN_ORDER_SHARE_MOVE},
	{"ip-change", SWN_ORDERS_ALL, SWN_ORDER_IP_CHANGE},
	{"unregister", SWN_ORDERS_ALL, SWN_ORDER_END},
	{"reply", SWN_ORDERS_ALL, SWN_ORDER_REPLY},
	{"drain", SWN_ORDERS_DRAIN, SWN_ORDER_CLIENT_MOVE},
	{"rebalance", SWN_ORDERS_EVEN, SWN_ORDER_CLIENT_MOVE},
};

static int bad(TALLOC_CTX *mem_ctx, char **why, const char *text)
{
	*why = talloc_strdup(mem_ctx, text);
	return EINVAL;
}

static int read_kind(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_orders_request *out,
		     char **why)
{
	const char *name = json_string_value(json_object_get(json, "do"));

	for (size_t i = 0; name != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			out->plan = kinds[i].plan;
			out->order.type = kinds[i].type;
			return 0;
		}
	}
	return bad(mem_ctx, why,
		   "do: expected change, client-move, share-move, ip-change, unregister, reply, "
		   "drain or rebalance");
}

static int read_ip(TALLOC_CTX *mem_ctx, const json_t *json, const char *key,
		   struct swn_orders_request *out, char **why)
{
	const char *text = json_string_value(json_object_get(json, key));

	if (text == NULL || ipaddr_parse(text, &out->order.ip) != 0) {
		*why = talloc_asprintf(mem_ctx, "%s: expected an IPv4 or IPv6 address", key);
		return EINVAL;
	}
	return 0;
}

static int read_move(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_orders_request *out,
		     char **why)
{
	out->order.node = json_string_value(json_object_get(json, "to_node"));
	if (out->order.node != NULL && strlen(out->order.node) > PEERS_NODE_MAX) {
		return bad(mem_ctx, why, "to_node: too long for the name of a node");
	}
	if ((out->order.node != NULL) == (json_object_get(json, "to_ip") != NULL)) {
		return bad(mem_ctx, why, "expected one of to_node and to_ip");
	}
	return out->order.node != NULL ? 0 : read_ip(mem_ctx, json, "to_ip", out, why);
}

static int read_state(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_orders_request *out,
		      char **why)
{
	const char *text = json_string_value(json_object_get(json, "state"));

	if (text == NULL || (strcmp(text, "available") != 0 && strcmp(text, "unavailable") != 0)) {
		return bad(mem_ctx, why, "state: expected available or unavailable");
	}
	out->order.online = strcmp(text, "available") == 0;
	return 0;
}

static int read_reply(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_orders_request *out,
		      char **why)
{
	const char *text = json_string_value(json_object_get(json, "response"));
	uint8_t *stub = NULL;
	int err;

	if (text == NULL) {
		return bad(mem_ctx, why, "response: expected text that is JSON");
	}
	err = swn_order_reply(mem_ctx, text, &stub, &out->order.reply_len, why);
	out->order.reply = stub;
	return err;
}

/* What the order needs beside its kind. */
static int read_order(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_orders_request *out,
		      char **why)
{
	int err;

	if (out->plan == SWN_ORDERS_DRAIN) {
		out->leaving = json_string_value(json_object_get(json, "node"));
		return out->leaving != NULL ? 0 : bad(mem_ctx, why, "node: expected a name");
	}
	if (out->plan == SWN_ORDERS_EVEN) {
		return 0;
	}
	switch (out->order.type) {
	case SWN_ORDER_CLIENT_MOVE:
	case SWN_ORDER_SHARE_MOVE:
		return read_move(mem_ctx, json, out, why);
	case SWN_ORDER_CHANGE:
		return read_state(mem_ctx, json, out, why);
	case SWN_ORDER_IP_CHANGE:
		err = read_state(mem_ctx, json, out, why);
		return err != 0 ? err : read_ip(mem_ctx, json, "address", out, why);
	case SWN_ORDER_REPLY:
		return read_reply(mem_ctx, json, out, why);
	default:
		return 0;
	}
}

static int read_rate(TALLOC_CTX *mem_ctx, const json_t *json, struct swn_orders_request *out,
		     char **why)
{
	const json_t *rate = json_object_get(json, "rate");
	json_int_t n = json_integer_value(rate);

	if (rate != NULL &&
	    (!json_is_integer(rate) || n < 1 || n > (json_int_t)SWN_ORDERS_RATE_MAX)) {
		*why = talloc_asprintf(mem_ctx, "rate: expected a number from 1 to %u",
				       SWN_ORDERS_RATE_MAX);
		return EINVAL;
	}
	out->rate = (uint32_t)n;
	return 0;
}

/* {"do": ..., "select": {...}, "dry_run", "rate"} and what the order needs: {"to_node"} ... */
int daemon_cmd_order(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		     struct control_stream *out, char **why)
{
	const struct daemon *daemon = private_data;
	struct swn_orders_request order = {
		.dry_run = json_is_true(json_object_get(request, "dry_run"))};
	struct swn_select select = {.all = false};
	uint64_t id = 0;
	int err = read_kind(mem_ctx, request, &order, why);

	if (err == 0) {
		err = swn_select_parse(mem_ctx, json_object_get(request, "select"), &select, why);
	}
	if (err == 0 && order.plan == SWN_ORDERS_ALL && swn_select_is_empty(&select)) {
		err = bad(mem_ctx, why, "say which registrations are meant, or all");
	}
	order.select = &select;
	if (err == 0) {
		err = read_order(mem_ctx, request, &order, why);
	}
	if (err == 0) {
		err = read_rate(mem_ctx, request, &order, why);
	}
	if (err == 0) {
		err = swn_orders_begin(daemon->orders, mem_ctx, &order, &id, why);
	}
	return err != 0 ? err : daemon_order_answer(daemon, mem_ctx, id, out, why);
}

/* {"job": NUMBER} */
int daemon_cmd_order_status(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			    struct control_stream *out, char **why)
{
	json_int_t id = json_integer_value(json_object_get(request, "job"));

	return daemon_order_answer(private_data, mem_ctx, (uint64_t)id, out, why);
}

/* {"job": NUMBER}: who has not got it yet will not. */
int daemon_cmd_order_cancel(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			    struct control_stream *out, char **why)
{
	const struct daemon *daemon = private_data;
	json_int_t id = json_integer_value(json_object_get(request, "job"));

	(void)swn_orders_cancel(daemon->orders,
				(uint64_t)id); /* what is wrong with it is said below */
	return daemon_order_answer(daemon, mem_ctx, (uint64_t)id, out, why);
}

/* {"node": NAME}: clients may be sent there again. */
int daemon_cmd_undrain(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		       json_t **result, char **why)
{
	const struct daemon *daemon = private_data;
	const char *node = json_string_value(json_object_get(request, "node"));
	int err = node != NULL ? swn_orders_mark(daemon->orders, mem_ctx, node, false, &node, why)
			       : bad(mem_ctx, why, "node: expected a name");

	if (err == 0) {
		*result = json_pack("{s:s}", "node", node);
		err = *result != NULL ? 0 : ENOMEM;
	}
	return err;
}

int daemon_cmd_nodes(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		     json_t **result, char **why)
{
	const struct daemon *daemon = private_data;

	*result = swn_orders_nodes_json(daemon->orders);
	return *result != NULL ? 0 : ENOMEM;
}
