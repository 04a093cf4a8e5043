/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_TIMEOUT_S 5
#define REQUEST_MAX      256
#define DATAGRAM_MAX     32768 /* the kernel fills no more than the reader's buffer */

struct netlink {
	struct mnl_socket *socket;
	uint32_t seq;
	uint8_t buf[DATAGRAM_MAX];
};

static int netlink_destructor(struct netlink *nl)
{
	if (nl->socket != NULL) {
		mnl_socket_close(nl->socket);
	}
	return 0;
}

int netlink_open(TALLOC_CTX *mem_ctx, int family, struct netlink **out)
{
	struct netlink *nl = talloc_zero(mem_ctx, struct netlink);
	struct timeval limit = {.tv_sec = ANSWER_TIMEOUT_S};
	int err;

	if (nl == NULL) {
		return ENOMEM;
	}
	talloc_set_destructor(nl, netlink_destructor);
	nl->socket = mnl_socket_open2(family, SOCK_CLOEXEC);
	if (nl->socket == NULL || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) != 0 ||
	    setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &limit,
		       sizeof(limit)) != 0) {
		err = errno;
		talloc_free(nl);
		return err;
	}
	*out = nl;
	return 0;
}

int netlink_send(struct netlink *nl, uint16_t type, uint16_t flags, const void *body, size_t len)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *nlh;

	if (len > sizeof(buf) - MNL_NLMSG_HDRLEN) {
		return EMSGSIZE;
	}
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	memcpy(mnl_nlmsg_put_extra_header(nlh, len), body, len);
	return mnl_socket_sendto(nl->socket, nlh, nlh->nlmsg_len) < 0 ? errno : 0;
}

static bool is_answer(const struct netlink *nl, size_t len)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->buf;

	return len >= sizeof(*nlh) && nlh->nlmsg_seq == nl->seq &&
	       nlh->nlmsg_pid == mnl_socket_get_portid(nl->socket);
}

/* The first error counts. */
static void keep(int *err, int more)
{
	*err = *err != 0 ? *err : more;
}

/* Read the answer to its end, even if it is useless: until then the kernel may refuse the next request. */
int netlink_receive(struct netlink *nl, netlink_read_fn fn, void *private_data)
{
	bool done = false;
	int err = 0;

	while (!done && err != EBADMSG) {
		ssize_t len = mnl_socket_recvfrom(nl->socket, nl->buf, sizeof(nl->buf));

		if (len < 0 && errno != EINTR) {
			return errno == EAGAIN ? ETIMEDOUT : errno;
		}
		if (len >= 0 && is_answer(nl, (size_t)len)) {
			keep(&err, fn(private_data, nl->buf, (size_t)len, &done));
		}
	}
	return err;
}

static int take_error(const struct nlmsghdr *nlh)
{
	struct nlmsgerr err;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(err)) {
		return EBADMSG;
	}
	memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	return err.error <= 0 && err.error > -4096 ? -err.error : EBADMSG;
}

/* Since Linux 2.6 the end of a listing carries its error. */
static int take_done(const struct nlmsghdr *nlh)
{
	int32_t err = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(err)) {
		memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	}
	return err <= 0 && err > -4096 ? -err : EBADMSG;
}

/* mnl_nlmsg_ok() compares as signed numbers, so a length of 2 GiB or more would be fine with it. */
static bool is_whole(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (uint32_t)left;
}

/* libmnl reads attributes up to the length rounded up, which the buffer must have, too. */
static bool is_padded(const struct nlmsghdr *nlh, int left)
{
	return MNL_ALIGN(nlh->nlmsg_len) <= (uint32_t)left;
}

int netlink_walk(const void *buf, size_t len, uint16_t type, netlink_message_fn fn,
		 void *private_data, bool *done)
{
	const struct nlmsghdr *nlh = buf;
	int left = len > DATAGRAM_MAX ? -1 : (int)len, err = 0;

	while (!*done && is_whole(nlh, left)) {
		if ((nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
			keep(&err, EINTR);
		}
		if (nlh->nlmsg_type == NLMSG_DONE) {
			*done = true;
			keep(&err, take_done(nlh));
		} else if (nlh->nlmsg_type == NLMSG_ERROR) {
			*done = true;
			keep(&err, take_error(nlh));
		} else if (nlh->nlmsg_type == type && err == 0) {
			err = is_padded(nlh, left) ? fn(private_data, nlh) : EBADMSG;
		}
		nlh = mnl_nlmsg_next(nlh, &left);
	}
	if (!*done && left != 0) {
		keep(&err, EBADMSG);
	}
	return err;
}
