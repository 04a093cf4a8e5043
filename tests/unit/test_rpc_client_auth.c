/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client against the real server in the same process: anonymous, NTLM raw and in SPNEGO. */

#include "tests/unit/ntlm_rig.h"
#include "tests/unit/rpc_rig.h"
#include "witnessd/rpc/client_private.h"

#define BIG 50000U

struct client_rig {
	struct rig *rig;
	struct ntlm_rig ntlm;
	struct rpc_cred cred;
};

static int setup(void **state)
{
	struct client_rig *c = talloc_zero(NULL, struct client_rig);

	ntlm_start(&c->ntlm);
	c->cred = ntlm_cred();
	c->rig = rig_new();
	assert_int_equal(rpc_auth_create(c->rig, c->rig->ev, &c->ntlm.config, &c->rig->auth), 0);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct client_rig *c = *state;

	TALLOC_FREE(c->rig->server);
	talloc_free(c->rig);
	ntlm_stop(&c->ntlm);
	talloc_free(c);
	return 0;
}

static int connect_as(struct client_rig *c, const struct rpc_syntax *iface, uint8_t type,
		      uint8_t level, uint16_t max_frag, struct rpc_client **out)
{
	struct rpc_client_params params = {
		.addr = rig_loopback(),
		.port = c->rig->port,
		.iface = *iface,
		.auth_type = type,
		.auth_level = level,
		.cred = &c->cred,
		.target = "cifs@witnode.test",
		.auth = c->rig->auth,
		.max_frag = max_frag,
		.timeout_ms = RIG_DEADLINE_S * 1000,
	};
	struct tevent_req *req = rpc_client_connect_send(c->rig, c->rig->ev, &params);
	char *why = NULL;
	int err;

	assert_true(tevent_req_poll(req, c->rig->ev));
	err = rpc_client_connect_recv(req, c->rig, out, &why);
	if (err != 0) {
		print_message("%s\n", why);
	}
	talloc_free(why);
	talloc_free(req);
	return err;
}

static uint32_t call(struct client_rig *c, struct rpc_client *client, uint16_t opnum,
		     const void *in, size_t in_len, uint8_t **out, size_t *out_len)
{
	struct tevent_req *req = rpc_client_call_send(c->rig, c->rig->ev, client, opnum, in, in_len,
						      RIG_DEADLINE_S * 1000);
	uint32_t fault = 0;

	assert_true(tevent_req_poll(req, c->rig->ev));
	assert_int_equal(rpc_client_call_recv(req, c->rig, &fault, out, out_len), 0);
	talloc_free(req);
	return fault;
}

/* A large answer, several fragments and calls: the signatures' sequence must hold all along. */
static void use(struct client_rig *c, struct rpc_client *client)
{
	const uint8_t size[4] = {BIG & 0xff, BIG >> 8 & 0xff, 0, 0};
	uint8_t *in = talloc_zero_array(c->rig, uint8_t, BIG);
	uint8_t *out = NULL;
	size_t len = 0;

	assert_int_equal(call(c, client, RIG_ECHO, "abc", 3, &out, &len), 0);
	assert_true(len >= 3); /* the trailer comes back, too */
	assert_memory_equal(out, "abc", 3);
	assert_int_equal(call(c, client, RIG_SIZE, size, 4, &out, &len), 0);
	assert_int_equal(len, BIG);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(out[i], (uint8_t)i);
	}
	for (size_t i = 0; i < BIG; i++) {
		in[i] = (uint8_t)(i * 7);
	}
	assert_int_equal(call(c, client, RIG_ECHO, in, BIG, &out, &len), 0);
	assert_true(len >= BIG);
	assert_memory_equal(out, in, BIG);
	assert_int_equal(call(c, client, RIG_HOLE, NULL, 0, &out, &len), RPC_FAULT_OP_RNG_ERROR);
	assert_int_equal(call(c, client, RIG_ECHO, NULL, 0, &out, &len), 0);
}

static void expect_who(struct client_rig *c, struct rpc_client *client, uint8_t level,
		       const char *name)
{
	char *text;
	uint8_t *out = NULL;
	size_t len = 0;

	assert_int_equal(call(c, client, RIG_WHO, NULL, 0, &out, &len), 0);
	text = talloc_strndup(c->rig, (const char *)out, len);
	assert_int_equal(text[0] - '0', level);
	assert_string_equal(text + 2, name);
}

static void test_anonymous(void **state)
{
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;

	rig_start(c->rig);
	assert_int_equal(
		connect_as(c, &rig_open_iface.syntax, RPC_AUTH_NONE, RPC_LEVEL_NONE, 0, &client),
		0);
	assert_true(rpc_client_mpx(client));
	assert_int_not_equal(client->assoc_group_id, 0);
	use(c, client);
	expect_who(c, client, RPC_LEVEL_NONE, "-");
}

static void test_anonymous_is_refused_by_the_strict(void **state)
{
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;
	uint8_t *out = NULL;
	size_t len = 0;

	rig_start(c->rig);
	assert_int_equal(
		connect_as(c, &rig_strict_iface.syntax, RPC_AUTH_NONE, RPC_LEVEL_NONE, 0, &client),
		0);
	assert_int_equal(call(c, client, RIG_ECHO, NULL, 0, &out, &len), RPC_FAULT_ACCESS_DENIED);
}

static void ntlm_at(void **state, uint8_t type, uint8_t level, uint16_t max_frag)
{
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;

	rig_start(c->rig);
	assert_int_equal(connect_as(c, &rig_strict_iface.syntax, type, level, max_frag, &client),
			 0);
	use(c, client);
	expect_who(c, client, level, NTLM_DOMAIN "\\" NTLM_USER);
}

static void test_spnego_integrity(void **state)
{
	ntlm_at(state, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY, 0);
}

static void test_spnego_privacy(void **state)
{
	ntlm_at(state, RPC_AUTH_SPNEGO, RPC_LEVEL_PRIVACY, 0);
}

static void test_spnego_privacy_small_fragments(void **state)
{
	ntlm_at(state, RPC_AUTH_SPNEGO, RPC_LEVEL_PRIVACY, 2048);
}

static void test_raw_ntlm_integrity(void **state)
{
	ntlm_at(state, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY, 0);
}

static void test_raw_ntlm_privacy(void **state)
{
	ntlm_at(state, RPC_AUTH_NTLM, RPC_LEVEL_PRIVACY, 4280);
}

static void test_wrong_password(void **state)
{
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;

	c->cred.password = "wrong";
	rig_start(c->rig);
	assert_int_equal(connect_as(c, &rig_strict_iface.syntax, RPC_AUTH_SPNEGO,
				    RPC_LEVEL_INTEGRITY, 0, &client),
			 EACCES);
	assert_null(client);
}

/* Raw NTLM ends with auth3, which has no answer: the refusal comes with the first call. */
static void test_wrong_password_raw(void **state)
{
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;
	uint8_t *out = NULL;
	size_t len = 0;

	c->cred.password = "wrong";
	rig_start(c->rig);
	assert_int_equal(connect_as(c, &rig_strict_iface.syntax, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY,
				    0, &client),
			 0);
	assert_int_equal(call(c, client, RIG_ECHO, NULL, 0, &out, &len), RPC_FAULT_ACCESS_DENIED);
}

static void test_not_served(void **state)
{
	static const struct rpc_syntax other = RPC_SYNTAX_WITNESS;
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;

	rig_start(c->rig);
	assert_int_equal(connect_as(c, &other, RPC_AUTH_NONE, RPC_LEVEL_NONE, 0, &client),
			 EPROTONOSUPPORT);
}

/* As a watching client does: one call open for long, others meanwhile. */
static void test_calls_beside_one_that_waits(void **state)
{
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;
	struct tevent_req *waiting;
	uint32_t fault = 0;
	uint8_t *out = NULL;
	size_t len = 0;

	rig_start(c->rig);
	assert_int_equal(connect_as(c, &rig_strict_iface.syntax, RPC_AUTH_SPNEGO,
				    RPC_LEVEL_INTEGRITY, 0, &client),
			 0);
	waiting = rpc_client_call_send(c->rig, c->rig->ev, client, RIG_WAIT, NULL, 0, 0);
	RIG_UNTIL(c->rig, c->rig->num_waiters == 1);
	use(c, client);
	rig_release(c->rig);
	assert_true(tevent_req_poll(waiting, c->rig->ev));
	assert_int_equal(rpc_client_call_recv(waiting, c->rig, &fault, &out, &len), 0);
	assert_memory_equal(out, "done", 4);
	talloc_free(waiting);
}

static void test_cancel(void **state)
{
	struct client_rig *c = *state;
	struct rpc_client *client = NULL;
	struct tevent_req *waiting;
	uint32_t fault = 0;
	uint8_t *out = NULL;
	size_t len = 0;

	rig_start(c->rig);
	assert_int_equal(connect_as(c, &rig_strict_iface.syntax, RPC_AUTH_NTLM, RPC_LEVEL_PRIVACY,
				    0, &client),
			 0);
	waiting = rpc_client_call_send(c->rig, c->rig->ev, client, RIG_WAIT, NULL, 0, 0);
	RIG_UNTIL(c->rig, c->rig->num_waiters == 1);
	assert_int_equal(rpc_client_cancel(waiting), 0);
	assert_true(tevent_req_poll(waiting, c->rig->ev));
	assert_int_equal(rpc_client_call_recv(waiting, c->rig, &fault, &out, &len), 0);
	assert_int_equal(fault, RPC_FAULT_CANCEL);
	talloc_free(waiting);
	use(c, client); /* the fault has taken no sequence number */
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_anonymous),
		CASE(test_anonymous_is_refused_by_the_strict),
		CASE(test_spnego_integrity),
		CASE(test_spnego_privacy),
		CASE(test_spnego_privacy_small_fragments),
		CASE(test_raw_ntlm_integrity),
		CASE(test_raw_ntlm_privacy),
		CASE(test_wrong_password),
		CASE(test_wrong_password_raw),
		CASE(test_not_served),
		CASE(test_calls_beside_one_that_waits),
		CASE(test_cancel),
	};

	alarm(120); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
