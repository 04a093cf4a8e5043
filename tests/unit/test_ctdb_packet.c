/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The vectors were recorded with strace between ctdb(1) and the ctdbd of Debian's 4.17.12, on a little-endian
 * machine; on others the format differs (native byte order), and only the round trips are tested.
 */
#include "backends/ctdb/packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/payload.h"
#include "tests/unit/hex.h"

#define GET_PNN_REQUEST                                                                            \
	"40000000 42445443 01000000 00000000 07000000 010000f0 ffffffff 38ffff7f"                  \
	"23000000 00000000 0000000000000000 00000000 00000000 00000000 00000000"
#define GET_PNN_REPLY                                                                              \
	"30000000 42445443 01000000 d35c4d3d 08000000 00000000 00000000 38ffff7f"                  \
	"00000000 00000000 00000000 00000000"
#define REGISTER_SRVID_REQUEST                                                                     \
	"40000000 42445443 01000000 00000000 07000000 00000000 00000000 3affff7f"                  \
	"17000000 00000000 00000000000001f1 00000000 00000000 00000000 00000000"
#define NODEMAP_REPLY                                                                              \
	"a0000000 42445443 01000000 d35c4d3d 08000000 00000000 00000000 39ffff7f"                  \
	"00000000 70000000 00000000 03000000"                                                      \
	"00000000 00000000 0200111b 0a4d0101 0000000000000000 000000000000000000000000"            \
	"01000000 02000000 0200111b 0a4d0102 0000000000000000 000000000000000000000000"            \
	"02000000 25000000 0200111b 0a4d0103 0000000000000000 000000000000000000000000"            \
	"00000000"
#define PUBLIC_IPS_REPLY                                                                           \
	"b0000000 42445443 01000000 d35c4d3d 08000000 00000000 00000000 3bffff7f"                  \
	"00000000 84000000 00000000 04000000"                                                      \
	"00000000 02000000 0a4d0204 0000000000000000 0000000000000000 00000000"                    \
	"ffffffff 02000000 0a4d0203 0000000000000000 0000000000000000 00000000"                    \
	"01000000 02000000 0a4d0202 0000000000000000 0000000000000000 00000000"                    \
	"02000000 0a000000 00000000 20010db8000000000000000000000001 00000000"

#define BUF_SIZE 512

static size_t vector(const char *hex, uint8_t buf[BUF_SIZE])
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	skip();
#endif
	return unhex(hex, buf, BUF_SIZE);
}

static void control_is_written_as_ctdb_writes_it(void **state)
{
	/* What differs: we send no padding, which ctdbd does not ask for. */
	static const struct ctdb_packet get_pnn = {.operation = CTDB_REQ_CONTROL,
						   .destnode = CTDB_CURRENT_NODE,
						   .srcnode = CTDB_UNKNOWN_PNN,
						   .reqid = 0x7fffff38,
						   .opcode = CTDB_GET_PNN};
	static const struct ctdb_packet listen = {.operation = CTDB_REQ_CONTROL,
						  .reqid = 0x7fffff3a,
						  .opcode = CTDB_REGISTER_SRVID,
						  .srvid = 0xf101000000000000ULL};
	uint8_t expected[BUF_SIZE], *buf = NULL;
	size_t len;

	vector(GET_PNN_REQUEST, expected);
	expected[0] = 60;
	assert_int_equal(ctdb_packet_push(NULL, &get_pnn, &buf, &len), 0);
	assert_int_equal(len, 60);
	assert_memory_equal(buf, expected, len);
	talloc_free(buf);
	vector(REGISTER_SRVID_REQUEST, expected);
	expected[0] = 60;
	assert_int_equal(ctdb_packet_push(NULL, &listen, &buf, &len), 0);
	assert_memory_equal(buf, expected, len);
	talloc_free(buf);
}

static void reply_with_padding_is_read(void **state)
{
	uint8_t buf[BUF_SIZE];
	size_t len = vector(GET_PNN_REPLY, buf);
	struct ctdb_packet packet;
	uint32_t length = 0;

	assert_int_equal(ctdb_packet_length(buf, len, &length), 0);
	assert_int_equal(length, len);
	assert_int_equal(ctdb_packet_parse(buf, len, &packet), 0);
	assert_int_equal(packet.operation, CTDB_REPLY_CONTROL);
	assert_int_equal(packet.generation, 1028480211);
	assert_int_equal(packet.reqid, 0x7fffff38);
	assert_int_equal(packet.status, 0);
	assert_int_equal(packet.data_len, 0);
	assert_null(packet.error);
}

static void node_map_is_read(void **state)
{
	uint8_t buf[BUF_SIZE];
	size_t len = vector(NODEMAP_REPLY, buf);
	struct ctdb_nodemap *map = NULL;
	struct ctdb_packet packet;
	char ip[IPADDR_STRLEN];

	assert_int_equal(ctdb_packet_parse(buf, len, &packet), 0);
	assert_int_equal(packet.data_len, 112);
	assert_int_equal(ctdb_nodemap_parse(NULL, packet.data, packet.data_len, &map), 0);
	assert_int_equal(map->num, 3);
	assert_int_equal(map->list[0].flags, 0);
	assert_int_equal(map->list[1].flags, CTDB_NODE_UNHEALTHY);
	assert_int_equal(map->list[2].flags,
			 CTDB_NODE_DISCONNECTED | CTDB_NODE_DISABLED | CTDB_NODE_STOPPED);
	assert_string_equal(ipaddr_format(&map->list[2].ip, ip), "10.77.1.3");
	talloc_free(map);
	/* A list that claims more than is there, and numbers that are not the positions. */
	assert_int_equal(ctdb_nodemap_parse(NULL, packet.data, 111, &map), EBADMSG);
	buf[44] = 4;
	assert_int_equal(ctdb_nodemap_parse(NULL, packet.data, packet.data_len, &map), EBADMSG);
	buf[44] = 3;
	buf[48] = 7;
	assert_int_equal(ctdb_nodemap_parse(NULL, packet.data, packet.data_len, &map), EBADMSG);
}

static void public_addresses_are_read(void **state)
{
	uint8_t buf[BUF_SIZE];
	size_t len = vector(PUBLIC_IPS_REPLY, buf);
	struct ctdb_iplist *ips = NULL;
	struct ctdb_packet packet;
	char ip[IPADDR_STRLEN];

	assert_int_equal(ctdb_packet_parse(buf, len, &packet), 0);
	assert_int_equal(ctdb_iplist_parse(NULL, packet.data, packet.data_len, &ips), 0);
	assert_int_equal(ips->num, 4);
	assert_int_equal(ips->list[0].pnn, 0);
	assert_string_equal(ipaddr_format(&ips->list[0].ip, ip), "10.77.2.4");
	assert_int_equal(ips->list[1].pnn, CTDB_UNKNOWN_PNN);
	assert_int_equal(ips->list[3].pnn, 2);
	assert_string_equal(ipaddr_format(&ips->list[3].ip, ip), "2001:db8::1");
	talloc_free(ips);
	buf[52] = 9; /* a family that is none */
	assert_int_equal(ctdb_iplist_parse(NULL, packet.data, packet.data_len, &ips), EBADMSG);
	assert_int_equal(ctdb_iplist_parse(NULL, packet.data, 3, &ips), EBADMSG);
}

/* The number of elements times their size must not wrap round. */
static void huge_counts_are_refused(void **state)
{
	const uint8_t data[8] = {0xff, 0xff, 0xff, 0xff};
	struct ctdb_nodemap *map;
	struct ctdb_iplist *ips;

	assert_int_equal(ctdb_nodemap_parse(NULL, data, sizeof(data), &map), EBADMSG);
	assert_int_equal(ctdb_iplist_parse(NULL, data, sizeof(data), &ips), EBADMSG);
}

static void messages_are_read(void **state)
{
	struct ipaddr ip;
	char text[IPADDR_STRLEN];
	uint32_t number = 0;
	const uint32_t map[2] = {2, 0}, disable[6] = {1, 0, 7, 8, 60, 0};

	assert_int_equal(ctdb_ip_text_parse((const uint8_t *)"10.77.2.1", 10, &ip), 0);
	assert_string_equal(ipaddr_format(&ip, text), "10.77.2.1");
	assert_int_equal(ctdb_ip_text_parse((const uint8_t *)"10.77.2.1", 9, &ip), EBADMSG);
	assert_int_equal(ctdb_ip_text_parse((const uint8_t *)"10.77.\0.1", 10, &ip), EBADMSG);
	assert_int_equal(ctdb_ip_text_parse((const uint8_t *)"ten", 4, &ip), EBADMSG);
	assert_int_equal(ctdb_ip_text_parse(NULL, 0, &ip), EBADMSG);
	assert_int_equal(ctdb_disable_parse((const uint8_t *)disable, 24, &number), 0);
	assert_int_equal(number, 60);
	assert_int_equal(ctdb_disable_parse((const uint8_t *)disable, 23, &number), EBADMSG);
	assert_int_equal(ctdb_vnnmap_parse((const uint8_t *)map, 8, &number), 0);
	assert_int_equal(number, 2);
	assert_int_equal(ctdb_vnnmap_parse((const uint8_t *)map, 7, &number), EBADMSG);
	assert_int_equal(ctdb_u32_parse((const uint8_t *)map, 3, &number), EBADMSG);
}

static void connection_has_the_client_first(void **state)
{
	struct sockaddr_storage client, server;
	struct ipaddr ip;
	uint8_t out[CTDB_CONNECTION_LEN], expected[BUF_SIZE];

	vector("0200c350 0a4d0209 0000000000000000 0000000000000000 00000000"
	       "020001bd 0a4d0201 0000000000000000 0000000000000000 00000000",
	       expected);
	assert_int_equal(ipaddr_parse("10.77.2.9", &ip), 0);
	ipaddr_to_sockaddr(&ip, 50000, &client);
	assert_int_equal(ipaddr_parse("10.77.2.1", &ip), 0);
	ipaddr_to_sockaddr(&ip, 445, &server);
	ctdb_connection_push(&client, &server, out);
	assert_memory_equal(out, expected, sizeof(out));
}

static void cut_packets_are_refused(void **state)
{
	uint8_t buf[BUF_SIZE];
	size_t len = vector(NODEMAP_REPLY, buf);
	struct ctdb_packet packet;

	for (size_t cut = 0; cut < len; cut++) {
		uint32_t length = (uint32_t)cut;

		assert_int_equal(ctdb_packet_parse(buf, cut, &packet), EBADMSG);
		memcpy(buf, &length, sizeof(length)); /* and with a header that fits */
		/* The last four octets are padding. */
		assert_int_equal(ctdb_packet_parse(buf, cut, &packet), cut < len - 4 ? EBADMSG : 0);
		unhex(NODEMAP_REPLY, buf, BUF_SIZE);
	}
}

static void lengths_are_bounded(void **state)
{
	const uint32_t small = 31, large = CTDB_PACKET_MAX + 1, least = 32;
	uint32_t length = 0;

	assert_int_equal(ctdb_packet_length((const uint8_t *)&least, 3, &length), EAGAIN);
	assert_int_equal(ctdb_packet_length((const uint8_t *)&small, 4, &length), EBADMSG);
	assert_int_equal(ctdb_packet_length((const uint8_t *)&large, 4, &length), EBADMSG);
	assert_int_equal(ctdb_packet_length((const uint8_t *)&least, 4, &length), 0);
	assert_int_equal(length, 32);
}

static void wrong_fields_are_refused(void **state)
{
	static const struct {
		size_t off;
		uint32_t value;
		int err;
	} rows[] = {
		{4, 0x43544443, EBADMSG},  /* magic */
		{8, 2, EBADMSG},           /* version */
		{16, 9, ENOTSUP},          /* operation: keepalive */
		{36, 113 + 4, EBADMSG},    /* data beyond the end */
		{36, 0xffffffff, EBADMSG}, /* ... and far beyond it */
		{40, 5, EBADMSG},          /* error text beyond the end */
		{40, 0xffffffff, EBADMSG},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t buf[BUF_SIZE];
		size_t len = vector(NODEMAP_REPLY, buf);
		struct ctdb_packet packet;

		memcpy(buf + rows[i].off, &rows[i].value, sizeof(rows[i].value));
		assert_int_equal(ctdb_packet_parse(buf, len, &packet), rows[i].err);
	}
}

static void assert_same_fields(const struct ctdb_packet *a, const struct ctdb_packet *b)
{
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->operation, b->operation);
	assert_int_equal(a->destnode, b->destnode);
	assert_int_equal(a->srcnode, b->srcnode);
	assert_int_equal(a->reqid, b->reqid);
	assert_int_equal(a->opcode, b->opcode);
	assert_int_equal(a->flags, b->flags);
	assert_true(a->srvid == b->srvid);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->data_len, b->data_len);
	assert_int_equal(a->error_len, b->error_len);
}

static void what_is_written_is_read_again(void **state)
{
	static const uint8_t data[] = "data of an odd length", error[] = "why";
	static const uint32_t operations[] = {CTDB_REQ_MESSAGE, CTDB_REQ_CONTROL,
					      CTDB_REPLY_CONTROL};

	for (size_t i = 0; i < 3; i++) {
		struct ctdb_packet in = {.operation = operations[i],
					 .generation = 5,
					 .destnode = CTDB_BROADCAST_CONNECTED,
					 .srcnode = 2,
					 .reqid = 77,
					 .data = data,
					 .data_len = sizeof(data)};
		struct ctdb_packet out;
		uint8_t *buf = NULL;
		size_t len = 0;

		if (operations[i] == CTDB_REPLY_CONTROL) {
			in.status = -1;
			in.error = error;
			in.error_len = 3;
		} else {
			in.srvid = CTDB_SRVID_WITNESSD_PEERS;
		}
		if (operations[i] == CTDB_REQ_CONTROL) {
			in.opcode = CTDB_GET_NODEMAP;
			in.flags = CTDB_CONTROL_NOREPLY;
		}
		assert_int_equal(ctdb_packet_push(NULL, &in, &buf, &len), 0);
		assert_int_equal(ctdb_packet_parse(buf, len, &out), 0);
		assert_memory_equal(out.data, data, sizeof(data));
		if (in.error != NULL) {
			assert_memory_equal(out.error, error, 3);
		}
		assert_same_fields(&in, &out);
		talloc_free(buf);
	}
}

static void too_much_is_not_written(void **state)
{
	struct ctdb_packet packet = {.operation = CTDB_REQ_MESSAGE, .data_len = CTDB_PACKET_MAX};
	uint8_t *buf = NULL;
	size_t len;

	assert_int_equal(ctdb_packet_push(NULL, &packet, &buf, &len), EMSGSIZE);
	packet = (struct ctdb_packet){
		.operation = CTDB_REPLY_CONTROL, .data_len = 1, .error_len = CTDB_PACKET_MAX - 44};
	assert_int_equal(ctdb_packet_push(NULL, &packet, &buf, &len), EMSGSIZE);
	packet.operation = 9;
	assert_int_equal(ctdb_packet_push(NULL, &packet, &buf, &len), ENOTSUP);
	assert_null(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_is_written_as_ctdb_writes_it),
		cmocka_unit_test(reply_with_padding_is_read),
		cmocka_unit_test(node_map_is_read),
		cmocka_unit_test(public_addresses_are_read),
		cmocka_unit_test(huge_counts_are_refused),
		cmocka_unit_test(messages_are_read),
		cmocka_unit_test(connection_has_the_client_first),
		cmocka_unit_test(cut_packets_are_refused),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(wrong_fields_are_refused),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(too_much_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
