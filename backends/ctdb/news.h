/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the witnesses tell each other about their own nodes. ctdbd sends RELEASE_IP and TAKE_IP only to clients
 * on the node concerned; 4.17 announces a `ctdb moveip` in no other way, and other nodes see the flags of a
 * node up to a second late. With a witness on each node all know at once. Broadcast to
 * CTDB_SRVID_WITNESSD_NEWS, network byte order:
 *
 *   u32 "WNEW", u8 version 1, u8 kind, u32 pnn, [address]
 */
#ifndef BACKENDS_CTDB_NEWS_H
#define BACKENDS_CTDB_NEWS_H

#include <stddef.h>
#include <stdint.h>

#include "witnessd/util/ipaddr.h"

#define CTDB_NEWS_MAX 32U /* octets */

enum ctdb_news_kind {
	CTDB_NEWS_TAKEN = 1,    /* the node has .ip now */
	CTDB_NEWS_RELEASED = 2, /* it does not have .ip any more */
	CTDB_NEWS_LOOK = 3,     /* something else has changed there: query it */
};

struct ctdb_news {
	enum ctdb_news_kind kind;
	uint32_t pnn; /* the node concerned, which is the sender */
	struct ipaddr ip;
};

/** @return its length in octets */
size_t ctdb_news_push(const struct ctdb_news *news, uint8_t out[CTDB_NEWS_MAX]);

/** @return 0, EBADMSG, or ENOTSUP for an unknown kind or version */
int ctdb_news_parse(const uint8_t *data, size_t len, struct ctdb_news *out);

#endif
