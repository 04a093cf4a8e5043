/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A value is format u8 (1), drained u8, when u64 (microseconds of the day's clock). */
#include "witnessd/swn/drains.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/hash.h"
#include "witnessd/util/log.h"
#include "witnessd/util/pack.h"

#define FORMAT     1U
#define MAX_DRAINS 1024U /* nodes, so that peers cannot fill our memory */

struct drain {
	UT_hash_handle hh;
	struct swn_drain is;
};

struct swn_drains {
	struct peers *peers;
	struct drain *table;
};

static struct drain *find(const struct swn_drains *drains, const char *node)
{
	struct drain *drain = NULL;

	HASH_FIND(hh, drains->table, node, strlen(node), drain);
	return drain;
}

int swn_drain_pull(const void *key, size_t key_len, const uint8_t *value, size_t value_len,
		   struct swn_drain *out)
{
	struct pack_in in = {.p = value, .left = value_len};
	struct swn_drain drain = {.drained = false};
	uint8_t format;

	if (key_len == 0 || key_len > PEERS_NODE_MAX || memchr(key, '\0', key_len) != NULL) {
		return EBADMSG;
	}
	memcpy(drain.node, key, key_len);
	format = unpack_u8(&in);
	drain.drained = unpack_u8(&in) != 0;
	drain.when_us = unpack_u64(&in);
	/* A record with the latest possible time could never be replaced. */
	if (in.err != 0 || format != FORMAT || drain.when_us == UINT64_MAX) {
		return EBADMSG;
	}
	*out = drain;
	return 0;
}

void swn_drain_push(const struct swn_drain *drain, uint8_t value[SWN_DRAIN_VALUE])
{
	struct pack_out out = {.p = value, .size = SWN_DRAIN_VALUE};

	pack_u8(&out, FORMAT);
	pack_u8(&out, drain->drained);
	pack_u64(&out, drain->when_us);
}

/* Publish the latest record as ours, too. */
static int keep(struct swn_drains *drains, const struct swn_drain *now)
{
	uint8_t value[SWN_DRAIN_VALUE];
	struct drain *drain = find(drains, now->node);

	if (drain == NULL) {
		if (HASH_COUNT(drains->table) >= MAX_DRAINS) {
			return ENOSPC;
		}
		drain = talloc_zero(drains, struct drain);
		if (drain == NULL) {
			return ENOMEM;
		}
		memcpy(drain->is.node, now->node, sizeof(drain->is.node));
		HASH_ADD(hh, drains->table, is.node, strlen(drain->is.node), drain);
		if (drain->hh.tbl == NULL) {
			talloc_free(drain);
			return ENOMEM;
		}
	}
	if (drain->is.drained != now->drained) {
		log_notice("node %s is %s", log_printable(now->node),
			   now->drained ? "drained: nobody is sent there" : "not drained any more");
	}
	drain->is.drained = now->drained;
	drain->is.when_us = now->when_us;
	swn_drain_push(&drain->is, value);
	return peers_put(drains->peers, PEERS_DRAIN, drain->is.node, strlen(drain->is.node), value,
			 sizeof(value));
}

/* Whether a record replaces what is known. Of two with the same time all have to choose the same. */
static bool holds(const struct swn_drain *said, const struct swn_drain *known)
{
	if (said->when_us != known->when_us) {
		return said->when_us > known->when_us;
	}
	return said->drained && !known->drained;
}

static void on_peers(void *private_data, const struct peers_event *event)
{
	struct swn_drains *drains = talloc_get_type_abort(private_data, struct swn_drains);
	const struct peers_record *record = event->record;
	const struct drain *known;
	struct swn_drain said;

	if (event->type != PEERS_PUT || swn_drain_pull(record->key, record->key_len, record->value,
						       record->value_len, &said) != 0) {
		return;
	}
	known = find(drains, said.node);
	if (known != NULL && !holds(&said, &known->is)) {
		return;
	}
	if (keep(drains, &said) != 0) {
		log_warn("that a node is drained cannot be kept");
	}
}

int swn_drains_set(struct swn_drains *drains, const char *node, bool drained)
{
	const struct drain *known = find(drains, node);
	struct swn_drain word = {.drained = drained};

	if (node[0] == '\0' || strlen(node) > PEERS_NODE_MAX) {
		return EINVAL;
	}
	memcpy(word.node, node, strlen(node));
	word.when_us = clock_wall_us();
	if (known != NULL && known->is.when_us >= word.when_us) {
		word.when_us = known->is.when_us + 1; /* clocks differ; see swn_drain_pull() */
	}
	return keep(drains, &word);
}

bool swn_drains_has(const struct swn_drains *drains, const char *node)
{
	const struct drain *drain = find(drains, node);

	return drain != NULL && drain->is.drained;
}

static int drains_destructor(struct swn_drains *drains)
{
	peers_unlisten(drains->peers, on_peers, drains);
	HASH_CLEAR(hh, drains->table);
	return 0;
}

int swn_drains_create(TALLOC_CTX *mem_ctx, struct peers *peers, struct swn_drains **out)
{
	struct swn_drains *drains = talloc_zero(mem_ctx, struct swn_drains);
	int err;

	if (drains == NULL) {
		return ENOMEM;
	}
	drains->peers = peers;
	err = peers_listen(peers, PEERS_DRAIN, on_peers, drains);
	if (err != 0) {
		talloc_free(drains);
		return err;
	}
	talloc_set_destructor(drains, drains_destructor);
	*out = drains;
	return 0;
}
