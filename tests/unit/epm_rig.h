/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An endpoint mapper and two endpoints with interfaces, asked by the project's own client. */
#ifndef WITNESSD_TESTS_EPM_RIG_H
#define WITNESSD_TESTS_EPM_RIG_H

#include "tests/unit/rpc_rig.h"
#include "witnessd/rpc/client.h"
#include "witnessd/rpc/epm.h"
#include "witnessd/rpc/epm_wire.h"
#include "witnessd/rpc/ndr.h"

#define EPM_RIG_MINOR 3

static const struct rpc_iface mapped_a = {
	.name = "a",
	.syntax = {.uuid = GUID_BYTES(0xaa), .major = 1, .minor = EPM_RIG_MINOR},
	.mapped = true,
};
static const struct rpc_iface mapped_b = {
	.name = "b", .syntax = {.uuid = GUID_BYTES(0xbb), .major = 2}, .mapped = true};
static const struct rpc_iface unmapped = {
	.name = "c", .syntax = {.uuid = GUID_BYTES(0xcc), .major = 1}, .mapped = false};

struct epm_rig {
	struct tevent_context *ev;
	struct rpc_server *server;
	struct rpc_endpoint *mapper;
	uint16_t epm_port, port_one, port_two; /* one serves a, b and c, two serves a */
	struct ipaddr addr;
	struct rpc_client *client; /* bound to the mapper */
};

static inline struct rpc_client *epm_rig_connect(struct epm_rig *rig, uint16_t port,
						 const struct rpc_syntax *iface, uint32_t group)
{
	struct rpc_client_params params = {.addr = rig->addr,
					   .port = port,
					   .iface = *iface,
					   .assoc_group_id = group,
					   .timeout_ms = RIG_DEADLINE_S * 1000};
	struct tevent_req *req = rpc_client_connect_send(rig, rig->ev, &params);
	struct rpc_client *client = NULL;

	assert_true(tevent_req_poll(req, rig->ev));
	assert_int_equal(rpc_client_connect_recv(req, rig, &client, NULL), 0);
	talloc_free(req);
	return client;
}

/* One call. @return the fault, or 0 with the answer, a child of the rig */
static inline uint32_t epm_rig_call(struct epm_rig *rig, struct rpc_client *client, uint16_t opnum,
				    const struct ndr_out *in, struct ndr_in *out)
{
	struct tevent_req *req =
		rpc_client_call_send(rig, rig->ev, client, opnum, in != NULL ? in->buf : NULL,
				     in != NULL ? in->len : 0, RIG_DEADLINE_S * 1000);
	uint32_t fault = 0;
	uint8_t *stub = NULL;
	size_t len = 0;

	assert_true(tevent_req_poll(req, rig->ev));
	assert_int_equal(rpc_client_call_recv(req, rig, &fault, &stub, &len), 0);
	talloc_free(req);
	*out = ndr_in_init(stub, len, false);
	return fault;
}

static inline struct epm_rig *epm_rig_new(const char *addr)
{
	static const struct rpc_syntax epm = RPC_SYNTAX_EPM;
	struct epm_rig *rig = talloc_zero(NULL, struct epm_rig);
	struct rpc_endpoint *one = NULL, *two = NULL, *silent = NULL;

	assert_int_equal(ipaddr_parse(addr, &rig->addr), 0);
	rig->ev = tevent_context_init(rig);
	assert_int_equal(rpc_server_create(rig, rig->ev, &rpc_limits_default, NULL, &rig->server),
			 0);
	assert_int_equal(rpc_endpoint_create(rig->server, "one", &one), 0);
	assert_int_equal(rpc_endpoint_serve(one, &mapped_a, NULL), 0);
	assert_int_equal(rpc_endpoint_serve(one, &unmapped, NULL), 0);
	assert_int_equal(rpc_endpoint_serve(one, &mapped_b, NULL), 0);
	assert_int_equal(rpc_endpoint_create(rig->server, "two", &two), 0);
	assert_int_equal(rpc_endpoint_serve(two, &mapped_a, NULL), 0);
	/* Nothing can be reached at an endpoint that does not listen. */
	assert_int_equal(rpc_endpoint_create(rig->server, "silent", &silent), 0);
	assert_int_equal(rpc_endpoint_serve(silent, &mapped_b, NULL), 0);
	assert_int_equal(rpc_endpoint_create(rig->server, "epmapper", &rig->mapper), 0);
	assert_int_equal(rpc_endpoint_serve(rig->mapper, &rpc_epm_iface, rig->server), 0);
	if (rpc_endpoint_listen(rig->mapper, &rig->addr, 0, &rig->epm_port) != 0) {
		talloc_free(rig);
		return NULL; /* no IPv6 here */
	}
	assert_int_equal(rpc_endpoint_listen(one, &rig->addr, 0, &rig->port_one), 0);
	assert_int_equal(rpc_endpoint_listen(two, &rig->addr, 0, &rig->port_two), 0);
	rig->client = epm_rig_connect(rig, rig->epm_port, &epm, 0);
	return rig;
}

static inline int epm_rig_setup(void **state)
{
	*state = epm_rig_new("127.0.0.1");
	return *state == NULL ? -1 : 0;
}

static inline int epm_rig_teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

#define EPM_CASE(fn) cmocka_unit_test_setup_teardown(fn, epm_rig_setup, epm_rig_teardown)

#endif
