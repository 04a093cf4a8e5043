/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/op.h"

#include "witnessd/util/req.h"

struct rpc_op_now_state {
	struct rpc_reply reply;
};

struct tevent_req *rpc_op_now_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				   const struct rpc_call *call, rpc_op_fn fn)
{
	struct rpc_op_now_state *state = NULL;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct rpc_op_now_state);
	int err;

	if (req == NULL) {
		return NULL;
	}
	err = fn(state, call, &state->reply);
	if (!tevent_req_error(req, (uint64_t)err)) {
		tevent_req_done(req);
	}
	return tevent_req_post(req, ev);
}

int rpc_op_now_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, struct rpc_reply *reply)
{
	struct rpc_op_now_state *state = tevent_req_data(req, struct rpc_op_now_state);
	int err = req_errno(req);

	if (err == 0) {
		*reply = state->reply;
		reply->stub = talloc_steal(mem_ctx, state->reply.stub);
	}
	tevent_req_received(req);
	return err;
}
