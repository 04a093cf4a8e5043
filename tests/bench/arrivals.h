/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When bytes reach many sockets. The same code waits for the witness's clients and for the floor's: it
 * takes the time at which each socket becomes readable and reads nothing, so that what a client does
 * with its bytes is no part of the measurement.
 */
#ifndef TESTS_BENCH_ARRIVALS_H
#define TESTS_BENCH_ARRIVALS_H

#include <stddef.h>

#include <talloc.h>

struct arrivals {
	double first, last; /* CLOCK_MONOTONIC in seconds */
	size_t count;
	size_t bytes; /* that the socket of the last one had when the wait was over */
};

/* Start to watch sockets that have no bytes. @return a descriptor for arrivals_wait(), or -1 with errno */
int arrivals_arm(const int *fds, size_t num);

/* Wait for bytes at that many of them, for at most so long. Closes epfd. */
struct arrivals arrivals_wait(int epfd, size_t wanted, unsigned int timeout_ms);

/* One line of JSON on standard output. */
void arrivals_print(const struct arrivals *arrivals);

/* Let this process have so many descriptors, and some more for itself. Ends the program when it may not. */
void arrivals_need_fds(size_t num);

/* All sockets of this process that are connected to a port of IPv4. @return how many; *out a child of mem_ctx */
size_t arrivals_sockets(TALLOC_CTX *mem_ctx, unsigned int port, int **out);

#endif
