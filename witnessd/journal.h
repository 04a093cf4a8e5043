/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What has happened lately: events of the cluster, and notifications of this witness, for `witnessctl
 * events`. A ring in memory; who asks too late is told how many are lost.
 */
#ifndef WITNESSD_JOURNAL_H
#define WITNESSD_JOURNAL_H

#include <jansson.h>

#include "witnessd/cluster/cluster.h"
#include "witnessd/swn/service.h"

#define JOURNAL_ENTRIES 1024U

struct journal;

/** Listen to both; they are borrowed, and cluster must have no events for it once it is freed. @return 0 or ENOMEM */
int journal_create(TALLOC_CTX *mem_ctx, struct cluster *cluster, struct swn_service *service,
		   struct journal **out);

/**
 * {"last": NUMBER, "lost": NUMBER, "events": [{"number", "time", "event", ...}]}: those behind a number, at
 * most JOURNAL_ENTRIES; a new reference, NULL when memory is short.
 */
json_t *journal_json(const struct journal *journal, uint64_t after);

#endif
