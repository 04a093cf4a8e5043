/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/publish.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

struct ctdb_publisher {
	struct tevent_context *ev;
	struct ctdb_publisher_config config;
	struct ctdb_publisher_stats stats;
	struct mono_timer *settled;
	struct tevent_immediate *soon;
	struct cluster_state *published; /* what the core has; NULL: nothing yet */
	bool stale;                      /* the core was told that the manager is lost */
	bool waits;                      /* for a ctdbd that has just been started; logged */
};

static void on_settled(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		       void *private_data)
{
	struct ctdb_publisher *publisher =
		talloc_get_type_abort(private_data, struct ctdb_publisher);

	publisher->settled = NULL;
	publisher->config.ask_again(publisher->config.private_data);
}

/* Ask again when something that was said has stood long enough to be believed. */
static void settle_at(struct ctdb_publisher *publisher, uint64_t now_ms, uint64_t when_ms)
{
	TALLOC_FREE(publisher->settled);
	if (when_ms != UINT64_MAX) {
		unsigned int ms = when_ms > now_ms ? (unsigned int)(when_ms - now_ms) : 0;

		publisher->settled =
			mono_timer_add(publisher->ev, publisher, ms, on_settled, publisher);
	}
}

/* @return 0 or ENOMEM */
static int hand_over(struct ctdb_publisher *publisher, struct cluster_state *state)
{
	struct cluster_state *copy = cluster_state_copy(publisher, state);

	if (copy == NULL) {
		return ENOMEM;
	}
	state->generation = copy->generation = ++publisher->stats.snapshots;
	talloc_free(publisher->published);
	publisher->published = copy;
	publisher->stale = false;
	publisher->config.sink->snapshot(publisher->config.sink->private_data, &state);
	return 0;
}

static int compose(struct ctdb_publisher *publisher, TALLOC_CTX *tmp)
{
	struct ctdb_view_intents intents;
	struct cluster_state *state;
	uint64_t now_ms = clock_ms(), next_ms;
	int err =
		ctdb_view_compose(publisher->config.view, tmp, now_ms, &state, &intents, &next_ms);

	if (err != 0) {
		return err;
	}
	settle_at(publisher, now_ms, next_ms);
	talloc_steal(tmp, intents.list); /* the core takes the state */
	if (!publisher->stale && publisher->published != NULL &&
	    cluster_state_equal(publisher->published, state)) {
		publisher->stats.unchanged++;
	} else {
		err = hand_over(publisher, state);
	}
	for (size_t i = 0; i < intents.num; i++) {
		publisher->config.sink->intent(publisher->config.sink->private_data,
					       &intents.list[i]);
	}
	return err;
}

void ctdb_publish(struct ctdb_publisher *publisher)
{
	TALLOC_CTX *tmp;

	if (!ctdb_client_is_up(publisher->config.client)) {
		return;
	}
	if (!ctdb_view_complete(publisher->config.view)) {
		if (!publisher->waits && (publisher->stale || publisher->published == NULL)) {
			log_info("ctdb: waiting until ctdbd has started");
			publisher->waits = true;
		}
		return;
	}
	publisher->waits = false;
	tmp = talloc_new(publisher);
	if (tmp == NULL || compose(publisher, tmp) != 0) {
		log_err("ctdb: out of memory: a change of the cluster is not seen");
	}
	talloc_free(tmp);
}

static void on_soon(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	ctdb_publish(talloc_get_type_abort(private_data, struct ctdb_publisher));
}

/*
 * smbd ends with its ctdbd, and the other nodes take the addresses over in a moment: what this node had
 * is lost, though its addresses may stay where they are for want of somebody who removes them.
 */
static void publish_own_loss(struct ctdb_publisher *publisher)
{
	struct cluster_state *state = cluster_state_copy(publisher, publisher->published);
	const struct cluster_node *local;

	if (state == NULL) {
		return;
	}
	local = cluster_state_local(state);
	state->quorate = false;
	for (size_t i = 0; i < state->num_addrs && local != NULL; i++) {
		struct cluster_addr *addr = &state->addrs[i];

		if (addr->node != NULL && strcmp(addr->node, local->name) == 0) {
			addr->node = NULL;
			addr->state = CLUSTER_ADDR_UNAVAILABLE;
		}
	}
	for (size_t i = 0; i < state->num_nodes; i++) {
		state->nodes[i].online &= !state->nodes[i].local;
	}
	if (hand_over(publisher, state) != 0) {
		log_err("ctdb: out of memory: the loss of this node's addresses is not seen");
		talloc_free(state);
	}
}

void ctdb_publish_soon(struct ctdb_publisher *publisher)
{
	tevent_schedule_immediate(publisher->soon, publisher->ev, on_soon, publisher);
}

void ctdb_publish_lost(struct ctdb_publisher *publisher, const char *reason, bool ended)
{
	TALLOC_FREE(publisher->settled);
	if (ended && publisher->published != NULL && !publisher->stale) {
		publish_own_loss(publisher);
	}
	publisher->stale = true;
	publisher->config.sink->lost(publisher->config.sink->private_data, reason);
}

const struct ctdb_publisher_stats *ctdb_publisher_stats(const struct ctdb_publisher *publisher)
{
	return &publisher->stats;
}

struct ctdb_publisher *ctdb_publisher_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					     const struct ctdb_publisher_config *config)
{
	struct ctdb_publisher *publisher = talloc_zero(mem_ctx, struct ctdb_publisher);

	if (publisher == NULL) {
		return NULL;
	}
	publisher->ev = ev;
	publisher->config = *config;
	publisher->soon = tevent_create_immediate(publisher);
	if (publisher->soon == NULL) {
		TALLOC_FREE(publisher);
	}
	return publisher;
}
