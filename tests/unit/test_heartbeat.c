/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beats over the peers' messages, probes of a backend, and what the cluster makes of a verdict. */
#include "witnessd/cluster/heartbeat.h"

#include "tests/unit/cluster_fixture.h"
#include "tests/unit/peers_net.h"
#include "tests/unit/short_memory.h"
#include "witnessd/cluster/cluster_private.h"
#include "witnessd/cluster/overlay.h"
#include "witnessd/cluster/peers_wire.h"
#include "witnessd/util/req.h"

#define VIP "10.0.0.1"

/* --- a backend that answers probes --- */

struct backend {
	int answer; /* what probes end with; EINPROGRESS: they do not end */
	unsigned int probes;
	char *asked;
};

struct probe_state {
	int nothing;
};

static struct tevent_req *probe_node_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					  struct backend *backend, const char *node,
					  uint32_t timeout_ms)
{
	struct probe_state *state;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct probe_state);

	assert_non_null(req);
	backend->probes++;
	talloc_free(backend->asked);
	backend->asked = talloc_strdup(NULL, node);
	assert_int_equal(timeout_ms, 1000);
	if (backend->answer == 0) {
		tevent_req_done(req);
	} else if (backend->answer != EINPROGRESS) {
		tevent_req_error(req, backend->answer);
	} else {
		return req;
	}
	return tevent_req_post(req, ev);
}

static int probe_node_recv(struct tevent_req *req)
{
	return req_errno(req);
}

static const struct backend_ops ops = {
	.abi = BACKEND_ABI,
	.name = "fake",
	.probe_node_send = probe_node_send,
	.probe_node_recv = probe_node_recv,
};

/* --- four of them among each other --- */

struct member {
	struct heartbeat *hb;
	struct backend backend;
	struct cluster_state *manager;
	unsigned int changes;
};

struct fixture {
	struct net *net;
	struct member members[NET_NODES];
};

static const struct cluster_state *member_manager(void *private_data)
{
	return ((struct member *)private_data)->manager;
}

static void member_changed(void *private_data)
{
	((struct member *)private_data)->changes++;
}

static void start(struct fixture *f, unsigned int num, bool can_probe)
{
	struct member *member = &f->members[num];
	struct heartbeat_config config = {
		.interval_ms = 500,
		.timeout_ms = 3000,
		.ops = can_probe ? &ops : NULL,
		.backend = &member->backend,
		.manager = member_manager,
		.changed = member_changed,
		.private_data = member,
		.clock = net_clock,
		.clock_private = f->net,
	};

	net_start(f->net, num);
	member->backend.answer = ETIMEDOUT;
	member->manager = cluster_state_new(f->net);
	for (unsigned int i = 0; i < NET_NODES; i++) {
		fix_node(member->manager, f->net->nodes[i].name, i == num ? "ol" : "o");
	}
	assert_int_equal(heartbeat_create(f->net, f->net->ev, f->net->nodes[num].peers, &config,
					  &member->hb),
			 0);
}

static void pass(struct fixture *f, unsigned int ms)
{
	for (unsigned int i = 0; i < ms; i += 50) {
		for (unsigned int j = 0; j < NET_NODES; j++) {
			if (f->members[j].hb != NULL) {
				heartbeat_run(f->members[j].hb);
			}
		}
		net_pass(f->net, 50);
	}
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->net = net_new(1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		talloc_free(f->members[i].hb);
		talloc_free(f->net->nodes[i].peers);
		talloc_free(f->members[i].backend.asked);
	}
	talloc_free(f->net);
	talloc_free(f);
	return 0;
}

/* The transport says nothing of it, as CTDB does for half a minute. */
static void silence(struct fixture *f, unsigned int num, bool silent)
{
	for (unsigned int i = 0; i < NET_NODES; i++) {
		f->net->linked[i][num] = f->net->linked[num][i] = !silent;
	}
}

/* How a node looks to another. */
static char *look(struct fixture *f, unsigned int by, const char *node)
{
	json_t *status = heartbeat_status_json(f->members[by].hb), *row;
	char *text = NULL;
	size_t i;

	json_array_foreach(json_object_get(status, "nodes"), i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "node")), node) == 0) {
			text = talloc_strdup(f->net,
					     json_string_value(json_object_get(row, "state")));
		}
	}
	json_decref(status);
	return text != NULL ? text : talloc_strdup(f->net, "unknown");
}

static void expect_look(struct fixture *f, unsigned int by, const char *node, const char *state)
{
	char *text = look(f, by, node);

	assert_string_equal(text, state);
	talloc_free(text);
}

static void all_hear_each_other(void **state)
{
	struct fixture *f = *state;
	unsigned int sent;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		start(f, i, true);
	}
	pass(f, 2000);
	sent = f->net->sent;
	pass(f, 10000);
	assert_in_range(f->net->sent - sent, NET_NODES * 17, NET_NODES * 21);
	for (unsigned int i = 0; i < NET_NODES; i++) {
		for (unsigned int j = 0; j < NET_NODES; j++) {
			expect_look(f, i, f->net->nodes[j].name, i == j ? "unknown" : "beating");
		}
		assert_int_equal(f->members[i].backend.probes, 0);
		assert_int_equal(f->members[i].changes, 0);
	}
}

static void a_silent_node_is_found_dead_and_returns(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		start(f, i, true);
	}
	pass(f, 2000);
	silence(f, 3, true);
	pass(f, 2400);
	expect_look(f, 0, "n4", "beating");
	assert_string_equal(f->members[0].backend.asked, "n4");
	pass(f, 900);
	for (unsigned int i = 0; i < 3; i++) {
		expect_look(f, i, "n4", "dead");
		assert_true(heartbeat_is_dead(f->members[i].hb, "n4"));
		assert_false(heartbeat_is_dead(f->members[i].hb, "n1"));
		assert_int_equal(f->members[i].changes, 1);
	}
	/* The other side is one of four. */
	pass(f, 10000);
	expect_look(f, 3, "n1", "suspected");
	assert_int_equal(f->members[3].changes, 0);
	silence(f, 3, false);
	pass(f, 1000);
	for (unsigned int i = 0; i < 3; i++) {
		expect_look(f, i, "n4", "beating");
		assert_int_equal(f->members[i].changes, 2);
	}
}

static void a_hung_witness_is_asked_for_and_lives(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		start(f, i, true);
		f->members[i].backend.answer = 0;
	}
	pass(f, 2000);
	silence(f, 3, true);
	pass(f, 20000);
	expect_look(f, 0, "n4", "silent");
	assert_int_equal(f->members[0].changes, 0);
	assert_in_range(f->members[0].backend.probes, 15, 20);
	/* What cannot be told counts no more than that. */
	for (unsigned int i = 0; i < NET_NODES; i++) {
		f->members[i].backend.answer = ENOTCONN;
	}
	pass(f, 20000);
	assert_int_equal(f->members[0].changes, 0);
}

static void without_probes_there_is_no_verdict(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		start(f, i, false);
	}
	pass(f, 2000);
	silence(f, 3, true);
	pass(f, 20000);
	expect_look(f, 0, "n4", "silent");
	assert_int_equal(f->members[0].changes, 0);
}

static void ends_with_a_probe_under_way(void **state)
{
	struct fixture *f = *state;

	start(f, 0, true);
	start(f, 1, true);
	f->members[0].backend.answer = EINPROGRESS;
	pass(f, 2000);
	silence(f, 1, true);
	pass(f, 5000);
	assert_int_equal(f->members[0].backend.probes, 1);
	TALLOC_FREE(f->members[0].hb);
	pass(f, 1000);
	silence(f, 1, false);
	pass(f, 1000);
}

static void a_witness_that_stops_is_not_missed(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		start(f, i, true);
	}
	pass(f, 2000);
	TALLOC_FREE(f->members[3].hb);
	net_kill(f->net, 3);
	pass(f, 20000);
	expect_look(f, 0, "n4", "unknown");
	assert_int_equal(f->members[0].backend.probes, 0);
	assert_int_equal(f->members[0].changes, 0);
}

/* --- what the cluster makes of it: this is n1, the test plays n2 and n3 --- */

struct rig {
	struct tevent_context *ev;
	struct cluster *cluster;
	const struct backend_sink *sink;
	struct backend backend;
	uint64_t now_us, sequence[2];
	bool silent[2];
	char *heard;
	unsigned long fails; /* this allocation, when a snapshot is submitted; 0: none */
	int err;             /* what the sink said */
};

static uint64_t rig_clock(void *private_data)
{
	return ((struct rig *)private_data)->now_us;
}

static void hear(void *private_data, const struct cluster_event *event,
		 const struct cluster_state *state)
{
	static const char letters[] = "LBMARudDSNqQIFX";
	struct rig *rig = private_data;

	short_memory_begin(0); /* it was taken, which is what counts */
	rig->heard = talloc_asprintf_append(rig->heard, "%c%s%s ", letters[event->type],
					    event->name != NULL ? event->name : "",
					    event->from != NULL ? event->from : "");
}

static void expect(struct rig *rig, const char *story)
{
	assert_string_equal(rig->heard, story);
	talloc_free(rig->heard);
	rig->heard = talloc_strdup(rig, "");
}

static int refuse(void *private_data, const uint8_t *bytes, size_t len)
{
	return 0;
}

static int rig_setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);
	struct peers_transport transport = {.broadcast = refuse};
	struct heartbeat_config config = {
		.interval_ms = 500,
		.timeout_ms = 3000,
		.ops = &ops,
		.backend = &rig->backend,
		.manager = cluster_manager,
		.changed = cluster_reconsider,
		.clock = rig_clock,
		.clock_private = rig,
	};

	rig->ev = tevent_context_init(rig);
	rig->now_us = 1000000;
	rig->backend.answer = ETIMEDOUT;
	rig->heard = talloc_strdup(rig, "");
	assert_int_equal(cluster_create(rig, rig->ev, &rig->cluster), 0);
	assert_int_equal(cluster_listen(rig->cluster, hear, rig), 0);
	peers_set_transport(cluster_peers(rig->cluster), &transport);
	config.private_data = rig->cluster;
	assert_int_equal(heartbeat_create(rig->cluster, rig->ev, cluster_peers(rig->cluster),
					  &config, &rig->cluster->heartbeat),
			 0);
	rig->sink = cluster_sink(rig->cluster);
	rig->sink->peers_joined(rig->sink->private_data, "n1");
	rig->sink->peer_up(rig->sink->private_data, "n2");
	rig->sink->peer_up(rig->sink->private_data, "n3");
	*state = rig;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *rig = *state;

	talloc_free(rig->cluster);
	talloc_free(rig->backend.asked);
	talloc_free(rig);
	return 0;
}

/* A beat of n2 or n3, which suspects the other one if that is silent. */
static void rig_beat(struct rig *rig, unsigned int num)
{
	static const char *const names[] = {"n2", "n3"};
	uint8_t opinions[64], bytes[128];
	struct pack_out body = {.p = opinions, .size = sizeof(opinions)};
	struct pack_out out = {.p = bytes, .size = sizeof(bytes)};
	struct peers_msg msg = {.type = PEERS_MSG_BEAT,
				.incarnation = 7,
				.sequence = ++rig->sequence[num],
				.interval_ms = 500,
				.bytes = opinions};

	peers_wire_push_opinion(&body, rig->silent[1 - num] ? SUSPICION_PROVEN : SUSPICION_HEARD,
				names[1 - num]);
	msg.len = body.len;
	peers_wire_push(&out, &msg);
	assert_int_equal(out.err, 0);
	rig->sink->message(rig->sink->private_data, names[num], bytes, out.len);
}

static void pumped(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		   void *private_data)
{
	*(bool *)private_data = true;
}

static void rig_pass(struct rig *rig, unsigned int ms)
{
	for (unsigned int i = 0; i < ms; i += 100) {
		bool done = false;

		rig->now_us += 100000;
		for (unsigned int num = 0; num < 2; num++) {
			if (!rig->silent[num] && i % 500 == 0) {
				rig_beat(rig, num);
			}
		}
		heartbeat_run(rig->cluster->heartbeat);
		assert_non_null(
			tevent_add_timer(rig->ev, rig, tevent_timeval_zero(), pumped, &done));
		while (!done) {
			assert_int_equal(tevent_loop_once(rig->ev), 0);
		}
	}
}

/* n1 to n3 with the address on a node, or nowhere; flags of n3. */
static void submit(struct rig *rig, const char *node, const char *n3_flags)
{
	struct cluster_state *state = cluster_state_new(NULL);

	fix_node(state, "n1", "ol");
	fix_node(state, "n2", "o");
	fix_node(state, "n3", n3_flags);
	fix_share(state, "data", node);
	if (node != NULL) {
		fix_up(state, VIP, node);
	} else {
		fix_addr(state, VIP, NULL, CLUSTER_ADDR_UNKNOWN);
	}
	short_memory_begin(rig->fails);
	rig->err = rig->sink->snapshot(rig->sink->private_data, &state);
	(void)short_memory_end();
	assert_null(state);
}

static void kill_n3(struct rig *rig)
{
	submit(rig, "n3", "o");
	rig_pass(rig, 1000);
	expect(rig, "F ");
	rig->silent[1] = true;
	rig_pass(rig, 2000);
	expect(rig, "");
	rig_pass(rig, 1500);
	expect(rig, "dn3 Ln3 Sdatan3 ");
}

/* For want of memory: what the manager said last is still what the heartbeats are laid over. */
static void what_could_not_be_taken_is_not_kept(void **state)
{
	struct rig *rig = *state;

	submit(rig, "n3", "o");
	rig_pass(rig, 1000);
	do {
		rig->fails++;
		submit(rig, "n2", "o");
		assert_true(rig->err == 0 || rig->err == ENOMEM);
		assert_string_equal(
			((struct cluster_state *)cluster_manager(rig->cluster))->addrs[0].node,
			rig->err == 0 ? "n2" : "n3");
		cluster_reconsider(rig->cluster);
	} while (rig->err != 0);
	assert_true(rig->fails > 3);
	rig->fails = 0;
	submit(rig, "n2", "o");
	expect(rig, "F Mn3 Sdatan3 ");
}

static void what_a_dead_node_has_is_lost(void **state)
{
	struct rig *rig = *state;
	const struct cluster_state *now;
	struct ipaddr vip = fix_ip(VIP);

	kill_n3(rig);
	now = cluster_current(rig->cluster);
	assert_false(cluster_state_node(now, "n3")->online);
	assert_int_equal(cluster_state_addr(now, &vip)->state, CLUSTER_ADDR_UNAVAILABLE);
	assert_string_equal(cluster_last_node(rig->cluster, &vip), "n3");
	/* The manager goes on to say what it believes, or that it does not know. */
	submit(rig, "n3", "o");
	submit(rig, NULL, "o");
	submit(rig, "n3", "o");
	expect(rig, "");
	/* It moves the address: that is news, whatever becomes of the node. */
	submit(rig, "n2", "o");
	expect(rig, "B Sdatan3 ");
	/* It notices; the node returns, first for the manager, then for us. */
	submit(rig, "n2", "");
	expect(rig, "");
	rig_pass(rig, 5000);
	submit(rig, "n2", "o");
	expect(rig, "un3 ");
	submit(rig, "n3", "o");
	expect(rig, "Mn2 Sdatan2 ");
}

static void a_node_that_is_heard_again_has_its_address_back(void **state)
{
	struct rig *rig = *state;

	kill_n3(rig);
	rig->silent[1] = false;
	rig_pass(rig, 600);
	expect(rig, "un3 B Sdatan3 ");
}

static void a_verdict_outlives_the_manager(void **state)
{
	struct rig *rig = *state;

	kill_n3(rig);
	rig->sink->peers_left(rig->sink->private_data);
	rig->sink->lost(rig->sink->private_data, "for a moment");
	rig_pass(rig, 5000);
	expect(rig, "X ");
	submit(rig, "n3", "o");
	expect(rig, "F ");
	/* The manager's word once it has noticed is the last one. */
	submit(rig, NULL, "");
	submit(rig, "n3", "o");
	expect(rig, "un3 B Sdatan3 ");
}

static bool is_n3(const void *private_data, const char *node)
{
	return strcmp(node, "n3") == 0;
}

static void the_overlay_touches_nothing_else(void **state)
{
	struct cluster_state *manager = fix_state(NULL), *before = fix_state(NULL), *out = NULL;

	fix_share(manager, "everywhere", NULL);
	fix_up(manager, "10.0.0.1", "n3");
	fix_up(manager, "10.0.0.2", "n2");
	fix_down(manager, "10.0.0.3");
	fix_addr(manager, "10.0.0.4", NULL, CLUSTER_ADDR_UNKNOWN);
	fix_addr(manager, "10.0.0.5", NULL, CLUSTER_ADDR_UNKNOWN);
	fix_addr(manager, "10.0.0.6", "n3", CLUSTER_ADDR_UNKNOWN);
	fix_up(before, "10.0.0.4", "n3");
	fix_up(before, "10.0.0.5", "n2");
	assert_int_equal(cluster_overlay(NULL, manager, before, is_n3, NULL, &out), 0);
	assert_true(out->nodes[0].online && out->nodes[1].online && !out->nodes[2].online);
	assert_int_equal(out->addrs[0].state, CLUSTER_ADDR_UNAVAILABLE);
	assert_null(out->addrs[0].node);
	assert_int_equal(out->addrs[1].state, CLUSTER_ADDR_AVAILABLE);
	assert_int_equal(out->addrs[2].state, CLUSTER_ADDR_UNAVAILABLE);
	assert_int_equal(out->addrs[3].state, CLUSTER_ADDR_UNAVAILABLE);
	assert_int_equal(out->addrs[4].state, CLUSTER_ADDR_UNKNOWN);
	assert_int_equal(out->addrs[5].state, CLUSTER_ADDR_UNAVAILABLE);
	assert_int_equal(manager->addrs[0].state, CLUSTER_ADDR_AVAILABLE);
	talloc_free(out);
	assert_int_equal(cluster_overlay(NULL, manager, NULL, is_n3, NULL, &out), 0);
	assert_int_equal(out->addrs[3].state, CLUSTER_ADDR_UNKNOWN);
	talloc_free(out);
	talloc_free(manager);
	talloc_free(before);
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CLUSTER(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_hear_each_other),
		TEST(a_silent_node_is_found_dead_and_returns),
		TEST(a_hung_witness_is_asked_for_and_lives),
		TEST(without_probes_there_is_no_verdict),
		TEST(ends_with_a_probe_under_way),
		TEST(a_witness_that_stops_is_not_missed),
		CLUSTER(what_could_not_be_taken_is_not_kept),
		CLUSTER(what_a_dead_node_has_is_lost),
		CLUSTER(a_node_that_is_heard_again_has_its_address_back),
		CLUSTER(a_verdict_outlives_the_manager),
		cmocka_unit_test(the_overlay_touches_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
