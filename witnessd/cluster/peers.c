/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The object: members, own records, listeners. */
#include "witnessd/cluster/peers_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"

/* --- telling --- */

void peers_tell(struct peers *peers, const struct peers_event *event)
{
	/* By index and from the object each time: a listener may add another. */
	for (size_t i = 0; i < peers->num_listeners; i++) {
		struct peers_listener listener = peers->listeners[i];

		if (listener.fn != NULL &&
		    (event->record == NULL || event->record->kind == listener.kind)) {
			listener.fn(listener.private_data, event);
		}
	}
}

void peers_tell_record(struct peers *peers, enum peers_event_type type,
		       const struct peers_owner *owner, const struct peers_entry *entry)
{
	struct peers_record record = peers_entry_record(owner, entry);

	peers_tell(peers, &(struct peers_event){.type = type, .record = &record});
}

void peers_entry_drop(struct peers *peers, struct peers_owner *owner, struct peers_entry *entry)
{
	/* One of a previous run is no event when the same exists again. */
	if (!entry->returning || peers_entry_find(owner, entry->id, entry->id_len) == NULL) {
		peers_tell_record(peers, PEERS_DELETED, owner, entry);
	}
	peers_entry_free(owner, entry);
}

int peers_listen(struct peers *peers, enum peers_kind kind, peers_listen_fn fn, void *private_data)
{
	struct peers_listener *listeners = peers->listeners;

	listeners =
		talloc_realloc(peers, listeners, struct peers_listener, peers->num_listeners + 1);
	if (listeners == NULL) {
		return ENOMEM;
	}
	listeners[peers->num_listeners++] =
		(struct peers_listener){.kind = kind, .fn = fn, .private_data = private_data};
	peers->listeners = listeners;
	return 0;
}

void peers_unlisten(struct peers *peers, peers_listen_fn fn, void *private_data)
{
	for (size_t i = 0; i < peers->num_listeners; i++) {
		struct peers_listener *listener = &peers->listeners[i];

		if (listener->fn == fn && listener->private_data == private_data) {
			listener->fn = NULL;
		}
	}
}

/* --- members --- */

void peers_joined(struct peers *peers, const char *local)
{
	char *name;

	if (peers->joined && strcmp(peers->local, local) == 0) {
		return;
	}
	name = talloc_strdup(peers, local);
	if (name == NULL) {
		log_err("peers: no memory to join");
		return;
	}
	talloc_free((void *)(uintptr_t)peers->local);
	peers->local = name;
	peers->joined = true;
	peers_handover_begin(peers);
	peers_sync_soon(peers);
	peers_handover_check(peers);
}

void peers_left(struct peers *peers)
{
	struct peers_owner *owner, *next;

	if (!peers->joined) {
		return;
	}
	peers->joined = false;
	peers_send_reset(peers);
	peers_commands_lost(peers, NULL);
	HASH_ITER (hh, peers->owners, owner, next) {
		if (owner->up) {
			peers_orphan(owner);
		}
	}
}

void peers_up(struct peers *peers, const char *node)
{
	struct peers_owner *owner;

	if (peers_is_local(peers, node)) {
		return;
	}
	owner = peers_owner_get(peers, node);
	if (owner == NULL) {
		log_err("peers: node %s is one too many, or memory is short", log_printable(node));
		return;
	}
	if (owner->up) {
		return;
	}
	owner->up = true;
	owner->synced = owner->syncing = owner->returned = false;
	owner->sequence = 0;
	owner->refused_version = owner->refused_limit = owner->refused_garbage = false;
	peers_tell(peers, &(struct peers_event){.type = PEERS_OWNER_BACK, .node = owner->node});
	peers_expect_sync(owner);
	peers_sync_soon(peers);
}

void peers_down(struct peers *peers, const char *node)
{
	struct peers_owner *owner = peers_owner_find(peers, node);

	if (owner != NULL && owner->up) {
		peers_commands_lost(peers, owner->node);
		peers_orphan(owner);
		peers_handover_check(peers);
	}
}

const char *peers_local(const struct peers *peers)
{
	return peers->local;
}

bool peers_is_local(const struct peers *peers, const char *node)
{
	return peers->local != NULL && strcmp(peers->local, node) == 0;
}

bool peers_is_up(const struct peers *peers, const char *node)
{
	const struct peers_owner *owner = peers_owner_find(peers, node);

	return owner != NULL ? owner->up : peers->joined && peers_is_local(peers, node);
}

/* --- our records --- */

static int check_record(enum peers_kind kind, size_t key_len, size_t value_len)
{
	if ((int)kind < PEERS_REGISTRATION || kind >= PEERS_NUM_KINDS) {
		return EINVAL;
	}
	return key_len == 0 || key_len > PEERS_KEY_MAX || value_len > PEERS_VALUE_MAX ? EMSGSIZE
										      : 0;
}

static bool is_same(const struct peers_entry *entry, const void *value, size_t value_len)
{
	return entry != NULL && !entry->deleted && entry->value_len == value_len &&
	       (value_len == 0 || memcmp(entry->value, value, value_len) == 0);
}

int peers_put(struct peers *peers, enum peers_kind kind, const void *key, size_t key_len,
	      const void *value, size_t value_len)
{
	uint8_t id[1 + PEERS_KEY_MAX];
	size_t id_len;
	struct peers_entry *entry;
	int err = check_record(kind, key_len, value_len);

	if (err != 0) {
		return err;
	}
	id_len = peers_id(id, (uint8_t)kind, key, key_len);
	if (is_same(peers_entry_find(&peers->own, id, id_len), value, value_len)) {
		return 0;
	}
	err = peers_entry_set(peers, &peers->own, id, id_len, value, value_len, &entry);
	if (err == ENOSPC && peers->joined) {
		/* Deletions waiting for a slow transport must not keep new records out. */
		peers_forget_deleted(peers);
		peers_sync_soon(peers);
		err = peers_entry_set(peers, &peers->own, id, id_len, value, value_len, &entry);
	}
	if (err != 0) {
		return err;
	}
	entry->version = ++peers->version;
	entry->deleted = false;
	peers_supersede(peers, &peers->own, id, id_len);
	peers_mark(peers, entry);
	return 0;
}

int peers_delete(struct peers *peers, enum peers_kind kind, const void *key, size_t key_len)
{
	uint8_t id[1 + PEERS_KEY_MAX];
	size_t id_len = peers_id(id, (uint8_t)kind, key, key_len);
	struct peers_entry *entry = id_len != 0 ? peers_entry_find(&peers->own, id, id_len) : NULL;

	if (entry == NULL || entry->deleted) {
		return ENOENT;
	}
	if (!peers->joined) {
		/* It is not sent; peers that have the record will see that the next sync lacks it. */
		peers_unmark(peers, entry);
		peers_entry_free(&peers->own, entry);
		return 0;
	}
	entry->deleted = true;
	entry->version = ++peers->version;
	peers->own.bytes -= entry->value_len;
	TALLOC_FREE(entry->value);
	entry->value_len = 0;
	peers_mark(peers, entry);
	return 0;
}

static void foreach_of(const struct peers_owner *owner, enum peers_kind kind,
		       void (*fn)(void *private_data, const struct peers_record *record),
		       void *private_data)
{
	for (struct peers_entry *entry = owner->former; entry != NULL; entry = entry->hh.next) {
		if (entry->id[0] == kind &&
		    peers_entry_find(owner, entry->id, entry->id_len) == NULL) {
			struct peers_record record = peers_entry_record(owner, entry);

			fn(private_data, &record);
		}
	}
	for (struct peers_entry *entry = owner->entries; entry != NULL; entry = entry->hh.next) {
		if (entry->id[0] == kind && !entry->deleted) {
			struct peers_record record = peers_entry_record(owner, entry);

			fn(private_data, &record);
		}
	}
}

void peers_foreach(const struct peers *peers, enum peers_kind kind, const char *owner,
		   void (*fn)(void *private_data, const struct peers_record *record),
		   void *private_data)
{
	if (owner == NULL || peers_is_local(peers, owner)) {
		foreach_of(&peers->own, kind, fn, private_data);
	}
	for (struct peers_owner *peer = peers->owners; peer != NULL; peer = peer->hh.next) {
		if (owner == NULL || strcmp(owner, peer->node) == 0) {
			foreach_of(peer, kind, fn, private_data);
		}
	}
}

int peers_find(const struct peers *peers, enum peers_kind kind, const void *key, size_t key_len,
	       struct peers_record *record)
{
	uint8_t id[1 + PEERS_KEY_MAX];
	size_t id_len = peers_id(id, (uint8_t)kind, key, key_len);
	struct peers_entry *entry = id_len != 0 ? peers_entry_find(&peers->own, id, id_len) : NULL;
	int err = ENOENT;

	if (entry != NULL && !entry->deleted) {
		*record = peers_entry_record(&peers->own, entry);
		return 0;
	}
	for (struct peers_owner *peer = peers->owners; id_len != 0 && peer != NULL;
	     peer = peer->hh.next) {
		entry = peers_entry_find(peer, id, id_len);
		if (entry == NULL) {
			entry = peers_former_find(peer, id, id_len);
		}
		if (entry != NULL) {
			*record = peers_entry_record(peer, entry);
			err = 0;
			if (!record->orphan) {
				break;
			}
		}
	}
	return err;
}

/* --- the object --- */

static int peers_destructor(struct peers *peers)
{
	struct peers_owner *owner, *next;

	wheel_cancel(&peers->retry_timer);
	peers_commands_free(peers);
	peers_handover_free(peers);
	HASH_ITER (hh, peers->owners, owner, next) {
		peers_owner_free(owner);
	}
	peers_entries_free(&peers->own);
	return 0;
}

static void init(struct peers *peers, struct tevent_context *ev, const struct peers_config *config)
{
	peers->ev = ev;
	peers->config = *config;
	peers->incarnation = config->incarnation != 0 ? config->incarnation : clock_wall_us();
	/* So that versions of a later run are higher. */
	peers->version = peers->last_id = peers->incarnation;
	peers->own.peers = peers;
	qb_list_init(&peers->own.returning);
	qb_list_init(&peers->sent);
	qb_list_init(&peers->unsent);
	qb_list_init(&peers->sync_end);
	qb_list_init(&peers->waiting);
	qb_list_init(&peers->requests);
	qb_list_init(&peers->calls);
	peers->retry_ms = PEERS_RETRY_MIN_MS;
}

int peers_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct peers_config *config,
		 struct peers **out)
{
	struct peers *peers = talloc_zero(mem_ctx, struct peers);
	int err;

	if (peers == NULL) {
		return ENOMEM;
	}
	init(peers, ev, config);
	peers->flush = tevent_create_immediate(peers);
	err = peers->flush == NULL ? ENOMEM
				   : wheel_create(peers, ev, config->clock, config->clock_private,
						  &peers->wheel);
	if (err != 0) {
		talloc_free(peers);
		return err;
	}
	talloc_set_destructor(peers, peers_destructor);
	*out = peers;
	return 0;
}

void peers_set_transport(struct peers *peers, const struct peers_transport *transport)
{
	peers->has_transport = transport != NULL;
	if (transport == NULL) {
		return;
	}
	peers->transport = *transport;
	peers->handover_pending = true;
	wheel_arm(peers->wheel, &peers->handover_wait, PEERS_HANDOVER_WAIT, peers_on_handover_wait,
		  peers);
}

void peers_set_handover_timeout(struct peers *peers, uint32_t seconds)
{
	peers->config.handover_timeout_s = seconds;
}

uint32_t peers_handover_timeout(const struct peers *peers)
{
	return peers->config.handover_timeout_s;
}

void peers_run(struct peers *peers)
{
	wheel_run(peers->wheel);
}
