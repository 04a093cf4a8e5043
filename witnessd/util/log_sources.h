/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rate limit for log lines that anyone on the network can cause: one a minute for each source address, so that
 * the administrator learns of it and nobody can flood the log.
 */
#ifndef WITNESSD_UTIL_LOG_SOURCES_H
#define WITNESSD_UTIL_LOG_SOURCES_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/ipaddr.h"

/* Sources remembered. Others are not logged until the minute of one of these is over. */
#define LOG_SOURCES_MAX 256U

struct log_sources;

/** @return NULL when memory is short */
struct log_sources *log_sources_new(TALLOC_CTX *mem_ctx);

/**
 * @param now_us  any clock that does not go back
 * @param unsaid  set when the result is true: lines, of all sources, suppressed since the last one logged
 * @return whether a line about this source is to be logged
 */
bool log_sources_may(struct log_sources *sources, const struct ipaddr *source, uint64_t now_us,
		     uint64_t *unsaid);

#endif
