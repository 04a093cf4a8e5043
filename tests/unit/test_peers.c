/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/peers_net.h"
#include "witnessd/cluster/peers_wire.h"

static int setup(void **state)
{
	*state = net_new(1);
	return 0;
}

static int teardown(void **state)
{
	struct net *net = *state;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		TALLOC_FREE(net->nodes[i].peers);
	}
	talloc_free(net);
	return 0;
}

static void start_three(struct net *net)
{
	for (unsigned int i = 0; i < 3; i++) {
		net_start(net, i);
	}
	net_settle(net);
	for (unsigned int i = 0; i < 3; i++) {
		net_forget_heard(net, i);
	}
}

static void expect_all(struct net *net, enum peers_kind kind, const char *view)
{
	for (unsigned int i = 0; i < NET_NODES; i++) {
		if (net->nodes[i].peers != NULL) {
			net_expect_view(net, i, kind, view);
		}
	}
}

static void puts_and_deletes_reach_everybody(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 0, REG, "a", "1");
	net_put(net, 1, REG, "b", "2");
	net_put(net, 1, CONN, "c", "3");
	net_settle(net);
	expect_all(net, REG, "n1/a=1 n2/b=2 ");
	expect_all(net, CONN, "n2/c=3 ");
	net_expect_heard(net, 0, "put:n2/b=2 ");
	net_put(net, 1, REG, "b", "4");
	net_settle(net);
	net_expect_heard(net, 0, "put:n2/b=4 ");
	assert_int_equal(net_delete(net, 1, REG, "b"), 0);
	assert_int_equal(net_delete(net, 1, REG, "b"), ENOENT);
	net_settle(net);
	expect_all(net, REG, "n1/a=1 ");
	net_expect_heard(net, 0, "del:n2/b=4 ");
}

static void an_equal_value_is_not_told_again(void **state)
{
	struct net *net = *state;
	unsigned int sent;

	start_three(net);
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	sent = net->sent;
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	assert_int_equal(net->sent, sent);
}

static void what_changes_often_goes_out_once(void **state)
{
	struct net *net = *state;
	unsigned int sent;

	start_three(net);
	sent = net->sent;
	for (int i = 0; i < 1000; i++) {
		char value[16];

		snprintf(value, sizeof(value), "%d", i);
		net_put(net, 0, REG, "a", value);
		if (i % 3 == 0) {
			assert_int_equal(net_delete(net, 0, REG, "a"), 0);
		}
	}
	net_put(net, 0, REG, "a", "last");
	net_settle(net);
	assert_int_equal(net->sent, sent + 1);
	expect_all(net, REG, "n1/a=last ");
}

static void bad_records_are_refused(void **state)
{
	struct net *net = *state;
	static uint8_t large[PEERS_VALUE_MAX + 1];
	struct peers *peers;

	net_start(net, 0);
	peers = net->nodes[0].peers;
	assert_int_equal(peers_put(peers, REG, "", 0, "x", 1), EMSGSIZE);
	assert_int_equal(peers_put(peers, REG, large, PEERS_KEY_MAX + 1, "x", 1), EMSGSIZE);
	assert_int_equal(peers_put(peers, REG, "k", 1, large, sizeof(large)), EMSGSIZE);
	assert_int_equal(peers_put(peers, (enum peers_kind)0, "k", 1, "x", 1), EINVAL);
	assert_int_equal(peers_put(peers, PEERS_NUM_KINDS, "k", 1, "x", 1), EINVAL);
	assert_int_equal(peers_put(peers, REG, "k", 1, NULL, 0), 0);
	assert_int_equal(peers_put(peers, REG, large, PEERS_KEY_MAX, large, PEERS_VALUE_MAX), 0);
}

static void large_records_go_into_several_messages(void **state)
{
	struct net *net = *state;
	char key[16], value[PEERS_VALUE_MAX + 1];
	struct peers_record record;

	start_three(net);
	for (int i = 0; i < 10; i++) {
		memset(value, 'a' + i, PEERS_VALUE_MAX);
		value[PEERS_VALUE_MAX] = '\0';
		snprintf(key, sizeof(key), "k%d", i);
		net_put(net, 0, CONN, key, value);
	}
	net_settle(net);
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(peers_find(net->nodes[2].peers, CONN, key, strlen(key), &record),
				 0);
		assert_int_equal(record.value_len, PEERS_VALUE_MAX);
		assert_int_equal(record.value[PEERS_VALUE_MAX - 1], 'a' + i);
		assert_string_equal(record.owner, "n1");
	}
}

static void a_newcomer_learns_everything(void **state)
{
	struct net *net = *state;

	net_start(net, 0);
	for (int i = 0; i < 1500; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		net_put(net, 0, CONN, key, "some value that takes room, so that chunks are needed");
	}
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	net_start(net, 1);
	net_settle(net);
	net_expect_view(net, 1, REG, "n1/a=1 ");
	for (int i = 0; i < 1500; i++) {
		struct peers_record record;
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(peers_find(net->nodes[1].peers, CONN, key, strlen(key), &record),
				 0);
	}
}

static void a_full_queue_delays_and_loses_nothing(void **state)
{
	struct net *net = *state;

	start_three(net);
	net->nodes[0].refuse = EAGAIN;
	for (int i = 0; i < 500; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		net_put(net, 0, REG, key, "1");
		if (i != 77) {
			assert_int_equal(net_delete(net, 0, REG, key), 0);
		}
	}
	net_pass(net, 300);
	net_expect_view(net, 1, REG, "");
	net->nodes[0].refuse = 0;
	net_pass(net, 60);
	expect_all(net, REG, "n1/k77=1 ");
}

static void deletions_that_cannot_be_told_do_not_fill_the_table(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 0, REG, "stays", "1");
	net_put(net, 0, REG, "goes", "1");
	net_settle(net);
	net->nodes[0].refuse = EAGAIN;
	assert_int_equal(net_delete(net, 0, REG, "goes"), 0);
	for (int i = 0; i < 10000; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		net_put(net, 0, REG, key, "1");
		assert_int_equal(net_delete(net, 0, REG, key), 0);
	}
	net->nodes[0].refuse = 0;
	net_pass(net, 60);
	expect_all(net, REG, "n1/stays=1 ");
}

static void the_limit_of_records_holds(void **state)
{
	struct net *net = *state;
	char key[16];

	start_three(net);
	for (int i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		net_put(net, 0, CONN, key, "1");
	}
	assert_int_equal(peers_put(net->nodes[0].peers, REG, "x", 1, "1", 1), ENOSPC);
	net_put(net, 0, CONN, "k7", "2");
	assert_int_equal(net_delete(net, 0, CONN, "k8"), 0);
	net_put(net, 0, REG, "x", "1");
	net_settle(net);
	expect_all(net, REG, "n1/x=1 ");
}

static void lost_messages_are_noticed(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	net->nodes[0].losses = 1;
	assert_int_equal(net_delete(net, 0, REG, "a"), 0);
	net_settle(net);
	net_expect_view(net, 1, REG, "n1/a=1 ");
	net_put(net, 0, REG, "b", "1");
	net_settle(net);
	expect_all(net, REG, "n1/b=1 ");
}

static void a_sync_that_gets_lost_is_asked_for(void **state)
{
	struct net *net = *state;

	net_start(net, 0);
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	net->nodes[0].losses = 3; /* BEGIN, the record, END */
	net_start(net, 1);
	net_settle(net);
	net_expect_view(net, 1, REG, "");
	net_pass(net, 2100);
	net_expect_view(net, 1, REG, "n1/a=1 ");
}

/* Beats go on, and are no sign that a sync is under way. */
static void a_lost_sync_is_asked_for_between_beats(void **state)
{
	static const struct peers_beat beat = {.interval_ms = 500};
	struct net *net = *state;

	net_start(net, 0);
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	net->nodes[0].losses = 3;
	net_start(net, 1);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(peers_beat(net->nodes[0].peers, &beat), 0);
		net_pass(net, 500);
	}
	net_expect_view(net, 1, REG, "n1/a=1 ");
}

/* A sync has a number, and those of two lives are alike: what is gone must not seem to have come with the new one. */
static void a_sync_of_a_new_life_is_not_that_of_the_old_one(void **state)
{
	struct net *net = *state;

	net_start(net, 0);
	for (unsigned int syncs = 0; syncs < 6; syncs++) {
		net_start(net, 1);
		net_settle(net);
		for (unsigned int i = 0; i < syncs; i++) {
			net_link(net, 0, 1, false);
			net_link(net, 0, 1, true);
			net_settle(net);
		}
		net_kill(net, 1);
		net->nodes[1].losses = 3; /* BEGIN and END, and RETURNED */
		net_start(net, 1);
		net_turn(net);
		net->nodes[1].losses = 0;
		net_put(net, 1, REG, "a", "1");
		net_settle(net);
		net_link(net, 0, 1, false);
		assert_int_equal(net_delete(net, 1, REG, "a"), 0);
		net_settle(net);
		net_link(net, 0, 1, true);
		net_settle(net);
		net_expect_view(net, 0, REG, "");
		net_kill(net, 1);
	}
}

static void records_of_a_dead_node_wait_and_go(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 2, REG, "a", "1");
	net_put(net, 2, CONN, "c", "1");
	net_settle(net);
	net_forget_heard(net, 0);
	net_kill(net, 2);
	net_expect_heard(net, 0, "gone:n3 ");
	expect_all(net, REG, "n3?/a=1 ");
	net_pass(net, 59000);
	expect_all(net, CONN, "n3?/c=1 ");
	net_pass(net, 1100);
	expect_all(net, REG, "");
	expect_all(net, CONN, "");
	net_expect_heard(net, 0, "del:n3/a=1 ");
}

static void a_restarted_node_gets_its_registrations_back(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 0, REG, "a", "1");
	net_put(net, 0, REG, "b", "2");
	net_put(net, 0, CONN, "c", "3");
	net_settle(net);
	net_kill(net, 0);
	net_pass(net, 1000);
	net_forget_heard(net, 0);
	net_start(net, 0);
	assert_true(peers_handover_pending(net->nodes[0].peers));
	net_settle(net);
	/* n2 is first, and n3 has heard it. */
	net_pass(net, 300);
	assert_false(peers_handover_pending(net->nodes[0].peers));
	net_expect_heard(net, 0, "up:n2 up:n3 back:n1/a=1 back:n1/b=2 done ");
	expect_all(net, REG, "");
	expect_all(net, CONN, "");
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	expect_all(net, REG, "n1/a=1 ");
}

static void a_restart_that_nobody_saw_is_noticed(void **state)
{
	struct net *net = *state;
	struct net_node *node = &net->nodes[0];

	start_three(net);
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	/* No peer_down: CPG tells leave and join in one, and a slow peer may see only the end. */
	TALLOC_FREE(node->peers);
	net_forget_heard(net, 0);
	net_start(net, 0);
	net_settle(net);
	net_pass(net, 500);
	net_expect_heard(net, 0, "up:n2 up:n3 back:n1/a=1 done ");
}

static void who_takes_a_record_over_has_it_alone(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 2, REG, "a", "1");
	net_put(net, 2, CONN, "c", "1");
	net_settle(net);
	/* Not while its owner is there: each has its own. */
	net_put(net, 1, REG, "a", "9");
	net_settle(net);
	expect_all(net, REG, "n2/a=9 n3/a=1 ");
	net_delete(net, 1, REG, "a");
	net_settle(net);
	net_kill(net, 2);
	net_forget_heard(net, 1);
	net_put(net, 0, REG, "a", "2");
	net_put(net, 0, CONN, "c", "2");
	net_settle(net);
	net_expect_heard(net, 1, "del:n3/a=1 put:n1/a=2 ");
	expect_all(net, REG, "n1/a=2 ");
	expect_all(net, CONN, "n1/c=2 n3?/c=1 "); /* of these each node has its own */
	net_forget_heard(net, 2);
	net_start(net, 2);
	net_settle(net);
	net_pass(net, 300);
	net_expect_heard(net, 2, "up:n1 up:n2 put:n1/a=2 done ");
	expect_all(net, REG, "n1/a=2 ");
}

static void the_highest_version_wins(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 0, REG, "a", "old");
	net_settle(net);
	net_partition(net, 1U << 1,
		      false); /* n2 does not hear what follows, and hands back first */
	net_put(net, 0, REG, "a", "new");
	net_settle(net);
	net_kill(net, 0);
	net_partition(net, 1U << 1, true);
	net_forget_heard(net, 0);
	net_start(net, 0);
	net_pass(net, 50);
	net_expect_heard(net, 0, "up:n2 up:n3 back:n1/a=old ");
	net_put(net, 0, REG, "a", "old");
	net_settle(net);
	net_pass(net, 500);
	net_expect_heard(net, 0, "back:n1/a=new done ");
}

static void what_was_ended_is_not_handed_back_twice(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	net_partition(net, 1U << 2, false); /* n3 alone keeps its copy */
	net_kill(net, 0);
	net_start(net, 0);
	net_pass(net, 50);
	net_forget_heard(net, 0);
	net_put(net, 0, REG, "a", "1");
	net_settle(net);
	assert_int_equal(net_delete(net, 0, REG, "a"), 0);
	net_settle(net);
	net_partition(net, 1U << 2, true);
	net_settle(net);
	net_pass(net, 1000);
	net_expect_heard(net, 0, "up:n3 ");
	expect_all(net, REG, "");
}

/* One record of n1, from n2. */
static void hand_back(struct net *net, unsigned int i)
{
	char key[16];
	uint8_t bytes[256];
	struct pack_out out = {.p = bytes, .size = sizeof(bytes)};
	struct peers_msg msg = {
		.type = PEERS_MSG_RETURN,
		.incarnation = net->nodes[1].incarnation,
		.sequence = 1000 + i,
		.node = "n1",
	};
	struct peers_wire_entry entry = {
		.put = true,
		.kind = REG,
		.key = (const uint8_t *)key,
		.key_len = (size_t)snprintf(key, sizeof(key), "%u", i),
		.version = 1,
	};

	peers_wire_push(&out, &msg);
	assert_int_equal(peers_wire_push_entry(&out, &entry), 0);
	peers_message(net->nodes[0].peers, "n2", bytes, out.len);
}

static void no_more_is_taken_back_than_a_node_may_have(void **state)
{
	struct net *net = *state;
	json_t *status;

	start_three(net);
	for (unsigned int i = 0; i < 2000; i++) {
		hand_back(net, i);
		net_expect_heard(net, 0, talloc_asprintf(net, "back:n1/%u= ", i));
	}
	for (unsigned int i = 1999; i < 2100; i++) {
		hand_back(net, i);
	}
	net_expect_heard(net, 0, "");
	status = peers_status_json(net->nodes[0].peers);
	assert_int_equal(json_integer_value(json_object_get(status, "refused")), 100);
	json_decref(status);
}

static void hand_over_ends_without_peers_and_without_answers(void **state)
{
	struct net *net = *state;

	net_start(net, 0);
	assert_false(peers_handover_pending(net->nodes[0].peers));
	net_expect_heard(net, 0, "done ");
	net->nodes[0].refuse = EAGAIN;
	net_start(net, 1);
	net_pass(net, 4900);
	assert_true(peers_handover_pending(net->nodes[1].peers));
	net_pass(net, 200);
	assert_false(peers_handover_pending(net->nodes[1].peers));
}

static void partitions_merge(void **state)
{
	struct net *net = *state;

	start_three(net);
	net_start(net, 3);
	for (unsigned int i = 0; i < NET_NODES; i++) {
		net_put(net, i, REG, "k", "before");
	}
	net_settle(net);
	net_partition(net, 0x3, false);
	for (unsigned int i = 0; i < NET_NODES; i++) {
		net_put(net, i, REG, "new", "1");
		assert_int_equal(net_delete(net, i, REG, "k"), 0);
	}
	net_settle(net);
	net_expect_view(net, 0, REG, "n1/new=1 n2/new=1 n3?/k=before n4?/k=before ");
	net_partition(net, 0x3, true);
	net_settle(net);
	expect_all(net, REG, "n1/new=1 n2/new=1 n3/new=1 n4/new=1 ");
	net_pass(net, 61000);
	expect_all(net, REG, "n1/new=1 n2/new=1 n3/new=1 n4/new=1 ");
}

static void leaving_the_group_and_coming_back_heals(void **state)
{
	struct net *net = *state;
	struct peers *peers;

	start_three(net);
	net_put(net, 0, REG, "a", "1");
	net_put(net, 1, REG, "b", "1");
	net_settle(net);
	peers = net->nodes[0].peers;
	/* As when corosync dies here: one side hears peers_left(), the others peer_down. */
	net_partition(net, 1, false);
	peers_left(peers);
	net_put(net, 0, REG, "a2", "1");
	assert_int_equal(net_delete(net, 0, REG, "a"), 0);
	net_pass(net, 1000);
	net_expect_view(net, 0, REG, "n1/a2=1 n2?/b=1 ");
	net_partition(net, 1, true);
	peers_joined(peers, "n1");
	net_settle(net);
	expect_all(net, REG, "n1/a2=1 n2/b=1 ");
}

/* --- commands --- */

struct asked {
	bool done;
	int err;
	uint8_t *reply;
	size_t len;
};

static void answered(struct tevent_req *req)
{
	struct asked *asked = tevent_req_callback_data_void(req);

	asked->err = peers_command_recv(req, NULL, &asked->reply, &asked->len);
	asked->done = true;
	talloc_free(req);
}

static void ask(struct net *net, unsigned int from, const char *to, const char *text,
		struct asked *asked)
{
	struct tevent_req *req = peers_command_send(net, net->ev, net->nodes[from].peers, to,
						    PEERS_LEAVE, text, strlen(text), 1000);

	*asked = (struct asked){.done = false};
	assert_non_null(req);
	tevent_req_set_callback(req, answered, asked);
}

static struct peers_call *kept;

static void handle(void *private_data, struct peers_call *call, const char *from,
		   const uint8_t *bytes, size_t len)
{
	char text[64];

	if (len == 4 && memcmp(bytes, "keep", 4) == 0) {
		kept = call;
		return;
	}
	snprintf(text, sizeof(text), "%s said %.*s", from, (int)len, (const char *)bytes);
	peers_call_reply(call, len == 0 ? EINVAL : 0, text, strlen(text));
}

static void commands_are_answered_by_their_node(void **state)
{
	struct net *net = *state;
	struct asked asked;

	start_three(net);
	peers_set_command_handler(net->nodes[2].peers, PEERS_LEAVE, handle, NULL);
	ask(net, 0, "n3", "hello", &asked);
	assert_false(asked.done);
	net_settle(net);
	assert_true(asked.done);
	assert_int_equal(asked.err, 0);
	assert_int_equal(asked.len, 13);
	assert_memory_equal(asked.reply, "n1 said hello", 13);
	talloc_free(asked.reply);
	ask(net, 0, "n3", "", &asked);
	net_settle(net);
	assert_int_equal(asked.err, EINVAL);
	ask(net, 0, "n2", "hello", &asked);
	net_settle(net);
	assert_int_equal(asked.err, EOPNOTSUPP);
	ask(net, 0, "n4", "hello", &asked);
	net_settle(net);
	assert_int_equal(asked.err, EHOSTUNREACH);
}

static void commands_to_ourselves_take_the_same_way(void **state)
{
	struct net *net = *state;
	struct asked asked;

	net_start(net, 0);
	peers_set_command_handler(net->nodes[0].peers, PEERS_LEAVE, handle, NULL);
	ask(net, 0, "n1", "me", &asked);
	assert_false(asked.done);
	net_pass(net, 20);
	assert_true(asked.done);
	assert_int_equal(asked.err, 0);
	assert_memory_equal(asked.reply, "n1 said me", 10);
	talloc_free(asked.reply);
	ask(net, 0, "n1", "keep", &asked);
	net_pass(net, 900);
	assert_false(asked.done);
	net_pass(net, 200);
	assert_int_equal(asked.err, ETIMEDOUT);
	peers_call_reply(kept, 0, "late", 4);
}

static void commands_do_not_wait_for_ever(void **state)
{
	struct net *net = *state;
	struct asked asked;

	start_three(net);
	peers_set_command_handler(net->nodes[2].peers, PEERS_LEAVE, handle, NULL);
	ask(net, 0, "n3", "keep", &asked);
	net_pass(net, 1100);
	assert_int_equal(asked.err, ETIMEDOUT);
	peers_call_reply(kept, 0, "late", 4);
	net_settle(net);
	ask(net, 0, "n3", "keep", &asked);
	net_settle(net);
	assert_false(asked.done);
	net_kill(net, 2); /* with the call that it has kept */
	net_pass(net, 20);
	assert_int_equal(asked.err, EHOSTUNREACH);
	peers_set_command_handler(net->nodes[1].peers, PEERS_LEAVE, handle, NULL);
	ask(net, 0, "n2", "keep", &asked);
	net_settle(net);
	net_kill(net, 0); /* who asks */
	assert_true(asked.done || tevent_loop_once(net->ev) == 0);
	net_settle(net);
	assert_int_equal(asked.err, ECANCELED);
	peers_call_reply(kept, 0, "late", 4);
	net_settle(net);
}

/* --- bad messages --- */

static void nonsense_is_ignored(void **state)
{
	struct net *net = *state;
	struct peers *peers;
	/* magic, version, BEGIN, 0, incarnation 1, sequence 1, sync 1 */
	uint8_t begin[28] = "WITP\1\1";
	json_t *status;

	start_three(net);
	net_put(net, 1, REG, "b", "1");
	net_settle(net);
	peers = net->nodes[0].peers;
	for (size_t len = 0; len < sizeof(begin); len++) {
		peers_message(peers, "n2", begin, len);
	}
	begin[4] = 2;
	peers_message(peers, "n2", begin, sizeof(begin));
	peers_message(peers, "n4", begin, sizeof(begin)); /* not a member */
	net_expect_view(net, 0, REG, "n2/b=1 ");
	status = peers_status_json(peers);
	assert_int_equal(json_integer_value(json_object_get(status, "refused")), sizeof(begin) + 1);
	assert_string_equal(json_string_value(json_object_get(status, "local")), "n1");
	assert_int_equal(json_array_size(json_object_get(status, "peers")), 2);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(puts_and_deletes_reach_everybody),
		T(an_equal_value_is_not_told_again),
		T(what_changes_often_goes_out_once),
		T(bad_records_are_refused),
		T(large_records_go_into_several_messages),
		T(a_newcomer_learns_everything),
		T(a_full_queue_delays_and_loses_nothing),
		T(deletions_that_cannot_be_told_do_not_fill_the_table),
		T(the_limit_of_records_holds),
		T(lost_messages_are_noticed),
		T(a_sync_that_gets_lost_is_asked_for),
		T(a_lost_sync_is_asked_for_between_beats),
		T(a_sync_of_a_new_life_is_not_that_of_the_old_one),
		T(records_of_a_dead_node_wait_and_go),
		T(a_restarted_node_gets_its_registrations_back),
		T(a_restart_that_nobody_saw_is_noticed),
		T(who_takes_a_record_over_has_it_alone),
		T(the_highest_version_wins),
		T(what_was_ended_is_not_handed_back_twice),
		T(no_more_is_taken_back_than_a_node_may_have),
		T(hand_over_ends_without_peers_and_without_answers),
		T(partitions_merge),
		T(leaving_the_group_and_coming_back_heals),
		T(commands_are_answered_by_their_node),
		T(commands_to_ourselves_take_the_same_way),
		T(commands_do_not_wait_for_ever),
		T(nonsense_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
