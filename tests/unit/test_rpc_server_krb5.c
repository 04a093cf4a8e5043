/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole calls with Kerberos, raw (last leg in auth3) and in SPNEGO (in alter_context), against a real KDC. */
#include "tests/unit/kdc_rig.h"
#include "tests/unit/rpc_rig.h"
#include "witnessd/rpc/client.h"
#include "witnessd/util/clock.h"

#define BIG 20000U

struct krb5_rig {
	struct rig *rig;
	struct kdc_rig kdc;
};

/* @return the client, or NULL and why, which belongs to the rig */
static struct rpc_client *try_to_connect(struct krb5_rig *k, uint8_t type, uint8_t level,
					 uint16_t max_frag, char **why)
{
	const struct rpc_cred cred = {
		.user = KDC_USER, .domain = KDC_REALM, .password = KDC_PASSWORD, .no_ntlm = true};
	struct rpc_client_params params = {
		.addr = rig_loopback(),
		.port = k->rig->port,
		.iface = rig_strict_iface.syntax,
		.auth_type = type,
		.auth_level = level,
		.cred = &cred,
		.target = "cifs@aes.wit.test",
		.auth = k->rig->auth,
		.max_frag = max_frag,
		.timeout_ms = RIG_DEADLINE_S * 1000,
	};
	struct tevent_req *req = rpc_client_connect_send(k->rig, k->rig->ev, &params);
	struct rpc_client *client = NULL;

	assert_true(tevent_req_poll(req, k->rig->ev));
	(void)rpc_client_connect_recv(req, k->rig, &client, why);
	talloc_free(req);
	return client;
}

static struct rpc_client *connect_at(struct krb5_rig *k, uint8_t type, uint8_t level,
				     uint16_t max_frag)
{
	char *why = NULL;
	struct rpc_client *client = try_to_connect(k, type, level, max_frag, &why);

	if (client == NULL) {
		fail_msg("type %u level %u: %s", type, level, why);
	}
	return client;
}

/* @return the answer, whose length is *len */
static uint8_t *call(struct krb5_rig *k, struct rpc_client *client, uint16_t opnum,
		     const uint8_t *in, size_t in_len, size_t *len)
{
	struct tevent_req *req = rpc_client_call_send(k->rig, k->rig->ev, client, opnum, in, in_len,
						      RIG_DEADLINE_S * 1000);
	uint32_t fault = 0;
	uint8_t *out = NULL;

	assert_true(tevent_req_poll(req, k->rig->ev));
	assert_int_equal(rpc_client_call_recv(req, k->rig, &fault, &out, len), 0);
	assert_int_equal(fault, 0);
	talloc_free(req);
	return out;
}

static void use_at(struct krb5_rig *k, uint8_t type, uint8_t level, uint16_t max_frag)
{
	struct rpc_client *client = connect_at(k, type, level, max_frag);
	char who[64];
	uint8_t in[BIG], *out;
	size_t len;

	snprintf(who, sizeof(who), "%u " KDC_USER "@" KDC_REALM, (unsigned int)level);
	out = call(k, client, RIG_WHO, NULL, 0, &len);
	assert_int_equal(len, strlen(who));
	assert_memory_equal(out, who, len);
	for (size_t i = 0; i < BIG; i++) {
		in[i] = (uint8_t)(i * 11);
	}
	for (size_t n = BIG; n > BIG - 4; n--) { /* also what needs padding */
		out = call(k, client, RIG_ECHO, in, n, &len);
		assert_int_equal(len, n); /* the verification trailer was cut off */
		assert_memory_equal(out, in, n);
	}
	talloc_free(client);
}

static void calls_are_protected_in_fragments_both_ways(void **state)
{
	static const uint8_t types[] = {RPC_AUTH_KRB5, RPC_AUTH_SPNEGO};
	static const uint8_t levels[] = {RPC_LEVEL_INTEGRITY, RPC_LEVEL_PRIVACY};

	for (size_t t = 0; t < 2; t++) {
		for (size_t l = 0; l < 2; l++) {
			use_at(*state, types[t], levels[l], 2048);
			use_at(*state, types[t], levels[l], RPC_FRAG_MAX);
		}
	}
}

static bool is_served(struct krb5_rig *k, uint8_t type)
{
	char *why = NULL;
	struct rpc_client *client = try_to_connect(k, type, RPC_LEVEL_PRIVACY, RPC_FRAG_MAX, &why);
	bool served = client != NULL;

	talloc_free(client);
	talloc_free(why);
	return served;
}

static void wait_until_served(struct krb5_rig *k, uint8_t type)
{
	const uint64_t deadline = clock_ms() + RIG_DEADLINE_S * 1000;

	while (!is_served(k, type)) {
		assert_true(clock_ms() < deadline);
	}
}

/* Another file takes its place: the time alone would not tell two of them apart. */
static void replace_keytab(struct krb5_rig *k, const char *with)
{
	char from[128], temp[128], to[128];

	assert_int_equal(link(kdc_path(&k->kdc, with, from), kdc_path(&k->kdc, "temp", temp)), 0);
	assert_int_equal(rename(temp, kdc_path(&k->kdc, "late", to)), 0);
}

/* As after "net ads keytab create" on a node where witnessd runs. */
static void a_keytab_that_comes_late_serves_clients(void **state)
{
	struct krb5_rig *k = *state, late = {.rig = rig_new(), .kdc = k->kdc};
	char path[128];
	struct rpc_auth_config config = {.krb5 = true, .keytab = kdc_path(&k->kdc, "late", path)};

	assert_int_equal(rpc_auth_create(late.rig, late.rig->ev, &config, &late.rig->auth), 0);
	rig_start(late.rig);
	assert_false(is_served(&late, RPC_AUTH_KRB5));
	assert_false(is_served(&late, RPC_AUTH_SPNEGO));
	replace_keytab(&late, "keytab");
	wait_until_served(&late, RPC_AUTH_KRB5);
	wait_until_served(&late, RPC_AUTH_SPNEGO);

	rig_write_file(kdc_path(&k->kdc, "empty", path), "");
	replace_keytab(&late, "empty");
	for (int i = 0; i < 5; i++) { /* meanwhile it is looked at */
		assert_false(is_served(&late, RPC_AUTH_KRB5));
	}
	assert_true(rpc_auth_offers(late.rig->auth, RPC_AUTH_KRB5));
	replace_keytab(&late, "keytab");
	assert_true(is_served(&late, RPC_AUTH_KRB5)); /* the first one that comes */
	assert_true(is_served(&late, RPC_AUTH_SPNEGO));
	TALLOC_FREE(late.rig->server);
	talloc_free(late.rig);
}

static int setup(void **state)
{
	struct krb5_rig *k = talloc_zero(NULL, struct krb5_rig);
	struct rpc_auth_config config = {.krb5 = true};
	char keytab[128];

	*state = k;
	kdc_start(&k->kdc);
	kdc_add_service(&k->kdc, "aes", "aes256-cts", "keytab");
	config.keytab = kdc_path(&k->kdc, "keytab", keytab);
	k->rig = rig_new();
	if (rpc_auth_create(k->rig, k->rig->ev, &config, &k->rig->auth) != 0) {
		return -1;
	}
	rig_start(k->rig);
	return 0;
}

static int teardown(void **state)
{
	struct krb5_rig *k = *state;

	kdc_stop(&k->kdc);
	TALLOC_FREE(k->rig->server);
	talloc_free(k->rig);
	talloc_free(k);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_protected_in_fragments_both_ways),
		cmocka_unit_test(a_keytab_that_comes_late_serves_clients),
	};

	alarm(120); /* a hang is a failure */
	return cmocka_run_group_tests(tests, setup, teardown);
}
