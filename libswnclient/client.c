/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tevent interface to a registration: a public wrapper of the core's client. */
#include "libswnclient/private.h"

#include <errno.h>

struct swnc_client {
	struct rpc_auth *auth;
	struct swn_client *core;
	swnc_event_fn fn;
	void *private_data;
	struct swnc_event *current; /* during the callback */
};

static void on_event(void *private_data, const struct swn_client_event *event)
{
	/* An event that cannot be copied is reported as a failure: silence could hide a notification. */
	static const struct swnc_event no_memory = {
		.type = SWNC_FAILED,
		.server = "-",
		.err = ENOMEM,
		.step = "event",
		.why = "an event is lost: out of memory",
	};
	struct swnc_client *client = talloc_get_type_abort(private_data, struct swnc_client);

	client->current = swn_event_public(client, event);
	client->fn(client->private_data, client->current != NULL ? client->current : &no_memory);
	TALLOC_FREE(client->current);
}

struct swnc_event *swn_event_keep(TALLOC_CTX *mem_ctx, struct swnc_client *client)
{
	return client->current != NULL ? talloc_move(mem_ctx, &client->current) : NULL;
}

int swnc_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		       const struct swnc_config *config, swnc_event_fn fn, void *private_data,
		       struct swnc_client **out)
{
	struct swnc_client *client = talloc_zero(mem_ctx, struct swnc_client);
	struct swn_client_params params;
	TALLOC_CTX *tmp = talloc_new(client);
	int err;

	if (tmp == NULL) {
		talloc_free(client);
		return ENOMEM;
	}
	client->fn = fn;
	client->private_data = private_data;
	err = swn_config_params(tmp, config, &params);
	if (err == 0) {
		err = rpc_auth_create(client, ev, NULL, &client->auth);
	}
	if (err == 0) {
		params.auth = client->auth;
		err = swn_client_create(client, ev, &params, on_event, client, &client->core);
	}
	talloc_free(tmp);
	if (err != 0) {
		talloc_free(client);
		return err;
	}
	*out = client;
	return 0;
}

struct tevent_req *swnc_client_stop_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					 struct swnc_client *client, unsigned int timeout_ms)
{
	return swn_client_stop_send(mem_ctx, ev, client->core, timeout_ms);
}

int swnc_client_stop_recv(struct tevent_req *req)
{
	return swn_client_stop_recv(req);
}
