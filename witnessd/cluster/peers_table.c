/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who has which records. Short memory is reported by uthash, not exit(): what was not added has no table. */
#include "witnessd/cluster/peers_private.h"

#include <errno.h>
#include <string.h>

#define MAX_RECORDS 400000U
#define MAX_BYTES   (UINT64_C(128) << 20)

size_t peers_id(uint8_t id[1 + PEERS_KEY_MAX], uint8_t kind, const void *key, size_t key_len)
{
	if (key_len == 0 || key_len > PEERS_KEY_MAX) {
		return 0;
	}
	id[0] = kind;
	memcpy(id + 1, key, key_len);
	return 1 + key_len;
}

struct peers_entry *peers_entry_find(const struct peers_owner *owner, const uint8_t *id,
				     size_t id_len)
{
	struct peers_entry *entry = NULL;

	HASH_FIND(hh, owner->entries, id, id_len, entry);
	return entry;
}

/* What of the owner's memory a record takes. */
static uint64_t weight(size_t id_len, size_t value_len)
{
	return (uint64_t)id_len + value_len;
}

uint32_t peers_max_records(const struct peers *peers)
{
	return peers->config.max_records != 0 ? peers->config.max_records : MAX_RECORDS;
}

static bool fits(const struct peers *peers, const struct peers_owner *owner,
		 const struct peers_entry *entry, uint64_t bytes)
{
	uint64_t max_bytes = peers->config.max_bytes != 0 ? peers->config.max_bytes : MAX_BYTES;
	uint64_t before = entry != NULL ? weight(entry->id_len, entry->value_len) : 0;

	return (entry != NULL || owner->num < peers_max_records(peers)) &&
	       owner->bytes - before + bytes <= max_bytes;
}

static struct peers_entry *add_entry(struct peers_owner *owner, const uint8_t *id, size_t id_len)
{
	struct peers_entry *entry = talloc_zero_size(owner->peers, sizeof(*entry) + id_len);

	if (entry == NULL) {
		return NULL;
	}
	talloc_set_name_const(entry, "struct peers_entry");
	qb_list_init(&entry->link);
	entry->id_len = id_len;
	memcpy(entry->id, id, id_len);
	HASH_ADD(hh, owner->entries, id, id_len, entry);
	if (entry->hh.tbl == NULL) {
		talloc_free(entry);
		return NULL;
	}
	owner->num++;
	owner->bytes += weight(id_len, 0);
	return entry;
}

int peers_entry_set(struct peers *peers, struct peers_owner *owner, const uint8_t *id,
		    size_t id_len, const uint8_t *value, size_t value_len, struct peers_entry **out)
{
	struct peers_entry *entry = peers_entry_find(owner, id, id_len);
	uint8_t *copy = NULL;

	if (!fits(peers, owner, entry, weight(id_len, value_len))) {
		return ENOSPC;
	}
	if (value_len > 0) {
		copy = talloc_memdup(peers, value, value_len);
		if (copy == NULL) {
			return ENOMEM;
		}
	}
	if (entry == NULL) {
		entry = add_entry(owner, id, id_len);
		if (entry == NULL) {
			talloc_free(copy);
			return ENOMEM;
		}
	}
	owner->bytes = owner->bytes - entry->value_len + value_len;
	talloc_free(entry->value);
	entry->value = talloc_steal(entry, copy);
	entry->value_len = value_len;
	*out = entry;
	return 0;
}

struct peers_entry *peers_former_find(const struct peers_owner *owner, const uint8_t *id,
				      size_t id_len)
{
	struct peers_entry *entry = NULL;

	HASH_FIND(hh, owner->former, id, id_len, entry);
	return entry;
}

int peers_entry_make_former(struct peers_owner *owner, struct peers_entry *entry)
{
	struct peers_entry *older = peers_former_find(owner, entry->id, entry->id_len);

	if (older != NULL) {
		peers_entry_free(owner, older);
	}
	HASH_DEL(owner->entries, entry);
	HASH_ADD(hh, owner->former, id, entry->id_len, entry);
	if (entry->hh.tbl == NULL) {
		owner->num--;
		owner->bytes -= weight(entry->id_len, entry->value_len);
		talloc_free(entry);
		return ENOMEM;
	}
	entry->returning = true;
	qb_list_add_tail(&entry->link, &owner->returning);
	return 0;
}

void peers_entry_free(struct peers_owner *owner, struct peers_entry *entry)
{
	struct peers_entry **table = entry->returning ? &owner->former : &owner->entries;

	if (*table != NULL) {
		HASH_DEL(*table, entry);
	}
	qb_list_del(&entry->link);
	owner->num--;
	owner->bytes -= weight(entry->id_len, entry->value_len);
	talloc_free(entry);
}

void peers_entries_free(struct peers_owner *owner)
{
	struct peers_entry *entry, *next;

	HASH_ITER (hh, owner->entries, entry, next) {
		peers_entry_free(owner, entry);
	}
	HASH_ITER (hh, owner->former, entry, next) {
		peers_entry_free(owner, entry);
	}
}

struct peers_record peers_entry_record(const struct peers_owner *owner,
				       const struct peers_entry *entry)
{
	const struct peers *peers = owner->peers;
	bool own = owner == &peers->own;

	return (struct peers_record){
		.kind = (enum peers_kind)entry->id[0],
		.owner = own ? peers->local : owner->node,
		.own = own,
		.orphan = owner->gone || entry->returning,
		.version = entry->version,
		.key = entry->id + 1,
		.key_len = entry->id_len - 1,
		.value = entry->value,
		.value_len = entry->value_len,
	};
}

struct peers_wire_entry peers_entry_wire(const struct peers_entry *entry)
{
	return (struct peers_wire_entry){
		.put = !entry->deleted,
		.kind = entry->id[0],
		.key = entry->id + 1,
		.key_len = entry->id_len - 1,
		.version = entry->version,
		.value = entry->value,
		.value_len = entry->value_len,
	};
}

/* --- owners --- */

struct peers_owner *peers_owner_find(const struct peers *peers, const char *node)
{
	struct peers_owner *owner = NULL;

	HASH_FIND_STR(peers->owners, node, owner);
	return owner;
}

struct peers_owner *peers_owner_get(struct peers *peers, const char *node)
{
	struct peers_owner *owner = peers_owner_find(peers, node);
	size_t len = strlen(node);

	if (owner != NULL) {
		return owner;
	}
	if (HASH_COUNT(peers->owners) >= PEERS_MAX_NODES || len == 0 || len > PEERS_NODE_MAX) {
		return NULL;
	}
	owner = talloc_zero(peers, struct peers_owner);
	if (owner == NULL) {
		return NULL;
	}
	owner->peers = peers;
	owner->node = talloc_strdup(owner, node);
	qb_list_init(&owner->returning);
	if (owner->node != NULL) {
		HASH_ADD_KEYPTR(hh, peers->owners, owner->node, len, owner);
	}
	if (owner->node == NULL || owner->hh.tbl == NULL) {
		talloc_free(owner);
		return NULL;
	}
	return owner;
}

void peers_owner_free(struct peers_owner *owner)
{
	wheel_cancel(&owner->expire_timer);
	wheel_cancel(&owner->sync_timer);
	wheel_cancel(&owner->return_timer);
	peers_entries_free(owner);
	HASH_DEL(owner->peers->owners, owner);
	talloc_free(owner);
}

void peers_owner_release(struct peers_owner *owner)
{
	if (!owner->up && owner->num == 0) {
		peers_owner_free(owner);
	}
}
