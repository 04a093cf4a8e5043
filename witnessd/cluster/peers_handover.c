/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens to the records of a peer that has disappeared, and to ours when we come back. All peers have
 * the same records of it. They hand them back in turns, and each drops those that another one has handed
 * back, so that each record crosses the network only once.
 */
#include "witnessd/cluster/peers_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/log.h"

/* What happens to a record when its owner was restarted. */
static bool is_returnable(const struct peers_entry *entry)
{
	return entry->id[0] == PEERS_REGISTRATION;
}

/* --- the records of others --- */

static void on_expired(void *private_data)
{
	struct peers_owner *owner = talloc_get_type_abort(private_data, struct peers_owner);
	struct peers *peers = owner->peers;
	struct peers_entry *entry, *next;
	unsigned int num = 0;

	HASH_ITER (hh, owner->former, entry, next) {
		peers_entry_drop(peers, owner, entry);
		num++;
	}
	HASH_ITER (hh, owner->entries, entry, next) {
		if (owner->gone) {
			peers_entry_drop(peers, owner, entry);
			num++;
		}
	}
	if (num > 0) {
		log_info("peers: dropped %u records of node %s, whose witness has not come back",
			 num, log_printable(owner->node));
	}
	peers_owner_release(owner);
}

void peers_orphan(struct peers_owner *owner)
{
	struct peers *peers = owner->peers;

	owner->up = owner->synced = owner->syncing = false;
	owner->gone = true;
	owner->return_due = false;
	wheel_cancel(&owner->sync_timer);
	wheel_cancel(&owner->return_timer);
	wheel_arm(peers->wheel, &owner->expire_timer,
		  UINT64_C(1000) * peers->config.handover_timeout_s, on_expired, owner);
	peers_tell(peers, &(struct peers_event){.type = PEERS_OWNER_GONE, .node = owner->node});
}

static void on_our_turn(void *private_data)
{
	struct peers_owner *owner = talloc_get_type_abort(private_data, struct peers_owner);

	owner->return_due = true;
	peers_flush_soon(owner->peers);
}

/* Our position among the live peers that hand records back. */
static unsigned int rank(const struct peers_owner *owner)
{
	const struct peers *peers = owner->peers;
	unsigned int before = 0;

	if (peers->local == NULL) {
		return 0;
	}

	for (const struct peers_owner *peer = peers->owners; peer != NULL; peer = peer->hh.next) {
		before += peer != owner && peer->up && strcmp(peer->node, peers->local) < 0;
	}
	return before;
}

void peers_restarted(struct peers_owner *owner)
{
	struct peers *peers = owner->peers;
	struct peers_entry *entry, *next;

	HASH_ITER (hh, owner->entries, entry, next) {
		if (!is_returnable(entry)) {
			peers_entry_drop(peers, owner, entry);
		} else {
			(void)peers_entry_make_former(owner, entry);
		}
	}
	owner->gone = false;
	if (!qb_list_empty(&owner->returning) && !wheel_armed(&owner->expire_timer)) {
		/* It was restarted so fast that nobody noticed. */
		wheel_arm(peers->wheel, &owner->expire_timer,
			  UINT64_C(1000) * peers->config.handover_timeout_s, on_expired, owner);
	}
	wheel_arm(peers->wheel, &owner->return_timer,
		  qb_list_empty(&owner->returning) ? 0 : (uint64_t)rank(owner) * PEERS_RETURN_MS,
		  on_our_turn, owner);
}

void peers_supersede(struct peers *peers, const struct peers_owner *by, const uint8_t *id,
		     size_t id_len)
{
	struct peers_owner *owner, *next;

	HASH_ITER (hh, peers->owners, owner, next) {
		struct peers_entry *entry = peers_former_find(owner, id, id_len);

		if (entry == NULL && !owner->up) {
			entry = peers_entry_find(owner, id, id_len);
		}
		if (owner != by && entry != NULL && is_returnable(entry)) {
			peers_entry_drop(peers, owner, entry);
		}
	}
}

/* --- being handed back --- */

/* Whether this is the first, or a newer, copy of a record that is handed back. */
static bool is_news(struct peers *peers, struct peers_owner *from, const uint8_t *id, size_t id_len,
		    uint64_t version)
{
	struct peers_entry *own = peers_entry_find(&peers->own, id, id_len);
	struct peers_seen *seen = NULL;

	HASH_FIND(hh, peers->seen, id, id_len, seen);
	if (seen != NULL) {
		/* What we have ended since then must not come back. */
		if (seen->version >= version || own == NULL || own->deleted) {
			return false;
		}
		seen->version = version;
		return true;
	}
	if (own != NULL) {
		return false;
	}
	/* We cannot have had more. */
	if (HASH_COUNT(peers->seen) >= peers_max_records(peers)) {
		peers_complain(from, &from->refused_limit, "hands more back than a node may have");
		return false;
	}
	seen = talloc_zero_size(peers, sizeof(*seen) + id_len);
	if (seen == NULL) {
		return false;
	}
	seen->version = version;
	seen->id_len = id_len;
	memcpy(seen->id, id, id_len);
	HASH_ADD(hh, peers->seen, id, id_len, seen);
	if (seen->hh.tbl == NULL) {
		talloc_free(seen);
		return false;
	}
	return true;
}

static void take_back(struct peers *peers, struct peers_owner *from,
		      const struct peers_wire_entry *wire)
{
	uint8_t id[1 + PEERS_KEY_MAX];
	size_t id_len = peers_id(id, wire->kind, wire->key, wire->key_len);
	struct peers_record record = {
		.kind = (enum peers_kind)wire->kind,
		.owner = peers->local,
		.orphan = true,
		.version = wire->version,
		.key = wire->key,
		.key_len = wire->key_len,
		.value = wire->value,
		.value_len = wire->value_len,
	};

	if (wire->kind == PEERS_REGISTRATION && is_news(peers, from, id, id_len, wire->version)) {
		peers_tell(peers,
			   &(struct peers_event){.type = PEERS_HANDED_BACK, .record = &record});
	}
}

/* Somebody else has handed this back. */
static void drop_returned(struct peers *peers, struct peers_owner *owner,
			  const struct peers_wire_entry *wire)
{
	uint8_t id[1 + PEERS_KEY_MAX];
	size_t id_len = peers_id(id, wire->kind, wire->key, wire->key_len);
	struct peers_entry *entry = peers_former_find(owner, id, id_len);

	if (entry != NULL && entry->version <= wire->version) {
		peers_entry_drop(peers, owner, entry);
	}
}

void peers_take_return(struct peers *peers, struct peers_owner *from, struct peers_msg *msg)
{
	struct peers_owner *owner = peers_owner_find(peers, msg->node);
	bool ours = peers_is_local(peers, msg->node);
	struct peers_wire_entry wire;

	while (peers_wire_entry(&msg->entries, &wire)) {
		if (!wire.put) {
			continue;
		}
		if (ours && peers->handover_open) {
			take_back(peers, from, &wire);
		} else if (!ours && owner != NULL) {
			drop_returned(peers, owner, &wire);
		}
	}
}

void peers_take_returned(struct peers *peers, struct peers_owner *from, struct peers_msg *msg)
{
	if (peers_is_local(peers, msg->node)) {
		from->returned = true;
		peers_handover_check(peers);
	}
}

/* --- how long it lasts --- */

static void handover_done(struct peers *peers)
{
	if (peers->handover_pending) {
		peers->handover_pending = false;
		wheel_cancel(&peers->handover_wait);
		peers_tell(peers, &(struct peers_event){.type = PEERS_HANDOVER_DONE});
	}
}

void peers_on_handover_wait(void *private_data)
{
	handover_done(talloc_get_type_abort(private_data, struct peers));
}

void peers_handover_check(struct peers *peers)
{
	if (!peers->handover_pending || !peers->joined) {
		return;
	}
	for (const struct peers_owner *peer = peers->owners; peer != NULL; peer = peer->hh.next) {
		if (peer->up && !peer->returned) {
			return;
		}
	}
	handover_done(peers);
}

static void free_seen(struct peers *peers)
{
	struct peers_seen *seen, *next;

	HASH_ITER (hh, peers->seen, seen, next) {
		HASH_DEL(peers->seen, seen);
		talloc_free(seen);
	}
}

static void on_handover_end(void *private_data)
{
	struct peers *peers = talloc_get_type_abort(private_data, struct peers);

	peers->handover_open = false;
	free_seen(peers);
}

void peers_handover_begin(struct peers *peers)
{
	if (peers->handover_begun) {
		return;
	}
	peers->handover_begun = peers->handover_open = true;
	wheel_arm(peers->wheel, &peers->handover_end,
		  UINT64_C(1000) * peers->config.handover_timeout_s, on_handover_end, peers);
}

bool peers_handover_pending(const struct peers *peers)
{
	return peers->handover_pending;
}

void peers_handover_free(struct peers *peers)
{
	wheel_cancel(&peers->handover_wait);
	wheel_cancel(&peers->handover_end);
	free_seen(peers);
}
