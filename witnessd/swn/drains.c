/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record's key is the node's name; its value is format u8 (1), drained u8, when u64 (microseconds of the day's clock). */
#include "witnessd/swn/drains.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "witnessd/util/log.h"
#include "witnessd/util/pack.h"

#define FORMAT     1U
#define VALUE_LEN  10U
#define MAX_DRAINS 1024U /* nodes, so that peers cannot fill our memory */

struct drain {
	UT_hash_handle hh;
	bool drained;
	uint64_t when_us;
	char node[PEERS_NODE_MAX + 1];
};

struct swn_drains {
	struct peers *peers;
	struct drain *table;
};

static struct drain *find(const struct swn_drains *drains, const char *node)
{
	struct drain *drain = NULL;

	HASH_FIND_STR(drains->table, node, drain);
	return drain;
}

/* What was said last, told to all as ours, too. */
static int keep(struct swn_drains *drains, const char *node, bool drained, uint64_t when_us)
{
	uint8_t value[VALUE_LEN];
	struct pack_out out = {.p = value, .size = sizeof(value)};
	struct drain *drain = find(drains, node);

	if (drain == NULL) {
		if (HASH_COUNT(drains->table) >= MAX_DRAINS) {
			return ENOSPC;
		}
		drain = talloc_zero(drains, struct drain);
		if (drain == NULL) {
			return ENOMEM;
		}
		strncpy(drain->node, node, PEERS_NODE_MAX);
		HASH_ADD_STR(drains->table, node, drain);
	}
	if (drain->drained != drained) {
		log_notice("node %s is %s", log_escape(drain, node),
			   drained ? "drained: nobody is sent there" : "not drained any more");
		talloc_free_children(drain);
	}
	drain->drained = drained;
	drain->when_us = when_us;
	pack_u8(&out, FORMAT);
	pack_u8(&out, drained);
	pack_u64(&out, when_us);
	return peers_put(drains->peers, PEERS_DRAIN, node, strlen(node), value, out.len);
}

static void on_peers(void *private_data, const struct peers_event *event)
{
	struct swn_drains *drains = talloc_get_type_abort(private_data, struct swn_drains);
	const struct peers_record *record = event->record;
	struct pack_in in;
	char node[PEERS_NODE_MAX + 1];
	uint8_t format, drained;
	uint64_t when_us;
	const struct drain *known;

	if (event->type != PEERS_PUT || record->key_len == 0 || record->key_len > PEERS_NODE_MAX ||
	    memchr(record->key, '\0', record->key_len) != NULL) {
		return;
	}
	memcpy(node, record->key, record->key_len);
	node[record->key_len] = '\0';
	in = (struct pack_in){.p = record->value, .left = record->value_len};
	format = unpack_u8(&in);
	drained = unpack_u8(&in);
	when_us = unpack_u64(&in);
	known = find(drains, node);
	if (in.err != 0 || format != FORMAT || (known != NULL && when_us <= known->when_us)) {
		return;
	}
	if (keep(drains, node, drained != 0, when_us) != 0) {
		log_warn("that a node is drained cannot be kept");
	}
}

int swn_drains_set(struct swn_drains *drains, const char *node, bool drained)
{
	const struct drain *known = find(drains, node);
	struct timespec now;
	uint64_t when_us;

	clock_gettime(CLOCK_REALTIME, &now);
	when_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	if (known != NULL && known->when_us >= when_us && known->when_us < UINT64_MAX) {
		when_us = known->when_us + 1; /* clocks differ */
	}
	return keep(drains, node, drained, when_us);
}

bool swn_drains_has(const struct swn_drains *drains, const char *node)
{
	const struct drain *drain = find(drains, node);

	return drain != NULL && drain->drained;
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
