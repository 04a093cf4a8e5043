/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server connection from its first byte to its end: whatever a client sends, the connection ends, takes
 * everything along, and the server serves the next one. The input is the client's byte stream; the first
 * byte says after how many events a call that waits is finished.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "witnessd/rpc/conn.h"
#include "witnessd/rpc/op.h"
#include "witnessd/util/req.h"

#define EVENTS_MAX 100000 /* a connection that is still there then hangs */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tevent_context *loop;
static struct rpc_server *server;
static struct rpc_endpoint *endpoint;
static struct tevent_req *waiting; /* the last one */

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static int echo(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	reply->stub = talloc_memdup(mem_ctx, call->stub, call->stub_len);
	reply->stub_len = call->stub_len;
	return 0;
}
RPC_OP_NOW(echo)

static int fail(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
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

static const struct rpc_iface iface = {
	.name = "fuzz",
	.syntax = RPC_SYNTAX_WITNESS,
	.ops = ops,
	.num_ops = sizeof(ops) / sizeof(ops[0]),
	.min_level = RPC_LEVEL_NONE,
};

static void start_once(void)
{
	struct rpc_limits limits = rpc_limits_default;

	if (server != NULL) {
		return;
	}
	limits.reassembly = 16 * 1024;
	limits.fragments = 32;
	limits.calls = 4;
	limits.contexts = 4;
	loop = tevent_context_init(NULL);
	must(loop != NULL);
	must(rpc_server_create(loop, loop, &limits, NULL, &server) == 0);
	must(rpc_endpoint_create(server, "fuzz", &endpoint) == 0);
	must(rpc_endpoint_serve(endpoint, &iface, NULL) == 0);
}

static void drain(int fd)
{
	uint8_t buf[4096];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rpc_stats *stats;
	unsigned int events = 0;
	size_t sent = 0;
	int fds[2];

	if (size == 0) {
		return 0;
	}
	start_once();
	stats = rpc_server_stats(server);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	must(conn_create(endpoint, fds[1]) == 0);
	while (stats->connections > 0) {
		if (sent < size - 1) {
			ssize_t n = send(fds[0], data + 1 + sent, size - 1 - sent, MSG_NOSIGNAL);

			sent = n > 0 ? sent + (size_t)n : errno == EAGAIN ? sent : size - 1;
		} else {
			(void)shutdown(fds[0], SHUT_WR);
		}
		must(tevent_loop_once(loop) == 0);
		if (waiting != NULL && events % 256 >= data[0]) {
			tevent_req_done(waiting);
		}
		drain(fds[0]);
		must(++events < EVENTS_MAX);
	}
	close(fds[0]);
	must(waiting == NULL && stats->calls == 0 && stats->assocs == 0);
	must(stats->unauthenticated == 0 && talloc_total_blocks(server) < 32);
	return 0;
}
