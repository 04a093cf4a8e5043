/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which witness a client takes, and what follows from a notification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "witnessd/swn/client_choice.h"

static struct ipaddr ip(const char *text)
{
	struct ipaddr addr;

	assert_int_equal(ipaddr_parse(text, &addr), 0);
	return addr;
}

static struct swn_interface entry(const char *group, const char *v4, const char *v6, bool witness,
				  uint16_t state)
{
	struct swn_interface e = {
		.group_name = group, .version = SWN_VERSION_2, .state = state, .witness = witness};

	if (v4 != NULL) {
		e.ipv4 = ip(v4);
	}
	if (v6 != NULL) {
		e.ipv6 = ip(v6);
	}
	return e;
}

#define UP   SWN_INTERFACE_AVAILABLE
#define DOWN SWN_INTERFACE_UNAVAILABLE

/* The addresses chosen, as one text. */
static const char *chosen(struct swn_interface *entries, size_t num, const char *server)
{
	static char text[1024];
	const struct swn_interface_list list = {.entries = entries, .num = num};
	struct swn_candidate out[SWN_CHOICE_MAX];
	struct ipaddr addr = ip(server);
	size_t n = swn_choose(&list, &addr, out);

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		char one[IPADDR_STRLEN];

		strcat(text, i > 0 ? " " : "");
		strcat(text, ipaddr_format(&out[i].addr, one));
	}
	return text;
}

static void test_only_available_witnesses(void **state)
{
	struct swn_interface list[] = {
		entry("N1", "10.0.0.1", NULL, false, UP),
		entry("N2", "10.0.0.2", NULL, true, DOWN),
		entry("N3", "10.0.0.3", NULL, true, SWN_INTERFACE_UNKNOWN),
		entry("N4", "10.0.0.4", NULL, true, UP),
		entry("N5", NULL, NULL, true, UP),
	};

	assert_string_equal(chosen(list, 5, "10.0.0.1"), "10.0.0.4");
	assert_string_equal(chosen(list, 0, "10.0.0.1"), "");
}

static void test_the_family_of_the_server(void **state)
{
	struct swn_interface list[] = {
		entry("N2", "10.0.0.2", "fd00::2", true, UP),
		entry("N3", "10.0.0.3", NULL, true, UP),
		entry("N4", NULL, "fd00::4", true, UP),
	};

	assert_string_equal(chosen(list, 3, "10.0.0.1"), "10.0.0.2 10.0.0.3 fd00::4");
	assert_string_equal(chosen(list, 3, "fd00::1"), "fd00::2 10.0.0.3 fd00::4");
}

/* Asked of another node than the server's, the list flags the server's own addresses, too. */
static void test_not_the_server_itself(void **state)
{
	struct swn_interface list[] = {
		entry("N1", "10.0.0.1", NULL, true, UP),
		entry("N1", "10.0.0.11", NULL, true, UP),
		entry("N3", "10.0.0.3", NULL, true, UP),
	};

	assert_string_equal(chosen(list, 3, "10.0.0.1"), "10.0.0.3 10.0.0.11");
	/* Samba's service gives all entries one group. */
	list[2].group_name = "N1";
	assert_string_equal(chosen(list, 3, "10.0.0.1"), "10.0.0.11 10.0.0.3");
}

static void test_a_long_list_is_cut(void **state)
{
	struct swn_interface *list = calloc(1000, sizeof(*list));
	const struct swn_interface_list all = {.entries = list, .num = 1000};
	struct swn_candidate *out = calloc(SWN_CHOICE_MAX, sizeof(*out));
	struct ipaddr *known = calloc(SWN_CHOICE_MAX, sizeof(*known));
	struct ipaddr server = ip("10.0.0.1");
	char name[300];

	assert_true(list != NULL && out != NULL && known != NULL);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < 1000; i++) {
		list[i] = entry(name, "10.0.0.2", NULL, true, UP);
	}
	assert_int_equal(swn_choose(&all, &server, out), SWN_CHOICE_MAX);
	assert_int_equal(strlen(out[0].group), sizeof(out[0].group) - 1);
	assert_int_equal(swn_known_addrs(&all, &server, known), SWN_CHOICE_MAX);
	free(list);
	free(out);
	free(known);
}

static void test_known_are_the_others(void **state)
{
	struct swn_interface entries[] = {
		entry("N1", "10.0.0.1", NULL, false, DOWN),
		entry("N2", "10.0.0.2", "fd00::2", false, DOWN),
		entry("N3", NULL, NULL, true, UP),
	};
	const struct swn_interface_list list = {.entries = entries, .num = 3};
	struct ipaddr known[SWN_CHOICE_MAX];
	struct ipaddr server = ip("10.0.0.1"), other = ip("10.0.0.2");

	assert_int_equal(swn_known_addrs(&list, &server, known), 1);
	assert_true(ipaddr_equal(&known[0], &other));
}

static void test_changes(void **state)
{
	struct swn_resource_change changes[] = {{SWN_RESOURCE_UNAVAILABLE, "x"},
						{SWN_RESOURCE_AVAILABLE, "x"}};
	struct swn_notify notify = {.type = SWN_RESOURCE_CHANGE, .changes = changes};
	struct ipaddr server = ip("10.0.0.1"), before = server;

	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_SAME);
	notify.num_changes = 1;
	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_LOST);
	notify.num_changes = 2; /* the last one is the truth */
	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_BACK);
	assert_true(ipaddr_equal(&server, &before));
}

static void test_moves(void **state)
{
	struct swn_ipaddr addrs[] = {
		{.flags = SWN_IPADDR_V4 | SWN_IPADDR_OFFLINE, .ip = ip("10.0.0.2")},
		{.flags = SWN_IPADDR_V4 | SWN_IPADDR_ONLINE, .ip = ip("10.0.0.3")},
		{.flags = SWN_IPADDR_V4, .ip = ip("10.0.0.4")}};
	struct swn_notify notify = {.type = SWN_CLIENT_MOVE, .addrs = addrs, .num_addrs = 3};
	struct ipaddr server = ip("10.0.0.1"), third = ip("10.0.0.3"), fourth = ip("10.0.0.4");

	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_MOVED);
	assert_true(ipaddr_equal(&server, &third));
	/* Windows Server 2012 says neither ONLINE nor OFFLINE. */
	notify.type = SWN_SHARE_MOVE;
	notify.addrs = addrs + 2;
	notify.num_addrs = 1;
	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_MOVED);
	assert_true(ipaddr_equal(&server, &fourth));
	notify.addrs = addrs; /* only one that is offline */
	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_SAME);
	notify.num_addrs = 0;
	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_SAME);
	assert_true(ipaddr_equal(&server, &fourth));
}

static void test_others_change_nothing(void **state)
{
	struct swn_ipaddr addrs[] = {
		{.flags = SWN_IPADDR_V4 | SWN_IPADDR_ONLINE, .ip = ip("10.0.0.3")}};
	struct swn_notify notify = {.type = SWN_IP_CHANGE, .addrs = addrs, .num_addrs = 1};
	struct ipaddr server = ip("10.0.0.1"), before = server;

	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_SAME);
	notify.type = 77;
	assert_int_equal(swn_consequence(&notify, &server), SWN_SERVER_SAME);
	assert_true(ipaddr_equal(&server, &before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_available_witnesses),
		cmocka_unit_test(test_the_family_of_the_server),
		cmocka_unit_test(test_not_the_server_itself),
		cmocka_unit_test(test_a_long_list_is_cut),
		cmocka_unit_test(test_known_are_the_others),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_others_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
