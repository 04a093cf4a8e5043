/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hash index of a snapshot: from a key to a position in one of its arrays. */
#ifndef WITNESSD_CLUSTER_STATE_INDEX_H
#define WITNESSD_CLUSTER_STATE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct state_index;

/** @return NULL when memory is short */
struct state_index *state_index_new(TALLOC_CTX *mem_ctx);

/** Add a key, which is copied. @return 0, EEXIST or ENOMEM */
int state_index_add(struct state_index *index, const void *key, size_t len, size_t pos);

/** @return whether the key is there; if so *pos is its position */
bool state_index_find(const struct state_index *index, const void *key, size_t len, size_t *pos);

#endif
