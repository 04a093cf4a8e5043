/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witness-opener (opener/main.c): the process that keeps what root could do and this one cannot any more.
 * It does three things, each for paths that it was started with and for no others: open a file for
 * reading, connect to a stream socket, start the tickle agent. Like the user and the capabilities the
 * connection to it is the process's, so there is one. Only for the thread of the event loop; an answer
 * takes some ten microseconds, and one that takes two seconds is an error.
 */
#ifndef WITNESSD_UTIL_OPENER_H
#define WITNESSD_UTIL_OPENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OPENER_PATH_MAX 1024 /* with its NUL */

enum opener_verb { OPENER_FILE = 1, OPENER_CONNECT = 2, OPENER_RUN = 3 };

/* One SOCK_SEQPACKET message each; a descriptor goes along where the verb has one. */
struct opener_request {
	uint32_t verb;
	char path[OPENER_PATH_MAX];
};
struct opener_reply {
	int32_t err; /* 0 or a positive errno */
	int32_t pid; /* OPENER_RUN */
};

/** Use this socket from now on; -1: there is no opener (any more). Closes a former one. */
void opener_set(int fd);

/** Whether there is one. If not, this process may do everything by itself. */
bool opener_there(void);

/** Its socket, which becomes readable when it has ended; -1: there is none. */
int opener_socket(void);

/** Open a file for reading. @return 0 with *fd the caller's, EACCES (not one of its paths), ENOTCONN, or of open(2) */
int opener_file(const char *path, int *fd);

/** Connect to a stream socket; *fd does not block. @return as opener_file(), and of connect(2) */
int opener_connect(const char *path, int *fd);

/** Run "PATH track" with fd as its standard input and output. It is not our child. @return as opener_file() */
int opener_run(const char *path, int fd, pid_t *pid);

/** Send or receive a message with a descriptor (-1: none). @return bytes, or -1 with errno */
ssize_t opener_send(int sock, const void *data, size_t len, int fd);
ssize_t opener_receive(int sock, void *data, size_t len, int *fd);

#endif
