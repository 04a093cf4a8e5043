/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a snapshot finds its nodes, addresses and shares: from a key to a place in one of its arrays. */
#ifndef WITNESSD_CLUSTER_STATE_INDEX_H
#define WITNESSD_CLUSTER_STATE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct state_index;

/** @return NULL when memory is short */
struct state_index *state_index_new(TALLOC_CTX *mem_ctx);

/** Remember where something is; the key is copied. @return 0, EEXIST or ENOMEM */
int state_index_add(struct state_index *index, const void *key, size_t len, size_t pos);

/** @return whether the key is there; if so *pos is its place */
bool state_index_find(const struct state_index *index, const void *key, size_t len, size_t *pos);

#endif
