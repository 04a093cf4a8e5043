/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the ctdbds what the view wants to know. A round asks this node's ctdbd about itself and then each
 * node that is there about itself; slow ones are not waited for. Rounds come
 *  - every poll_ms, as the net underneath everything else;
 *  - at once when this node's ctdbd sees the nodes otherwise than before; it is asked every 200 ms, because
 *    CTDB tells nobody that a node was lost or that its flags have changed;
 *  - at once and several times more within a second after ctdb_survey_trigger(): something happens now.
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
	/** There are answers: the view has something to compose, unless it is not complete yet. */
	void (*answers)(void *private_data);
	/** This node's ctdbd sees the nodes otherwise than before, or for the first time; may be NULL. */
	void (*nodes)(void *private_data, const struct ctdb_nodemap *map);
	/** This node's own flags are other than before: those who are not told by CTDB might be. */
	void (*own_flags)(void *private_data);
	void *private_data;
};

/** Nothing is asked before ctdb_survey_start(). @return NULL when memory is short */
struct ctdb_survey *ctdb_survey_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				       const struct ctdb_survey_config *config);

/** The client is connected; it is no more. */
void ctdb_survey_start(struct ctdb_survey *survey);
void ctdb_survey_stop(struct ctdb_survey *survey);

/** Something has happened or will at once. May be called at any time, and often. */
void ctdb_survey_trigger(struct ctdb_survey *survey);

struct ctdb_survey_stats {
	uint64_t rounds, /* of all nodes */
		failed;  /* answers that were missing or made no sense */
};

const struct ctdb_survey_stats *ctdb_survey_stats(const struct ctdb_survey *survey);

#endif
