/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bind and alter_context on loopback: contexts, fragment sizes, features, groups, what is refused. */
#include "tests/unit/rpc_rig.h"

static const struct rpc_syntax ndr64 = {
	.uuid = GUID_BYTES(0x33, 0x05, 0x71, 0x71, 0xba, 0xbe, 0x37, 0x49, 0x83, 0x19, 0xb5, 0xdb,
			   0xef, 0x9c, 0xcc, 0x36),
	.major = 1,
};
static const struct rpc_syntax features3 = {
	.uuid = GUID_BYTES(0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45, 0x07),
	.major = 1,
};
static const struct rpc_syntax unknown = RIG_SYNTAX(0x99);

static struct pdu_context context(uint16_t id, const struct rpc_syntax *abstract,
				  const struct rpc_syntax *transfer)
{
	return (struct pdu_context){
		.id = id, .n_transfer = 1, .abstract = *abstract, .transfer = {*transfer}};
}

static void expect_results(const struct pdu_bind_ack *ack, const uint16_t (*expected)[2],
			   size_t num)
{
	static const struct rpc_syntax zero;

	assert_int_equal(ack->n_results, num);
	for (size_t i = 0; i < num; i++) {
		assert_int_equal(ack->results[i].result, expected[i][0]);
		assert_int_equal(ack->results[i].reason, expected[i][1]);
		assert_true(rpc_syntax_equal(&ack->results[i].transfer,
					     expected[i][0] == 0 ? &rig_ndr20 : &zero));
	}
}

static void bind_ack_says_what_holds(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	struct pdu_bind_ack *ack;
	char port[8];
	int fd = rig_connect(rig);

	rig_send_bind(fd, RPC_BIND, 0x03, &bind);
	ack = rig_recv_ack(rig, fd, RPC_BIND_ACK, 0x03);
	snprintf(port, sizeof(port), "%u", rig->port);
	assert_string_equal(ack->sec_addr, port);
	assert_false(ack->auth.present);
	rig_request(fd, 2, RIG_ECHO, "abcd", 4);
	rig_expect_response(rig, fd, 2, "abcd", 4);
	close(fd);
}

static void flags_are_echoed_when_known_and_odd_ones_accepted(void **state)
{
	static const uint8_t flags[][2] = {{0x00, 0x03}, {0x03, 0x03}, {0x07, 0x07},
					   {0x13, 0x13}, {0x17, 0x17}, {0xff, 0x17}};
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int fd = rig_connect(rig);

		rig_send_bind(fd, RPC_BIND, flags[i][0], &bind);
		(void)rig_recv_ack(rig, fd, RPC_BIND_ACK, flags[i][1]);
		rig_send_bind(fd, RPC_ALTER_CONTEXT, flags[i][0], &bind);
		/* CONC_MPX is a matter of the bind alone */
		(void)rig_recv_ack(rig, fd, RPC_ALTER_CONTEXT_RESP, (uint8_t)(flags[i][1] & ~0x10));
		close(fd);
	}
}

static void fragment_sizes_are_negotiated(void **state)
{
	static const uint16_t sizes[][3] = {
		{100, 100, 2048},   {2048, 5840, 2048}, {3199, 5840, 3192},   {5840, 3199, 3192},
		{4280, 4280, 4280}, {5840, 5840, 5840}, {65535, 65535, 5840}, {0, 0, 2048},
	};
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = rig_connect(rig);
		struct pdu_bind_ack *ack;

		bind.max_xmit_frag = sizes[i][0];
		bind.max_recv_frag = sizes[i][1];
		rig_send_bind(fd, RPC_BIND, 3, &bind);
		ack = rig_recv_ack(rig, fd, RPC_BIND_ACK, 3);
		assert_int_equal(ack->max_xmit_frag, sizes[i][2]);
		assert_int_equal(ack->max_recv_frag, sizes[i][2]);
		close(fd);
	}
}

static void windows_asks_for_three_contexts(void **state)
{
	static const uint16_t expected[][2] = {{0, 0}, {2, 2}, {3, 3}};
	struct rig *rig = *state;
	struct pdu_context ctx[3] = {
		context(0, &rig_open_iface.syntax, &rig_ndr20),
		context(1, &rig_open_iface.syntax, &ndr64),
		context(2, &rig_open_iface.syntax, &features3),
	};
	struct pdu_bind bind = {
		.max_xmit_frag = 5840, .max_recv_frag = 5840, .n_contexts = 3, .contexts = ctx};
	int fd = rig_connect(rig);

	rig_send_bind(fd, RPC_BIND, 0x17, &bind);
	expect_results(rig_recv_ack(rig, fd, RPC_BIND_ACK, 0x17), expected, 3);
	/* a refused context is not remembered; in an alter_context features are an unknown syntax */
	rig_send_frag(fd, 3, 2, 1, RIG_ECHO, NULL, 0);
	rig_expect_fault(rig, fd, 2, 0x23, 0, RPC_FAULT_UNK_IF);
	ctx[0].id = 7;
	ctx[0].transfer[0] = features3;
	bind.n_contexts = 1;
	rig_send_bind(fd, RPC_ALTER_CONTEXT, 3, &bind);
	expect_results(rig_recv_ack(rig, fd, RPC_ALTER_CONTEXT_RESP, 3),
		       (const uint16_t[][2]){{2, 2}}, 1);
	close(fd);
}

static void a_bind_is_acknowledged_when_each_context_is_refused(void **state)
{
	static const uint16_t expected[][2] = {{2, 1}, {2, 1}, {2, 1}, {2, 2}};
	struct rig *rig = *state;
	struct rpc_syntax minor = rig_open_iface.syntax, major = rig_open_iface.syntax;
	struct pdu_bind bind = {.max_xmit_frag = 5840, .max_recv_frag = 5840, .n_contexts = 4};
	struct pdu_context ctx[4];
	int fd = rig_connect(rig);

	minor.minor = 1;
	major.major = 2;
	ctx[0] = context(0, &unknown, &rig_ndr20);
	ctx[1] = context(1, &minor, &rig_ndr20);
	ctx[2] = context(2, &major, &rig_ndr20);
	ctx[3] = context(3, &rig_open_iface.syntax, &ndr64);
	bind.contexts = ctx;
	rig_send_bind(fd, RPC_BIND, 3, &bind);
	expect_results(rig_recv_ack(rig, fd, RPC_BIND_ACK, 3), expected, 4);
	rig_request(fd, 2, RIG_ECHO, NULL, 0);
	rig_expect_fault(rig, fd, 2, 0x23, 0, RPC_FAULT_UNK_IF);
	close(fd);
}

static void one_context_a_pdu_is_accepted(void **state)
{
	static const uint16_t expected[][2] = {{0, 0}, {2, 2}};
	struct rig *rig = *state;
	struct pdu_context ctx[2] = {
		context(0, &rig_open_iface.syntax, &rig_ndr20),
		context(1, &rig_strict_iface.syntax, &rig_ndr20),
	};
	struct pdu_bind bind = {
		.max_xmit_frag = 5840, .max_recv_frag = 5840, .n_contexts = 2, .contexts = ctx};
	int fd = rig_connect(rig);

	rig_send_bind(fd, RPC_BIND, 3, &bind);
	expect_results(rig_recv_ack(rig, fd, RPC_BIND_ACK, 3), expected, 2);
	/* the second one comes in by alter_context, where the first is repeated */
	rig_send_bind(fd, RPC_ALTER_CONTEXT, 3, &bind);
	expect_results(rig_recv_ack(rig, fd, RPC_ALTER_CONTEXT_RESP, 3),
		       (const uint16_t[][2]){{0, 0}, {0, 0}}, 2);
	/* its interface wants protection */
	rig_send_frag(fd, 3, 2, 1, RIG_ECHO, NULL, 0);
	rig_expect_fault(rig, fd, 2, 0x03, 1, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(rig, fd);
}

static void a_known_id_keeps_its_meaning(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	int fd = rig_bound(rig, 0, 0, NULL);

	ctx.transfer[0] = ndr64;
	rig_send_bind(fd, RPC_ALTER_CONTEXT, 3, &bind);
	expect_results(rig_recv_ack(rig, fd, RPC_ALTER_CONTEXT_RESP, 3),
		       (const uint16_t[][2]){{2, 2}}, 1);
	ctx = context(0, &rig_strict_iface.syntax, &rig_ndr20);
	rig_send_bind(fd, RPC_ALTER_CONTEXT, 3, &bind);
	rig_expect_fault(rig, fd, 1, 0x23, 0, RPC_FAULT_PROTO_ERROR);
	rig_expect_closed(rig, fd);
}

static void contexts_are_limited(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	int fd;

	rig->limits.contexts = 3;
	rig_start(rig);
	fd = rig_bound(rig, 0, 0, NULL);
	for (uint16_t id = 1; id < 5; id++) {
		ctx.id = id;
		rig_send_bind(fd, RPC_ALTER_CONTEXT, 3, &bind);
		expect_results(
			rig_recv_ack(rig, fd, RPC_ALTER_CONTEXT_RESP, 3),
			id < 3 ? (const uint16_t[][2]){{0, 0}} : (const uint16_t[][2]){{2, 3}}, 1);
	}
	close(fd);
}

/* Binds that are refused, and how. */
static void send_edited_bind(int fd, size_t at, uint8_t value)
{
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	uint8_t *pdu;
	size_t len;

	assert_int_equal(pdu_push_bind(NULL, RPC_BIND, 3, 1, &bind, &pdu, &len), 0);
	pdu[at] = value;
	rig_send_pdu(fd, pdu, len);
}

static void bad_binds_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int nak; /* -1: closed without a word */
	} rows[] = {
		{0, 4, 4},    /* rpc_vers */
		{1, 1, 4},    /* rpc_vers_minor */
		{4, 0x20, 4}, /* drep: integers */
		{5, 1, 4},    /* drep: floating point */
		{24, 0, 4},   /* no contexts */
		{30, 0, 0},   /* no transfer syntaxes */
		{24, 9, -1},  /* contexts that are not there */
		{30, 9, -1},  /* syntaxes that are not there */
		{8, 15, -1},  /* frag_length */
		{8, 16, -1},  /* a bind without a body */
		{2, 99, -1},  /* ptype */
		{2, 1, -1},   /* a connectionless one */
		{2, RPC_REQUEST, 4}, {2, RPC_ALTER_CONTEXT, 4}, {2, RPC_AUTH3, 4}, {2, RPC_RTS, 4},
		{20, 1, 0},   /* an association group that does not exist */
		{10, 200, 4}, /* auth_length */
		{10, 3, 0},   /* a trailer at an odd place */
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = rig_connect(rig);

		send_edited_bind(fd, rows[i].at, rows[i].value);
		if (rows[i].nak == -1) {
			rig_expect_closed(rig, fd);
		} else {
			rig_expect_nak(rig, fd, (uint16_t)rows[i].nak);
		}
	}
}

static void features_twice_are_refused(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx[2] = {
		context(0, &rig_open_iface.syntax, &features3),
		context(1, &rig_open_iface.syntax, &features3),
	};
	struct pdu_bind bind = {
		.max_xmit_frag = 5840, .max_recv_frag = 5840, .n_contexts = 2, .contexts = ctx};
	int fd = rig_connect(rig);

	rig_send_bind(fd, RPC_BIND, 3, &bind);
	rig_expect_nak(rig, fd, 0);
}

static void authentication_that_is_not_offered_is_refused(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	int fd = rig_connect(rig);

	bind.auth = (struct pdu_auth){
		.type = RPC_AUTH_NTLM, .level = 5, .value = (const uint8_t *)"x", .value_len = 1};
	rig_send_bind(fd, RPC_BIND, 3, &bind);
	rig_expect_nak(rig, fd, 8);
	fd = rig_bound(rig, 0, 0, NULL);
	rig_send_bind(fd, RPC_ALTER_CONTEXT, 3, &bind);
	rig_expect_fault(rig, fd, 1, 0x23, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(rig, fd);
}

static void a_second_bind_is_refused(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);

	send_edited_bind(fd, 0, 5);
	rig_expect_nak(rig, fd, 0);
}

static void http_is_dropped_at_once(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);

	rig_send(fd, "GET / HTTP/1.0\r\n\r\n", 18);
	rig_expect_closed(rig, fd);
}

static void a_big_endian_client_is_understood(void **state)
{
	static const uint8_t bind[] = {
		5,    0,    11,   3,    0,    0,    0,    0,    0,    72,   0,    0,
		0,    0,    0,    1,    0x10, 0xb8, 0x10, 0xb8, 0,    0,    0,    0,
		1,    0,    0,    0,    0,    0,    1,    0,    0x11, 0x11, 0x11, 0x11,
		0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
		0,    0,    0,    1,    0x8a, 0x88, 0x5d, 0x04, 0x1c, 0xeb, 0x11, 0xc9,
		0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 0,    0,    0,    2};
	static const uint8_t request[] = {5, 0, 0, 3, 0, 0, 0, 0, 0, 28, 0,   0,   0,   0,
					  0, 9, 0, 0, 0, 4, 0, 0, 0, 0,  'b', 'i', 'g', '!'};
	struct rig *rig = *state;
	struct pdu_bind_ack *ack;
	int fd = rig_connect(rig);

	rig_send(fd, bind, sizeof(bind));
	ack = rig_recv_ack(rig, fd, RPC_BIND_ACK, 3);
	assert_int_equal(ack->max_recv_frag, 4280);
	expect_results(ack, (const uint16_t[][2]){{0, 0}}, 1);
	rig_send(fd, request, sizeof(request));
	rig_expect_response(rig, fd, 9, "big!", 4);
	close(fd);
}

static void an_association_group_lives_until_its_last_connection(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	uint32_t group, joined;
	int first = rig_bound(rig, 0, 0, &group);
	int second = rig_bound(rig, 0, group, &joined);
	int third;

	assert_int_equal(joined, group);
	assert_int_equal(rpc_server_stats(rig->server)->assocs, 1);
	close(first);
	RIG_UNTIL(rig, rpc_server_stats(rig->server)->connections == 1);
	assert_int_equal(rig->groups_gone, 0);
	third = rig_bound(rig, 0, group, &joined);
	close(second);
	close(third);
	RIG_UNTIL(rig, rpc_server_stats(rig->server)->connections == 0);
	assert_int_equal(rig->groups_gone, 1);
	assert_int_equal(rpc_server_stats(rig->server)->assocs, 0);
	bind.assoc_group_id = group;
	first = rig_connect(rig);
	rig_send_bind(first, RPC_BIND, 3, &bind);
	rig_expect_nak(rig, first, 0);
}

static void a_group_belongs_to_its_endpoint(void **state)
{
	struct rig *rig = *state;
	struct ipaddr addr = rig_loopback();
	struct rpc_endpoint *other;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	uint32_t group;
	uint16_t port = rig->port;
	int first = rig_bound(rig, 0, 0, &group), second;

	assert_int_equal(rpc_endpoint_create(rig->server, "other", &other), 0);
	assert_int_equal(rpc_endpoint_serve(other, &rig_open_iface, rig), 0);
	assert_int_equal(rpc_endpoint_serve(other, &rig_open_iface, rig), EEXIST);
	assert_int_equal(rpc_endpoint_listen(other, &addr, 0, &rig->port), 0);
	assert_int_equal(rpc_endpoint_port(other), rig->port);
	bind.assoc_group_id = group;
	second = rig_connect(rig);
	rig_send_bind(second, RPC_BIND, 3, &bind);
	rig_expect_nak(rig, second, 0);
	assert_int_equal(rpc_endpoint_listen(other, &addr, port, NULL), EADDRINUSE);
	close(first);
}

int main(void)
{
#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)
#define TEST_LATER(fn) cmocka_unit_test_setup_teardown(fn, rig_setup_later, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(bind_ack_says_what_holds),
		TEST(flags_are_echoed_when_known_and_odd_ones_accepted),
		TEST(fragment_sizes_are_negotiated),
		TEST(windows_asks_for_three_contexts),
		TEST(a_bind_is_acknowledged_when_each_context_is_refused),
		TEST(one_context_a_pdu_is_accepted),
		TEST(a_known_id_keeps_its_meaning),
		TEST_LATER(contexts_are_limited),
		TEST(bad_binds_are_refused),
		TEST(features_twice_are_refused),
		TEST(authentication_that_is_not_offered_is_refused),
		TEST(a_second_bind_is_refused),
		TEST(http_is_dropped_at_once),
		TEST(a_big_endian_client_is_understood),
		TEST(an_association_group_lives_until_its_last_connection),
		TEST(a_group_belongs_to_its_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
