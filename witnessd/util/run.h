/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of a program, from its start to its end, while the loop goes on. See child.h for those that stay. */
#ifndef WITNESSD_UTIL_RUN_H
#define WITNESSD_UTIL_RUN_H

#include <stdbool.h>
#include <talloc.h>
#include <tevent.h>

/**
 * Run a program with nothing on standard input, and standard output where ours goes for errors. It has a
 * process group of its own. When the time is over, or the request is freed, the whole group is ended:
 * by SIGTERM, and by SIGKILL if it still runs a second later or the request is gone.
 * @param ev   outlives the request: what is left of a program that was killed is reaped by the loop
 * @param argv [0] is the path; NULL at the end; borrowed until run_send() returns, as env is
 * @param env  NULL: ours
 * @param timeout_ms 0: none
 */
struct tevent_req *run_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev, char *const *argv,
			    char *const *env, unsigned int timeout_ms);
/**
 * @param status as waitpid(2) has it; 127 exited is also: it cannot be executed
 * @return 0; ETIMEDOUT (it was ended); or why it could not be started
 */
int run_recv(struct tevent_req *req, int *status);

#endif
