/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What has happened lately, as this witness has seen it: events of the cluster, and its own notifications. Kept in
 * memory, the one and the other apart, so that ten thousand notifications do not push out what they were about.
 */
#ifndef WITNESSD_JOURNAL_H
#define WITNESSD_JOURNAL_H

#include "witnessd/cluster/cluster.h"
#include "witnessd/swn/service.h"

#define JOURNAL_EVENTS        256U
#define JOURNAL_NOTIFICATIONS 1024U

struct journal;

/** Listen to both; they are borrowed, and cluster must have no events for it once it is freed. @return 0 or ENOMEM */
int journal_create(TALLOC_CTX *mem_ctx, struct cluster *cluster, struct swn_service *service,
		   struct journal **out);

/** Tells this journal from that of another start of the daemon; not 0. */
uint64_t journal_life(const struct journal *journal);
/** Number of the newest entry; 0: none. The numbers of events and notifications are one row. */
uint64_t journal_last(const struct journal *journal);
/** How many there are behind a number, as far as they are kept. */
size_t journal_count(const struct journal *journal, uint64_t after);

/**
 * Those behind a number, oldest first; bytes as in journal_wire.h, borrowed for the call.
 * @param fn until it returns false
 */
void journal_read(const struct journal *journal, uint64_t after,
		  bool (*fn)(void *private_data, uint64_t number, const uint8_t *bytes, size_t len),
		  void *private_data);

/** Hear that there is an entry; not more than a note should be made of it. fn NULL: nobody listens any more. */
void journal_set_news(struct journal *journal, void (*fn)(void *private_data), void *private_data);

#endif
