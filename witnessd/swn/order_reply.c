/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/order_reply.h"

#include <errno.h>
#include <string.h>

#include "witnessd/swn/order.h"
#include "witnessd/swn/wire.h"

#define RECORDS_MAX 200U

/* A whole number that fits; a key that is not there leaves *out as it is. */
static bool number(const json_t *json, const char *key, uint32_t *out)
{
	const json_t *value = json_object_get(json, key);
	json_int_t n = json_integer_value(value);

	if (value == NULL) {
		return true;
	}
	if (!json_is_integer(value) || n < 0 || n > (json_int_t)UINT32_MAX) {
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

static int add_change(struct swn_notify *notify, const json_t *message)
{
	struct swn_resource_change *change = &notify->changes[notify->num_changes];

	bool twice = json_object_get(message, "type") != NULL &&
		     json_object_get(message, "state") != NULL;

	change->name = json_string_value(json_object_get(message, "name"));
	if (change->name == NULL || twice || !number(message, "type", &change->state) ||
	    !number(message, "state", &change->state)) {
		return EBADMSG;
	}
	notify->num_changes++;
	return 0;
}

/* One of that family, or with 0 of any, that there is not yet; a key that is not there changes nothing. */
static bool address(const json_t *message, const char *key, uint32_t family, struct ipaddr *v4,
		    struct ipaddr *v6)
{
	const json_t *value = json_object_get(message, key);
	const char *text = json_string_value(value);
	struct ipaddr ip, *slot;

	if (value == NULL) {
		return true;
	}
	if (text == NULL || ipaddr_parse(text, &ip) != 0 || (family != 0 && ip.family != family)) {
		return false;
	}
	slot = ip.family == AF_INET ? v4 : v6;
	if (slot->family != 0) {
		return false;
	}
	*slot = ip;
	return true;
}

static int add_addr(struct swn_notify *notify, const json_t *message)
{
	struct swn_ipaddr *addr = &notify->addrs[notify->num_addrs];
	struct ipaddr v4 = {.family = 0}, v6 = {.family = 0};

	if (!address(message, "ip", 0, &v4, &v6) || !address(message, "ipv4", AF_INET, &v4, &v6) ||
	    !address(message, "ipv6", AF_INET6, &v4, &v6) || (v4.family == 0 && v6.family == 0)) {
		return EBADMSG;
	}
	*addr = (struct swn_ipaddr){.ip = v4.family != 0 ? v4 : v6};
	if (v4.family != 0) {
		addr->also = v6;
	}
	addr->flags = SWN_IPADDR_ONLINE | (v4.family != 0 ? SWN_IPADDR_V4 : 0) |
		      (v6.family != 0 ? SWN_IPADDR_V6 : 0);
	if (!number(message, "flags", &addr->flags)) {
		return EBADMSG;
	}
	notify->num_addrs++;
	return 0;
}

/* A record, or an array of records. */
static int add_message(struct swn_notify *notify, const json_t *message, bool nested)
{
	const json_t *entry;
	size_t i;
	int err = 0;

	if (!json_is_array(message)) {
		if (notify->num_changes + notify->num_addrs >= RECORDS_MAX) {
			return EMSGSIZE;
		}
		return notify->type == SWN_RESOURCE_CHANGE ? add_change(notify, message)
							   : add_addr(notify, message);
	}
	json_array_foreach(message, i, entry)
	{
		err = err == 0 && !nested ? add_message(notify, entry, true)
		      : err != 0          ? err
					  : EBADMSG;
	}
	return err;
}

static int read_response(TALLOC_CTX *mem_ctx, const json_t *response, struct swn_notify *notify)
{
	const json_t *messages = json_object_get(response, "messages"), *message;
	size_t i;
	int err = 0;

	notify->changes = talloc_zero_array(mem_ctx, struct swn_resource_change, RECORDS_MAX);
	notify->addrs = talloc_zero_array(mem_ctx, struct swn_ipaddr, RECORDS_MAX);
	if (notify->changes == NULL || notify->addrs == NULL) {
		return ENOMEM;
	}
	if (!json_is_object(response) || !number(response, "type", &notify->type) ||
	    notify->type < SWN_RESOURCE_CHANGE || notify->type > SWN_IP_CHANGE ||
	    (messages != NULL && !json_is_array(messages))) {
		return EBADMSG;
	}
	json_array_foreach(messages, i, message)
	{
		err = err == 0 ? add_message(notify, message, false) : err;
	}
	return err;
}

static int encode(TALLOC_CTX *mem_ctx, const json_t *json, uint8_t **stub, size_t *len)
{
	const json_t *response = json_object_get(json, "response");
	struct swn_notify notify = {.type = 0};
	uint32_t werror = SWN_SUCCESS;
	int err = 0;

	if (!json_is_object(json) || !number(json, "result", &werror)) {
		return EBADMSG;
	}
	if (response != NULL && !json_is_null(response)) {
		err = read_response(mem_ctx, response, &notify);
	}
	if (err == 0) {
		err = swn_push_notify_reply(mem_ctx, notify.type != 0 ? &notify : NULL, werror,
					    stub, len);
	}
	return err == 0 && *len > SWN_ORDER_REPLY_MAX ? EMSGSIZE : err;
}

int swn_order_reply(TALLOC_CTX *mem_ctx, const char *text, uint8_t **stub, size_t *len, char **why)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	uint8_t *got = NULL;
	size_t got_len = 0;
	int err;

	if (json == NULL) {
		*why = talloc_asprintf(mem_ctx, "the reply is not JSON: %s, at character %d",
				       error.text, error.position);
		return EBADMSG;
	}
	err = encode(mem_ctx, json, &got, &got_len);
	json_decref(json);
	if (err == EBADMSG || err == EILSEQ) {
		*why = talloc_strdup(
			mem_ctx,
			"expected {\"result\": NUMBER, \"response\": {\"type\": 1 to 4, "
			"\"messages\": [...]}} with {\"state\": NUMBER, \"name\": TEXT} of type "
			"1, {\"flags\": NUMBER, \"ip\": ADDRESS} of others, or \"ipv4\" and "
			"\"ipv6\"");
		return EBADMSG;
	}
	if (err == EMSGSIZE) {
		*why = talloc_asprintf(mem_ctx, "the reply is longer than %u bytes or %u records",
				       SWN_ORDER_REPLY_MAX, RECORDS_MAX);
		return EBADMSG;
	}
	if (err == 0) {
		*stub = got;
		*len = got_len;
	}
	return err;
}
