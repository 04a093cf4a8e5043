/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witness-opener (opener/main.c): a helper process that keeps rights which this process has given up.
 * It does three things, only for the paths that it was started with: open a file for reading, connect
 * to a stream socket, start the tickle agent. There is one connection to it per process, as there is one
 * set of user and capabilities. For the thread of the event loop only: calls block, usually for some ten
 * microseconds; after two seconds they fail.
 */
#ifndef WITNESSD_UTIL_OPENER_H
#define WITNESSD_UTIL_OPENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OPENER_PATH_MAX 1024 /* with its NUL */

enum opener_verb { OPENER_FILE = 1, OPENER_CONNECT = 2, OPENER_RUN = 3 };

/* One SOCK_SEQPACKET message each, with a descriptor where the verb has one. */
struct opener_request {
	uint32_t verb;
	char path[OPENER_PATH_MAX];
};
struct opener_reply {
	int32_t err; /* 0 or a positive errno */
	int32_t pid; /* OPENER_RUN */
};

/** Use this socket from now on; -1: no opener (any more). Closes the previous one. */
void opener_set(int fd);

/** Whether there is one. If not, this process has all the rights it needs. */
bool opener_there(void);

/** Its socket, which becomes readable when the opener ends; -1: there is none. */
int opener_socket(void);

/** Open a file for reading. @return 0 with *fd the caller's, EACCES (not one of its paths), ENOTCONN, or of open(2) */
int opener_file(const char *path, int *fd);

/** Connect to a stream socket; *fd is non-blocking. @return as opener_file(), or what connect(2) returned */
int opener_connect(const char *path, int *fd);

/** Run "PATH track" with fd as its standard input and output. It is not our child. @return as opener_file() */
int opener_run(const char *path, int fd, pid_t *pid);

/** Send or receive a message with a descriptor (-1: none). @return bytes, or -1 with errno */
ssize_t opener_send(int sock, const void *data, size_t len, int fd);
ssize_t opener_receive(int sock, void *data, size_t len, int *fd);

#endif
