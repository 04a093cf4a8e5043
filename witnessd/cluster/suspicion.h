/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a node that has fallen silent is to be treated as dead before the cluster manager says so. Pure:
 * no clock of its own (times are given, in milliseconds of a clock that never goes back), no I/O, no
 * messages; heartbeat.h feeds it and acts on it.
 *
 * A missing beat alone says little: the witnessd of that node may hang, or be stopped, while the node
 * serves its clients. So a node counts as dead only when all of this is true:
 *
 *  - this witnessd heard beats of it, and has heard nothing of it for the timeout;
 *  - a probe of the node itself, begun after that, was not answered either;
 *  - a majority of all nodes that the manager has configured (those that are down and the suspect itself
 *    counted in the total) say the same: this one, and others whose own beats have been heard in the last
 *    half of the timeout. Two nodes have no such majority without the suspect, so with two nodes there
 *    is never a verdict;
 *  - nobody whose beats are heard still hears the suspect;
 *  - the manager has quorum, is in touch with us, and still has the suspect online.
 *
 * The verdict ends when the node's beats return, a probe of it is answered, somebody who is heard hears it,
 * or the manager itself has it offline: from then on the manager is believed again. It does not end only
 * because those who agreed have gone.
 *
 * A witnessd that was itself stopped for a while finds everybody silent. It is noticed by the time between
 * two ticks: then everybody has a new timeout, and no probe of before counts.
 */
#ifndef WITNESSD_CLUSTER_SUSPICION_H
#define WITNESSD_CLUSTER_SUSPICION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/cluster/state.h"

struct suspicion;

/* What a witnessd has to say of another node. Part of the wire format: numbers are never used again. */
enum suspicion_say {
	SUSPICION_NO_SAY = 0, /* has not heard it since it joined, or its witness has left */
	SUSPICION_HEARD = 1,
	SUSPICION_SILENT = 2,
	SUSPICION_PROVEN = 3, /* silent, and the node does not answer either */
};

struct suspicion_opinion {
	const char *node;
	enum suspicion_say say;
};

enum suspicion_answer {
	SUSPICION_ANSWERED,
	SUSPICION_UNANSWERED, /* though there was time for it */
	SUSPICION_CANNOT_TELL,
};

/* What a tick has changed. */
#define SUSPICION_OPINION_CHANGED 1U /* what we have to say: the others should hear it soon */
#define SUSPICION_VERDICT_CHANGED 2U /* who counts as dead */

/** Nobody is known. @param timeout_ms silence that counts @return 0 or ENOMEM */
int suspicion_create(TALLOC_CTX *mem_ctx, uint32_t timeout_ms, struct suspicion **out);

/**
 * A beat. A node that beats rarely has four of its own intervals, if that is longer than the timeout.
 * @return 0 or ENOMEM: it is as if it had not come
 */
int suspicion_beat(struct suspicion *s, const char *node, uint32_t interval_ms, uint64_t now_ms);

/** Anything else that shows that the witnessd of a node lives; only counts for one that beats. */
void suspicion_sign(struct suspicion *s, const char *node, uint64_t now_ms);

/**
 * What came with a beat: all that node has to say, in place of what it said before.
 * @return 0, ENOENT (it does not beat) or ENOMEM: it has nothing to say
 */
int suspicion_says(struct suspicion *s, const char *node, const struct suspicion_opinion *opinions,
		   size_t num);

/** The witnessd of a node has left as the transport says, or we have: no beats are expected. */
void suspicion_left(struct suspicion *s, const char *node);

/**
 * The next node to ask whether it lives: silent for half the timeout, or counted as dead, not being asked,
 * and not asked in the last third of the timeout. A suspicion_answer() must follow on each.
 * @return NULL: nobody; else borrowed until the next call of anything here
 */
const char *suspicion_ask(struct suspicion *s, uint64_t now_ms);
void suspicion_answer(struct suspicion *s, const char *node, enum suspicion_answer answer);

/** How long a probe may take, in milliseconds. */
uint32_t suspicion_probe_timeout(const struct suspicion *s);

/**
 * Judge. To be called a few times in each timeout, and soon after opinions of others have come.
 * @param manager the last snapshot of the backend, unaltered; NULL while there is none or it is stale
 * @return SUSPICION_*_CHANGED
 */
unsigned int suspicion_tick(struct suspicion *s, const struct cluster_state *manager,
			    uint64_t now_ms);

bool suspicion_is_dead(const struct suspicion *s, const char *node);

/* One node as it was judged last, for the log and witnessctl. */
struct suspicion_view {
	const char *node;
	enum suspicion_say say, was_say; /* was_: before that tick */
	bool dead, was_dead;
	uint64_t heard_ms; /* when */
	unsigned int votes,
		total; /* for a node that is silent: who says PROVEN, ourselves included */
};

/** All nodes, one after the other. @return false when there are no more */
bool suspicion_view(const struct suspicion *s, size_t i, struct suspicion_view *view);

#endif
