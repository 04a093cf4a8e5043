/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A witnessd that ends and its successor: the records of the one are handed to the other by a peer that the
 * test plays, and clients find their registrations again.
 */
#include "tests/unit/swn_fixture.h"
#include "witnessd/swn/order.h"
#include "witnessd/swn/select.h"
#include "witnessd/cluster/peers_wire.h"
#include "witnessd/swn/replica.h"

struct story {
	struct swn_fix *old, *fix; /* before and after */
	uint64_t sequence;
	uint8_t key[SWN_REPLICA_KEY];
	uint8_t value[PEERS_VALUE_MAX];
	size_t len;
};

static int take_nothing(void *private_data, const uint8_t *bytes, size_t len)
{
	return 0;
}

static int setup(void **state)
{
	struct story *story = talloc_zero(NULL, struct story);

	story->old = fix_new();
	fix_start(story->old);
	fix_place(story->old, "n1", "n2");
	*state = story;
	return 0;
}

static int teardown(void **state)
{
	struct story *story = *state;

	talloc_free(story->old);
	talloc_free(story->fix);
	talloc_free(story);
	return 0;
}

/* The record of a registration as it is now. */
static void keep_from(struct story *story, struct swn_fix *fix, const struct swn_handle *handle)
{
	struct peers_record record;

	swn_replica_key(handle, story->key);
	assert_int_equal(peers_find(cluster_peers(fix->cluster), PEERS_REGISTRATION, story->key,
				    sizeof(story->key), &record),
			 0);
	memcpy(story->value, record.value, record.value_len);
	story->len = record.value_len;
}

static void keep(struct story *story, const struct swn_handle *handle)
{
	fix_pump(story->old); /* the others hear of it when the loop has turned */
	keep_from(story, story->old, handle);
}

/* Another witnessd in its place, which n2 sees come. */
static struct swn_fix *restart(struct story *story)
{
	static const struct peers_transport transport = {.broadcast = take_nothing};
	struct swn_fix *fix = fix_new();
	const struct backend_sink *sink = cluster_sink(fix->cluster);

	story->fix = fix;
	fix_start(fix);
	peers_set_transport(cluster_peers(fix->cluster), &transport);
	sink->peer_up(sink->private_data, "n2");
	sink->peers_joined(sink->private_data, "n1");
	fix->assoc = fix_assoc(2); /* nobody has the old connections */
	return fix;
}

static void say(struct story *story, struct peers_msg *msg, const struct peers_wire_entry *entry)
{
	const struct backend_sink *sink = cluster_sink(story->fix->cluster);
	uint8_t bytes[PEERS_MESSAGE_MAX];
	struct pack_out out = {.p = bytes, .size = sizeof(bytes)};

	msg->incarnation = 5;
	msg->sequence = ++story->sequence;
	strcpy(msg->node, "n1");
	peers_wire_push(&out, msg);
	if (entry != NULL) {
		assert_int_equal(peers_wire_push_entry(&out, entry), 0);
	}
	assert_int_equal(out.err, 0);
	sink->message(sink->private_data, "n2", bytes, out.len);
	fix_pump(story->fix);
}

static struct peers_wire_entry wire_entry(const struct story *story, uint64_t version)
{
	return (struct peers_wire_entry){.put = true,
					 .kind = PEERS_REGISTRATION,
					 .key = story->key,
					 .key_len = sizeof(story->key),
					 .version = version,
					 .value = story->value,
					 .value_len = story->len};
}

static void hand_back(struct story *story, uint64_t version)
{
	struct peers_msg msg = {.type = PEERS_MSG_RETURN};
	struct peers_wire_entry entry = wire_entry(story, version);

	say(story, &msg, &entry);
}

/* n2 has this record itself. */
static void say_record(struct story *story, uint64_t version)
{
	struct peers_msg msg = {.type = PEERS_MSG_RECORDS};
	struct peers_wire_entry entry = wire_entry(story, version);

	say(story, &msg, &entry);
}

static void hand_back_no_more(struct story *story)
{
	struct peers_msg msg = {.type = PEERS_MSG_RETURNED};

	say(story, &msg, NULL);
}

static struct swn_reg *restored(struct story *story)
{
	return swn_registry_first(story->fix->service->registry);
}

static void a_client_goes_on_where_it_was(void **state)
{
	struct story *story = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *call;
	struct swn_fix *fix;
	struct swn_reg *reg;

	args.share_name = "data";
	handle = fix_register_ok(story->old, true, &args);
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	hand_back(story, 1);
	reg = restored(story);
	assert_non_null(reg);
	assert_true(reg->handed_back);
	assert_null(reg->assoc);
	assert_string_equal(reg->principal, "alice@EXAMPLE");
	assert_string_equal(reg->share_name, "data");
	assert_string_equal(reg->net_name, "fs");
	assert_int_equal(reg->keep_alive_s, 120);
	assert_int_equal(reg->version, SWN_VERSION_2);
	call = fix_async(fix, &handle);
	assert_false(call->done);
	assert_false(reg->handed_back);
	assert_ptr_equal(reg->assoc, fix->assoc);
	assert_int_equal(fix->assoc->holds, 1);
	assert_int_equal(swn_registry_count_assoc(fix->service->registry, fix->assoc), 1);
	/* From now on it is like any other: bound to this group, told, ended with it. */
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(call, "10.0.0.7", "U");
	fix->assoc = fix_assoc(3);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	swn_service_assoc_gone(fix->service, fix_assoc(2));
	assert_null(restored(story));
	assert_int_equal(fix_assoc(2)->holds, 0);
}

static void only_its_own_client_gets_it(void **state)
{
	struct story *story = *state;
	struct swn_handle handle;
	struct swn_fix *fix;

	story->old->level = RPC_LEVEL_PRIVACY;
	handle = fix_registered(story->old);
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	hand_back(story, 1);
	hand_back_no_more(story);
	fix->level = RPC_LEVEL_PRIVACY;
	fix->principal = "mallory@EXAMPLE";
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix_unregister(fix, &handle), SWN_ERROR_INVALID_PARAMETER);
	fix->principal = "alice@EXAMPLE";
	fix->level = RPC_LEVEL_INTEGRITY;
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	fix->level = RPC_LEVEL_PRIVACY;
	assert_false(fix_async(fix, &handle)->done);
}

static void it_can_unregister_too(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	hand_back(story, 1);
	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
	assert_null(restored(story));
	/* A slower peer's copy does not bring it back. */
	hand_back(story, 1);
	hand_back(story, 2);
	assert_null(restored(story));
}

static void nobody_comes_and_it_ends(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	hand_back(story, 1);
	hand_back_no_more(story);
	fix_pass_ms(fix, 59900);
	assert_non_null(restored(story));
	fix_pass_ms(fix, 200);
	assert_null(restored(story));
	assert_int_equal(fix->service->ended[SWN_END_UNCLAIMED], 1);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
}

/* What a client is told that asks again, after its address has gone from "before" to "after". */
static void told_after(struct story *story, const char *before, const char *after, const char *want)
{
	struct swn_handle handle;
	struct swn_fix_call *call;
	struct swn_fix *fix;

	handle = fix_registered(story->old);
	if (before == NULL) {
		/* It was told that its address was lost. */
		fix_place(story->old, NULL, "n2");
		fix_assert_changes(fix_async(story->old, &handle), "10.0.0.7", "U");
	}
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, after, "n2");
	hand_back(story, 1);
	call = fix_async(fix, &handle);
	if (want == NULL) {
		assert_false(call->done);
	} else {
		fix_assert_changes(call, "10.0.0.7", want);
	}
}

static void missed_nothing(void **state)
{
	told_after(*state, "n1", "n1", NULL);
}

static void missed_a_loss(void **state)
{
	told_after(*state, "n1", NULL, "U");
}

static void missed_a_move(void **state)
{
	told_after(*state, "n1", "n2", "UA");
}

static void missed_a_return(void **state)
{
	told_after(*state, NULL, "n1", "A");
}

static void missed_a_removal(void **state)
{
	told_after(*state, "n1", "", "U");
}

/* For "available" may have been told after the last copy. */
static void still_lost_is_told_once_more(void **state)
{
	told_after(*state, NULL, NULL, "U");
}

static void what_was_told_after_the_last_copy_hides_no_loss(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	fix_place(story->old, NULL, "n2");
	fix_assert_changes(fix_async(story->old, &handle), "10.0.0.7", "U");
	keep(story, &handle);
	fix_place(story->old, "n1", "n2");
	fix_assert_changes(fix_async(story->old, &handle), "10.0.0.7", "A");
	fix = restart(story);
	fix_place(fix, NULL, "n2");
	hand_back(story, 1);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
}

static void a_move_that_was_queued_outlives_no_start_without_a_cluster(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix_call *call;
	struct swn_fix *fix;

	story->old->service->config.planned_moves = true;
	fix_intend(story->old, "n2");
	keep(story, &handle);
	fix = restart(story);
	hand_back(story, 1);
	call = fix_async(fix, &handle); /* no address is known to be there */
	assert_false(call->done);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(call, "10.0.0.7", "U");
}

static void what_was_queued_is_still_told(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	fix_place(story->old, NULL, "n2");
	fix_place(story->old, "n1", "n2");
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	hand_back(story, 1);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "UA");
}

static void events_before_it_asks_are_kept(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	hand_back(story, 1);
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
}

static void nothing_is_said_before_the_state_is_known(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix_call *call;
	struct swn_fix *fix;
	struct cluster_state *snapshot;

	keep(story, &handle);
	fix = restart(story);
	hand_back(story, 1);
	call = fix_async(fix, &handle);
	assert_false(call->done);
	/* Without quorum it is not known either. */
	snapshot = fix_state(NULL);
	snapshot->quorate = false;
	fix_down(snapshot, "10.0.0.7");
	fix_snapshot(fix, snapshot);
	fix_pump(fix);
	assert_false(call->done);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(call, "10.0.0.7", "U");
}

static void ip_change_names_all_addresses(void **state)
{
	struct story *story = *state;
	struct swn_register args = fix_args();
	struct swn_fix_call *call;
	struct swn_handle handle;
	struct swn_notify *notify;
	struct swn_fix *fix;
	uint32_t werror;

	args.flags = SWN_REGISTER_IP_NOTIFICATION;
	handle = fix_register_ok(story->old, true, &args);
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", NULL);
	hand_back(story, 1);
	call = fix_async(fix, &handle);
	notify = fix_notify(call, &werror);
	assert_non_null(notify);
	assert_int_equal(notify->type, SWN_IP_CHANGE);
	assert_int_equal(notify->num_addrs, 3);
}

static void ip_change_names_those_of_the_net_name(void **state)
{
	struct story *story = *state;
	struct swn_register args = fix_args();
	struct cluster_state *cluster = fix_state(NULL);
	struct swn_fix_call *call;
	struct swn_handle handle;
	struct swn_notify *notify;
	struct swn_fix *fix;
	uint32_t werror;

	args.flags = SWN_REGISTER_IP_NOTIFICATION;
	handle = fix_register_ok(story->old, true, &args);
	keep(story, &handle);
	fix = restart(story);
	fix_up(cluster, "10.0.0.7", "n1");
	fix_up(cluster, "10.0.0.8", "n2");
	fix_net_name(cluster, "10.0.0.8", "other");
	fix_snapshot(fix, cluster);
	hand_back(story, 1);
	call = fix_async(fix, &handle);
	notify = fix_notify(call, &werror);
	assert_non_null(notify);
	assert_int_equal(notify->num_addrs, 1);
	assert_int_equal(notify->type, SWN_IP_CHANGE);
}

/* 10.0.0.7 on n1, 10.0.0.8 on n2, and the share data on that node; NULL: nobody serves it. */
static void place_share(struct swn_fix *fix, const char *node)
{
	struct cluster_state *cluster = fix_places("n1", "n2");

	fix_share(cluster, "data", node);
	fix_snapshot(fix, cluster);
}

/* What the client of 10.0.0.7 hears when it asks again: where its share is meanwhile, or nothing. */
static void told_of_share(struct story *story, const char *node, const char *want)
{
	struct swn_register args = fix_args();
	struct swn_replica replica;
	struct swn_notify *notify;
	struct swn_handle handle;
	struct swn_fix_call *call;
	struct swn_fix *fix;
	struct ipaddr ip;
	uint32_t werror;

	args.share_name = "Data";
	handle = fix_register_ok(story->old, true, &args);
	place_share(story->old, node);
	keep(story, &handle);
	fix = restart(story);
	place_share(fix, "n2");
	hand_back(story, 1);
	call = fix_async(fix, &handle);
	if (want == NULL) {
		assert_false(call->done);
		return;
	}
	notify = fix_notify(call, &werror);
	assert_non_null(notify);
	assert_int_equal(notify->type, SWN_SHARE_MOVE);
	assert_int_equal(notify->num_addrs, 1);
	assert_int_equal(ipaddr_parse(want, &ip), 0);
	assert_true(ipaddr_equal(&notify->addrs[0].ip, &ip));
	/* Once: it is at the end of what it could miss. */
	assert_false(fix_async(fix, &handle)->done);
	keep_from(story, fix, &handle);
	assert_int_equal(swn_replica_pull(fix, story->key, sizeof(story->key), story->value,
					  story->len, &replica),
			 0);
	assert_string_equal(replica.share_node, "n2");
}

static void missed_a_move_of_its_share(void **state)
{
	struct story *story = *state;

	place_share(story->old, "n1");
	told_of_share(story, "n1", "10.0.0.8");
}

static void missed_no_move_of_its_share(void **state)
{
	struct story *story = *state;

	place_share(story->old, "n2");
	told_of_share(story, "n2", NULL);
}

/* It came to where its client is, who was not told, and went on while the witness was away. */
static void missed_the_second_move_of_its_share(void **state)
{
	struct story *story = *state;

	place_share(story->old, "n2");
	told_of_share(story, "n1", "10.0.0.8");
}

static void who_served_a_share_before_it_stopped_counts(void **state)
{
	struct story *story = *state;

	place_share(story->old, "n1");
	told_of_share(story, NULL, "10.0.0.8");
}

static void a_call_waits_for_the_hand_over(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old), other = handle;
	struct swn_fix_call *early, *lost;
	struct swn_fix *fix;

	other.uuid.b[0] ^= 1;
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, NULL, "n2");
	early = fix_async(fix, &handle);
	lost = fix_async(fix, &other);
	assert_false(early->done || lost->done);
	hand_back(story, 1);
	fix_pump(fix);
	fix_assert_changes(early, "10.0.0.7", "U");
	assert_false(lost->done);
	hand_back_no_more(story);
	fix_pump(fix);
	fix_assert_ended(lost, SWN_ERROR_NOT_FOUND);
	/* And who asks later is answered at once. */
	fix_assert_ended(fix_async(fix, &other), SWN_ERROR_NOT_FOUND);
}

static void a_call_that_waits_can_be_cancelled(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix_call *call;
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	call = fix_async(fix, &handle);
	TALLOC_FREE(call->req);
	assert_int_equal(fix->service->num_handover_waiters, 0);
	call = fix_async(fix, &handle);
	assert_int_equal(fix->service->num_handover_waiters, 1);
	TALLOC_FREE(fix->service); /* with a call that waits */
	fix_pump(fix);
	fix_assert_ended(call, SWN_ERROR_NOT_FOUND);
}

static void not_all_calls_may_wait(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	while (swn_service_refused(fix->service, SWN_LIMIT_HANDOVER_CALLS) == 0) {
		struct swn_fix_call *call = fix_async(fix, &handle);

		assert_in_range(fix->service->num_handover_waiters, 1, 20000);
		if (call->done) {
			fix_assert_ended(call, SWN_ERROR_NOT_FOUND);
		}
	}
	assert_int_equal(fix->service->num_handover_waiters, 20000);
}

static void the_newest_version_wins(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	hand_back(story, 7);
	fix_place(story->old, NULL, "n2");
	fix_assert_changes(fix_async(story->old, &handle), "10.0.0.7", "U");
	keep(story, &handle);
	hand_back(story, 9);
	assert_int_equal(swn_registry_count(fix->service->registry), 1);
	/* The newer one knew of the loss: its return is news. */
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "A");
	/* An older, or a newer one that comes when the client is there, changes nothing. */
	hand_back(story, 8);
	hand_back(story, 10);
	assert_false(restored(story)->handed_back);
}

static void garbage_is_not_restored(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;
	size_t len;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	len = story->len;
	for (story->len = 0; story->len < len; story->len++) {
		story->key[0]++;
		hand_back(story, 1);
	}
	assert_null(restored(story));
	story->value[0]++; /* of a later format */
	hand_back(story, 2);
	assert_null(restored(story));
}

static void the_list_has_those_of_others(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	json_t *list;
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n1", "n2");
	say_record(story, 1);
	list = fix_list(fix, &(struct swn_select){.all = true});
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "witness")),
			    "n2");
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "client")),
			    "c1.example.com");
	json_decref(list);
	list = fix_list(fix, &(struct swn_select){.local = true});
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

/* The record is of n2, which has vanished since. */
static void vanish_with_it(struct story *story)
{
	const struct backend_sink *sink = cluster_sink(story->fix->cluster);

	say_record(story, 1);
	sink->peer_down(sink->private_data, "n2");
	fix_pump(story->fix);
}

static void a_witness_that_vanished_is_replaced(void **state)
{
	struct story *story = *state;
	struct peers_record record;
	struct swn_handle handle;
	struct swn_fix_call *call;
	struct swn_fix *fix;

	fix_place(story->old, "n3", "n2");
	handle = fix_registered(story->old);
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n3", "n2");
	vanish_with_it(story);
	call = fix_async(fix, &handle);
	assert_false(call->done);
	assert_int_equal(restored(story)->takeovers, 1);
	assert_int_equal(fix->service->taken_over, 1);
	assert_int_equal(peers_find(cluster_peers(fix->cluster), PEERS_REGISTRATION, story->key,
				    sizeof(story->key), &record),
			 0);
	assert_true(record.own);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(call, "10.0.0.7", "U");
}

static void what_was_missed_before_a_takeover_is_told(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n3", "n2");
	vanish_with_it(story);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "UA");
}

static void not_everything_is_taken_over(void **state)
{
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct swn_fix *fix;

	keep(story, &handle);
	fix = restart(story);
	hand_back_no_more(story);
	fix_place(fix, "n3", "n2");
	say_record(story, 1);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND); /* it has its witness */
	vanish_with_it(story);
	fix->principal = "bob@EXAMPLE";
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	fix->principal = "alice@EXAMPLE";
	fix_place(fix, "n1", "n2"); /* this node is no witness for its own address */
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	assert_null(restored(story));
	fix_place(fix, "n3", "n2");
	assert_true(fix_async(fix, &handle)->done); /* it has moved, and is known */
	assert_non_null(restored(story));
}

static void who_was_only_cut_off_lets_go(void **state)
{
	struct story *story = *state;
	struct swn_fix *fix = restart(story);
	struct swn_fix_call *call;
	struct swn_handle handle;

	fix_place(fix, "n3", "n2");
	handle = fix_registered(fix);
	call = fix_async(fix, &handle);
	/* The test's other witness is n2, and makes its record of the same handle from ours. */
	keep_from(story, fix, &handle);
	say_record(story, 1);
	assert_false(call->done); /* as far away as ours, and n1 is before n2 */
	restored(story)->takeovers = 1;
	swn_reg_publish(restored(story));
	keep_from(story, fix, &handle);
	restored(story)->takeovers = 0;
	swn_reg_publish(restored(story));
	say_record(story, 2);
	fix_pump(fix);
	fix_assert_ended(call, SWN_ERROR_NOT_FOUND);
	assert_null(restored(story));
	assert_int_equal(fix->service->ended[SWN_END_TAKEN], 1);
	/* And what comes late from a peer that kept our own does not bring it back. */
	hand_back(story, 1);
	assert_null(restored(story));
}

/* A client that came by 10.0.0.8, which is here until it moves. */
static void a_registration_outlives_the_address_it_came_by(void **state)
{
	struct story *story = *state;
	struct swn_fix *fix = restart(story);
	struct swn_fix_call *before, *after;
	struct swn_handle handle;
	struct swn_reg *reg;

	fix_place(fix, "n3", "n1");
	handle = fix_registered(fix);
	reg = restored(story);
	assert_int_equal(ipaddr_parse("10.0.0.8", &reg->local), 0);
	before = fix_async(fix, &handle);
	fix_place(fix, "n3", "n2");
	assert_true(reg->handed_back);
	assert_int_equal(fix_assoc(2)->holds, 0);
	/* Its connection is closed, which is not its end; and what happens before it is back is kept. */
	swn_service_assoc_gone(fix->service, fix_assoc(2));
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	assert_false(before->done);
	fix->assoc = fix_assoc(3);
	after = fix_async(fix, &handle);
	assert_false(reg->handed_back);
	fix_assert_changes(after, "10.0.0.7", "U");
	/* Nobody comes the next time. */
	assert_int_equal(ipaddr_parse("10.0.0.8", &reg->local), 0);
	fix_place(fix, NULL, "n1");
	fix_place(fix, NULL, "n2");
	fix_pass_ms(fix, 15100);
	assert_null(restored(story));
	assert_int_equal(fix->service->ended[SWN_END_UNCLAIMED], 1);
}

/* Between two visits here it may have asked elsewhere, where its address was taken to be there. */
static void who_comes_back_hears_again_that_its_address_is_down(void **state)
{
	struct story *story = *state;
	struct swn_fix *fix = restart(story);
	struct swn_handle handle;

	fix_place(fix, "n3", "n1");
	handle = fix_registered(fix);
	assert_int_equal(ipaddr_parse("10.0.0.8", &restored(story)->local), 0);
	fix_place(fix, NULL, "n1");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	fix_place(fix, NULL, "n2");
	assert_true(restored(story)->handed_back);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
}

static void another_witness_takes_over_what_waits_for_its_client(void **state)
{
	struct story *story = *state;
	struct swn_handle handle;
	struct swn_reg *reg;
	struct swn_fix *fix;

	fix_place(story->old, "n3", "n1");
	handle = fix_registered(story->old);
	reg = swn_registry_first(story->old->service->registry);
	assert_int_equal(ipaddr_parse("10.0.0.8", &reg->local), 0);
	fix_place(story->old, "n3", "n2");
	keep(story, &handle);
	fix = restart(story);
	fix_place(fix, "n3", "n2");
	say_record(story, 1);
	assert_false(fix_async(fix, &handle)->done);
	assert_int_equal(restored(story)->takeovers, 1);
}

static void an_end_is_told_but_not_at_shutdown(void **state)
{
	const struct swn_order end = {.type = SWN_ORDER_END};
	struct story *story = *state;
	struct swn_handle handle = fix_registered(story->old);
	struct peers *peers = cluster_peers(story->old->cluster);
	struct peers_record record;

	keep(story, &handle);
	assert_int_equal(swn_order_do(story->old->service, &end, &handle), SWN_ORDER_TOLD);
	assert_int_equal(swn_order_do(story->old->service, &end, &handle), SWN_ORDER_GONE);
	assert_int_equal(
		peers_find(peers, PEERS_REGISTRATION, story->key, sizeof(story->key), &record),
		ENOENT);
	handle = fix_registered(story->old);
	keep(story, &handle);
	TALLOC_FREE(story->old->service);
	assert_int_equal(
		peers_find(peers, PEERS_REGISTRATION, story->key, sizeof(story->key), &record), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(a_client_goes_on_where_it_was),
		T(only_its_own_client_gets_it),
		T(it_can_unregister_too),
		T(nobody_comes_and_it_ends),
		T(missed_nothing),
		T(missed_a_loss),
		T(missed_a_move),
		T(missed_a_return),
		T(missed_a_removal),
		T(still_lost_is_told_once_more),
		T(what_was_told_after_the_last_copy_hides_no_loss),
		T(a_move_that_was_queued_outlives_no_start_without_a_cluster),
		T(what_was_queued_is_still_told),
		T(events_before_it_asks_are_kept),
		T(nothing_is_said_before_the_state_is_known),
		T(ip_change_names_all_addresses),
		T(ip_change_names_those_of_the_net_name),
		T(missed_a_move_of_its_share),
		T(missed_no_move_of_its_share),
		T(missed_the_second_move_of_its_share),
		T(who_served_a_share_before_it_stopped_counts),
		T(a_call_waits_for_the_hand_over),
		T(a_call_that_waits_can_be_cancelled),
		T(not_all_calls_may_wait),
		T(the_newest_version_wins),
		T(garbage_is_not_restored),
		T(the_list_has_those_of_others),
		T(a_witness_that_vanished_is_replaced),
		T(what_was_missed_before_a_takeover_is_told),
		T(not_everything_is_taken_over),
		T(who_was_only_cut_off_lets_go),
		T(a_registration_outlives_the_address_it_came_by),
		T(who_comes_back_hears_again_that_its_address_is_down),
		T(another_witness_takes_over_what_waits_for_its_client),
		T(an_end_is_told_but_not_at_shutdown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
