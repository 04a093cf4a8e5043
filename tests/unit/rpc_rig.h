/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server on loopback with small test interfaces, and a client that sends raw PDUs: what the tests of
 * the RPC server share. Everything runs in one event loop; waiting is for a condition with a deadline.
 */
#ifndef WITNESSD_TESTS_RPC_RIG_H
#define WITNESSD_TESTS_RPC_RIG_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <tevent.h>

#include "witnessd/rpc/op.h"
#include "witnessd/rpc/pdu.h"
#include "witnessd/rpc/server.h"
#include "witnessd/util/req.h"

#define RIG_DEADLINE_S 10
#define RIG_WAITERS    8

/* 11111111-... v1.0: everybody; 22222222-... v1.0: integrity at least. */
#define RIG_SYNTAX(byte)                                                                           \
	{                                                                                          \
		.uuid = GUID_BYTES(byte, byte, byte, byte, byte, byte, byte, byte, byte, byte,     \
				   byte, byte, byte, byte, byte, byte),                            \
		.major = 1, .minor = 0                                                             \
	}

enum rig_opnum {
	RIG_ECHO,  /* the stub comes back */
	RIG_WAIT,  /* until rig_release() */
	RIG_SIZE,  /* u32 n: n bytes, each its offset's low byte */
	RIG_ERRNO, /* u32 e: recv() answers that errno */
	RIG_HOLE,
	RIG_FAULT, /* u32 f: that fault */
	RIG_HOLD,  /* holds the association group */
	RIG_WHO,   /* the caller's principal, level in front */
	RIG_NUM_OPS,
};

struct rig {
	struct tevent_context *ev;
	struct rpc_limits limits;
	struct rpc_auth *auth;
	struct rpc_server *server;
	struct rpc_endpoint *endpoint;
	uint16_t port;
	struct tevent_req *waiters[RIG_WAITERS]; /* operations in RIG_WAIT, oldest first */
	unsigned int num_waiters;
	unsigned int recvs; /* RIG_WAIT answers that were taken */
	unsigned int groups_gone;
	bool timed_out;
};

static inline uint32_t rig_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline int rig_echo(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
			   struct rpc_reply *reply)
{
	reply->stub = talloc_memdup(mem_ctx, call->stub, call->stub_len);
	reply->stub_len = call->stub_len;
	return 0;
}
RPC_OP_NOW(rig_echo)

static inline int rig_size(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
			   struct rpc_reply *reply)
{
	uint32_t n;
	uint8_t *stub;

	if (call->stub_len < 4) {
		return EBADMSG;
	}
	n = rig_u32(call->stub);
	stub = talloc_size(mem_ctx, n);
	for (uint32_t i = 0; i < n; i++) {
		stub[i] = (uint8_t)i;
	}
	reply->stub = stub;
	reply->stub_len = n;
	return 0;
}
RPC_OP_NOW(rig_size)

static inline int rig_errno(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
			    struct rpc_reply *reply)
{
	return call->stub_len < 4 ? EBADMSG : (int)rig_u32(call->stub);
}
RPC_OP_NOW(rig_errno)

static inline int rig_fault(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
			    struct rpc_reply *reply)
{
	reply->fault = rig_u32(call->stub);
	return 0;
}
RPC_OP_NOW(rig_fault)

static inline int rig_hold(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
			   struct rpc_reply *reply)
{
	rpc_assoc_hold(call->assoc);
	return 0;
}
RPC_OP_NOW(rig_hold)

static inline int rig_who(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	const char *text = call->identity.principal == NULL ? "-" : call->identity.principal;

	reply->stub = (uint8_t *)talloc_asprintf(mem_ctx, "%u %s",
						 (unsigned int)call->identity.level, text);
	reply->stub_len = strlen((const char *)reply->stub);
	return 0;
}
RPC_OP_NOW(rig_who)

struct rig_wait_state {
	struct rig *rig;
};

static inline void rig_wait_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	struct rig_wait_state *wait = tevent_req_data(req, struct rig_wait_state);
	struct rig *rig = wait->rig;

	for (unsigned int i = 0; i < rig->num_waiters; i++) {
		if (rig->waiters[i] == req) {
			rig->num_waiters--;
			memmove(&rig->waiters[i], &rig->waiters[i + 1],
				(rig->num_waiters - i) * sizeof(rig->waiters[0]));
			return;
		}
	}
}

static inline struct tevent_req *rig_wait_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
					       const struct rpc_call *call)
{
	struct rig *rig = call->iface_private;
	struct rig_wait_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct rig_wait_state);

	assert_non_null(req);
	assert_in_range(rig->num_waiters, 0, RIG_WAITERS - 1);
	state->rig = rig;
	rig->waiters[rig->num_waiters++] = req;
	tevent_req_set_cleanup_fn(req, rig_wait_cleanup);
	return req;
}

static inline int rig_wait_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx,
				struct rpc_reply *reply)
{
	struct rig_wait_state *wait = tevent_req_data(req, struct rig_wait_state);

	wait->rig->recvs++;
	reply->stub = talloc_memdup(mem_ctx, "done", 4);
	reply->stub_len = 4;
	return req_errno(req);
}

static inline void rig_assoc_gone(void *iface_private, struct rpc_assoc *assoc)
{
	struct rig *rig = iface_private;

	assert_int_not_equal(rpc_assoc_id(assoc), 0);
	rig->groups_gone++;
}

static const struct rpc_op rig_ops[] = {
	[RIG_ECHO] = {"echo", rig_echo_send, rpc_op_now_recv},
	[RIG_WAIT] = {"wait", rig_wait_send, rig_wait_recv},
	[RIG_SIZE] = {"size", rig_size_send, rpc_op_now_recv},
	[RIG_ERRNO] = {"errno", rig_errno_send, rpc_op_now_recv},
	[RIG_FAULT] = {"fault", rig_fault_send, rpc_op_now_recv},
	[RIG_HOLD] = {"hold", rig_hold_send, rpc_op_now_recv},
	[RIG_WHO] = {"who", rig_who_send, rpc_op_now_recv},
};

static const struct rpc_iface rig_open_iface = {
	.name = "open",
	.syntax = RIG_SYNTAX(0x11),
	.ops = rig_ops,
	.num_ops = RIG_NUM_OPS,
	.min_level = RPC_LEVEL_NONE,
	.assoc_gone = rig_assoc_gone,
};

static const struct rpc_iface rig_strict_iface = {
	.name = "strict",
	.syntax = RIG_SYNTAX(0x22),
	.ops = rig_ops,
	.num_ops = RIG_NUM_OPS,
	.min_level = RPC_LEVEL_INTEGRITY,
};

static const struct rpc_syntax rig_ndr20 = RPC_SYNTAX_NDR20;

/* A rig whose server is not started: change rig->limits or rig->auth, then rig_start(). */
static inline struct rig *rig_new(void)
{
	struct rig *rig = talloc_zero(NULL, struct rig);

	rig->ev = tevent_context_init(rig);
	rig->limits = rpc_limits_default;
	return rig;
}

static inline struct ipaddr rig_loopback(void)
{
	struct ipaddr addr;

	assert_int_equal(ipaddr_parse("127.0.0.1", &addr), 0);
	return addr;
}

static inline void rig_start(struct rig *rig)
{
	struct ipaddr addr = rig_loopback();

	assert_int_equal(rpc_server_create(rig, rig->ev, &rig->limits, rig->auth, &rig->server), 0);
	assert_int_equal(rpc_endpoint_create(rig->server, "test", &rig->endpoint), 0);
	assert_int_equal(rpc_endpoint_serve(rig->endpoint, &rig_open_iface, rig), 0);
	assert_int_equal(rpc_endpoint_serve(rig->endpoint, &rig_strict_iface, rig), 0);
	assert_int_equal(rpc_endpoint_listen(rig->endpoint, &addr, 0, &rig->port), 0);
}

static inline void rig_expired(struct tevent_context *ev, struct tevent_timer *te,
			       struct timeval now, void *private_data)
{
	*(bool *)private_data = true;
}

/* Run the loop until cond, which the loop's events change; fail after the deadline. */
#define RIG_UNTIL(rig, cond)                                                                       \
	do {                                                                                       \
		struct tevent_timer *rig_te_ = rig_deadline(rig);                                  \
		while (!(cond)) {                                                                  \
			assert_false((rig)->timed_out);                                            \
			assert_int_equal(tevent_loop_once((rig)->ev), 0);                          \
		}                                                                                  \
		talloc_free(rig_te_);                                                              \
	} while (0)

static inline struct tevent_timer *rig_deadline(struct rig *rig)
{
	rig->timed_out = false;
	return tevent_add_timer(rig->ev, rig, tevent_timeval_current_ofs(RIG_DEADLINE_S, 0),
				rig_expired, &rig->timed_out);
}

static inline void rig_fd_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
				void *private_data)
{
	*(bool *)private_data = true;
}

/* Let the server work until the client's socket has something, or its end, to read. */
static inline void rig_readable(struct rig *rig, int fd)
{
	bool ready = false;
	struct tevent_fd *fde =
		tevent_add_fd(rig->ev, rig, fd, TEVENT_FD_READ, rig_fd_ready, &ready);

	RIG_UNTIL(rig, ready);
	talloc_free(fde);
}

/* Let the server work for a moment: everything that is due now, and so many milliseconds more. */
static inline void rig_settle(struct rig *rig, unsigned int ms)
{
	bool over = false; /* the timer frees itself when it has run */

	assert_non_null(tevent_add_timer(rig->ev, rig, tevent_timeval_current_ofs(0, ms * 1000),
					 rig_expired, &over));
	while (!over) {
		assert_int_equal(tevent_loop_once(rig->ev), 0);
	}
}

static inline int rig_connect(struct rig *rig)
{
	struct ipaddr addr = rig_loopback();
	struct sockaddr_storage ss;
	socklen_t len = ipaddr_to_sockaddr(&addr, rig->port, &ss);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static inline void rig_send(int fd, const void *buf, size_t len)
{
	assert_int_equal(send(fd, buf, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Send a PDU that a pdu_push_x() made, and free it. */
static inline void rig_send_pdu(int fd, uint8_t *pdu, size_t len)
{
	rig_send(fd, pdu, len);
	talloc_free(pdu);
}

/* Receive exactly len bytes; false at the end of the connection (or a reset) before the first. */
static inline bool rig_recv(struct rig *rig, int fd, uint8_t *buf, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n;

		rig_readable(rig, fd);
		n = recv(fd, buf + have, len - have, MSG_DONTWAIT);
		if (n == 0 || (n == -1 && errno == ECONNRESET)) {
			assert_int_equal(have, 0);
			return false;
		}
		assert_true(n > 0);
		have += (size_t)n;
	}
	return true;
}

struct rig_frame {
	struct pdu_hdr hdr;
	uint8_t buf[UINT16_MAX];
};

static inline void rig_recv_pdu(struct rig *rig, int fd, struct rig_frame *pdu)
{
	assert_true(rig_recv(rig, fd, pdu->buf, PDU_HDR_LEN));
	assert_int_equal(pdu_pull_hdr(pdu->buf, PDU_HDR_LEN, &pdu->hdr), 0);
	assert_false(pdu->hdr.big_endian);
	assert_true(pdu->hdr.frag_length >= PDU_HDR_LEN);
	if (pdu->hdr.frag_length > PDU_HDR_LEN) {
		assert_true(rig_recv(rig, fd, pdu->buf + PDU_HDR_LEN,
				     pdu->hdr.frag_length - PDU_HDR_LEN));
	}
}

static inline void rig_expect_closed(struct rig *rig, int fd)
{
	uint8_t byte;

	assert_false(rig_recv(rig, fd, &byte, 1));
	close(fd);
}

static inline void rig_expect_fault(struct rig *rig, int fd, uint32_t call_id, uint8_t flags,
				    uint16_t context_id, uint32_t status)
{
	struct rig_frame pdu;
	uint32_t got = 0;

	rig_recv_pdu(rig, fd, &pdu);
	assert_int_equal(pdu.hdr.ptype, RPC_FAULT);
	assert_int_equal(pdu_pull_fault(pdu.buf, &pdu.hdr, &got), 0);
	assert_int_equal(got, status);
	assert_int_equal(pdu.hdr.call_id, call_id);
	assert_int_equal(pdu.hdr.flags, flags);
	assert_int_equal(pdu.hdr.frag_length, 32);
	assert_int_equal(pdu.hdr.auth_length, 0);
	assert_int_equal(pdu.buf[20] | pdu.buf[21] << 8, context_id);
}

static inline void rig_expect_nak(struct rig *rig, int fd, uint16_t reason)
{
	struct rig_frame pdu;
	uint16_t got = 0;

	rig_recv_pdu(rig, fd, &pdu);
	assert_int_equal(pdu.hdr.ptype, RPC_BIND_NAK);
	assert_int_equal(pdu.hdr.frag_length, 24);
	assert_int_equal(pdu_pull_bind_nak(pdu.buf, &pdu.hdr, &got), 0);
	assert_int_equal(got, reason);
	rig_expect_closed(rig, fd);
}

/* One fragment of a request. */
static inline void rig_send_frag(int fd, uint8_t flags, uint32_t call_id, uint16_t context_id,
				 uint16_t opnum, const void *stub, size_t stub_len)
{
	struct pdu_frag_params params = {
		.ptype = RPC_REQUEST,
		.call_id = call_id,
		.context_id = context_id,
		.opnum = opnum,
		.max_xmit_frag = RPC_FRAG_MAX,
	};
	uint8_t *pdu;
	size_t len, consumed;

	assert_int_equal(pdu_push_frag(NULL, &params, stub, stub_len, 0, &pdu, &len, &consumed), 0);
	assert_int_equal(consumed, stub_len);
	pdu[3] = flags;
	rig_send_pdu(fd, pdu, len);
}

static inline void rig_request(int fd, uint32_t call_id, uint16_t opnum, const void *stub,
			       size_t stub_len)
{
	rig_send_frag(fd, RPC_PFC_FIRST_FRAG | RPC_PFC_LAST_FRAG, call_id, 0, opnum, stub,
		      stub_len);
}

static inline void rig_request_u32(int fd, uint32_t call_id, uint16_t opnum, uint32_t value)
{
	uint8_t stub[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
			   (uint8_t)(value >> 24)};

	rig_request(fd, call_id, opnum, stub, sizeof(stub));
}

static inline void rig_expect_response(struct rig *rig, int fd, uint32_t call_id, const void *stub,
				       size_t stub_len)
{
	struct rig_frame pdu;
	struct pdu_request res;

	rig_recv_pdu(rig, fd, &pdu);
	assert_int_equal(pdu.hdr.ptype, RPC_RESPONSE);
	assert_int_equal(pdu.hdr.call_id, call_id);
	assert_int_equal(pdu.hdr.flags, RPC_PFC_FIRST_FRAG | RPC_PFC_LAST_FRAG);
	assert_int_equal(pdu_pull_response(pdu.buf, &pdu.hdr, &res), 0);
	assert_int_equal(res.body_len, stub_len);
	assert_int_equal(res.alloc_hint, stub_len);
	if (stub_len > 0) {
		assert_memory_equal(pdu.buf + res.body_off, stub, stub_len);
	}
}

static inline void rig_empty(int fd, uint8_t ptype, uint32_t call_id)
{
	uint8_t *pdu;
	size_t len;

	assert_int_equal(pdu_push_empty(NULL, ptype, call_id, &pdu, &len), 0);
	rig_send_pdu(fd, pdu, len);
}

/* The usual bind: context 0, the open interface, NDR20. */
static inline struct pdu_bind rig_bind(struct pdu_context *ctx)
{
	*ctx = (struct pdu_context){
		.id = 0,
		.n_transfer = 1,
		.abstract = rig_open_iface.syntax,
		.transfer = {rig_ndr20},
	};
	return (struct pdu_bind){
		.max_xmit_frag = RPC_FRAG_MAX,
		.max_recv_frag = RPC_FRAG_MAX,
		.n_contexts = 1,
		.contexts = ctx,
	};
}

static inline void rig_send_bind(int fd, uint8_t ptype, uint8_t flags, const struct pdu_bind *bind)
{
	uint8_t *pdu;
	size_t len;

	assert_int_equal(pdu_push_bind(NULL, ptype, flags, 1, bind, &pdu, &len), 0);
	rig_send_pdu(fd, pdu, len);
}

/* @return the answer, a child of the rig; fails when it is not a bind_ack or alter_context_resp */
static inline struct pdu_bind_ack *rig_recv_ack(struct rig *rig, int fd, uint8_t ptype,
						uint8_t flags)
{
	struct rig_frame *pdu = talloc(rig, struct rig_frame);
	struct pdu_bind_ack *ack = talloc_zero(rig, struct pdu_bind_ack);

	rig_recv_pdu(rig, fd, pdu);
	assert_int_equal(pdu->hdr.ptype, ptype);
	assert_int_equal(pdu->hdr.flags, flags);
	assert_int_equal(pdu->hdr.call_id, 1);
	assert_int_equal(pdu_pull_bind_ack(ack, pdu->buf, &pdu->hdr, ack), 0);
	return ack;
}

/* Connect and bind anonymously; flags beside FIRST and LAST. @return the descriptor */
static inline int rig_bound(struct rig *rig, uint8_t flags, uint32_t group, uint32_t *got_group)
{
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	struct pdu_bind_ack *ack;
	int fd = rig_connect(rig);

	bind.assoc_group_id = group;
	rig_send_bind(fd, RPC_BIND, (uint8_t)(3 | flags), &bind);
	ack = rig_recv_ack(rig, fd, RPC_BIND_ACK, (uint8_t)(3 | flags));
	assert_int_equal(ack->n_results, 1);
	assert_int_equal(ack->results[0].result, 0);
	assert_int_not_equal(ack->assoc_group_id, 0);
	if (got_group != NULL) {
		*got_group = ack->assoc_group_id;
	}
	talloc_free(ack);
	return fd;
}

/* Finish the oldest operation that waits. */
static inline void rig_release(struct rig *rig)
{
	assert_in_range(rig->num_waiters, 1, RIG_WAITERS);
	tevent_req_done(rig->waiters[0]);
}

static inline int rig_setup(void **state)
{
	struct rig *rig = rig_new();

	rig_start(rig);
	*state = rig;
	return 0;
}

static inline int rig_setup_later(void **state)
{
	*state = rig_new();
	return 0;
}

/* With the server everything that it counted is gone. */
static inline int rig_teardown(void **state)
{
	struct rig *rig = *state;

	TALLOC_FREE(rig->server);
	assert_int_equal(rig->num_waiters, 0);
	talloc_free(rig);
	return 0;
}

#endif
