/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/tickles.h"

#include <errno.h>
#include <string.h>

#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/payload.h"
#include "witnessd/util/log.h"

struct ctdb_tickles {
	struct tevent_context *ev;
	struct ctdb_client *client;
	bool known;
	bool is_420; /* or later */
};

static void push(const struct tcpconn *conn, uint8_t out[CTDB_CONNECTION_LEN])
{
	struct sockaddr_storage client, server;

	(void)ipaddr_to_sockaddr(&conn->remote, conn->remote_port, &client);
	(void)ipaddr_to_sockaddr(&conn->local, conn->local_port, &server);
	ctdb_connection_push(&client, &server, out);
}

/* --- which CTDB --- */

static void answered(struct tevent_req *subreq)
{
	struct ctdb_tickles *tickles = tevent_req_callback_data(subreq, struct ctdb_tickles);
	int err = ctdb_control_recv(subreq, NULL, NULL, NULL, NULL);

	talloc_free(subreq);
	if (err == 0 || err == EREMOTEIO) {
		tickles->known = true;
		tickles->is_420 = err == 0;
		log_debug("ctdb: this is CTDB %s",
			  tickles->is_420 ? "4.20 or later" : "before 4.20");
	}
}

/* The end of a connection that is none: to an address that cannot be public. */
static void on_connected(void *private_data)
{
	struct ctdb_tickles *tickles = talloc_get_type_abort(private_data, struct ctdb_tickles);
	struct tcpconn none = {.local_port = 1, .remote_port = 1};
	uint8_t data[CTDB_CONNECTION_LEN];
	struct ctdb_control control = {.opcode = CTDB_TCP_CLIENT_DISCONNECTED,
				       .destnode = CTDB_CURRENT_NODE,
				       .data = data,
				       .len = sizeof(data)};
	struct tevent_req *subreq;

	(void)ipaddr_parse("127.0.0.1", &none.local);
	none.remote = none.local;
	push(&none, data);
	subreq = ctdb_control_send(tickles, tickles->ev, tickles->client, &control);
	if (subreq == NULL) {
		log_err("ctdb: out of memory: CTDB is not asked for its version");
		return;
	}
	tevent_req_set_callback(subreq, answered, tickles);
}

enum backend_tickles ctdb_tickles_who(const struct ctdb_tickles *tickles)
{
	if (!tickles->known) {
		return BACKEND_TICKLES_UNKNOWN;
	}
	return tickles->is_420 ? BACKEND_TICKLES_NOT : BACKEND_TICKLES_ITSELF;
}

/* --- our own connections --- */

int ctdb_tickles_watch(struct ctdb_tickles *tickles, const struct tcpconn *conn, bool open)
{
	uint8_t data[CTDB_CONNECTION_LEN];
	/* Older ones know an end of the client only; this takes it off the list that counts. */
	uint32_t end = tickles->is_420 ? CTDB_TCP_CLIENT_DISCONNECTED : CTDB_TCP_REMOVE;
	struct ctdb_control control = {.opcode = open ? CTDB_TCP_CLIENT : end,
				       .destnode = CTDB_CURRENT_NODE,
				       .data = data,
				       .len = sizeof(data)};

	push(conn, data);
	return ctdb_client_tell(tickles->client, &control);
}

int ctdb_tickles_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct ctdb_client *client,
			struct ctdb_tickles **out)
{
	struct ctdb_tickles *tickles = talloc_zero(mem_ctx, struct ctdb_tickles);
	int err;

	if (tickles == NULL) {
		return ENOMEM;
	}
	tickles->ev = ev;
	tickles->client = client;
	err = ctdb_client_watch(client, on_connected, NULL, tickles);
	if (err != 0) {
		talloc_free(tickles);
		return err;
	}
	*out = tickles;
	return 0;
}
