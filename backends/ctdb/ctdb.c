/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The backend for CTDB 4.17 and later, on its Unix-socket protocol; no library of CTDB's is needed.
 *
 *   ctdbd's messages ---+---> view ---> publisher ---> sink
 *   peers' news --------'      ^
 *        | "now!"              | answers
 *        '-----> survey -------'
 */
#include <errno.h>

#include "backends/backend.h"
#include "backends/ctdb/client.h"
#include "backends/ctdb/names.h"
#include "backends/ctdb/news.h"
#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/peers.h"
#include "backends/ctdb/probe.h"
#include "backends/ctdb/publish.h"
#include "backends/ctdb/survey.h"
#include "backends/ctdb/tickles.h"
#include "backends/ctdb/view.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_append.h"
#include "witnessd/util/text_json.h"

#define SILENCE_MAX_MS 10000 /* ctdbd may be busy for seconds in a recovery */

struct backend {
	struct tevent_context *ev;
	const struct config *config;
	const struct backend_sink *sink;
	struct ctdb_names *names;
	struct ctdb_client *client;
	struct ctdb_view *view;
	struct ctdb_survey *survey;
	struct ctdb_peers *peers;
	struct ctdb_tickles *tickles;
	struct ctdb_publisher *publisher;
	const char *version; /* of ctdbd, as seen from its behaviour; NULL: nothing special */
};

/* --- from ctdbd --- */

static void ctdbd_found(void *private_data)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	ctdb_survey_start(backend->survey);
}

static void ctdbd_lost(void *private_data, const char *reason)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	ctdb_survey_stop(backend->survey);
	ctdb_view_reset(backend->view);
	backend->version = NULL;
	ctdb_publish_lost(backend->publisher, reason, ctdb_client_has_ended(backend->client));
}

static void answers_came(void *private_data)
{
	const struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	ctdb_publish(backend->publisher);
}

static void ask_again(void *private_data)
{
	const struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	ctdb_survey_trigger(backend->survey);
}

static void tell_news(struct backend *backend, enum ctdb_news_kind kind, const struct ipaddr *ip)
{
	struct ctdb_news news = {.kind = kind, .pnn = ctdb_client_pnn(backend->client)};
	uint8_t buf[CTDB_NEWS_MAX];
	int err;

	if (ip != NULL) {
		news.ip = *ip;
	}
	err = ctdb_client_message(backend->client, CTDB_BROADCAST_CONNECTED,
				  CTDB_SRVID_WITNESSD_NEWS, buf, ctdb_news_push(&news, buf));
	if (err != 0) {
		log_debug("ctdb: the other nodes are not told: %s", strerror(err));
	}
}

static void nodes_changed(void *private_data, const struct ctdb_nodemap *map)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	ctdb_peers_nodes(backend->peers, map);
}

static void own_flags_changed(void *private_data)
{
	tell_news(talloc_get_type_abort(private_data, struct backend), CTDB_NEWS_LOOK, NULL);
}

/* A node has an address now, or not any more. */
static void addr_changed(struct backend *backend, const struct ctdb_news *news)
{
	char ip[IPADDR_STRLEN];
	int err;

	log_debug("ctdb: node %u has %s %s", (unsigned int)news->pnn,
		  news->kind == CTDB_NEWS_TAKEN ? "taken" : "released",
		  ipaddr_format(&news->ip, ip));
	err = news->kind == CTDB_NEWS_TAKEN
		      ? ctdb_view_taken(backend->view, news->pnn, &news->ip, clock_ms())
		      : ctdb_view_released(backend->view, news->pnn, &news->ip, clock_ms());
	if (err == 0) {
		ctdb_publish_soon(backend->publisher);
	}
	ctdb_survey_trigger(backend->survey);
}

/* RELEASE_IP, TAKE_IP: this node's own. */
static void on_own_addr(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);
	struct ctdb_news news = {
		.kind = srvid == CTDB_SRVID_TAKE_IP ? CTDB_NEWS_TAKEN : CTDB_NEWS_RELEASED,
		.pnn = ctdb_client_pnn(backend->client),
	};

	if (ctdb_ip_text_parse(data, len, &news.ip) != 0) {
		log_debug("ctdb: a message about an address has none");
		ctdb_survey_trigger(backend->survey);
		return;
	}
	tell_news(backend, news.kind, &news.ip);
	addr_changed(backend, &news);
}

static void on_news(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);
	struct ctdb_news news;

	if (ctdb_news_parse(data, len, &news) != 0 ||
	    news.pnn == ctdb_client_pnn(backend->client)) {
		return; /* our own come back, too */
	}
	if (news.kind == CTDB_NEWS_LOOK) {
		ctdb_survey_trigger(backend->survey);
	} else {
		addr_changed(backend, &news);
	}
}

/* Something has happened; query what. */
static void on_hint(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	ask_again(private_data);
}

static void on_run_begins(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	if (srvid == CTDB_SRVID_START_IPREALLOCATE) {
		backend->version = "4.21 or later";
	}
	ctdb_view_run_began(backend->view);
	ctdb_survey_trigger(backend->survey);
}

static void on_run_ended(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	struct backend *backend = talloc_get_type_abort(private_data, struct backend);

	if (srvid == CTDB_SRVID_IPREALLOCATED && backend->version == NULL) {
		backend->version = "4.20 or later";
	}
	ctdb_view_run_ended(backend->view, clock_ms());
	ctdb_survey_trigger(backend->survey);
}

/* Its begin and its end. */
static void on_runs_disabled(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	uint32_t timeout_s = 1;

	if (ctdb_disable_parse(data, len, &timeout_s) == 0 && timeout_s == 0) {
		on_run_ended(private_data, srvid, data, len);
	} else {
		on_run_begins(private_data, srvid, data, len);
	}
}

static const struct {
	uint64_t srvid;
	ctdb_message_fn fn;
} messages[] = {
	{CTDB_SRVID_RELEASE_IP, on_own_addr},
	{CTDB_SRVID_TAKE_IP, on_own_addr},
	{CTDB_SRVID_WITNESSD_NEWS, on_news},
	{CTDB_SRVID_RECONFIGURE, on_hint},
	{CTDB_SRVID_PUSH_NODE_FLAGS, on_hint},
	{CTDB_SRVID_RELOAD_NODES, on_hint},
	{CTDB_SRVID_TAKEOVER_RUN, on_hint},
	{CTDB_SRVID_START_IPREALLOCATE, on_run_begins},
	{CTDB_SRVID_DISABLE_IP_CHECK, on_run_begins},
	{CTDB_SRVID_DISABLE_TAKEOVER_RUNS, on_runs_disabled},
	{CTDB_SRVID_IPREALLOCATED, on_run_ended},
};

/* --- start --- */

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
	if (err == 0) {
		err = ctdb_client_watch(backend->client, ctdbd_found, ctdbd_lost, backend);
	}
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]) && err == 0; i++) {
		err = ctdb_client_listen(backend->client, messages[i].srvid, messages[i].fn,
					 backend);
	}
	return err;
}

static int start_view(struct backend *backend)
{
	struct ctdb_view_config view = {
		.names = backend->names,
		.settle_ms = config_number(backend->config, "ctdb.settle_ms"),
		.node_addresses = config_bool(backend->config, "ctdb.node_addresses"),
	};
	struct ctdb_survey_config survey = {
		.client = backend->client,
		.poll_ms = config_number(backend->config, "ctdb.poll_ms"),
		.answers = answers_came,
		.nodes = nodes_changed,
		.own_flags = own_flags_changed,
		.private_data = backend,
	};
	struct ctdb_publisher_config publisher = {
		.client = backend->client,
		.sink = backend->sink,
		.ask_again = ask_again,
		.private_data = backend,
	};

	backend->view = ctdb_view_create(backend, &view);
	if (backend->view == NULL) {
		return ENOMEM;
	}
	survey.view = publisher.view = backend->view;
	backend->survey = ctdb_survey_create(backend, backend->ev, &survey);
	backend->publisher = ctdb_publisher_create(backend, backend->ev, &publisher);
	return backend->survey != NULL && backend->publisher != NULL ? 0 : ENOMEM;
}

static int start_peers(struct backend *backend)
{
	struct ctdb_peers_config peers = {
		.client = backend->client,
		.names = backend->names,
		.sink = backend->sink,
		.join_wait_ms = CTDB_PEERS_JOIN_WAIT_MS,
	};

	int err = ctdb_peers_create(backend, backend->ev, &peers, &backend->peers);

	return err != 0 ? err
			: ctdb_tickles_create(backend, backend->ev, backend->client,
					      &backend->tickles);
}

/* Free the client first: queries of the survey use it, and must not complete into freed memory. */
static int backend_destructor(struct backend *backend)
{
	TALLOC_FREE(backend->client);
	TALLOC_FREE(backend->survey);
	return 0;
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
	talloc_set_destructor(backend, backend_destructor);
	err = ctdb_names_create(backend, config, &backend->names);
	if (err == 0) {
		err = start_client(backend);
	}
	if (err == 0) {
		err = start_view(backend);
	}
	if (err == 0) {
		err = start_peers(backend);
	}
	if (err != 0) {
		talloc_free(backend);
		return err;
	}
	*out = backend;
	return 0;
}

static int ctdb_broadcast(struct backend *backend, const uint8_t *bytes, size_t len)
{
	return ctdb_peers_broadcast(backend->peers, bytes, len);
}

static struct tevent_req *ctdb_probe_node_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					       struct backend *backend, const char *node,
					       uint32_t timeout_ms)
{
	struct ctdb_probe_config probe = {.client = backend->client,
					  .pnn = CTDB_UNKNOWN_PNN,
					  .port = CTDB_PROBE_PORT,
					  .timeout_ms = timeout_ms};

	/* Who is not known is nobody. */
	(void)ctdb_peers_find(backend->peers, node, &probe.pnn, &probe.ip);
	return ctdb_probe_send(mem_ctx, ev, &probe);
}

/* "node 0, running, generation 1028480211, recovery; node1: disabled" */
static char *summary(TALLOC_CTX *mem_ctx, const struct backend *backend)
{
	char *text;

	if (!ctdb_client_is_up(backend->client)) {
		return talloc_strdup(mem_ctx, "ctdbd is not reachable");
	}
	text = ctdb_view_summary(backend->view, mem_ctx);
	return backend->version == NULL || text == NULL
		       ? text
		       : text_append(text, "; CTDB %s", backend->version);
}

static int ctdb_watch_connection(struct backend *backend, const struct tcpconn *conn, bool open)
{
	return ctdb_tickles_watch(backend->tickles, conn, open);
}

static enum backend_tickles ctdb_who_tickles(const struct backend *backend)
{
	return ctdb_tickles_who(backend->tickles);
}

static json_t *ctdb_status(struct backend *backend)
{
	const struct ctdb_client_stats *client = ctdb_client_stats(backend->client);
	const struct ctdb_survey_stats *survey = ctdb_survey_stats(backend->survey);
	const struct ctdb_publisher_stats *publisher = ctdb_publisher_stats(backend->publisher);
	char *text = summary(backend, backend);
	json_t *status = json_pack(
		"{s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:o, s:o}", "summary",
		text_json(text), "connected", ctdb_client_is_up(backend->client), "pnn",
		ctdb_client_is_up(backend->client) ? (json_int_t)ctdb_client_pnn(backend->client)
						   : -1,
		"connects", (json_int_t)client->connects, "messages", (json_int_t)client->messages,
		"timeouts", (json_int_t)client->timeouts, "rounds", (json_int_t)survey->rounds,
		"failed_answers", (json_int_t)survey->failed, "snapshots",
		(json_int_t)publisher->snapshots, "unchanged", (json_int_t)publisher->unchanged,
		"version", backend->version, "ctdb", ctdb_view_status(backend->view), "peers",
		ctdb_peers_status(backend->peers));

	talloc_free(text);
	return status;
}

/*
 * `witnessctl ctdb refresh`: sent by an event script of CTDB when addresses were redistributed, which ctdbd
 * reports to no client before 4.20.
 */
static int ctdb_command(struct backend *backend, TALLOC_CTX *mem_ctx, const json_t *request,
			json_t **reply, char **why)
{
	const json_t *argv = json_object_get(request, "argv");
	const char *word = json_string_value(json_array_get(argv, 0));

	if (json_array_size(argv) != 1 || word == NULL || strcmp(word, "refresh") != 0) {
		*why = talloc_strdup(mem_ctx, "expected: refresh");
		return EINVAL;
	}
	if (!ctdb_client_is_up(backend->client)) {
		*why = talloc_strdup(mem_ctx, "ctdbd is not reachable");
		return ENOTCONN;
	}
	ctdb_survey_trigger(backend->survey);
	*reply = json_null();
	return 0;
}

const struct backend_ops witnessd_backend = {
	.abi = BACKEND_ABI,
	.name = "ctdb",
	.connect = ctdb_connect,
	.broadcast = ctdb_broadcast,
	.watch_connection = ctdb_watch_connection,
	.tickles = ctdb_who_tickles,
	.probe_node_send = ctdb_probe_node_send,
	.probe_node_recv = ctdb_probe_recv,
	.control = ctdb_command,
	.status = ctdb_status,
};
