/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peer addresses: how many unauthenticated connections they have. */
#include "witnessd/rpc/server_private.h"

static struct rpc_source *source_find(struct rpc_server *server, const struct ipaddr *addr)
{
	struct rpc_source *source = NULL;

	HASH_FIND(hh, server->sources, addr, sizeof(*addr), source);
	return source;
}

static void source_forget(struct rpc_source *source)
{
	HASH_DEL(source->server->sources, source);
	rpc_network_put(source->network);
	talloc_free(source);
}

static struct rpc_source *source_get(struct rpc_server *server, const struct ipaddr *addr)
{
	struct rpc_source *source = source_find(server, addr);

	if (source != NULL) {
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
		rpc_network_put(source->network);
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
		source_forget(source);
	}
}

void rpc_source_forget_all(struct rpc_server *server)
{
	struct rpc_source *source, *next;

	HASH_ITER (hh, server->sources, source, next) {
		source_forget(source);
	}
}
