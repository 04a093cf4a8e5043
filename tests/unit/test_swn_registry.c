/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The indexes of the registrations, their queues, and the names of the service. */
#include "witnessd/swn/registry.h"
#include "witnessd/util/netname.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/cluster_fixture.h"

#define MANY 10000

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static struct rpc_assoc *assoc(unsigned int n)
{
	static char assocs[MANY];

	return (struct rpc_assoc *)(void *)&assocs[n];
}

static struct swn_reg *make(struct swn_registry *registry, unsigned int group, const char *ip,
			    const char *principal)
{
	struct swn_reg *reg = talloc_zero(NULL, struct swn_reg);

	assert_int_equal(guid_random(&reg->handle.uuid), 0);
	reg->assoc = assoc(group);
	reg->ip = fix_ip(ip);
	reg->principal = talloc_strdup(reg, principal);
	assert_int_equal(swn_registry_add(registry, reg), 0);
	return reg;
}

static void a_registration_is_found_by_all_twenty_bytes(void **state)
{
	struct swn_registry *registry = swn_registry_new(*state);
	struct swn_reg *reg = make(registry, 1, "10.0.0.1", "alice");
	struct swn_handle other = reg->handle;

	assert_ptr_equal(swn_registry_find(registry, &reg->handle), reg);
	other.attributes = 1;
	assert_null(swn_registry_find(registry, &other));
	other = reg->handle;
	other.uuid.b[0] ^= 1;
	assert_null(swn_registry_find(registry, &other));
}

static void a_handle_in_use_is_not_added_twice(void **state)
{
	struct swn_registry *registry = swn_registry_new(*state);
	struct swn_reg *reg = make(registry, 1, "10.0.0.1", "alice");
	struct swn_reg *twin = talloc_zero(*state, struct swn_reg);

	twin->handle = reg->handle;
	twin->principal = "bob";
	assert_int_equal(swn_registry_add(registry, twin), EEXIST);
	assert_int_equal(swn_registry_count(registry), 1);
	assert_int_equal(swn_registry_count_principal(registry, "bob"), 0);
	assert_ptr_equal(talloc_parent(twin), *state);
}

static void each_index_leads_to_its_own(void **state)
{
	struct swn_registry *registry = swn_registry_new(*state);
	struct ipaddr one = fix_ip("10.0.0.1"), two = fix_ip("10.0.0.2"), none = fix_ip("10.0.0.3");
	struct swn_reg *a = make(registry, 1, "10.0.0.1", "alice");
	struct swn_reg *b = make(registry, 1, "10.0.0.2", "alice");
	struct swn_reg *c = make(registry, 2, "10.0.0.1", "bob");

	assert_ptr_equal(swn_registry_first_by_ip(registry, &one), a);
	assert_ptr_equal(swn_registry_next_in(a, SWN_BY_IP), c);
	assert_null(swn_registry_next_in(c, SWN_BY_IP));
	assert_ptr_equal(swn_registry_first_by_ip(registry, &two), b);
	assert_null(swn_registry_first_by_ip(registry, &none));
	assert_ptr_equal(swn_registry_first_by_assoc(registry, assoc(1)), a);
	assert_ptr_equal(swn_registry_next_in(a, SWN_BY_ASSOC), b);
	assert_int_equal(swn_registry_count_assoc(registry, assoc(1)), 2);
	assert_int_equal(swn_registry_count_assoc(registry, assoc(3)), 0);
	assert_int_equal(swn_registry_count_principal(registry, "alice"), 2);
	assert_null(swn_registry_first_by_ip_change(registry));
	assert_null(swn_registry_next_in(a, SWN_BY_IP_CHANGE));
	assert_ptr_equal(swn_registry_first(registry), a);
	assert_ptr_equal(swn_registry_next(b), c);
	assert_null(swn_registry_next(c));

	swn_registry_remove(registry, a, *state);
	assert_ptr_equal(swn_registry_first_by_ip(registry, &one), c);
	assert_ptr_equal(swn_registry_first_by_assoc(registry, assoc(1)), b);
	assert_int_equal(swn_registry_count(registry), 2);
	assert_null(swn_registry_find(registry, &a->handle));
}

static void shares_and_ip_wishes_are_indexed_where_there_are_any(void **state)
{
	struct swn_registry *registry = swn_registry_new(*state);
	struct swn_reg *reg = talloc_zero(*state, struct swn_reg);

	make(registry, 1, "10.0.0.1", "alice");
	assert_int_equal(guid_random(&reg->handle.uuid), 0);
	reg->share_name = "Data";
	reg->ip_notification = true;
	reg->principal = "";
	assert_int_equal(swn_registry_add(registry, reg), 0);
	assert_ptr_equal(swn_registry_first_by_share(registry, "dATA"), reg);
	assert_null(swn_registry_first_by_share(registry, "dat"));
	assert_ptr_equal(swn_registry_first_by_ip_change(registry), reg);
	assert_null(swn_registry_next_in(reg, SWN_BY_IP_CHANGE));
	assert_int_equal(swn_registry_count_principal(registry, ""), 1);
}

static void ten_thousand_come_and_go_without_a_trace(void **state)
{
	struct swn_registry *registry = swn_registry_new(*state);
	size_t empty = talloc_total_blocks(registry);
	char ip[32];

	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(ip, sizeof(ip), "10.0.%u.%u", i % 7, i % 11);
		make(registry, i % 100, ip, i % 2 == 0 ? "alice" : "bob");
	}
	assert_int_equal(swn_registry_count(registry), MANY);
	assert_int_equal(swn_registry_count_assoc(registry, assoc(5)), MANY / 100);
	assert_int_equal(swn_registry_count_principal(registry, "bob"), MANY / 2);
	for (unsigned int i = 0; i < 100; i++) {
		struct swn_reg *reg;

		while ((reg = swn_registry_first_by_assoc(registry, assoc(i))) != NULL) {
			swn_registry_remove(registry, reg, NULL);
			talloc_free(reg);
		}
	}
	assert_int_equal(swn_registry_count(registry), 0);
	assert_int_equal(talloc_total_blocks(registry), empty);
}

/* --- the queue --- */

/* What is queued as text: "UA". */
static const char *changes(const struct swn_queue *queue)
{
	static char text[SWN_QUEUE_CHANGES + 1];

	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < queue->num_changes; i++) {
		text[i] = queue->changes[i].available ? 'A' : 'U';
	}
	return text;
}

static void a_client_is_not_told_what_it_believes(void **state)
{
	struct swn_queue queue = {0};

	assert_false(swn_queue_change(&queue, true, 1));
	assert_true(swn_queue_change(&queue, false, 2));
	assert_false(swn_queue_change(&queue, false, 3));
	assert_string_equal(changes(&queue), "U");
	assert_int_equal(swn_queue_oldest_us(&queue, SWN_RESOURCE_CHANGE), 2);
	swn_queue_delivered(&queue, SWN_RESOURCE_CHANGE);
	assert_int_equal(swn_queue_next(&queue), 0);
	assert_false(swn_queue_change(&queue, false, 4));
	assert_true(swn_queue_change(&queue, true, 5));
	assert_string_equal(changes(&queue), "A");
}

static void long_runs_coalesce_in_the_middle(void **state)
{
	struct swn_queue queue = {0};

	for (unsigned int i = 0; i < 7; i++) {
		assert_true(swn_queue_change(&queue, i % 2 == 1, 100 + i));
	}
	assert_string_equal(changes(&queue), "UAU");
	assert_int_equal(queue.changes[0].event_us, 100);
	assert_int_equal(queue.changes[2].event_us, 106);
	assert_true(swn_queue_change(&queue, true, 107));
	assert_string_equal(changes(&queue), "UAUA");
	assert_int_equal(swn_queue_length(&queue), 4);
}

static void the_latest_move_wins(void **state)
{
	struct swn_queue queue = {0};
	struct swn_queue_addr a = {.ip = fix_ip("10.0.0.1"), .online = true};
	struct swn_queue_addr b[2] = {{.ip = fix_ip("10.0.0.2")}, {.ip = fix_ip("10.0.0.3")}};
	const struct swn_queue_slot *slot;

	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_RESOURCE_CHANGE, &a, 1, 1), EINVAL);
	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_CLIENT_MOVE, &a, 0, 1), EINVAL);
	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_CLIENT_MOVE, &a, 1, 1), 0);
	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_CLIENT_MOVE, b, 2, 2), 0);
	slot = swn_queue_slot(&queue, SWN_CLIENT_MOVE);
	assert_int_equal(slot->num, 2);
	assert_true(ipaddr_equal(&slot->addrs[0].ip, &b[0].ip));
	assert_int_equal(slot->event_us, 2);
	swn_queue_drop(&queue, SWN_CLIENT_MOVE);
	assert_int_equal(swn_queue_next(&queue), 0);
	assert_int_equal(talloc_total_blocks(*state), 1);
}

static bool is_not_it(void *private_data, const struct ipaddr *ip)
{
	return !ipaddr_equal(private_data, ip);
}

static void a_destination_that_has_gone_is_left_out(void **state)
{
	struct swn_queue queue = {0};
	struct swn_queue_addr a[2] = {{.ip = fix_ip("10.0.0.1")}, {.ip = fix_ip("10.0.0.2")}};
	const struct swn_queue_slot *slot = swn_queue_slot(&queue, SWN_CLIENT_MOVE);

	assert_false(swn_queue_prune(&queue, SWN_CLIENT_MOVE, is_not_it, &a[0].ip));
	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_CLIENT_MOVE, a, 2, 1), 0);
	assert_false(swn_queue_prune(&queue, SWN_CLIENT_MOVE, is_not_it, &a[0].ip));
	assert_int_equal(slot->num, 1);
	assert_true(ipaddr_equal(&slot->addrs[0].ip, &a[1].ip));
	assert_true(swn_queue_prune(&queue, SWN_CLIENT_MOVE, is_not_it, &a[1].ip));
	assert_int_equal(swn_queue_next(&queue), 0);
	assert_int_equal(talloc_total_blocks(*state), 1);
}

static void address_changes_merge(void **state)
{
	struct swn_queue queue = {0};
	struct swn_queue_addr a = {.ip = fix_ip("10.0.0.1"), .online = true};
	struct swn_queue_addr b = {.ip = fix_ip("10.0.0.2"), .online = false};
	const struct swn_queue_slot *slot;

	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_IP_CHANGE, &a, 1, 1), 0);
	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_IP_CHANGE, &b, 1, 2), 0);
	a.online = false;
	assert_int_equal(swn_queue_addrs(&queue, *state, SWN_IP_CHANGE, &a, 1, 3), 0);
	slot = swn_queue_slot(&queue, SWN_IP_CHANGE);
	assert_int_equal(slot->num, 2);
	assert_true(ipaddr_equal(&slot->addrs[1].ip, &a.ip));
	assert_false(slot->addrs[1].online);
	assert_int_equal(slot->event_us, 1);

	for (unsigned int i = 0; i < 3 * SWN_QUEUE_ADDRS; i++) {
		a.ip.bytes[2] = (uint8_t)(i >> 8);
		a.ip.bytes[3] = (uint8_t)i;
		assert_int_equal(swn_queue_addrs(&queue, *state, SWN_IP_CHANGE, &a, 1, 4), 0);
	}
	assert_int_equal(slot->num, SWN_QUEUE_ADDRS);
	assert_true(ipaddr_equal(&slot->addrs[SWN_QUEUE_ADDRS - 1].ip, &a.ip));
}

static void kinds_come_in_order_and_one_at_a_time(void **state)
{
	struct swn_queue queue = {0};
	struct swn_queue_addr a = {.ip = fix_ip("10.0.0.1")};
	uint32_t type;

	for (type = SWN_IP_CHANGE; type >= SWN_CLIENT_MOVE; type--) {
		assert_int_equal(swn_queue_addrs(&queue, *state, type, &a, 1, type), 0);
	}
	swn_queue_change(&queue, false, 9);
	assert_int_equal(swn_queue_length(&queue), 4);
	for (type = SWN_RESOURCE_CHANGE; type <= SWN_IP_CHANGE; type++) {
		assert_int_equal(swn_queue_next(&queue), type);
		swn_queue_delivered(&queue, type);
	}
	assert_int_equal(swn_queue_next(&queue), 0);
}

/* --- names --- */

static void names_of_the_service_are_taken_in_every_spelling(void **state)
{
	static const char *const names[] = {"FS", "files.example.com", "10.0.0.7", NULL};
	static const struct {
		const char *asked;
		bool yes;
	} rows[] = {
		{"fs", true},
		{"Fs.", true},
		{"fs.example.com", true},
		{"FILES", true},
		{"files.EXAMPLE.com.", true},
		{"10.0.0.7", true},
		{"", false},
		{".", false},
		{".example.com", false},
		{"f", false},
		{"fss", false},
		{"\\\\fs", false},
		{"10.1.2.3", false},
		{"10", false},
		{"example.com", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(netname_matches(names, rows[i].asked), rows[i].yes);
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_registration_is_found_by_all_twenty_bytes),
		TEST(a_handle_in_use_is_not_added_twice),
		TEST(each_index_leads_to_its_own),
		TEST(shares_and_ip_wishes_are_indexed_where_there_are_any),
		TEST(ten_thousand_come_and_go_without_a_trace),
		TEST(a_client_is_not_told_what_it_believes),
		TEST(long_runs_coalesce_in_the_middle),
		TEST(the_latest_move_wins),
		TEST(a_destination_that_has_gone_is_left_out),
		TEST(address_changes_merge),
		TEST(kinds_come_in_order_and_one_at_a_time),
		TEST(names_of_the_service_are_taken_in_every_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
