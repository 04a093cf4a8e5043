/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Peers without a cluster manager: witnessds on one machine that play different nodes find each other in a folder,
 * where each has a datagram socket NODE.sock. For demonstrations and tests.
 */
#ifndef BACKENDS_STATIC_PEER_SOCKET_H
#define BACKENDS_STATIC_PEER_SOCKET_H

#include "backends/backend.h"

struct peer_socket;

/**
 * Join; the sink is called from the event loop only.
 * @param dir empty: stay alone
 * @return 0; EINVAL (the node's name is no valid file name); ENAMETOOLONG; ENOMEM; or an errno of the socket
 */
int peer_socket_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *dir,
		       const char *node, const struct backend_sink *sink, struct peer_socket **out);

/** As backend_ops.broadcast. */
int peer_socket_broadcast(struct peer_socket *ps, const uint8_t *bytes, size_t len);

#endif
