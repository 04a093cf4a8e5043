/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/payload.h"

#include <errno.h>
#include <string.h>

#define NODE_LEN        36U
#define IP_LEN          32U
#define VNNMAP_LEN      8U
#define DISABLE_LEN     24U
#define OFF_DISABLE_FOR 16U
#define IP_TEXT_MAX     64U

/* Fields need not be aligned. */
static uint32_t get_u32(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static struct ipaddr get_ip(const uint8_t *data)
{
	struct sockaddr_storage ss = {.ss_family = 0};

	memcpy(&ss, data, CTDB_SOCKADDR_LEN);
	return ipaddr_from_sockaddr(&ss);
}

/* The number of elements of a list that fills the data to its end. */
static int get_num(const uint8_t *data, size_t len, size_t element, size_t *num)
{
	uint32_t claimed;

	if (len < sizeof(claimed)) {
		return EBADMSG;
	}
	claimed = get_u32(data);
	if (claimed > (len - sizeof(claimed)) / element) {
		return EBADMSG;
	}
	*num = claimed;
	return 0;
}

int ctdb_nodemap_parse(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
		       struct ctdb_nodemap **out)
{
	struct ctdb_nodemap *map;
	size_t num;

	if (get_num(data, len, NODE_LEN, &num) != 0) {
		return EBADMSG;
	}
	map = talloc_zero(mem_ctx, struct ctdb_nodemap);
	if (map != NULL) {
		map->list = talloc_array(map, struct ctdb_node, num);
	}
	if (map == NULL || map->list == NULL) {
		talloc_free(map);
		return ENOMEM;
	}
	map->num = num;
	for (size_t i = 0; i < num; i++) {
		const uint8_t *entry = data + 4 + i * NODE_LEN;

		map->list[i] = (struct ctdb_node){.pnn = get_u32(entry),
						  .flags = get_u32(entry + 4),
						  .ip = get_ip(entry + 8)};
		if (map->list[i].pnn != i) {
			/* The index is the number: everything else relies on it. */
			talloc_free(map);
			return EBADMSG;
		}
	}
	*out = map;
	return 0;
}

int ctdb_iplist_parse(TALLOC_CTX *mem_ctx, const uint8_t *data, size_t len,
		      struct ctdb_iplist **out)
{
	struct ctdb_iplist *ips;
	size_t num;

	if (get_num(data, len, IP_LEN, &num) != 0) {
		return EBADMSG;
	}
	ips = talloc_zero(mem_ctx, struct ctdb_iplist);
	if (ips != NULL) {
		ips->list = talloc_array(ips, struct ctdb_ip, num);
	}
	if (ips == NULL || ips->list == NULL) {
		talloc_free(ips);
		return ENOMEM;
	}
	ips->num = num;
	for (size_t i = 0; i < num; i++) {
		const uint8_t *entry = data + 4 + i * IP_LEN;

		ips->list[i] = (struct ctdb_ip){.pnn = get_u32(entry), .ip = get_ip(entry + 4)};
		if (ips->list[i].ip.family == 0) {
			talloc_free(ips);
			return EBADMSG;
		}
	}
	*out = ips;
	return 0;
}

int ctdb_vnnmap_parse(const uint8_t *data, size_t len, uint32_t *generation)
{
	if (len < VNNMAP_LEN) {
		return EBADMSG;
	}
	*generation = get_u32(data);
	return 0;
}

int ctdb_u32_parse(const uint8_t *data, size_t len, uint32_t *out)
{
	if (len < sizeof(*out)) {
		return EBADMSG;
	}
	*out = get_u32(data);
	return 0;
}

int ctdb_ip_text_parse(const uint8_t *data, size_t len, struct ipaddr *out)
{
	if (len == 0 || len > IP_TEXT_MAX || memchr(data, '\0', len) != data + len - 1) {
		return EBADMSG;
	}
	return ipaddr_parse((const char *)data, out) == 0 ? 0 : EBADMSG;
}

int ctdb_disable_parse(const uint8_t *data, size_t len, uint32_t *timeout_s)
{
	return len < DISABLE_LEN
		       ? EBADMSG
		       : ctdb_u32_parse(data + OFF_DISABLE_FOR, len - OFF_DISABLE_FOR, timeout_s);
}

/* Only what the family has: the tail is to be zero. */
static void put_sockaddr(const struct sockaddr_storage *ss, uint8_t out[CTDB_SOCKADDR_LEN])
{
	struct sockaddr_storage plain;
	struct ipaddr ip = ipaddr_from_sockaddr(ss);

	ipaddr_to_sockaddr(&ip, ipaddr_port(ss), &plain);
	memset(out, 0, CTDB_SOCKADDR_LEN);
	memcpy(out, &plain,
	       ip.family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
}

void ctdb_connection_push(const struct sockaddr_storage *client,
			  const struct sockaddr_storage *server, uint8_t out[CTDB_CONNECTION_LEN])
{
	put_sockaddr(client, out);
	put_sockaddr(server, out + CTDB_SOCKADDR_LEN);
}
