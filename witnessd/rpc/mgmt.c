/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/mgmt.h"

#include <errno.h>
#include <string.h>

#include "witnessd/rpc/ndr.h"
#include "witnessd/rpc/op.h"
#include "witnessd/rpc/server.h"

enum mgmt_opnum {
	MGMT_INQ_IF_IDS = 0,
	MGMT_INQ_STATS = 1,
	MGMT_IS_SERVER_LISTENING = 2,
	MGMT_STOP_SERVER_LISTENING = 3,
	MGMT_INQ_PRINC_NAME = 4,
	MGMT_NUM_OPS = 5,
};

#define STATUS_ACCESS_DENIED        0x00000005U
#define STATUS_NOT_SUPPORTED        0x00000032U
#define STATUS_INSUFFICIENT_BUFFER  0x0000007AU
#define STATUS_UNKNOWN_AUTH_SERVICE 0x000006D3U

#define NUM_STATS                   4    /* calls in, calls out, packets in, packets out */
#define PRINC_NAME_SIZE_MAX         4096 /* the range of MS-RPCE 2.2.1.3.4 */

/* Hand a finished writer over as the reply. */
static int finish(struct ndr_out *out, struct rpc_reply *reply)
{
	if (out->err != 0) {
		return out->err;
	}
	reply->stub = out->buf;
	reply->stub_len = out->len;
	return 0;
}

struct if_ids {
	const struct rpc_endpoint *endpoint;
	TALLOC_CTX *mem_ctx;
	const struct rpc_syntax **ids;
	uint32_t num;
};

static int collect_if_id(const struct rpc_iface *iface, const struct rpc_endpoint *endpoint,
			 void *private_data)
{
	struct if_ids *found = private_data;

	if (endpoint != found->endpoint) {
		return 0;
	}
	found->ids = talloc_realloc(found->mem_ctx, found->ids, const struct rpc_syntax *,
				    found->num + 1);
	if (found->ids == NULL) {
		return ENOMEM;
	}
	found->ids[found->num++] = &iface->syntax;
	return 0;
}

static int inq_if_ids(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	struct rpc_endpoint *endpoint = call->iface_private;
	struct if_ids found = {.endpoint = endpoint, .mem_ctx = mem_ctx};
	struct ndr_out out = ndr_out_init(mem_ctx);
	int err = rpc_server_foreach_iface(rpc_endpoint_server(endpoint), collect_if_id, &found);

	if (err != 0) {
		return err;
	}
	ndr_out_ptr(&out, true);
	ndr_out_u32(&out, found.num); /* conformance of the vector, before the struct */
	ndr_out_u32(&out, found.num);
	for (uint32_t i = 0; i < found.num; i++) {
		ndr_out_ptr(&out, true);
	}
	for (uint32_t i = 0; i < found.num; i++) {
		ndr_out_guid(&out, &found.ids[i]->uuid);
		ndr_out_u16(&out, found.ids[i]->major);
		ndr_out_u16(&out, found.ids[i]->minor);
	}
	ndr_out_u32(&out, 0);
	return finish(&out, reply);
}

static int inq_stats(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	const struct rpc_stats *stats = rpc_server_stats(rpc_endpoint_server(call->iface_private));
	struct ndr_in in = ndr_in_init(call->stub, call->stub_len, call->big_endian);
	struct ndr_out out = ndr_out_init(mem_ctx);
	uint32_t count = ndr_in_u32(&in);

	if (in.err != 0) {
		return in.err;
	}
	if (count != NUM_STATS) {
		ndr_out_u32(&out, 0);
		ndr_out_u32(&out, 0);
		ndr_out_u32(&out, STATUS_NOT_SUPPORTED);
		return finish(&out, reply);
	}
	ndr_out_u32(&out, NUM_STATS);
	ndr_out_u32(&out, NUM_STATS);
	ndr_out_u32(&out, (uint32_t)stats->calls_in); /* wrap around, as the wire has 32 bits */
	ndr_out_u32(&out, (uint32_t)stats->calls_out);
	ndr_out_u32(&out, (uint32_t)stats->pkts_in);
	ndr_out_u32(&out, (uint32_t)stats->pkts_out);
	ndr_out_u32(&out, 0);
	return finish(&out, reply);
}

static int is_server_listening(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
			       struct rpc_reply *reply)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_u32(&out, 0);
	ndr_out_u32(&out, 1);
	return finish(&out, reply);
}

static int stop_server_listening(TALLOC_CTX *mem_ctx, const struct rpc_call *call,
				 struct rpc_reply *reply)
{
	struct ndr_out out = ndr_out_init(mem_ctx);

	ndr_out_u32(&out, STATUS_ACCESS_DENIED);
	return finish(&out, reply);
}

/* The name for an authentication type. @return NULL when there is none */
static const char *princ_name(const struct rpc_call *call, uint32_t authn)
{
	switch (authn) {
	case RPC_AUTH_SPNEGO:
	case RPC_AUTH_NTLM:
	case RPC_AUTH_KRB5:
		return rpc_server_principal(rpc_endpoint_server(call->iface_private));
	default:
		return NULL;
	}
}

static int inq_princ_name(TALLOC_CTX *mem_ctx, const struct rpc_call *call, struct rpc_reply *reply)
{
	struct ndr_in in = ndr_in_init(call->stub, call->stub_len, call->big_endian);
	struct ndr_out out = ndr_out_init(mem_ctx);
	uint32_t authn = ndr_in_u32(&in);
	uint32_t size = ndr_in_u32(&in);
	const char *name = princ_name(call, authn);
	uint32_t status = 0;

	/* Not even the NUL of an empty name fits in a buffer of size 0. */
	if (in.err != 0 || size == 0 || size > PRINC_NAME_SIZE_MAX) {
		return EBADMSG;
	}
	if (name == NULL) {
		status = STATUS_UNKNOWN_AUTH_SERVICE;
		name = "";
	} else if (strlen(name) >= size) {
		status = STATUS_INSUFFICIENT_BUFFER;
		name = "";
	}
	ndr_out_u32(&out, size);
	ndr_out_u32(&out, 0);
	ndr_out_u32(&out, (uint32_t)strlen(name) + 1);
	ndr_out_bytes(&out, name, strlen(name) + 1);
	ndr_out_u32(&out, status);
	return finish(&out, reply);
}

RPC_OP_NOW(inq_if_ids)
RPC_OP_NOW(inq_stats)
RPC_OP_NOW(is_server_listening)
RPC_OP_NOW(stop_server_listening)
RPC_OP_NOW(inq_princ_name)

static const struct rpc_op mgmt_ops[MGMT_NUM_OPS] = {
	[MGMT_INQ_IF_IDS] = {"inq_if_ids", inq_if_ids_send, rpc_op_now_recv},
	[MGMT_INQ_STATS] = {"inq_stats", inq_stats_send, rpc_op_now_recv},
	[MGMT_IS_SERVER_LISTENING] = {"is_server_listening", is_server_listening_send,
				      rpc_op_now_recv},
	[MGMT_STOP_SERVER_LISTENING] = {"stop_server_listening", stop_server_listening_send,
					rpc_op_now_recv},
	[MGMT_INQ_PRINC_NAME] = {"inq_princ_name", inq_princ_name_send, rpc_op_now_recv},
};

const struct rpc_iface rpc_mgmt_iface = {
	.name = "mgmt",
	.syntax = RPC_SYNTAX_MGMT,
	.ops = mgmt_ops,
	.num_ops = MGMT_NUM_OPS,
	.min_level = RPC_LEVEL_NONE,
	.mapped = false,
};
