/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ctdbd for what a real one cannot be made to do: packets cut in pieces, wrong numbers, silence, an end
 * in mid-packet. It runs in the test's event loop. Registrations and GET_PNN are answered by themselves
 * unless .mute; everything else is handed to the test. The real one is met in tests/lab.
 */
#ifndef WITNESSD_TESTS_CTDB_FAKE_H
#define WITNESSD_TESTS_CTDB_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>
#include <cmocka.h>

#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/packet.h"
#include "witnessd/util/clock.h"

#define FAKE_PNN 1U

struct ctdb_fake {
	struct tevent_context *ev;
	char dir[32], path[64];
	int listener, fd; /* fd: the client that came last, or -1 */
	struct tevent_fd *accept_fde, *fde;
	uint8_t in[65536];
	size_t in_len;
	bool mute;
	unsigned int clients, registered; /* of all clients */
	void (*request)(struct ctdb_fake *fake, const struct ctdb_packet *request);
	void *private_data;
};

/* Octets as they are. */
static inline void fake_write(struct ctdb_fake *fake, const void *buf, size_t len)
{
	assert_int_equal(send(fake->fd, buf, len, MSG_NOSIGNAL), len);
}

static inline void fake_push(struct ctdb_fake *fake, const struct ctdb_packet *packet)
{
	uint8_t *buf = NULL;
	size_t len = 0;

	assert_int_equal(ctdb_packet_push(NULL, packet, &buf, &len), 0);
	fake_write(fake, buf, len);
	talloc_free(buf);
}

static inline void fake_reply(struct ctdb_fake *fake, const struct ctdb_packet *request,
			      int32_t status, const void *data, size_t len)
{
	struct ctdb_packet reply = {.operation = CTDB_REPLY_CONTROL,
				    .srcnode = FAKE_PNN,
				    .reqid = request->reqid,
				    .status = status,
				    .data = data,
				    .data_len = (uint32_t)len};

	fake_push(fake, &reply);
}

static inline void fake_message(struct ctdb_fake *fake, uint64_t srvid, const void *data,
				size_t len)
{
	struct ctdb_packet message = {.operation = CTDB_REQ_MESSAGE,
				      .srcnode = FAKE_PNN,
				      .srvid = srvid,
				      .data = data,
				      .data_len = (uint32_t)len};

	fake_push(fake, &message);
}

static inline void fake_hang_up(struct ctdb_fake *fake)
{
	TALLOC_FREE(fake->fde);
	if (fake->fd != -1) {
		close(fake->fd);
		fake->fd = -1;
	}
}

static inline void fake_take(struct ctdb_fake *fake, const struct ctdb_packet *packet)
{
	if (packet->operation == CTDB_REQ_CONTROL && packet->opcode == CTDB_REGISTER_SRVID) {
		fake->registered++;
	}
	if (fake->mute) {
		return;
	}
	if (packet->operation == CTDB_REQ_CONTROL && packet->opcode == CTDB_GET_PNN) {
		fake_reply(fake, packet, FAKE_PNN, NULL, 0);
	} else if (packet->operation == CTDB_REQ_CONTROL && packet->opcode == CTDB_REGISTER_SRVID) {
		fake_reply(fake, packet, 0, NULL, 0);
	} else if (fake->request != NULL) {
		fake->request(fake, packet);
	}
}

static inline void fake_readable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
				 void *private_data)
{
	struct ctdb_fake *fake = private_data;
	ssize_t n = recv(fake->fd, fake->in + fake->in_len, sizeof(fake->in) - fake->in_len, 0);
	uint32_t length;

	if (n <= 0) {
		fake_hang_up(fake);
		return;
	}
	fake->in_len += (size_t)n;
	while (ctdb_packet_length(fake->in, fake->in_len, &length) == 0 && length <= fake->in_len) {
		struct ctdb_packet packet;

		assert_int_equal(ctdb_packet_parse(fake->in, length, &packet), 0);
		fake_take(fake, &packet);
		fake->in_len -= length;
		memmove(fake->in, fake->in + length, fake->in_len);
	}
}

static inline void fake_acceptable(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
				   void *private_data)
{
	struct ctdb_fake *fake = private_data;

	fake_hang_up(fake);
	fake->fd = accept(fake->listener, NULL, NULL);
	assert_true(fake->fd >= 0);
	fake->clients++;
	fake->in_len = 0;
	fake->fde = tevent_add_fd(ev, fake, fake->fd, TEVENT_FD_READ, fake_readable, fake);
}

static inline void fake_listen(struct ctdb_fake *fake)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	strcpy(addr.sun_path, fake->path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fake->listener, 5), 0);
	fake->accept_fde = tevent_add_fd(fake->ev, fake, fake->listener, TEVENT_FD_READ,
					 fake_acceptable, fake);
}

/* As a daemon that ends. */
static inline void fake_die(struct ctdb_fake *fake)
{
	fake_hang_up(fake);
	TALLOC_FREE(fake->accept_fde);
	if (fake->listener != -1) {
		close(fake->listener);
		fake->listener = -1;
	}
	unlink(fake->path);
}

static inline int fake_destructor(struct ctdb_fake *fake)
{
	fake_die(fake);
	rmdir(fake->dir);
	return 0;
}

static inline struct ctdb_fake *fake_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev)
{
	struct ctdb_fake *fake = talloc_zero(mem_ctx, struct ctdb_fake);

	assert_non_null(fake);
	fake->ev = ev;
	fake->listener = fake->fd = -1;
	strcpy(fake->dir, "/tmp/ctdb-fake-XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	snprintf(fake->path, sizeof(fake->path), "%s/socket", fake->dir);
	talloc_set_destructor(fake, fake_destructor);
	fake_listen(fake);
	return fake;
}

static inline void fake_timed_out(struct tevent_context *ev, struct tevent_timer *te,
				  struct timeval now, void *private_data)
{
	*(bool *)private_data = true;
}

/* Run the loop until a condition holds; a test whose condition never holds fails. */
#define fake_wait_until(ev, condition)                                                             \
	do {                                                                                       \
		bool late_ = false;                                                                \
		struct tevent_timer *te_ = tevent_add_timer(                                       \
			ev, ev, tevent_timeval_current_ofs(20, 0), fake_timed_out, &late_);        \
		while (!(condition) && !late_) {                                                   \
			tevent_loop_once(ev);                                                      \
		}                                                                                  \
		assert_true(condition);                                                            \
		talloc_free(te_);                                                                  \
	} while (0)

#endif
