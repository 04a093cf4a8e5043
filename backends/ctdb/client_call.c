/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Controls: a request, its number, its reply. */
#include "backends/ctdb/client_private.h"

#include <errno.h>
#include <string.h>

#include "backends/ctdb/opcodes.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/req.h"

static bool is_local(const struct ctdb_client *client, uint32_t destnode)
{
	return destnode == CTDB_CURRENT_NODE || destnode == client->pnn;
}

/*
 * These name a client by its number at its own ctdbd: the ctdbd of another node looks it up, finds none, and
 * crashes on a null pointer (4.17 to 4.22 and later).
 */
static bool kills_others(uint32_t opcode)
{
	return opcode == CTDB_TCP_CLIENT || opcode == CTDB_TCP_CLIENT_DISCONNECTED ||
	       opcode == CTDB_TCP_CLIENT_PASSED;
}

static int push_control(struct ctdb_client *client, const struct ctdb_control *control,
			uint32_t reqid, uint32_t flags)
{
	struct ctdb_packet packet = {
		.operation = CTDB_REQ_CONTROL,
		.destnode = control->destnode,
		.reqid = reqid,
		.opcode = control->opcode,
		.flags = flags,
		.srvid = control->srvid,
		.data = control->data,
		.data_len = (uint32_t)control->len,
	};

	if (control->len > CTDB_PACKET_MAX) {
		return EMSGSIZE;
	}
	if (kills_others(control->opcode) && control->destnode != CTDB_CURRENT_NODE) {
		return EPERM;
	}
	return ctdb_client_push(client, &packet);
}

static void call_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
	struct client_call *call = tevent_req_data(req, struct client_call);
	struct ctdb_client *client = call->client;

	if (client == NULL) {
		return;
	}
	call->client = NULL;
	HASH_DELETE(hh, client->calls, call);
	if (how != TEVENT_REQ_TIMED_OUT) {
		return;
	}
	client->stats.timeouts++;
	if (call->local && clock_ms() - client->last_read_ms >= client->config.silence_max_ms) {
		ctdb_client_break(client, "it does not answer");
	}
}

static uint32_t next_reqid(struct ctdb_client *client)
{
	struct client_call *call;

	do {
		client->last_reqid++;
		HASH_FIND(hh, client->calls, &client->last_reqid, sizeof(client->last_reqid), call);
	} while (call != NULL || client->last_reqid == 0);
	return client->last_reqid;
}

struct tevent_req *ctdb_client_call_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					 struct ctdb_client *client,
					 const struct ctdb_control *control)
{
	struct client_call *call = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &call, struct client_call);
	uint32_t timeout_ms;
	int err;

	if (req == NULL) {
		return NULL;
	}
	timeout_ms = control->timeout_ms != 0 ? control->timeout_ms : client->config.timeout_ms;
	call->req = req;
	call->local = is_local(client, control->destnode);
	call->reqid = next_reqid(client);
	err = control->destnode >= CTDB_BROADCAST_ALL
		      ? EPERM
		      : push_control(client, control, call->reqid, control->flags);
	if (err != 0) {
		tevent_req_error(req, (uint64_t)err);
		return tevent_req_post(req, ev);
	}
	HASH_ADD(hh, client->calls, reqid, sizeof(call->reqid), call);
	if (call->hh.tbl == NULL) { /* its reply will be nobody's */
		tevent_req_error(req, ENOMEM);
		return tevent_req_post(req, ev);
	}
	call->client = client;
	tevent_req_set_cleanup_fn(req, call_cleanup);
	if (!mono_req_timeout(req, ev, timeout_ms)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

struct tevent_req *ctdb_control_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				     struct ctdb_client *client, const struct ctdb_control *control)
{
	struct client_call *call = NULL;
	struct tevent_req *req;

	if (ctdb_client_is_up(client)) {
		return ctdb_client_call_send(mem_ctx, ev, client, control);
	}
	req = tevent_req_create(mem_ctx, &call, struct client_call);
	if (req == NULL) {
		return NULL;
	}
	tevent_req_error(req, ENOTCONN);
	return tevent_req_post(req, ev);
}

int ctdb_control_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, int32_t *status, uint8_t **data,
		      size_t *len)
{
	struct client_call *call = tevent_req_data(req, struct client_call);
	int err = req_errno(req);

	if (err == 0 && status != NULL) {
		*status = call->status;
	}
	if (err == 0 && data != NULL) {
		*data = talloc_move(mem_ctx, &call->data);
		*len = call->len;
	}
	tevent_req_received(req);
	return err;
}

void ctdb_client_replied(struct ctdb_client *client, const struct ctdb_packet *packet)
{
	struct client_call *call;

	HASH_FIND(hh, client->calls, &packet->reqid, sizeof(packet->reqid), call);
	if (call == NULL) {
		client->stats.dropped++; /* too late, or never asked */
		return;
	}
	if (packet->status < 0) {
		char *text = talloc_strndup(call, (const char *)packet->error, packet->error_len);

		log_debug("ctdbd: a control failed: status %d, node %u: %s", (int)packet->status,
			  (unsigned int)packet->srcnode, log_escape(call, text));
		tevent_req_error(call->req, EREMOTEIO);
		return;
	}
	call->status = packet->status;
	if (packet->data_len > 0) {
		call->data = talloc_memdup(call, packet->data, packet->data_len);
		call->len = packet->data_len;
		if (tevent_req_nomem(call->data, call->req)) {
			return;
		}
	}
	tevent_req_done(call->req);
}

void ctdb_client_fail_calls(struct ctdb_client *client)
{
	/* Requests of the callbacks are refused at once, so this ends. */
	while (client->calls != NULL) {
		tevent_req_error(client->calls->req, ENOTCONN);
	}
}

void ctdb_client_forget_calls(struct ctdb_client *client)
{
	while (client->calls != NULL) {
		struct client_call *call = client->calls;

		call->client = NULL;
		HASH_DELETE(hh, client->calls, call);
	}
}

int ctdb_client_tell(struct ctdb_client *client, const struct ctdb_control *control)
{
	if (!ctdb_client_is_up(client)) {
		return ENOTCONN;
	}
	return push_control(client, control, 0, control->flags | CTDB_CONTROL_NOREPLY);
}
