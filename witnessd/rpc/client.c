/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/client_private.h"

#include <errno.h>

#include "witnessd/util/log.h"

static int client_destructor(struct rpc_client *client)
{
	client_calls_fail(client, ECONNABORTED);
	return 0;
}

int client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct rpc_client **out)
{
	struct rpc_client *client = talloc_zero(mem_ctx, struct rpc_client);

	if (client == NULL) {
		return ENOMEM;
	}
	client->ev = ev;
	client->next_call_id = 1;
	qb_list_init(&client->calls);
	talloc_set_destructor(client, client_destructor);
	*out = client;
	return 0;
}

static int on_pdu(void *private_data, const struct pdu_hdr *hdr, uint8_t *pdu)
{
	struct rpc_client *client = talloc_get_type_abort(private_data, struct rpc_client);

	if (client->binding != NULL) {
		return client_bind_pdu(client->binding, hdr, pdu);
	}
	return client_call_pdu(client, hdr, pdu);
}

static void on_lost(void *private_data, int err)
{
	struct rpc_client *client = talloc_get_type_abort(private_data, struct rpc_client);

	client->err = err;
	if (client->binding != NULL) {
		client_bind_lost(client->binding, err);
		return;
	}
	client_calls_fail(client, err);
}

void client_break(struct rpc_client *client, int err)
{
	TALLOC_FREE(client->stream);
	on_lost(client, err);
}

static const struct client_stream_ops stream_ops = {.pdu = on_pdu, .lost = on_lost};

int client_attach(struct rpc_client *client, int fd)
{
	return client_stream_create(client, client->ev, fd, &stream_ops, client, &client->stream);
}

int client_violation(const struct rpc_client *client, const char *what)
{
	log_debug("RPC server breaks the protocol: %s", what);
	return EPROTO;
}

bool rpc_client_mpx(const struct rpc_client *client)
{
	return client->mpx;
}
