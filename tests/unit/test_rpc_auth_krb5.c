/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Initiators and acceptors of Kerberos, raw and below SPNEGO, against a KDC on loopback. */
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "tests/unit/kdc_rig.h"
#include "witnessd/rpc/gss_util.h"

#define TARGET "cifs@aes.wit.test"

static const uint8_t types[] = {RPC_AUTH_KRB5, RPC_AUTH_SPNEGO};
static const bool header_signing[] = {false, true};

struct rig {
	struct kdc_rig kdc;
	struct tevent_context *ev;
	struct rpc_auth *auth;
	struct rpc_sec *client;
	struct rpc_sec *server;
};

static struct rpc_cred good_cred(void)
{
	return (struct rpc_cred){
		.user = KDC_USER, .domain = KDC_REALM, .password = KDC_PASSWORD, .no_ntlm = true};
}

static void make_pair(struct rig *rig, const struct rpc_cred *cred, uint8_t type, uint8_t level,
		      const char *target)
{
	TALLOC_FREE(rig->client);
	TALLOC_FREE(rig->server);
	assert_int_equal(rpc_sec_initiator(rig, rig->auth, cred, type, level, target, &rig->client),
			 0);
	assert_int_equal(rpc_sec_acceptor(rig, rig->auth, type, level, &rig->server), 0);
}

static void connect_to(struct rig *rig, const struct rpc_cred *cred, uint8_t type, uint8_t level,
		       const char *target)
{
	struct rig_outcome o = {0};

	make_pair(rig, cred, type, level, target);
	rig_negotiate(rig->ev, rig->client, rig->server, &o);
	if (o.client != 0 || o.server != 0) {
		fail_msg("type %u level %u: client %d (%s), server %d (%s)", type, level, o.client,
			 rpc_sec_error(rig->client), o.server, rpc_sec_error(rig->server));
	}
	assert_true(rpc_sec_done(rig->client));
	assert_true(rpc_sec_done(rig->server));
	assert_string_equal(rpc_sec_mech(rig->server), rpc_sec_mech(rig->client));
}

static void connect_pair(struct rig *rig, uint8_t type, uint8_t level)
{
	struct rpc_cred cred = good_cred();

	connect_to(rig, &cred, type, level, TARGET);
	assert_string_equal(rpc_sec_mech(rig->server), "krb5");
	assert_string_equal(rpc_sec_principal(rig->server), KDC_USER "@" KDC_REALM);
}

static void both_ends_complete_at_every_level(void **state)
{
	static const size_t sizes[] = {[RPC_LEVEL_CONNECT] = 0,
				       [RPC_LEVEL_PACKET] = 28,
				       [RPC_LEVEL_INTEGRITY] = 28,
				       [RPC_LEVEL_PRIVACY] = 76};
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_levels) {
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			assert_int_equal(rpc_sec_sig_size(rig->client), sizes[level]);
			assert_int_equal(rpc_sec_sig_size(rig->server), sizes[level]);
		}
	}
}

static void many_pdus_both_ways(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_protecting) {
			FOR_EACH (hs, header_signing) {
				connect_pair(rig, (uint8_t)type, (uint8_t)level);
				for (unsigned int i = 0; i < 60; i++) {
					rig_send_one(rig->client, rig->server, i % 5 == 0 ? 40 : 24,
						     i * 80 % 4224, (uint8_t)i, hs);
					if (i % 3 != 0) {
						rig_send_one(rig->server, rig->client, 24, i * 16,
							     (uint8_t)~i, hs);
					}
				}
			}
		}
	}
}

static void signature_sizes_follow_the_encryption_type(void **state)
{
	static const struct {
		const char *enctype;
		const char *target;
		size_t sign, seal;
	} rows[] = {
		{"aes128-sha2", "cifs@sha256.wit.test", 32, 80},
		{"aes256-sha2", "cifs@sha384.wit.test", 40, 88},
	};
	struct rig *rig = *state;
	struct rpc_cred cred = good_cred();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Otherwise the two ends agree on a subkey of the first type they have in common. */
		kdc_write_client_config(&rig->kdc, "one-enctype.conf", rows[i].enctype);
		kdc_export(&rig->kdc, "KRB5_CONFIG", "one-enctype.conf");
		FOR_EACH (type, types) {
			connect_to(rig, &cred, (uint8_t)type, RPC_LEVEL_INTEGRITY, rows[i].target);
			assert_int_equal(rpc_sec_sig_size(rig->server), rows[i].sign);
			rig_send_one(rig->client, rig->server, 24, 48, 1, true);
			rig_send_one(rig->server, rig->client, 24, 48, 2, true);
			connect_to(rig, &cred, (uint8_t)type, RPC_LEVEL_PRIVACY, rows[i].target);
			assert_int_equal(rpc_sec_sig_size(rig->client), rows[i].seal);
			rig_send_one(rig->client, rig->server, 24, 48, 3, true);
			rig_send_one(rig->server, rig->client, 24, 48, 4, false);
		}
	}
	kdc_export(&rig->kdc, "KRB5_CONFIG", "krb5.conf");
}

/* Flip one bit of a protected PDU. @return what the receiver says */
static int flipped(struct rig *rig, size_t at, bool header_sign)
{
	struct rig_pdu pdu;

	rig_pdu_make(&pdu, rig->client, 24, 32, 4, header_sign);
	assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), 0);
	assert_true(at < rig_pdu_len(&pdu));
	pdu.buf[at] ^= 0x10;
	return rpc_sec_unprotect(rig->server, &pdu.p);
}

static void a_flipped_bit_in_any_part_is_refused_for_good(void **state)
{
	/* header, stub, sec_trailer, signature */
	static const size_t places[] = {2, 23, 24, 40, 55, 56, 60, 64, 80, 91};
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_protecting) {
			FOR_EACH (at, places) {
				connect_pair(rig, (uint8_t)type, (uint8_t)level);
				rig_send_one(rig->client, rig->server, 24, 32, 3, true);
				assert_int_equal(flipped(rig, at, true), EBADMSG);
				assert_string_not_equal(rpc_sec_error(rig->server), "");
				assert_int_equal(flipped(rig, at, true), EBADMSG);
			}
		}
	}
}

static void without_header_signing_only_the_body_is_covered(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (level, rig_protecting) {
		connect_pair(rig, RPC_AUTH_SPNEGO, (uint8_t)level);
		assert_int_equal(flipped(rig, 2, false), 0);
		assert_int_equal(flipped(rig, 57, false), 0);
		assert_int_equal(flipped(rig, 30, false), EBADMSG);
	}
}

static void replay_gap_and_reflection_are_refused(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_protecting) {
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			rig_refuse_replay(rig->client, rig->server, true);
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			rig_refuse_gap(rig->client, rig->server, true);
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			rig_refuse_reflection(rig->client, true);
		}
	}
}

static void a_signature_of_another_length_is_refused(void **state)
{
	static const size_t lengths[] = {0, 1, 15, 16, 27, 29, 75, 77, 1000};
	struct rig *rig = *state;
	struct rig_pdu pdu;

	FOR_EACH (level, rig_protecting) {
		FOR_EACH (len, lengths) {
			connect_pair(rig, RPC_AUTH_KRB5, (uint8_t)level);
			rig_pdu_make(&pdu, rig->client, 24, 32, 1, true);
			assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), 0);
			pdu.p.auth_len = len;
			assert_int_equal(rpc_sec_unprotect(rig->server, &pdu.p), EBADMSG);
			assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), EINVAL);
		}
	}
}

static int first_step(struct rig *rig, const struct rpc_cred *cred, uint8_t type,
		      const char *target)
{
	uint8_t *out;
	size_t out_len;
	int err;

	make_pair(rig, cred, type, RPC_LEVEL_INTEGRITY, target);
	err = rig_step(rig, rig->ev, rig->client, NULL, 0, &out, &out_len);
	talloc_free(out);
	return err;
}

static void a_client_without_good_credentials_gets_no_token(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = good_cred();

	cred.password = "wrong";
	assert_int_equal(first_step(rig, &cred, RPC_AUTH_KRB5, TARGET), EACCES);
	cred = good_cred();
	cred.user = "nobody";
	assert_int_equal(first_step(rig, &cred, RPC_AUTH_KRB5, TARGET), EACCES);
	cred = good_cred();
	assert_int_equal(first_step(rig, &cred, RPC_AUTH_KRB5, "cifs@unknown.wit.test"), EPROTO);
	memset(&cred, 0, sizeof(cred)); /* the default cache, which does not exist */
	assert_int_equal(first_step(rig, &cred, RPC_AUTH_KRB5, TARGET), ENOENT);
	cred.no_ntlm = cred.no_krb5 = true;
	assert_int_not_equal(first_step(rig, &cred, RPC_AUTH_SPNEGO, TARGET), 0);
}

static void the_default_cache_is_used_when_no_user_is_named(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = {.no_ntlm = true};
	char keytab[128], cache[128];

	kdc_admin(&rig->kdc, "ktadd -norandkey -k %s %s",
		  kdc_path(&rig->kdc, "client.keytab", keytab), KDC_USER);
	kdc_run(&rig->kdc, (const char *const[]){"kinit", "-k", "-t", keytab, KDC_USER, NULL});
	FOR_EACH (type, types) {
		connect_to(rig, &cred, (uint8_t)type, RPC_LEVEL_PRIVACY, TARGET);
		assert_string_equal(rpc_sec_principal(rig->server), KDC_USER "@" KDC_REALM);
	}
	assert_int_equal(unlink(kdc_path(&rig->kdc, "ccache", cache)), 0);
}

static void spnego_falls_back_to_ntlm_for_an_address(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = good_cred();

	cred.no_ntlm = false;
	connect_to(rig, &cred, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY, "cifs@127.0.0.1");
	assert_string_equal(rpc_sec_mech(rig->server), "ntlm");
	assert_string_equal(rpc_sec_principal(rig->server), KDC_REALM "\\" KDC_USER);
	rig_send_one(rig->client, rig->server, 24, 48, 1, true);
	rig_send_one(rig->server, rig->client, 24, 48, 2, false);
	connect_to(rig, &cred, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY, TARGET);
	assert_string_equal(rpc_sec_mech(rig->server), "krb5");
}

static void damage_first_token(uint8_t *token, size_t len, unsigned int leg)
{
	if (leg == 1) {
		token[len - 20] ^= 1;
	}
}

static void a_damaged_ticket_is_denied(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = good_cred();
	struct rig_outcome o = {.damage = damage_first_token};

	make_pair(rig, &cred, RPC_AUTH_KRB5, RPC_LEVEL_INTEGRITY, TARGET);
	rig_negotiate(rig->ev, rig->client, rig->server, &o);
	assert_int_equal(o.server, EACCES);
}

/* An initiator by GSSAPI itself, with flags that rpc_sec_initiator() never asks for. */
struct raw {
	gss_cred_id_t cred;
	gss_ctx_id_t ctx;
	gss_name_t name;
};

static void raw_start(struct raw *raw)
{
	gss_buffer_desc user = {sizeof(KDC_USER) - 1, (void *)KDC_USER};
	gss_buffer_desc password = {sizeof(KDC_PASSWORD) - 1, (void *)KDC_PASSWORD};
	gss_buffer_desc target = {sizeof(TARGET) - 1, (void *)TARGET};
	gss_OID_set_desc mechs = {1, (gss_OID)&gss_util_oid_krb5};
	gss_name_t name;
	OM_uint32 minor;

	memset(raw, 0, sizeof(*raw));
	assert_int_equal(gss_import_name(&minor, &user, GSS_C_NT_USER_NAME, &name), 0);
	assert_int_equal(gss_acquire_cred_with_password(&minor, name, &password, 0, &mechs,
							GSS_C_INITIATE, &raw->cred, NULL, NULL),
			 0);
	gss_release_name(&minor, &name);
	assert_int_equal(gss_import_name(&minor, &target, GSS_C_NT_HOSTBASED_SERVICE, &raw->name),
			 0);
}

static void raw_stop(struct raw *raw)
{
	OM_uint32 minor;

	gss_delete_sec_context(&minor, &raw->ctx, NULL);
	gss_release_cred(&minor, &raw->cred);
	gss_release_name(&minor, &raw->name);
}

/* @return what the acceptor says in the end */
static int raw_negotiate(struct rig *rig, struct raw *raw, OM_uint32 flags, uint8_t level)
{
	gss_buffer_desc in = GSS_C_EMPTY_BUFFER, out;
	uint8_t *answer = NULL;
	OM_uint32 minor;
	int err = 0;

	TALLOC_FREE(rig->server);
	assert_int_equal(rpc_sec_acceptor(rig, rig->auth, RPC_AUTH_KRB5, level, &rig->server), 0);
	for (int leg = 0; leg < 4 && err == 0 && !rpc_sec_done(rig->server); leg++) {
		OM_uint32 major = gss_init_sec_context(
			&minor, raw->cred, &raw->ctx, raw->name, (gss_OID)&gss_util_oid_krb5, flags,
			0, GSS_C_NO_CHANNEL_BINDINGS, &in, NULL, &out, NULL, NULL);

		assert_false(GSS_ERROR(major));
		talloc_free(answer);
		err = rig_step(rig, rig->ev, rig->server, out.value, out.length, &answer,
			       &in.length);
		in.value = answer;
		gss_release_buffer(&minor, &out);
	}
	talloc_free(answer);
	return err;
}

#define FULL_FLAGS                                                                                 \
	(GSS_C_DCE_STYLE | GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG |           \
	 GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)

static void a_context_that_cannot_protect_is_denied(void **state)
{
	static const struct {
		OM_uint32 flags;
		uint8_t level;
		int err;
	} rows[] = {
		{FULL_FLAGS, RPC_LEVEL_PRIVACY, 0},
		{FULL_FLAGS & ~GSS_C_DCE_STYLE, RPC_LEVEL_INTEGRITY, EACCES},
		{FULL_FLAGS & ~GSS_C_DCE_STYLE, RPC_LEVEL_PRIVACY, EACCES},
		{FULL_FLAGS & ~GSS_C_SEQUENCE_FLAG, RPC_LEVEL_INTEGRITY, EACCES},
		{FULL_FLAGS & ~GSS_C_DCE_STYLE & ~GSS_C_SEQUENCE_FLAG, RPC_LEVEL_CONNECT, 0},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct raw raw;

		raw_start(&raw);
		if (raw_negotiate(rig, &raw, rows[i].flags, rows[i].level) != rows[i].err) {
			fail_msg("row %zu: %s", i, rpc_sec_error(rig->server));
		}
		raw_stop(&raw);
	}
}

static void what_is_signed_only_does_not_pass_for_sealed(void **state)
{
	struct rig *rig = *state;
	struct rig_pdu pdu;
	struct raw raw;
	gss_iov_buffer_desc iov[2];
	OM_uint32 minor;
	int conf;

	for (int seal = 0; seal < 2; seal++) {
		raw_start(&raw);
		assert_int_equal(raw_negotiate(rig, &raw, FULL_FLAGS, RPC_LEVEL_PRIVACY), 0);
		rig_pdu_make(&pdu, rig->server, 24, 32, 7, false);
		iov[0] = (gss_iov_buffer_desc){.type = GSS_IOV_BUFFER_TYPE_DATA,
					       .buffer = {32, pdu.buf + 24}};
		iov[1] = (gss_iov_buffer_desc){.type = GSS_IOV_BUFFER_TYPE_HEADER};
		assert_int_equal(gss_wrap_iov_length(&minor, raw.ctx, seal, 0, &conf, iov, 2), 0);
		pdu.p.auth_len = iov[1].buffer.length;
		iov[1].buffer.value = pdu.buf + 24 + 32 + RIG_TRAILER;
		assert_int_equal(gss_wrap_iov(&minor, raw.ctx, seal, 0, &conf, iov, 2), 0);
		assert_int_equal(conf, seal);
		assert_int_equal(rpc_sec_unprotect(rig->server, &pdu.p), seal ? 0 : EBADMSG);
		raw_stop(&raw);
	}
}

static void a_keytab_that_appears_is_noticed(void **state)
{
	struct rig *rig = *state;
	struct rpc_auth *own = rig->auth;
	struct rpc_cred cred = good_cred();
	char path[128], old[128];
	struct rpc_auth_config config = {.keytab = kdc_path(&rig->kdc, "late.keytab", path),
					 .krb5 = true};
	struct rpc_sec *sec = NULL;
	int err;

	rig->auth = NULL;
	assert_int_equal(rpc_auth_create(rig, rig->ev, &config, &rig->auth), 0);
	assert_false(rpc_auth_offers(rig->auth, RPC_AUTH_KRB5));
	assert_false(rpc_auth_offers(rig->auth, RPC_AUTH_SPNEGO));
	assert_int_equal(rpc_sec_acceptor(rig, rig->auth, RPC_AUTH_KRB5, 5, &sec), ENOTSUP);

	assert_int_equal(link(kdc_path(&rig->kdc, "keytab", old), path), 0);
	do {
		err = rpc_sec_acceptor(rig, rig->auth, RPC_AUTH_KRB5, 5, &sec);
		assert_true(err == 0 || err == ENOTSUP);
		if (err != 0) {
			assert_int_equal(tevent_loop_once(rig->ev), 0);
		}
	} while (err != 0);
	talloc_free(sec);
	FOR_EACH (type, types) {
		connect_to(rig, &cred, (uint8_t)type, RPC_LEVEL_INTEGRITY, TARGET);
	}
	TALLOC_FREE(rig->client);
	TALLOC_FREE(rig->server);
	talloc_free(rig->auth);
	rig->auth = own;
}

static int setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);
	struct rpc_auth_config config = {
		.krb5 = true, .ntlm = true, .netbios_name = "WITNODE", .netbios_domain = KDC_REALM};
	char users[128], keytab[128];

	*state = rig;
	kdc_start(&rig->kdc);
	kdc_add_service(&rig->kdc, "aes", "aes256-cts", "keytab");
	kdc_add_service(&rig->kdc, "sha256", "aes128-sha2", "keytab");
	kdc_add_service(&rig->kdc, "sha384", "aes256-sha2", "keytab");
	config.ntlm_user_file = kdc_path(&rig->kdc, "users", users);
	rig_write_file(users, KDC_REALM ":" KDC_USER ":" KDC_PASSWORD "\n");
	config.keytab = kdc_path(&rig->kdc, "keytab", keytab);
	rig->ev = tevent_context_init(rig);
	return rpc_auth_create(rig, rig->ev, &config, &rig->auth) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	kdc_stop(&rig->kdc);
	TALLOC_FREE(rig->client);
	TALLOC_FREE(rig->server);
	TALLOC_FREE(rig->auth);
	talloc_free(rig);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_complete_at_every_level),
		cmocka_unit_test(many_pdus_both_ways),
		cmocka_unit_test(signature_sizes_follow_the_encryption_type),
		cmocka_unit_test(a_flipped_bit_in_any_part_is_refused_for_good),
		cmocka_unit_test(without_header_signing_only_the_body_is_covered),
		cmocka_unit_test(replay_gap_and_reflection_are_refused),
		cmocka_unit_test(a_signature_of_another_length_is_refused),
		cmocka_unit_test(a_client_without_good_credentials_gets_no_token),
		cmocka_unit_test(the_default_cache_is_used_when_no_user_is_named),
		cmocka_unit_test(spnego_falls_back_to_ntlm_for_an_address),
		cmocka_unit_test(a_damaged_ticket_is_denied),
		cmocka_unit_test(a_context_that_cannot_protect_is_denied),
		cmocka_unit_test(what_is_signed_only_does_not_pass_for_sealed),
		cmocka_unit_test(a_keytab_that_appears_is_noticed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
