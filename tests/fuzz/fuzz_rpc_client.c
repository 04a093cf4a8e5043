/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a server sends to a bound, anonymous client with three calls open (ids 1 to 3) and one that nobody
 * waits for (id 4): each call ends, and the client with them. The first byte says whether there is MPX.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "witnessd/rpc/client_private.h"

#define CALLS      3
#define EVENTS_MAX 100000 /* a client that is not done then hangs */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tevent_context *loop;

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static void note_end(struct tevent_req *req)
{
	unsigned int *ended = tevent_req_callback_data_void(req);
	uint32_t fault = 0;
	uint8_t *stub = NULL;
	size_t len = 0;

	if (rpc_client_call_recv(req, loop, &fault, &stub, &len) == 0) {
		must(fault != 0 || len <= 1024 * 1024);
		talloc_free(stub);
	}
	(*ended)++;
}

/* All bytes at once, then the end of the stream: more than a socket holds is left out. */
static void feed(int fd, const uint8_t *data, size_t size)
{
	(void)send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	must(shutdown(fd, SHUT_WR) == 0);
}

static struct rpc_client *bound_client(int fd, bool mpx)
{
	struct rpc_client *client = NULL;

	must(client_create(loop, loop, &client) == 0);
	must(client_attach(client, fd) == 0);
	client->max_xmit = RPC_FRAG_MAX;
	client->mpx = mpx;
	return client;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_client *client;
	struct tevent_req *reqs[CALLS + 1];
	unsigned int ended = 0, events = 0;
	int fds[2];

	if (size == 0) {
		return 0;
	}
	if (loop == NULL) {
		loop = tevent_context_init(NULL);
	}
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	client = bound_client(fds[0], (data[0] & 1) != 0);
	for (unsigned int i = 0; i <= CALLS; i++) {
		reqs[i] = rpc_client_call_send(loop, loop, client, (uint16_t)i, NULL, 0, 0);
		must(reqs[i] != NULL);
		tevent_req_set_callback(reqs[i], note_end, &ended);
	}
	TALLOC_FREE(reqs[CALLS]);
	feed(fds[1], data + 1, size - 1);
	while (ended < CALLS) {
		must(events++ < EVENTS_MAX);
		must(tevent_loop_once(loop) == 0);
	}
	for (unsigned int i = 0; i < CALLS; i++) {
		talloc_free(reqs[i]);
	}
	talloc_free(client);
	close(fds[1]);
	return 0;
}
