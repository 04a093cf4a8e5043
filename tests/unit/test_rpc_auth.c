/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Initiators and acceptors of NTLM, raw and below SPNEGO, in one process. */
#include "tests/unit/ntlm_rig.h"
#include "witnessd/rpc/auth_private.h"
#include "witnessd/rpc/gss_util.h"

#include <errno.h>

#define TARGET "cifs@127.0.0.1"

static const uint8_t types[] = {RPC_AUTH_NTLM, RPC_AUTH_SPNEGO};

struct rig {
	struct ntlm_rig ntlm;
	struct tevent_context *ev;
	struct rpc_auth *auth;
	struct rpc_sec *client;
	struct rpc_sec *server;
};

static void make_pair(struct rig *rig, const struct rpc_cred *cred, uint8_t type,
		      uint8_t client_level, uint8_t server_level)
{
	TALLOC_FREE(rig->client);
	TALLOC_FREE(rig->server);
	assert_int_equal(
		rpc_sec_initiator(rig, rig->auth, cred, type, client_level, TARGET, &rig->client),
		0);
	assert_int_equal(rpc_sec_acceptor(rig, rig->auth, type, server_level, &rig->server), 0);
}

static void connect_pair(struct rig *rig, uint8_t type, uint8_t level)
{
	struct rpc_cred cred = ntlm_cred();
	struct rig_outcome o = {0};

	make_pair(rig, &cred, type, level, level);
	rig_negotiate(rig->ev, rig->client, rig->server, &o);
	if (o.client != 0 || o.server != 0) {
		fail_msg("type %u level %u: client %d (%s), server %d (%s)", type, level, o.client,
			 rpc_sec_error(rig->client), o.server, rpc_sec_error(rig->server));
	}
	assert_true(rpc_sec_done(rig->client));
	assert_true(rpc_sec_done(rig->server));
	assert_int_equal(o.legs, type == RPC_AUTH_NTLM ? 3 : 4);
}

static void both_ends_complete_at_every_level(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_levels) {
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			assert_string_equal(rpc_sec_mech(rig->server), "ntlm");
			assert_string_equal(rpc_sec_mech(rig->client), "ntlm");
			assert_string_equal(rpc_sec_principal(rig->server),
					    NTLM_DOMAIN "\\" NTLM_USER);
			assert_null(rpc_sec_principal(rig->client));
			assert_int_equal(rpc_sec_sig_size(rig->server),
					 level == RPC_LEVEL_CONNECT ? 0 : 16);
			assert_int_equal(rig->server->type, type);
			assert_int_equal(rig->server->level, level);
			/* It would cost each client of a server 64 KB. */
			assert_true(rig->server->core->ctx == GSS_C_NO_CONTEXT);
		}
	}
}

static void many_pdus_both_ways(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_protecting) {
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			for (unsigned int i = 0; i < 100; i++) {
				rig_send_one(rig->client, rig->server, i % 5 == 0 ? 40 : 24,
					     i * 48 % 4224, (uint8_t)i, i % 2 == 0);
				if (i % 3 != 0) {
					rig_send_one(rig->server, rig->client, 24, i * 16,
						     (uint8_t)~i, i % 2 == 1);
				}
			}
		}
	}
}

static void nothing_is_protected_at_level_connect(void **state)
{
	struct rig *rig = *state;
	struct rig_pdu pdu, plain;

	connect_pair(rig, RPC_AUTH_NTLM, RPC_LEVEL_CONNECT);
	rig_pdu_make(&pdu, rig->client, 24, 32, 1, false);
	rig_pdu_copy(&plain, &pdu);
	assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), 0);
	assert_memory_equal(pdu.buf, plain.buf, sizeof(pdu.buf));
	assert_int_equal(rpc_sec_unprotect(rig->server, &pdu.p), 0);
	pdu.p.auth_len = 16; /* the dummy that clients send */
	assert_int_equal(rpc_sec_unprotect(rig->server, &pdu.p), 0);
	assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), EINVAL);
}

static void a_flipped_bit_in_any_part_is_refused_for_good(void **state)
{
	struct rig *rig = *state;
	/* header, stub, sec_trailer, signature: version, MAC, number */
	static const size_t places[] = {2, 12, 24, 55, 57, 62, 64, 70, 79};
	struct rig_pdu pdu;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_protecting) {
			FOR_EACH (at, places) {
				connect_pair(rig, (uint8_t)type, (uint8_t)level);
				rig_send_one(rig->client, rig->server, 24, 32, 3, true);
				rig_pdu_make(&pdu, rig->client, 24, 32, 4, true);
				assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), 0);
				assert_true(at < rig_pdu_len(&pdu));
				pdu.buf[at] ^= 0x10;
				assert_int_equal(rpc_sec_unprotect(rig->server, &pdu.p), EBADMSG);
				assert_string_not_equal(rpc_sec_error(rig->server), "");
				/* out of step: nothing is accepted or made any more */
				rig_pdu_make(&pdu, rig->client, 24, 32, 5, true);
				assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), 0);
				assert_int_equal(rpc_sec_unprotect(rig->server, &pdu.p), EBADMSG);
				assert_int_equal(rpc_sec_protect(rig->server, &pdu.p), EPROTO);
			}
		}
	}
}

static void replay_gap_and_reflection_are_refused(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_protecting) {
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			rig_refuse_replay(rig->client, rig->server, false);
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			rig_refuse_gap(rig->client, rig->server, false);
			connect_pair(rig, (uint8_t)type, (uint8_t)level);
			rig_refuse_reflection(rig->client, false);
		}
	}
}

static void a_signature_of_another_length_is_refused(void **state)
{
	static const size_t lengths[] = {0, 1, 15, 17, 28, 76, 1000};
	struct rig *rig = *state;
	struct rig_pdu pdu;

	FOR_EACH (len, lengths) {
		connect_pair(rig, RPC_AUTH_NTLM, RPC_LEVEL_PRIVACY);
		rig_pdu_make(&pdu, rig->client, 24, 32, 1, false);
		pdu.p.auth_len = len;
		assert_int_equal(rpc_sec_protect(rig->client, &pdu.p), EINVAL);
		assert_int_equal(rpc_sec_unprotect(rig->server, &pdu.p), EBADMSG);
	}
}

static void assert_refused(struct rig *rig, uint8_t type, const struct rpc_cred *cred)
{
	struct rig_outcome o = {0};

	make_pair(rig, cred, type, RPC_LEVEL_INTEGRITY, RPC_LEVEL_INTEGRITY);
	rig_negotiate(rig->ev, rig->client, rig->server, &o);
	assert_int_equal(o.client, 0);
	if (o.server != EACCES) {
		fail_msg("type %u: %d (%s)", type, o.server, rpc_sec_error(rig->server));
	}
	assert_false(rpc_sec_done(rig->server));
	assert_null(rpc_sec_principal(rig->server));
	assert_non_null(strstr(rpc_sec_error(rig->server), "wrong NTLM user or password"));
}

static void wrong_password_user_or_domain_is_denied(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (type, types) {
		struct rpc_cred cred = ntlm_cred();

		cred.password = "wrong";
		assert_refused(rig, (uint8_t)type, &cred);
		cred = ntlm_cred();
		cred.user = "nobody";
		assert_refused(rig, (uint8_t)type, &cred);
		cred = ntlm_cred();
		cred.domain = "ELSEWHERE";
		assert_refused(rig, (uint8_t)type, &cred);
	}
}

/* A guesser's source is made to wait; a client of a witness that is short of something is not one. */
static void own_shortage_is_no_wrong_password(void **state)
{
	assert_int_equal(gss_util_errno(GSS_S_FAILURE, ENOMEM, false), ENOMEM);
	assert_int_equal(gss_util_errno(GSS_S_FAILURE, EMFILE, false), EAGAIN);
	assert_int_equal(gss_util_errno(GSS_S_FAILURE, EINVAL, false), EPROTO);
}

static int outcome_of_levels(struct rig *rig, uint8_t type, uint8_t client, uint8_t server)
{
	struct rpc_cred cred = ntlm_cred();
	struct rig_outcome o = {0};

	make_pair(rig, &cred, type, client, server);
	rig_negotiate(rig->ev, rig->client, rig->server, &o);
	assert_int_equal(o.client, 0);
	return o.server;
}

static void a_client_that_negotiates_less_than_the_level_is_denied(void **state)
{
	struct rig *rig = *state;

	FOR_EACH (level, rig_protecting) {
		assert_int_equal(
			outcome_of_levels(rig, RPC_AUTH_NTLM, RPC_LEVEL_CONNECT, (uint8_t)level),
			EACCES);
	}
	FOR_EACH (type, types) {
		assert_int_equal(outcome_of_levels(rig, (uint8_t)type, RPC_LEVEL_INTEGRITY,
						   RPC_LEVEL_PRIVACY),
				 EACCES);
	}
	/* MIT's SPNEGO always asks for integrity, for its mechListMIC: not for more, though. */
	assert_int_equal(
		outcome_of_levels(rig, RPC_AUTH_SPNEGO, RPC_LEVEL_CONNECT, RPC_LEVEL_PRIVACY),
		EACCES);
}

static void spoil_session_key_length(uint8_t *token, size_t len, unsigned int leg)
{
	static const uint8_t authenticate[] = "NTLMSSP\0\3\0\0";
	uint8_t *msg = memmem(token, len, authenticate, sizeof(authenticate));

	if (msg != NULL) {
		assert_int_equal(leg, 3);
		msg[52] = 0;
		msg[53] = 0;
	}
}

static void an_empty_session_key_does_not_reach_the_library(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = ntlm_cred();

	FOR_EACH (type, types) {
		FOR_EACH (level, rig_levels) {
			struct rig_outcome o = {.damage = spoil_session_key_length};

			make_pair(rig, &cred, (uint8_t)type, (uint8_t)level, (uint8_t)level);
			rig_negotiate(rig->ev, rig->client, rig->server, &o);
			assert_int_equal(o.legs, 3);
			assert_int_equal(o.server, EBADMSG);
		}
	}
}

static void garbage_is_refused(void **state)
{
	static const char *const tokens[] = {"x", "NTLMSSP", "`\x82\xff\xff", "a\x81\x03\x30\x01",
					     "GET / HTTP/1.0\r\n\r\n"};
	struct rig *rig = *state;
	struct rpc_cred cred = ntlm_cred();
	uint8_t *out, *big;
	size_t out_len;
	int err;

	FOR_EACH (type, types) {
		for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
			make_pair(rig, &cred, (uint8_t)type, 5, 5);
			err = rig_step(rig, rig->ev, rig->server, (const uint8_t *)tokens[i],
				       strlen(tokens[i]), &out, &out_len);
			assert_true(err == EBADMSG || err == EPROTO);
			assert_null(out);
			/* dead from here on */
			err = rig_step(rig, rig->ev, rig->server, (const uint8_t *)"x", 1, &out,
				       &out_len);
			assert_int_equal(err, EPROTO);
		}
		make_pair(rig, &cred, (uint8_t)type, 5, 5);
		assert_int_equal(rig_step(rig, rig->ev, rig->server, NULL, 0, &out, &out_len),
				 EBADMSG);
		big = talloc_zero_array(rig, uint8_t, 65536);
		make_pair(rig, &cred, (uint8_t)type, 5, 5);
		assert_int_equal(rig_step(rig, rig->ev, rig->server, big, 65536, &out, &out_len),
				 EBADMSG);
		make_pair(rig, &cred, (uint8_t)type, 5, 5);
		assert_int_not_equal(
			rig_step(rig, rig->ev, rig->server, big, 60000, &out, &out_len), 0);
		talloc_free(big);
	}
}

static void a_step_after_completion_is_refused(void **state)
{
	struct rig *rig = *state;
	uint8_t *out;
	size_t out_len;

	connect_pair(rig, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	assert_int_equal(
		rig_step(rig, rig->ev, rig->server, (const uint8_t *)"x", 1, &out, &out_len),
		EPROTO);
}

static void what_is_not_there_cannot_be_made(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = ntlm_cred();
	struct rpc_sec *sec = NULL;
	struct rpc_auth *client_only;

	assert_int_equal(rpc_sec_acceptor(rig, rig->auth, 44, 5, &sec), ENOTSUP);
	assert_int_equal(rpc_sec_acceptor(rig, rig->auth, RPC_AUTH_KRB5, 5, &sec), ENOTSUP);
	assert_int_equal(rpc_sec_initiator(rig, rig->auth, &cred, 0, 5, TARGET, &sec), ENOTSUP);
	for (unsigned int level = 0; level < 256; level++) {
		bool known = level == 2 || (level >= 4 && level <= 6);
		int err = rpc_sec_acceptor(rig, rig->auth, RPC_AUTH_NTLM, (uint8_t)level, &sec);

		assert_int_equal(err, known ? 0 : EINVAL);
		TALLOC_FREE(sec);
	}
	assert_int_equal(rpc_auth_create(rig, rig->ev, NULL, &client_only), 0);
	assert_false(rpc_auth_offers(client_only, RPC_AUTH_SPNEGO));
	assert_int_equal(rpc_sec_acceptor(rig, client_only, RPC_AUTH_NTLM, 5, &sec), ENOTSUP);
	talloc_free(client_only);
	assert_true(rpc_auth_offers(rig->auth, RPC_AUTH_NTLM));
	assert_true(rpc_auth_offers(rig->auth, RPC_AUTH_SPNEGO));
	assert_false(rpc_auth_offers(rig->auth, RPC_AUTH_KRB5));
}

static void freeing_under_a_step_is_safe(void **state)
{
	struct rig *rig = *state;
	struct rpc_cred cred = ntlm_cred();
	struct tevent_req *req;
	uint8_t *out = NULL;
	size_t out_len = 0;
	bool done;

	/* the request: the context is dead */
	make_pair(rig, &cred, RPC_AUTH_SPNEGO, 5, 5);
	req = rpc_sec_step_send(rig, rig->ev, rig->client, NULL, 0);
	talloc_free(req);
	assert_int_equal(rig_step(rig, rig->ev, rig->client, NULL, 0, &out, &out_len), EPROTO);

	/* the context: the request ends */
	make_pair(rig, &cred, RPC_AUTH_SPNEGO, 5, 5);
	req = rpc_sec_step_send(rig, rig->ev, rig->client, NULL, 0);
	TALLOC_FREE(rig->client);
	assert_true(tevent_req_poll(req, rig->ev));
	assert_int_equal(rpc_sec_step_recv(req, rig, &out, &out_len, &done), ECANCELED);
	talloc_free(req);

	/* a second step beside the first: that one is refused, the first goes on */
	make_pair(rig, &cred, RPC_AUTH_SPNEGO, 5, 5);
	req = rpc_sec_step_send(rig, rig->ev, rig->client, NULL, 0);
	assert_int_equal(rig_step(rig, rig->ev, rig->client, NULL, 0, &out, &out_len), EBUSY);
	assert_true(tevent_req_poll(req, rig->ev));
	assert_int_equal(rpc_sec_step_recv(req, rig, &out, &out_len, &done), 0);
	assert_true(out_len > 0);
	talloc_free(req);
	talloc_free(out);

	/* both at once */
	make_pair(rig, &cred, RPC_AUTH_SPNEGO, 5, 5);
	req = rpc_sec_step_send(rig->client, rig->ev, rig->client, NULL, 0);
	assert_non_null(req);
	TALLOC_FREE(rig->client);
}

static void nak_reasons(void **state)
{
	assert_int_equal(rpc_sec_nak_reason(ENOTSUP), RPC_NAK_AUTH_TYPE_NOT_RECOGNIZED);
	assert_int_equal(rpc_sec_nak_reason(EINVAL), RPC_NAK_NOT_SPECIFIED);
	assert_int_equal(rpc_sec_nak_reason(EBUSY), RPC_NAK_TEMPORARY_CONGESTION);
	assert_int_equal(rpc_sec_nak_reason(EBADMSG), RPC_NAK_INVALID_CHECKSUM);
	assert_int_equal(rpc_sec_nak_reason(EACCES), RPC_NAK_INVALID_CHECKSUM);
}

static int setup(void **state)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	ntlm_start(&rig->ntlm);
	rig->ev = tevent_context_init(rig);
	*state = rig;
	return rpc_auth_create(rig, rig->ev, &rig->ntlm.config, &rig->auth) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	ntlm_stop(&rig->ntlm);
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
		cmocka_unit_test(nothing_is_protected_at_level_connect),
		cmocka_unit_test(a_flipped_bit_in_any_part_is_refused_for_good),
		cmocka_unit_test(replay_gap_and_reflection_are_refused),
		cmocka_unit_test(a_signature_of_another_length_is_refused),
		cmocka_unit_test(wrong_password_user_or_domain_is_denied),
		cmocka_unit_test(own_shortage_is_no_wrong_password),
		cmocka_unit_test(a_client_that_negotiates_less_than_the_level_is_denied),
		cmocka_unit_test(an_empty_session_key_does_not_reach_the_library),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(a_step_after_completion_is_refused),
		cmocka_unit_test(what_is_not_there_cannot_be_made),
		cmocka_unit_test(freeing_under_a_step_is_safe),
		cmocka_unit_test(nak_reasons),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
