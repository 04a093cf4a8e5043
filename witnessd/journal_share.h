/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our journal for other nodes that have somebody who looks at it (journal_hub.h). Nothing is sent that has not been
 * asked for: an answer is one message of a limited size, and who asks decides when it asks again, so that a flood
 * of notifications costs the peers' channel no more than that. What was not fetched in time is counted as lost.
 */
#ifndef WITNESSD_JOURNAL_SHARE_H
#define WITNESSD_JOURNAL_SHARE_H

#include "witnessd/journal.h"

#define JOURNAL_ANSWER_MAX 8192U  /* bytes */
#define JOURNAL_WAIT_MAX   20000U /* ms that a question waits for news */
#define JOURNAL_GATHER_MS  50U    /* between the news and the answer, for more to come */

struct journal_share;

/** Answer PEERS_EVENTS; peers and journal are borrowed, and live longer. @return 0, ENOMEM, or as timerfd_create(2) */
int journal_share_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct peers *peers,
			 struct journal *journal, struct journal_share **out);

#endif
