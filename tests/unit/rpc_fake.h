/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An RPC server on loopback that says what a test scripts, in the test's own process, and what the
 * tests of the client share.
 */
#ifndef WITNESSD_TESTS_UNIT_RPC_FAKE_H
#define WITNESSD_TESTS_UNIT_RPC_FAKE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "witnessd/rpc/client_private.h"
#include "witnessd/rpc/ndr.h"
#include "witnessd/rpc/pdu.h"

#define FRAG      4280
#define FIRST     RPC_PFC_FIRST_FRAG
#define LAST      RPC_PFC_LAST_FRAG
#define CALL_WAIT 20000 /* ms; long enough never to be what ends a good test */

static const struct rpc_syntax witness = RPC_SYNTAX_WITNESS;

struct fake;
typedef void (*fake_fn)(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu);

/* A listening socket, and the one connection it has accepted. */
struct fake {
	struct tevent_context *ev;
	int listen_fd, fd;
	uint16_t port;
	struct tevent_fd *listen_fde, *fde;
	fake_fn fn; /* called for each PDU that comes */
	uint8_t in[65536];
	size_t have;
	uint8_t *out;
	size_t out_len, out_sent;
	bool closing;
	unsigned int pdus;
	bool no_mpx;
	uint16_t max_recv; /* said in the bind_ack */
	uint32_t held[4];  /* call ids that a script keeps */
	unsigned int num_held;
	size_t stub_bytes; /* of requests, added up */
};

static inline void fake_close(struct fake *fake)
{
	TALLOC_FREE(fake->fde);
	if (fake->fd >= 0) {
		close(fake->fd);
		fake->fd = -1;
	}
	TALLOC_FREE(fake->out);
	fake->out_len = fake->out_sent = fake->have = 0;
	fake->pdus = 0;
	fake->closing = false;
}

/* Queue bytes for the client. */
static inline void fake_send(struct fake *fake, const void *bytes, size_t len)
{
	fake->out = talloc_realloc(fake, fake->out, uint8_t, fake->out_len + len + 1);
	assert_non_null(fake->out);
	memcpy(fake->out + fake->out_len, bytes, len);
	fake->out_len += len;
	TEVENT_FD_WRITEABLE(fake->fde);
}

/* Close when the queue is empty. */
static inline void fake_close_later(struct fake *fake)
{
	fake->closing = true;
	TEVENT_FD_WRITEABLE(fake->fde);
}

static inline void fake_writable(struct fake *fake)
{
	ssize_t n = send(fake->fd, fake->out + fake->out_sent, fake->out_len - fake->out_sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		fake_close(fake);
		return;
	}
	fake->out_sent += (size_t)n;
	if (fake->out_sent < fake->out_len) {
		return;
	}
	TALLOC_FREE(fake->out);
	fake->out_len = fake->out_sent = 0;
	TEVENT_FD_NOT_WRITEABLE(fake->fde);
	if (fake->closing) {
		fake_close(fake);
	}
}

static inline void fake_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			      void *private_data)
{
	struct fake *fake = private_data;
	ssize_t n;

	if ((flags & TEVENT_FD_WRITE) != 0) {
		fake_writable(fake);
	}
	if (fake->fd < 0 || (flags & TEVENT_FD_READ) == 0) {
		return;
	}
	n = recv(fake->fd, fake->in + fake->have, sizeof(fake->in) - fake->have, MSG_DONTWAIT);

	if (n <= 0) {
		fake_close(fake);
		return;
	}
	fake->have += (size_t)n;
	while (fake->have >= PDU_HDR_LEN) {
		struct pdu_hdr hdr;

		assert_int_equal(pdu_pull_hdr(fake->in, fake->have, &hdr), 0);
		if (fake->have < hdr.frag_length) {
			return;
		}
		fake->pdus++;
		fake->fn(fake, &hdr, fake->in);
		if (fake->fd < 0) {
			return;
		}
		fake->have -= hdr.frag_length;
		memmove(fake->in, fake->in + hdr.frag_length, fake->have);
	}
}

static inline void fake_accept(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			       void *private_data)
{
	struct fake *fake = private_data;

	fake->fd = accept(fake->listen_fd, NULL, NULL);
	assert_true(fake->fd >= 0);
	if (fake->fn == NULL) {
		fake_close(fake);
		return;
	}
	fake->fde = tevent_add_fd(ev, fake, fake->fd, TEVENT_FD_READ, fake_ready, fake);
}

static inline int setup(void **state)
{
	struct fake *fake = talloc_zero(NULL, struct fake);
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sin);

	assert_non_null(fake);
	fake->ev = tevent_context_init(fake);
	fake->fd = -1;
	fake->max_recv = FRAG;
	fake->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake->listen_fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fake->listen_fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(listen(fake->listen_fd, 5), 0);
	fake->port = ntohs(sin.sin_port);
	fake->listen_fde =
		tevent_add_fd(fake->ev, fake, fake->listen_fd, TEVENT_FD_READ, fake_accept, fake);
	*state = fake;
	return 0;
}

static inline int teardown(void **state)
{
	struct fake *fake = *state;

	fake_close(fake);
	TALLOC_FREE(fake->listen_fde);
	close(fake->listen_fd);
	talloc_free(fake);
	return 0;
}

/* The bind_ack that a good server gives, to be spoiled by the caller. */
static inline uint8_t *make_ack(struct fake *fake, uint32_t call_id, uint16_t result, size_t *len)
{
	struct pdu_result results[2] = {{.result = result, .reason = result == 2 ? 1 : 0},
					{.result = 3, .reason = 3}};
	struct pdu_bind_ack ack = {
		.max_xmit_frag = FRAG,
		.max_recv_frag = fake->max_recv,
		.assoc_group_id = 0x1234,
		.sec_addr = "135",
		.n_results = 2,
		.results = results,
	};
	uint8_t flags = FIRST | LAST | (fake->no_mpx ? 0 : RPC_PFC_CONC_MPX);
	uint8_t *pdu = NULL;

	if (result == 0) {
		results[0].transfer = (struct rpc_syntax)RPC_SYNTAX_NDR20;
	}
	assert_int_equal(pdu_push_bind_ack(fake, RPC_BIND_ACK, flags, call_id, &ack, &pdu, len), 0);
	return pdu;
}

/* Answer the first PDU, a bind, as it should be. @return whether it was that */
static inline bool answer_bind(struct fake *fake, const struct pdu_hdr *hdr)
{
	uint8_t *ack;
	size_t len = 0;

	if (fake->pdus > 1) {
		return false;
	}
	assert_int_equal(hdr->ptype, RPC_BIND);
	ack = make_ack(fake, hdr->call_id, 0, &len);
	fake_send(fake, ack, len);
	talloc_free(ack);
	return true;
}

/* A response fragment of zeroes. */
static inline uint8_t *make_response(struct fake *fake, uint32_t call_id, uint8_t flags,
				     uint16_t stub, size_t *len)
{
	struct ndr_out out = ndr_out_init(fake);
	const uint8_t head[8] = {5, 0, RPC_RESPONSE, flags, 0x10, 0, 0, 0};

	ndr_out_bytes(&out, head, sizeof(head));
	ndr_out_u16(&out, (uint16_t)(24 + stub));
	ndr_out_u16(&out, 0);
	ndr_out_u32(&out, call_id);
	ndr_out_u32(&out, stub);
	ndr_out_u32(&out, 0);
	ndr_out_zero(&out, stub);
	assert_int_equal(out.err, 0);
	*len = out.len;
	return out.buf;
}

static inline void respond(struct fake *fake, uint32_t call_id, uint8_t flags, uint16_t stub)
{
	size_t len = 0;
	uint8_t *pdu = make_response(fake, call_id, flags, stub, &len);

	fake_send(fake, pdu, len);
	talloc_free(pdu);
}

/* Binds are answered as they should be, requests by a fault. */
static inline void answer_fault(struct fake *fake, const struct pdu_hdr *hdr, const uint8_t *pdu)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (answer_bind(fake, hdr)) {
		return;
	}
	/* Flags that no two servers agree on, and a context id of its own. */
	assert_int_equal(
		pdu_push_fault(fake, 0xe4, hdr->call_id, 77, RPC_FAULT_OP_RNG_ERROR, &bytes, &len),
		0);
	fake_send(fake, bytes, len);
	talloc_free(bytes);
}

static inline struct rpc_client_params params_for(const struct fake *fake)
{
	struct rpc_client_params params = {
		.port = fake->port, .iface = witness, .timeout_ms = CALL_WAIT};

	assert_int_equal(ipaddr_parse("127.0.0.1", &params.addr), 0);
	return params;
}

static inline int connect_with(struct fake *fake, const struct rpc_client_params *params,
			       struct rpc_client **out)
{
	char *why = NULL;
	struct tevent_req *req = rpc_client_connect_send(fake, fake->ev, params);
	int err;

	assert_non_null(req);
	assert_true(tevent_req_poll(req, fake->ev));
	err = rpc_client_connect_recv(req, fake, out, &why);
	assert_true((err == 0) == (why == NULL));
	talloc_free(why);
	talloc_free(req);
	return err;
}

static inline int try_connect(struct fake *fake, fake_fn fn, struct rpc_client **out)
{
	struct rpc_client_params params = params_for(fake);

	fake->fn = fn;
	return connect_with(fake, &params, out);
}

static inline struct rpc_client *must_connect(struct fake *fake, fake_fn fn)
{
	struct rpc_client *client = NULL;

	assert_int_equal(try_connect(fake, fn, &client), 0);
	return client;
}

static inline struct tevent_req *start_call(struct fake *fake, struct rpc_client *client,
					    uint16_t opnum)
{
	struct tevent_req *req = rpc_client_call_send(fake, fake->ev, client, opnum,
						      (const uint8_t *)"abcd", 4, CALL_WAIT);

	assert_non_null(req);
	return req;
}

static inline int finish_call(struct fake *fake, struct tevent_req *req, uint32_t *fault,
			      size_t *len)
{
	uint8_t *stub = NULL;
	int err;

	assert_true(tevent_req_poll(req, fake->ev));
	err = rpc_client_call_recv(req, fake, fault, &stub, len);
	talloc_free(stub);
	talloc_free(req);
	return err;
}

static inline int do_call(struct fake *fake, struct rpc_client *client, uint32_t *fault,
			  size_t *len)
{
	return finish_call(fake, start_call(fake, client, 0), fault, len);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
