/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole backend against a ctdbd that plays three nodes and does what real ones cannot be made to do:
 * a node that hangs, answers that make no sense, messages at any time.
 */
#include "backends/backend.h"

#include <errno.h>
#include <stdio.h>

#include "backends/ctdb/news.h"
#include "tests/unit/ctdb_fake.h"
#include "witnessd/util/log.h"

#define NUM_NODES 3U
#define NUM_IPS   2U
#define NOBODY    CTDB_UNKNOWN_PNN

struct fixture {
	struct tevent_context *ev;
	struct ctdb_fake *fake;
	struct config *config;
	struct backend *backend;
	struct backend_sink sink;
	/* the cluster that is played; FAKE_PNN is this node */
	uint32_t runstate;
	uint32_t flags[NUM_NODES];
	uint32_t targets[NUM_NODES][NUM_IPS]; /* 10.0.2.1 and .2, as each node believes */
	bool hangs[NUM_NODES], babbles[NUM_NODES];
	bool looped; /* own broadcasts come back */
	int refuse;  /* so many snapshots for want of memory */
	/* what came of it */
	struct cluster_state *state;
	unsigned int snapshots, lost, intents, told;
	char intent[128];
	struct ctdb_news news;
};

/* --- the fake's side --- */

static void put_u32(uint8_t *out, uint32_t value)
{
	memcpy(out, &value, sizeof(value));
}

static void put_addr(uint8_t *out, unsigned int net, unsigned int host)
{
	const uint16_t family = AF_INET;
	const uint8_t bytes[4] = {10, 0, (uint8_t)net, (uint8_t)host};

	memcpy(out, &family, sizeof(family));
	memcpy(out + 4, bytes, sizeof(bytes));
}

static void answer_map(struct fixture *f, const struct ctdb_packet *request)
{
	uint8_t data[4 + 36 * NUM_NODES] = {0};

	put_u32(data, NUM_NODES);
	for (uint32_t i = 0; i < NUM_NODES; i++) {
		put_u32(data + 4 + 36 * i, i);
		put_u32(data + 8 + 36 * i, f->flags[i]);
		put_addr(data + 12 + 36 * i, 1, i + 1);
	}
	fake_reply(f->fake, request, 0, data, sizeof(data));
}

static void answer_ips(struct fixture *f, const struct ctdb_packet *request, uint32_t pnn)
{
	uint8_t data[4 + 32 * NUM_IPS] = {0};

	put_u32(data, NUM_IPS);
	for (uint32_t i = 0; i < NUM_IPS; i++) {
		put_u32(data + 4 + 32 * i, f->targets[pnn][i]);
		put_addr(data + 8 + 32 * i, 2, i + 1);
	}
	fake_reply(f->fake, request, 0, data, sizeof(data));
}

static void on_message(struct fixture *f, const struct ctdb_packet *message)
{
	if (message->srvid == CTDB_SRVID_WITNESSD_PEERS) {
		return; /* test_ctdb_peers.c */
	}
	assert_int_equal(message->destnode, CTDB_BROADCAST_CONNECTED);
	assert_true(message->srvid == CTDB_SRVID_WITNESSD_NEWS);
	assert_int_equal(ctdb_news_parse(message->data, message->data_len, &f->news), 0);
	f->told++;
	if (f->looped) {
		fake_message(f->fake, message->srvid, message->data, message->data_len);
	}
}

static void on_request(struct ctdb_fake *fake, const struct ctdb_packet *request)
{
	struct fixture *f = fake->private_data;
	uint32_t pnn = request->destnode == CTDB_CURRENT_NODE ? FAKE_PNN : request->destnode;
	const uint32_t vnnmap[2] = {77, 0}, runstate = f->runstate;

	if (request->operation == CTDB_REQ_MESSAGE) {
		on_message(f, request);
		return;
	}
	assert_true(pnn < NUM_NODES);
	if (f->hangs[pnn]) {
		return;
	}
	if (f->babbles[pnn]) {
		fake_reply(fake, request, 0, "\xff\xff\xff\xff babble", 11);
		return;
	}
	switch (request->opcode) {
	case CTDB_GET_NODEMAP:
		answer_map(f, request);
		break;
	case CTDB_GET_PUBLIC_IPS:
		answer_ips(f, request, pnn);
		break;
	case CTDB_GET_RUNSTATE:
		fake_reply(fake, request, 0, &runstate, sizeof(runstate));
		break;
	case CTDB_GET_VNNMAP:
		fake_reply(fake, request, 0, vnnmap, sizeof(vnnmap));
		break;
	case CTDB_GET_RECMODE:
		fake_reply(fake, request, 0, NULL, 0);
		break;
	default:
		break; /* another part's */
	}
}

/* --- the core's side --- */

static int on_snapshot(void *private_data, struct cluster_state **state)
{
	struct fixture *f = private_data;
	char *why = NULL;

	if (f->refuse > 0) {
		f->refuse--;
		TALLOC_FREE(*state);
		return ENOMEM;
	}
	talloc_free(f->state);
	f->state = talloc_move(f, state);
	assert_int_equal(cluster_state_check(f, f->state, &why), 0);
	f->snapshots++;
	return 0;
}

static void on_intent(void *private_data, const struct backend_intent *intent)
{
	struct fixture *f = private_data;

	f->intents++;
	snprintf(f->intent, sizeof(f->intent), "%s %s %s", intent->what, intent->from,
		 intent->to != NULL ? intent->to : "-");
}

static void on_lost(void *private_data, const char *reason)
{
	((struct fixture *)private_data)->lost++;
}

static void on_joined(void *private_data, const char *local)
{
}

static void on_left(void *private_data)
{
}

static void on_peer(void *private_data, const char *name)
{
}

static void on_peer_message(void *private_data, const char *from, const uint8_t *bytes, size_t len)
{
}

/* "1 0": who has .1 and .2; - nobody, ? unknown */
static bool places_are(const struct fixture *f, const char *expected)
{
	char places[2 * NUM_IPS + 1] = "";

	for (unsigned int i = 0; f->state != NULL && i < NUM_IPS; i++) {
		char text[32];
		struct ipaddr ip;
		const struct cluster_addr *addr;

		snprintf(text, sizeof(text), "10.0.2.%u", i + 1);
		assert_int_equal(ipaddr_parse(text, &ip), 0);
		addr = cluster_state_addr(f->state, &ip);
		places[2 * i] = addr == NULL                              ? 'x'
				: addr->state == CLUSTER_ADDR_UNKNOWN     ? '?'
				: addr->state == CLUSTER_ADDR_UNAVAILABLE ? '-'
									  : addr->node[4];
		places[2 * i + 1] = i + 1 < NUM_IPS ? ' ' : '\0';
	}
	return strcmp(places, expected) == 0;
}

static void all_believe(struct fixture *f, uint32_t first, uint32_t second)
{
	for (uint32_t i = 0; i < NUM_NODES; i++) {
		f->targets[i][0] = first;
		f->targets[i][1] = second;
	}
}

static int setup_polling(void **state, const char *poll)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	const char *overrides[] = {NULL, "ctdb.timeout_ms=1000", poll, "peers.heartbeat=no", NULL};
	char *why = NULL;

	log_setup("test", "stderr", LOG_CRIT);
	f->ev = tevent_context_init(f);
	f->fake = fake_create(f, f->ev);
	f->fake->private_data = f;
	f->fake->request = on_request;
	f->runstate = CTDB_RUNSTATE_RUNNING;
	all_believe(f, 1, 0);
	f->sink = (struct backend_sink){
		.private_data = f,
		.snapshot = on_snapshot,
		.intent = on_intent,
		.lost = on_lost,
		.peers_joined = on_joined,
		.peers_left = on_left,
		.peer_up = on_peer,
		.peer_down = on_peer,
		.message = on_peer_message,
	};
	overrides[0] = talloc_asprintf(f, "ctdb.socket=%s", f->fake->path);
	assert_int_equal(config_load(f, "/dev/null", false, overrides, &f->config, &why), 0);
	assert_int_equal(witnessd_backend.connect(f, f->ev, f->config, &f->sink, &f->backend), 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_polling(state, "ctdb.poll_ms=100");
}

/* Nothing is found within a test because it was time to look. */
static int setup_slow(void **state)
{
	return setup_polling(state, "ctdb.poll_ms=60000");
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	TALLOC_FREE(f->backend);
	talloc_free(f);
	return 0;
}

static void settle_in(struct fixture *f)
{
	fake_wait_until(f->ev, places_are(f, "1 0"));
	assert_true(f->state->quorate);
	assert_true(cluster_state_local(f->state) != NULL);
	assert_int_equal(cluster_state_local(f->state)->id, FAKE_PNN);
	f->snapshots = 0;
}

static void take(struct fixture *f, uint64_t srvid, const char *ip)
{
	fake_message(f->fake, srvid, ip, strlen(ip) + 1);
}

static void same_answers_are_one_snapshot(void **state)
{
	struct fixture *f = *state;
	json_t *status;

	settle_in(f);
	do {
		tevent_loop_once(f->ev);
		status = witnessd_backend.status(f->backend);
		assert_non_null(status);
		json_int_t unchanged = json_integer_value(json_object_get(status, "unchanged"));
		json_decref(status);
		if (unchanged > 3) {
			break;
		}
	} while (true);
	assert_int_equal(f->snapshots, 0);
}

/* The core had no memory for it: nothing changes after that, nobody looks, and still it comes. */
static void what_the_core_could_not_take_is_told_again(void **state)
{
	struct fixture *f = *state;

	f->refuse = 2;
	settle_in(f);
	f->refuse = 1;
	all_believe(f, NOBODY, 0);
	take(f, CTDB_SRVID_RELEASE_IP, "10.0.2.1");
	fake_wait_until(f->ev, places_are(f, "- 0"));
	assert_int_equal(f->refuse, 0);
}

static void starting_ctdbd_is_waited_for(void **state)
{
	struct fixture *f = *state;

	f->runstate = CTDB_RUNSTATE_STARTUP;
	fake_wait_until(f->ev, f->fake->registered > 0);
	for (int i = 0; i < 50; i++) {
		tevent_loop_once(f->ev);
	}
	assert_int_equal(f->snapshots, 0);
	f->runstate = CTDB_RUNSTATE_RUNNING;
	settle_in(f);
}

static void own_release_and_take_are_told_to_all(void **state)
{
	struct fixture *f = *state;
	char ip[IPADDR_STRLEN];

	f->looped = true;
	settle_in(f);
	all_believe(f, NOBODY, 0);
	take(f, CTDB_SRVID_RELEASE_IP, "10.0.2.1");
	fake_wait_until(f->ev, places_are(f, "- 0"));
	fake_wait_until(f->ev, f->told == 1);
	assert_int_equal(f->news.kind, CTDB_NEWS_RELEASED);
	assert_int_equal(f->news.pnn, FAKE_PNN);
	assert_string_equal(ipaddr_format(&f->news.ip, ip), "10.0.2.1");
	all_believe(f, 1, 0);
	take(f, CTDB_SRVID_TAKE_IP, "10.0.2.1");
	fake_wait_until(f->ev, places_are(f, "1 0"));
	fake_wait_until(f->ev, f->told == 2);
	assert_int_equal(f->news.kind, CTDB_NEWS_TAKEN);
}

static void news_of_others_are_used_at_once(void **state)
{
	struct fixture *f = *state;
	struct ctdb_news news = {.kind = CTDB_NEWS_RELEASED, .pnn = 0};
	uint8_t buf[CTDB_NEWS_MAX];

	settle_in(f);
	f->hangs[0] = f->hangs[2] = true; /* nobody else could say so */
	assert_int_equal(ipaddr_parse("10.0.2.2", &news.ip), 0);
	fake_message(f->fake, CTDB_SRVID_WITNESSD_NEWS, buf, ctdb_news_push(&news, buf));
	fake_wait_until(f->ev, places_are(f, "1 -"));
	news.kind = CTDB_NEWS_TAKEN;
	news.pnn = 2;
	fake_message(f->fake, CTDB_SRVID_WITNESSD_NEWS, buf, ctdb_news_push(&news, buf));
	fake_wait_until(f->ev, places_are(f, "1 2"));
	assert_int_equal(f->told, 0);
}

static void bystanders_see_where_it_goes(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->targets[1][1] = 2; /* node 0 still has it */
	take(f, CTDB_SRVID_DISABLE_IP_CHECK, "");
	fake_wait_until(f->ev, f->intents == 1);
	assert_string_equal(f->intent, "10.0.2.2 node0 node2");
	assert_true(places_are(f, "1 0"));
}

static void hanging_node_holds_nothing_up(void **state)
{
	struct fixture *f = *state;

	f->hangs[0] = true;
	fake_wait_until(f->ev, places_are(f, "1 ?"));
	f->hangs[0] = false;
	settle_in(f);
	f->hangs[0] = true;
	fake_wait_until(f->ev, places_are(f, "1 ?"));
	all_believe(f, 2, 0);
	take(f, CTDB_SRVID_RELEASE_IP, "10.0.2.1");
	fake_wait_until(f->ev, places_are(f, "- ?"));
	fake_wait_until(f->ev, places_are(f, "2 ?")); /* settled */
}

static void nonsense_is_no_answer(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->babbles[0] = true;
	fake_wait_until(f->ev, places_are(f, "1 ?"));
	take(f, CTDB_SRVID_RELEASE_IP, "no address");
	fake_message(f->fake, CTDB_SRVID_TAKE_IP, "", 0);
	fake_message(f->fake, CTDB_SRVID_WITNESSD_NEWS, "WNEWxxxxxxxx", 12);
	fake_message(f->fake, CTDB_SRVID_DISABLE_TAKEOVER_RUNS, "x", 1);
	f->babbles[0] = false;
	fake_wait_until(f->ev, places_are(f, "1 0"));
	assert_int_equal(f->lost, 0);
}

static void own_ctdbd_that_babbles_changes_nothing(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->babbles[FAKE_PNN] = true;
	for (int i = 0; i < 50; i++) {
		tevent_loop_once(f->ev);
	}
	f->babbles[FAKE_PNN] = false;
	fake_wait_until(f->ev, places_are(f, "1 0"));
	assert_int_equal(f->lost, 0);
}

static void own_addresses_are_lost_with_ctdbd(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	fake_die(f->fake);
	fake_wait_until(f->ev, f->lost == 1);
	assert_int_equal(f->snapshots, 1);
	assert_true(places_are(f, "- 0"));
	assert_false(f->state->quorate);
	assert_false(cluster_state_local(f->state)->online);
	fake_listen(f->fake);
	fake_wait_until(f->ev, places_are(f, "1 0"));
	assert_int_equal(f->snapshots, 2);
	assert_true(f->state->quorate);
}

static void own_flags_are_told_to_all(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[FAKE_PNN] = CTDB_NODE_DISABLED;
	fake_wait_until(f->ev, f->told == 1);
	assert_int_equal(f->news.kind, CTDB_NEWS_LOOK);
	fake_wait_until(f->ev, cluster_state_local(f->state)->draining);
}

static void lost_nodes_are_seen_without_a_message(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[0] = CTDB_NODE_DISCONNECTED | CTDB_NODE_UNHEALTHY;
	fake_wait_until(f->ev, places_are(f, "1 -"));
	assert_true(f->state->quorate);
	assert_false(cluster_state_node(f->state, "node0")->online);
}

/* One command of witnessctl ctdb. */
static int command(struct fixture *f, const char *text, char **why)
{
	json_t *request = json_loads(text, 0, NULL);
	json_t *reply = NULL;
	int err = witnessd_backend.control(f->backend, f, request, &reply, why);

	json_decref(reply);
	json_decref(request);
	return err;
}

static void refresh_looks_at_once(void **state)
{
	struct fixture *f = *state;
	char *why = NULL;

	assert_int_equal(command(f, "{\"argv\": [\"refresh\"]}", &why), ENOTCONN);
	settle_in(f);
	all_believe(f, 1, 2);
	assert_int_equal(command(f, "{\"argv\": [\"refresh\"]}", &why), 0);
	fake_wait_until(f->ev, places_are(f, "1 2"));
}

static void other_commands_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = {"{}",
					    "{\"argv\": []}",
					    "{\"argv\": [1]}",
					    "{\"argv\": \"refresh\"}",
					    "{\"argv\": [\"refresh\", \"now\"]}",
					    "{\"argv\": [\"move\"]}"};

	settle_in(f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *why = NULL;

		assert_int_equal(command(f, wrong[i], &why), EINVAL);
		assert_string_equal(why, "expected: refresh");
	}
}

static void wrong_configuration_does_not_start(void **state)
{
	struct fixture *f = *state;
	const char *const overrides[] = {"ctdb.node_names=a a", NULL};
	struct config *config = NULL;
	struct backend *backend = NULL;
	char *why = NULL;

	assert_int_equal(config_load(f, "/dev/null", false, overrides, &config, &why), 0);
	assert_int_equal(witnessd_backend.connect(f, f->ev, config, &f->sink, &backend), EINVAL);
	assert_null(backend);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(same_answers_are_one_snapshot),
		TEST(starting_ctdbd_is_waited_for),
		cmocka_unit_test_setup_teardown(what_the_core_could_not_take_is_told_again,
						setup_slow, teardown),
		TEST(own_release_and_take_are_told_to_all),
		TEST(news_of_others_are_used_at_once),
		TEST(bystanders_see_where_it_goes),
		TEST(hanging_node_holds_nothing_up),
		TEST(nonsense_is_no_answer),
		TEST(own_ctdbd_that_babbles_changes_nothing),
		TEST(own_addresses_are_lost_with_ctdbd),
		TEST(own_flags_are_told_to_all),
		TEST(lost_nodes_are_seen_without_a_message),
		cmocka_unit_test_setup_teardown(refresh_looks_at_once, setup_slow, teardown),
		TEST(other_commands_are_refused),
		TEST(wrong_configuration_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
