/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Peers without a cluster manager: the witnessd's of one machine that play different nodes find each other
 * in a folder, where each has a datagram socket NODE.sock. For demonstrations and tests.
 */
#ifndef BACKENDS_STATIC_PEER_SOCKET_H
#define BACKENDS_STATIC_PEER_SOCKET_H

#include "backends/backend.h"

struct peer_socket;

/**
 * Join; the sink hears of peers from the event loop only.
 * @param dir empty: stay alone
 * @return 0; EINVAL (the node's name cannot be that of a file); ENAMETOOLONG; ENOMEM; or what the socket gave
 */
int peer_socket_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *dir,
		       const char *node, const struct backend_sink *sink, struct peer_socket **out);

/** As backend_ops.broadcast. */
int peer_socket_broadcast(struct peer_socket *ps, const uint8_t *bytes, size_t len);

#endif
