/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counters and states for Prometheus. */
#ifndef WITNESSD_METRICS_H
#define WITNESSD_METRICS_H

#include <jansson.h>
#include <talloc.h>

/**
 * What `witnessctl status` and `nodes` say, in the text format of Prometheus (version 0.0.4). Pure.
 * @return a child of mem_ctx; NULL when memory is short
 */
char *metrics_text(TALLOC_CTX *mem_ctx, const json_t *status, const json_t *nodes);

#endif
