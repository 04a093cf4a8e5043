/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Authenticated connections as a server sees them, PDU by PDU, with NTLM from gss-ntlmssp at both ends:
 * legs in bind, auth3 and alter_context, several contexts, and everything that does not fit together.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/unit/ntlm_rig.h"
#include "tests/unit/rpc_rig.h"

#define STRICT   0 /* context id of the strict interface */
#define BAD_CALL 666

/* A raw client: one connection, one security context at a time. */
struct raw {
	struct rig *rig;
	int fd;
	uint8_t type, level;
	uint32_t ctx_id; /* auth_context_id */
	uint8_t flags;   /* of the bind */
	uint16_t max_frag;
	struct rpc_sec *sec;
};

struct auth_rig {
	struct rig *rig;
	struct ntlm_rig ntlm;
	struct rpc_cred cred;
};

static int setup(void **state)
{
	struct auth_rig *a = talloc_zero(NULL, struct auth_rig);

	ntlm_start(&a->ntlm);
	a->cred = ntlm_cred();
	a->rig = rig_new();
	assert_int_equal(rpc_auth_create(a->rig, a->rig->ev, &a->ntlm.config, &a->rig->auth), 0);
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	struct auth_rig *a = *state;

	TALLOC_FREE(a->rig->server);
	assert_int_equal(a->rig->num_waiters, 0);
	talloc_free(a->rig);
	ntlm_stop(&a->ntlm);
	talloc_free(a);
	return 0;
}

static struct raw raw_new(struct auth_rig *a, uint8_t type, uint8_t level)
{
	return (struct raw){
		.rig = a->rig,
		.fd = rig_connect(a->rig),
		.type = type,
		.level = level,
		.ctx_id = 1,
		.flags = 0x03 | RPC_PFC_SUPPORT_HDRSIGN | RPC_PFC_CONC_MPX,
		.max_frag = RPC_FRAG_MAX,
	};
}

static void new_initiator(struct auth_rig *a, struct raw *c)
{
	TALLOC_FREE(c->sec);
	assert_int_equal(rpc_sec_initiator(a->rig, a->rig->auth, &a->cred, c->type, c->level,
					   "cifs@witnode.test", &c->sec),
			 0);
}

/* One step of the client; its token as the auth part of a PDU. */
static struct pdu_auth client_step(struct raw *c, const struct pdu_auth *in)
{
	struct tevent_req *req =
		rpc_sec_step_send(c->rig, c->rig->ev, c->sec, in == NULL ? NULL : in->value,
				  in == NULL ? 0 : in->value_len);
	uint8_t *token = NULL;
	size_t len = 0;
	bool done;

	assert_true(tevent_req_poll(req, c->rig->ev));
	assert_int_equal(rpc_sec_step_recv(req, c->rig, &token, &len, &done), 0);
	talloc_free(req);
	return (struct pdu_auth){.present = true,
				 .type = c->type,
				 .level = c->level,
				 .context_id = c->ctx_id,
				 .value = token,
				 .value_len = len};
}

static void send_ctx(struct raw *c, uint8_t ptype, const struct rpc_syntax *iface,
		     const struct pdu_auth *auth)
{
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);

	ctx.abstract = *iface;
	bind.max_xmit_frag = bind.max_recv_frag = c->max_frag;
	if (auth != NULL) {
		bind.auth = *auth;
	}
	rig_send_bind(c->fd, ptype, c->flags, &bind);
}

static void send_auth3(struct raw *c, const struct pdu_auth *auth)
{
	uint8_t *pdu;
	size_t len;

	assert_int_equal(pdu_push_auth3(NULL, 1, auth, &pdu, &len), 0);
	rig_send_pdu(c->fd, pdu, len);
}

static struct pdu_auth recv_ack(struct raw *c, uint8_t ptype)
{
	uint8_t flags = ptype == RPC_BIND_ACK ? c->flags : (uint8_t)(c->flags & 0x07);
	struct pdu_bind_ack *ack = rig_recv_ack(c->rig, c->fd, ptype, flags);

	if (ack->auth.present) {
		assert_int_equal(ack->auth.type, c->type);
		assert_int_equal(ack->auth.level, c->level);
		assert_int_equal(ack->auth.context_id, c->ctx_id);
	}
	return ack->auth;
}

/* bind with the first token. @return the client's answer to the server's */
static struct pdu_auth begin(struct auth_rig *a, struct raw *c, uint8_t ptype)
{
	struct pdu_auth auth;

	new_initiator(a, c);
	auth = client_step(c, NULL);
	send_ctx(c, ptype, &rig_strict_iface.syntax, &auth);
	auth = recv_ack(c, ptype == RPC_BIND ? RPC_BIND_ACK : RPC_ALTER_CONTEXT_RESP);
	return client_step(c, &auth);
}

static void finish(struct raw *c, const struct pdu_auth *auth)
{
	struct pdu_auth last;

	if (c->type != RPC_AUTH_SPNEGO) {
		send_auth3(c, auth);
		return;
	}
	send_ctx(c, RPC_ALTER_CONTEXT, &rig_strict_iface.syntax, auth);
	last = recv_ack(c, RPC_ALTER_CONTEXT_RESP);
	if (last.present && !rpc_sec_done(c->sec)) {
		(void)client_step(c, &last);
	}
	assert_true(rpc_sec_done(c->sec));
}

static struct raw authenticated(struct auth_rig *a, uint8_t type, uint8_t level)
{
	struct raw c = raw_new(a, type, level);
	struct pdu_auth auth = begin(a, &c, RPC_BIND);

	finish(&c, &auth);
	return c;
}

typedef void (*damage_fn)(uint8_t *pdu, size_t len);

/* A request in as many fragments as it takes; the last one is damaged before it goes out. */
static void send_request(struct raw *c, uint32_t call_id, uint16_t opnum, const uint8_t *stub,
			 size_t stub_len, damage_fn damage)
{
	struct pdu_frag_params params = {
		.ptype = RPC_REQUEST,
		.call_id = call_id,
		.context_id = STRICT,
		.opnum = opnum,
		.max_xmit_frag = c->max_frag,
		.auth_type = c->type,
		.auth_level = c->level,
		.auth_context_id = c->ctx_id,
		.sig_size = rpc_sec_sig_size(c->sec),
	};
	size_t off = 0, len, consumed;
	uint8_t *pdu;

	do {
		struct rpc_sec_pdu p = {.hdr_len = 24,
					.auth_len = params.sig_size,
					.header_sign = (c->flags & RPC_PFC_SUPPORT_HDRSIGN) != 0};

		assert_int_equal(
			pdu_push_frag(NULL, &params, stub, stub_len, off, &pdu, &len, &consumed),
			0);
		off += consumed;
		p.pdu = pdu;
		if (params.sig_size > 0) {
			p.body_len = len - 24 - 8 - params.sig_size;
			assert_int_equal(rpc_sec_protect(c->sec, &p), 0);
		}
		if (damage != NULL && off == stub_len) {
			damage(pdu, len);
		}
		rig_send_pdu(c->fd, pdu, len);
	} while (off < stub_len);
}

/* The whole answer, each fragment verified. @return its length */
static size_t recv_response(struct raw *c, uint32_t call_id, uint8_t *out, size_t size)
{
	struct rig_frame *pdu = talloc(c->rig, struct rig_frame);
	size_t len = 0;

	do {
		struct pdu_request res;
		struct rpc_sec_pdu p = {.pdu = pdu->buf, .hdr_len = 24};

		rig_recv_pdu(c->rig, c->fd, pdu);
		assert_int_equal(pdu->hdr.ptype, RPC_RESPONSE);
		assert_int_equal(pdu->hdr.call_id, call_id);
		assert_true(pdu->hdr.frag_length <= c->max_frag);
		assert_int_equal(pdu_pull_response(pdu->buf, &pdu->hdr, &res), 0);
		assert_int_equal(res.auth.present, rpc_sec_sig_size(c->sec) > 0);
		if (res.auth.present) {
			assert_int_equal(res.auth.context_id, c->ctx_id);
			p.body_len = res.body_len;
			p.auth_len = res.auth.value_len;
			p.header_sign = (c->flags & RPC_PFC_SUPPORT_HDRSIGN) != 0;
			assert_int_equal(rpc_sec_unprotect(c->sec, &p), 0);
		}
		res.body_len -= res.auth.pad_length;
		assert_true(res.body_len <= size - len);
		memcpy(out + len, pdu->buf + res.body_off, res.body_len);
		len += res.body_len;
	} while ((pdu->hdr.flags & RPC_PFC_LAST_FRAG) == 0);
	talloc_free(pdu);
	return len;
}

static void expect_who(struct raw *c, const char *who)
{
	uint8_t out[256] = {0};

	send_request(c, 7, RIG_WHO, NULL, 0, NULL);
	(void)recv_response(c, 7, out, sizeof(out) - 1);
	assert_string_equal(out, who);
}

static void raw_close(struct raw *c)
{
	close(c->fd);
	TALLOC_FREE(c->sec);
}

static void fragmented_both_ways(struct auth_rig *a, uint8_t type, uint8_t level, uint8_t flags)
{
	struct raw c = raw_new(a, type, level);
	uint8_t in[20000], out[sizeof(in)];
	struct pdu_auth auth;

	c.flags = flags;
	c.max_frag = 2048;
	auth = begin(a, &c, RPC_BIND);
	finish(&c, &auth);
	for (size_t i = 0; i < sizeof(in); i++) {
		in[i] = (uint8_t)(i * 13);
	}
	for (uint32_t i = 0; i < 4; i++) {
		size_t len = sizeof(in) - i * 4999;

		send_request(&c, 10 + i, RIG_ECHO, in, len, NULL);
		assert_int_equal(recv_response(&c, 10 + i, out, sizeof(out)), len);
		assert_memory_equal(in, out, len);
	}
	raw_close(&c);
}

static void calls_are_protected_in_fragments_both_ways(void **state)
{
	static const uint8_t types[] = {RPC_AUTH_NTLM, RPC_AUTH_SPNEGO};
	static const uint8_t levels[] = {RPC_LEVEL_INTEGRITY, RPC_LEVEL_PRIVACY};
	struct auth_rig *a = *state;

	rig_start(a->rig);
	for (size_t t = 0; t < 2; t++) {
		for (size_t l = 0; l < 2; l++) {
			fragmented_both_ways(a, types[t], levels[l], 0x13);
			fragmented_both_ways(a, types[t], levels[l], 0x17);
		}
	}
}

static void the_first_request_may_be_right_behind_auth3(void **state)
{
	struct auth_rig *a = *state;
	struct raw c;

	rig_start(a->rig);
	c = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	expect_who(&c, "5 " NTLM_DOMAIN "\\" NTLM_USER);
	assert_int_equal(rpc_server_stats(a->rig->server)->unauthenticated, 0);
	raw_close(&c);
}

static void level_connect_identifies_and_protects_nothing(void **state)
{
	struct auth_rig *a = *state;
	struct pdu_auth auth;
	struct raw c;

	rig_start(a->rig);
	c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_CONNECT);
	new_initiator(a, &c);
	auth = client_step(&c, NULL);
	send_ctx(&c, RPC_BIND, &rig_open_iface.syntax, &auth);
	auth = recv_ack(&c, RPC_BIND_ACK);
	auth = client_step(&c, &auth);
	finish(&c, &auth);
	expect_who(&c, "2 " NTLM_DOMAIN "\\" NTLM_USER);
	raw_close(&c);
}

static void a_level_too_low_is_refused(void **state)
{
	struct auth_rig *a = *state;
	struct raw c;

	rig_start(a->rig);
	c = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_CONNECT);
	send_request(&c, BAD_CALL, RIG_ECHO, NULL, 0, NULL);
	rig_expect_fault(a->rig, c.fd, BAD_CALL, 0x03, STRICT, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(a->rig, c.fd);
	TALLOC_FREE(c.sec);
}

/* A bare request is anonymous also here; the connection has better, so it stays. */
static void anonymous_requests_are_anonymous_on_any_connection(void **state)
{
	struct auth_rig *a = *state;
	struct raw c;

	rig_start(a->rig);
	c = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_PRIVACY);
	rig_request(c.fd, 3, RIG_ECHO, NULL, 0);
	rig_expect_fault(a->rig, c.fd, 3, 0x03, STRICT, RPC_FAULT_ACCESS_DENIED);
	expect_who(&c, "6 " NTLM_DOMAIN "\\" NTLM_USER);
	raw_close(&c);
}

static void a_request_before_the_last_leg_ends_it(void **state)
{
	struct auth_rig *a = *state;
	struct raw c;

	rig_start(a->rig);
	c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	(void)begin(a, &c, RPC_BIND);
	rig_request(c.fd, 3, RIG_ECHO, NULL, 0);
	rig_expect_fault(a->rig, c.fd, 3, 0x23, 0, RPC_FAULT_PROTO_ERROR);
	rig_expect_closed(a->rig, c.fd);
	TALLOC_FREE(c.sec);
}

static void several_security_contexts_on_one_connection(void **state)
{
	struct auth_rig *a = *state;
	struct pdu_auth auth;
	struct raw first, second;

	a->rig->limits.sec_contexts = 2;
	rig_start(a->rig);
	first = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	second = first;
	second.sec = NULL;
	second.type = RPC_AUTH_SPNEGO;
	second.level = RPC_LEVEL_PRIVACY;
	second.ctx_id = 0xfffffffe;
	auth = begin(a, &second, RPC_ALTER_CONTEXT);
	expect_who(&first, "5 " NTLM_DOMAIN "\\" NTLM_USER);
	finish(&second, &auth);
	expect_who(&second, "6 " NTLM_DOMAIN "\\" NTLM_USER);
	expect_who(&first, "5 " NTLM_DOMAIN "\\" NTLM_USER);
	/* a third one is too many */
	TALLOC_FREE(second.sec);
	second.ctx_id = 3;
	new_initiator(a, &second);
	auth = client_step(&second, NULL);
	send_ctx(&second, RPC_ALTER_CONTEXT, &rig_strict_iface.syntax, &auth);
	rig_expect_fault(a->rig, first.fd, 1, 0x23, 0, RPC_FAULT_PROTO_ERROR);
	rig_expect_closed(a->rig, first.fd);
	TALLOC_FREE(second.sec);
	TALLOC_FREE(first.sec);
}

static void flip_header(uint8_t *pdu, size_t len)
{
	pdu[22] ^= 1; /* opnum */
}

static void flip_stub(uint8_t *pdu, size_t len)
{
	pdu[24] ^= 0x80;
}

static void flip_signature(uint8_t *pdu, size_t len)
{
	pdu[len - 9] ^= 4;
}

static void other_type(uint8_t *pdu, size_t len)
{
	pdu[len - 24] = RPC_AUTH_SPNEGO;
}

static void other_level(uint8_t *pdu, size_t len)
{
	pdu[len - 23] ^= 3; /* 5 and 6 */
}

static void other_context(uint8_t *pdu, size_t len)
{
	pdu[len - 20] ^= 2;
}

static void expect_damage_seen(struct auth_rig *a, uint8_t level, damage_fn damage, size_t stub_len,
			       uint32_t fault)
{
	struct raw c = authenticated(a, RPC_AUTH_NTLM, level);
	uint8_t stub[8000] = {0};

	send_request(&c, BAD_CALL, RIG_ECHO, stub, stub_len, damage);
	rig_expect_fault(a->rig, c.fd, BAD_CALL, 0x03, STRICT, fault);
	rig_expect_closed(a->rig, c.fd);
	TALLOC_FREE(c.sec);
}

static void damaged_requests_end_the_connection(void **state)
{
	static const struct {
		damage_fn damage;
		uint32_t first, later; /* faults for the first and for a later fragment */
	} rows[] = {
		{flip_header, RPC_FAULT_SEC_PKG_ERROR, RPC_FAULT_SEC_PKG_ERROR},
		{flip_stub, RPC_FAULT_SEC_PKG_ERROR, RPC_FAULT_SEC_PKG_ERROR},
		{flip_signature, RPC_FAULT_SEC_PKG_ERROR, RPC_FAULT_SEC_PKG_ERROR},
		{other_type, RPC_FAULT_ACCESS_DENIED, RPC_FAULT_SEC_PKG_ERROR},
		{other_level, RPC_FAULT_ACCESS_DENIED, RPC_FAULT_SEC_PKG_ERROR},
		{other_context, RPC_FAULT_ACCESS_DENIED, RPC_FAULT_SEC_PKG_ERROR},
	};
	struct auth_rig *a = *state;

	a->rig->limits.unauthenticated_source = 256;
	rig_start(a->rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (uint8_t level = RPC_LEVEL_INTEGRITY; level <= RPC_LEVEL_PRIVACY; level++) {
			expect_damage_seen(a, level, rows[i].damage, 100, rows[i].first);
			expect_damage_seen(a, level, rows[i].damage, 7000, rows[i].later);
		}
	}
}

static void a_replayed_request_is_seen(void **state)
{
	struct auth_rig *a = *state;
	uint8_t out[64];
	struct raw c;
	struct pdu_frag_params params = {.ptype = RPC_REQUEST,
					 .call_id = 2,
					 .max_xmit_frag = RPC_FRAG_MAX,
					 .auth_type = RPC_AUTH_NTLM,
					 .auth_level = RPC_LEVEL_INTEGRITY,
					 .auth_context_id = 1,
					 .sig_size = 16};
	struct rpc_sec_pdu p = {.hdr_len = 24, .auth_len = 16, .header_sign = true};
	size_t len, consumed;
	uint8_t *pdu;

	rig_start(a->rig);
	c = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	assert_int_equal(
		pdu_push_frag(NULL, &params, (const uint8_t *)"once", 4, 0, &pdu, &len, &consumed),
		0);
	p.pdu = pdu;
	p.body_len = len - 24 - 8 - 16;
	assert_int_equal(rpc_sec_protect(c.sec, &p), 0);
	rig_send(c.fd, pdu, len);
	assert_int_equal(recv_response(&c, 2, out, sizeof(out)), 4);
	rig_send_pdu(c.fd, pdu, len);
	rig_expect_fault(a->rig, c.fd, 2, 0x03, STRICT, RPC_FAULT_SEC_PKG_ERROR);
	rig_expect_closed(a->rig, c.fd);
	TALLOC_FREE(c.sec);
}

static void legs_have_to_fit_to_their_negotiation(void **state)
{
	static const struct {
		uint8_t type, level, ctx_id;
		uint32_t fault;
	} rows[] = {
		{RPC_AUTH_SPNEGO, RPC_LEVEL_PRIVACY, 1, RPC_FAULT_ACCESS_DENIED},
		{RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY, 1, RPC_FAULT_SEC_PKG_ERROR},
		{RPC_AUTH_NONE, RPC_LEVEL_INTEGRITY, 1, RPC_FAULT_ACCESS_DENIED},
		{99, RPC_LEVEL_INTEGRITY, 2, RPC_FAULT_ACCESS_DENIED},
	};
	struct auth_rig *a = *state;

	rig_start(a->rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct raw c = raw_new(a, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY);
		struct pdu_auth auth = begin(a, &c, RPC_BIND);

		auth.type = rows[i].type;
		auth.level = rows[i].level;
		auth.context_id = rows[i].ctx_id;
		send_ctx(&c, RPC_ALTER_CONTEXT, &rig_strict_iface.syntax, &auth);
		rig_expect_fault(a->rig, c.fd, 1, 0x23, 0, rows[i].fault);
		rig_expect_closed(a->rig, c.fd);
		TALLOC_FREE(c.sec);
	}
}

static void a_complete_context_takes_no_further_leg(void **state)
{
	struct auth_rig *a = *state;
	struct pdu_auth auth;
	struct raw c;

	rig_start(a->rig);
	c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	auth = begin(a, &c, RPC_BIND);
	finish(&c, &auth);
	send_ctx(&c, RPC_ALTER_CONTEXT, &rig_strict_iface.syntax, &auth);
	rig_expect_fault(a->rig, c.fd, 1, 0x23, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(a->rig, c.fd);
	c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	auth = begin(a, &c, RPC_BIND);
	finish(&c, &auth);
	send_auth3(&c, &auth);
	rig_expect_fault(a->rig, c.fd, 1, 0x23, 0, RPC_FAULT_PROTO_ERROR);
	rig_expect_closed(a->rig, c.fd);
	TALLOC_FREE(c.sec);
}

static void bad_credentials_are_told_where_there_is_an_answer(void **state)
{
	struct auth_rig *a = *state;
	struct pdu_auth auth;
	struct raw c;

	rig_start(a->rig);
	a->cred.password = "wrong";
	c = raw_new(a, RPC_AUTH_SPNEGO, RPC_LEVEL_INTEGRITY);
	auth = begin(a, &c, RPC_BIND);
	send_ctx(&c, RPC_ALTER_CONTEXT, &rig_strict_iface.syntax, &auth);
	rig_expect_fault(a->rig, c.fd, 1, 0x23, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(a->rig, c.fd);
	/* auth3 has none; what comes behind it is refused, protected or not */
	for (int bare = 0; bare < 2; bare++) {
		c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
		auth = begin(a, &c, RPC_BIND);
		finish(&c, &auth);
		if (bare) {
			rig_request(c.fd, BAD_CALL, RIG_ECHO, NULL, 0);
		} else {
			send_request(&c, BAD_CALL, RIG_ECHO, NULL, 0, NULL);
		}
		rig_expect_fault(a->rig, c.fd, BAD_CALL, 0x03, STRICT, RPC_FAULT_ACCESS_DENIED);
		rig_expect_closed(a->rig, c.fd);
		TALLOC_FREE(c.sec);
	}
	assert_int_equal(rpc_server_stats(a->rig->server)->auth_failures, 3);
	RIG_UNTIL(a->rig, rpc_server_stats(a->rig->server)->connections == 0);
	assert_int_equal(rpc_server_stats(a->rig->server)->unauthenticated, 0);
}

/* Two failures a second are free; the third logon waits, and is served. */
static void guessing_is_slow(void **state)
{
	struct auth_rig *a = *state;
	struct timespec before, after;
	struct raw c;

	a->rig->limits.auth_failures = 2;
	rig_start(a->rig);
	for (int i = 0; i < 3; i++) {
		struct pdu_auth auth = {.type = RPC_AUTH_NTLM,
					.level = RPC_LEVEL_INTEGRITY,
					.value = (const uint8_t *)"garbage",
					.value_len = 7};

		c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
		send_ctx(&c, RPC_BIND, &rig_strict_iface.syntax, &auth);
		rig_expect_nak(a->rig, c.fd, 9);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	c = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	expect_who(&c, "5 " NTLM_DOMAIN "\\" NTLM_USER);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000 +
			    (after.tv_nsec - before.tv_nsec) / 1000000 >
		    200);
	raw_close(&c);
}

static void binds_with_bad_auth_are_refused(void **state)
{
	static const struct {
		uint8_t type, level;
		uint16_t nak;
	} rows[] = {
		{99, 5, 8},
		{RPC_AUTH_NONE, 5, 8},
		{RPC_AUTH_KRB5, 5, 8}, /* no keytab */
		{RPC_AUTH_NTLM, 0, 0},
		{RPC_AUTH_NTLM, 1, 0},
		{RPC_AUTH_NTLM, 3, 0},
		{RPC_AUTH_NTLM, 7, 0},
		{RPC_AUTH_NTLM, 255, 0},
		{RPC_AUTH_NTLM, 5, 9}, /* the token is garbage */
		{RPC_AUTH_SPNEGO, 6, 9},
	};
	struct auth_rig *a = *state;

	rig_start(a->rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct raw c = raw_new(a, rows[i].type, rows[i].level);
		struct pdu_auth auth = {.type = rows[i].type,
					.level = rows[i].level,
					.value = (const uint8_t *)"garbage",
					.value_len = 7};

		send_ctx(&c, RPC_BIND, &rig_strict_iface.syntax, &auth);
		rig_expect_nak(a->rig, c.fd, rows[i].nak);
	}
}

static void authentication_has_to_end_in_time(void **state)
{
	struct auth_rig *a = *state;
	struct raw c;

	a->rig->limits.auth_ms = 300;
	rig_start(a->rig);
	c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	(void)begin(a, &c, RPC_BIND);
	rig_expect_closed(a->rig, c.fd);
	/* also behind an auth3 that failed, where no request comes */
	a->cred.password = "wrong";
	c = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	rig_expect_closed(a->rig, c.fd);
	TALLOC_FREE(c.sec);
}

static void idle_connections_are_closed_unless_something_is_registered(void **state)
{
	struct auth_rig *a = *state;
	uint8_t out[4];
	struct raw idle, holding;

	a->rig->limits.idle_ms = 100;
	a->rig->limits.auth_ms = 5000;
	rig_start(a->rig);
	holding = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	send_request(&holding, 2, RIG_HOLD, NULL, 0, NULL);
	assert_int_equal(recv_response(&holding, 2, out, sizeof(out)), 0);
	idle = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	rig_expect_closed(a->rig, idle.fd);
	rig_settle(a->rig, 250);
	expect_who(&holding, "5 " NTLM_DOMAIN "\\" NTLM_USER);
	TALLOC_FREE(idle.sec);
	raw_close(&holding);
}

struct conns {
	unsigned int opened, ended, counted;
	struct tcpconn last;
};

static void hear_conn(void *private_data, const struct tcpconn *conn, bool open)
{
	struct conns *conns = private_data;

	conns->last = *conn;
	*(open ? &conns->opened : &conns->ended) += 1;
}

static void count_conn(void *private_data, const struct tcpconn *conn)
{
	struct conns *conns = private_data;

	conns->counted++;
	assert_memory_equal(conn, &conns->last, sizeof(*conn));
}

static void authenticated_connections_are_told_of(void **state)
{
	struct auth_rig *a = *state;
	struct conns conns = {.counted = 0};
	struct raw c, anonymous;

	rig_start(a->rig);
	rpc_server_listen(a->rig->server, hear_conn, &conns);
	anonymous = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	c = authenticated(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	expect_who(&c, "5 " NTLM_DOMAIN "\\" NTLM_USER);
	assert_int_equal(conns.opened, 1);
	assert_int_equal(conns.last.local_port, a->rig->port);
	rpc_server_foreach_conn(a->rig->server, count_conn, &conns);
	assert_int_equal(conns.counted, 1);
	raw_close(&c);
	RIG_UNTIL(a->rig, conns.ended == 1);
	raw_close(&anonymous);
	RIG_UNTIL(a->rig, rpc_server_stats(a->rig->server)->connections == 0);
	assert_int_equal(conns.opened, 1);
	assert_int_equal(conns.ended, 1);
	rpc_server_foreach_conn(a->rig->server, count_conn, &conns);
	assert_int_equal(conns.counted, 1);
}

/* The connection goes while its step is on a thread. */
static void a_client_that_vanishes_during_a_step_is_forgotten(void **state)
{
	struct auth_rig *a = *state;
	struct pdu_auth auth;
	struct raw c;
	uint64_t pkts;

	rig_start(a->rig);
	for (int i = 0; i < 20; i++) {
		c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
		auth = begin(a, &c, RPC_BIND);
		finish(&c, &auth);
		raw_close(&c);
	}
	RIG_UNTIL(a->rig, rpc_server_stats(a->rig->server)->connections == 0);
	c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	new_initiator(a, &c);
	auth = client_step(&c, NULL);
	send_ctx(&c, RPC_BIND, &rig_strict_iface.syntax, &auth);
	pkts = rpc_server_stats(a->rig->server)->pkts_in;
	RIG_UNTIL(a->rig, rpc_server_stats(a->rig->server)->pkts_in > pkts);
	TALLOC_FREE(a->rig->server);
	raw_close(&c);
}

/* --- a pool that has too much to do --- */

#define BUSY_MAX 1200

static sem_t gate;
static atomic_uint at_gate;
static unsigned int passed;

static void wait_at_gate(struct auth_job *job)
{
	atomic_fetch_add(&at_gate, 1);
	while (sem_wait(&gate) != 0) {
	}
}

static void gate_passed(struct auth_job *job)
{
	passed++;
}

/* Until the threads hang, and no more is queued behind them. @return how many jobs there are */
static unsigned int fill_pool(struct auth_rig *a, struct auth_job *jobs)
{
	struct auth_pool *pool = rpc_auth_pool(a->rig->auth);
	unsigned int num = 0;
	bool threads_hang;

	do {
		threads_hang = atomic_load(&at_gate) == a->ntlm.config.threads;
		while (auth_pool_submit(pool, &jobs[num]) == 0) {
			assert_in_range(++num, 1, BUSY_MAX - 1);
		}
	} while (!threads_hang);
	return num;
}

static void who_finds_no_place_in_the_queue_is_told_and_counted(void **state)
{
	struct auth_rig *a = *state;
	struct auth_job *jobs = calloc(BUSY_MAX, sizeof(*jobs));
	struct pdu_auth auth;
	unsigned int num;
	struct raw c;

	assert_non_null(jobs);
	rig_start(a->rig);
	c = raw_new(a, RPC_AUTH_NTLM, RPC_LEVEL_INTEGRITY);
	for (unsigned int i = 0; i < BUSY_MAX; i++) {
		jobs[i] = (struct auth_job){.run = wait_at_gate, .done = gate_passed};
	}
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	new_initiator(a, &c);
	auth = client_step(&c, NULL);
	num = fill_pool(a, jobs);
	send_ctx(&c, RPC_BIND, &rig_strict_iface.syntax, &auth);
	rig_expect_nak(a->rig, c.fd, RPC_NAK_TEMPORARY_CONGESTION);
	assert_int_equal(rpc_server_stats(a->rig->server)->limited[RPC_LIMIT_AUTH_QUEUE], 1);
	for (unsigned int i = 0; i < num; i++) {
		assert_int_equal(sem_post(&gate), 0);
	}
	RIG_UNTIL(a->rig, passed == num);
	raw_close(&c);
	sem_destroy(&gate);
	free(jobs);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(calls_are_protected_in_fragments_both_ways),
		CASE(the_first_request_may_be_right_behind_auth3),
		CASE(level_connect_identifies_and_protects_nothing),
		CASE(a_level_too_low_is_refused),
		CASE(anonymous_requests_are_anonymous_on_any_connection),
		CASE(a_request_before_the_last_leg_ends_it),
		CASE(several_security_contexts_on_one_connection),
		CASE(damaged_requests_end_the_connection),
		CASE(a_replayed_request_is_seen),
		CASE(legs_have_to_fit_to_their_negotiation),
		CASE(a_complete_context_takes_no_further_leg),
		CASE(bad_credentials_are_told_where_there_is_an_answer),
		CASE(guessing_is_slow),
		CASE(binds_with_bad_auth_are_refused),
		CASE(authentication_has_to_end_in_time),
		CASE(idle_connections_are_closed_unless_something_is_registered),
		CASE(a_client_that_vanishes_during_a_step_is_forgotten),
		CASE(authenticated_connections_are_told_of),
		CASE(who_finds_no_place_in_the_queue_is_told_and_counted),
	};

	alarm(120); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
