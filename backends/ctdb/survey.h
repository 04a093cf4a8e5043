/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queries the ctdbds for the view. A round queries this node's ctdbd and then each connected node about itself,
 * without waiting for slow ones. Rounds run
 *  - every poll_ms, as a safety net;
 *  - at once when this node's ctdbd reports a change of the nodes; it is queried every 200 ms, because CTDB sends
 *    no message when a node is lost or its flags change;
 *  - at once and several times more within a second after ctdb_survey_trigger().
 */
#ifndef BACKENDS_CTDB_SURVEY_H
#define BACKENDS_CTDB_SURVEY_H

#include "backends/ctdb/client.h"
#include "backends/ctdb/view.h"

struct ctdb_survey;

struct ctdb_survey_config {
	struct ctdb_client *client; /* borrowed */
	struct ctdb_view *view;     /* borrowed */
	uint32_t poll_ms;
	/** Answers have arrived: the view can be composed, if it is complete. */
	void (*answers)(void *private_data);
	/** This node's ctdbd has a new view of the nodes, or its first; may be NULL. */
	void (*nodes)(void *private_data, const struct ctdb_nodemap *map);
	/** This node's own flags have changed: the other witnesses should be told, as CTDB does not. */
	void (*own_flags)(void *private_data);
	void *private_data;
};

/** Queries nothing before ctdb_survey_start(). @return NULL when memory is short */
struct ctdb_survey *ctdb_survey_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				       const struct ctdb_survey_config *config);

/** Call when the client is connected, and when it is disconnected. */
void ctdb_survey_start(struct ctdb_survey *survey);
void ctdb_survey_stop(struct ctdb_survey *survey);

/** Something has happened or is about to. May be called at any time, and often. */
void ctdb_survey_trigger(struct ctdb_survey *survey);

struct ctdb_survey_stats {
	uint64_t rounds, /* of all nodes */
		failed;  /* answers that were missing or invalid */
};

/** Borrowed. */
const struct ctdb_survey_stats *ctdb_survey_stats(const struct ctdb_survey *survey);

#endif
