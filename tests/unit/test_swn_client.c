/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witness client against three nodes on loopback whose witness service does what a test says: the
 * order of its steps, whom it asks, and where it goes on. Anonymous: authentication has its own tests.
 */
#include "tests/unit/rpc_rig.h"
#include "witnessd/rpc/epm.h"
#include "witnessd/swn/client.h"

#define NODES 3

struct cluster;

struct node {
	struct cluster *cluster;
	unsigned int index; /* 0 is 127.0.79.1 */
	struct ipaddr addr;
	struct rpc_server *server;      /* NULL: the node is dead */
	struct tevent_req *waiting;     /* its AsyncNotify */
	unsigned int asked;             /* AsyncNotify calls in all */
	bool takes_over;                /* knows the handles of others, too */
	uint32_t answer_at_once;        /* a code for each AsyncNotify; 0: it waits */
	char registered[IPADDR_STRLEN]; /* the address of the last registration */
	uint32_t version;
};

struct cluster {
	struct rig rig; /* for its event loop and deadline only */
	uint16_t epm_port;
	struct node nodes[NODES];
	bool usable[NODES]; /* state AVAILABLE in the lists */
	bool resume;        /* what the client does after a loss */
	bool v1;            /* no RegisterEx, no UnRegisterEx */
	char log[2048];     /* "list1 register2 unregister2 ...": calls by node */
	struct swn_client *client;
	char events[2048]; /* "registered2 notified ..." */
	uint32_t last_type;
	int last_err;
};

static void note(char *text, size_t size, const char *what, unsigned int node)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s%u", len > 0 ? " " : "", what, node);
}

static void note_call(const struct node *node, const char *what)
{
	note(node->cluster->log, sizeof(node->cluster->log), what, node->index + 1);
}

/* ---- the witness service of a node ---- */

static int get_list(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	struct node *node = call->iface_private;
	struct swn_interface entries[NODES];
	struct swn_interface_list list = {.entries = entries, .num = NODES};
	uint8_t *stub = NULL;
	int err;

	note_call(node, "list");
	for (unsigned int i = 0; i < NODES; i++) {
		entries[i] = (struct swn_interface){
			.group_name = i == 0   ? "N1"
				      : i == 1 ? "N2"
					       : "N3",
			.version = SWN_VERSION_2,
			.state = node->cluster->usable[i] ? SWN_INTERFACE_AVAILABLE
							  : SWN_INTERFACE_UNAVAILABLE,
			.ipv4 = node->cluster->nodes[i].addr,
			.witness = i != node->index,
		};
	}
	err = swn_push_interface_list_reply(mem_ctx, &list, SWN_SUCCESS, &stub, &reply->stub_len);
	reply->stub = stub;
	return err;
}
RPC_OP_NOW(get_list)

static int do_register(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	struct node *node = call->iface_private;
	bool ex = call->opnum == SWN_REGISTER_EX;
	struct swn_handle handle = {.attributes = node->index, .uuid = {.b = {1}}};
	struct swn_register args;
	uint8_t *stub = NULL;
	int err = ex ? swn_pull_register_ex(mem_ctx, call->stub, call->stub_len, false, &args)
		     : swn_pull_register(mem_ctx, call->stub, call->stub_len, false, &args);

	assert_int_equal(err, 0);
	assert_string_equal(args.net_name, "FS");
	assert_string_equal(args.client_computer_name, "tester");
	note_call(node, "register");
	snprintf(node->registered, sizeof(node->registered), "%s", args.ip_address);
	node->version = args.version;
	err = swn_push_handle_reply(mem_ctx, &handle, SWN_SUCCESS, &stub, &reply->stub_len);
	reply->stub = stub;
	return err;
}
RPC_OP_NOW(do_register)

static int unregister(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	static const struct swn_handle none;
	struct node *node = call->iface_private;
	bool ex = call->opnum == SWN_UNREGISTER_EX;
	uint8_t *stub = NULL;
	int err;

	note_call(node, "unregister");
	err = ex ? swn_push_handle_reply(mem_ctx, &none, SWN_SUCCESS, &stub, &reply->stub_len)
		 : swn_push_werror_reply(mem_ctx, SWN_SUCCESS, &stub, &reply->stub_len);
	reply->stub = stub;
	return err;
}
RPC_OP_NOW(unregister)

struct notify_state {
	struct node *node;
	const struct swn_notify *notify;
	uint32_t werror;
};

static void notify_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
	struct notify_state *state = tevent_req_data(req, struct notify_state);

	if (state->node->waiting == req) {
		state->node->waiting = NULL;
	}
}

static struct tevent_req *notify_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				      const struct rpc_call *call)
{
	struct node *node = call->iface_private;
	struct notify_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct notify_state);
	struct swn_handle handle;

	assert_int_equal(swn_pull_handle(call->stub, call->stub_len, false, &handle), 0);
	if (!node->takes_over && node->answer_at_once != SWN_ERROR_NOT_FOUND) {
		assert_int_equal(handle.attributes, node->index); /* all 20 bytes come back */
	}
	assert_null(node->waiting);
	state->node = node;
	node->asked++;
	if (node->answer_at_once != 0) {
		state->werror = node->answer_at_once;
		tevent_req_done(req);
		return tevent_req_post(req, ev);
	}
	node->waiting = req;
	tevent_req_set_cleanup_fn(req, notify_cleanup);
	return req;
}

static int notify_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_reply *reply)
{
	struct notify_state *state = tevent_req_data(req, struct notify_state);
	uint8_t *stub = NULL;
	int err = swn_push_notify_reply(mem_ctx, state->notify, state->werror, &stub,
					&reply->stub_len);

	reply->stub = stub;
	return err;
}

static const struct rpc_op ops_v2[SWN_NUM_OPS] = {
	[SWN_GET_INTERFACE_LIST] = {"list", get_list_send, rpc_op_now_recv},
	[SWN_REGISTER] = {"register", do_register_send, rpc_op_now_recv},
	[SWN_UNREGISTER] = {"unregister", unregister_send, rpc_op_now_recv},
	[SWN_ASYNC_NOTIFY] = {"notify", notify_send, notify_recv},
	[SWN_REGISTER_EX] = {"register_ex", do_register_send, rpc_op_now_recv},
	[SWN_UNREGISTER_EX] = {"unregister_ex", unregister_send, rpc_op_now_recv},
};
static const struct rpc_iface iface_v2 = {.name = "witness",
					  .syntax = RPC_SYNTAX_WITNESS,
					  .ops = ops_v2,
					  .num_ops = SWN_NUM_OPS,
					  .mapped = true};
static const struct rpc_iface iface_v1 = {.name = "witness",
					  .syntax = RPC_SYNTAX_WITNESS,
					  .ops = ops_v2,
					  .num_ops = SWN_REGISTER_EX,
					  .mapped = true};

/* @return false when the port is taken at this address */
static bool node_start(struct node *node)
{
	struct cluster *cluster = node->cluster;
	struct rpc_endpoint *mapper = NULL, *witness = NULL;
	uint16_t port = 0;

	assert_int_equal(rpc_server_create(cluster, cluster->rig.ev, &rpc_limits_default, NULL,
					   &node->server),
			 0);
	assert_int_equal(rpc_endpoint_create(node->server, "epmapper", &mapper), 0);
	assert_int_equal(rpc_endpoint_serve(mapper, &rpc_epm_iface, node->server), 0);
	assert_int_equal(rpc_endpoint_create(node->server, "witness", &witness), 0);
	assert_int_equal(rpc_endpoint_serve(witness, cluster->v1 ? &iface_v1 : &iface_v2, node), 0);
	assert_int_equal(rpc_endpoint_listen(witness, &node->addr, 0, &port), 0);
	if (rpc_endpoint_listen(mapper, &node->addr, cluster->epm_port, &port) != 0) {
		TALLOC_FREE(node->server);
		return false;
	}
	cluster->epm_port = port;
	return true;
}

static void cluster_stop(struct cluster *cluster)
{
	for (unsigned int i = 0; i < NODES; i++) {
		TALLOC_FREE(cluster->nodes[i].server);
	}
}

/* All mappers on one port, as in life. */
static void cluster_start(struct cluster *cluster)
{
	for (int tries = 0; tries < 100; tries++) {
		cluster->epm_port = 0;
		if (node_start(&cluster->nodes[0]) && node_start(&cluster->nodes[1]) &&
		    node_start(&cluster->nodes[2])) {
			return;
		}
		cluster_stop(cluster);
	}
	fail_msg("no port is free on all addresses");
}

static int setup(void **state)
{
	struct cluster *cluster = talloc_zero(NULL, struct cluster);
	char text[IPADDR_STRLEN];

	cluster->rig.ev = tevent_context_init(cluster);
	for (unsigned int i = 0; i < NODES; i++) {
		cluster->nodes[i].cluster = cluster;
		cluster->nodes[i].index = i;
		cluster->usable[i] = true;
		snprintf(text, sizeof(text), "127.0.79.%u", i + 1);
		assert_int_equal(ipaddr_parse(text, &cluster->nodes[i].addr), 0);
	}
	*state = cluster;
	return 0;
}

static int teardown(void **state)
{
	struct cluster *cluster = *state;

	TALLOC_FREE(cluster->client);
	cluster_stop(cluster);
	talloc_free(cluster);
	return 0;
}

/* ---- the client, and what it says ---- */

static void on_event(void *private_data, const struct swn_client_event *event)
{
	static const char *const names[] = {
		[SWN_CLIENT_REGISTERED] = "registered", [SWN_CLIENT_NOTIFIED] = "notified",
		[SWN_CLIENT_REREGISTERING] = "again",   [SWN_CLIENT_LOST] = "lost",
		[SWN_CLIENT_FAILED] = "failed",         [SWN_CLIENT_RESUMED] = "resumed",
	};
	struct cluster *cluster = private_data;

	note(cluster->events, sizeof(cluster->events), names[event->type],
	     event->witness.family == AF_INET ? event->witness.bytes[3] : 0);
	cluster->last_err = event->err;
	if (event->notify != NULL) {
		cluster->last_type = event->notify->type;
	}
	assert_true(event->why != NULL || event->type == SWN_CLIENT_REGISTERED ||
		    event->type == SWN_CLIENT_RESUMED || event->type == SWN_CLIENT_NOTIFIED);
}

/* A client of the SMB server on node 1. */
static void watch_from(struct cluster *cluster, const struct ipaddr *server)
{
	struct swn_client_params params = {
		.net_name = "FS",
		.client_name = "tester",
		.server = *server,
		.epm_port = cluster->epm_port,
		.keep_alive_s = 120,
		.resume = cluster->resume,
		.auth_type = RPC_AUTH_NONE,
		.auth_level = RPC_LEVEL_NONE,
		.timeout_ms = 5000,
	};

	assert_int_equal(swn_client_create(cluster, cluster->rig.ev, &params, on_event, cluster,
					   &cluster->client),
			 0);
}

static void watch(struct cluster *cluster)
{
	watch_from(cluster, &cluster->nodes[0].addr);
}

#define UNTIL(cluster, cond) RIG_UNTIL(&(cluster)->rig, cond)

static bool has_event(const struct cluster *cluster, const char *event)
{
	return strstr(cluster->events, event) != NULL;
}

static void wait_asking(struct cluster *cluster, unsigned int node)
{
	UNTIL(cluster, cluster->nodes[node - 1].waiting != NULL);
}

/* Answer the AsyncNotify that waits on a node. */
static void answer(struct cluster *cluster, unsigned int node, uint32_t werror,
		   const struct swn_notify *notify)
{
	struct tevent_req *req = cluster->nodes[node - 1].waiting;
	struct notify_state *state = tevent_req_data(req, struct notify_state);

	state->werror = werror;
	state->notify = notify;
	tevent_req_done(req);
}

static void answer_state(struct cluster *cluster, unsigned int node, uint32_t resource_state)
{
	struct swn_resource_change change = {.state = resource_state, .name = "FS"};
	const struct swn_notify notify = {
		.type = SWN_RESOURCE_CHANGE, .changes = &change, .num_changes = 1};
	unsigned int asked = cluster->nodes[node - 1].asked;

	answer(cluster, node, SWN_SUCCESS, &notify);
	UNTIL(cluster, cluster->nodes[node - 1].asked > asked);
}

/* ---- tests ---- */

static void test_lists_then_registers_elsewhere(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	assert_string_equal(cluster->log, "list1 register2");
	UNTIL(cluster, has_event(cluster, "registered2"));
	assert_string_equal(cluster->nodes[1].registered, "127.0.79.1");
	assert_int_equal(cluster->nodes[1].version, SWN_VERSION_2);
}

static void test_notifications_are_handed_on_and_asked_for_again(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	answer_state(cluster, 2, SWN_RESOURCE_UNAVAILABLE);
	answer_state(cluster, 2, SWN_RESOURCE_AVAILABLE);
	answer(cluster, 2, SWN_ERROR_TIMEOUT, NULL);
	UNTIL(cluster, cluster->nodes[1].asked == 4);
	assert_string_equal(cluster->events, "registered2 notified2 notified2");
	assert_string_equal(cluster->log, "list1 register2");
}

static void test_starts_over_on_not_found(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	answer(cluster, 2, SWN_ERROR_NOT_FOUND, NULL);
	UNTIL(cluster, cluster->nodes[1].asked == 2);
	assert_string_equal(cluster->log, "list1 register2 unregister2 list1 register2");
}

/* The next list comes from the node that the address is said to have moved to. */
static void test_follows_a_move(void **state)
{
	struct cluster *cluster = *state;
	struct swn_ipaddr addr = {.flags = SWN_IPADDR_V4 | SWN_IPADDR_ONLINE};
	const struct swn_notify notify = {.type = SWN_CLIENT_MOVE, .addrs = &addr, .num_addrs = 1};

	cluster_start(cluster);
	addr.ip = cluster->nodes[1].addr;
	watch(cluster);
	wait_asking(cluster, 2);
	answer(cluster, 2, SWN_SUCCESS, &notify);
	UNTIL(cluster, cluster->nodes[1].asked == 2);
	answer(cluster, 2, SWN_ERROR_NOT_FOUND, NULL);
	wait_asking(cluster, 1);
	assert_string_equal(cluster->log, "list1 register2 unregister2 list2 register1");
	assert_string_equal(cluster->nodes[0].registered, "127.0.79.2");
	assert_int_equal(cluster->last_type, SWN_CLIENT_MOVE);
}

/* The address that it has left is down a moment later: the server that it is with now is not. */
static void test_what_was_left_may_go(void **state)
{
	struct cluster *cluster = *state;
	struct swn_ipaddr addr = {.flags = SWN_IPADDR_V4 | SWN_IPADDR_ONLINE};
	const struct swn_notify notify = {.type = SWN_CLIENT_MOVE, .addrs = &addr, .num_addrs = 1};

	cluster_start(cluster);
	addr.ip = cluster->nodes[2].addr;
	watch(cluster);
	wait_asking(cluster, 2);
	answer(cluster, 2, SWN_SUCCESS, &notify);
	UNTIL(cluster, cluster->nodes[1].asked == 2);
	answer_state(cluster, 2, SWN_RESOURCE_UNAVAILABLE);
	answer(cluster, 2, SWN_ERROR_NOT_FOUND, NULL);
	wait_asking(cluster, 1);
	assert_string_equal(cluster->log, "list1 register2 unregister2 list3 register1");
}

/* Nobody answers at an address that is lost: the witness is asked, and the address stays. */
static void test_asks_the_witness_when_the_server_is_lost(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	TALLOC_FREE(cluster->nodes[0].server);
	cluster->usable[0] = false;
	answer_state(cluster, 2, SWN_RESOURCE_UNAVAILABLE);
	answer(cluster, 2, SWN_ERROR_NOT_FOUND, NULL);
	wait_asking(cluster, 3);
	assert_string_equal(cluster->log, "list1 register2 unregister2 list2 register3");
	assert_string_equal(cluster->nodes[2].registered, "127.0.79.1");
}

static void test_takes_the_next_witness_when_one_is_lost(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	TALLOC_FREE(cluster->nodes[1].server);
	wait_asking(cluster, 3);
	UNTIL(cluster, has_event(cluster, "registered3"));
	assert_string_equal(cluster->events, "registered2 lost2 registered3");
	assert_string_equal(cluster->log, "list1 register2 register3");
}

static void test_takes_the_next_witness_when_one_does_not_serve(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	TALLOC_FREE(cluster->nodes[1].server);
	watch(cluster);
	UNTIL(cluster, has_event(cluster, "registered3"));
	assert_string_equal(cluster->events, "failed2 registered3");
}

/* Its witness is another one now, which does not know the registration: one of the others may. */
static void lose_and_return(struct cluster *cluster)
{
	cluster->resume = true;
	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	TALLOC_FREE(cluster->nodes[1].server);
	cluster->nodes[1].answer_at_once = SWN_ERROR_NOT_FOUND;
	UNTIL(cluster, has_event(cluster, "lost2 failed2")); /* nobody is there: the same again */
	assert_true(node_start(&cluster->nodes[1]));
}

static void test_asks_others_for_its_registration(void **state)
{
	struct cluster *cluster = *state;

	cluster->nodes[2].takes_over = true;
	lose_and_return(cluster);
	wait_asking(cluster, 3);
	UNTIL(cluster, has_event(cluster, "resumed2 failed2 resumed3"));
	assert_string_equal(cluster->log, "list1 register2");
	/* What it says is heard, and its end is an end. */
	answer_state(cluster, 3, SWN_RESOURCE_AVAILABLE);
	answer(cluster, 3, SWN_ERROR_NOT_FOUND, NULL);
	UNTIL(cluster, has_event(cluster, "again3 registered"));
}

static void test_starts_over_when_nobody_knows_its_registration(void **state)
{
	struct cluster *cluster = *state;

	cluster->nodes[2].answer_at_once = SWN_ERROR_NOT_FOUND;
	lose_and_return(cluster);
	UNTIL(cluster, has_event(cluster, "resumed2 failed2 resumed3 again3"));
	UNTIL(cluster, strstr(cluster->log, "list1 register2 unregister3 list1 register2") != NULL);
}

static void test_tries_again_while_there_is_no_witness(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	cluster->usable[1] = cluster->usable[2] = false;
	watch(cluster);
	UNTIL(cluster, has_event(cluster, "failed1"));
	assert_int_equal(cluster->last_err, ESRCH);
	cluster->usable[2] = true;
	UNTIL(cluster, has_event(cluster, "registered3"));
}

/* Once listed, the other nodes are asked when the server's does not answer. */
static void test_asks_others_when_the_server_is_silent(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	TALLOC_FREE(cluster->nodes[0].server);
	answer(cluster, 2, SWN_ERROR_NOT_FOUND, NULL);
	UNTIL(cluster, cluster->nodes[1].asked + cluster->nodes[2].asked == 2);
	assert_true(has_event(cluster, "again2 failed1"));
	assert_string_equal(cluster->nodes[0].registered, "");
}

static void test_a_server_of_version_1(void **state)
{
	struct cluster *cluster = *state;

	cluster->v1 = true;
	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	assert_int_equal(cluster->nodes[1].version, SWN_VERSION_1);
	answer(cluster, 2, SWN_ERROR_NOT_FOUND, NULL);
	UNTIL(cluster, cluster->nodes[1].asked == 2);
	assert_string_equal(cluster->log, "list1 register2 unregister2 list1 register2");
}

/* Answers without news, one after the other, must not become a busy loop. */
static void test_answers_without_news(void **state)
{
	struct cluster *cluster = *state;
	bool over = false;

	cluster->nodes[1].answer_at_once = SWN_ERROR_TIMEOUT;
	cluster_start(cluster);
	watch(cluster);
	UNTIL(cluster, cluster->nodes[1].asked > 0);
	assert_non_null(tevent_add_timer(cluster->rig.ev, cluster,
					 tevent_timeval_current_ofs(0, 500000), rig_expired,
					 &over));
	UNTIL(cluster, over);
	assert_in_range(cluster->nodes[1].asked, 2, 8);
	assert_string_equal(cluster->events, "registered2");
}

static void test_an_error_of_async_notify_ends_the_registration(void **state)
{
	struct cluster *cluster = *state;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	answer(cluster, 2, SWN_ERROR_ACCESS_DENIED, NULL);
	UNTIL(cluster, has_event(cluster, "lost2"));
	assert_int_equal(cluster->last_err, EACCES);
	UNTIL(cluster, has_event(cluster, "registered3"));
}

static void test_stopping_unregisters(void **state)
{
	struct cluster *cluster = *state;
	struct tevent_req *req;

	cluster_start(cluster);
	watch(cluster);
	wait_asking(cluster, 2);
	UNTIL(cluster, has_event(cluster, "registered2"));
	req = swn_client_stop_send(cluster, cluster->rig.ev, cluster->client, 5000);
	assert_true(tevent_req_poll(req, cluster->rig.ev));
	assert_int_equal(swn_client_stop_recv(req), 0);
	talloc_free(req);
	assert_string_equal(cluster->log, "list1 register2 unregister2");
	assert_string_equal(cluster->events, "registered2");
	UNTIL(cluster, cluster->nodes[1].waiting == NULL);
}

static void test_stopping_before_anything(void **state)
{
	struct cluster *cluster = *state;
	struct tevent_req *req;

	cluster_start(cluster);
	watch(cluster);
	req = swn_client_stop_send(cluster, cluster->rig.ev, cluster->client, 5000);
	assert_true(tevent_req_poll(req, cluster->rig.ev));
	assert_int_equal(swn_client_stop_recv(req), 0);
	talloc_free(req);
	assert_string_equal(cluster->events, "");
}

static void test_addresses_have_no_witness(void **state)
{
	struct cluster *cluster = *state;
	struct swn_client_params params = {
		.net_name = "10.0.0.1", .client_name = "tester", .server = cluster->nodes[0].addr};
	struct swn_client *client = NULL;

	assert_int_equal(
		swn_client_create(cluster, cluster->rig.ev, &params, on_event, cluster, &client),
		EINVAL);
	params.net_name = NULL;
	assert_int_equal(
		swn_client_create(cluster, cluster->rig.ev, &params, on_event, cluster, &client),
		EINVAL);
	assert_null(client);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_lists_then_registers_elsewhere),
		CASE(test_notifications_are_handed_on_and_asked_for_again),
		CASE(test_starts_over_on_not_found),
		CASE(test_follows_a_move),
		CASE(test_what_was_left_may_go),
		CASE(test_asks_the_witness_when_the_server_is_lost),
		CASE(test_takes_the_next_witness_when_one_is_lost),
		CASE(test_takes_the_next_witness_when_one_does_not_serve),
		CASE(test_asks_others_for_its_registration),
		CASE(test_starts_over_when_nobody_knows_its_registration),
		CASE(test_tries_again_while_there_is_no_witness),
		CASE(test_asks_others_when_the_server_is_silent),
		CASE(test_a_server_of_version_1),
		CASE(test_answers_without_news),
		CASE(test_an_error_of_async_notify_ends_the_registration),
		CASE(test_stopping_unregisters),
		CASE(test_stopping_before_anything),
		CASE(test_addresses_have_no_witness),
	};

	alarm(120); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
