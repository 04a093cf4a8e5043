/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of security contexts share: steps run to their end, legs relayed, PDUs made. */
#ifndef WITNESSD_TESTS_AUTH_RIG_H
#define WITNESSD_TESTS_AUTH_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <talloc.h>
#include <tevent.h>

#include "witnessd/rpc/auth_private.h"

#define RIG_LEGS_MAX 8
#define RIG_HDR      24
#define RIG_TRAILER  8
#define RIG_PDU_MAX  5840

static const uint8_t rig_levels[] = {RPC_LEVEL_CONNECT, RPC_LEVEL_PACKET, RPC_LEVEL_INTEGRITY,
				     RPC_LEVEL_PRIVACY};
static const uint8_t rig_protecting[] = {RPC_LEVEL_PACKET, RPC_LEVEL_INTEGRITY, RPC_LEVEL_PRIVACY};

#define FOR_EACH(var, array)                                                                       \
	for (size_t var##_i = 0, var = (array)[0];                                                 \
	     var##_i < sizeof(array) / sizeof((array)[0]) && ((var = (array)[var##_i]), true);     \
	     var##_i++)

/* Run one step to its end. *out is a child of mem_ctx. */
static inline int rig_step(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct rpc_sec *sec,
			   const uint8_t *in, size_t in_len, uint8_t **out, size_t *out_len)
{
	struct tevent_req *req = rpc_sec_step_send(mem_ctx, ev, sec, in, in_len);
	bool done = false;
	int err;

	assert_non_null(req);
	assert_true(tevent_req_poll(req, ev));
	*out = NULL;
	*out_len = 0;
	err = rpc_sec_step_recv(req, mem_ctx, out, out_len, &done);
	assert_int_equal(done, rpc_sec_done(sec) && err == 0);
	talloc_free(req);
	return err;
}

struct rig_outcome {
	int client; /* errno of the step that failed, or 0 */
	int server;
	unsigned int legs;
	/* the client's last token, for those who want to damage it */
	void (*damage)(uint8_t *token, size_t len, unsigned int leg);
};

/* Relay tokens as the PDUs would, until both are complete or one has failed. */
static inline void rig_negotiate(struct tevent_context *ev, struct rpc_sec *client,
				 struct rpc_sec *server, struct rig_outcome *o)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t *token = NULL, *answer;
	size_t token_len = 0, answer_len;

	o->client = rig_step(tmp, ev, client, NULL, 0, &token, &token_len);
	for (o->legs = 0; o->client == 0 && o->legs < RIG_LEGS_MAX && token_len > 0;) {
		o->legs++;
		if (o->damage != NULL) {
			o->damage(token, token_len, o->legs);
		}
		o->server = rig_step(tmp, ev, server, token, token_len, &answer, &answer_len);
		if (o->server != 0 || answer_len == 0) {
			break;
		}
		o->legs++;
		if (rpc_sec_done(client)) {
			break; /* SPNEGO's last token, which this initiator does not need */
		}
		o->client = rig_step(tmp, ev, client, answer, answer_len, &token, &token_len);
	}
	talloc_free(tmp);
}

/* A PDU with room for its signature. */
struct rig_pdu {
	uint8_t buf[RIG_PDU_MAX];
	struct rpc_sec_pdu p;
};

static inline size_t rig_pdu_len(const struct rig_pdu *r)
{
	return r->p.hdr_len + r->p.body_len + RIG_TRAILER + r->p.auth_len;
}

static inline void rig_pdu_make(struct rig_pdu *r, const struct rpc_sec *sec, size_t hdr_len,
				size_t body_len, uint8_t fill, bool header_sign)
{
	memset(r, 0, sizeof(*r));
	r->p.pdu = r->buf;
	r->p.hdr_len = hdr_len;
	r->p.body_len = body_len;
	r->p.auth_len = rpc_sec_sig_size(sec);
	r->p.header_sign = header_sign;
	memset(r->buf, 0xb0 ^ fill, hdr_len);
	memset(r->buf + hdr_len, fill, body_len);
	r->buf[hdr_len + body_len] = sec->type;
	r->buf[hdr_len + body_len + 1] = sec->level;
	r->buf[hdr_len + body_len + 4] = 1;
}

/* The same bytes at a place of their own. */
static inline void rig_pdu_copy(struct rig_pdu *to, const struct rig_pdu *from)
{
	*to = *from;
	to->p.pdu = to->buf;
}

/* Protect at one end, unprotect at the other, and the plain text is back. */
static inline void rig_send_one(struct rpc_sec *from, struct rpc_sec *to, size_t hdr_len,
				size_t body_len, uint8_t fill, bool header_sign)
{
	struct rig_pdu plain, sent;

	rig_pdu_make(&plain, from, hdr_len, body_len, fill, header_sign);
	rig_pdu_copy(&sent, &plain);
	assert_int_equal(rpc_sec_protect(from, &sent.p), 0);
	if (from->level == RPC_LEVEL_PRIVACY && body_len >= 16) {
		assert_memory_not_equal(sent.buf + hdr_len, plain.buf + hdr_len, body_len);
	} else {
		assert_memory_equal(sent.buf + hdr_len, plain.buf + hdr_len, body_len);
	}
	assert_memory_equal(sent.buf, plain.buf, hdr_len);
	if (rpc_sec_unprotect(to, &sent.p) != 0) {
		fail_msg("body of %zu bytes: %s", body_len, rpc_sec_error(to));
	}
	assert_memory_equal(sent.buf, plain.buf, hdr_len + body_len + RIG_TRAILER);
}

/* The next PDU from there, protected. */
static inline void rig_pdu_next(struct rig_pdu *pdu, struct rpc_sec *from, uint8_t fill,
				bool header_sign)
{
	rig_pdu_make(pdu, from, RIG_HDR, 32, fill, header_sign);
	assert_int_equal(rpc_sec_protect(from, &pdu->p), 0);
}

/* Each of these leaves contexts that are good for nothing more. */
static inline void rig_refuse_replay(struct rpc_sec *client, struct rpc_sec *server,
				     bool header_sign)
{
	struct rig_pdu first, again;

	rig_pdu_next(&first, client, 1, header_sign);
	rig_pdu_copy(&again, &first);
	assert_int_equal(rpc_sec_unprotect(server, &first.p), 0);
	assert_int_equal(rpc_sec_unprotect(server, &again.p), EBADMSG);
}

static inline void rig_refuse_gap(struct rpc_sec *client, struct rpc_sec *server, bool header_sign)
{
	struct rig_pdu first, second;

	rig_pdu_next(&first, client, 1, header_sign);
	rig_pdu_next(&second, client, 2, header_sign);
	assert_int_equal(rpc_sec_unprotect(server, &second.p), EBADMSG);
}

static inline void rig_refuse_reflection(struct rpc_sec *client, bool header_sign)
{
	struct rig_pdu first;

	rig_pdu_next(&first, client, 1, header_sign);
	assert_int_equal(rpc_sec_unprotect(client, &first.p), EBADMSG);
}

static inline int rig_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline void rig_remove_tree(const char *dir)
{
	nftw(dir, rig_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void rig_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

#endif
