/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/publish.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

#define RETRY_MS 1000 /* what could not be told for want of memory */

struct ctdb_publisher {
	struct tevent_context *ev;
	struct ctdb_publisher_config config;
	struct ctdb_publisher_stats stats;
	struct mono_alarm *settled;
	struct tevent_immediate *soon;
	struct cluster_state *published; /* what the core has; NULL: nothing yet */
	bool stale;                      /* the core was told that the manager is lost */
	bool loss_due; /* ctdbd has ended, and that this node's addresses went with it is not told yet */
	bool waits; /* for a ctdbd that has just been started; logged */
};

static void tell_own_loss(struct ctdb_publisher *publisher, const char *reason);

static void on_settled(void *private_data)
{
	struct ctdb_publisher *publisher =
		talloc_get_type_abort(private_data, struct ctdb_publisher);

	if (publisher->loss_due) {
		tell_own_loss(publisher, "ctdbd has ended");
	} else {
		publisher->config.ask_again(publisher->config.private_data);
	}
}

/* Query again when a claim has stood long enough to count. */
static void settle_at(struct ctdb_publisher *publisher, uint64_t now_ms, uint64_t when_ms)
{
	if (when_ms == UINT64_MAX) {
		mono_alarm_clear(publisher->settled);
	} else {
		mono_alarm_set(publisher->settled, when_ms > now_ms ? when_ms - now_ms : 0);
	}
}

/* Takes the state over. @return 0, or ENOMEM: the core knows no more than before */
static int hand_over(struct ctdb_publisher *publisher, struct cluster_state *state)
{
	const struct backend_sink *sink = publisher->config.sink;
	struct cluster_state *copy = cluster_state_copy(publisher, state);
	int err = ENOMEM;

	if (copy != NULL) {
		state->generation = copy->generation = publisher->stats.snapshots + 1;
		err = sink->snapshot(sink->private_data, &state);
	}
	talloc_free(state);
	if (err == ENOMEM) {
		talloc_free(copy);
		return err;
	}
	publisher->stats.snapshots++;
	talloc_free(publisher->published);
	publisher->published = copy;
	publisher->stale = publisher->loss_due = false;
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
		log_err("ctdb: out of memory: a change of the cluster is seen later");
		settle_at(publisher, 0, RETRY_MS);
	}
	talloc_free(tmp);
}

static void on_soon(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
	ctdb_publish(talloc_get_type_abort(private_data, struct ctdb_publisher));
}

/*
 * smbd ends with its ctdbd, and the other nodes take the addresses over in a moment: what this node had is
 * lost, though its addresses may stay configured because nobody removes them.
 */
static int publish_own_loss(struct ctdb_publisher *publisher)
{
	struct cluster_state *state = cluster_state_copy(publisher, publisher->published);
	const struct cluster_node *local;

	if (state == NULL) {
		return ENOMEM;
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
	return hand_over(publisher, state);
}

/* And that the manager has gone, which a snapshot takes back. */
static void tell_own_loss(struct ctdb_publisher *publisher, const char *reason)
{
	publisher->loss_due = publish_own_loss(publisher) != 0;
	if (publisher->loss_due) {
		log_err("ctdb: out of memory: the loss of this node's addresses is seen later");
		mono_alarm_set(publisher->settled, RETRY_MS);
	}
	publisher->stale = true;
	publisher->config.sink->lost(publisher->config.sink->private_data, reason);
}

void ctdb_publish_soon(struct ctdb_publisher *publisher)
{
	tevent_schedule_immediate(publisher->soon, publisher->ev, on_soon, publisher);
}

void ctdb_publish_lost(struct ctdb_publisher *publisher, const char *reason, bool ended)
{
	mono_alarm_clear(publisher->settled);
	publisher->loss_due = false;
	if (ended && publisher->published != NULL && !publisher->stale) {
		tell_own_loss(publisher, reason);
		return;
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
	if (publisher->soon == NULL ||
	    mono_alarm_create(publisher, ev, on_settled, publisher, &publisher->settled) != 0) {
		TALLOC_FREE(publisher);
	}
	return publisher;
}
