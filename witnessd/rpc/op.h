/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations that answer at once: one plain function instead of a send and a recv. */
#ifndef WITNESSD_RPC_OP_H
#define WITNESSD_RPC_OP_H

#include "witnessd/rpc/iface.h"

/**
 * Compute the answer. What reply->stub points to is a child of mem_ctx.
 * @return 0 with *reply filled in (it was zeroed), or an errno as of rpc_op.recv()
 */
typedef int (*rpc_op_fn)(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply);

/** A request that has run fn() and completes in the next round of the event loop. */
struct tevent_req *rpc_op_now_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct rpc_call *call, rpc_op_fn fn);
/** The recv() that goes with it. */
int rpc_op_now_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_reply *reply);

/* Define fn_send() for the table of operations; its recv is rpc_op_now_recv. */
#define RPC_OP_NOW(fn)                                                                             \
	static struct tevent_req *fn##_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,        \
					    const struct rpc_call *call)                           \
	{                                                                                          \
		return rpc_op_now_send(mem_ctx, ev, call, fn);                                     \
	}

#endif
