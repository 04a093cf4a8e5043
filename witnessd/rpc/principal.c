/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts connections by authenticated principal, so that nobody can take all of them. */
#include <errno.h>
#include <string.h>

#include "witnessd/rpc/server_private.h"

struct rpc_principal {
	struct rpc_server *server;
	char *name;
	unsigned int conns;
	UT_hash_handle hh;
};

static int principal_new(struct rpc_server *server, const char *name, struct rpc_principal **out)
{
	struct rpc_principal *principal = talloc_zero(server, struct rpc_principal);

	if (principal == NULL) {
		return ENOMEM;
	}
	principal->server = server;
	principal->name = talloc_strdup(principal, name);
	if (principal->name == NULL) {
		talloc_free(principal);
		return ENOMEM;
	}
	HASH_ADD_KEYPTR(hh, server->principals, principal->name, strlen(principal->name) + 1,
			principal);
	if (principal->hh.tbl == NULL) {
		talloc_free(principal);
		return ENOMEM;
	}
	*out = principal;
	return 0;
}

int rpc_principal_enter(struct rpc_server *server, const char *name, struct rpc_principal **out)
{
	struct rpc_principal *principal = NULL;
	int ret;

	HASH_FIND(hh, server->principals, name, strlen(name) + 1, principal);
	if (principal == NULL) {
		ret = principal_new(server, name, &principal);
		if (ret != 0) {
			return ret;
		}
	}
	if (principal->conns >= server->limits.connections_principal) {
		return EDQUOT;
	}
	principal->conns++;
	*out = principal;
	return 0;
}

void rpc_principal_leave(struct rpc_principal *principal)
{
	principal->conns--;
	if (principal->conns == 0) {
		HASH_DEL(principal->server->principals, principal);
		talloc_free(principal);
	}
}
