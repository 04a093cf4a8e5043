/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/news.h"

#include <errno.h>

#include "witnessd/util/pack.h"

#define MAGIC   0x574e4557U /* "WNEW" */
#define VERSION 1U

size_t ctdb_news_push(const struct ctdb_news *news, uint8_t out[CTDB_NEWS_MAX])
{
	struct pack_out pack = {.p = out, .size = CTDB_NEWS_MAX};

	pack_u32(&pack, MAGIC);
	pack_u8(&pack, VERSION);
	pack_u8(&pack, (uint8_t)news->kind);
	pack_u32(&pack, news->pnn);
	if (news->kind != CTDB_NEWS_LOOK) {
		pack_ip(&pack, &news->ip);
	}
	return pack.len;
}

int ctdb_news_parse(const uint8_t *data, size_t len, struct ctdb_news *out)
{
	struct pack_in in = {.p = data, .left = len};
	uint32_t magic = unpack_u32(&in);
	uint8_t version = unpack_u8(&in);
	uint8_t kind = unpack_u8(&in);
	struct ctdb_news news = {.kind = kind};

	news.pnn = unpack_u32(&in);
	if (in.err != 0 || magic != MAGIC) {
		return EBADMSG;
	}
	if (version != VERSION || news.kind < CTDB_NEWS_TAKEN || news.kind > CTDB_NEWS_LOOK) {
		return ENOTSUP;
	}
	if (news.kind != CTDB_NEWS_LOOK) {
		news.ip = unpack_ip(&in);
		if (in.err != 0 || news.ip.family == 0) {
			return EBADMSG;
		}
	}
	*out = news;
	return 0;
}
