/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peer addresses: how many unauthenticated connections they have, how often their logons fail. */
#include "witnessd/rpc/server_private.h"
#include "witnessd/util/clock.h"

#define BURST_MS     1000 /* failures of so much time are for free: a second's worth */
#define DELAY_MAX_MS 5000

static struct rpc_source *source_find(struct rpc_server *server, const struct ipaddr *addr)
{
	struct rpc_source *source = NULL;

	HASH_FIND(hh, server->sources, addr, sizeof(*addr), source);
	return source;
}

static void source_forget(struct rpc_source *source)
{
	wheel_cancel(&source->forget);
	HASH_DEL(source->server->sources, source);
	rpc_network_put(source->server, source->network);
	talloc_free(source);
}

static void forget_expired(void *private_data)
{
	source_forget(talloc_get_type_abort(private_data, struct rpc_source));
}

/* Nothing is open from there: forgotten, once its failures are long enough ago. */
static void source_unused(struct rpc_source *source)
{
	uint64_t now = clock_ms();

	if (source->failed_until_ms > now) {
		wheel_arm(source->server->wheel, &source->forget, source->failed_until_ms - now,
			  forget_expired, source);
	} else {
		source_forget(source);
	}
}

static struct rpc_source *source_get(struct rpc_server *server, const struct ipaddr *addr)
{
	struct rpc_source *source = source_find(server, addr);

	if (source != NULL) {
		wheel_cancel(&source->forget);
		return source;
	}
	source = talloc_zero(server, struct rpc_source);
	if (source == NULL) {
		return NULL;
	}
	source->network = rpc_network_get(server, addr);
	if (source->network == NULL) {
		talloc_free(source);
		return NULL;
	}
	source->server = server;
	source->addr = *addr;
	HASH_ADD(hh, server->sources, addr, sizeof(source->addr), source);
	if (source->hh.tbl == NULL) {
		rpc_network_put(server, source->network);
		TALLOC_FREE(source);
	}
	return source;
}

unsigned int rpc_source_unauthenticated(struct rpc_server *server, const struct ipaddr *addr)
{
	const struct rpc_source *source = source_find(server, addr);

	return source == NULL ? 0 : source->unauthenticated;
}

struct rpc_source *rpc_source_enter(struct rpc_server *server, const struct ipaddr *addr)
{
	struct rpc_source *source = source_get(server, addr);

	if (source != NULL) {
		source->unauthenticated++;
	}
	return source;
}

void rpc_source_leave(struct rpc_source *source)
{
	source->unauthenticated--;
	if (source->unauthenticated == 0) {
		source_unused(source);
	}
}

/* A leaky bucket: each failure costs the time that the allowed rate gives it. */
void rpc_source_failed(struct rpc_server *server, const struct ipaddr *addr)
{
	unsigned int rate = server->limits.auth_failures;
	uint64_t now = clock_ms();
	struct rpc_source *source;

	if (rate == 0) {
		return;
	}
	source = source_get(server, addr);
	if (source == NULL) {
		return;
	}
	if (source->failed_until_ms < now) {
		source->failed_until_ms = now;
	}
	source->failed_until_ms += BURST_MS / rate;
	if (source->failed_until_ms > now + BURST_MS + DELAY_MAX_MS) {
		source->failed_until_ms = now + BURST_MS + DELAY_MAX_MS;
	}
	if (source->unauthenticated == 0) {
		source_unused(source);
	}
}

unsigned int rpc_source_delay_ms(struct rpc_server *server, const struct ipaddr *addr)
{
	const struct rpc_source *source = source_find(server, addr);
	uint64_t free_until = clock_ms() + BURST_MS;

	if (source == NULL || source->failed_until_ms <= free_until) {
		return 0;
	}
	return (unsigned int)(source->failed_until_ms - free_until);
}

void rpc_source_forget_all(struct rpc_server *server)
{
	struct rpc_source *source, *next;

	HASH_ITER (hh, server->sources, source, next) {
		source_forget(source);
	}
}
