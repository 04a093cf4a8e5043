/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peers of a CTDB cluster: this is node 1, the fake ctdbd and the test are the rest of the world. */
#include "backends/ctdb/peers.h"

#include <errno.h>
#include <stdio.h>

#include "backends/ctdb/peer_packet.h"
#include "tests/unit/ctdb_fake.h"
#include "witnessd/util/log.h"
#include "witnessd/util/pack.h"

struct fixture {
	struct tevent_context *ev;
	struct config *config;
	struct ctdb_fake *fake;
	struct ctdb_client *client;
	struct ctdb_names *names;
	struct ctdb_peers *peers;
	struct backend_sink sink;
	char *heard;                  /* what the sink was told, a word each */
	struct ctdb_peer_packet said; /* the last packet that went out, without its data */
	char text[64];                /* ... which were these */
	uint32_t dest;
	uint8_t will[64];
	unsigned int hellos, datas, wills;
};

/* --- the sink --- */

static void hear(void *private_data, const char *what, const char *name)
{
	struct fixture *f = private_data;

	f->heard = talloc_asprintf_append(f->heard, "%s%s ", what, name);
}

static void on_joined(void *private_data, const char *local)
{
	hear(private_data, "joined:", local);
}

static void on_left(void *private_data)
{
	hear(private_data, "left", "");
}

static void on_up(void *private_data, const char *node)
{
	hear(private_data, "+", node);
}

static void on_down(void *private_data, const char *node)
{
	hear(private_data, "-", node);
}

static void on_message(void *private_data, const char *from, const uint8_t *bytes, size_t len)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)bytes);
	hear(private_data, from, ":");
	hear(private_data, text, "");
}

/* --- the fake --- */

static void on_request(struct ctdb_fake *fake, const struct ctdb_packet *request)
{
	struct fixture *f = fake->private_data;

	if (request->operation == CTDB_REQ_CONTROL && request->opcode == CTDB_REGISTER_NOTIFY) {
		assert_int_equal(request->flags, CTDB_CONTROL_NOREPLY);
		assert_int_equal(request->destnode, CTDB_CURRENT_NODE);
		assert_in_range(request->data_len, 1, sizeof(f->will));
		memcpy(f->will, request->data, request->data_len);
		f->wills++;
		return;
	}
	assert_int_equal(request->operation, CTDB_REQ_MESSAGE);
	assert_int_equal(request->srvid, CTDB_SRVID_WITNESSD_PEERS);
	assert_int_equal(ctdb_peer_parse(request->data, request->data_len, &f->said), 0);
	assert_int_equal(f->said.pnn, FAKE_PNN);
	f->dest = request->destnode;
	if (f->said.kind == CTDB_PEER_DATA) {
		snprintf(f->text, sizeof(f->text), "%.*s", (int)f->said.len,
			 (const char *)f->said.data);
		f->datas++;
	} else {
		f->hellos++;
	}
}

static int setup_with(void **state, uint32_t join_wait_ms)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	struct ctdb_client_config config = {
		.retry_max_ms = 100, .timeout_ms = 300, .silence_max_ms = 5000};
	struct ctdb_peers_config peers = {.join_wait_ms = join_wait_ms};
	static const char *const none[] = {NULL};
	char *why = NULL;

	log_setup("test", "stderr", LOG_CRIT);
	f->ev = tevent_context_init(f);
	f->fake = fake_create(f, f->ev);
	f->fake->private_data = f;
	f->fake->request = on_request;
	f->heard = talloc_strdup(f, "");
	config.socket = f->fake->path;
	f->sink = (struct backend_sink){.private_data = f,
					.peers_joined = on_joined,
					.peers_left = on_left,
					.peer_up = on_up,
					.peer_down = on_down,
					.message = on_message};
	assert_int_equal(
		config_load(f, "/nonexistent/witnessd.conf", false, none, &f->config, &why), 0);
	assert_int_equal(ctdb_names_create(f, f->config, &f->names), 0);
	assert_int_equal(ctdb_client_create(f, f->ev, &config, &f->client), 0);
	peers.client = f->client;
	peers.names = f->names;
	peers.sink = &f->sink;
	assert_int_equal(ctdb_peers_create(f, f->ev, &peers, &f->peers), 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, 60000);
}

static int setup_impatient(void **state)
{
	return setup_with(state, 50);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	TALLOC_FREE(f->client);
	talloc_free(f);
	return 0;
}

static void expect(struct fixture *f, const char *story)
{
	assert_string_equal(f->heard, story);
	talloc_free(f->heard);
	f->heard = talloc_strdup(f, "");
}

/* As if everything that is under way had come. */
static void settle(struct fixture *f)
{
	bool done = false;

	tevent_add_timer(f->ev, f, tevent_timeval_current_ofs(0, 20000), fake_timed_out, &done);
	while (!done) {
		tevent_loop_once(f->ev);
	}
}

static void send_packet(struct fixture *f, enum ctdb_peer_kind kind, uint16_t flags, uint32_t pnn,
			uint64_t instance, const char *text)
{
	struct ctdb_peer_packet packet = {
		.kind = kind, .flags = flags, .pnn = pnn, .instance = instance};
	uint8_t bytes[256];
	size_t len = strlen(text);

	ctdb_peer_push(&packet, bytes);
	memcpy(bytes + CTDB_PEER_HEADER, text, len);
	fake_message(f->fake, CTDB_SRVID_WITNESSD_PEERS, bytes, CTDB_PEER_HEADER + len);
	settle(f);
}

/* What ctdbd says of nodes 0 to 2: d for disconnected, x for deleted, - for connected. */
static void nodes(struct fixture *f, const char *flags)
{
	struct ctdb_node list[8] = {{.pnn = 0}};
	struct ctdb_nodemap map = {.list = list, .num = strlen(flags)};

	for (uint32_t i = 0; i < map.num; i++) {
		list[i].pnn = i;
		list[i].flags = flags[i] == 'd'   ? CTDB_NODE_DISCONNECTED
				: flags[i] == 'x' ? CTDB_NODE_DELETED
						  : 0;
	}
	ctdb_peers_nodes(f->peers, &map);
	settle(f);
}

static void connect_up(struct fixture *f)
{
	fake_wait_until(f->ev, f->wills == 1 && f->hellos == 1);
	assert_int_equal(f->said.kind, CTDB_PEER_HELLO);
	assert_int_equal(f->said.flags, CTDB_PEER_ANSWER);
	assert_int_equal(f->dest, CTDB_BROADCAST_CONNECTED);
}

static void joins_alone_at_once(void **state)
{
	struct fixture *f = *state;

	connect_up(f);
	expect(f, "");
	nodes(f, "d-x");
	expect(f, "joined:node1 ");
	/* Later on nothing changes that. */
	nodes(f, "d-x");
	expect(f, "");
}

static void joins_when_all_have_answered(void **state)
{
	struct fixture *f = *state;
	unsigned int hellos;

	connect_up(f);
	nodes(f, "---");
	expect(f, "");
	send_packet(f, CTDB_PEER_HELLO, 0, 2, 77, "");
	expect(f, "+node2 ");
	/* What they say before we are a member comes through, after they are up. */
	send_packet(f, CTDB_PEER_DATA, 0, 2, 77, "records");
	expect(f, "node2: records ");
	hellos = f->hellos;
	send_packet(f, CTDB_PEER_HELLO, CTDB_PEER_ANSWER, 0, 66, "");
	expect(f, "+node0 joined:node1 ");
	assert_int_equal(f->hellos, hellos + 1);
	assert_int_equal(f->dest, 0);
	assert_int_equal(f->said.flags, 0);
}

static void joins_without_those_who_do_not_answer(void **state)
{
	struct fixture *f = *state;

	connect_up(f);
	nodes(f, "---");
	fake_wait_until(f->ev, strcmp(f->heard, "") != 0);
	expect(f, "joined:node1 ");
	/* One that comes later is up when it comes. */
	send_packet(f, CTDB_PEER_DATA, 0, 0, 66, "hi");
	expect(f, "+node0 node0: hi ");
}

static void joined(struct fixture *f)
{
	connect_up(f);
	nodes(f, "---");
	send_packet(f, CTDB_PEER_HELLO, 0, 0, 66, "");
	send_packet(f, CTDB_PEER_HELLO, 0, 2, 77, "");
	expect(f, "+node0 +node2 joined:node1 ");
}

static void a_will_says_who_has_gone(void **state)
{
	struct fixture *f = *state;
	struct ctdb_peer_packet packet;
	uint64_t srvid;
	uint32_t len;

	joined(f);
	/* Ours is well-formed, and names us as we are. */
	memcpy(&srvid, f->will, sizeof(srvid));
	memcpy(&len, f->will + 8, sizeof(len));
	assert_true(srvid == CTDB_SRVID_WITNESSD_PEERS);
	assert_int_equal(ctdb_peer_parse(f->will + 12, len, &packet), 0);
	assert_int_equal(packet.kind, CTDB_PEER_BYE);
	assert_int_equal(packet.pnn, FAKE_PNN);
	assert_true(packet.instance == f->said.instance);

	send_packet(f, CTDB_PEER_BYE, 0, 2, 76, ""); /* of a former life */
	expect(f, "");
	send_packet(f, CTDB_PEER_BYE, 0, 2, 77, "");
	expect(f, "-node2 ");
	send_packet(f, CTDB_PEER_BYE, 0, 2, 77, "");
	expect(f, "");
	send_packet(f, CTDB_PEER_HELLO, 0, 2, 78, "");
	expect(f, "+node2 ");
}

static void one_that_was_started_anew_has_left_before(void **state)
{
	struct fixture *f = *state;

	joined(f);
	send_packet(f, CTDB_PEER_DATA, 0, 2, 78, "again");
	expect(f, "-node2 +node2 node2: again ");
}

static void who_is_out_of_reach_is_gone_until_it_is_back(void **state)
{
	struct fixture *f = *state;
	unsigned int hellos;

	joined(f);
	nodes(f, "--d");
	expect(f, "-node2 ");
	hellos = f->hellos;
	nodes(f, "---");
	expect(f, "");
	/* It is asked whether it is there: it may not know that it was lost. */
	assert_int_equal(f->hellos, hellos + 1);
	assert_int_equal(f->dest, 2);
	assert_int_equal(f->said.flags, CTDB_PEER_ANSWER);
	send_packet(f, CTDB_PEER_HELLO, 0, 2, 77, "");
	expect(f, "+node2 ");
	nodes(f, "--");
	expect(f, "-node2 ");
}

static void messages_go_out(void **state)
{
	struct fixture *f = *state;
	static uint8_t large[CTDB_PEER_MAX];

	assert_int_equal(ctdb_peers_broadcast(f->peers, (const uint8_t *)"x", 1), ENOTCONN);
	connect_up(f);
	assert_int_equal(ctdb_peers_broadcast(f->peers, (const uint8_t *)"x", 1), ENOTCONN);
	nodes(f, "d-");
	assert_int_equal(ctdb_peers_broadcast(f->peers, (const uint8_t *)"hello", 5), 0);
	fake_wait_until(f->ev, f->datas == 1);
	assert_string_equal(f->text, "hello");
	assert_int_equal(f->dest, CTDB_BROADCAST_CONNECTED);
	assert_int_equal(ctdb_peers_broadcast(f->peers, large, sizeof(large)), EMSGSIZE);
}

static void a_ctdbd_that_does_not_read_is_waited_for(void **state)
{
	struct fixture *f = *state;
	static uint8_t large[32768];
	unsigned int num = 0;

	connect_up(f);
	nodes(f, "d-");
	while (ctdb_peers_broadcast(f->peers, large, sizeof(large)) == 0) {
		num++;
		assert_in_range(num, 1, 1000);
	}
	assert_int_equal(ctdb_peers_broadcast(f->peers, large, sizeof(large)), EAGAIN);
	assert_in_range(ctdb_client_stats(f->client)->queued, CTDB_PEERS_QUEUE_MAX,
			CTDB_PEERS_QUEUE_MAX + 40000);
	fake_wait_until(f->ev, f->datas == num);
	assert_int_equal(ctdb_peers_broadcast(f->peers, large, sizeof(large)), 0);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct fixture *f = *state;
	json_t *status;

	joined(f);
	fake_message(f->fake, CTDB_SRVID_WITNESSD_PEERS, "garbage", 7);
	fake_message(f->fake, CTDB_SRVID_WITNESSD_PEERS, "", 0);
	send_packet(f, (enum ctdb_peer_kind)9, 0, 2, 77, "");
	send_packet(f, CTDB_PEER_HELLO, 0, 3, 1, "");
	send_packet(f, CTDB_PEER_HELLO, 0, UINT32_MAX, 1, "");
	expect(f, "");
	status = ctdb_peers_status(f->peers);
	assert_int_equal(json_integer_value(json_object_get(status, "refused")), 5);
	assert_int_equal(json_integer_value(json_object_get(status, "up")), 2);
	json_decref(status);
	/* Our own come back, and are nobody's. */
	send_packet(f, CTDB_PEER_DATA, 0, FAKE_PNN, 1, "me");
	expect(f, "");
}

static void a_lost_ctdbd_means_that_we_have_left(void **state)
{
	struct fixture *f = *state;
	uint64_t instance;

	joined(f);
	instance = f->said.instance;
	fake_hang_up(f->fake);
	fake_wait_until(f->ev, strcmp(f->heard, "") != 0);
	expect(f, "left ");
	/* Then all begins anew, as somebody else. */
	fake_wait_until(f->ev, f->wills == 2 && f->said.instance != instance);
	nodes(f, "---");
	send_packet(f, CTDB_PEER_HELLO, 0, 0, 66, "");
	send_packet(f, CTDB_PEER_HELLO, 0, 2, 77, "");
	expect(f, "+node0 +node2 joined:node1 ");
}

static void one_lost_before_we_have_joined_takes_back_what_was_said(void **state)
{
	struct fixture *f = *state;

	connect_up(f);
	nodes(f, "---");
	send_packet(f, CTDB_PEER_HELLO, 0, 2, 77, "");
	expect(f, "+node2 ");
	fake_hang_up(f->fake);
	fake_wait_until(f->ev, strcmp(f->heard, "") != 0);
	expect(f, "-node2 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(joins_alone_at_once),
		TEST(joins_when_all_have_answered),
		cmocka_unit_test_setup_teardown(joins_without_those_who_do_not_answer,
						setup_impatient, teardown),
		TEST(a_will_says_who_has_gone),
		TEST(one_that_was_started_anew_has_left_before),
		TEST(who_is_out_of_reach_is_gone_until_it_is_back),
		TEST(messages_go_out),
		TEST(a_ctdbd_that_does_not_read_is_waited_for),
		TEST(what_makes_no_sense_is_refused),
		TEST(a_lost_ctdbd_means_that_we_have_left),
		TEST(one_lost_before_we_have_joined_takes_back_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
