/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides whether a silent node is to be treated as dead before the cluster manager says so. Pure: no clock
 * (callers pass milliseconds of a clock that never goes back), no I/O, no messages; heartbeat.h feeds it
 * and acts on its verdicts.
 *
 * A missing beat alone says little: the witnessd of that node may hang, or be stopped, while the node
 * serves its clients. So a node counts as dead only if all of these are true:
 *
 *  - this witnessd has heard its beats, and then nothing from it for the timeout;
 *  - a probe of the node itself, started after that, was not answered either;
 *  - a majority of all nodes that the manager has configured (those that are down and the suspect itself
 *    counted in the total) agree: this one, and others whose own beats have been heard in the last half
 *    of the timeout. A cluster of two nodes has no such majority without the suspect, so it never
 *    reaches a verdict;
 *  - no peer whose beats are heard still hears the suspect;
 *  - the manager has quorum, is connected to us, and still lists the suspect as online.
 *
 * The verdict ends when the node's beats return, a probe of it is answered, a peer that is heard hears it,
 * or the manager itself lists it as offline: from then on the manager is followed again. It does not end
 * merely because those who agreed are gone.
 *
 * To a witnessd that was itself stopped for a while everybody seems silent. This shows in the time between
 * two ticks: then all timeouts start again, and earlier probes do not count.
 */
#ifndef WITNESSD_CLUSTER_SUSPICION_H
#define WITNESSD_CLUSTER_SUSPICION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "witnessd/cluster/state.h"

struct suspicion;

/* A witnessd's opinion about another node. Part of the wire format: numbers are never reused. */
enum suspicion_say {
	SUSPICION_NO_SAY = 0, /* not heard since we joined, or its witness has left */
	SUSPICION_HEARD = 1,
	SUSPICION_SILENT = 2,
	SUSPICION_PROVEN = 3, /* silent, and the node does not answer probes either */
};

struct suspicion_opinion {
	const char *node;
	enum suspicion_say say;
};

enum suspicion_answer {
	SUSPICION_ANSWERED,
	SUSPICION_UNANSWERED, /* within the probe timeout */
	SUSPICION_CANNOT_TELL,
};

/* What a tick may have changed. */
#define SUSPICION_OPINION_CHANGED 1U /* our opinions: to be sent to the others soon */
#define SUSPICION_VERDICT_CHANGED 2U /* who counts as dead */

/** Start without any nodes. @param timeout_ms silence that counts @return 0 or ENOMEM */
int suspicion_create(TALLOC_CTX *mem_ctx, uint32_t timeout_ms, struct suspicion **out);

/**
 * A beat has arrived. If four of the node's own intervals are longer than the timeout, they count instead.
 * @return 0, or ENOMEM: as if it had not arrived
 */
int suspicion_beat(struct suspicion *s, const char *node, uint32_t interval_ms, uint64_t now_ms);

/** Some other sign that the witnessd of a node is alive; counts only for one that sends beats. */
void suspicion_sign(struct suspicion *s, const char *node, uint64_t now_ms);

/**
 * The opinions in a beat: they replace all earlier ones of that node.
 * @return 0; ENOENT (it does not send beats); ENOMEM: it has no opinions now
 */
int suspicion_says(struct suspicion *s, const char *node, const struct suspicion_opinion *opinions,
		   size_t num);

/** According to the transport the witnessd of a node, or ours, has left: no beats are expected. */
void suspicion_left(struct suspicion *s, const char *node);

/**
 * The next node to probe: silent for half the timeout, or counted as dead, not being probed, and not probed
 * in the last third of the timeout. A suspicion_answer() must follow for each.
 * @return NULL: none; else borrowed until the next call of anything here
 */
const char *suspicion_ask(struct suspicion *s, uint64_t now_ms);
/** The result of a probe. */
void suspicion_answer(struct suspicion *s, const char *node, enum suspicion_answer answer);

/** How long a probe may take, in milliseconds. */
uint32_t suspicion_probe_timeout(const struct suspicion *s);

/**
 * Reach verdicts. To be called a few times per timeout, and soon after opinions of others have arrived.
 * @param manager the last snapshot of the backend, unaltered; NULL while there is none or it is stale
 * @return SUSPICION_*_CHANGED
 */
unsigned int suspicion_tick(struct suspicion *s, const struct cluster_state *manager,
			    uint64_t now_ms);

/** Whether a node counts as dead. */
bool suspicion_is_dead(const struct suspicion *s, const char *node);

/* A node as of the last tick, for the log and witnessctl. */
struct suspicion_view {
	const char *node;
	enum suspicion_say say, was_say; /* was_: before that tick */
	bool dead, was_dead;
	uint64_t heard_ms;         /* when */
	unsigned int votes, total; /* of a silent node: how many say PROVEN, including us */
};

/** The node at index i. @return false when there are no more */
bool suspicion_view(const struct suspicion *s, size_t i, struct suspicion_view *view);

#endif
