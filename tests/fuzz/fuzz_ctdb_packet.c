/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ctdbd sends: a packet, and what may be inside of it; the first byte chooses the reader. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/ctdb/news.h"
#include "backends/ctdb/packet.h"
#include "backends/ctdb/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_packet(const uint8_t *data, size_t size)
{
	struct ctdb_packet packet, again;
	uint32_t length;
	uint8_t *buf = NULL;
	size_t len = 0;

	if (ctdb_packet_length(data, size, &length) != 0 ||
	    ctdb_packet_parse(data, size, &packet) != 0) {
		return;
	}
	/* What was read can be written, and says the same. */
	if (ctdb_packet_push(NULL, &packet, &buf, &len) != 0 || len > size ||
	    ctdb_packet_parse(buf, len, &again) != 0 || again.reqid != packet.reqid ||
	    again.data_len != packet.data_len ||
	    (packet.data_len > 0 && memcmp(again.data, packet.data, packet.data_len) != 0)) {
		abort();
	}
	talloc_free(buf);
}

static void check_lists(const uint8_t *data, size_t size)
{
	struct ctdb_nodemap *map = NULL;
	struct ctdb_iplist *ips = NULL;

	if (ctdb_nodemap_parse(NULL, data, size, &map) == 0 && map->num > size) {
		abort();
	}
	if (ctdb_iplist_parse(NULL, data, size, &ips) == 0 && ips->num > size) {
		abort();
	}
	talloc_free(map);
	talloc_free(ips);
}

static void check_small(const uint8_t *data, size_t size)
{
	struct ipaddr ip;
	struct ctdb_news news;
	char text[IPADDR_STRLEN];
	uint8_t again[CTDB_NEWS_MAX];
	uint32_t number;

	if (ctdb_ip_text_parse(data, size, &ip) == 0 &&
	    strcmp(ipaddr_format(&ip, text), "-") == 0) {
		abort();
	}
	if (ctdb_news_parse(data, size, &news) == 0 &&
	    (ctdb_news_push(&news, again) > size ||
	     memcmp(again, data, ctdb_news_push(&news, again)) != 0)) {
		abort();
	}
	(void)ctdb_vnnmap_parse(data, size, &number);
	(void)ctdb_u32_parse(data, size, &number);
	(void)ctdb_disable_parse(data, size, &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	switch (data[0] % 3) {
	case 0:
		check_packet(data + 1, size - 1);
		break;
	case 1:
		check_lists(data + 1, size - 1);
		break;
	default:
		check_small(data + 1, size - 1);
		break;
	}
	return 0;
}
