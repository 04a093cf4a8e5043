/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who goes where so that nodes are even. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "witnessd/swn/spread.h"

#define MAX_ITEMS 10000

static struct spread_item items[MAX_ITEMS];
static size_t num;

static void add(size_t n, int node, uint64_t nodes)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(num < MAX_ITEMS);
		items[num++] = (struct spread_item){.node = node, .nodes = nodes, .to = 99};
	}
}

static int begin(void **state)
{
	num = 0;
	return 0;
}

static long load(int node)
{
	long n = 0;

	for (size_t i = 0; i < num; i++) {
		n += (items[i].to == SPREAD_STAYS ? items[i].node : items[i].to) == node;
	}
	return n;
}

static size_t moved(void)
{
	size_t n = 0;

	for (size_t i = 0; i < num; i++) {
		n += items[i].to != SPREAD_STAYS;
	}
	return n;
}

static void a_drained_node_is_empty_and_the_others_even(void **state)
{
	add(201, 0, 0x7);
	assert_int_equal(spread_drain(items, num, 3, 0), 0);
	assert_int_equal(load(0), 0);
	assert_int_equal(labs(load(1) - load(2)), 1);
	assert_int_equal(moved(), 201);
}

static void who_is_elsewhere_counts_and_stays(void **state)
{
	add(10, 0, 0x7);
	add(8, 1, 0x7);
	assert_int_equal(spread_drain(items, num, 3, 0), 0);
	assert_int_equal(load(1), 9);
	assert_int_equal(load(2), 9);
	assert_int_equal(moved(), 10);
}

static void the_least_choice_goes_first(void **state)
{
	add(10, 0, 0x7);
	add(10, 0, 0x3);
	assert_int_equal(spread_drain(items, num, 3, 0), 0);
	assert_int_equal(load(1), 10);
	assert_int_equal(load(2), 10);
}

static void who_can_go_nowhere_stays(void **state)
{
	add(3, 0, 0x1);
	add(2, SPREAD_STAYS, 0x7);
	assert_int_equal(spread_drain(items, num, 3, 0), 0);
	assert_int_equal(moved(), 0);
}

static void even_moves_as_few_as_it_takes(void **state)
{
	static const struct {
		size_t at[4], moves;
	} tries[] = {
		{{9, 0, 0, 0}, 6},  {{3, 1, 1, 0}, 1}, {{2, 2, 1, 1}, 0}, {{5, 5, 5, 4}, 0},
		{{10, 6, 2, 2}, 6}, {{0, 0, 0, 0}, 0}, {{1, 0, 0, 0}, 0}, {{7, 7, 0, 0}, 6},
	};

	for (size_t t = 0; t < sizeof(tries) / sizeof(tries[0]); t++) {
		num = 0;
		for (int n = 0; n < 4; n++) {
			add(tries[t].at[n], n, 0xf);
		}
		assert_int_equal(spread_even(items, num, 4), 0);
		assert_int_equal(moved(), tries[t].moves);
		for (int a = 0; a < 4; a++) {
			for (int b = 0; b < 4; b++) {
				assert_true(labs(load(a) - load(b)) <= 1);
			}
		}
	}
}

static void even_keeps_within_what_serves_a_client(void **state)
{
	add(10, 0, 0x3); /* nodes 0 and 1 only */
	add(4, 2, 0x4);  /* node 2 only */
	add(3, 3, 0x7);  /* on a node that does not count */
	assert_int_equal(spread_even(items, num, 4), 0);
	assert_int_equal(load(0), 5);
	assert_int_equal(load(1), 5);
	assert_int_equal(load(2), 4);
	assert_int_equal(load(3), 3);
}

/* Whatever the numbers: even within one, nobody goes who need not, and nobody goes twice over. */
static void random_numbers(void **state)
{
	srand(7);
	for (int t = 0; t < 300; t++) {
		int nodes = 2 + rand() % 7;
		uint64_t all = (UINT64_C(1) << nodes) - 1;
		long total = 0, surplus = 0, low, at[8];
		int ceilings;

		num = 0;
		for (int n = 0; n < nodes; n++) {
			at[n] = rand() % 100;
			total += at[n];
			add((size_t)at[n], n, all);
		}
		low = total / nodes;
		ceilings = (int)(total % nodes);
		for (int n = 0; n < nodes; n++) {
			/* Those above the mean keep one more while there is one to keep. */
			bool keeps = at[n] > low && ceilings > 0;

			surplus += at[n] > low ? at[n] - low - keeps : 0;
			ceilings -= keeps;
		}
		assert_int_equal(spread_even(items, num, nodes), 0);
		assert_int_equal(moved(), surplus);
		for (int n = 0; n < nodes; n++) {
			assert_in_range(load(n), low, low + 1);
		}
		assert_int_equal(spread_drain(items, num, nodes, 0), 0);
		assert_int_equal(load(0), 0);
	}
}

/* One who can go to 1 only when another, who is no better off there, goes on to 2. */
static void a_way_may_lead_over_another_node(void **state)
{
	add(6, 0, 0x3);  /* 0, 1 */
	add(6, 1, 0x6);  /* 1, 2 */
	add(12, 2, 0xc); /* 2, 3: nobody is on 3 */
	assert_int_equal(spread_even(items, num, 4), 0);
	for (int n = 0; n < 4; n++) {
		assert_int_equal(load(n), 6);
	}
	num = 0;
	add(4, 0, 0x3); /* only 1 */
	add(4, 0, 0x7); /* 1 or 2 */
	add(4, 0, 0xd); /* 2 or 3 */
	add(4, 2, 0x4);
	assert_int_equal(spread_drain(items, num, 4, 0), 0);
	assert_int_equal(load(0), 0);
	assert_in_range(load(1), 5, 6);
	assert_in_range(load(2), 5, 6);
	assert_int_equal(load(3), 4); /* all who can be there */
}

static long squares(const long *loads, int nodes)
{
	long sum = 0;

	for (int n = 0; n < nodes; n++) {
		sum += loads[n] * loads[n];
	}
	return sum;
}

/* The least sum of squares that any plan gives: that is the most even one. */
static long best_of_all(const uint64_t *masks, size_t n, long *loads, int nodes)
{
	long best = -1;

	if (n == 0) {
		return squares(loads, nodes);
	}
	for (int to = 0; to < nodes; to++) {
		long got;

		if ((masks[n - 1] >> to & 1) == 0) {
			continue;
		}
		loads[to]++;
		got = best_of_all(masks, n - 1, loads, nodes);
		loads[to]--;
		best = best < 0 || got < best ? got : best;
	}
	return best;
}

/* Everyone is served where they are sent, and nobody else is sent. */
static void check_plan(bool drain)
{
	for (size_t i = 0; i < num; i++) {
		const struct spread_item *item = &items[i];

		if (item->to == SPREAD_STAYS) {
			continue;
		}
		assert_true((item->nodes >> item->to & 1) != 0);
		assert_int_not_equal(item->to, item->node);
		if (drain) {
			assert_int_equal(item->node, 0);
		} else {
			assert_true((item->nodes >> item->node & 1) != 0);
		}
	}
}

/* What is not to be moved, and what may go where, of the instance that was made. */
static long try_all(bool drain, int nodes)
{
	uint64_t masks[16];
	size_t n = 0;
	long loads[SPREAD_NODES_MAX] = {0};

	for (size_t i = 0; i < num; i++) {
		uint64_t mask = drain ? items[i].nodes & ~UINT64_C(1) : items[i].nodes;
		bool moves =
			drain ? items[i].node == 0 && mask != 0 : (mask >> items[i].node & 1) != 0;

		if (moves) {
			masks[n++] = mask;
		} else {
			loads[items[i].node]++;
		}
	}
	return best_of_all(masks, n, loads, nodes);
}

static void no_plan_is_more_even(void **state)
{
	srand(11);
	for (int t = 0; t < 4000; t++) {
		int nodes = 2 + rand() % 4;
		bool drain = t % 2 == 0;
		long loads[SPREAD_NODES_MAX];

		num = 0;
		for (int i = rand() % 7; i >= 0; i--) {
			add(1, drain ? 0 : rand() % nodes, (uint64_t)(rand() % (1 << nodes)));
		}
		for (int i = rand() % 6; i > 0 && drain; i--) {
			add(1, 1 + rand() % (nodes - 1), (uint64_t)(rand() % (1 << nodes)));
		}
		assert_int_equal(drain ? spread_drain(items, num, nodes, 0)
				       : spread_even(items, num, nodes),
				 0);
		check_plan(drain);
		for (int n = 0; n < nodes; n++) {
			loads[n] = load(n);
		}
		assert_int_equal(squares(loads, nodes), try_all(drain, nodes));
	}
}

/* 10,000 clients, 16 nodes, and as many kinds of clients as an odd cluster may have. */
static void many_clients_take_no_time(void **state)
{
	struct timespec began, ended;

	srand(3);
	for (int kinds = 1; kinds <= 200; kinds += 199) {
		uint64_t masks[200];

		num = 0;
		for (int k = 0; k < kinds; k++) {
			masks[k] = kinds == 1 ? 0xffff : (uint64_t)(rand() & rand() & 0xffff) | 1;
		}
		for (size_t i = 0; i < MAX_ITEMS; i++) {
			add(1, 0, masks[i % (size_t)kinds]);
		}
		clock_gettime(CLOCK_MONOTONIC, &began);
		assert_int_equal(spread_drain(items, num, 16, 0), 0);
		assert_int_equal(spread_even(items, num, 16), 0);
		clock_gettime(CLOCK_MONOTONIC, &ended);
		print_message("%d kinds: %.1f ms\n", kinds,
			      (double)(ended.tv_sec - began.tv_sec) * 1e3 +
				      (double)(ended.tv_nsec - began.tv_nsec) / 1e6);
		/* Generous: what it must not be is quadratic. */
		assert_true(ended.tv_sec - began.tv_sec < 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_drained_node_is_empty_and_the_others_even, begin),
		cmocka_unit_test_setup(who_is_elsewhere_counts_and_stays, begin),
		cmocka_unit_test_setup(the_least_choice_goes_first, begin),
		cmocka_unit_test_setup(who_can_go_nowhere_stays, begin),
		cmocka_unit_test_setup(even_moves_as_few_as_it_takes, begin),
		cmocka_unit_test_setup(even_keeps_within_what_serves_a_client, begin),
		cmocka_unit_test_setup(random_numbers, begin),
		cmocka_unit_test_setup(a_way_may_lead_over_another_node, begin),
		cmocka_unit_test_setup(no_plan_is_more_even, begin),
		cmocka_unit_test_setup(many_clients_take_no_time, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
