/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of peers. The transport guarantees who sent them, not what they contain. */
#include "witnessd/cluster/peers_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"

void peers_complain(struct peers_owner *owner, bool *complained, const char *what)
{
	owner->peers->num_refused++;
	if (!*complained) {
		*complained = true;
		log_warn("peers: witness of node %s: %s", log_printable(owner->node), what);
	}
}

/* --- syncs --- */

static void request_sync(void *private_data)
{
	struct peers_owner *owner = talloc_get_type_abort(private_data, struct peers_owner);
	struct peers_msg msg = {.type = PEERS_MSG_REQUEST};

	if (owner->up && !owner->synced) {
		memcpy(msg.node, owner->node, strlen(owner->node) + 1);
		(void)peers_send(owner->peers, &msg); /* else the next time */
		peers_expect_sync(owner);
	}
}

void peers_expect_sync(struct peers_owner *owner)
{
	wheel_arm(owner->peers->wheel, &owner->sync_timer, PEERS_SYNC_WAIT_MS, request_sync, owner);
}

static void take_begin(struct peers *peers, struct peers_owner *owner, struct peers_msg *msg)
{
	owner->syncing = true;
	owner->sync = msg->sync;
	owner->round++;
	if (!owner->synced) {
		peers_expect_sync(owner);
	}
}

/* Records not received between BEGIN and END no longer exist, except those being handed back. */
static void take_end(struct peers *peers, struct peers_owner *owner, struct peers_msg *msg)
{
	struct peers_entry *entry, *next;

	if (!owner->syncing || owner->sync != msg->sync) {
		return;
	}
	owner->syncing = false;
	owner->synced = true;
	owner->gone = false;
	wheel_cancel(&owner->sync_timer);
	HASH_ITER (hh, owner->entries, entry, next) {
		if (entry->round != owner->round) {
			peers_entry_drop(peers, owner, entry);
		}
	}
	if (qb_list_empty(&owner->returning)) {
		wheel_cancel(&owner->expire_timer);
	}
}

static void take_request(struct peers *peers, struct peers_owner *owner, struct peers_msg *msg)
{
	if (peers_is_local(peers, msg->node)) {
		peers_sync_soon(peers);
	}
}

/* --- records --- */

static void take_put(struct peers *peers, struct peers_owner *owner,
		     const struct peers_wire_entry *wire)
{
	uint8_t id[1 + PEERS_KEY_MAX];
	size_t id_len = peers_id(id, wire->kind, wire->key, wire->key_len);
	struct peers_entry *entry = peers_entry_find(owner, id, id_len);
	int err;

	if (entry != NULL && entry->version >= wire->version) {
		entry->round = owner->round;
		return;
	}
	err = peers_entry_set(peers, owner, id, id_len, wire->value, wire->value_len, &entry);
	if (err != 0) {
		peers_complain(owner, &owner->refused_limit,
			       err == ENOSPC ? "has more records than are kept" : strerror(err));
		return;
	}
	entry->version = wire->version;
	entry->round = owner->round;
	peers_supersede(peers, owner, id, id_len);
	peers_tell_record(peers, PEERS_PUT, owner, entry);
}

static void take_delete(struct peers *peers, struct peers_owner *owner,
			const struct peers_wire_entry *wire)
{
	uint8_t id[1 + PEERS_KEY_MAX];
	size_t id_len = peers_id(id, wire->kind, wire->key, wire->key_len);
	struct peers_entry *entry = peers_entry_find(owner, id, id_len);

	if (entry != NULL && entry->version <= wire->version) {
		peers_entry_drop(peers, owner, entry);
	}
}

static void take_records(struct peers *peers, struct peers_owner *owner, struct peers_msg *msg)
{
	struct peers_wire_entry wire;

	while (peers_wire_entry(&msg->entries, &wire)) {
		if (wire.kind < PEERS_REGISTRATION || wire.kind >= PEERS_NUM_KINDS) {
			continue; /* of a later witnessd */
		}
		if (wire.put) {
			take_put(peers, owner, &wire);
		} else {
			take_delete(peers, owner, &wire);
		}
	}
}

/* --- dispatch --- */

static void (*const takers[])(struct peers *peers, struct peers_owner *owner,
			      struct peers_msg *msg) = {
	[PEERS_MSG_BEGIN] = take_begin,
	[PEERS_MSG_RECORDS] = take_records,
	[PEERS_MSG_END] = take_end,
	[PEERS_MSG_RETURN] = peers_take_return,
	[PEERS_MSG_RETURNED] = peers_take_returned,
	[PEERS_MSG_REQUEST] = take_request,
	[PEERS_MSG_COMMAND] = peers_take_command,
	[PEERS_MSG_REPLY] = peers_take_reply,
	[PEERS_MSG_BEAT] = peers_take_beat,
};

/* Whether this is the next message of the same run of the same peer; if not, react to that. */
static void follow(struct peers_owner *owner, const struct peers_msg *msg)
{
	if (owner->incarnation != msg->incarnation) {
		peers_restarted(owner);
		owner->incarnation = msg->incarnation;
		owner->synced = owner->syncing = false;
		owner->sequence = 0;
	}
	if (owner->sequence != 0 && msg->sequence != owner->sequence + 1) {
		log_info("peers: messages of the witness of node %s were lost, asking for all",
			 log_printable(owner->node));
		owner->synced = owner->syncing = false;
		owner->sequence = msg->sequence;
		request_sync(owner);
		return;
	}
	owner->sequence = msg->sequence;
	/* It makes progress; beats while there is no sync at all do not. */
	if (owner->syncing && !owner->synced) {
		peers_expect_sync(owner);
	}
}

void peers_message(struct peers *peers, const char *from, const uint8_t *bytes, size_t len)
{
	struct peers_owner *owner = peers_owner_find(peers, from);
	struct peers_msg msg;
	int err;

	if (owner == NULL || !owner->up) {
		return; /* our own, or of somebody who has gone */
	}
	err = peers_wire_pull(bytes, len, &msg);
	if (err == EPROTONOSUPPORT) {
		peers_complain(owner, &owner->refused_version,
			       "speaks another version of the protocol: its messages are ignored");
		return;
	}
	if (err != 0) {
		peers_complain(owner, &owner->refused_garbage, "sent what is no message");
		return;
	}
	peers->num_received++;
	follow(owner, &msg);
	peers_take_sign(peers, owner);
	if (msg.type < sizeof(takers) / sizeof(takers[0]) && takers[msg.type] != NULL) {
		takers[msg.type](peers, owner, &msg);
	}
}
