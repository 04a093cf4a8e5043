/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Short memory is reported by uthash, not exit(): what was not added has no table. */
#include "witnessd/swn/registry.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* The registrations with one key of one index; goes when the last of them does. */
struct swn_bucket {
	struct qb_list_head regs;
	unsigned int num;
	UT_hash_handle hh;
	size_t key_len;
	uint8_t key[];
};

struct swn_registry {
	struct swn_reg *regs; /* by handle */
	struct swn_bucket *buckets[SWN_NUM_INDEXES];
};

/* A key of any index, as bytes. */
struct key {
	const void *p;
	size_t len;
};

/* uthash takes no empty key. */
static const char one_bucket[] = "*";

static struct key text_key(const char *text)
{
	return (struct key){.p = text, .len = strlen(text) + 1};
}

static int free_all(struct swn_registry *registry)
{
	for (size_t i = 0; i < SWN_NUM_INDEXES; i++) {
		HASH_CLEAR(hh, registry->buckets[i]);
	}
	HASH_CLEAR(hh, registry->regs);
	return 0;
}

struct swn_registry *swn_registry_new(TALLOC_CTX *mem_ctx)
{
	struct swn_registry *registry = talloc_zero(mem_ctx, struct swn_registry);

	if (registry != NULL) {
		talloc_set_destructor(registry, free_all);
	}
	return registry;
}

static struct swn_bucket *find_bucket(const struct swn_registry *registry, enum swn_index index,
				      struct key key)
{
	struct swn_bucket *bucket = NULL;

	HASH_FIND(hh, registry->buckets[index], key.p, key.len, bucket);
	return bucket;
}

static struct swn_bucket *get_bucket(struct swn_registry *registry, enum swn_index index,
				     struct key key)
{
	struct swn_bucket *bucket = find_bucket(registry, index, key);

	if (bucket != NULL) {
		return bucket;
	}
	bucket = talloc_zero_size(registry, sizeof(*bucket) + key.len);
	if (bucket == NULL) {
		return NULL;
	}
	qb_list_init(&bucket->regs);
	bucket->key_len = key.len;
	memcpy(bucket->key, key.p, key.len);
	HASH_ADD(hh, registry->buckets[index], key, key.len, bucket);
	if (bucket->hh.tbl == NULL) {
		talloc_free(bucket);
		return NULL;
	}
	return bucket;
}

static void leave_index(struct swn_registry *registry, struct swn_reg *reg, enum swn_index index)
{
	struct swn_bucket *bucket = reg->entries[index].bucket;

	if (bucket == NULL) {
		return;
	}
	qb_list_del(&reg->entries[index].link);
	reg->entries[index].bucket = NULL;
	bucket->num--;
	if (bucket->num == 0) {
		HASH_DEL(registry->buckets[index], bucket);
		talloc_free(bucket);
	}
}

static int enter_index(struct swn_registry *registry, struct swn_reg *reg, enum swn_index index,
		       struct key key)
{
	struct swn_bucket *bucket = get_bucket(registry, index, key);

	if (bucket == NULL) {
		return ENOMEM;
	}
	qb_list_add_tail(&reg->entries[index].link, &bucket->regs);
	reg->entries[index].bucket = bucket;
	bucket->num++;
	return 0;
}

static char *lower(TALLOC_CTX *mem_ctx, const char *text)
{
	char *copy = talloc_strdup(mem_ctx, text);

	for (char *p = copy; p != NULL && *p != '\0'; p++) {
		*p = (char)tolower((unsigned char)*p);
	}
	return copy;
}

static int enter_share(struct swn_registry *registry, struct swn_reg *reg)
{
	char *share;
	int err;

	if (reg->share_name == NULL) {
		return 0;
	}
	share = lower(NULL, reg->share_name);
	if (share == NULL) {
		return ENOMEM;
	}
	err = enter_index(registry, reg, SWN_BY_SHARE, text_key(share));
	talloc_free(share);
	return err;
}

static struct key assoc_key(const struct rpc_assoc *const *assoc)
{
	return (struct key){.p = assoc, .len = sizeof(*assoc)};
}

static int enter_indexes(struct swn_registry *registry, struct swn_reg *reg)
{
	const struct rpc_assoc *assoc = reg->assoc;
	int err = enter_index(registry, reg, SWN_BY_IP,
			      (struct key){.p = &reg->ip, .len = sizeof(reg->ip)});

	err = err != 0 ? err : enter_share(registry, reg);
	if (err == 0 && reg->ip_notification) {
		err = enter_index(registry, reg, SWN_BY_IP_CHANGE, text_key(one_bucket));
	}
	if (err == 0 && assoc != NULL) {
		err = enter_index(registry, reg, SWN_BY_ASSOC, assoc_key(&assoc));
	}
	return err != 0 ? err
			: enter_index(registry, reg, SWN_BY_PRINCIPAL, text_key(reg->principal));
}

static void leave_indexes(struct swn_registry *registry, struct swn_reg *reg)
{
	for (int i = 0; i < SWN_NUM_INDEXES; i++) {
		leave_index(registry, reg, (enum swn_index)i);
	}
}

int swn_registry_add(struct swn_registry *registry, struct swn_reg *reg)
{
	int err;

	if (swn_registry_find(registry, &reg->handle) != NULL) {
		return EEXIST;
	}
	err = enter_indexes(registry, reg);
	if (err == 0) {
		HASH_ADD(hh, registry->regs, handle, sizeof(reg->handle), reg);
		err = reg->hh.tbl == NULL ? ENOMEM : 0;
	}
	if (err != 0) {
		leave_indexes(registry, reg);
		return err;
	}
	talloc_steal(registry, reg);
	return 0;
}

int swn_registry_set_assoc(struct swn_registry *registry, struct swn_reg *reg,
			   struct rpc_assoc *assoc)
{
	const struct rpc_assoc *key = assoc;
	int err = enter_index(registry, reg, SWN_BY_ASSOC, assoc_key(&key));

	if (err == 0) {
		reg->assoc = assoc;
	}
	return err;
}

void swn_registry_clear_assoc(struct swn_registry *registry, struct swn_reg *reg)
{
	leave_index(registry, reg, SWN_BY_ASSOC);
	reg->assoc = NULL;
}

void swn_registry_remove(struct swn_registry *registry, struct swn_reg *reg, TALLOC_CTX *mem_ctx)
{
	leave_indexes(registry, reg);
	HASH_DEL(registry->regs, reg);
	talloc_steal(mem_ctx, reg);
}

struct swn_reg *swn_registry_find(const struct swn_registry *registry,
				  const struct swn_handle *handle)
{
	struct swn_reg *reg = NULL;

	HASH_FIND(hh, registry->regs, handle, sizeof(*handle), reg);
	return reg;
}

unsigned int swn_registry_count(const struct swn_registry *registry)
{
	return HASH_COUNT(registry->regs);
}

struct swn_reg *swn_registry_first(const struct swn_registry *registry)
{
	return registry->regs;
}

struct swn_reg *swn_registry_next(const struct swn_reg *reg)
{
	return reg->hh.next;
}

static struct swn_reg *entry_owner(struct qb_list_head *link, enum swn_index index)
{
	/* Variables, because the macro puts no parentheses around its argument. */
	struct swn_index_entry *entry = qb_list_entry(link, struct swn_index_entry, link);
	struct swn_index_entry *entries = entry - index;

	return qb_list_entry(entries, struct swn_reg, entries);
}

static struct swn_reg *first_in(const struct swn_registry *registry, enum swn_index index,
				struct key key)
{
	struct swn_bucket *bucket = find_bucket(registry, index, key);

	return bucket == NULL ? NULL : entry_owner(bucket->regs.next, index);
}

struct swn_reg *swn_registry_next_in(const struct swn_reg *reg, enum swn_index index)
{
	const struct swn_index_entry *entry = &reg->entries[index];

	if (entry->bucket == NULL || entry->link.next == &entry->bucket->regs) {
		return NULL;
	}
	return entry_owner(entry->link.next, index);
}

struct swn_reg *swn_registry_first_by_ip(const struct swn_registry *registry,
					 const struct ipaddr *ip)
{
	return first_in(registry, SWN_BY_IP, (struct key){.p = ip, .len = sizeof(*ip)});
}

struct swn_reg *swn_registry_first_by_share(const struct swn_registry *registry, const char *share)
{
	char *key = lower(NULL, share);
	struct swn_reg *reg = key == NULL ? NULL : first_in(registry, SWN_BY_SHARE, text_key(key));

	talloc_free(key);
	return reg;
}

struct swn_reg *swn_registry_first_by_ip_change(const struct swn_registry *registry)
{
	return first_in(registry, SWN_BY_IP_CHANGE, text_key(one_bucket));
}

struct swn_reg *swn_registry_first_by_assoc(const struct swn_registry *registry,
					    const struct rpc_assoc *assoc)
{
	return first_in(registry, SWN_BY_ASSOC, assoc_key(&assoc));
}

static unsigned int count_in(const struct swn_registry *registry, enum swn_index index,
			     struct key key)
{
	struct swn_bucket *bucket = find_bucket(registry, index, key);

	return bucket == NULL ? 0 : bucket->num;
}

unsigned int swn_registry_count_assoc(const struct swn_registry *registry,
				      const struct rpc_assoc *assoc)
{
	return count_in(registry, SWN_BY_ASSOC, assoc_key(&assoc));
}

unsigned int swn_registry_count_principal(const struct swn_registry *registry,
					  const char *principal)
{
	return count_in(registry, SWN_BY_PRINCIPAL, text_key(principal));
}
