/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who goes where so that nodes are even. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "witnessd/swn/spread.h"

#define MAX_ITEMS 2000

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
	spread_drain(items, num, 3, 0);
	assert_int_equal(load(0), 0);
	assert_int_equal(labs(load(1) - load(2)), 1);
	assert_int_equal(moved(), 201);
}

static void who_is_elsewhere_counts_and_stays(void **state)
{
	add(10, 0, 0x7);
	add(8, 1, 0x7);
	spread_drain(items, num, 3, 0);
	assert_int_equal(load(1), 9);
	assert_int_equal(load(2), 9);
	assert_int_equal(moved(), 10);
}

static void the_least_choice_goes_first(void **state)
{
	add(10, 0, 0x7);
	add(10, 0, 0x3);
	spread_drain(items, num, 3, 0);
	assert_int_equal(load(1), 10);
	assert_int_equal(load(2), 10);
}

static void who_can_go_nowhere_stays(void **state)
{
	add(3, 0, 0x1);
	add(2, SPREAD_STAYS, 0x7);
	spread_drain(items, num, 3, 0);
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
		spread_drain(items, num, nodes, 0);
		assert_int_equal(load(0), 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
