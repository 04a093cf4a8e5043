/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metrics over HTTP, for a collector that asks by itself: GET /metrics and nothing else, by
 * libmicrohttpd in our event loop. No threads; connections, their time and memory are limited, and the
 * text is made once a second at most, so that nobody keeps the daemon from its work.
 */
#ifndef WITNESSD_METRICS_HTTP_H
#define WITNESSD_METRICS_HTTP_H

#include <stdint.h>
#include <talloc.h>
#include <tevent.h>

#include "witnessd/util/ipaddr.h"

#define METRICS_HTTP_FRESH_MS 1000

struct metrics_http_limits {
	unsigned int connections; /* of one address; others wait in the kernel */
	unsigned int source;      /* of these from one source; more are closed */
	unsigned int time_ms;     /* from connecting to the end of the answer */
};

/* Since the start. */
struct metrics_http_stats {
	uint64_t full;     /* times that an address had all its connections */
	uint64_t refused;  /* connections beyond those of a source */
	uint64_t timeouts; /* connections that took too long */
	uint64_t out_of_files;
};

struct metrics_http;

/** Makes the text. @return a child of mem_ctx; NULL when memory is short */
typedef char *(*metrics_http_fn)(void *private_data, TALLOC_CTX *mem_ctx);

/**
 * Serves nothing yet; limits are copied; freeing it closes all connections.
 * @return 0, ENOMEM, or ENOTSUP when witnessd was built without libmicrohttpd
 */
int metrics_http_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, metrics_http_fn fn,
			void *private_data, const struct metrics_http_limits *limits,
			struct metrics_http **out);

/** Serve on an address, too. @return 0, ENOMEM, EIO when the library refuses, or what binding gave */
int metrics_http_listen(struct metrics_http *http, const struct ipaddr *addr, uint16_t port);

/** What has been refused, closed or delayed. */
struct metrics_http_stats metrics_http_stats(const struct metrics_http *http);

#endif
