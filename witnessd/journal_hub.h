/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journals of all witnesses of the cluster in one row, for `witnessctl events`: while somebody looks, the other
 * nodes are asked for what is new, one question at a time each and at a limited pace (journal_share.h). What came in
 * between so fast that a journal no longer has it is counted. When nobody looks nobody is asked.
 */
#ifndef WITNESSD_JOURNAL_HUB_H
#define WITNESSD_JOURNAL_HUB_H

#include <jansson.h>

#include "witnessd/journal.h"

#define JOURNAL_HUB_ENTRIES  4096U
#define JOURNAL_HUB_LEASE_MS 10000U /* that a look lasts */
#define JOURNAL_HUB_PACE_MS  100U   /* between an answer of a node and the next question */
#define JOURNAL_HUB_NEWEST   256U   /* entries that another node tells at first */

struct journal_hub;

/** cluster and journal are borrowed, and live longer. @return 0, ENOMEM, or as timerfd_create(2) */
int journal_hub_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct cluster *cluster,
		       struct journal *journal, struct journal_hub **out);

/** Somebody looks, and will again soon. */
void journal_hub_look(struct journal_hub *hub);

/** Number of the newest entry in the row; 0: none. */
uint64_t journal_hub_last(const struct journal_hub *hub);
/** How many behind a number the row no longer has. */
uint64_t journal_hub_lost(const struct journal_hub *hub, uint64_t after);

/**
 * [{"node", "state", "lost"}]: of each node that matches the pattern (fnmatch(3), NULL: of all), how it stands
 * and how many of its entries came too fast, since somebody has looked first. "local"; "asked" (not all that it
 * has is here); "follows"; "older" (it does not know the question); "silent"; "gone" (no witness). A new reference.
 */
json_t *journal_hub_nodes_json(const struct journal_hub *hub, const char *pattern);

/**
 * Append the next entries behind *pos, which moves, up to a number: {"node", "number", "event", ...}, each after
 * a comma. Of other nodes than our own only notifications are told, for they see the same events, unless
 * a pattern asks for nodes.
 * @param text NULL afterwards: memory is short
 * @return whether there are more
 */
bool journal_hub_next(const struct journal_hub *hub, uint64_t *pos, uint64_t upto,
		      const char *pattern, char **text);

#endif
