/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>

#include "tests/unit/cluster_fixture.h"

static void new_state_is_empty_and_quorate(void **unused)
{
	struct cluster_state *state = cluster_state_new(NULL);

	assert_true(state->quorate);
	assert_int_equal(state->num_nodes + state->num_addrs + state->num_shares, 0);
	assert_null(cluster_state_local(state));
	assert_null(cluster_state_node(state, "n1"));
	assert_null(cluster_state_node(state, NULL));
	talloc_free(state);
}

static void strings_are_copied(void **unused)
{
	struct cluster_state *state = cluster_state_new(NULL);
	char name[] = "n1", group[] = "g", ip[] = "10.0.0.1", share[] = "data";
	struct cluster_node node = {.name = name, .online = true};
	struct cluster_addr addr = {.ip = fix_ip(ip), .node = name, .group = group};
	struct cluster_share sh = {.name = share, .group = group, .node = name};

	assert_int_equal(cluster_state_add_node(state, &node), 0);
	assert_int_equal(cluster_state_add_addr(state, &addr), 0);
	assert_int_equal(cluster_state_add_share(state, &sh), 0);
	memset(name, 'x', 2);
	memset(group, 'x', 1);
	memset(share, 'x', 4);
	assert_string_equal(state->nodes[0].name, "n1");
	assert_string_equal(state->addrs[0].node, "n1");
	assert_string_equal(state->addrs[0].group, "g");
	assert_string_equal(state->shares[0].name, "data");
	talloc_free(state);
}

static void duplicates_are_refused(void **unused)
{
	struct cluster_state *state = fix_state(NULL);
	struct cluster_node node = {.name = "n2"};
	struct cluster_addr addr = {.ip = fix_ip("::ffff:10.0.0.1"), .group = "other"};
	struct cluster_share share = {.name = "DATA"};

	fix_up(state, "10.0.0.1", "n1");
	fix_share(state, "data", "n1");
	assert_int_equal(cluster_state_add_node(state, &node), EEXIST);
	assert_int_equal(cluster_state_add_addr(state, &addr), EEXIST);
	assert_int_equal(cluster_state_add_share(state, &share), EEXIST);
	assert_int_equal(state->num_nodes, 3);
	assert_int_equal(state->num_addrs, 1);
	assert_int_equal(state->num_shares, 1);
	talloc_free(state);
}

static void lookups_find_what_was_added(void **unused)
{
	struct cluster_state *state = fix_state(NULL);
	struct ipaddr ip = fix_ip("fd00::7"), other = fix_ip("fd00::8");

	fix_up(state, "fd00::7", "n3");
	fix_share(state, "Data", "n3");
	assert_string_equal(cluster_state_local(state)->name, "n1");
	assert_int_equal(cluster_state_node(state, "n3")->id, 3);
	assert_null(cluster_state_node(state, "N3"));
	assert_ptr_equal(cluster_state_addr(state, &ip), &state->addrs[0]);
	assert_null(cluster_state_addr(state, &other));
	assert_ptr_equal(cluster_state_share(state, "dATA"), &state->shares[0]);
	talloc_free(state);
}

static void copy_is_deep(void **unused)
{
	struct cluster_state *state = fix_state(NULL), *copy;

	state->generation = 7;
	state->quorate = false;
	for (int i = 0; i < 100; i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "10.0.0.%d", i);
		fix_up(state, ip, "n2");
	}
	fix_share(state, "data", "n2");
	copy = cluster_state_copy(NULL, state);
	talloc_free(state);
	assert_int_equal(copy->generation, 7);
	assert_false(copy->quorate);
	assert_int_equal(copy->num_nodes, 3);
	assert_int_equal(copy->num_addrs, 100);
	assert_string_equal(copy->addrs[99].node, "n2");
	assert_string_equal(copy->shares[0].name, "data");
	assert_true(copy->nodes[0].local);
	talloc_free(copy);
}

static void copies_say_the_same(void **unused)
{
	struct cluster_state *state = fix_state(NULL), *copy;

	fix_up(state, "10.0.0.1", "n1");
	fix_up(state, "10.0.0.2", "n2");
	fix_net_name(state, "10.0.0.1", "FS1");
	fix_tied_share(state, "data", "n1", "g", "10.0.0.1");
	copy = cluster_state_copy(NULL, state);
	copy->generation = 9;
	assert_true(cluster_state_equal(state, copy));
	assert_int_equal(copy->num_named, 1);
	assert_true(copy->addrs[0].tied);
	assert_false(copy->addrs[1].tied);
	fix_net_name(copy, "10.0.0.1", "FS2");
	assert_false(cluster_state_equal(state, copy));
	fix_net_name(copy, "10.0.0.1", NULL);
	assert_int_equal(copy->num_named, 0);
	assert_false(cluster_state_equal(state, copy));
	fix_net_name(copy, "10.0.0.1", "FS1");
	assert_true(cluster_state_equal(state, copy));
	copy->shares[0].node = NULL;
	assert_false(cluster_state_equal(state, copy));
	copy->shares[0].node = "n1";
	copy->shares[0].num_addrs = 0;
	assert_false(cluster_state_equal(state, copy));
	talloc_free(copy);
	talloc_free(state);
}

static void net_names_part_the_addresses(void **unused)
{
	struct cluster_state *state = fix_state(NULL);

	fix_up(state, "10.0.0.1", "n1");
	fix_up(state, "10.0.0.2", "n2");
	assert_false(cluster_state_has_net_name(state, "FS1"));
	assert_true(cluster_state_serves(state, &state->addrs[0], "FS1"));
	fix_net_name(state, "10.0.0.1", "FS1");
	assert_true(cluster_state_has_net_name(state, "fs1.example.com"));
	assert_true(cluster_state_serves(state, &state->addrs[0], "fs1.example.com"));
	assert_false(cluster_state_serves(state, &state->addrs[0], "FS"));
	assert_false(cluster_state_serves(state, &state->addrs[1], "FS1"));
	assert_true(cluster_state_serves(state, &state->addrs[1], "FS"));
	talloc_free(state);
}

static void expect_refused(struct cluster_state *state, const char *part)
{
	char *why = NULL;

	assert_int_equal(cluster_state_check(state, state, &why), EINVAL);
	assert_non_null(why);
	assert_non_null(strstr(why, part));
	talloc_free(state);
}

static void check_refuses_what_cannot_be_used(void **unused)
{
	struct cluster_state *state;
	struct cluster_addr addr = {.ip = fix_ip("10.0.0.1")};

	state = fix_state(NULL);
	fix_up(state, "10.0.0.1", "n9");
	expect_refused(state, "address 10.0.0.1 is on node n9, which is not listed");
	state = fix_state(NULL);
	fix_addr(state, "10.0.0.1", NULL, CLUSTER_ADDR_AVAILABLE);
	expect_refused(state, "available and on no node");
	state = fix_state(NULL);
	fix_node(state, "n4", "l");
	expect_refused(state, "both n1 and n4 are the local node");
	state = fix_state(NULL);
	fix_share(state, "data", "n9");
	expect_refused(state, "share data is on node n9");
	state = fix_state(NULL);
	fix_tied_share(state, "data", "n1", "g", "10.0.0.1");
	expect_refused(state, "share data is at 10.0.0.1, which is not listed");
	state = fix_state(NULL);
	assert_int_equal(cluster_state_add_addr(state, &addr), 0);
	expect_refused(state, "has no group");
	state = fix_state(NULL);
	addr = (struct cluster_addr){.group = "fs"};
	assert_int_equal(cluster_state_add_addr(state, &addr), 0);
	expect_refused(state, "an address is empty");
	state = fix_state(NULL);
	fix_node(state, "", "o");
	expect_refused(state, "a node has no name");
}

static void check_accepts_what_can_happen(void **unused)
{
	struct cluster_state *state = fix_state(NULL);
	char *why = NULL;

	fix_node(state, "n4", "d");
	fix_up(state, "10.0.0.1", "n1");
	fix_down(state, "10.0.0.2");
	fix_addr(state, "10.0.0.3", "n4", CLUSTER_ADDR_UNAVAILABLE);
	fix_addr(state, "10.0.0.4", NULL, CLUSTER_ADDR_UNKNOWN);
	fix_share(state, "data", NULL);
	assert_int_equal(cluster_state_check(state, state, &why), 0);
	talloc_free(state);
}

static void states_have_names(void **unused)
{
	assert_string_equal(cluster_addr_state_name(CLUSTER_ADDR_UNKNOWN), "unknown");
	assert_string_equal(cluster_addr_state_name(CLUSTER_ADDR_AVAILABLE), "available");
	assert_string_equal(cluster_addr_state_name(CLUSTER_ADDR_UNAVAILABLE), "unavailable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_state_is_empty_and_quorate),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(duplicates_are_refused),
		cmocka_unit_test(lookups_find_what_was_added),
		cmocka_unit_test(copy_is_deep),
		cmocka_unit_test(copies_say_the_same),
		cmocka_unit_test(net_names_part_the_addresses),
		cmocka_unit_test(check_refuses_what_cannot_be_used),
		cmocka_unit_test(check_accepts_what_can_happen),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
