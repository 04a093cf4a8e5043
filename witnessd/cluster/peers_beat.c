/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending and receiving beats. What a missing one means: suspicion.h. */
#include "witnessd/cluster/peers_private.h"

#include <errno.h>

void peers_set_beat_handler(struct peers *peers, peers_beat_fn fn, void *private_data)
{
	peers->beat_fn = fn;
	peers->beat_private = private_data;
}

/* --- out --- */

/* As many opinions as fit, whole. */
static void push_opinions(struct pack_out *out, const struct peers_beat *beat)
{
	for (size_t i = 0; i < beat->num; i++) {
		struct pack_out before = *out;

		peers_wire_push_opinion(out, (uint8_t)beat->opinions[i].say,
					beat->opinions[i].node);
		if (out->err != 0) {
			*out = before;
			return;
		}
	}
}

int peers_beat(struct peers *peers, const struct peers_beat *beat)
{
	struct peers_waiting *waiting;
	struct pack_out out = {.size = PEERS_COMMAND_MAX};

	if (!peers->joined || !peers->has_transport) {
		return ENOTCONN;
	}
	waiting = talloc_zero(peers, struct peers_waiting);
	if (waiting == NULL) {
		return ENOMEM;
	}
	waiting->bytes = talloc_array(waiting, uint8_t, PEERS_COMMAND_MAX);
	if (waiting->bytes == NULL) {
		talloc_free(waiting);
		return ENOMEM;
	}
	out.p = waiting->bytes;
	push_opinions(&out, beat);
	waiting->msg = (struct peers_msg){.type = PEERS_MSG_BEAT,
					  .interval_ms = beat->interval_ms,
					  .bytes = waiting->bytes,
					  .len = out.len};
	talloc_free(peers->beat);
	peers->beat = waiting;
	peers_flush_soon(peers);
	return 0;
}

/* --- in --- */

static enum suspicion_say say_of(uint8_t say)
{
	/* One that only a later witnessd knows counts neither for nor against anything. */
	return say <= SUSPICION_PROVEN ? (enum suspicion_say)say : SUSPICION_NO_SAY;
}

void peers_take_beat(struct peers *peers, struct peers_owner *from, struct peers_msg *msg)
{
	struct pack_in in = {.p = msg->bytes, .left = msg->len};
	struct peers_beat beat = {.interval_ms = msg->interval_ms};
	struct peers_wire_opinion *wire;
	struct suspicion_opinion *opinions;

	if (peers->beat_fn == NULL) {
		return;
	}
	wire = talloc_array(NULL, struct peers_wire_opinion, PEERS_MAX_NODES);
	opinions = talloc_array(wire, struct suspicion_opinion, PEERS_MAX_NODES);
	if (wire != NULL && opinions != NULL) {
		while (beat.num < PEERS_MAX_NODES && peers_wire_opinion(&in, &wire[beat.num])) {
			opinions[beat.num] = (struct suspicion_opinion){
				.node = wire[beat.num].node, .say = say_of(wire[beat.num].say)};
			beat.num++;
		}
		beat.opinions = opinions;
		peers->beat_fn(peers->beat_private, from->node, &beat);
	}
	talloc_free(opinions);
	talloc_free(wire);
}

void peers_take_sign(struct peers *peers, struct peers_owner *from)
{
	if (peers->beat_fn != NULL) {
		peers->beat_fn(peers->beat_private, from->node, NULL);
	}
}
