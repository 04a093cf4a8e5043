/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load_clients MAX SERVER PORT AUTH KEEPALIVE [USER...]: up to MAX witness clients in one process, each
 * with an authenticated connection of its own (signed; AUTH is "ntlm" or "krb5"), one registration, and
 * AsyncNotify open, all the time. Client I of "ntlm" is USER number I modulo their number; each is
 * DOMAIN:USER:PASSWORD. Commands on standard input, one line of JSON for each on standard output:
 *
 *   join COUNT WINDOW ADDRESS  COUNT more clients, registered for that address; WINDOW connect at once
 *   arm COUNT                  "armed", then when bytes were at that many of the clients' sockets. Nothing
 *                              else is done meanwhile, and until the line "read" comes, which has no answer;
 *                              then what came is read, verified and counted
 *   count                      what the clients have had until now; "told" are those who have been since "forget"
 *   forget                     no client has been told of anything
 *
 * Ends at the end of its input.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/arrivals.h"
#include "witnessd/rpc/client.h"
#include "witnessd/swn/wire.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"

#define STEP_MS    120000
#define ARRIVAL_MS 60000

struct load {
	struct tevent_context *ev;
	struct rpc_auth *auth;
	struct ipaddr server;
	uint16_t port;
	uint8_t auth_type;
	uint32_t keep_alive_s;
	size_t max, num; /* clients that were started */
	struct client *clients;
	size_t num_users;
	struct rpc_cred *users;
	/* the join that runs */
	size_t target, joined, failed;
	char address[64];
	uint64_t join_ms;
	bool joining;
	/* in all */
	size_t notified, timeouts, lost;
	size_t told;
	char error[256]; /* the first one */
};

struct client {
	struct load *load;
	struct rpc_client *rpc;
	struct swn_handle handle;
	bool told; /* since "forget" */
};

static void next_client(struct load *load);
static void client_ask(struct client *client);

static void note_error(struct load *load, const char *step, const char *why)
{
	if (load->error[0] == '\0') {
		snprintf(load->error, sizeof(load->error), "%s: %s", step, why);
	}
}

static void check_memory(const void *chunk)
{
	if (chunk == NULL) {
		fprintf(stderr, "load_clients: out of memory\n");
		exit(1);
	}
}

/* ---- one client ---- */

static void join_ended(struct client *client, const char *step, const char *why)
{
	struct load *load = client->load;

	if (why == NULL) {
		load->joined++;
	} else {
		load->failed++;
		TALLOC_FREE(client->rpc);
		note_error(load, step, why);
	}
	next_client(load);
}

static void client_told(struct tevent_req *subreq)
{
	struct client *client = tevent_req_callback_data_void(subreq);
	struct load *load = client->load;
	struct swn_notify *notify = NULL;
	uint32_t fault = 0, werror = 0;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_call_recv(subreq, load, &fault, &stub, &len);

	TALLOC_FREE(subreq);
	if (err == 0 && fault == 0) {
		err = swn_pull_notify_reply(load, stub, len, &notify, &werror);
	}
	if (err != 0 || fault != 0 || (werror != SWN_SUCCESS && werror != SWN_ERROR_TIMEOUT)) {
		load->lost++;
		note_error(load, "AsyncNotify", err != 0 ? strerror(err) : swn_werror_name(werror));
		TALLOC_FREE(client->rpc);
		talloc_free(stub);
		return;
	}
	if (werror == SWN_SUCCESS) {
		load->notified++;
		load->told += !client->told;
		client->told = true;
	} else {
		load->timeouts++;
	}
	talloc_free(notify);
	talloc_free(stub);
	client_ask(client);
}

static void client_ask(struct client *client)
{
	struct load *load = client->load;
	struct tevent_req *subreq;
	uint8_t *stub = NULL;
	size_t len = 0;

	check_memory(swn_push_handle(load, &client->handle, &stub, &len) == 0 ? stub : NULL);
	subreq = rpc_client_call_send(client->rpc, load->ev, client->rpc, SWN_ASYNC_NOTIFY, stub,
				      len, 0);
	check_memory(subreq);
	talloc_free(stub);
	tevent_req_set_callback(subreq, client_told, client);
}

static void client_registered(struct tevent_req *subreq)
{
	struct client *client = tevent_req_callback_data_void(subreq);
	uint32_t fault = 0, werror = 0;
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_call_recv(subreq, client->load, &fault, &stub, &len);

	TALLOC_FREE(subreq);
	if (err == 0 && fault == 0) {
		err = swn_pull_handle_reply(stub, len, &client->handle, &werror);
	}
	talloc_free(stub);
	if (err != 0 || fault != 0 || werror != SWN_SUCCESS) {
		join_ended(client, "RegisterEx",
			   err != 0 ? strerror(err) : swn_werror_name(werror));
		return;
	}
	client_ask(client);
	join_ended(client, "RegisterEx", NULL);
}

static void client_connected(struct tevent_req *subreq)
{
	struct client *client = tevent_req_callback_data_void(subreq);
	struct load *load = client->load;
	char name[32], *why = NULL;
	struct swn_register args = {
		.version = SWN_VERSION_2,
		.net_name = "FS",
		.ip_address = load->address,
		.client_computer_name = name,
		.keep_alive_timeout = load->keep_alive_s,
	};
	uint8_t *stub = NULL;
	size_t len = 0;
	int err = rpc_client_connect_recv(subreq, load, &client->rpc, &why);

	TALLOC_FREE(subreq);
	if (err != 0) {
		join_ended(client, "connect", why);
		talloc_free(why);
		return;
	}
	snprintf(name, sizeof(name), "client%zu", (size_t)(client - load->clients));
	check_memory(swn_push_register_ex(load, &args, &stub, &len) == 0 ? stub : NULL);
	subreq = rpc_client_call_send(client->rpc, load->ev, client->rpc, SWN_REGISTER_EX, stub,
				      len, STEP_MS);
	check_memory(subreq);
	talloc_free(stub);
	tevent_req_set_callback(subreq, client_registered, client);
}

static void client_start(struct load *load)
{
	size_t index = load->num++;
	struct client *client = &load->clients[index];
	struct rpc_client_params params = {
		.addr = load->server,
		.port = load->port,
		.iface = RPC_SYNTAX_WITNESS,
		.auth_type = load->auth_type,
		.auth_level = RPC_LEVEL_INTEGRITY,
		.cred = &load->users[index % load->num_users],
		.target = "cifs@fs.lab.test",
		.auth = load->auth,
		.timeout_ms = STEP_MS,
	};
	struct tevent_req *req = rpc_client_connect_send(load, load->ev, &params);

	client->load = load;
	check_memory(req);
	tevent_req_set_callback(req, client_connected, client);
}

/* ---- commands ---- */

/*
 * The library has TCP look every 30 s whether its server is there. Here that would be thousands of probes
 * of one machine at the same moment, since all clients were told of the same event: no network has that.
 */
static void without_probes(struct load *load)
{
	const int off = 0;
	int *fds = NULL;
	size_t num = arrivals_sockets(load, load->port, &fds);

	check_memory(fds);
	for (size_t i = 0; i < num; i++) {
		(void)setsockopt(fds[i], SOL_SOCKET, SO_KEEPALIVE, &off, sizeof(off));
	}
	talloc_free(fds);
}

static void next_client(struct load *load)
{
	if (load->num < load->target) {
		client_start(load);
		return;
	}
	if (load->joining && load->joined + load->failed == load->target) {
		load->joining = false;
		without_probes(load);
		printf("{\"joined\": %zu, \"failed\": %zu, \"seconds\": %.3f, \"error\": \"%s\"}\n",
		       load->joined, load->failed, (double)(clock_ms() - load->join_ms) / 1000,
		       load->error);
		fflush(stdout);
	}
}

/* joined and failed count all clients ever, as num and target do. */
static void do_join(struct load *load, size_t count, size_t window)
{
	if (count == 0 || window == 0 || count > load->max - load->num || load->joining) {
		fprintf(stderr,
			"load_clients: join: at most %zu more clients, one join at a time\n",
			load->max - load->num);
		exit(2);
	}
	load->target = load->num + count;
	load->joining = true;
	load->join_ms = clock_ms();
	for (size_t i = 0; i < window && load->num < load->target; i++) {
		client_start(load);
	}
}

static void do_arm(struct load *load, size_t wanted)
{
	struct arrivals arrivals;
	int *fds = NULL;
	size_t num = arrivals_sockets(load, load->port, &fds);
	char line[16];
	int epfd;

	check_memory(fds);
	epfd = arrivals_arm(fds, num);
	if (epfd < 0) {
		fprintf(stderr, "load_clients: epoll: %s\n", strerror(errno));
		exit(1);
	}
	puts("armed");
	fflush(stdout);
	arrivals = arrivals_wait(epfd, wanted, ARRIVAL_MS);
	arrivals_print(&arrivals);
	talloc_free(fds);
	/* Nobody reads, and asks again, before the server's work has been measured that led up to here. */
	if (fgets(line, sizeof(line), stdin) == NULL || strcmp(line, "read\n") != 0) {
		fputs("load_clients: arm: expected \"read\" after the arrivals\n", stderr);
		_exit(2);
	}
}

static void do_count(const struct load *load)
{
	printf("{\"notified\": %zu, \"told\": %zu, \"timeouts\": %zu, \"lost\": %zu, "
	       "\"error\": \"%s\"}\n",
	       load->notified, load->told, load->timeouts, load->lost, load->error);
	fflush(stdout);
}

static void do_forget(struct load *load)
{
	for (size_t i = 0; i < load->num; i++) {
		load->clients[i].told = false;
	}
	load->told = 0;
	do_count(load);
}

static void on_command(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
		       void *private_data)
{
	struct load *load = talloc_get_type_abort(private_data, struct load);
	size_t count = 0, window = 0;
	char line[128];

	if (fgets(line, sizeof(line), stdin) == NULL) {
		_exit(0); /* without the cleanup of OpenSSL, which threads may be using */
	}
	if (sscanf(line, "join %zu %zu %63s", &count, &window, load->address) == 3) {
		do_join(load, count, window);
	} else if (sscanf(line, "arm %zu", &count) == 1) {
		do_arm(load, count);
	} else if (strcmp(line, "count\n") == 0) {
		do_count(load);
	} else if (strcmp(line, "forget\n") == 0) {
		do_forget(load);
	} else {
		fprintf(stderr, "load_clients: what is %s", line);
		exit(2);
	}
}

/* ---- start ---- */

/* The text is cut where its colons are. */
static void add_user(struct load *load, char *text)
{
	struct rpc_cred *cred = &load->users[load->num_users++];

	cred->domain = strsep(&text, ":");
	cred->user = strsep(&text, ":");
	cred->password = text;
}

static int load_create(char **argv, int num_users, struct load **out)
{
	struct load *load = talloc_zero(NULL, struct load);

	check_memory(load);
	load->max = strtoul(argv[0], NULL, 10);
	load->port = (uint16_t)strtoul(argv[2], NULL, 10);
	load->keep_alive_s = (uint32_t)strtoul(argv[4], NULL, 10);
	load->auth_type = strcmp(argv[3], "krb5") == 0 ? RPC_AUTH_KRB5 : RPC_AUTH_NTLM;
	load->clients = talloc_zero_array(load, struct client, load->max);
	/* One at least, who is whoever the credential cache says. */
	load->users = talloc_zero_array(load, struct rpc_cred, (size_t)num_users + 1);
	load->ev = tevent_context_init(load);
	check_memory(load->ev);
	for (int i = 0; i < num_users; i++) {
		add_user(load, argv[5 + i]);
	}
	load->num_users = load->num_users > 0 ? load->num_users : 1;
	*out = load;
	return load->max == 0 || load->port == 0 ? EINVAL : ipaddr_parse(argv[1], &load->server);
}

int main(int argc, char **argv)
{
	struct load *load = NULL;

	if (argc < 6 || load_create(argv + 1, argc - 6, &load) != 0) {
		fprintf(stderr,
			"usage: load_clients MAX SERVER PORT ntlm|krb5 KEEPALIVE [USER...]\n");
		return 2;
	}
	arrivals_need_fds(load->max);
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* what has been read already wakes nobody */
	log_setup("load_clients", "stderr", LOG_WARNING);
	check_memory(rpc_auth_create(load, load->ev, NULL, &load->auth) == 0 ? load->auth : NULL);
	check_memory(tevent_add_fd(load->ev, load, STDIN_FILENO, TEVENT_FD_READ, on_command, load));
	tevent_loop_wait(load->ev);
	return 0;
}
