/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/metrics_http.h"

#include <errno.h>

#ifdef HAVE_MICROHTTPD

#include <microhttpd.h>
#include <netinet/in.h>
#include <qb/qblist.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "witnessd/util/clock.h"
#include "witnessd/util/files.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"
#include "witnessd/util/tcplisten.h"

#define BACKLOG      16
#define MEMORY_LIMIT 16384U /* of a connection: the request's head, and what the library needs */
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_http {
	struct tevent_context *ev;
	metrics_http_fn fn;
	void *private_data;
	struct MHD_Response *text; /* shared by all who ask within METRICS_HTTP_FRESH_MS; or NULL */
	uint64_t made_ms;
	struct metrics_http_limits limits;
	struct metrics_http_stats stats;
};

/* One address. */
struct endpoint {
	struct metrics_http *http;
	struct MHD_Daemon *mhd;
	struct tevent_fd *fde; /* of the library's epoll descriptor */
	struct mono_timer *timer;
	struct qb_list_head clients; /* struct client */
	unsigned int num_conns;      /* the library's */
};

/*
 * A connection. The library's own limits would do but for two things: its time limit is of silence only, and
 * its limit of a source does not tell whom it has refused.
 */
struct client {
	struct qb_list_head list;
	struct endpoint *endpoint;
	struct ipaddr source;
	struct mono_timer *deadline; /* of asking and reading together */
	int fd;                      /* the library's */
};

/* --- answers --- */

static struct MHD_Response *response_new(char *text, const char *type)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);

	/* One request a connection, so that the time of both is limited by one deadline. */
	if (response != NULL &&
	    (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") != MHD_YES)) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status, char *why)
{
	struct MHD_Response *response = response_new(why, "text/plain");
	enum MHD_Result ret = MHD_NO;

	if (response != NULL &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES)) {
		ret = MHD_queue_response(connection, status, response);
	}
	if (response != NULL) {
		MHD_destroy_response(response);
	}
	return ret;
}

static struct MHD_Response *current_text(struct metrics_http *http)
{
	uint64_t now_ms = clock_ms();
	char *text;

	if (http->text != NULL && now_ms - http->made_ms < METRICS_HTTP_FRESH_MS) {
		return http->text;
	}
	if (http->text != NULL) {
		MHD_destroy_response(http->text); /* who still reads it has a reference */
		http->text = NULL;
	}
	text = http->fn(http->private_data, http);
	if (text != NULL) {
		http->text = response_new(text, CONTENT_TYPE);
		http->made_ms = now_ms;
	}
	talloc_free(text);
	return http->text;
}

/* Answered when the head is there: nobody has to send a body that is not wanted. */
static enum MHD_Result on_request(void *private_data, struct MHD_Connection *connection,
				  const char *url, const char *method, const char *version,
				  const char *upload, size_t *upload_len, void **request)
{
	struct endpoint *endpoint = talloc_get_type_abort(private_data, struct endpoint);
	struct MHD_Response *response;

	if (strcmp(url, "/metrics") != 0) {
		return refuse(connection, MHD_HTTP_NOT_FOUND, "There is /metrics only.\n");
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			      "The metrics can be read only.\n");
	}
	response = current_text(endpoint->http);
	if (response == NULL) {
		return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "Memory is short.\n");
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

/* --- connections --- */

static void on_deadline(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
			void *private_data)
{
	struct client *client = talloc_get_type_abort(private_data, struct client);

	client->deadline = NULL;
	client->endpoint->http->stats.timeouts++;
	(void)shutdown(client->fd, SHUT_RDWR); /* the library sees it, and closes */
}

static struct ipaddr address_of(const struct sockaddr *addr)
{
	struct sockaddr_storage ss = {0};

	memcpy(&ss, addr,
	       addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in));
	return ipaddr_from_sockaddr(&ss);
}

/* Asked before a connection is begun. */
static enum MHD_Result on_accept(void *private_data, const struct sockaddr *addr, socklen_t len)
{
	struct endpoint *endpoint = talloc_get_type_abort(private_data, struct endpoint);
	struct metrics_http *http = endpoint->http;
	struct ipaddr source = address_of(addr);
	const struct client *client;
	unsigned int num = 0;

	qb_list_for_each_entry (client, &endpoint->clients, list) {
		num += ipaddr_equal(&client->source, &source);
	}
	if (num < http->limits.source) {
		return MHD_YES;
	}
	http->stats.refused++;
	return MHD_NO;
}

static int client_destructor(struct client *client)
{
	qb_list_del(&client->list);
	return 0;
}

/* @return NULL when memory is short */
static struct client *client_new(struct endpoint *endpoint, const struct ipaddr *source, int fd)
{
	struct metrics_http *http = endpoint->http;
	struct client *client = talloc_zero(endpoint, struct client);

	if (client == NULL) {
		return NULL;
	}
	client->endpoint = endpoint;
	client->source = *source;
	client->fd = fd;
	client->deadline =
		mono_timer_add(http->ev, client, http->limits.time_ms, on_deadline, client);
	if (client->deadline == NULL) {
		talloc_free(client);
		return NULL;
	}
	qb_list_add_tail(&client->list, &endpoint->clients);
	talloc_set_destructor(client, client_destructor);
	return client;
}

static void on_connection(void *private_data, struct MHD_Connection *connection,
			  void **socket_context, enum MHD_ConnectionNotificationCode what)
{
	struct endpoint *endpoint = talloc_get_type_abort(private_data, struct endpoint);
	const union MHD_ConnectionInfo *fd, *addr;
	struct ipaddr source;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		endpoint->num_conns--;
		talloc_free(*socket_context);
		*socket_context = NULL;
		return;
	}
	if (++endpoint->num_conns == endpoint->http->limits.connections) {
		endpoint->http->stats.full++; /* the library leaves others in the kernel's queue */
	}
	fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	addr = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (fd == NULL || addr == NULL) {
		return;
	}
	source = address_of(addr->client_addr);
	*socket_context = client_new(endpoint, &source, fd->connect_fd);
	if (*socket_context == NULL) {
		(void)shutdown(fd->connect_fd, SHUT_RDWR);
	}
}

/* --- the loop --- */

static void take_turn(struct endpoint *endpoint);

static void on_timer(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		     void *private_data)
{
	struct endpoint *endpoint = talloc_get_type_abort(private_data, struct endpoint);

	endpoint->timer = NULL; /* it frees itself */
	take_turn(endpoint);
}

static void on_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		     void *private_data)
{
	take_turn(talloc_get_type_abort(private_data, struct endpoint));
}

static void turn_in(struct endpoint *endpoint, unsigned int ms)
{
	TALLOC_FREE(endpoint->timer);
	endpoint->timer = mono_timer_add(endpoint->http->ev, endpoint, ms, on_timer, endpoint);
	if (endpoint->timer == NULL) {
		log_warn("metrics: a timer is lost: out of memory");
	}
}

/* Nothing can be accepted: the library would try for as long as somebody wants to connect. */
static void take_a_rest(struct endpoint *endpoint)
{
	endpoint->http->stats.out_of_files++;
	TEVENT_FD_NOT_READABLE(endpoint->fde);
	turn_in(endpoint, FILES_PAUSE_MS);
}

/* What can be done without waiting is done; then the library says when it wants the next turn at the latest. */
static void take_turn(struct endpoint *endpoint)
{
	unsigned int most_ms = endpoint->http->limits.time_ms;
	unsigned int limit = endpoint->http->limits.connections;
	MHD_UNSIGNED_LONG_LONG ms;
	bool was_full;

	if (!files_left()) {
		take_a_rest(endpoint);
		return;
	}
	TEVENT_FD_READABLE(endpoint->fde);
	do {
		was_full = endpoint->num_conns >= limit;
		(void)MHD_run(endpoint->mhd);
		/* Only its next turn looks for those who wait, and nothing else may ever call for one. */
	} while (was_full && endpoint->num_conns < limit);
	TALLOC_FREE(endpoint->timer);
	if (MHD_get_timeout(endpoint->mhd, &ms) == MHD_YES) {
		turn_in(endpoint, ms < most_ms ? (unsigned int)ms : most_ms);
	}
}

/* --- the objects --- */

static int endpoint_destructor(struct endpoint *endpoint)
{
	TALLOC_FREE(endpoint->fde); /* before its descriptor goes */
	MHD_stop_daemon(endpoint->mhd);
	return 0;
}

static struct MHD_Daemon *start(struct endpoint *endpoint, const struct ipaddr *addr, int fd)
{
	const struct metrics_http_limits *limits = &endpoint->http->limits;

	return MHD_start_daemon(
		MHD_USE_EPOLL | (addr->family == AF_INET6 ? MHD_USE_IPv6 : MHD_NO_FLAG), 0,
		on_accept, endpoint, on_request, endpoint, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, limits->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		limits->time_ms / 1000, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, endpoint, MHD_OPTION_END);
}

int metrics_http_listen(struct metrics_http *http, const struct ipaddr *addr, uint16_t port)
{
	struct endpoint *endpoint = talloc_zero(http, struct endpoint);
	const union MHD_DaemonInfo *info;
	int fd = -1;
	int err = endpoint != NULL ? tcplisten(addr, port, BACKLOG, &fd) : ENOMEM;

	if (err != 0) {
		talloc_free(endpoint);
		return err;
	}
	endpoint->http = http;
	qb_list_init(&endpoint->clients);
	endpoint->mhd = start(endpoint, addr, fd);
	if (endpoint->mhd == NULL) {
		close(fd);
		talloc_free(endpoint);
		return EIO;
	}
	talloc_set_destructor(endpoint, endpoint_destructor);
	info = MHD_get_daemon_info(endpoint->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		talloc_free(endpoint);
		return EIO;
	}
	endpoint->fde = tevent_add_fd(http->ev, endpoint, info->epoll_fd, TEVENT_FD_READ, on_ready,
				      endpoint);
	if (endpoint->fde == NULL) {
		talloc_free(endpoint);
		return ENOMEM;
	}
	return 0;
}

static int http_destructor(struct metrics_http *http)
{
	if (http->text != NULL) {
		MHD_destroy_response(http->text);
	}
	return 0;
}

int metrics_http_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, metrics_http_fn fn,
			void *private_data, const struct metrics_http_limits *limits,
			struct metrics_http **out)
{
	struct metrics_http *http = talloc_zero(mem_ctx, struct metrics_http);

	if (http == NULL) {
		return ENOMEM;
	}
	http->ev = ev;
	http->fn = fn;
	http->private_data = private_data;
	http->limits = *limits;
	talloc_set_destructor(http, http_destructor);
	*out = http;
	return 0;
}

struct metrics_http_stats metrics_http_stats(const struct metrics_http *http)
{
	return http->stats;
}

#else

int metrics_http_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, metrics_http_fn fn,
			void *private_data, const struct metrics_http_limits *limits,
			struct metrics_http **out)
{
	return ENOTSUP;
}

struct metrics_http_stats metrics_http_stats(const struct metrics_http *http)
{
	return (struct metrics_http_stats){0};
}

int metrics_http_listen(struct metrics_http *http, const struct ipaddr *addr, uint16_t port)
{
	return ENOTSUP;
}

#endif
