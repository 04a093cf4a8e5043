/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stubs of the endpoint mapper's and of mgmt's calls. The first byte of an input says which call (low
 * four bits; from 8 on mgmt) and in which byte order (high bit); the rest is the stub. The mapper knows
 * three interfaces, and the association group is always 0x1234, so that inputs can hold its handles.
 */
#include <errno.h>
#include <stdlib.h>

#include "witnessd/rpc/epm.h"
#include "witnessd/rpc/mgmt.h"
#include "witnessd/rpc/server_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIRST_MGMT 8
#define GROUP      0x1234

static const struct rpc_iface iface_a = {.name = "a", .syntax = RPC_SYNTAX_WITNESS, .mapped = true};
static const struct rpc_iface iface_b = {
	.name = "b", .syntax = {.uuid = GUID_BYTES(0xbb), .major = 2}, .mapped = true};

static struct tevent_context *loop;
static struct rpc_server *server;
static struct rpc_endpoint *endpoint;

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static void start(void)
{
	loop = tevent_context_init(NULL);
	must(rpc_server_create(loop, loop, &rpc_limits_default, NULL, &server) == 0);
	must(rpc_endpoint_create(server, "fuzz", &endpoint) == 0);
	must(rpc_endpoint_serve(endpoint, &iface_a, NULL) == 0);
	must(rpc_endpoint_serve(endpoint, &iface_b, NULL) == 0);
	must(rpc_endpoint_serve(endpoint, &rpc_epm_iface, server) == 0);
	must(rpc_server_set_principal(server, "cifs/FS") == 0);
	endpoint->port = 49152; /* as if it listened */
}

static void run(const struct rpc_op *op, const struct rpc_call *call)
{
	struct tevent_req *req = op->send(loop, loop, call);
	struct rpc_reply reply = {.fault = 0};
	int err;

	must(req != NULL && tevent_req_poll(req, loop));
	err = op->recv(req, loop, &reply);
	must(err == 0 || err == EBADMSG);
	must(err != 0 || reply.fault != 0 || reply.stub_len >= 4); /* all of them end in a status */
	talloc_free((void *)reply.stub);
	talloc_free(req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_assoc assoc = {.id = GROUP};
	struct rpc_call call = {.assoc = &assoc, .local = {.family = AF_INET, .bytes = {127}}};
	const struct rpc_iface *iface = &rpc_epm_iface;
	unsigned int opnum;

	if (loop == NULL) {
		start();
	}
	if (size == 0) {
		return 0;
	}
	opnum = data[0] & 0x0f;
	call.big_endian = (data[0] & 0x80) != 0;
	call.stub = data + 1;
	call.stub_len = size - 1;
	call.iface_private = server;
	call.endpoint = endpoint;
	if (opnum >= FIRST_MGMT) {
		opnum -= FIRST_MGMT;
		iface = &rpc_mgmt_iface;
		call.iface_private = endpoint;
	}
	call.opnum = (uint16_t)opnum;
	if (opnum < iface->num_ops && iface->ops[opnum].send != NULL) {
		run(&iface->ops[opnum], &call);
	}
	return 0;
}
