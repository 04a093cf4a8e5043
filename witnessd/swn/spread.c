/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/swn/spread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool can_go(uint64_t nodes, int node)
{
	return (nodes >> node & 1) != 0;
}

static int bits(uint64_t nodes)
{
	return __builtin_popcountll(nodes);
}

static void count(const struct spread_item *items, size_t num, long loads[SPREAD_NODES_MAX])
{
	for (size_t i = 0; i < num; i++) {
		if (items[i].node >= 0) {
			loads[items[i].node]++;
		}
	}
}

/* --- drain --- */

static int least_loaded(uint64_t nodes, int num_nodes, const long loads[SPREAD_NODES_MAX])
{
	int best = SPREAD_STAYS;

	for (int n = 0; n < num_nodes; n++) {
		if (can_go(nodes, n) && (best < 0 || loads[n] < loads[best])) {
			best = n;
		}
	}
	return best;
}

void spread_drain(struct spread_item *items, size_t num, int num_nodes, int leaving)
{
	long loads[SPREAD_NODES_MAX] = {0};

	count(items, num, loads);
	for (int choice = 0; choice <= num_nodes; choice++) {
		for (size_t i = 0; i < num; i++) {
			uint64_t nodes = items[i].nodes & ~(UINT64_C(1) << leaving);

			if (bits(nodes) != choice) {
				continue;
			}
			items[i].to = items[i].node == leaving
					      ? least_loaded(nodes, num_nodes, loads)
					      : SPREAD_STAYS;
			if (items[i].to >= 0) {
				loads[items[i].to]++;
			}
		}
	}
}

/* --- even --- */

/* Clients that the same nodes can serve. */
struct class
{
	uint64_t nodes;
	long at[SPREAD_NODES_MAX];                   /* that may still go from there */
	long go[SPREAD_NODES_MAX][SPREAD_NODES_MAX]; /* from, to */
};

struct plan {
	struct class *classes;
	size_t num;
	long loads[SPREAD_NODES_MAX];
};

static struct class *class_of(struct plan *plan, uint64_t nodes)
{
	struct class *more;

	for (size_t i = 0; i < plan->num; i++) {
		if (plan->classes[i].nodes == nodes) {
			return &plan->classes[i];
		}
	}
	more = realloc(plan->classes, (plan->num + 1) * sizeof(*more));
	if (more == NULL) {
		return NULL;
	}
	plan->classes = more;
	more[plan->num] = (struct class){.nodes = nodes};
	return &more[plan->num++];
}

static struct class *movable(struct plan *plan, int from, int to)
{
	for (size_t i = 0; i < plan->num; i++) {
		if (plan->classes[i].at[from] > 0 && can_go(plan->classes[i].nodes, to)) {
			return &plan->classes[i];
		}
	}
	return NULL;
}

/* One goes between the two nodes that differ most. @return false: nothing is to be done any more */
static bool move_one(struct plan *plan, int num_nodes)
{
	struct class *class = NULL;
	int best_from = 0, best_to = 0;
	long best = 1;

	for (int from = 0; from < num_nodes; from++) {
		for (int to = 0; to < num_nodes; to++) {
			long diff = plan->loads[from] - plan->loads[to];
			struct class *found = diff > best ? movable(plan, from, to) : NULL;

			if (found != NULL) {
				class = found;
				best = diff;
				best_from = from;
				best_to = to;
			}
		}
	}
	if (class == NULL) {
		return false;
	}
	class->at[best_from]--;
	class->go[best_from][best_to]++;
	plan->loads[best_from]--;
	plan->loads[best_to]++;
	return true;
}

static int pick(struct class *class, int from, int num_nodes)
{
	for (int to = 0; to < num_nodes; to++) {
		if (class->go[from][to] > 0) {
			class->go[from][to]--;
			return to;
		}
	}
	return SPREAD_STAYS;
}

static bool counts(const struct spread_item *item)
{
	return item->node >= 0 && can_go(item->nodes, item->node);
}

int spread_even(struct spread_item *items, size_t num, int num_nodes)
{
	struct plan plan = {.num = 0};

	count(items, num, plan.loads);
	for (size_t i = 0; i < num; i++) {
		struct class *class = class_of(&plan, items[i].nodes);

		items[i].to = SPREAD_STAYS;
		if (class == NULL) {
			free(plan.classes);
			return ENOMEM;
		}
		if (counts(&items[i])) {
			class->at[items[i].node]++;
		}
	}
	while (move_one(&plan, num_nodes)) {
	}
	for (size_t i = 0; i < num; i++) {
		if (counts(&items[i])) {
			items[i].to =
				pick(class_of(&plan, items[i].nodes), items[i].node, num_nodes);
		}
	}
	free(plan.classes);
	return 0;
}
