/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/control/control_private.h"

#include <errno.h>
#include <poll.h>
#include <qb/qbipcc.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/util/clock.h"

/* One call: its connection and its deadline. */
struct call {
	TALLOC_CTX *mem_ctx;
	const char *name;
	int timeout_ms;
	int64_t deadline_ms;
	qb_ipcc_connection_t *conn;
	char *reply;
	size_t len, size; /* bytes received, and allocated */
	bool complete;
	char **why;
};

static int left_ms(const struct call *call)
{
	int64_t left = call->deadline_ms - (int64_t)clock_ms();

	return left > 0 ? (int)left : 0;
}

static int call_error(struct call *call, int err)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		*call->why = talloc_asprintf(
			call->mem_ctx, "no witnessd is running (control socket %s)", call->name);
		break;
	case EACCES:
	case EPERM:
		err = EACCES;
		*call->why =
			talloc_asprintf(call->mem_ctx,
					"witnessd (control socket %s) lets in only root and the "
					"members of global.control_group",
					call->name);
		break;
	case EBUSY:
		*call->why = talloc_asprintf(call->mem_ctx,
					     "witnessd (control socket %s) has too many clients",
					     call->name);
		break;
	case ETIMEDOUT:
		*call->why = talloc_asprintf(call->mem_ctx,
					     "witnessd (control socket %s) has not answered within "
					     "%d ms",
					     call->name, call->timeout_ms);
		break;
	case ESTALE:
		*call->why = talloc_strdup(call->mem_ctx,
					   "what was asked for has ended meanwhile: ask again");
		break;
	case EFBIG:
		*call->why = talloc_strdup(call->mem_ctx, "the answer is larger than 64 MiB");
		break;
	case EMSGSIZE:
		*call->why = talloc_asprintf(call->mem_ctx, "the request is larger than 64 KiB");
		break;
	default:
		*call->why = talloc_asprintf(call->mem_ctx,
					     "talking to witnessd (control socket %s) failed: %s",
					     call->name, strerror(err));
		break;
	}
	return err;
}

static int call_connect(struct call *call)
{
	struct pollfd pfd = {.events = POLLIN};
	int ret;

	call->conn = qb_ipcc_connect_async(call->name, CONTROL_BUFFER, &pfd.fd);
	if (call->conn == NULL) {
		return errno != 0 ? errno : ECONNREFUSED;
	}
	do {
		ret = poll(&pfd, 1, left_ms(call));
	} while (ret < 0 && errno == EINTR);
	if (ret == 1) {
		ret = qb_ipcc_connect_continue(call->conn);
		if (ret != 0) {
			call->conn = NULL; /* libqb has freed it */
			return -ret;
		}
		return 0;
	}
	return ret == 0 ? ETIMEDOUT : errno;
}

/* A part has arrived: append its bytes. @return 0, EPROTO or ENOMEM */
static int take_part(struct call *call, const struct control_part *part, size_t len)
{
	bool known = part->total != CONTROL_TOTAL_UNKNOWN;
	char *more;

	if (part->offset != call->len || len > CONTROL_MAX_REPLY - call->len ||
	    (known && (part->total > CONTROL_MAX_REPLY || call->len + len > part->total)) ||
	    (len == 0 && (!known || call->len != part->total))) {
		return EPROTO;
	}
	if (call->len + len >= call->size) {
		call->size = known ? part->total + 1 : (call->len + len) * 2 + 1;
		more = talloc_realloc_size(call->mem_ctx, call->reply, call->size);
		if (more == NULL) {
			return ENOMEM;
		}
		call->reply = more;
	}
	memcpy(call->reply + call->len, part + 1, len);
	call->len += len;
	call->complete = known && call->len == part->total;
	return 0;
}

/* Send one message and receive the part of the reply that answers it. */
static int call_part(struct call *call, enum control_msg id, const char *text, size_t len)
{
	struct qb_ipc_request_header header = {.id = id, .size = (int32_t)(sizeof(header) + len)};
	struct iovec iov[2] = {{.iov_base = &header, .iov_len = sizeof(header)},
			       {.iov_base = (char *)(uintptr_t)text, .iov_len = len}};
	struct control_part *part = talloc_size(call->mem_ctx, CONTROL_BUFFER);
	ssize_t n;
	int err;

	if (part == NULL) {
		return ENOMEM;
	}
	n = qb_ipcc_sendv_recv(call->conn, iov, len > 0 ? 2 : 1, part, CONTROL_BUFFER,
			       left_ms(call));
	if (n < 0) {
		err = n == -EAGAIN ? ETIMEDOUT : (int)-n;
	} else if ((size_t)n < sizeof(struct qb_ipc_response_header)) {
		err = EPROTO;
	} else if (part->header.error < 0) {
		err = -part->header.error;
	} else {
		err = (size_t)n < sizeof(*part) || part->header.error > 0
			      ? EPROTO
			      : take_part(call, part, (size_t)n - sizeof(*part));
	}
	talloc_free(part);
	return err;
}

static int call_exchange(struct call *call, const char *text)
{
	size_t len = strlen(text);
	int ret;

	if (len > CONTROL_MAX_REQUEST) {
		return EMSGSIZE;
	}
	ret = call_connect(call);
	if (ret == 0) {
		ret = call_part(call, CONTROL_CALL, text, len);
	}
	while (ret == 0 && !call->complete) {
		ret = call_part(call, CONTROL_MORE, NULL, 0);
	}
	if (call->conn != NULL) {
		qb_ipcc_disconnect(call->conn);
	}
	return ret;
}

int control_call(TALLOC_CTX *mem_ctx, const char *name, const json_t *request, int timeout_ms,
		 json_t **result, char **why)
{
	char *text = json_dumps(request, JSON_COMPACT);
	struct call call = {
		.mem_ctx = talloc_new(mem_ctx),
		.name = name,
		.timeout_ms = timeout_ms,
		.deadline_ms = (int64_t)clock_ms() + timeout_ms,
		.why = why,
	};
	TALLOC_CTX *tmp = call.mem_ctx;
	int ret;

	*why = NULL;
	if (text == NULL || tmp == NULL) {
		free(text);
		talloc_free(tmp);
		return ENOMEM;
	}
	ret = call_exchange(&call, text);
	call.mem_ctx = mem_ctx;
	if (ret == 0) {
		ret = control_result(mem_ctx, call.reply, call.len, result, why);
	}
	if (ret != 0 && *why == NULL) {
		ret = call_error(&call, ret);
	}
	free(text);
	talloc_free(tmp);
	return ret;
}
