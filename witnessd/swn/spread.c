/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that the same nodes can serve are one class: what counts is how many of a class are where. A plan is
 * as even as can be when there is no way from a node to one that has two less; a way may lead over others: one
 * client of A goes to B, and one of B to C, because no client of A can be served by C. (That no such way is left
 * proves it: semi-matchings, Harvey, Ladner, Lovasz, Tamir 2003.)
 */
#include "witnessd/swn/spread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define NO_CLASS   UINT32_MAX
#define STILL_OPEN (-2) /* .to of clients that move, before their destination is known */

struct class
{
	uint64_t nodes;
	long have[SPREAD_NODES_MAX]; /* clients that will be there */
};

struct plan {
	struct spread_item *items;
	size_t num_items;
	uint32_t *class_of; /* of items; NO_CLASS: stays whatever happens */
	struct class *classes;
	uint32_t num;
	int num_nodes;
	long loads[SPREAD_NODES_MAX];
	/* How many clients of a node might as well be on another one, and bits for those numbers above 0. */
	long could[SPREAD_NODES_MAX][SPREAD_NODES_MAX];
	uint64_t ways[SPREAD_NODES_MAX];
};

static uint64_t bit(int node)
{
	return UINT64_C(1) << node;
}

static bool can_go(uint64_t nodes, int node)
{
	return (nodes & bit(node)) != 0;
}

/* --- classes --- */

static uint32_t class_index(struct plan *plan, uint64_t nodes)
{
	struct class *more;

	for (uint32_t i = 0; i < plan->num; i++) {
		if (plan->classes[i].nodes == nodes) {
			return i;
		}
	}
	more = realloc(plan->classes, (plan->num + 1) * sizeof(*more));
	if (more == NULL) {
		return NO_CLASS;
	}
	plan->classes = more;
	more[plan->num] = (struct class){.nodes = nodes};
	return plan->num++;
}

/* One client more or less of that class is on the node. */
static void change(struct plan *plan, struct class *class, int node, int by)
{
	class->have[node] += by;
	plan->loads[node] += by;
	for (uint64_t rest = class->nodes; rest != 0; rest &= rest - 1) {
		int to = __builtin_ctzll(rest);

		plan->could[node][to] += by;
		plan->ways[node] = plan->could[node][to] > 0 ? plan->ways[node] | bit(to)
							     : plan->ways[node] & ~bit(to);
	}
}

static int plan_begin(struct plan *plan, struct spread_item *items, size_t num, int num_nodes)
{
	*plan = (struct plan){.items = items, .num_items = num, .num_nodes = num_nodes};
	plan->class_of = malloc((num > 0 ? num : 1) * sizeof(plan->class_of[0]));
	for (size_t i = 0; i < num; i++) {
		items[i].to = SPREAD_STAYS;
		if (plan->class_of != NULL) {
			plan->class_of[i] = NO_CLASS;
		}
	}
	return plan->class_of != NULL ? 0 : ENOMEM;
}

static void plan_end(struct plan *plan)
{
	free(plan->class_of);
	free(plan->classes);
}

/* --- evening out --- */

/* Where clients can get from a node, over others if need be. .from is the step before on the shortest way. */
static uint64_t reach(const struct plan *plan, int start, int from[SPREAD_NODES_MAX])
{
	int queue[SPREAD_NODES_MAX], num = 1;
	uint64_t seen = bit(start);

	queue[0] = start;
	for (int i = 0; i < num; i++) {
		uint64_t next = plan->ways[queue[i]] & ~seen;

		seen |= next;
		for (; next != 0; next &= next - 1) {
			int node = __builtin_ctzll(next);

			from[node] = queue[i];
			queue[num++] = node;
		}
	}
	return seen;
}

static int least_loaded(const struct plan *plan, uint64_t nodes)
{
	int best = SPREAD_STAYS;

	for (; nodes != 0; nodes &= nodes - 1) {
		int node = __builtin_ctzll(nodes);

		if (best < 0 || plan->loads[node] < plan->loads[best]) {
			best = node;
		}
	}
	return best;
}

static void move_step(struct plan *plan, int from, int to)
{
	for (uint32_t i = 0; i < plan->num; i++) {
		struct class *class = &plan->classes[i];

		if (class->have[from] > 0 && can_go(class->nodes, to)) {
			change(plan, class, from, -1);
			change(plan, class, to, 1);
			return;
		}
	}
}

/*
 * One goes between the two nodes that differ most.
 * @param direct only from the one to the other
 * @return false: that cannot be improved any more
 */
static bool move_one(struct plan *plan, bool direct)
{
	int best_from[SPREAD_NODES_MAX], best_start = SPREAD_STAYS, best_end = SPREAD_STAYS;
	long best = 1;

	for (int start = 0; start < plan->num_nodes; start++) {
		int from[SPREAD_NODES_MAX], end;

		if (plan->loads[start] <= best) {
			continue; /* so few are there that it cannot be that one */
		}
		end = least_loaded(plan, direct ? plan->ways[start] : reach(plan, start, from));
		if (end < 0 || plan->loads[start] - plan->loads[end] <= best) {
			continue;
		}
		best = plan->loads[start] - plan->loads[end];
		best_start = start;
		best_end = end;
		for (int node = end; !direct && node != start; node = from[node]) {
			best_from[node] = from[node];
		}
	}
	for (int node = best_end; node != best_start;) {
		int before = direct ? best_start : best_from[node];

		move_step(plan, before, node);
		node = before;
	}
	return best_start >= 0;
}

/* Direct ways first: a longer one moves more clients than necessary. */
static void even_out(struct plan *plan)
{
	while (move_one(plan, true)) {
	}
	while (move_one(plan, false)) {
	}
}

/* --- from numbers to clients --- */

/* What is planned for the class of an item; NULL: it stays whatever happens. */
static long *planned(const struct plan *plan, size_t i)
{
	uint32_t class = plan->class_of[i];

	return class < plan->num ? plan->classes[class].have : NULL;
}

/* Who is where the plan has room for it stays, the others go to where it has room. */
static void assign(struct plan *plan)
{
	for (size_t i = 0; i < plan->num_items; i++) {
		struct spread_item *item = &plan->items[i];
		long *have = planned(plan, i);

		if (have != NULL && have[item->node] > 0) {
			have[item->node]--;
		} else if (have != NULL) {
			item->to = STILL_OPEN;
		}
	}
	for (size_t i = 0; i < plan->num_items; i++) {
		struct spread_item *item = &plan->items[i];
		long *have = planned(plan, i);

		for (int node = 0; have != NULL && item->to == STILL_OPEN; node++) {
			if (have[node] > 0) {
				have[node]--;
				item->to = node;
			}
		}
	}
}

/* --- drain --- */

/* The least choice first, each to where the fewest are: nearly even already. */
static void place(struct plan *plan, const long *waiting)
{
	for (int choice = 1; choice <= plan->num_nodes; choice++) {
		for (uint32_t c = 0; c < plan->num; c++) {
			struct class *class = &plan->classes[c];

			for (long n = waiting[c];
			     n > 0 && __builtin_popcountll(class->nodes) == choice; n--) {
				change(plan, class, least_loaded(plan, class->nodes), 1);
			}
		}
	}
}

/* Those who leave, by class. @return NULL when memory is short */
static long *collect(struct plan *plan, int leaving)
{
	long *waiting = calloc(plan->num_items + 1, sizeof(*waiting));

	for (size_t i = 0; waiting != NULL && i < plan->num_items; i++) {
		const struct spread_item *item = &plan->items[i];
		uint64_t nodes = item->nodes & ~bit(leaving);

		if (item->node >= 0 && item->node != leaving) {
			plan->loads[item->node]++;
		} else if (item->node == leaving && nodes != 0) {
			plan->class_of[i] = class_index(plan, nodes);
			if (plan->class_of[i] == NO_CLASS) {
				free(waiting);
				return NULL;
			}
			waiting[plan->class_of[i]]++;
		}
	}
	return waiting;
}

int spread_drain(struct spread_item *items, size_t num, int num_nodes, int leaving)
{
	struct plan plan;
	int err = plan_begin(&plan, items, num, num_nodes);
	long *waiting = err == 0 ? collect(&plan, leaving) : NULL;

	if (waiting != NULL) {
		place(&plan, waiting);
		even_out(&plan);
		assign(&plan);
	}
	free(waiting);
	plan_end(&plan);
	return waiting != NULL ? 0 : ENOMEM;
}

/* --- even --- */

int spread_even(struct spread_item *items, size_t num, int num_nodes)
{
	struct plan plan;
	int err = plan_begin(&plan, items, num, num_nodes);

	for (size_t i = 0; err == 0 && i < num; i++) {
		if (items[i].node < 0) {
			continue;
		}
		if (!can_go(items[i].nodes, items[i].node)) {
			plan.loads[items[i].node]++;
			continue;
		}
		plan.class_of[i] = class_index(&plan, items[i].nodes);
		if (plan.class_of[i] == NO_CLASS) {
			err = ENOMEM;
		} else {
			change(&plan, &plan.classes[plan.class_of[i]], items[i].node, 1);
		}
	}
	if (err == 0) {
		even_out(&plan);
		assign(&plan);
	}
	plan_end(&plan);
	return err;
}
