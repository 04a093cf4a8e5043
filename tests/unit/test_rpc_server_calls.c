/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests without authentication: fragments both ways, several calls, cancel, orphaned, faults. */
#include "tests/unit/rpc_rig.h"

#define MPX RPC_PFC_CONC_MPX

static void every_fault_has_its_reaction(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);

	/* these leave the connection as it is */
	rig_request(fd, 10, RIG_NUM_OPS, NULL, 0);
	rig_expect_fault(rig, fd, 10, 0x23, 0, RPC_FAULT_OP_RNG_ERROR);
	rig_request(fd, 11, RIG_HOLE, NULL, 0);
	rig_expect_fault(rig, fd, 11, 0x23, 0, RPC_FAULT_OP_RNG_ERROR);
	rig_request(fd, 12, RIG_SIZE, "x", 1);
	rig_expect_fault(rig, fd, 12, 0x03, 0, RPC_FAULT_BAD_STUB_DATA);
	rig_request_u32(fd, 13, RIG_ERRNO, ENOMEM);
	rig_expect_fault(rig, fd, 13, 0x03, 0, RPC_FAULT_OUT_OF_RESOURCES);
	rig_request_u32(fd, 14, RIG_ERRNO, EACCES);
	rig_expect_fault(rig, fd, 14, 0x03, 0, RPC_FAULT_ACCESS_DENIED);
	rig_request_u32(fd, 15, RIG_ERRNO, EIO);
	rig_expect_fault(rig, fd, 15, 0x03, 0, RPC_FAULT_UNSPEC);
	rig_request_u32(fd, 16, RIG_FAULT, RPC_FAULT_CONTEXT_MISMATCH);
	rig_expect_fault(rig, fd, 16, 0x03, 0, RPC_FAULT_CONTEXT_MISMATCH);
	rig_send_frag(fd, 3, 17, 5, RIG_ECHO, NULL, 0);
	rig_expect_fault(rig, fd, 17, 0x23, 0, RPC_FAULT_UNK_IF);
	/* ids repeat, 0 is one, flags nobody knows and object UUIDs do not matter */
	rig_request(fd, 0, RIG_ECHO, "a", 1);
	rig_expect_response(rig, fd, 0, "a", 1);
	rig_send_frag(fd, 0x03 | 0x08 | 0x10 | 0x40, 0, 0, RIG_ECHO, "b", 1);
	rig_expect_response(rig, fd, 0, "b", 1);
	rig_send_frag(fd, 0x83, 18, 0, RIG_ECHO, "0123456789abcdefrest", 20);
	rig_expect_response(rig, fd, 18, "rest", 4);
	assert_int_equal(rpc_server_stats(rig->server)->faults, 8);
	close(fd);
}

/* What ends the connection with a fault; another connection goes on. */
static void breaking_the_protocol_ends_one_connection(void **state)
{
	static const struct {
		uint8_t bytes[32];
		size_t len;
		uint8_t flags;
		uint32_t status;
	} rows[] = {
		{{5, 0, RPC_RESPONSE, 3, 0x10, 0, 0, 0, 24, 0, 0, 0, 5, 0, 0, 0},
		 24,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		{{5, 0, RPC_SHUTDOWN, 3, 0x10, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0},
		 16,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		{{5, 0, RPC_RTS, 3, 0x10, 0, 0, 0, 20, 0, 0, 0, 5, 0, 0, 0},
		 20,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		{{5, 0, RPC_AUTH3, 3, 0x10, 0, 0, 0, 20, 0, 0, 0, 5, 0, 0, 0},
		 20,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		/* auth3 with an auth part, but nothing was begun */
		{{5, 0, RPC_AUTH3, 3, 0x10, 0, 0, 0, 29, 0, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 10, 5},
		 29,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		/* auth_length > frag_length */
		{{5, 0, RPC_REQUEST, 3, 0x10, 0, 0, 0, 24, 0, 99, 0, 5, 0, 0, 0},
		 24,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		/* too short for a request */
		{{5, 0, RPC_REQUEST, 3, 0x10, 0, 0, 0, 20, 0, 0, 0, 5, 0, 0, 0},
		 20,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		/* larger than any fragment: judged by the header alone */
		{{5, 0, RPC_REQUEST, 3, 0x10, 0, 0, 0, 0xd1, 0x16, 0, 0, 5, 0, 0, 0},
		 24,
		 0x03,
		 RPC_FAULT_PROTO_ERROR},
		/* the middle and the last fragment of nothing */
		{{5, 0, RPC_REQUEST, 0, 0x10, 0, 0, 0, 24, 0, 0, 0, 5, 0, 0, 0},
		 24,
		 0x03,
		 RPC_FAULT_PROTO_ERROR},
		{{5, 0, RPC_REQUEST, 2, 0x10, 0, 0, 0, 24, 0, 0, 0, 5, 0, 0, 0},
		 24,
		 0x03,
		 RPC_FAULT_PROTO_ERROR},
		/* already cancelled */
		{{5, 0, RPC_REQUEST, 7, 0x10, 0, 0, 0, 24, 0, 0, 0, 5, 0, 0, 0},
		 24,
		 0x23,
		 RPC_FAULT_NO_CALL_ACTIVE},
		{{4, 0, RPC_REQUEST, 3, 0x10, 0, 0, 0, 24, 0, 0, 0, 5, 0, 0, 0},
		 24,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		/* alter_context without contexts */
		{{5, 0, RPC_ALTER_CONTEXT, 3, 0x10, 0, 0, 0, 28, 0, 0, 0, 5, 0, 0, 0},
		 28,
		 0x23,
		 RPC_FAULT_PROTO_ERROR},
		/* more than is taken: alloc_hint 16 MiB in a first fragment */
		{{5, 0, RPC_REQUEST, 1, 0x10, 0, 0, 0, 24, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 1},
		 24,
		 0x03,
		 RPC_FAULT_ACCESS_DENIED},
	};
	struct rig *rig = *state;
	int other = rig_bound(rig, 0, 0, NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = rig_bound(rig, 0, 0, NULL);

		rig_send(fd, rows[i].bytes, rows[i].len);
		rig_expect_fault(rig, fd, 5, rows[i].flags, 0, rows[i].status);
		rig_expect_closed(rig, fd);
		rig_request(other, (uint32_t)i, RIG_ECHO, "on", 2);
		rig_expect_response(rig, other, (uint32_t)i, "on", 2);
	}
	close(other);
}

static void a_request_with_an_auth_part_needs_a_context(void **state)
{
	static const uint8_t request[] = {5, 0, 0, 3, 0x10, 0, 0, 0, 48, 0, 16, 0, 5, 0, 0, 0,
					  0, 0, 0, 0, 0,    0, 0, 0, 10, 5, 0,  0, 1, 0, 0, 0,
					  1, 0, 0, 0, 0,    0, 0, 0, 0,  0, 0,  0, 0, 0, 0, 0};
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);

	rig_send(fd, request, sizeof(request));
	rig_expect_fault(rig, fd, 5, 0x03, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(rig, fd);
}

static void frames_shorter_than_a_header_are_dropped(void **state)
{
	static const uint8_t pdu[] = {5, 0, 0, 3, 0x10, 0, 0, 0, 15, 0, 0, 0, 5, 0, 0, 0};
	static const uint8_t unknown[] = {5, 0, 99, 3, 0x10, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0};
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);

	rig_send(fd, pdu, sizeof(pdu));
	rig_expect_closed(rig, fd);
	fd = rig_bound(rig, 0, 0, NULL);
	rig_send(fd, unknown, sizeof(unknown));
	rig_expect_closed(rig, fd);
}

static void requests_are_put_together(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);
	char big[5816];

	rig_send_frag(fd, 1, 2, 0, RIG_ECHO, "one ", 4);
	rig_send_frag(fd, 0, 2, 0, RIG_ECHO, NULL, 0);
	rig_send_frag(fd, 0, 2, 99, RIG_FAULT, "two ", 4); /* the first fragment counts */
	rig_send_frag(fd, 2, 2, 0, RIG_ECHO, "three", 5);
	rig_expect_response(rig, fd, 2, "one two three", 13);
	/* 5840 bytes are accepted whatever was negotiated */
	memset(big, 'x', sizeof(big));
	rig_request(fd, 3, RIG_ECHO, big, sizeof(big));
	rig_expect_response(rig, fd, 3, big, sizeof(big));
	close(fd);
}

static void bytes_may_come_one_by_one(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);
	static const uint8_t request[] = {5, 0, 0, 3, 0x10, 0, 0, 0, 28, 0, 0,   0,   9,   0,
					  0, 0, 0, 0, 0,    0, 0, 0, 0,  0, 'd', 'r', 'i', 'p'};

	for (size_t i = 0; i < sizeof(request); i++) {
		rig_send(fd, request + i, 1);
		rig_settle(rig, 1);
	}
	rig_expect_response(rig, fd, 9, "drip", 4);
	close(fd);
}

static void a_second_first_fragment_ends_it(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);

	rig_send_frag(fd, 1, 2, 0, RIG_ECHO, "a", 1);
	rig_send_frag(fd, 1, 3, 0, RIG_ECHO, "b", 1);
	rig_expect_fault(rig, fd, 2, 0x03, 0, RPC_FAULT_PROTO_ERROR); /* the old one */
	rig_expect_closed(rig, fd);
	fd = rig_bound(rig, MPX, 0, NULL);
	rig_send_frag(fd, 1, 2, 0, RIG_ECHO, "a", 1);
	rig_send_frag(fd, 1, 3, 0, RIG_ECHO, "b", 1);
	rig_expect_fault(rig, fd, 3, 0x03, 0, RPC_FAULT_PROTO_ERROR); /* the new one */
	rig_expect_closed(rig, fd);
	fd = rig_bound(rig, MPX, 0, NULL);
	rig_send_frag(fd, 1, 2, 0, RIG_ECHO, "a", 1);
	rig_send_frag(fd, 2, 3, 0, RIG_ECHO, "b", 1);
	rig_expect_fault(rig, fd, 3, 0x03, 0, RPC_FAULT_PROTO_ERROR);
	rig_expect_closed(rig, fd);
}

static void reassembly_is_limited(void **state)
{
	struct rig *rig = *state;
	char half[60] = {0};
	int fd;

	rig->limits.reassembly = 100;
	rig->limits.fragments = 4;
	rig_start(rig);
	fd = rig_bound(rig, 0, 0, NULL);
	rig_send_frag(fd, 1, 2, 0, RIG_ECHO, half, 60);
	rig_send_frag(fd, 2, 2, 0, RIG_ECHO, half, 40);
	{
		char whole[100] = {0};

		rig_expect_response(rig, fd, 2, whole, 100);
	}
	rig_send_frag(fd, 1, 3, 0, RIG_ECHO, half, 60);
	rig_send_frag(fd, 2, 3, 0, RIG_ECHO, half, 41);
	rig_expect_fault(rig, fd, 3, 0x03, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(rig, fd);
	fd = rig_bound(rig, 0, 0, NULL);
	for (uint8_t i = 0; i < 5; i++) {
		rig_send_frag(fd, i == 0, 2, 0, RIG_ECHO, NULL, 0);
	}
	rig_expect_fault(rig, fd, 2, 0x03, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(rig, fd);
}

static void long_answers_come_in_fragments(void **state)
{
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	uint32_t sizes[] = {0, 1, 2024, 2025, 10000, 1000000};
	int fd = rig_connect(rig);

	bind.max_recv_frag = 2048;
	rig_send_bind(fd, RPC_BIND, 3, &bind);
	(void)rig_recv_ack(rig, fd, RPC_BIND_ACK, 3);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t got = 0;
		uint8_t flags;

		rig_request_u32(fd, 2, RIG_SIZE, sizes[i]);
		do {
			struct rig_frame pdu;
			struct pdu_request res;

			rig_recv_pdu(rig, fd, &pdu);
			assert_int_equal(pdu.hdr.ptype, RPC_RESPONSE);
			assert_int_equal(pdu_pull_response(pdu.buf, &pdu.hdr, &res), 0);
			flags = pdu.hdr.flags;
			assert_int_equal((flags & 1) != 0, got == 0);
			assert_int_equal(res.alloc_hint, sizes[i] - got);
			assert_true(pdu.hdr.frag_length <= 2048);
			for (size_t k = 0; k < res.body_len; k++) {
				assert_int_equal(pdu.buf[res.body_off + k], (got + k) & 0xff);
			}
			got += res.body_len;
		} while ((flags & 2) == 0);
		assert_int_equal(got, sizes[i]);
	}
	/* beyond any use */
	rig_request_u32(fd, 3, RIG_SIZE, 4 * 1024 * 1024 + 1);
	rig_expect_fault(rig, fd, 3, 0x03, 0, RPC_FAULT_OUT_OF_RESOURCES);
	close(fd);
}

static void with_mpx_calls_are_answered_as_they_end(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, MPX, 0, NULL);

	rig_request(fd, 101, RIG_WAIT, NULL, 0);
	rig_request(fd, 102, RIG_WAIT, NULL, 0);
	rig_request(fd, 103, RIG_ECHO, "quick", 5);
	rig_expect_response(rig, fd, 103, "quick", 5);
	assert_int_equal(rpc_server_stats(rig->server)->calls, 2);
	tevent_req_done(rig->waiters[1]);
	rig_expect_response(rig, fd, 102, "done", 4);
	rig_release(rig);
	rig_expect_response(rig, fd, 101, "done", 4);
	assert_int_equal(rpc_server_stats(rig->server)->calls, 0);
	close(fd);
}

static void one_id_names_one_running_call(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, MPX, 0, NULL);

	rig_request(fd, 101, RIG_WAIT, NULL, 0);
	rig_request(fd, 101, RIG_ECHO, NULL, 0);
	rig_expect_fault(rig, fd, 101, 0x03, 0, RPC_FAULT_PROTO_ERROR);
	rig_expect_closed(rig, fd);
}

static void without_mpx_one_call_at_a_time(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);

	/* those that are done at once may be sent in a row */
	rig_request(fd, 1, RIG_ECHO, "a", 1);
	rig_request(fd, 2, RIG_ECHO, "b", 1);
	rig_expect_response(rig, fd, 1, "a", 1);
	rig_expect_response(rig, fd, 2, "b", 1);
	rig_request(fd, 3, RIG_WAIT, NULL, 0);
	rig_request(fd, 4, RIG_ECHO, NULL, 0);
	rig_expect_fault(rig, fd, 4, 0x03, 0, RPC_FAULT_PROTO_ERROR);
	rig_expect_closed(rig, fd);
	assert_int_equal(rig->num_waiters, 0);
	assert_int_equal(rig->recvs, 0);
}

static void running_calls_are_limited(void **state)
{
	struct rig *rig = *state;
	int fd;

	rig->limits.calls = 2;
	rig_start(rig);
	fd = rig_bound(rig, MPX, 0, NULL);
	rig_request(fd, 1, RIG_WAIT, NULL, 0);
	rig_request(fd, 2, RIG_WAIT, NULL, 0);
	rig_request(fd, 3, RIG_WAIT, NULL, 0);
	rig_expect_fault(rig, fd, 3, 0x23, 0, RPC_FAULT_SERVER_TOO_BUSY);
	rig_release(rig);
	rig_expect_response(rig, fd, 1, "done", 4);
	rig_request(fd, 3, RIG_ECHO, "now", 3);
	rig_expect_response(rig, fd, 3, "now", 3);
	close(fd);
}

/* Thousands of calls may wait for days. */
static void waiting_calls_do_not_keep_their_requests(void **state)
{
	static const uint8_t padding[4000];
	struct rig *rig = *state;
	int fd = rig_bound(rig, MPX, 0, NULL);
	size_t before = talloc_total_size(rig->server);

	for (uint32_t i = 0; i < RIG_WAITERS; i++) {
		rig_request(fd, i, RIG_WAIT, padding, sizeof(padding));
	}
	RIG_UNTIL(rig, rig->num_waiters == RIG_WAITERS);
	assert_true(talloc_total_size(rig->server) - before < RIG_WAITERS * sizeof(padding) / 2);
	for (uint32_t i = 0; i < RIG_WAITERS; i++) {
		rig_release(rig);
		rig_expect_response(rig, fd, i, "done", 4);
	}
	close(fd);
}

static void a_cancelled_call_is_answered_by_a_fault(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, MPX, 0, NULL);

	rig_empty(fd, RPC_CO_CANCEL, 77); /* nobody knows it */
	rig_request(fd, 5, RIG_WAIT, NULL, 0);
	rig_request(fd, 6, RIG_WAIT, NULL, 0);
	rig_empty(fd, RPC_CO_CANCEL, 5);
	rig_expect_fault(rig, fd, 5, 0x03, 0, RPC_FAULT_CANCEL);
	assert_int_equal(rig->num_waiters, 1);
	rig_release(rig);
	rig_expect_response(rig, fd, 6, "done", 4);
	close(fd);
}

static void an_orphaned_call_is_not_answered(void **state)
{
	struct rig *rig = *state;
	int fd = rig_bound(rig, MPX, 0, NULL);

	rig_empty(fd, RPC_ORPHANED, 77);
	rig_request(fd, 5, RIG_WAIT, NULL, 0);
	rig_empty(fd, RPC_ORPHANED, 5);
	rig_request(fd, 6, RIG_ECHO, "next", 4);
	rig_expect_response(rig, fd, 6, "next", 4);
	assert_int_equal(rig->num_waiters, 0);
	/* half a request can be taken back, too */
	rig_send_frag(fd, 1, 7, 0, RIG_ECHO, "half", 4);
	rig_empty(fd, RPC_ORPHANED, 7);
	rig_request(fd, 8, RIG_ECHO, "whole", 5);
	rig_expect_response(rig, fd, 8, "whole", 5);
	close(fd);
}

static void calls_end_with_their_connection(void **state)
{
	struct rig *rig = *state;
	struct linger reset = {.l_onoff = 1};
	int fd = rig_bound(rig, MPX, 0, NULL);

	rig_request(fd, 1, RIG_WAIT, NULL, 0);
	rig_request(fd, 2, RIG_WAIT, NULL, 0);
	RIG_UNTIL(rig, rig->num_waiters == 2);
	close(fd);
	RIG_UNTIL(rig, rpc_server_stats(rig->server)->connections == 0);
	assert_int_equal(rig->num_waiters, 0);
	fd = rig_bound(rig, MPX, 0, NULL);
	rig_request(fd, 1, RIG_WAIT, NULL, 0);
	RIG_UNTIL(rig, rig->num_waiters == 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	RIG_UNTIL(rig, rig->num_waiters == 0);
	assert_int_equal(rig->recvs, 0);
	assert_int_equal(rpc_server_stats(rig->server)->calls, 0);
}

/* The operation ends between the moment when the connection began to close and its end. */
static void what_is_done_before_its_address_leaves_is_answered(void **state)
{
	struct rig *rig = *state;
	struct ipaddr addr = rig_loopback();
	int fd = rig_bound(rig, MPX, 0, NULL);

	rig_request(fd, 1, RIG_WAIT, NULL, 0);
	RIG_UNTIL(rig, rig->num_waiters == 1);
	tevent_req_defer_callback(rig->waiters[0], rig->ev);
	rig_release(rig);
	assert_int_equal(rpc_server_drop_local(rig->server, &addr), 1);
	rig_expect_response(rig, fd, 1, "done", 4);
	rig_expect_closed(rig, fd);
	close(fd);
}

static void an_answer_is_not_taken_for_a_closing_connection(void **state)
{
	struct rig *rig = *state;
	struct ipaddr addr = rig_loopback();
	int fd = rig_bound(rig, MPX, 0, NULL);

	rig_request(fd, 1, RIG_WAIT, NULL, 0);
	RIG_UNTIL(rig, rig->num_waiters == 1);
	assert_int_equal(rpc_server_drop_local(rig->server, &addr), 1);
	assert_int_equal(tevent_loop_once(rig->ev), 0); /* it closes; the call ends next time */
	rig_release(rig);
	assert_int_equal(rig->recvs, 0);
	rig_expect_closed(rig, fd);
	RIG_UNTIL(rig, rpc_server_stats(rig->server)->connections == 0);
}

static void the_verification_trailer_is_checked(void **state)
{
	/* magic; pcontext, last: the open interface with NDR20 */
	uint8_t stub[56] = {'s',  't',  'u',  'b',  0x8a, 0xe3, 0x13, 0x71,
			    0x02, 0xf4, 0x36, 0x71, 0x02, 0x40, 40,   0};
	struct rig *rig = *state;
	int fd = rig_bound(rig, 0, 0, NULL);

	memset(stub + 16, 0x11, 16);
	stub[32] = 1;
	memcpy(stub + 36, rig_ndr20.uuid.b, 16);
	stub[52] = 2;
	rig_request(fd, 1, RIG_ECHO, stub, sizeof(stub));
	rig_expect_response(rig, fd, 1, "stub", 4);
	stub[16] = 0x12;
	rig_request(fd, 2, RIG_ECHO, stub, sizeof(stub));
	rig_expect_fault(rig, fd, 2, 0x03, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(rig, fd);
}

static void a_stripped_header_signing_flag_is_noticed(void **state)
{
	/* magic; bitmask1, last: the client can sign headers */
	static const uint8_t stub[16] = {0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71,
					 0x01, 0x40, 4,    0,    1,    0,    0,    0};
	struct rig *rig = *state;
	int fd = rig_bound(rig, RPC_PFC_SUPPORT_HDRSIGN, 0, NULL);

	rig_request(fd, 1, RIG_ECHO, stub, sizeof(stub));
	rig_expect_response(rig, fd, 1, NULL, 0);
	close(fd);
	fd = rig_bound(rig, 0, 0, NULL);
	rig_request(fd, 1, RIG_ECHO, stub, sizeof(stub));
	rig_expect_fault(rig, fd, 1, 0x03, 0, RPC_FAULT_ACCESS_DENIED);
	rig_expect_closed(rig, fd);
}

static void mgmt_is_served_without_being_asked(void **state)
{
	static const struct rpc_syntax mgmt = RPC_SYNTAX_MGMT;
	struct rig *rig = *state;
	struct pdu_context ctx;
	struct pdu_bind bind = rig_bind(&ctx);
	int fd = rig_connect(rig);

	ctx.abstract = mgmt;
	rig_send_bind(fd, RPC_BIND, 3, &bind);
	assert_int_equal(rig_recv_ack(rig, fd, RPC_BIND_ACK, 3)->results[0].result, 0);
	rig_request(fd, 2, 2, NULL, 0); /* is_server_listening */
	rig_expect_response(rig, fd, 2, "\0\0\0\0\1\0\0\0", 8);
	close(fd);
}

int main(void)
{
#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)
#define TEST_LATER(fn) cmocka_unit_test_setup_teardown(fn, rig_setup_later, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_fault_has_its_reaction),
		TEST(breaking_the_protocol_ends_one_connection),
		TEST(a_request_with_an_auth_part_needs_a_context),
		TEST(frames_shorter_than_a_header_are_dropped),
		TEST(requests_are_put_together),
		TEST(bytes_may_come_one_by_one),
		TEST(a_second_first_fragment_ends_it),
		TEST_LATER(reassembly_is_limited),
		TEST(long_answers_come_in_fragments),
		TEST(with_mpx_calls_are_answered_as_they_end),
		TEST(one_id_names_one_running_call),
		TEST(without_mpx_one_call_at_a_time),
		TEST_LATER(running_calls_are_limited),
		TEST(waiting_calls_do_not_keep_their_requests),
		TEST(a_cancelled_call_is_answered_by_a_fault),
		TEST(an_orphaned_call_is_not_answered),
		TEST(calls_end_with_their_connection),
		TEST(what_is_done_before_its_address_leaves_is_answered),
		TEST(an_answer_is_not_taken_for_a_closing_connection),
		TEST(the_verification_trailer_is_checked),
		TEST(a_stripped_header_signing_flag_is_noticed),
		TEST(mgmt_is_served_without_being_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
