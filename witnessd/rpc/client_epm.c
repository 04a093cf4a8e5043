/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking an endpoint mapper: one anonymous connection for one call. */
#include "witnessd/rpc/client.h"

#include <errno.h>

#include "witnessd/rpc/epm_wire.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

#define MAX_TOWERS 4 /* as Windows asks; the first of ncacn_ip_tcp is taken */

struct rpc_epm_map_state {
	struct tevent_context *ev;
	struct rpc_syntax iface;
	struct rpc_client *client;
	uint16_t port;
};

static void epm_map_connected(struct tevent_req *subreq);
static void epm_map_answered(struct tevent_req *subreq);

struct tevent_req *rpc_epm_map_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				    const struct ipaddr *addr, uint16_t epm_port,
				    const struct rpc_syntax *iface, unsigned int timeout_ms)
{
	struct rpc_epm_map_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct rpc_epm_map_state);
	unsigned int ms = timeout_ms > 0 ? timeout_ms : RPC_CLIENT_TIMEOUT_MS;
	struct rpc_client_params params = {
		.addr = *addr,
		.port = epm_port > 0 ? epm_port : EPM_PORT,
		.iface = RPC_SYNTAX_EPM,
		.auth_type = RPC_AUTH_NONE,
		.auth_level = RPC_LEVEL_NONE,
		.timeout_ms = ms,
	};
	struct tevent_req *subreq;

	if (req == NULL) {
		return NULL;
	}
	state->ev = ev;
	state->iface = *iface;
	if (!mono_req_timeout(req, ev, ms)) {
		return tevent_req_post(req, ev);
	}
	subreq = rpc_client_connect_send(state, ev, &params);
	if (tevent_req_nomem(subreq, req)) {
		return tevent_req_post(req, ev);
	}
	tevent_req_set_callback(subreq, epm_map_connected, req);
	return req;
}

static void epm_map_connected(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct rpc_epm_map_state *state = tevent_req_data(req, struct rpc_epm_map_state);
	struct epm_map args = {
		.has_tower = true,
		.tower = {.iface = state->iface, .transfer = RPC_SYNTAX_NDR20},
		.max_towers = MAX_TOWERS,
	};
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_connect_recv(subreq, state, &state->client, NULL);

	TALLOC_FREE(subreq);
	if (err == 0) {
		err = epm_push_map(state, &args, &stub, &len);
	}
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	subreq = rpc_client_call_send(state, state->ev, state->client, EPM_MAP, stub, len, 0);
	talloc_free(stub);
	if (tevent_req_nomem(subreq, req)) {
		return;
	}
	tevent_req_set_callback(subreq, epm_map_answered, req);
}

static void epm_map_answered(struct tevent_req *subreq)
{
	struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
	struct rpc_epm_map_state *state = tevent_req_data(req, struct rpc_epm_map_state);
	struct rpc_tower tower = {.port = 0};
	uint32_t fault = 0;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_call_recv(subreq, state, &fault, &stub, &len);

	TALLOC_FREE(subreq);
	TALLOC_FREE(state->client);
	if (err == 0 && fault != 0) {
		err = fault == RPC_FAULT_ACCESS_DENIED ? EACCES : EPROTO;
	}
	if (err == 0) {
		err = epm_pull_map_reply(stub, len, &tower);
		err = err == EBADMSG ? EPROTO : err;
	}
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	/* A mapper may list what nothing listens for. */
	if (tower.port == 0) {
		tevent_req_error(req, EPROTONOSUPPORT);
		return;
	}
	state->port = tower.port;
	tevent_req_done(req);
}

int rpc_epm_map_recv(struct tevent_req *req, uint16_t *port)
{
	struct rpc_epm_map_state *state = tevent_req_data(req, struct rpc_epm_map_state);
	int err = req_errno(req);

	if (err == 0) {
		*port = state->port;
	}
	tevent_req_received(req);
	return err;
}
