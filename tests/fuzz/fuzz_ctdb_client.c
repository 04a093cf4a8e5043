/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a ctdbd sends, from its first byte to the end of the stream, to a client that is up, listens to
 * one SRVID and has two controls open: the connection is given up, and each control ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/ctdb/client_private.h"
#include "witnessd/util/mono.h"

#define CALLS      2
#define SRVID      0x57495400ULL
#define EVENTS_MAX 10000 /* a client that is not done then hangs */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tevent_context *loop;

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

/* A sum over the bytes, so that a sanitizer sees whether they are there. */
static void heard(void *private_data, uint64_t srvid, const uint8_t *data, size_t len)
{
	unsigned int *sum = private_data;

	must(srvid == SRVID && len <= CTDB_PACKET_MAX);
	for (size_t i = 0; i < len; i++) {
		*sum += data[i];
	}
}

static void note_end(struct tevent_req *req)
{
	unsigned int *ended = tevent_req_callback_data_void(req);
	int32_t status = -1;
	uint8_t *answer = NULL;
	size_t len = 0;

	if (ctdb_control_recv(req, loop, &status, &answer, &len) == 0) {
		must(status >= 0 && (answer != NULL || len == 0));
		must(len <= CTDB_PACKET_MAX && talloc_get_size(answer) >= len);
		talloc_free(answer);
	}
	(*ended)++;
}

static struct ctdb_client *client_up(int fd, unsigned int *sum)
{
	const struct ctdb_client_config config = {.socket = "/nonexistent/ctdbd",
						  .retry_max_ms = 60000,
						  .timeout_ms = 60000,
						  .silence_max_ms = 60000};
	struct ctdb_client *client = NULL;

	must(ctdb_client_create(loop, loop, &config, &client) == 0);
	must(ctdb_client_listen(client, SRVID, heard, sum) == 0);
	mono_alarm_clear(client->retry);
	client->fd = fd;
	must(ctdb_client_io_start(client) == 0);
	client->state = CLIENT_UP;
	client->pnn = 0;
	return client;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ctdb_control control = {.opcode = 1, .destnode = CTDB_CURRENT_NODE};
	struct tevent_req *reqs[CALLS];
	unsigned int ended = 0, events = 0, sum = 0;
	struct ctdb_client *client;
	int fds[2];

	if (loop == NULL) {
		loop = tevent_context_init(NULL);
	}
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	client = client_up(fds[0], &sum);
	for (unsigned int i = 0; i < CALLS; i++) {
		reqs[i] = ctdb_control_send(loop, loop, client, &control);
		must(reqs[i] != NULL);
		tevent_req_set_callback(reqs[i], note_end, &ended);
	}
	/* More than a socket holds is left out. */
	(void)send(fds[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	must(shutdown(fds[1], SHUT_WR) == 0);
	while (client->state != CLIENT_DOWN || ended < CALLS) {
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
