/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The expected bytes were made by a program of its own (Python's struct), checksums included. */
#include "agents/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void expect(const uint8_t *buf, size_t len, const char *hex)
{
	char text[2 * PACKET_MAX + 1] = "";

	for (size_t i = 0; i < len; i++) {
		snprintf(text + 2 * i, 3, "%02x", buf[i]);
	}
	assert_string_equal(text, hex);
}

static struct ipaddr ip(const char *text)
{
	struct ipaddr addr;

	assert_int_equal(ipaddr_parse(text, &addr), 0);
	return addr;
}

static void tickle_of_ip4(void **state)
{
	uint8_t buf[PACKET_MAX];
	struct tcpconn conn;

	assert_int_equal(tcpconn_parse("10.0.0.1:445 10.0.0.9:50000", &conn), 0);
	expect(buf, packet_tickle(&conn, buf),
	       "4500002800004000400600000a0000010a000009"
	       "01bdc3500000000000000000501004d2d1eb0000");
}

static void tickle_of_ip6(void **state)
{
	uint8_t buf[PACKET_MAX];
	struct tcpconn conn;

	assert_int_equal(tcpconn_parse("[2001:db8::1]:445 [2001:db8::9]:50000", &conn), 0);
	expect(buf, packet_tickle(&conn, buf),
	       "600000000014064020010db800000000000000000000000120010db8000000000000000000000009"
	       "01bdc3500000000000000000501004d28a790000");
}

static void gratuitous_arp(void **state)
{
	const uint8_t mac[] = {2, 0, 0, 0xab, 0xcd, 0xef};
	struct ipaddr addr = ip("10.0.0.1");
	uint8_t buf[PACKET_MAX];

	expect(buf, packet_arp(&addr, mac, sizeof(mac), 1, false, buf),
	       "0001080006040001020000abcdef0a0000010000000000000a000001");
	expect(buf, packet_arp(&addr, mac, sizeof(mac), 1, true, buf),
	       "0001080006040002020000abcdef0a000001ffffffffffff0a000001");
}

static void neighbour_advertisement(void **state)
{
	const uint8_t mac[] = {2, 0, 0, 0xab, 0xcd, 0xef};
	struct ipaddr addr = ip("2001:db8::1");
	uint8_t buf[PACKET_MAX];

	expect(buf, packet_na(&addr, mac, sizeof(mac), buf),
	       "6000000000203aff20010db8000000000000000000000001ff020000000000000000000000000001"
	       "88002a912000000020010db80000000000000000000000010201020000abcdef");
}

/* InfiniBand's have 20 bytes: two units of an option are not enough. */
static void long_hardware_addresses(void **state)
{
	uint8_t hw[PACKET_HW_MAX + 1] = {1}, buf[PACKET_MAX];
	struct ipaddr addr4 = ip("10.0.0.1"), addr6 = ip("2001:db8::1");

	assert_int_equal(packet_na(&addr6, hw, 20, buf), 40 + 24 + 24);
	assert_int_equal(buf[40 + 25], 3);
	assert_int_equal(packet_arp(&addr4, hw, 20, 32, false, buf), 8 + 2 * 24);
	assert_int_equal(packet_na(&addr6, hw, PACKET_HW_MAX, buf), 40 + 24 + 40);
	assert_int_equal(packet_arp(&addr4, hw, PACKET_HW_MAX, 32, false, buf), 8 + 2 * 36);
}

static void what_does_not_fit_is_no_packet(void **state)
{
	uint8_t hw[PACKET_HW_MAX + 1] = {1}, buf[PACKET_MAX];
	struct ipaddr addr4 = ip("10.0.0.1"), addr6 = ip("2001:db8::1");

	assert_int_equal(packet_na(&addr6, hw, sizeof(hw), buf), 0);
	assert_int_equal(packet_na(&addr6, hw, 0, buf), 0);
	assert_int_equal(packet_na(&addr4, hw, 6, buf), 0);
	assert_int_equal(packet_arp(&addr4, hw, sizeof(hw), 1, false, buf), 0);
	assert_int_equal(packet_arp(&addr4, hw, 0, 1, false, buf), 0);
	assert_int_equal(packet_arp(&addr6, hw, 6, 1, false, buf), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tickle_of_ip4),
		cmocka_unit_test(tickle_of_ip6),
		cmocka_unit_test(gratuitous_arp),
		cmocka_unit_test(neighbour_advertisement),
		cmocka_unit_test(long_hardware_addresses),
		cmocka_unit_test(what_does_not_fit_is_no_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
