/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/control/control_private.h"

#include <errno.h>
#include <qb/qbipcs.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/control/poll.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

struct control_server {
	struct tevent_context *ev;
	char *name;
	struct control_table *table;
	struct control_access *access;
	struct control_poll *poll;
	qb_ipcs_service_t *service;
	struct control_limits limits;
	struct control_stats stats;
	unsigned int clients;
	uint64_t complained_ms;
};

const struct control_limits control_limits_default = {
	.clients = 32,
	.timeout_ms = 60 * 1000,
};

/* Connections per allowed client: including those that have not authenticated yet. */
#define CONNECTIONS_A_CLIENT 4

#define QUIET_MS             10000 /* between log lines about refused clients */

/* A client: the reply that it has not fetched to the end. */
struct control_client {
	struct control_server *server;
	qb_ipcs_connection_t *conn;
	struct tevent_immediate *cut; /* not NULL: is being cut off */
	struct mono_timer *timer;     /* until it is */
	struct control_reply *reply;  /* NULL: nothing is to be fetched */
};

static struct control_server *server_of(qb_ipcs_connection_t *c)
{
	return qb_ipcs_connection_service_context_get(c);
}

/* Anyone on the host can cause these lines. */
static bool may_complain(struct control_server *server)
{
	uint64_t now = clock_ms();

	if (server->complained_ms != 0 && now - server->complained_ms < QUIET_MS) {
		return false;
	}
	server->complained_ms = now;
	return true;
}

static int32_t client_accept(qb_ipcs_connection_t *c, uid_t uid, gid_t gid)
{
	struct control_server *server = server_of(c);
	unsigned int max = server->limits.clients;

	if (!control_access_allowed(server->access, uid, gid)) {
		if (may_complain(server)) {
			log_warn("Control socket: user %u is neither root nor in the control group",
				 (unsigned int)uid);
		}
		return -EACCES;
	}
	/* All members of the group together cannot keep root out. */
	if (server->clients >= (control_access_owner(server->access, uid) ? max : max / 4 * 3)) {
		server->stats.refused++;
		if (may_complain(server)) {
			log_warn("Control socket: %u clients already (global.max_control_clients), "
				 "user %u is turned away",
				 server->clients, (unsigned int)uid);
		}
		return -EBUSY;
	}
	/*
	 * The shared memory is for this client alone. An unprivileged daemon cannot give files away: then they
	 * are for its own user, which root may read, too, or for the group that the client is let in for.
	 */
	if (geteuid() == 0) {
		qb_ipcs_connection_auth_set(c, uid, gid, 0600);
	} else if (uid == 0 || !server->access->has_group) {
		qb_ipcs_connection_auth_set(c, geteuid(), server->access->own_group, 0600);
	} else {
		qb_ipcs_connection_auth_set(c, geteuid(), server->access->group, 0660);
	}
	return 0;
}

static void client_cut(struct control_client *client);

static void client_expired(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			   void *private_data)
{
	struct control_client *client = talloc_get_type_abort(private_data, struct control_client);

	TALLOC_FREE(client->timer);
	client->server->stats.timeouts++;
	client_cut(client);
}

/* Restart its timer. If there is none disconnect it at once: it could hold a large answer for ever. */
static void client_watch(struct control_client *client)
{
	TALLOC_FREE(client->timer);
	client->timer = mono_timer_add(client->server->ev, client,
				       client->server->limits.timeout_ms, client_expired, client);
	if (client->timer == NULL) {
		client_cut(client);
	}
}

static void client_created(qb_ipcs_connection_t *c)
{
	struct control_server *server = server_of(c);
	struct control_client *client = talloc_zero(server, struct control_client);

	server->clients++;
	if (client != NULL) { /* else it is never answered, and gives up */
		client->server = server;
		client->conn = c;
		client_watch(client);
	}
	qb_ipcs_context_set(c, client);
}

static int32_t client_closed(qb_ipcs_connection_t *c)
{
	struct control_client *client = qb_ipcs_context_get(c);

	server_of(c)->clients--;
	if (client != NULL && client->reply != NULL) {
		TALLOC_FREE(client->reply->later); /* nobody waits for it any more */
	}
	return 0;
}

static void client_destroyed(qb_ipcs_connection_t *c)
{
	talloc_free(qb_ipcs_context_get(c));
	qb_ipcs_context_set(c, NULL);
}

static void client_cut_now(struct tevent_context *ev, struct tevent_immediate *im,
			   void *private_data)
{
	struct control_client *client = talloc_get_type_abort(private_data, struct control_client);

	qb_ipcs_disconnect(client->conn);
}

/*
 * Disconnect a client that is silent, or does not read its answers. Not at once: libqb 2.0 uses the
 * connection after msg_process(). If the client ends before, the immediate is freed with it.
 */
static void client_cut(struct control_client *client)
{
	log_debug("Control socket: closing a client that says nothing or does not read");
	TALLOC_FREE(client->timer);
	client->cut = tevent_create_immediate(client);
	if (client->cut != NULL) {
		tevent_schedule_immediate(client->cut, client->server->ev, client_cut_now, client);
	}
}

/* Send the next part of the reply. @return 0, or as control_reply_more() */
static int client_send_part(struct control_client *client)
{
	struct control_reply *reply = client->reply;
	struct control_part part = {.header.id = CONTROL_CALL};
	struct iovec iov[2];
	size_t len;
	int err = control_reply_more(reply);

	if (err != 0) {
		return err;
	}
	len = reply->len < CONTROL_PART ? reply->len : CONTROL_PART;
	part.total = reply->stream.next != NULL ? CONTROL_TOTAL_UNKNOWN
						: (uint32_t)(reply->before + reply->len);
	part.offset = (uint32_t)reply->before;
	part.header.size = (int32_t)(sizeof(part) + len);
	iov[0] = (struct iovec){.iov_base = &part, .iov_len = sizeof(part)};
	iov[1] = (struct iovec){.iov_base = reply->text, .iov_len = len};
	if (qb_ipcs_response_sendv(client->conn, iov, 2) < 0) {
		client->server->stats.unread++;
		client_cut(client);
		return 0;
	}
	control_reply_sent(reply, len);
	if (reply->len == 0 && reply->stream.next == NULL) {
		TALLOC_FREE(client->reply);
	}
	return 0;
}

static void client_refuse(struct control_client *client, int err)
{
	struct control_part part = {
		.header = {.id = CONTROL_CALL, .size = sizeof(part), .error = -err}};

	if (qb_ipcs_response_send(client->conn, &part, sizeof(part)) < 0) {
		client->server->stats.unread++;
		client_cut(client);
	}
}

/* Send a part, or why there is none. */
static void client_respond(struct control_client *client, int err)
{
	if (err == 0) {
		err = client_send_part(client);
	}
	if (err != 0) {
		TALLOC_FREE(client->reply);
		client_refuse(client, err);
	}
}

static void client_arrived(struct tevent_req *req)
{
	struct control_client *client = tevent_req_callback_data(req, struct control_client);

	client_watch(client);
	if (client->cut == NULL) {
		client_respond(client, control_reply_arrived(client->server->table, client->reply));
	}
}

/* The answer comes from elsewhere: it has its own limit of time. */
static void client_wait(struct control_client *client)
{
	TALLOC_FREE(client->timer);
	tevent_req_set_callback(client->reply->later, client_arrived, client);
}

static int client_call(struct control_client *client, const char *text, size_t len)
{
	struct control_reply *reply = NULL;
	char *request;
	int ret;

	TALLOC_FREE(client->reply); /* of the call before, if it has not been fetched */
	/* The client can still write to that memory: read everything in it only once. */
	request = talloc_memdup(client, text, len);
	ret = request == NULL ? ENOMEM
			      : control_handle(client, client->server->table, request, len, &reply);
	talloc_free(request);
	if (ret == 0) {
		client->reply = reply;
	}
	return ret;
}

static int32_t client_message(qb_ipcs_connection_t *c, void *data, size_t size)
{
	struct control_client *client = qb_ipcs_context_get(c);
	struct qb_ipc_request_header header;
	int ret = 0;

	if (client == NULL || client->cut != NULL) {
		return 0;
	}
	client_watch(client);
	/* The size is the client's word; within the limit it is at least inside the mapped ring. */
	if (size < sizeof(header) || size - sizeof(header) > CONTROL_MAX_REQUEST) {
		client_refuse(client, EMSGSIZE);
		return 0;
	}
	memcpy(&header, data, sizeof(header));
	if (header.id == CONTROL_CALL) {
		ret = client_call(client, (const char *)data + sizeof(header),
				  size - sizeof(header));
	} else if (header.id != CONTROL_MORE || client->reply == NULL ||
		   client->reply->later != NULL) {
		ret = EPROTO;
	}
	if (ret == 0 && client->reply->later != NULL) {
		client_wait(client);
	} else {
		client_respond(client, ret);
	}
	return 0;
}

static int server_destructor(struct control_server *server)
{
	if (server->service != NULL) {
		qb_ipcs_destroy(server->service);
		server->service = NULL;
	}
	return 0;
}

static enum control_rank rank_of(void *private_data, uid_t uid, gid_t gid)
{
	const struct control_server *server = private_data;

	if (control_access_owner(server->access, uid)) {
		return CONTROL_OWNER;
	}
	return control_access_allowed(server->access, uid, gid) ? CONTROL_MEMBER : CONTROL_STRANGER;
}

void control_server_limit(struct control_server *server, const struct control_limits *limits)
{
	server->limits = *limits;
	control_poll_limit(server->poll, limits->clients * CONNECTIONS_A_CLIENT, rank_of, server);
}

struct control_stats control_server_stats(const struct control_server *server)
{
	struct control_stats stats = server->stats;

	stats.refused += control_poll_refused(server->poll);
	stats.out_of_files = control_poll_out_of_files(server->poll);
	return stats;
}

static int server_run(struct control_server *server)
{
	struct qb_ipcs_service_handlers handlers = {
		.connection_accept = client_accept,
		.connection_created = client_created,
		.msg_process = client_message,
		.connection_closed = client_closed,
		.connection_destroyed = client_destroyed,
	};
	int32_t ret;

	/* Shared memory, as the whole cluster stack uses it: a datagram socket would need a larger
	 * net.core.wmem_max for such messages. */
	server->service = qb_ipcs_create(server->name, 0, QB_IPC_SHM, &handlers);
	if (server->service == NULL) {
		return ENOMEM;
	}
	control_poll_attach(server->service);
	qb_ipcs_service_context_set(server->service, server);
	qb_ipcs_enforce_buffer_size(server->service, CONTROL_BUFFER);
	ret = qb_ipcs_run(server->service);
	if (ret != 0) {
		server->service = NULL; /* libqb has freed it */
	}
	return -ret;
}

int control_server_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *name,
			  const char *group, struct control_server **out)
{
	struct control_server *server = talloc_zero(mem_ctx, struct control_server);
	int ret;

	if (server == NULL) {
		return ENOMEM;
	}
	talloc_set_destructor(server, server_destructor);
	server->ev = ev;
	server->name = talloc_strdup(server, name);
	server->table = control_table_new(server);
	ret = server->name == NULL || server->table == NULL
		      ? ENOMEM
		      : control_access_create(server, group, &server->access);
	if (ret == 0) {
		ret = control_poll_create(server, ev, &server->poll);
	}
	if (ret == 0) {
		control_server_limit(server, &control_limits_default);
		ret = server_run(server);
	}
	if (ret != 0) {
		talloc_free(server);
		return ret;
	}
	*out = server;
	return 0;
}

int control_server_add(struct control_server *server, const char *command, control_fn fn,
		       void *private_data)
{
	return control_table_add(server->table, command, fn, private_data);
}

int control_server_add_stream(struct control_server *server, const char *command,
			      control_stream_fn fn, void *private_data)
{
	return control_table_add_stream(server->table, command, fn, private_data);
}

int control_server_add_anywhere(struct control_server *server, const char *command, control_fn fn,
				void *private_data)
{
	return control_table_add_anywhere(server->table, command, fn, private_data);
}

void control_server_set_elsewhere(struct control_server *server,
				  const struct control_elsewhere *elsewhere)
{
	control_table_set_elsewhere(server->table, server->ev, elsewhere);
}

char *control_server_answer(const struct control_server *server, TALLOC_CTX *mem_ctx,
			    const char *request, size_t len)
{
	return control_table_answer(server->table, mem_ctx, request, len);
}
