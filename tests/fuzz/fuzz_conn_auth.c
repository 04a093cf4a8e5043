/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server connection whose client authenticates, from its first byte to its end, as in fuzz_conn.c. After the
 * byte that says how long a call waits comes the mechanism's part (gss_script.h), then the client's stream. No
 * call comes to its operation as somebody, or as protected, that the mechanism has not said so of.
 */
#include <stdlib.h>

#include "tests/fuzz/conn_target.h"
#include "tests/fuzz/gss_script.h"
#include "witnessd/rpc/conn.h"

#define FIXED (1 + GSS_SCRIPT_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int protected_calls;

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static void called(const struct rpc_call *call, enum rpc_auth_level min_level)
{
	const struct gss_script_stats *stats = gss_script_stats();
	const struct rpc_identity *who = &call->identity;

	must(who->level >= min_level);
	must((who->level == RPC_LEVEL_NONE) == (who->principal == NULL));
	must((who->level == RPC_LEVEL_NONE) == (who->type == RPC_AUTH_NONE));
	must(who->level == RPC_LEVEL_NONE || stats->completed > 0);
	protected_calls += who->level >= RPC_LEVEL_PACKET;
	must(protected_calls <= stats->verified);
}

/* A step that does not end is waited for until the time for the negotiation is over. */
static void turn(struct rpc_server *server)
{
	gss_script_run();
	if (gss_script_hangs() && !qb_list_empty(&server->conns)) {
		conn_limit(qb_list_first_entry(&server->conns, struct rpc_conn, list),
			   RPC_LIMIT_AUTH_TIME);
	}
}

static void start(void)
{
	struct conn_target target = {.called = called, .turn = turn};
	struct rpc_principal *many = NULL;
	struct rpc_server *server;

	target.loop = tevent_context_init(NULL);
	target.auth = gss_script_auth(target.loop, true);
	server = conn_target_start(&target);
	must(rpc_principal_enter(server, GSS_SCRIPT_MANY, &many) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;

	if (size < FIXED) {
		return 0;
	}
	if (!started) {
		start();
		started = true;
	}
	protected_calls = 0;
	gss_script_begin(data + 1);
	conn_target_run(data[0], data + FIXED, size - FIXED);
	must(gss_script_stats()->contexts == 0 && gss_script_stats()->names_etc == 0);
	return 0;
}
