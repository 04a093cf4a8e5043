/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/state_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/util/hash.h"

struct entry {
	UT_hash_handle hh;
	size_t pos;
	char key[];
};

struct state_index {
	struct entry *entries;
};

/* The entries are children; what uthash itself has allocated goes here. */
static int index_destructor(struct state_index *index)
{
	HASH_CLEAR(hh, index->entries);
	return 0;
}

struct state_index *state_index_new(TALLOC_CTX *mem_ctx)
{
	struct state_index *index = talloc_zero(mem_ctx, struct state_index);

	if (index != NULL) {
		talloc_set_destructor(index, index_destructor);
	}
	return index;
}

int state_index_add(struct state_index *index, const void *key, size_t len, size_t pos)
{
	struct entry *entry;
	size_t unused;

	if (state_index_find(index, key, len, &unused)) {
		return EEXIST;
	}
	entry = talloc_zero_size(index, sizeof(*entry) + len);
	if (entry == NULL) {
		return ENOMEM;
	}
	entry->pos = pos;
	memcpy(entry->key, key, len);
	HASH_ADD_KEYPTR(hh, index->entries, entry->key, len, entry);
	if (entry->hh.tbl == NULL) {
		talloc_free(entry);
		return ENOMEM;
	}
	return 0;
}

bool state_index_find(const struct state_index *index, const void *key, size_t len, size_t *pos)
{
	struct entry *entry;

	HASH_FIND(hh, index->entries, key, len, entry);
	if (entry == NULL) {
		return false;
	}
	*pos = entry->pos;
	return true;
}
