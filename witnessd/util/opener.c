/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/opener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 2

/* Global, as the user and the capabilities of the process are. */
static int opener_fd = -1;

union fd_room {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

ssize_t opener_send(int sock, const void *data, size_t len, int fd)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	union fd_room room = {.bytes = {0}};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = &room;
		msg.msg_controllen = sizeof(room);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n;
}

ssize_t opener_receive(int sock, void *data, size_t len, int *fd)
{
	struct iovec iov = {.iov_base = data, .iov_len = len};
	union fd_room room = {.bytes = {0}};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &room,
			     /* without the padding, which is room for one more */
			     .msg_controllen = CMSG_LEN(sizeof(int))};
	struct cmsghdr *cmsg;
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return -1;
	}
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int))) {
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	}
	return n;
}

void opener_set(int fd)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};

	if (opener_fd >= 0) {
		close(opener_fd);
	}
	opener_fd = fd;
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
}

bool opener_there(void)
{
	return opener_fd >= 0;
}

int opener_socket(void)
{
	return opener_fd;
}

/*
 * A late answer would be taken for that of the next request: after a timeout the opener is not used any more.
 */
static int gone(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
	(void)shutdown(opener_fd, SHUT_RDWR);
	return ENOTCONN;
}

static int ask(enum opener_verb verb, const char *path, int give, struct opener_reply *reply,
	       int *fd)
{
	struct opener_request request = {.verb = verb};
	ssize_t n;

	*fd = -1;
	if (opener_fd < 0) {
		return ENOTCONN;
	}
	if (strlen(path) >= sizeof(request.path)) {
		return ENAMETOOLONG;
	}
	strcpy(request.path, path);
	if (opener_send(opener_fd, &request, sizeof(request), give) != (ssize_t)sizeof(request)) {
		return gone(-1);
	}
	n = opener_receive(opener_fd, reply, sizeof(*reply), fd);
	if (n != (ssize_t)sizeof(*reply)) {
		return gone(*fd);
	}
	return reply->err;
}

static int ask_for_fd(enum opener_verb verb, const char *path, int *out)
{
	struct opener_reply reply;
	int fd, err = ask(verb, path, -1, &reply, &fd);

	if (err == 0 && fd < 0) {
		return EPROTO;
	}
	if (err == 0) {
		*out = fd;
	}
	return err;
}

int opener_file(const char *path, int *fd)
{
	return ask_for_fd(OPENER_FILE, path, fd);
}

int opener_connect(const char *path, int *fd)
{
	return ask_for_fd(OPENER_CONNECT, path, fd);
}

int opener_run(const char *path, int fd, pid_t *pid)
{
	struct opener_reply reply;
	int none, err = ask(OPENER_RUN, path, fd, &reply, &none);

	if (err == 0) {
		*pid = reply.pid;
	}
	return err;
}
