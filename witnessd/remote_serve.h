/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands of witnessctl that come from other nodes (remote_ask.h) are answered here. What is longer than a message
 * is kept until it has been fetched, a short time, and not much of it: who comes too late asks again.
 */
#ifndef WITNESSD_REMOTE_SERVE_H
#define WITNESSD_REMOTE_SERVE_H

#include <tevent.h>

#include "witnessd/remote_wire.h"

#define REMOTE_KEPT_MAX 16U    /* answers, of REMOTE_ANSWER_MAX at most; the oldest makes room */
#define REMOTE_KEPT_MS  10000U /* since a part of it was asked for */

struct remote_serve;

/**
 * Answers a request, whatever its bytes are.
 * @param from the node that asks
 * @return JSON as on the control socket, a child of mem_ctx; NULL when memory is short
 */
typedef char *(*remote_answer_fn)(void *private_data, TALLOC_CTX *mem_ctx, const char *from,
				  const char *request, size_t len);

/** Answer PEERS_CONTROL; peers is borrowed, and lives longer. @return 0, ENOMEM, or as timerfd_create(2) */
int remote_serve_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, struct peers *peers,
			remote_answer_fn fn, void *private_data, struct remote_serve **out);

/** For tests: answers that wait to be fetched. */
unsigned int remote_serve_kept(const struct remote_serve *serve);

#endif
