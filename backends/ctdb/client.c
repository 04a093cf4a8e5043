/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of the connection. */
#include "backends/ctdb/client_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/ctdb/opcodes.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/opener.h"

/* --- down --- */

static void retry_later(struct ctdb_client *client)
{
	mono_alarm_set(client->retry, backoff_next(&client->backoff));
}

void ctdb_client_lost(struct ctdb_client *client, const char *reason)
{
	bool was_up = client->state == CLIENT_UP;
	struct client_watcher *watcher;

	if (was_up || !client->complained) {
		log_warn("ctdb: %s ctdbd (%s): %s; trying again", was_up ? "lost" : "cannot use",
			 client->config.socket, reason);
	}
	client->complained = true;
	client->state = CLIENT_DOWN;
	client->greetings = 0;
	mono_alarm_clear(client->broken);
	ctdb_client_io_stop(client);
	retry_later(client);
	ctdb_client_fail_calls(client);
	if (!was_up) {
		return;
	}
	qb_list_for_each_entry (watcher, &client->watchers, link) {
		if (watcher->disconnected != NULL) {
			watcher->disconnected(watcher->private_data, reason);
		}
	}
}

static void on_broken(void *private_data)
{
	struct ctdb_client *client = talloc_get_type_abort(private_data, struct ctdb_client);

	ctdb_client_lost(client, client->broken_why);
}

void ctdb_client_break(struct ctdb_client *client, const char *reason)
{
	if (client->state == CLIENT_DOWN || mono_alarm_is_set(client->broken)) {
		return;
	}
	client->broken_why = reason;
	mono_alarm_set(client->broken, 0);
}

/* --- greeting --- */

static void client_is_up(struct ctdb_client *client)
{
	struct client_watcher *watcher;

	client->state = CLIENT_UP;
	client->complained = false;
	client->stats.connects++;
	backoff_reset(&client->backoff);
	log_notice("ctdb: connected to ctdbd (%s) of node %u", client->config.socket,
		   (unsigned int)client->pnn);
	qb_list_for_each_entry (watcher, &client->watchers, link) {
		if (watcher->connected != NULL) {
			watcher->connected(watcher->private_data);
		}
	}
}

static void greeted(struct ctdb_client *client, int err)
{
	if (client->state != CLIENT_GREETING) {
		return; /* lost meanwhile, which ended this request, too */
	}
	if (err != 0) {
		ctdb_client_break(client, err == ETIMEDOUT ? "it does not answer"
							   : "it refuses what a client needs");
		return;
	}
	client->greetings--;
	if (client->greetings == 0) {
		client_is_up(client);
	}
}

static void got_pnn(struct tevent_req *subreq)
{
	struct ctdb_client *client = tevent_req_callback_data(subreq, struct ctdb_client);
	int32_t status = -1;
	int err = ctdb_control_recv(subreq, NULL, &status, NULL, NULL);

	TALLOC_FREE(subreq);
	if (err == 0) {
		client->pnn = (uint32_t)status;
	}
	greeted(client, err);
}

static void got_srvid(struct tevent_req *subreq)
{
	struct ctdb_client *client = tevent_req_callback_data(subreq, struct ctdb_client);
	int err = ctdb_control_recv(subreq, NULL, NULL, NULL, NULL);

	TALLOC_FREE(subreq);
	if (client->state == CLIENT_UP && err != 0 && err != ENOTCONN) {
		ctdb_client_break(client, "it does not register a SRVID");
	}
	greeted(client, err);
}

/* @return 0 or ENOMEM */
static int ask(struct ctdb_client *client, uint32_t opcode, uint64_t srvid, tevent_req_fn answered)
{
	struct ctdb_control control = {
		.opcode = opcode, .destnode = CTDB_CURRENT_NODE, .srvid = srvid};
	struct tevent_req *subreq = ctdb_client_call_send(client, client->ev, client, &control);

	if (subreq == NULL) {
		return ENOMEM;
	}
	tevent_req_set_callback(subreq, answered, client);
	if (client->state == CLIENT_GREETING) {
		client->greetings++;
	}
	return 0;
}

static int greet(struct ctdb_client *client)
{
	struct client_listener *listener;
	int err = ask(client, CTDB_GET_PNN, 0, got_pnn);

	qb_list_for_each_entry (listener, &client->listeners, link) {
		if (err == 0) {
			err = ask(client, CTDB_REGISTER_SRVID, listener->srvid, got_srvid);
		}
	}
	return err;
}

/* ctdbd's socket is root's. */
static int open_socket(struct ctdb_client *client)
{
	if (opener_there()) {
		return opener_connect(client->config.socket, &client->fd);
	}
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd == -1 || connect(client->fd, (const struct sockaddr *)&client->addr,
					sizeof(client->addr)) == -1) {
		return errno;
	}
	return 0;
}

static int try_connect(struct ctdb_client *client)
{
	int err = open_socket(client);

	if (err == 0) {
		client->state = CLIENT_GREETING;
		client->ended = false;
		client->pnn = CTDB_UNKNOWN_PNN;
		err = ctdb_client_io_start(client);
	}
	return err != 0 ? err : greet(client);
}

static void client_connect(void *private_data)
{
	struct ctdb_client *client = talloc_get_type_abort(private_data, struct ctdb_client);
	int err = try_connect(client);

	if (err != 0) {
		ctdb_client_lost(client, strerror(err));
	}
}

/* --- the object --- */

bool ctdb_client_is_up(const struct ctdb_client *client)
{
	return client->state == CLIENT_UP;
}

bool ctdb_client_has_ended(const struct ctdb_client *client)
{
	return client->ended;
}

uint32_t ctdb_client_pnn(const struct ctdb_client *client)
{
	return client->pnn;
}

const struct ctdb_client_stats *ctdb_client_stats(const struct ctdb_client *client)
{
	return &client->stats;
}

int ctdb_client_watch(struct ctdb_client *client, void (*connected)(void *private_data),
		      void (*disconnected)(void *private_data, const char *reason),
		      void *private_data)
{
	struct client_watcher *watcher = talloc_zero(client, struct client_watcher);

	if (watcher == NULL) {
		return ENOMEM;
	}
	watcher->connected = connected;
	watcher->disconnected = disconnected;
	watcher->private_data = private_data;
	qb_list_add_tail(&watcher->link, &client->watchers);
	return 0;
}

int ctdb_client_listen(struct ctdb_client *client, uint64_t srvid, ctdb_message_fn fn,
		       void *private_data)
{
	struct client_listener *listener;

	qb_list_for_each_entry (listener, &client->listeners, link) {
		if (listener->srvid == srvid) {
			return EEXIST;
		}
	}
	listener = talloc_zero(client, struct client_listener);
	if (listener == NULL) {
		return ENOMEM;
	}
	listener->srvid = srvid;
	listener->fn = fn;
	listener->private_data = private_data;
	if (client->state != CLIENT_DOWN &&
	    ask(client, CTDB_REGISTER_SRVID, srvid, got_srvid) != 0) {
		talloc_free(listener);
		return ENOMEM;
	}
	qb_list_add_tail(&listener->link, &client->listeners);
	return 0;
}

int ctdb_client_message(struct ctdb_client *client, uint32_t destnode, uint64_t srvid,
			const uint8_t *data, size_t len)
{
	struct ctdb_packet packet = {
		.operation = CTDB_REQ_MESSAGE,
		.destnode = destnode,
		.srvid = srvid,
		.data = data,
		.data_len = (uint32_t)len,
	};

	if (!ctdb_client_is_up(client)) {
		return ENOTCONN;
	}
	return len > CTDB_PACKET_MAX ? EMSGSIZE : ctdb_client_push(client, &packet);
}

static int client_destructor(struct ctdb_client *client)
{
	client->state = CLIENT_DOWN;
	ctdb_client_io_stop(client);
	ctdb_client_forget_calls(client);
	return 0;
}

int ctdb_client_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		       const struct ctdb_client_config *config, struct ctdb_client **out)
{
	struct ctdb_client *client;
	int err;

	if (strlen(config->socket) >= sizeof(client->addr.sun_path)) {
		return EINVAL;
	}
	client = talloc_zero(mem_ctx, struct ctdb_client);
	if (client == NULL) {
		return ENOMEM;
	}
	client->ev = ev;
	client->config = *config;
	client->config.socket = talloc_strdup(client, config->socket);
	client->addr.sun_family = AF_UNIX;
	strcpy(client->addr.sun_path, config->socket);
	client->fd = -1;
	client->pnn = CTDB_UNKNOWN_PNN;
	client->backoff.max_ms = config->retry_max_ms;
	qb_list_init(&client->listeners);
	qb_list_init(&client->watchers);
	qb_list_init(&client->queue);
	err = client->config.socket == NULL
		      ? ENOMEM
		      : mono_alarm_create(client, ev, client_connect, client, &client->retry);
	if (err == 0) {
		err = mono_alarm_create(client, ev, on_broken, client, &client->broken);
	}
	if (err != 0) {
		talloc_free(client);
		return err;
	}
	mono_alarm_set(client->retry, 0);
	talloc_set_destructor(client, client_destructor);
	*out = client;
	return 0;
}
