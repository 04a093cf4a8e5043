/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/log_sources.h"

#include "witnessd/util/hash.h"

#define QUIET_US (60U * 1000000U)

/* A source of which a line was logged less than a minute ago. */
struct logged {
	UT_hash_handle hh;
	struct ipaddr source;
	uint64_t logged_us;
};

struct log_sources {
	struct logged *logged; /* in the order of their lines, oldest first */
	uint64_t unsaid;
};

static void forget(struct log_sources *sources, struct logged *logged)
{
	HASH_DELETE(hh, sources->logged, logged);
	talloc_free(logged);
}

static int log_sources_destructor(struct log_sources *sources)
{
	HASH_CLEAR(hh, sources->logged); /* which are its children */
	return 0;
}

struct log_sources *log_sources_new(TALLOC_CTX *mem_ctx)
{
	struct log_sources *sources = talloc_zero(mem_ctx, struct log_sources);

	if (sources != NULL) {
		talloc_set_destructor(sources, log_sources_destructor);
	}
	return sources;
}

static bool remember(struct log_sources *sources, const struct ipaddr *source, uint64_t now_us)
{
	struct logged *logged;

	while (sources->logged != NULL && now_us - sources->logged->logged_us >= QUIET_US) {
		forget(sources, sources->logged);
	}
	HASH_FIND(hh, sources->logged, source, sizeof(*source), logged);
	if (logged != NULL || HASH_COUNT(sources->logged) >= LOG_SOURCES_MAX) {
		return false;
	}
	logged = talloc_zero(sources, struct logged);
	if (logged == NULL) {
		return false;
	}
	logged->source = *source;
	logged->logged_us = now_us;
	HASH_ADD(hh, sources->logged, source, sizeof(logged->source), logged);
	if (logged->hh.tbl == NULL) {
		talloc_free(logged);
		return false;
	}
	return true;
}

bool log_sources_may(struct log_sources *sources, const struct ipaddr *source, uint64_t now_us,
		     uint64_t *unsaid)
{
	if (!remember(sources, source, now_us)) {
		sources->unsaid++;
		return false;
	}
	*unsaid = sources->unsaid;
	sources->unsaid = 0;
	return true;
}
