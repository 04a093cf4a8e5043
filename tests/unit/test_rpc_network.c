/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a logon has to wait because others failed, by the network it comes from. */
#include "tests/unit/rpc_rig.h"
#include "witnessd/rpc/server_private.h"

#define MANY 200000U /* more failures than are kept account of at any rate that can be configured */

static struct rig *start(void **state, unsigned int rate)
{
	struct rig *rig = *state;

	rig->limits.auth_failures = rate;
	rig_start(rig);
	return rig;
}

static struct ipaddr ip(const char *text)
{
	struct ipaddr addr;

	assert_int_equal(ipaddr_parse(text, &addr), 0);
	return addr;
}

static void failures(struct rig *rig, const char *from, unsigned int times)
{
	struct ipaddr addr = ip(from);

	for (unsigned int i = 0; i < times; i++) {
		rpc_network_failed(rig->server, &addr);
	}
}

static unsigned int delay(struct rig *rig, const char *from)
{
	struct ipaddr addr = ip(from);

	return rpc_network_delay_ms(rig->server, &addr);
}

/* A failure at a rate above 1,000 costs less than a millisecond, and costs. */
static void the_highest_rate_is_a_limit(void **state)
{
	struct rig *rig = start(state, 10000);

	failures(rig, "192.0.2.1", 10);
	assert_int_equal(delay(rig, "192.0.2.1"), 0);
	failures(rig, "192.0.2.1", MANY);
	assert_in_range(delay(rig, "192.0.2.1"), 1000, 5000);
}

static void without_a_rate_nothing_is_counted(void **state)
{
	struct rig *rig = start(state, 0);

	failures(rig, "192.0.2.1", 100);
	assert_int_equal(delay(rig, "192.0.2.1"), 0);
	assert_null(rig->server->networks);
}

/* Else a host would have 2^64 times as many guesses. */
static void addresses_of_an_ipv6_network_share_their_failures(void **state)
{
	struct rig *rig = start(state, 1);

	failures(rig, "2001:db8:0:1::1", 1);
	assert_int_equal(delay(rig, "2001:db8:0:1::1"), 0);
	failures(rig, "2001:db8:0:1::2", 3);
	failures(rig, "2001:db8:0:1:ffff::3", 3);
	assert_in_range(delay(rig, "2001:db8:0:1::4"), 1000, 5000);
	assert_int_equal(delay(rig, "2001:db8:0:2::4"), 0);
}

static void an_ipv4_address_is_for_itself(void **state)
{
	struct rig *rig = start(state, 1);

	failures(rig, "192.0.2.1", 7);
	assert_in_range(delay(rig, "192.0.2.1"), 1000, 5000);
	assert_int_equal(delay(rig, "192.0.2.2"), 0);
}

static void failures_are_forgotten(void **state)
{
	struct rig *rig = start(state, 5);

	failures(rig, "192.0.2.1", 1);
	assert_non_null(rig->server->networks);
	RIG_UNTIL(rig, rig->server->networks == NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup_later, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_highest_rate_is_a_limit),
		TEST(without_a_rate_nothing_is_counted),
		TEST(addresses_of_an_ipv6_network_share_their_failures),
		TEST(an_ipv4_address_is_for_itself),
		TEST(failures_are_forgotten),
	};

	alarm(120); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
