/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a witnessd of another node may send: the bytes are cut into messages (length u16 before each) and
 * given to one that has records, as if they came from two peers in turn; the values of records that it then
 * holds must be taken apart as registrations or refused. A message that is taken apart must look the same
 * when it is put together again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/cluster/peers_wire.h"
#include "witnessd/swn/replica.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t no_time(void *private_data)
{
	return 1000000;
}

static int take_all(void *private_data, const uint8_t *bytes, size_t len)
{
	struct peers_msg msg;

	/* What we send ourselves is always well-formed. */
	if (len > PEERS_MESSAGE_MAX || peers_wire_pull(bytes, len, &msg) != 0) {
		abort();
	}
	return 0;
}

static void look(void *private_data, const struct peers_record *record)
{
	struct swn_replica replica;

	if (swn_replica_pull(private_data, record->key, record->key_len, record->value,
			     record->value_len, &replica) == 0) {
		uint8_t *value = talloc_array(private_data, uint8_t, PEERS_VALUE_MAX);
		size_t len = 0;

		if (swn_replica_push(&replica, value, &len) != 0 &&
		    record->value_len < PEERS_VALUE_MAX / 2) {
			abort();
		}
	}
}

static void hear(void *private_data, const struct peers_event *event)
{
	if (event->record != NULL) {
		look(private_data, event->record);
	}
}

/* What heartbeats make of it is not our business here; that its texts are texts is. */
static void take_beat(void *private_data, const char *node, const struct peers_beat *beat)
{
	for (size_t i = 0; beat != NULL && i < beat->num; i++) {
		size_t len = strlen(beat->opinions[i].node);

		if (len == 0 || len > PEERS_NODE_MAX || beat->opinions[i].say > SUSPICION_PROVEN) {
			abort();
		}
	}
	if (beat != NULL) {
		(void)peers_beat(private_data, beat);
	}
}

static void check_round_trip(TALLOC_CTX *mem_ctx, const uint8_t *bytes, size_t len)
{
	struct pack_out out = {.size = PEERS_MESSAGE_MAX};
	struct peers_wire_entry entry;
	struct peers_msg msg, again;

	if (peers_wire_pull(bytes, len, &msg) != 0 || msg.type == 0 || msg.type > PEERS_MSG_BEAT) {
		return;
	}
	out.p = talloc_array(mem_ctx, uint8_t, PEERS_MESSAGE_MAX);
	peers_wire_push(&out, &msg);
	while (out.err == 0 && peers_wire_entry(&msg.entries, &entry)) {
		(void)peers_wire_push_entry(&out, &entry);
	}
	if (out.err != 0 || peers_wire_pull(out.p, out.len, &again) != 0 ||
	    again.type != msg.type || again.interval_ms != msg.interval_ms ||
	    again.len != msg.len || strcmp(again.node, msg.node) != 0 || again.id != msg.id) {
		abort();
	}
}

static void feed(TALLOC_CTX *mem_ctx, struct peers *peers, const uint8_t *data, size_t size)
{
	static const char *const names[] = {"n2", "n3"};

	for (unsigned int i = 0; size >= 2; i++) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size) {
			len = size;
		}
		check_round_trip(mem_ctx, data, len);
		peers_message(peers, names[i % 2], data, len);
		data += len;
		size -= len;
	}
}

static void pumped(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		   void *private_data)
{
	*(bool *)private_data = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct tevent_context *ev = tevent_context_init(mem_ctx);
	struct peers_config config = {
		.handover_timeout_s = 60, .max_records = 100, .clock = no_time, .incarnation = 7};
	struct peers_transport transport = {.broadcast = take_all};
	struct peers *peers = NULL;
	bool done = false;

	if (peers_create(mem_ctx, ev, &config, &peers) != 0) {
		abort();
	}
	peers_set_transport(peers, &transport);
	(void)peers_listen(peers, PEERS_REGISTRATION, hear, mem_ctx);
	(void)peers_put(peers, PEERS_REGISTRATION, "key", 3, "value", 5);
	peers_set_beat_handler(peers, take_beat, peers);
	peers_up(peers, "n2");
	peers_up(peers, "n3");
	peers_joined(peers, "n1");
	feed(mem_ctx, peers, data, size);
	peers_down(peers, "n2");
	(void)tevent_add_timer(ev, mem_ctx, tevent_timeval_zero(), pumped, &done);
	while (!done && tevent_loop_once(ev) == 0) {
	}
	peers_foreach(peers, PEERS_REGISTRATION, NULL, look, mem_ctx);
	json_decref(peers_status_json(peers));
	talloc_free(peers);
	talloc_free(mem_ctx);
	return 0;
}
