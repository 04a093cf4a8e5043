/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/conn_target.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "witnessd/rpc/conn.h"
#include "witnessd/rpc/op.h"
#include "witnessd/util/req.h"

#define EVENTS_MAX 100000 /* a connection that is still there then hangs */

static struct conn_target target;
static struct rpc_server *server;
static struct rpc_endpoint *endpoint;
static struct tevent_req *waiting; /* the last one */

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

/* An interface is its own private data. */
static void called(const struct rpc_call *call)
{
	const struct rpc_iface *iface = call->iface_private;

	if (target.called != NULL) {
		target.called(call, iface->min_level);
	}
}

static int echo(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	called(call);
	reply->stub = talloc_memdup(mem_ctx, call->stub, call->stub_len);
	reply->stub_len = call->stub_len;
	return 0;
}
RPC_OP_NOW(echo)

static int fail(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	called(call);
	return call->stub_len % 2 == 0 ? EBADMSG : ENOMEM;
}
RPC_OP_NOW(fail)

struct wait_state {
	char unused;
};

static void wait_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	if (waiting == req) {
		waiting = NULL;
	}
}

static struct tevent_req *wait_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				    const struct rpc_call *call)
{
	struct wait_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct wait_state);

	must(req != NULL);
	called(call);
	tevent_req_set_cleanup_fn(req, wait_cleanup);
	waiting = req;
	return req;
}

static int wait_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_reply *reply)
{
	return req_errno(req);
}

static const struct rpc_op ops[] = {
	{"echo", echo_send, rpc_op_now_recv},
	{"wait", wait_send, wait_recv},
	{"fail", fail_send, rpc_op_now_recv},
};

/* One for everybody, and one that wants signatures. */
static const struct rpc_iface ifaces[] = {
	{
		.name = "fuzz",
		.syntax = RPC_SYNTAX_WITNESS,
		.ops = ops,
		.num_ops = sizeof(ops) / sizeof(ops[0]),
		.min_level = RPC_LEVEL_NONE,
	},
	{
		.name = "signed",
		.syntax = RPC_SYNTAX_EPM,
		.ops = ops,
		.num_ops = sizeof(ops) / sizeof(ops[0]),
		.min_level = RPC_LEVEL_INTEGRITY,
	},
};

struct rpc_server *conn_target_start(const struct conn_target *wanted)
{
	struct rpc_limits limits = rpc_limits_default;

	limits.reassembly = 16 * 1024;
	limits.fragments = 32;
	limits.calls = 4;
	limits.contexts = 4;
	limits.sec_contexts = 3;
	limits.connections_principal = 1;
	limits.auth_failures = 0; /* they would be counted over inputs, and waited for */
	target = *wanted;
	must(rpc_server_create(target.loop, target.loop, &limits, target.auth, &server) == 0);
	must(rpc_endpoint_create(server, "fuzz", &endpoint) == 0);
	for (size_t i = 0; i < sizeof(ifaces) / sizeof(ifaces[0]); i++) {
		must(rpc_endpoint_serve(endpoint, &ifaces[i], (void *)&ifaces[i]) == 0);
	}
	return server;
}

static void drain(int fd)
{
	uint8_t buf[4096];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
	}
}

/* As much as the socket takes, then the end. @return how much has been sent */
static size_t feed(int fd, const uint8_t *data, size_t size, size_t sent)
{
	ssize_t n;

	if (sent == size) {
		(void)shutdown(fd, SHUT_WR);
		return size;
	}
	n = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
	if (n > 0) {
		return sent + (size_t)n;
	}
	return errno == EAGAIN ? sent : size;
}

static void turn(unsigned int events, uint8_t delay)
{
	if (target.turn != NULL) {
		target.turn(server);
	}
	must(tevent_loop_once(target.loop) == 0);
	if (waiting != NULL && events % 256 >= delay) {
		tevent_req_done(waiting);
	}
}

void conn_target_run(uint8_t delay, const uint8_t *data, size_t size)
{
	const struct rpc_stats *stats = rpc_server_stats(server);
	unsigned int events = 0;
	size_t sent = 0;
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	must(conn_create(endpoint, fds[1]) == 0);
	while (stats->connections > 0) {
		sent = feed(fds[0], data, size, sent);
		turn(events, delay);
		drain(fds[0]);
		must(++events < EVENTS_MAX);
	}
	close(fds[0]);
	must(waiting == NULL && stats->calls == 0 && stats->assocs == 0);
	must(stats->unauthenticated == 0 && stats->buffered == 0);
	must(talloc_total_blocks(server) < 40);
}
