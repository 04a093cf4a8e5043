/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Association groups: C706 9.3.3 and 12.6.4.2, join checks of MS-RPCE 3.3.1.5.6. */
#include <sys/random.h>

#include "witnessd/rpc/server_private.h"

static struct rpc_assoc *assoc_find(struct rpc_server *server, uint32_t id)
{
	struct rpc_assoc *assoc = NULL;

	HASH_FIND(hh, server->assocs, &id, sizeof(id), assoc);
	return assoc;
}

/* Random, so that a group to join cannot be guessed; 0 means "a new one" on the wire. */
static uint32_t assoc_new_id(struct rpc_server *server)
{
	uint32_t id;

	for (int tries = 0; tries < 64; tries++) {
		if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
			return 0;
		}
		if (id != 0 && assoc_find(server, id) == NULL) {
			return id;
		}
	}
	return 0;
}

struct rpc_assoc *rpc_assoc_create(struct rpc_endpoint *endpoint, const struct ipaddr *remote)
{
	struct rpc_server *server = endpoint->server;
	uint32_t id = assoc_new_id(server);
	struct rpc_assoc *assoc;

	if (id == 0) {
		return NULL;
	}
	assoc = talloc_zero(server, struct rpc_assoc);
	if (assoc == NULL) {
		return NULL;
	}
	assoc->id = id;
	assoc->endpoint = endpoint;
	assoc->remote = *remote;
	assoc->conns = 1;
	HASH_ADD(hh, server->assocs, id, sizeof(assoc->id), assoc);
	if (assoc->hh.tbl == NULL) {
		talloc_free(assoc);
		return NULL;
	}
	server->stats.assocs++;
	return assoc;
}

struct rpc_assoc *rpc_assoc_join(struct rpc_endpoint *endpoint, uint32_t id,
				 const struct ipaddr *remote)
{
	struct rpc_assoc *assoc = assoc_find(endpoint->server, id);

	if (assoc == NULL || assoc->endpoint != endpoint || !ipaddr_equal(&assoc->remote, remote)) {
		return NULL;
	}
	assoc->conns++;
	return assoc;
}

void rpc_assoc_leave(struct rpc_assoc *assoc)
{
	struct rpc_server *server = assoc->endpoint->server;
	struct rpc_served *served;

	assoc->conns--;
	if (assoc->conns > 0) {
		return;
	}
	HASH_DEL(server->assocs, assoc); /* first: a group that ends cannot be joined */
	qb_list_for_each_entry (served, &assoc->endpoint->served, list) {
		if (served->iface->assoc_gone != NULL) {
			served->iface->assoc_gone(served->private_data, assoc);
		}
	}
	server->stats.assocs--;
	talloc_free(assoc);
}

uint32_t rpc_assoc_id(const struct rpc_assoc *assoc)
{
	return assoc->id;
}

void rpc_assoc_hold(struct rpc_assoc *assoc)
{
	assoc->holds++;
}

void rpc_assoc_release(struct rpc_assoc *assoc)
{
	if (assoc->holds > 0) {
		assoc->holds--;
	}
}
