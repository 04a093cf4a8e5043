/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a server says to a client that authenticates, from the bind to the answers of its calls: each request
 * ends, and takes everything along. The first byte is the kind of authentication; then comes the mechanism's
 * part (gss_script.h), then the server's PDUs, one after another, whatever the client says.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/gss_script.h"
#include "witnessd/rpc/client_private.h"
#include "witnessd/util/req.h"

#define FIXED      (1 + GSS_SCRIPT_SIZE)
#define CALLS      3
#define PACE       4      /* events between two PDUs: enough for a step and for what is sent then */
#define EVENTS_MAX 100000 /* a request that is not done then hangs */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
struct tevent_req *__wrap_client_connect_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					      const struct ipaddr *addr, uint16_t port);
int __wrap_client_connect_recv(struct tevent_req *req, int *fd);

struct session {
	const uint8_t *data;
	size_t size, sent;
	int fd; /* the server's */
	unsigned int events, answers;
	uint8_t level;
};

static struct tevent_context *loop;
static struct rpc_auth *auth;
static int client_fd; /* of the next client */

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

struct connect_state {
	char unused;
};

struct tevent_req *__wrap_client_connect_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					      const struct ipaddr *addr, uint16_t port)
{
	struct connect_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct connect_state);

	must(req != NULL);
	tevent_req_done(req);
	return tevent_req_post(req, ev);
}

int __wrap_client_connect_recv(struct tevent_req *req, int *fd)
{
	tevent_req_received(req);
	*fd = client_fd;
	client_fd = -1;
	return 0;
}

static void ticked(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		   void *private_data)
{
}

/* Something is always ready, so that the loop never waits. */
static void start(void)
{
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

	loop = tevent_context_init(NULL);
	must(fd >= 0 && loop != NULL);
	must(tevent_add_fd(loop, loop, fd, TEVENT_FD_READ, ticked, NULL) != NULL);
	auth = gss_script_auth(loop, false);
}

/* The next PDU by its own account, or the end of the stream. More than a socket holds is left out. */
static void say(struct session *session)
{
	const uint8_t *pdu = session->data + session->sent;
	size_t left = session->size - session->sent, len = left;

	if (left == 0) {
		(void)shutdown(session->fd, SHUT_WR);
		return;
	}
	if (left >= PDU_HDR_LEN && (size_t)(pdu[8] | pdu[9] << 8) < left) {
		len = (size_t)(pdu[8] | pdu[9] << 8);
		len = len > 0 ? len : 1;
	}
	(void)send(session->fd, pdu, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	session->sent += len;
}

static void turn(struct session *session)
{
	uint8_t heard[4096];

	gss_script_run();
	must(tevent_loop_once(loop) == 0);
	while (recv(session->fd, heard, sizeof(heard), MSG_DONTWAIT) > 0) {
	}
	if (++session->events % PACE == 0) {
		say(session);
	}
	must(session->events < EVENTS_MAX);
}

/* @return the client, or NULL; a step that does not end is given up */
static struct rpc_client *set_up(struct session *session, uint8_t type)
{
	const struct rpc_cred cred = {.user = "user", .domain = "DOMAIN"};
	const struct rpc_client_params params = {
		.iface = RPC_SYNTAX_WITNESS,
		.auth_type = type,
		.auth_level = session->level,
		.cred = &cred,
		.target = "cifs@host",
		.auth = auth,
	};
	struct tevent_req *req = rpc_client_connect_send(loop, loop, &params);
	struct rpc_client *client = NULL;

	must(req != NULL);
	while (tevent_req_is_in_progress(req) && !gss_script_hangs()) {
		turn(session);
	}
	if (!tevent_req_is_in_progress(req) &&
	    rpc_client_connect_recv(req, loop, &client, NULL) == 0) {
		must(gss_script_stats()->completed > 0);
	}
	talloc_free(req);
	return client;
}

static void take_answer(struct session *session, struct tevent_req *req)
{
	uint32_t fault = 0;
	uint8_t *stub = NULL;
	size_t len = 0;

	if (rpc_client_call_recv(req, loop, &fault, &stub, &len) == 0) {
		talloc_free(stub);
		session->answers += fault == 0;
	}
	talloc_free(req);
}

/* All at once; the last one has several fragments. No answer comes that the mechanism has not verified. */
static void call(struct session *session, struct rpc_client *client)
{
	static const uint8_t stub[3 * RPC_FRAG_MAX];
	struct tevent_req *reqs[CALLS];

	for (unsigned int i = 0; i < CALLS; i++) {
		reqs[i] = rpc_client_call_send(loop, loop, client, (uint16_t)i, stub,
					       i + 1 < CALLS ? i : sizeof(stub), 0);
		must(reqs[i] != NULL);
	}
	for (unsigned int i = 0; i < CALLS; i++) {
		while (tevent_req_is_in_progress(reqs[i])) {
			turn(session);
		}
		take_answer(session, reqs[i]);
	}
	must(session->level < RPC_LEVEL_PACKET || session->answers <= gss_script_stats()->verified);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t types[] = {RPC_AUTH_SPNEGO, RPC_AUTH_NTLM, RPC_AUTH_KRB5};
	static const uint8_t levels[] = {RPC_LEVEL_PRIVACY, RPC_LEVEL_INTEGRITY, RPC_LEVEL_PACKET,
					 RPC_LEVEL_CONNECT};
	struct session session = {.fd = -1};
	struct rpc_client *client;
	int fds[2];

	if (size < FIXED) {
		return 0;
	}
	if (loop == NULL) {
		start();
	}
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	session.data = data + FIXED;
	session.size = size - FIXED;
	session.fd = fds[0];
	client_fd = fds[1];
	session.level = levels[data[0] >> 2 & 3];
	gss_script_begin(data + 1);
	client = set_up(&session, types[(data[0] & 3) % 3]);
	if (client != NULL) {
		call(&session, client);
	}
	talloc_free(client);
	must(client_fd == -1);
	close(fds[0]);
	must(gss_script_stats()->contexts == 0 && gss_script_stats()->names_etc == 0);
	return 0;
}
