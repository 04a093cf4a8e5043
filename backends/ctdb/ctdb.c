/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The backend for CTDB 4.17 and later, on its Unix-socket protocol; no library of CTDB's is needed. */
#include <errno.h>

#include "backends/backend.h"
#include "backends/ctdb/client.h"
#include "backends/ctdb/names.h"
#include "witnessd/util/log.h"

#define SILENCE_MAX_MS 10000 /* ctdbd may be busy for seconds in a recovery */

struct backend {
	struct tevent_context *ev;
	const struct config *config;
	const struct backend_sink *sink;
	struct ctdb_names *names;
	struct ctdb_client *client;
};

static void ctdbd_lost(void *private_data, const char *reason)
{
	const struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	backend->sink->lost(backend->sink->private_data, reason);
}

static int start_client(struct backend *backend)
{
	const struct config *config = backend->config;
	struct ctdb_client_config client = {
		.socket = config_string(config, "ctdb.socket"),
		.retry_max_ms = 1000 * config_number(config, "ctdb.reconnect_max"),
		.timeout_ms = config_number(config, "ctdb.timeout_ms"),
		.silence_max_ms = SILENCE_MAX_MS,
	};
	int err = ctdb_client_create(backend, backend->ev, &client, &backend->client);

	if (err == EINVAL) {
		log_err("ctdb.socket: the path of a socket is not so long: %s", client.socket);
	}
	return err != 0 ? err : ctdb_client_watch(backend->client, NULL, ctdbd_lost, backend);
}

static int ctdb_connect(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct config *config,
			const struct backend_sink *sink, struct backend **out)
{
	struct backend *backend = talloc_zero(mem_ctx, struct backend);
	int err;

	if (backend == NULL) {
		return ENOMEM;
	}
	backend->ev = ev;
	backend->config = config;
	backend->sink = sink;
	err = ctdb_names_create(backend, config, &backend->names);
	if (err == 0) {
		err = start_client(backend);
	}
	if (err != 0) {
		talloc_free(backend);
		return err;
	}
	*out = backend;
	return 0;
}

static json_t *ctdb_status(struct backend *backend)
{
	const struct ctdb_client_stats *stats = ctdb_client_stats(backend->client);

	return json_pack(
		"{s:b, s:I, s:I, s:I, s:I}", "connected", ctdb_client_is_up(backend->client), "pnn",
		ctdb_client_is_up(backend->client) ? (json_int_t)ctdb_client_pnn(backend->client)
						   : -1,
		"connects", (json_int_t)stats->connects, "messages", (json_int_t)stats->messages,
		"timeouts", (json_int_t)stats->timeouts);
}

const struct backend_ops witnessd_backend = {
	.abi = BACKEND_ABI,
	.name = "ctdb",
	.connect = ctdb_connect,
	.status = ctdb_status,
};
