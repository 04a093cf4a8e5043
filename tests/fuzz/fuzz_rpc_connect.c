/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a server says to an anonymous client that connects, binds, and asks the endpoint mapper for a
 * port: whatever it is, the request ends. The connection is one over loopback, as the client makes it.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "witnessd/rpc/client.h"

#define TURNS_MAX  4 /* of the loop, for a client to ask again */
#define TURN_US    500
#define EVENTS_MAX 10000 /* a client that is not done then hangs */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tevent_context *loop;
static struct sockaddr_in addr = {.sin_family = AF_INET};
static int listener;

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static void start(void)
{
	socklen_t len = sizeof(addr);

	loop = tevent_context_init(NULL);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(listener >= 0 && bind(listener, (struct sockaddr *)&addr, len) == 0);
	must(listen(listener, 16) == 0);
	must(getsockname(listener, (struct sockaddr *)&addr, &len) == 0);
}

/* The server's part. */
struct session {
	const uint8_t *data;
	size_t size, sent;
	int fd; /* -1: nobody came yet */
	unsigned int turns, asked;
};

/* Where the first PDU of the input ends by its own account. */
static size_t first_pdu(const struct session *session)
{
	size_t len = session->size < 10 ? session->size
					: (size_t)(session->data[8] | session->data[9] << 8);

	return len < session->size ? len : session->size;
}

/* More than a socket holds is left out. */
static void say(struct session *session, size_t until)
{
	(void)send(session->fd, session->data + session->sent, until - session->sent, MSG_NOSIGNAL);
	session->sent = until;
	if (until == session->size) {
		(void)shutdown(session->fd, SHUT_WR);
	}
}

/*
 * The first PDU when there is a client, the rest when it has asked again, or does not do so: a loopback
 * delivers at once.
 */
static void serve(struct session *session)
{
	const struct linger reset = {.l_onoff = 1}; /* no port waits for its time to pass */
	uint8_t request[4096];

	if (session->fd < 0) {
		session->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (session->fd >= 0) {
			must(setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &reset,
					sizeof(reset)) == 0);
			say(session, first_pdu(session));
		}
		return;
	}
	session->asked += recv(session->fd, request, sizeof(request), 0) > 0;
	session->turns++;
	if (session->sent < session->size && (session->asked == 2 || session->turns > TURNS_MAX)) {
		say(session, session->size);
	}
}

static void turned(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		   void *private_data)
{
}

/* What is ready, or a moment: a timer that is due would come before the sockets. */
static void turn(void)
{
	TALLOC_CTX *tmp = talloc_new(loop); /* the timer frees itself when it fires */

	must(tevent_add_timer(loop, tmp, tevent_timeval_current_ofs(0, TURN_US), turned, NULL) !=
	     NULL);
	must(tevent_loop_once(loop) == 0);
	talloc_free(tmp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ipaddr loopback = {.family = AF_INET, .bytes = {127, 0, 0, 1}};
	const struct rpc_syntax iface = RPC_SYNTAX_WITNESS;
	struct session session = {.data = data, .size = size, .fd = -1};
	unsigned int events = 0;
	struct tevent_req *req;
	uint16_t port = 0;

	if (loop == NULL) {
		start();
	}
	req = rpc_epm_map_send(loop, loop, &loopback, ntohs(addr.sin_port), &iface, 60000);
	must(req != NULL);
	while (tevent_req_is_in_progress(req)) {
		must(events++ < EVENTS_MAX);
		serve(&session);
		turn();
	}
	must(rpc_epm_map_recv(req, &port) != 0 || port != 0);
	talloc_free(req);
	if (session.fd >= 0) {
		close(session.fd);
	}
	return 0;
}
