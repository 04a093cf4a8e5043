/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The endpoint mapper as its clients see it. */
#include "tests/unit/epm_rig.h"
#include "witnessd/rpc/client_private.h"

static const struct rpc_syntax ndr20 = RPC_SYNTAX_NDR20;
static const struct rpc_syntax ndr64 = {.uuid = GUID_BYTES(0x33, 0x05, 0x71, 0x71, 0xba, 0xbe, 0x37,
							   0x49, 0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c,
							   0xcc, 0x36),
					.major = 1};

static bool is_zero(struct guid guid)
{
	return guid_is_zero(&guid);
}

/* ept_map for a syntax. @return the fault, or 0 with the answer */
static uint32_t map(struct epm_rig *rig, const struct rpc_syntax *iface,
		    const struct rpc_syntax *transfer, uint32_t max, struct ndr_in *answer)
{
	struct epm_map args = {.has_tower = iface != NULL, .max_towers = max};
	struct ndr_out in = ndr_out_init(rig);

	if (iface != NULL) {
		args.tower.iface = *iface;
		args.tower.transfer = *transfer;
	}
	assert_int_equal(epm_push_map(rig, &args, &in.buf, &in.len), 0);
	return epm_rig_call(rig, rig->client, EPM_MAP, &in, answer);
}

/* Read an answer to ept_map. @return how many towers, which are appended to ports */
static uint32_t map_answer(struct ndr_in *in, uint32_t max, uint16_t *ports, struct ipaddr *addr)
{
	uint32_t num, status;

	assert_int_equal(ndr_in_u32(in), 0); /* the handle */
	assert_true(is_zero(ndr_in_guid(in)));
	num = ndr_in_u32(in);
	assert_int_equal(ndr_in_u32(in), max);
	assert_int_equal(ndr_in_u32(in), 0);
	assert_int_equal(ndr_in_u32(in), num);
	for (uint32_t i = 0; i < num; i++) {
		assert_int_not_equal(ndr_in_u32(in), 0);
	}
	for (uint32_t i = 0; i < num; i++) {
		struct rpc_tower tower;

		assert_int_equal(ndr_in_u32(in), RPC_TOWER_TCP_LEN);
		assert_int_equal(ndr_in_u32(in), RPC_TOWER_TCP_LEN);
		assert_int_equal(rpc_tower_pull(ndr_in_raw(in, RPC_TOWER_TCP_LEN),
						RPC_TOWER_TCP_LEN, &tower),
				 0);
		ports[i] = tower.port;
		*addr = tower.addr;
	}
	status = ndr_in_u32(in);
	assert_int_equal(status, num > 0 ? EPM_STATUS_OK : EPM_STATUS_NOT_REGISTERED);
	assert_int_equal(in->err, 0);
	assert_int_equal(in->off, in->len);
	return num;
}

static uint32_t count_towers(struct epm_rig *rig, struct rpc_syntax iface,
			     const struct rpc_syntax *transfer, uint32_t max)
{
	uint16_t ports[8];
	struct ipaddr addr;
	struct ndr_in answer;

	assert_int_equal(map(rig, &iface, transfer, max, &answer), 0);
	return map_answer(&answer, max, ports, &addr);
}

static void test_map_finds_the_endpoint(void **state)
{
	struct epm_rig *rig = *state;
	struct ndr_in answer;
	struct ipaddr addr;
	uint16_t ports[8];

	assert_int_equal(map(rig, &mapped_b.syntax, &ndr20, 4, &answer), 0);
	assert_int_equal(map_answer(&answer, 4, ports, &addr), 1);
	assert_int_equal(ports[0], rig->port_one);
	assert_true(ipaddr_equal(&addr, &rig->addr)); /* where we reached the mapper */
}

static void test_map_gives_as_many_as_asked_for(void **state)
{
	struct epm_rig *rig = *state;
	struct ndr_in answer;
	struct ipaddr addr;
	uint16_t ports[8];

	assert_int_equal(map(rig, &mapped_a.syntax, &ndr20, 500, &answer), 0);
	assert_int_equal(map_answer(&answer, 500, ports, &addr), 2);
	assert_int_equal(ports[0], rig->port_one);
	assert_int_equal(ports[1], rig->port_two);
	assert_int_equal(count_towers(rig, mapped_a.syntax, &ndr20, 1), 1);
	assert_int_equal(count_towers(rig, mapped_a.syntax, &ndr20, 0), 0);
}

static void test_map_matches_versions(void **state)
{
	struct epm_rig *rig = *state;
	struct rpc_syntax asked = mapped_a.syntax;

	asked.minor = 0; /* an older client */
	assert_int_equal(count_towers(rig, asked, &ndr20, 4), 2);
	asked.minor = EPM_RIG_MINOR + 1;
	assert_int_equal(count_towers(rig, asked, &ndr20, 4), 0);
	asked = mapped_a.syntax;
	asked.major++;
	assert_int_equal(count_towers(rig, asked, &ndr20, 4), 0);
}

static void test_map_finds_nothing(void **state)
{
	struct epm_rig *rig = *state;
	struct rpc_syntax mgmt = RPC_SYNTAX_MGMT;
	struct ndr_in answer;
	struct ipaddr addr;
	uint16_t ports[8];

	assert_int_equal(count_towers(rig, unmapped.syntax, &ndr20, 4), 0);
	assert_int_equal(count_towers(rig, mgmt, &ndr20, 4), 0);
	assert_int_equal(count_towers(rig, mapped_b.syntax, &ndr64, 4), 0);
	assert_int_equal(map(rig, NULL, NULL, 4, &answer), 0);
	assert_int_equal(map_answer(&answer, 4, ports, &addr), 0);
}

static void test_map_refuses_what_it_cannot_read(void **state)
{
	struct epm_rig *rig = *state;
	struct ndr_out in = ndr_out_init(rig);
	struct ndr_in answer;

	assert_int_equal(map(rig, &mapped_b.syntax, &ndr20, 501, &answer), RPC_FAULT_BAD_STUB_DATA);
	ndr_out_u32(&in, 0);
	assert_int_equal(epm_rig_call(rig, rig->client, EPM_MAP, &in, &answer),
			 RPC_FAULT_BAD_STUB_DATA);
	assert_int_equal(count_towers(rig, mapped_b.syntax, &ndr20, 4), 1);
}

static void test_nothing_can_be_registered_from_the_network(void **state)
{
	static const uint16_t opnums[] = {EPM_INSERT, EPM_DELETE, EPM_MGMT_DELETE, 7, 8};
	struct epm_rig *rig = *state;
	struct ndr_in answer;

	for (size_t i = 0; i < sizeof(opnums) / sizeof(opnums[0]); i++) {
		assert_int_equal(epm_rig_call(rig, rig->client, opnums[i], NULL, &answer),
				 RPC_FAULT_OP_RNG_ERROR);
	}
	assert_int_equal(epm_rig_call(rig, rig->client, EPM_INQ_OBJECT, NULL, &answer), 0);
	assert_int_equal(answer.len, 20);
	(void)ndr_in_raw(&answer, 16);
	assert_int_equal(ndr_in_u32(&answer), EPM_STATUS_CANT_PERFORM);
}

struct lookup {
	uint32_t inquiry, vers_option, max;
	const struct rpc_syntax *iface;
	const struct guid *object;
	struct epm_handle handle; /* in and out */
	uint32_t num, status;
	char names[8]; /* of the annotations the first characters; "e" is the mapper itself */
};

static uint32_t lookup(struct epm_rig *rig, struct rpc_client *client, struct lookup *l)
{
	struct ndr_out in = ndr_out_init(rig);
	struct ndr_in out;
	const uint8_t *note;
	uint32_t fault, len;

	ndr_out_u32(&in, l->inquiry);
	ndr_out_ptr(&in, l->object != NULL);
	if (l->object != NULL) {
		ndr_out_guid(&in, l->object);
	}
	ndr_out_ptr(&in, l->iface != NULL);
	if (l->iface != NULL) {
		ndr_out_guid(&in, &l->iface->uuid);
		ndr_out_u16(&in, l->iface->major);
		ndr_out_u16(&in, l->iface->minor);
	}
	ndr_out_u32(&in, l->vers_option);
	ndr_out_u32(&in, l->handle.attributes);
	ndr_out_guid(&in, &l->handle.uuid);
	ndr_out_u32(&in, l->max);
	fault = epm_rig_call(rig, client, EPM_LOOKUP, &in, &out);
	if (fault != 0) {
		return fault;
	}
	l->handle.attributes = ndr_in_u32(&out);
	l->handle.uuid = ndr_in_guid(&out);
	l->num = ndr_in_u32(&out);
	assert_int_equal(ndr_in_u32(&out), l->max);
	assert_int_equal(ndr_in_u32(&out), 0);
	assert_int_equal(ndr_in_u32(&out), l->num);
	memset(l->names, 0, sizeof(l->names));
	for (uint32_t i = 0; i < l->num; i++) {
		assert_true(is_zero(ndr_in_guid(&out)));
		assert_int_not_equal(ndr_in_u32(&out), 0);
		assert_int_equal(ndr_in_u32(&out), 0);
		len = ndr_in_u32(&out);
		assert_in_range(len, 2, 64);
		note = ndr_in_raw(&out, len);
		assert_int_equal(note[len - 1], 0);
		l->names[i] = (char)note[0];
	}
	for (uint32_t i = 0; i < l->num; i++) {
		assert_int_equal(ndr_in_u32(&out), RPC_TOWER_TCP_LEN);
		assert_int_equal(ndr_in_u32(&out), RPC_TOWER_TCP_LEN);
		(void)ndr_in_raw(&out, RPC_TOWER_TCP_LEN);
	}
	l->status = ndr_in_u32(&out);
	assert_int_equal(out.err, 0);
	/* An answer that is not full ends the lookup, and says so, as Samba's mapper does. */
	assert_int_equal(epm_handle_is_null(&l->handle), l->num < l->max || l->max == 0);
	assert_int_equal(l->status, epm_handle_is_null(&l->handle) ? EPM_STATUS_NOT_REGISTERED
								   : EPM_STATUS_OK);
	return 0;
}

static void test_lookup_all(void **state)
{
	struct epm_rig *rig = *state;
	struct lookup l = {.max = 10};

	assert_int_equal(lookup(rig, rig->client, &l), 0);
	assert_string_equal(l.names, "abae");
}

static void test_lookup_one_by_one(void **state)
{
	struct epm_rig *rig = *state;
	struct lookup l = {.max = 1};
	char names[8] = "";

	do {
		assert_int_equal(lookup(rig, rig->client, &l), 0);
		strcat(names, l.names);
	} while (!epm_handle_is_null(&l.handle));
	assert_string_equal(names, "abae");
	assert_int_equal(l.num, 0);
}

static void test_lookup_by_interface(void **state)
{
	static const struct {
		uint32_t option;
		int major, minor; /* asked beyond what a has */
		uint32_t found;
	} cases[] = {
		{0, 5, 0, 2},
		{EPM_VERS_ALL, 5, 5, 2},
		{EPM_VERS_COMPATIBLE, 0, -1, 2},
		{EPM_VERS_COMPATIBLE, 0, 1, 0},
		{EPM_VERS_COMPATIBLE, 1, 0, 0},
		{EPM_VERS_EXACT, 0, 0, 2},
		{EPM_VERS_EXACT, 0, -1, 0},
		{EPM_VERS_MAJOR_ONLY, 0, 9, 2},
		{EPM_VERS_MAJOR_ONLY, -1, 0, 0},
		{EPM_VERS_UP_TO, 0, 0, 2},
		{EPM_VERS_UP_TO, 1, -3, 2},
		{EPM_VERS_UP_TO, 0, -1, 0},
		{99, 0, 0, 0},
	};
	struct epm_rig *rig = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rpc_syntax asked = mapped_a.syntax;
		struct lookup l = {.inquiry = EPM_INQUIRE_BY_INTERFACE,
				   .vers_option = cases[i].option,
				   .iface = &asked,
				   .max = 10};

		asked.major = (uint16_t)(asked.major + cases[i].major);
		asked.minor = (uint16_t)(asked.minor + cases[i].minor);
		assert_int_equal(lookup(rig, rig->client, &l), 0);
		assert_int_equal(l.num, cases[i].found);
	}
}

static void test_lookup_by_object(void **state)
{
	static const struct guid none, some = {.b = {1}};
	struct epm_rig *rig = *state;
	struct lookup l = {.inquiry = EPM_INQUIRE_BY_OBJECT, .object = &some, .max = 10};

	assert_int_equal(lookup(rig, rig->client, &l), 0);
	assert_int_equal(l.num, 0);
	l.object = &none;
	assert_int_equal(lookup(rig, rig->client, &l), 0);
	assert_int_equal(l.num, 4);
	l.inquiry = EPM_INQUIRE_BY_BOTH;
	l.iface = &mapped_b.syntax;
	assert_int_equal(lookup(rig, rig->client, &l), 0);
	assert_string_equal(l.names, "b");
	l.inquiry = 4;
	assert_int_equal(lookup(rig, rig->client, &l), 0);
	assert_int_equal(l.num, 0);
}

static uint32_t free_handle(struct epm_rig *rig, const struct epm_handle *handle)
{
	struct ndr_out in = ndr_out_init(rig);
	struct ndr_in out;
	uint32_t fault;

	ndr_out_u32(&in, handle->attributes);
	ndr_out_guid(&in, &handle->uuid);
	fault = epm_rig_call(rig, rig->client, EPM_LOOKUP_HANDLE_FREE, &in, &out);
	if (fault == 0) {
		assert_int_equal(out.len, 24);
		assert_int_equal(ndr_in_u32(&out), 0);
		assert_true(is_zero(ndr_in_guid(&out)));
		assert_int_equal(ndr_in_u32(&out), 0);
	}
	return fault;
}

static void test_a_search_can_be_ended(void **state)
{
	static const struct epm_handle null_handle;
	struct epm_rig *rig = *state;
	struct lookup l = {.max = 1};

	assert_int_equal(lookup(rig, rig->client, &l), 0);
	assert_false(epm_handle_is_null(&l.handle));
	assert_int_equal(free_handle(rig, &l.handle), 0);
	assert_int_equal(free_handle(rig, &null_handle), 0);
}

static void test_handles_that_are_not_ours(void **state)
{
	static const struct rpc_syntax epm = RPC_SYNTAX_EPM;
	struct epm_rig *rig = *state;
	struct rpc_client *other = epm_rig_connect(rig, rig->epm_port, &epm, 0);
	struct rpc_client *friend =
		epm_rig_connect(rig, rig->epm_port, &epm, rig->client->assoc_group_id);
	struct lookup l = {.max = 1}, copy;

	assert_int_equal(lookup(rig, rig->client, &l), 0);
	copy = l;
	assert_int_equal(lookup(rig, other, &copy), RPC_FAULT_CONTEXT_MISMATCH);
	copy = l;
	assert_int_equal(lookup(rig, friend, &copy), 0); /* of the same group */
	assert_string_equal(copy.names, "b");
	copy = l;
	copy.handle.attributes = 1;
	assert_int_equal(lookup(rig, rig->client, &copy), RPC_FAULT_CONTEXT_MISMATCH);
	copy = l;
	copy.handle.uuid.b[15] ^= 1;
	assert_int_equal(lookup(rig, rig->client, &copy), RPC_FAULT_CONTEXT_MISMATCH);
	assert_int_equal(free_handle(rig, &copy.handle), RPC_FAULT_CONTEXT_MISMATCH);
	/* A position that the map does not have: nothing more. */
	copy = l;
	memset(copy.handle.uuid.b + 4, 0xff, 4);
	assert_int_equal(lookup(rig, rig->client, &copy), 0);
	assert_int_equal(copy.num, 0);
	assert_true(epm_handle_is_null(&copy.handle));
}

static void test_the_client_asks(void **state)
{
	struct epm_rig *rig = *state;
	uint16_t port = 0;
	struct tevent_req *req =
		rpc_epm_map_send(rig, rig->ev, &rig->addr, rig->epm_port, &mapped_b.syntax, 5000);

	assert_true(tevent_req_poll(req, rig->ev));
	assert_int_equal(rpc_epm_map_recv(req, &port), 0);
	assert_int_equal(port, rig->port_one);
	talloc_free(req);
	req = rpc_epm_map_send(rig, rig->ev, &rig->addr, rig->epm_port, &unmapped.syntax, 5000);
	assert_true(tevent_req_poll(req, rig->ev));
	assert_int_equal(rpc_epm_map_recv(req, &port), EPROTONOSUPPORT);
	talloc_free(req);
}

/* A tower has no place for IPv6: the client keeps the address that it dialled. */
static void test_over_ipv6(void **state)
{
	struct epm_rig *rig = epm_rig_new("::1");
	struct ndr_in answer;
	struct ipaddr addr;
	uint16_t ports[8];

	if (rig == NULL) {
		skip();
	}
	assert_int_equal(map(rig, &mapped_b.syntax, &ndr20, 4, &answer), 0);
	assert_int_equal(map_answer(&answer, 4, ports, &addr), 1);
	assert_int_equal(addr.family, 0);
	assert_int_equal(ports[0], rig->port_one);
	talloc_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EPM_CASE(test_map_finds_the_endpoint),
		EPM_CASE(test_map_gives_as_many_as_asked_for),
		EPM_CASE(test_map_matches_versions),
		EPM_CASE(test_map_finds_nothing),
		EPM_CASE(test_map_refuses_what_it_cannot_read),
		EPM_CASE(test_nothing_can_be_registered_from_the_network),
		EPM_CASE(test_lookup_all),
		EPM_CASE(test_lookup_one_by_one),
		EPM_CASE(test_lookup_by_interface),
		EPM_CASE(test_lookup_by_object),
		EPM_CASE(test_a_search_can_be_ended),
		EPM_CASE(test_handles_that_are_not_ours),
		EPM_CASE(test_the_client_asks),
		cmocka_unit_test(test_over_ipv6),
	};

	alarm(60); /* a hang is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
