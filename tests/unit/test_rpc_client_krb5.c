/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client against the real server by Kerberos, with a KDC of the test's own: the raw mechanism, whose
 * last leg is an auth3, and SPNEGO, whose legs are all alter_context.
 */
#include "tests/unit/kdc_rig.h"
#include "witnessd/rpc/client.h"
#include "witnessd/rpc/server.h"

#define CALLS      5
#define TIMEOUT_MS 20000

struct krb5_rig {
	struct kdc_rig kdc;
	struct tevent_context *ev;
	struct rpc_auth *auth;
	struct rpc_server *server;
	struct ipaddr addr;
	uint16_t port;
	struct rpc_cred cred;
};

static int setup(void **state)
{
	struct krb5_rig *rig = talloc_zero(NULL, struct krb5_rig);
	struct rpc_auth_config config = {.krb5 = true, .threads = 2};
	struct rpc_endpoint *endpoint = NULL;
	char keytab[128];

	kdc_start(&rig->kdc);
	kdc_add_service(&rig->kdc, "fs", "aes256-cts", "keytab");
	config.keytab = kdc_path(&rig->kdc, "keytab", keytab);
	rig->ev = tevent_context_init(rig);
	assert_int_equal(rpc_auth_create(rig, rig->ev, &config, &rig->auth), 0);
	assert_int_equal(
		rpc_server_create(rig, rig->ev, &rpc_limits_default, rig->auth, &rig->server), 0);
	assert_int_equal(rpc_endpoint_create(rig->server, "test", &endpoint), 0);
	assert_int_equal(ipaddr_parse("127.0.0.1", &rig->addr), 0);
	assert_int_equal(rpc_endpoint_listen(endpoint, &rig->addr, 0, &rig->port), 0);
	rig->cred = (struct rpc_cred){
		.user = KDC_USER, .domain = KDC_REALM, .password = KDC_PASSWORD, .no_ntlm = true};
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct krb5_rig *rig = *state;

	TALLOC_FREE(rig->server);
	TALLOC_FREE(rig->auth);
	kdc_stop(&rig->kdc);
	talloc_free(rig);
	return 0;
}

static int connect_by(struct krb5_rig *rig, uint8_t type, uint8_t level, const char *target,
		      struct rpc_client **out)
{
	struct rpc_client_params params = {
		.addr = rig->addr,
		.port = rig->port,
		.iface = RPC_SYNTAX_MGMT,
		.auth_type = type,
		.auth_level = level,
		.cred = &rig->cred,
		.target = target,
		.auth = rig->auth,
		.timeout_ms = TIMEOUT_MS,
	};
	struct tevent_req *req = rpc_client_connect_send(rig, rig->ev, &params);
	char *why = NULL;
	int err;

	assert_true(tevent_req_poll(req, rig->ev));
	err = rpc_client_connect_recv(req, rig, out, &why);
	if (err != 0) {
		print_message("%s\n", why);
	}
	talloc_free(req);
	return err;
}

/* is_server_listening: the client has checked the answer's signature when it gives it to us. */
static void expect_listening(struct krb5_rig *rig, struct rpc_client *client)
{
	static const uint8_t listening[] = {0, 0, 0, 0, 1, 0, 0, 0};
	struct tevent_req *req = rpc_client_call_send(rig, rig->ev, client, 2, NULL, 0, TIMEOUT_MS);
	uint32_t fault = 0;
	uint8_t *stub = NULL;
	size_t len = 0;

	assert_true(tevent_req_poll(req, rig->ev));
	assert_int_equal(rpc_client_call_recv(req, rig, &fault, &stub, &len), 0);
	assert_int_equal(fault, 0);
	assert_int_equal(len, sizeof(listening));
	assert_memory_equal(stub, listening, len);
	talloc_free(req);
}

static void test_all_types_and_levels(void **state)
{
	static const uint8_t types[] = {RPC_AUTH_KRB5, RPC_AUTH_SPNEGO};
	static const uint8_t levels[] = {RPC_LEVEL_INTEGRITY, RPC_LEVEL_PRIVACY};
	struct krb5_rig *rig = *state;

	for (size_t t = 0; t < 2; t++) {
		for (size_t l = 0; l < 2; l++) {
			struct rpc_client *client = NULL;

			assert_int_equal(
				connect_by(rig, types[t], levels[l], "cifs@fs.wit.test", &client),
				0);
			for (int i = 0; i < CALLS; i++) {
				expect_listening(rig, client);
			}
			talloc_free(client);
		}
	}
}

static void test_the_default_credential_cache(void **state)
{
	struct krb5_rig *rig = *state;
	struct rpc_client *client = NULL;
	char path[128];

	rig->cred = (struct rpc_cred){.no_ntlm = true};
	assert_int_equal(
		connect_by(rig, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY, "cifs@fs.wit.test", &client),
		ENOENT); /* nobody has logged on */
	kdc_admin(&rig->kdc, "ktadd -norandkey -k %s %s", kdc_path(&rig->kdc, "user.keytab", path),
		  KDC_USER);
	kdc_run(&rig->kdc, (const char *const[]){"kinit", "-k", "-t", path, KDC_USER, NULL});
	assert_int_equal(
		connect_by(rig, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY, "cifs@fs.wit.test", &client),
		0);
	expect_listening(rig, client);
}

static void test_wrong_credentials(void **state)
{
	struct krb5_rig *rig = *state;
	struct rpc_client *client = NULL;

	rig->cred.password = "wrong";
	assert_int_equal(
		connect_by(rig, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY, "cifs@fs.wit.test", &client),
		EACCES);
	assert_null(client);
}

static void test_a_service_that_the_kdc_does_not_know(void **state)
{
	struct krb5_rig *rig = *state;
	struct rpc_client *client = NULL;

	assert_int_equal(connect_by(rig, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY,
				    "cifs@other.wit.test", &client),
			 EACCES);
	assert_null(client);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_all_types_and_levels),
		CASE(test_the_default_credential_cache),
		CASE(test_wrong_credentials),
		CASE(test_a_service_that_the_kdc_does_not_know),
	};

	alarm(180); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
