/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two nodes, n1 and n2, whose witnesses hear each other, in one process and one event loop. */
#ifndef TESTS_UNIT_CLUSTER_PAIR_H
#define TESTS_UNIT_CLUSTER_PAIR_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cluster_fixture.h"
#include "witnessd/cluster/cluster.h"

struct pair_end {
	struct pair *pair;
	const char *name;
	struct cluster *cluster; /* borrowed */
	uint64_t generation;
};

struct pair {
	struct tevent_context *ev;
	struct pair_end ends[2];
	bool cut;
};

struct pair_msg {
	struct pair_end *from, *to;
	uint8_t *bytes;
	size_t len;
};

static inline void pair_deliver(struct tevent_context *ev, struct tevent_immediate *im,
				void *private_data)
{
	struct pair_msg *msg = private_data;
	const struct backend_sink *sink = cluster_sink(msg->to->cluster);

	if (!msg->from->pair->cut || msg->from == msg->to) {
		sink->message(sink->private_data, msg->from->name, msg->bytes, msg->len);
	}
	talloc_free(msg);
}

static inline int pair_broadcast(void *private_data, const uint8_t *bytes, size_t len)
{
	struct pair_end *from = private_data;

	for (int i = 0; i < 2; i++) {
		struct pair_msg *msg = talloc_zero(from->pair, struct pair_msg);

		*msg = (struct pair_msg){.from = from,
					 .to = &from->pair->ends[i],
					 .bytes = talloc_memdup(msg, bytes, len),
					 .len = len};
		tevent_schedule_immediate(tevent_create_immediate(msg), from->pair->ev,
					  pair_deliver, msg);
	}
	return 0;
}

static inline void pair_link(struct pair *pair, struct cluster *a, struct cluster *b)
{
	struct cluster *clusters[] = {a, b};

	for (int i = 0; i < 2; i++) {
		struct pair_end *end = &pair->ends[i];
		struct peers_transport transport = {pair_broadcast, end};

		*end = (struct pair_end){
			.pair = pair, .name = i == 0 ? "n1" : "n2", .cluster = clusters[i]};
		peers_set_transport(cluster_peers(end->cluster), &transport);
	}
	for (int i = 0; i < 2; i++) {
		const struct backend_sink *sink = cluster_sink(clusters[i]);

		sink->peer_up(sink->private_data, pair->ends[1 - i].name);
		sink->peers_joined(sink->private_data, pair->ends[i].name);
	}
}

/* Each end sees 10.0.0.7 on owner (NULL: nowhere) and 10.0.0.8 on n2. */
static inline void pair_place(struct pair *pair, const char *owner)
{
	for (int i = 0; i < 2; i++) {
		struct pair_end *end = &pair->ends[i];
		const struct backend_sink *sink = cluster_sink(end->cluster);
		struct cluster_state *state = cluster_state_new(NULL);

		fix_node(state, "n1", i == 0 ? "ol" : "o");
		fix_node(state, "n2", i == 1 ? "ol" : "o");
		if (owner != NULL) {
			fix_up(state, "10.0.0.7", owner);
		} else {
			fix_down(state, "10.0.0.7");
		}
		fix_up(state, "10.0.0.8", "n2");
		state->generation = ++end->generation;
		sink->snapshot(sink->private_data, &state);
	}
}

/* n1 is gone, as n2 hears it. */
static inline void pair_lose_n1(struct pair *pair)
{
	const struct backend_sink *sink = cluster_sink(pair->ends[1].cluster);

	pair->cut = true;
	sink->peer_down(sink->private_data, "n1");
}

static inline void pair_too_late(struct tevent_context *ev, struct tevent_timer *te,
				 struct timeval now, void *private_data)
{
	*(bool *)private_data = true;
}

static inline void pair_tick(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			     void *private_data)
{
}

/* Run the loop until it is so, or fail after 20 s. */
static inline void pair_until(struct pair *pair, bool (*so)(void *private_data), void *private_data)
{
	TALLOC_CTX *tmp = talloc_new(pair);
	bool late = false;

	tevent_add_timer(pair->ev, tmp, tevent_timeval_current_ofs(20, 0), pair_too_late, &late);
	while (!so(private_data)) {
		assert_false(late);
		tevent_add_timer(pair->ev, tmp, tevent_timeval_current_ofs(0, 5000), pair_tick,
				 NULL);
		assert_int_equal(tevent_loop_once(pair->ev), 0);
	}
	talloc_free(tmp);
}

#endif
