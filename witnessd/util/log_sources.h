/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines that somebody on the network can cause: once a minute for each source, so that an administrator hears
 * of it, and nobody fills the log.
 */
#ifndef WITNESSD_UTIL_LOG_SOURCES_H
#define WITNESSD_UTIL_LOG_SOURCES_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/util/ipaddr.h"

/* Sources that are remembered; of further ones nothing is logged until a minute is over for one of these. */
#define LOG_SOURCES_MAX 256U

struct log_sources;

/** @return NULL when memory is short */
struct log_sources *log_sources_new(TALLOC_CTX *mem_ctx);

/**
 * @param now_us  of any clock that does not go back
 * @param unsaid  set with true: how many lines, about anybody, were held back since the last that was not
 * @return whether a line about this source is to be logged
 */
bool log_sources_may(struct log_sources *sources, const struct ipaddr *source, uint64_t now_us,
		     uint64_t *unsaid);

#endif
