/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/client_stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <qb/qblist.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/util/req.h"

/* Only keepalive shows a waiting client that its peer is dead: 30 + 3 * 5 s. */
#define KEEPALIVE_IDLE_S     30
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES     3

/* after so many reads other descriptors get their turn */
#define READS_A_TURN 32

struct out_pdu {
	struct qb_list_head list;
	uint8_t *bytes;
	size_t len, sent;
};

struct client_stream {
	int fd;
	struct tevent_fd *fde;
	const struct client_stream_ops *ops;
	void *private_data;
	struct qb_list_head out; /* struct out_pdu, children of the stream */
	uint8_t hdr_bytes[PDU_HDR_LEN];
	struct pdu_hdr hdr;
	uint8_t *pdu; /* once the header is there: frag_length bytes */
	size_t have;  /* of the PDU that is being read, header included */
};

struct client_connect_state {
	int fd;
	struct tevent_fd *fde;
};

static void client_connect_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
				 void *private_data);

static void client_connect_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
	struct client_connect_state *state = tevent_req_data(req, struct client_connect_state);

	TALLOC_FREE(state->fde);
	if (how != TEVENT_REQ_DONE && state->fd >= 0) {
		close(state->fd);
		state->fd = -1;
	}
}

static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
	};

	/* All of them are optional: the connection works without. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
	}
}

struct tevent_req *client_connect_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				       const struct ipaddr *addr, uint16_t port)
{
	struct client_connect_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct client_connect_state);
	struct sockaddr_storage ss;
	socklen_t ss_len = ipaddr_to_sockaddr(addr, port, &ss);

	if (req == NULL) {
		return NULL;
	}
	state->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	tevent_req_set_cleanup_fn(req, client_connect_cleanup);
	if (state->fd < 0) {
		tevent_req_error(req, (uint64_t)errno);
		return tevent_req_post(req, ev);
	}
	set_options(state->fd);
	if (connect(state->fd, (struct sockaddr *)&ss, ss_len) < 0 && errno != EINPROGRESS) {
		tevent_req_error(req, (uint64_t)errno);
		return tevent_req_post(req, ev);
	}
	/* READ, too: tevent does not tell of errors to who waits for WRITE only. */
	state->fde = tevent_add_fd(ev, state, state->fd, TEVENT_FD_READ | TEVENT_FD_WRITE,
				   client_connect_ready, req);
	if (tevent_req_nomem(state->fde, req)) {
		return tevent_req_post(req, ev);
	}
	return req;
}

static void client_connect_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
				 void *private_data)
{
	struct tevent_req *req = private_data;
	struct client_connect_state *state = tevent_req_data(req, struct client_connect_state);
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(state->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0) {
		err = errno;
	}
	if (tevent_req_error(req, (uint64_t)err)) {
		return;
	}
	tevent_req_done(req);
}

int client_connect_recv(struct tevent_req *req, int *fd)
{
	struct client_connect_state *state = tevent_req_data(req, struct client_connect_state);
	int err = req_errno(req);

	if (err == 0) {
		*fd = state->fd;
		state->fd = -1; /* else the cleanup would close it */
	}
	tevent_req_received(req);
	return err;
}

static int stream_destructor(struct client_stream *stream)
{
	TALLOC_FREE(stream->fde); /* before its descriptor */
	if (stream->fd >= 0) {
		close(stream->fd);
		stream->fd = -1;
	}
	return 0;
}

/* Every end of the connection goes through here. */
static void stream_lose(struct client_stream *stream, int err)
{
	(void)stream_destructor(stream);
	stream->ops->lost(stream->private_data, err);
}

/* Whether this is a header of DCE/RPC 5.x at all; otherwise text would be taken for an incomplete PDU. */
static int check_hdr(const struct pdu_hdr *hdr)
{
	if (hdr->rpc_vers != 5 || hdr->rpc_vers_minor > 1 || hdr->frag_length < PDU_HDR_LEN) {
		return EPROTO;
	}
	/* Only bindings carry tokens, which may be long. */
	if ((hdr->ptype == RPC_RESPONSE || hdr->ptype == RPC_FAULT) &&
	    hdr->frag_length > RPC_FRAG_MAX) {
		return EPROTO;
	}
	return 0;
}

/* recv() into buf. @return 0 with *got > 0; EAGAIN; ECONNRESET at the end of the stream; an errno */
static int read_some(int fd, uint8_t *buf, size_t want, size_t *got)
{
	ssize_t n;

	do {
		n = recv(fd, buf, want, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return errno == EWOULDBLOCK ? EAGAIN : errno;
	}
	*got = (size_t)n;
	return n == 0 ? ECONNRESET : 0;
}

static int read_hdr(struct client_stream *stream)
{
	size_t got = 0;
	int err = read_some(stream->fd, stream->hdr_bytes + stream->have,
			    PDU_HDR_LEN - stream->have, &got);

	if (err != 0) {
		return err;
	}
	stream->have += got;
	if (stream->have < PDU_HDR_LEN) {
		return 0;
	}
	if (pdu_pull_hdr(stream->hdr_bytes, PDU_HDR_LEN, &stream->hdr) != 0) {
		return EPROTO;
	}
	err = check_hdr(&stream->hdr);
	if (err != 0) {
		return err;
	}
	stream->pdu = talloc_array(stream, uint8_t, stream->hdr.frag_length);
	if (stream->pdu == NULL) {
		return ENOMEM;
	}
	memcpy(stream->pdu, stream->hdr_bytes, PDU_HDR_LEN);
	return 0;
}

static int read_body(struct client_stream *stream)
{
	size_t got = 0;
	int err = read_some(stream->fd, stream->pdu + stream->have,
			    stream->hdr.frag_length - stream->have, &got);

	stream->have += err == 0 ? got : 0;
	return err;
}

static int read_step(struct client_stream *stream)
{
	uint8_t *pdu;
	int err = stream->pdu == NULL ? read_hdr(stream) : read_body(stream);

	if (err != 0 || stream->pdu == NULL || stream->have < stream->hdr.frag_length) {
		return err;
	}
	pdu = stream->pdu;
	stream->pdu = NULL;
	stream->have = 0;
	err = stream->ops->pdu(stream->private_data, &stream->hdr, pdu);
	talloc_free(pdu);
	return err;
}

static void stream_readable(struct client_stream *stream)
{
	for (unsigned int i = 0; i < READS_A_TURN; i++) {
		int err = read_step(stream);

		if (err == EAGAIN) {
			return;
		}
		if (err != 0) {
			stream_lose(stream, err);
			return;
		}
	}
}

/* @return 0 when the queue is empty; EAGAIN; an errno of the socket */
static int flush_out(struct client_stream *stream)
{
	while (!qb_list_empty(&stream->out)) {
		struct out_pdu *pdu = qb_list_first_entry(&stream->out, struct out_pdu, list);
		ssize_t n = send(stream->fd, pdu->bytes + pdu->sent, pdu->len - pdu->sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return errno == EWOULDBLOCK ? EAGAIN : errno;
		}
		pdu->sent += (size_t)n;
		if (pdu->sent == pdu->len) {
			qb_list_del(&pdu->list);
			talloc_free(pdu);
		}
	}
	return 0;
}

static void stream_writable(struct client_stream *stream)
{
	int err = flush_out(stream);

	if (err == 0) {
		TEVENT_FD_NOT_WRITEABLE(stream->fde);
	} else if (err != EAGAIN) {
		stream_lose(stream, err);
	}
}

static void stream_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			 void *private_data)
{
	struct client_stream *stream = talloc_get_type_abort(private_data, struct client_stream);

	/* Read first: a server that refuses us says why before it closes, after which writing fails. */
	if ((flags & TEVENT_FD_READ) != 0) {
		stream_readable(stream);
	}
	if ((flags & TEVENT_FD_WRITE) != 0 && stream->fd >= 0) {
		stream_writable(stream);
	}
}

int client_stream_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, int fd,
			 const struct client_stream_ops *ops, void *private_data,
			 struct client_stream **out)
{
	struct client_stream *stream = talloc_zero(mem_ctx, struct client_stream);

	if (stream == NULL) {
		close(fd);
		return ENOMEM;
	}
	stream->fd = fd;
	stream->ops = ops;
	stream->private_data = private_data;
	qb_list_init(&stream->out);
	talloc_set_destructor(stream, stream_destructor);
	stream->fde = tevent_add_fd(ev, stream, fd, TEVENT_FD_READ, stream_ready, stream);
	if (stream->fde == NULL) {
		talloc_free(stream);
		return ENOMEM;
	}
	*out = stream;
	return 0;
}

int client_stream_send(struct client_stream *stream, uint8_t *pdu, size_t len)
{
	struct out_pdu *out;

	if (stream->fd < 0) {
		talloc_free(pdu);
		return ENOTCONN;
	}
	out = talloc_zero(stream, struct out_pdu);
	if (out == NULL) {
		talloc_free(pdu);
		return ENOMEM;
	}
	out->bytes = talloc_steal(out, pdu);
	out->len = len;
	qb_list_add_tail(&out->list, &stream->out);
	TEVENT_FD_WRITEABLE(stream->fde);
	return 0;
}
