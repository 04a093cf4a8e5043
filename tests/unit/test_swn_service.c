/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The six calls: every check of MS-SWN 3.1.4 with its code, every timer. */
#include "tests/unit/swn_fixture.h"

static int setup(void **state)
{
	*state = fix_new();
	return 0;
}

static int setup_started(void **state)
{
	struct swn_fix *fix = fix_new();

	fix_start(fix);
	fix_place(fix, "n1", "n2");
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* --- Register and RegisterEx --- */

static void register_checks_in_the_order_of_the_specification(void **state)
{
	static const struct {
		uint32_t version;
		const char *net, *ip, *client;
		uint32_t werror;
	} rows[] = {
		/* The nine bad calls of smbtorture. */
		{0, NULL, NULL, NULL, SWN_ERROR_REVISION_MISMATCH},
		{1, NULL, NULL, NULL, SWN_ERROR_REVISION_MISMATCH},
		{123456, NULL, NULL, NULL, SWN_ERROR_REVISION_MISMATCH},
		{0xFFFFFFFF, NULL, NULL, NULL, SWN_ERROR_REVISION_MISMATCH},
		{SWN_VERSION_2, NULL, NULL, NULL, SWN_ERROR_REVISION_MISMATCH},
		{SWN_VERSION_1, "", "", "", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, NULL, NULL, "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, "\\\\FS", NULL, "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_2, NULL, NULL, "c", SWN_ERROR_REVISION_MISMATCH},
		/* One thing wrong at a time. */
		{SWN_VERSION_1, NULL, "10.0.0.7", "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, "fs", NULL, "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, "fs", "10.0.0.7", NULL, SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, "other", "10.0.0.7", "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, "\\\\fs", "10.0.0.7", "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, "other", "nonsense", "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_1, "fs", "nonsense", "c", SWN_ERROR_INVALID_STATE},
		{SWN_VERSION_1, "fs", "", "c", SWN_ERROR_INVALID_STATE},
		{SWN_VERSION_1, "fs", "10.0.0.99", "c", SWN_ERROR_INVALID_STATE},
		/* And good ones: any node's address, full IPv6, FQDN, alias. */
		{SWN_VERSION_1, "fs", "10.0.0.7", "c", SWN_SUCCESS},
		{SWN_VERSION_1, "FS", "10.0.0.8", "", SWN_SUCCESS},
		{SWN_VERSION_1, "files.example.com.", "fd00:0:0:0:0:0:0:9", "c", SWN_SUCCESS},
		{SWN_VERSION_1, "fs.other.example", "10.0.0.7", "c", SWN_SUCCESS},
	};
	static const struct swn_handle none;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct swn_register args = {.version = rows[i].version,
					    .net_name = rows[i].net,
					    .ip_address = rows[i].ip,
					    .client_computer_name = rows[i].client};
		struct swn_handle handle;

		assert_int_equal(fix_register(*state, false, &args, &handle), rows[i].werror);
		assert_int_equal(memcmp(&handle, &none, sizeof(none)) == 0,
				 rows[i].werror != SWN_SUCCESS);
	}
}

static void register_ex_checks_in_the_order_of_the_specification(void **state)
{
	static const struct {
		uint32_t version;
		const char *net, *share, *ip, *client;
		uint32_t werror;
	} rows[] = {
		{0, NULL, NULL, NULL, NULL, SWN_ERROR_REVISION_MISMATCH},
		{SWN_VERSION_1, NULL, NULL, NULL, NULL, SWN_ERROR_REVISION_MISMATCH},
		{0xFFFFFFFF, "fs", "data", "10.0.0.7", "c", SWN_ERROR_REVISION_MISMATCH},
		{SWN_VERSION_2, "", NULL, "", "", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_2, NULL, "data", "10.0.0.7", "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_2, "fs", "data", NULL, "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_2, "fs", "data", "10.0.0.7", NULL, SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_2, "nofs", "nodata", "10.0.0.7", "c", SWN_ERROR_INVALID_PARAMETER},
		{SWN_VERSION_2, "fs", "any_invalid_share_name", "10.0.0.7", "c",
		 SWN_ERROR_INVALID_STATE},
		{SWN_VERSION_2, "fs", "", "10.0.0.7", "c", SWN_ERROR_INVALID_STATE},
		{SWN_VERSION_2, "fs", "data", "10.0.0.99", "c", SWN_ERROR_INVALID_STATE},
		{SWN_VERSION_2, "fs", NULL, "10.0.0.99", "c", SWN_ERROR_INVALID_STATE},
		{SWN_VERSION_2, "fs", NULL, "10.0.0.7/24", "c", SWN_ERROR_INVALID_STATE},
		{SWN_VERSION_2, "fs", "DATA", "10.0.0.7", "c", SWN_SUCCESS},
		{SWN_VERSION_2, "fs", NULL, "10.0.0.7", "c", SWN_SUCCESS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct swn_register args = {.version = rows[i].version,
					    .net_name = rows[i].net,
					    .share_name = rows[i].share,
					    .ip_address = rows[i].ip,
					    .client_computer_name = rows[i].client,
					    .flags = 0xfffffffe};
		struct swn_handle handle;

		assert_int_equal(fix_register(*state, true, &args, &handle), rows[i].werror);
	}
}

static void a_server_without_shares_knows_none(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	bool any = false;

	fix->config.share_private = &any;
	fix_start(fix);
	fix_place(fix, "n1", "n2");
	args.share_name = "data";
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_INVALID_STATE);
	fix->service->config.share_known = NULL;
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_INVALID_STATE);
	args.share_name = NULL;
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_SUCCESS);
}

/* "FS" is a name of the whole service, "FS2" one that only 10.0.0.8 has. */
static void an_address_serves_its_own_net_names_only(void **state)
{
	static const struct {
		const char *net, *ip;
		uint32_t werror;
	} rows[] = {
		{"fs", "10.0.0.7", SWN_SUCCESS},
		{"fs", "10.0.0.8", SWN_ERROR_INVALID_STATE},
		{"fs2.example.com", "10.0.0.8", SWN_SUCCESS},
		{"fs2", "10.0.0.7", SWN_ERROR_INVALID_STATE},
		{"fs3", "10.0.0.8", SWN_ERROR_INVALID_PARAMETER},
	};
	struct cluster_state *next = fix_state(NULL);

	fix_up(next, "10.0.0.7", "n1");
	fix_up(next, "10.0.0.8", "n2");
	fix_net_name(next, "10.0.0.8", "FS2");
	fix_tied_share(next, "of another node", "n2", "g", "10.0.0.8");
	fix_snapshot(*state, next);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct swn_register args = fix_args();
		struct swn_handle handle;

		args.net_name = rows[i].net;
		args.ip_address = rows[i].ip;
		assert_int_equal(fix_register(*state, true, &args, &handle), rows[i].werror);
		/* A share that the smb.conf here does not have, and the cluster has. */
		args.share_name = "OF another node";
		assert_int_equal(fix_register(*state, true, &args, &handle), rows[i].werror);
	}
}

static void nobody_registers_before_the_first_snapshot(void **state)
{
	struct swn_register args = fix_args();
	struct swn_handle handle;

	fix_start(*state);
	assert_int_equal(fix_register(*state, true, &args, &handle), SWN_ERROR_INVALID_STATE);
}

static void over_long_names_are_refused(void **state)
{
	struct swn_fix *fix = *state;
	char *name = talloc_zero_size(fix, 2000);
	struct swn_register args = fix_args();
	struct swn_handle handle;

	memset(name, 'x', 1025);
	args.client_computer_name = name;
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_INVALID_PARAMETER);
	args = fix_args();
	args.share_name = name;
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_INVALID_STATE);
	args = fix_args();
	args.net_name = name;
	name[2] = '.'; /* its first label would do */
	memcpy(name, "fs", 2);
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_INVALID_PARAMETER);
}

static void limits_are_no_system_resources(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle first, handle;

	fix->config.max_registrations_assoc = 2;
	fix->config.max_registrations_principal = 3;
	fix->config.max_registrations = 4;
	fix_start(fix);
	fix_place(fix, "n1", "n2");
	first = fix_registered(fix);
	fix_registered_v1(fix);
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);
	fix->assoc = fix_assoc(2);
	fix_registered(fix);
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);
	fix->principal = "bob@EXAMPLE";
	fix_registered(fix);
	fix->assoc = fix_assoc(3);
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);

	/* What ends makes room again. */
	fix->principal = "alice@EXAMPLE";
	fix->assoc = fix_assoc(1);
	assert_int_equal(fix_unregister(fix, &first), SWN_SUCCESS);
	fix_registered(fix);
}

/* --- handles --- */

static void a_handle_is_random_and_has_no_attributes(void **state)
{
	struct swn_handle a = fix_registered(*state), b = fix_registered(*state);

	assert_int_equal(a.attributes, 0);
	assert_false(guid_is_zero(&a.uuid));
	assert_false(guid_equal(&a.uuid, &b.uuid));
}

static void a_handle_works_only_for_its_owner(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix), wrong;
	struct swn_fix_call *c;

	wrong = handle;
	wrong.attributes = 1;
	fix_assert_ended(fix_async(fix, &wrong), SWN_ERROR_NOT_FOUND);
	wrong = handle;
	wrong.uuid.b[15] ^= 1;
	fix_assert_ended(fix_async(fix, &wrong), SWN_ERROR_NOT_FOUND);

	fix->assoc = fix_assoc(2);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix_unregister(fix, &handle), SWN_ERROR_INVALID_PARAMETER);
	fix->assoc = fix_assoc(1);
	fix->principal = "mallory@EXAMPLE";
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix_unregister(fix, &handle), SWN_ERROR_INVALID_PARAMETER);
	c = fix_handle_call(fix, SWN_UNREGISTER_EX, &handle);
	assert_int_equal(fix_handle_reply(c, &wrong), SWN_ERROR_INVALID_PARAMETER);
	assert_memory_equal(&wrong, &handle, sizeof(handle));

	fix->principal = "alice@EXAMPLE";
	fix->level = RPC_LEVEL_PRIVACY;
	assert_false(fix_async(fix, &handle)->done);
	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
}

static void a_handle_needs_the_protection_it_was_made_with(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;

	fix->level = RPC_LEVEL_PRIVACY;
	handle = fix_registered(fix);
	fix->level = RPC_LEVEL_INTEGRITY;
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);

	/* On TCP, packet protects as integrity does. */
	handle = fix_registered(fix);
	fix->level = RPC_LEVEL_PACKET;
	assert_false(fix_async(fix, &handle)->done);
	assert_int_equal(swn_iface.min_level, RPC_LEVEL_PACKET);
}

/* --- UnRegister and UnRegisterEx --- */

static void unregistering_twice_is_an_invalid_parameter(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix), none = {0};

	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
	assert_int_equal(fix_unregister(fix, &handle), SWN_ERROR_INVALID_PARAMETER);
	assert_int_equal(fix_unregister(fix, &none), SWN_ERROR_INVALID_PARAMETER);
}

static void unregistering_twice_can_be_not_found(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;

	fix->config.unregister_not_found = true;
	fix_start(fix);
	fix_place(fix, "n1", "n2");
	handle = fix_registered(fix);
	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
	assert_int_equal(fix_unregister(fix, &handle), SWN_ERROR_NOT_FOUND);
}

static void unregister_ex_gives_the_zero_handle_back(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix), back, none = {0};
	struct swn_fix_call *c = fix_handle_call(fix, SWN_UNREGISTER_EX, &handle);

	assert_int_equal(fix_handle_reply(c, &back), SWN_SUCCESS);
	assert_memory_equal(&back, &none, sizeof(none));
	c = fix_handle_call(fix, SWN_UNREGISTER_EX, &handle);
	assert_int_equal(fix_handle_reply(c, &back), SWN_ERROR_INVALID_PARAMETER);
	assert_memory_equal(&back, &handle, sizeof(handle));
}

static void unregistering_ends_the_open_call(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	assert_false(c->done);
	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
}

static void unregistering_wins_over_a_notification_that_is_not_out_yet(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix_place(fix, NULL, "n2"); /* wakes the call, whose reply comes from the loop */
	assert_false(c->done);
	swn_reg_end(swn_registry_find(fix->service->registry, &handle), SWN_END_UNREGISTERED);
	fix_pump(fix);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
}

static void a_server_of_version_1_has_four_calls_and_no_timers(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *c;
	uint8_t *stub;
	size_t len;

	fix->config.version = SWN_VERSION_1;
	fix_start(fix);
	fix_place(fix, "n1", "n2");
	assert_int_equal(swn_push_register_ex(fix, &args, &stub, &len), 0);
	c = fix_call(fix, SWN_REGISTER_EX, stub, len);
	assert_true(c->done);
	assert_int_equal(c->err, 0);
	assert_int_equal(c->reply.fault, RPC_FAULT_OP_RNG_ERROR);
	handle = fix_registered_v1(fix);
	c = fix_handle_call(fix, SWN_UNREGISTER_EX, &handle);
	assert_int_equal(c->reply.fault, RPC_FAULT_OP_RNG_ERROR);
	fix_pass_ms(fix, 3600000);
	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
}

/* --- AsyncNotify --- */

static void an_unknown_handle_is_not_found(void **state)
{
	struct swn_handle none = {0}, unknown = {0};

	assert_int_equal(guid_random(&unknown.uuid), 0);
	fix_assert_ended(fix_async(*state, &none), SWN_ERROR_NOT_FOUND);
	fix_assert_ended(fix_async(*state, &unknown), SWN_ERROR_NOT_FOUND);
}

static void a_lost_address_and_its_return_are_told(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle v1 = fix_registered_v1(fix), v2 = fix_registered(fix);
	struct swn_fix_call *c1 = fix_async(fix, &v1), *c2 = fix_async(fix, &v2);

	fix_place(fix, "n1", NULL); /* another's address */
	fix_pump(fix);
	assert_false(c1->done);
	assert_false(c2->done);
	fix_place(fix, NULL, NULL);
	fix_pump(fix);
	fix_assert_changes(c1, "10.0.0.7", "U");
	fix_assert_changes(c2, "10.0.0.7", "U");
	c1 = fix_async(fix, &v1);
	assert_false(c1->done);
	fix_place(fix, "n2", NULL);
	fix_pump(fix);
	fix_assert_changes(c1, "10.0.0.7", "A");
	fix_assert_changes(fix_async(fix, &v2), "10.0.0.7", "A");
}

static void a_missed_pair_and_a_move_are_two_records(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c;

	fix_place(fix, NULL, "n2");
	fix_place(fix, "n1", "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "UA");
	c = fix_async(fix, &handle);
	assert_false(c->done);
	fix_place(fix, "n3", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "UA");
}

static void a_long_absence_keeps_the_first_loss_and_the_truth(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered_v1(fix);

	for (int i = 0; i < 50; i++) {
		fix_place(fix, NULL, "n2");
		fix_place(fix, "n1", "n2");
	}
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "UAU");
}

static void an_address_that_leaves_the_configuration_is_lost(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix_place(fix, "", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
	fix_place(fix, "n2", "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "A");
}

static void whoever_registers_for_a_dead_address_is_told_at_once(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;

	fix_place(fix, NULL, "n2");
	handle = fix_registered(fix);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	fix_place(fix, "n2", "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "A");
}

static void a_lost_manager_tells_nobody_anything(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	const struct backend_sink *sink = cluster_sink(fix->cluster);
	struct swn_fix_call *c = fix_async(fix, &handle);

	sink->lost(sink->private_data, "test");
	fix_pump(fix);
	fix_place(fix, "n1", "n2");
	fix_pump(fix);
	assert_false(c->done);
	sink->lost(sink->private_data, "test");
	fix_place(fix, NULL, "n2"); /* what happened meanwhile comes with the first fresh view */
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
}

static void ip_changes_go_to_those_who_asked(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct ipaddr ip7 = fix_ip("10.0.0.7"), ip8 = fix_ip("10.0.0.8");
	struct swn_handle asked, not_asked = fix_registered(fix), v1 = fix_registered_v1(fix);
	struct swn_fix_call *silent = fix_async(fix, &not_asked), *old = fix_async(fix, &v1), *c;
	struct swn_notify *n;
	uint32_t werror;

	args.flags = SWN_REGISTER_IP_NOTIFICATION;
	asked = fix_register_ok(fix, true, &args);
	c = fix_async(fix, &asked);
	fix_place(fix, "n1", NULL);
	fix_pump(fix);
	n = fix_notify(c, &werror);
	assert_int_equal(n->type, SWN_IP_CHANGE);
	assert_int_equal(n->num_addrs, 1);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip8));
	assert_int_equal(n->addrs[0].flags, SWN_IPADDR_V4 | SWN_IPADDR_OFFLINE);
	assert_false(silent->done);
	assert_false(old->done);

	/* Several kinds at once: one a reply, changes first, and addresses merged to the newest truth. */
	fix_place(fix, NULL, "n2");
	fix_place(fix, "n1", NULL);
	fix_assert_changes(fix_async(fix, &asked), "10.0.0.7", "UA");
	n = fix_notify(fix_async(fix, &asked), &werror);
	assert_int_equal(n->type, SWN_IP_CHANGE);
	assert_int_equal(n->num_addrs, 2);
	for (size_t i = 0; i < 2; i++) {
		bool is7 = ipaddr_equal(&n->addrs[i].ip, &ip7);

		assert_int_equal(n->addrs[i].flags,
				 SWN_IPADDR_V4 | (is7 ? SWN_IPADDR_ONLINE : SWN_IPADDR_OFFLINE));
	}
	assert_false(fix_async(fix, &asked)->done);
}

static void intend_from(struct swn_fix *fix, const char *from, const char *to)
{
	struct backend_intent intent = {.kind = BACKEND_INTENT_ADDR,
					.what = "10.0.0.7",
					.from = from,
					.to = to,
					.why = "test"};
	const struct backend_sink *sink = cluster_sink(fix->cluster);

	sink->intent(sink->private_data, &intent);
}

static void intend(struct swn_fix *fix, const char *to)
{
	intend_from(fix, "n1", to);
}

static void a_planned_move_names_where_to_go(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered_v1(fix);
	struct ipaddr ip8 = fix_ip("10.0.0.8"), ip9 = fix_ip("fd00::9");
	struct swn_fix_call *c = fix_async(fix, &handle);
	struct swn_notify *n;
	uint32_t werror;

	intend(fix, "n2"); /* planned_moves is off: nobody is told */
	fix_pump(fix);
	assert_false(c->done);
	fix->service->config.planned_moves = true;
	intend(fix, "n2");
	fix_pump(fix);
	n = fix_notify(c, &werror);
	assert_int_equal(n->type, SWN_CLIENT_MOVE);
	assert_int_equal(n->num_addrs, 1);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip8));
	assert_int_equal(n->addrs[0].flags, SWN_IPADDR_V4 | SWN_IPADDR_ONLINE);

	/* The latest destination wins; one that has died since is not told. */
	intend(fix, "n2");
	intend(fix, NULL);
	intend(fix, "n3");
	n = fix_notify(fix_async(fix, &handle), &werror);
	assert_int_equal(n->num_addrs, 1);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip9));
	intend(fix, "n2");
	fix_place(fix, "n1", NULL);
	assert_false(fix_async(fix, &handle)->done);
}

/* The move was not the last word: the address may go before its client has gone. */
static void a_planned_move_is_followed_by_what_happens(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c;
	uint32_t werror;

	fix->service->config.planned_moves = true;
	intend(fix, NULL);
	assert_int_equal(fix_notify(fix_async(fix, &handle), &werror)->type, SWN_CLIENT_MOVE);
	intend(fix, NULL); /* the same once more: the stop, or the gate */
	c = fix_async(fix, &handle);
	assert_false(c->done);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
	fix_place(fix, "n2", "n1");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "A");
	intend_from(fix, "n2", NULL); /* it moves on */
	assert_int_equal(fix_notify(fix_async(fix, &handle), &werror)->type, SWN_CLIENT_MOVE);
}

/* Where it was to go has died before it was told: the next one is told anew. */
static void a_move_that_came_to_nothing_is_forgotten(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct ipaddr ip9 = fix_ip("fd00::9");
	struct swn_fix_call *c;
	struct swn_notify *n;
	uint32_t werror;

	fix->service->config.planned_moves = true;
	intend(fix, "n2");
	fix_place(fix, "n1", NULL);
	c = fix_async(fix, &handle);
	assert_false(c->done);
	intend(fix, NULL);
	fix_pump(fix);
	n = fix_notify(c, &werror);
	assert_int_equal(n->type, SWN_CLIENT_MOVE);
	assert_true(ipaddr_equal(&n->addrs[0].ip, &ip9));
}

static void a_node_that_is_to_be_left_is_a_planned_move(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);
	struct cluster_state *next = cluster_state_copy(NULL, cluster_current(fix->cluster));
	uint32_t werror;

	fix->service->config.planned_moves = true;
	next->nodes[0].draining = true;
	fix_snapshot(fix, next);
	fix_pump(fix);
	assert_int_equal(fix_notify(c, &werror)->type, SWN_CLIENT_MOVE);
	next = cluster_state_copy(NULL, cluster_current(fix->cluster));
	fix_snapshot(fix, next);
	assert_false(fix_async(fix, &handle)->done);
}

/* --- several calls, cancelled calls --- */

static void two_calls_on_one_handle_are_served_in_order(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c[SWN_MAX_WAITERS];

	for (int i = 0; i < SWN_MAX_WAITERS; i++) {
		c[i] = fix_async(fix, &handle);
		assert_false(c[i]->done);
	}
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(c[0], "10.0.0.7", "U");
	assert_false(c[1]->done);
	fix_place(fix, "n1", "n2");
	fix_pump(fix);
	fix_assert_changes(c[1], "10.0.0.7", "A");
	assert_false(c[2]->done);
}

static void a_cancelled_call_leaves_everything_as_it_was(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle), *next;

	TALLOC_FREE(c->req);
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");

	/* Also when it was about to be answered: the next call gets what it would have got. */
	c = fix_async(fix, &handle);
	next = fix_async(fix, &handle);
	fix_place(fix, "n2", "n2");
	TALLOC_FREE(c->req);
	fix_pump(fix);
	fix_assert_changes(next, "10.0.0.7", "A");
}

/* --- timers --- */

static void keep_alive_zero_times_out_at_once(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;

	args.keep_alive_timeout = 0;
	handle = fix_register_ok(fix, true, &args);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_TIMEOUT);
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_TIMEOUT);
	assert_int_equal(fix_unregister(fix, &handle), SWN_SUCCESS);
}

static void keep_alive_counts_from_each_call(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *c;

	args.keep_alive_timeout = 10;
	handle = fix_register_ok(fix, true, &args);
	for (int i = 0; i < 3; i++) {
		fix_pass_ms(fix, 7000);
		c = fix_async(fix, &handle);
		fix_pass_ms(fix, 9999);
		assert_false(c->done);
		fix_pass_ms(fix, 20);
		fix_assert_ended(c, SWN_ERROR_TIMEOUT);
	}
	assert_int_equal(fix->service->timeouts, 3);
}

static void the_longest_keep_alive_waits(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *c;

	args.keep_alive_timeout = 0xFFFFFFFF;
	handle = fix_register_ok(fix, true, &args);
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, UINT64_C(1000) * 0xFFFFFFFE);
	assert_false(c->done);
	fix_pass_ms(fix, 1020);
	fix_assert_ended(c, SWN_ERROR_TIMEOUT);
}

static void version_1_never_times_out(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered_v1(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix_pass_ms(fix, 30 * UINT64_C(86400000));
	assert_false(c->done);
	fix_place(fix, NULL, "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "U");
}

static void an_unused_registration_is_deleted(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix), v1 = fix_registered_v1(fix);
	struct swn_fix_call *c;

	fix_pass_ms(fix, 29990);
	/* An open call keeps it, and a call that ended, also by a cancel, starts the time anew. */
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 60000);
	assert_int_equal(fix_unregister(fix, &v1), SWN_ERROR_INVALID_PARAMETER);
	TALLOC_FREE(c->req);
	fix_pass_ms(fix, 29990);
	c = fix_async(fix, &handle);
	assert_false(c->done);
	TALLOC_FREE(c->req);
	fix_pass_ms(fix, 30020);
	fix_assert_ended(fix_async(fix, &handle), SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix->service->ended[SWN_END_UNUSED], 2);
}

static void a_client_told_of_a_loss_has_to_register_again(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c;

	fix_place(fix, NULL, "n2");
	fix_pass_ms(fix, 10000); /* it counts from the delivery, not from the event */
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 3000);
	fix_place(fix, "n2", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "A"); /* does not arm it anew, nor stop it */
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 1990);
	assert_false(c->done);
	fix_pass_ms(fix, 30);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix_unregister(fix, &handle), SWN_ERROR_INVALID_PARAMETER);
}

static void a_later_loss_restarts_the_five_seconds(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix_place(fix, "n2", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "UA");
	fix_pass_ms(fix, 4000);
	c = fix_async(fix, &handle);
	fix_place(fix, "n1", "n2");
	fix_pump(fix);
	fix_assert_changes(c, "10.0.0.7", "UA");
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 4990);
	assert_false(c->done);
	fix_pass_ms(fix, 30);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
}

static void available_and_ip_change_do_not_make_it_register_again(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	struct swn_fix_call *c;

	args.flags = SWN_REGISTER_IP_NOTIFICATION;
	handle = fix_register_ok(fix, true, &args);
	c = fix_async(fix, &handle);
	fix_place(fix, "n1", NULL);
	fix_pump(fix);
	assert_true(c->done);
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 60000);
	assert_false(c->done);
}

static void a_planned_move_makes_it_register_again(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle = fix_registered(fix);
	struct swn_fix_call *c = fix_async(fix, &handle);

	fix->service->config.planned_moves = true;
	intend(fix, NULL);
	fix_pump(fix);
	assert_true(c->done);
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 5020);
	fix_assert_ended(c, SWN_ERROR_NOT_FOUND);
	assert_int_equal(fix->service->ended[SWN_END_REREGISTER], 1);
}

static void re_registration_can_be_turned_off(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;
	struct swn_fix_call *c;

	fix->config.reregister_delay_s = 0;
	fix_start(fix);
	fix_place(fix, NULL, "n2");
	handle = fix_registered(fix);
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	c = fix_async(fix, &handle);
	fix_pass_ms(fix, 100000);
	assert_false(c->done);
}

/* --- the end of connections and of the service --- */

static void the_last_connection_takes_its_registrations_with_it(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle mine = fix_registered(fix), other;

	fix_registered_v1(fix);
	fix->assoc = fix_assoc(2);
	other = fix_registered(fix);
	swn_iface.assoc_gone(fix->service, fix_assoc(1));
	swn_iface.assoc_gone(fix->service, fix_assoc(1));
	swn_iface.assoc_gone(fix->service, fix_assoc(7)); /* never registered */
	assert_int_equal(swn_registry_count(fix->service->registry), 1);
	assert_int_equal(fix_assoc(1)->holds, 0);
	assert_int_equal(fix_assoc(2)->holds, 1); /* an idle connection stays for it */
	fix->assoc = fix_assoc(1);
	fix_assert_ended(fix_async(fix, &mine), SWN_ERROR_NOT_FOUND);
	fix->assoc = fix_assoc(2);
	assert_int_equal(fix_unregister(fix, &other), SWN_SUCCESS);
}

static void the_service_may_end_while_calls_wait(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_handle handle;
	struct swn_fix_call *notify, *list;

	fix_start(fix);
	fix_snapshot(fix, fix_state(NULL));
	fix_place(fix, "n1", "n2");
	handle = fix_registered(fix);
	notify = fix_async(fix, &handle);
	{
		struct cluster_state *dead = fix_state(NULL);

		fix_down(dead, "10.0.0.8");
		fix_up(dead, "10.0.0.7", "n1");
		fix_snapshot(fix, dead);
		dead = fix_state(NULL);
		fix_addr(dead, "10.0.0.7", "n1", CLUSTER_ADDR_UNKNOWN);
		fix_down(dead, "10.0.0.8");
		dead->addrs[0].kind = CLUSTER_ADDR_FIXED; /* not offered any more */
		fix_snapshot(fix, dead);
	}
	list = fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0);
	assert_false(list->done);
	assert_false(notify->done);
	TALLOC_FREE(fix->service);
	fix_pump(fix);
	fix_assert_ended(notify, SWN_ERROR_NOT_FOUND);
	assert_true(list->done);
	assert_int_equal(list->err, ESHUTDOWN);
}

/* --- GetInterfaceList --- */

static struct swn_interface_list *get_list(struct swn_fix_call *c, uint32_t *werror)
{
	struct swn_interface_list *list = NULL;

	assert_true(c->done);
	assert_int_equal(c->err, 0);
	assert_int_equal(
		swn_pull_interface_list_reply(c, c->reply.stub, c->reply.stub_len, &list, werror),
		0);
	return list;
}

static void an_empty_list_is_no_more_items(void **state)
{
	uint32_t werror;

	fix_start(*state);
	assert_null(get_list(fix_call(*state, SWN_GET_INTERFACE_LIST, NULL, 0), &werror));
	assert_int_equal(werror, SWN_ERROR_NO_MORE_ITEMS);
	fix_snapshot(*state, fix_state(NULL));
	assert_null(get_list(fix_call(*state, SWN_GET_INTERFACE_LIST, NULL, 0), &werror));
	assert_int_equal(werror, SWN_ERROR_NO_MORE_ITEMS);
}

static void the_list_names_nodes_and_witnesses(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_interface_list *list;
	struct ipaddr ip7 = fix_ip("10.0.0.7"), ip9 = fix_ip("fd00::9");
	uint32_t werror;

	fix_place(fix, "n1", NULL); /* n2 had 10.0.0.8 last */
	list = get_list(fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0), &werror);
	assert_int_equal(werror, SWN_SUCCESS);
	assert_int_equal(list->num, 3);
	assert_string_equal(list->entries[0].group_name, "n1");
	assert_true(ipaddr_equal(&list->entries[0].ipv4, &ip7));
	assert_int_equal(list->entries[0].state, SWN_INTERFACE_AVAILABLE);
	assert_int_equal(list->entries[0].version, SWN_VERSION_2);
	assert_false(list->entries[0].witness);
	assert_string_equal(list->entries[1].group_name, "n2");
	assert_int_equal(list->entries[1].state, SWN_INTERFACE_UNAVAILABLE);
	assert_true(list->entries[1].witness);
	assert_string_equal(list->entries[2].group_name, "n3");
	assert_int_equal(list->entries[2].ipv4.family, 0);
	assert_true(ipaddr_equal(&list->entries[2].ipv6, &ip9));
	assert_true(list->entries[2].witness);
}

static void fixed_addresses_are_listed_only_when_wanted(void **state)
{
	struct swn_fix *fix = *state;
	struct cluster_state *snapshot = fix_state(NULL);
	struct swn_interface_list *list;
	uint32_t werror;

	fix_start(fix);
	fix_up(snapshot, "10.0.0.7", "n1");
	fix_up(snapshot, "10.0.0.8", "n2");
	snapshot->addrs[1].kind = CLUSTER_ADDR_FIXED;
	fix_snapshot(fix, snapshot);
	list = get_list(fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0), &werror);
	assert_int_equal(list->num, 1);
	fix->service->config.fixed_addresses = true;
	list = get_list(fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0), &werror);
	assert_int_equal(list->num, 2);
}

static void dead_world(struct swn_fix *fix, bool one_back)
{
	struct cluster_state *dead = fix_state(NULL);

	fix_down(dead, "10.0.0.7");
	if (one_back) {
		fix_up(dead, "10.0.0.8", "n3");
	} else {
		fix_down(dead, "10.0.0.8");
	}
	fix_snapshot(fix, dead);
}

static void the_list_waits_until_an_interface_is_available(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_fix_call *c, *cancelled;
	struct swn_interface_list *list;
	uint32_t werror;

	fix_start(fix);
	dead_world(fix, false);
	c = fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0);
	cancelled = fix_call(fix, SWN_GET_INTERFACE_LIST, NULL, 0);
	fix_pass_ms(fix, 3600000);
	dead_world(fix, false);
	fix_pump(fix);
	assert_false(c->done);
	TALLOC_FREE(cancelled->req);
	assert_int_equal(fix->service->num_list_waiters, 1);
	dead_world(fix, true);
	fix_pump(fix);
	list = get_list(c, &werror);
	assert_int_equal(werror, SWN_SUCCESS);
	assert_int_equal(list->num, 2);
	assert_string_equal(list->entries[0].group_name, "fs"); /* nobody ever had it: its group */
	assert_int_equal(fix->service->num_list_waiters, 0);
}

/* --- bad stubs, and what is shown --- */

static void every_short_stub_is_bad_stub_data(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();

	for (uint16_t opnum = SWN_REGISTER; opnum < SWN_NUM_OPS; opnum++) {
		struct swn_handle handle = {0};
		uint8_t *stub;
		size_t len;

		if (opnum == SWN_REGISTER) {
			assert_int_equal(swn_push_register(fix, &args, &stub, &len), 0);
		} else if (opnum == SWN_REGISTER_EX) {
			assert_int_equal(swn_push_register_ex(fix, &args, &stub, &len), 0);
		} else {
			assert_int_equal(swn_push_handle(fix, &handle, &stub, &len), 0);
		}
		for (size_t n = 0; n < len; n++) {
			struct swn_fix_call *c = fix_call(fix, opnum, stub, n);

			assert_true(c->done);
			assert_int_equal(c->err, EBADMSG);
		}
	}
	assert_int_equal(swn_registry_count(fix->service->registry), 0);
}

static void json_shows_registrations_interfaces_and_counters(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	json_t *list, *reg, *status, *interfaces;
	char guid[GUID_STRLEN];

	args.share_name = "data";
	args.flags = 1;
	args.client_computer_name = "c\n\xc3\xa4";
	handle = fix_register_ok(fix, true, &args);
	fix_place(fix, NULL, "n2");
	fix_assert_changes(fix_async(fix, &handle), "10.0.0.7", "U");
	list = swn_service_list_json(fix->service, false);
	assert_int_equal(json_array_size(list), 1);
	reg = json_array_get(list, 0);
#define TEXT(key)   json_string_value(json_object_get(reg, key))
#define NUMBER(key) json_integer_value(json_object_get(reg, key))
	assert_string_equal(TEXT("handle"), guid_format(&handle.uuid, guid));
	assert_string_equal(TEXT("client"), "c\n\xc3\xa4");
	assert_string_equal(TEXT("client_address"), "192.0.2.1");
	assert_string_equal(TEXT("net_name"), "fs");
	assert_string_equal(TEXT("share"), "data");
	assert_string_equal(TEXT("ip"), "10.0.0.7");
	assert_string_equal(TEXT("state"), "registered");
	assert_string_equal(TEXT("principal"), "alice@EXAMPLE");
	assert_int_equal(NUMBER("version"), 2);
	assert_int_equal(NUMBER("flags"), 1);
	assert_int_equal(NUMBER("keep_alive"), 120);
	assert_int_equal(NUMBER("notifications"), 1);
	assert_int_equal(NUMBER("queued"), 1); /* the IP_CHANGE */
	assert_int_equal(strlen(TEXT("registered_since")), strlen("2026-11-21T14:51:35Z"));
	json_decref(list);

	interfaces = swn_service_interfaces_json(fix->service);
	assert_int_equal(json_array_size(interfaces), 3);
	reg = json_array_get(interfaces, 0);
	assert_string_equal(TEXT("ip"), "10.0.0.7");
	assert_string_equal(TEXT("state"), "unavailable");
	assert_string_equal(TEXT("group"), "n1");
	json_decref(interfaces);

	status = swn_service_status_json(fix->service);
	reg = status;
	assert_int_equal(NUMBER("registrations"), 1);
	assert_int_equal(NUMBER("registered_total"), 1);
	reg = json_object_get(status, "notified");
	assert_int_equal(NUMBER("RESOURCE_CHANGE"), 1);
	reg = json_object_get(status, "latency");
	assert_int_equal(NUMBER("count"), 1);
	json_decref(status);
}

static void latency_has_a_median(void **state)
{
	struct swn_latency latency = {0};
	json_t *reg;

	reg = swn_latency_json(&latency);
	assert_int_equal(NUMBER("median_us"), 0);
	json_decref(reg);
	swn_latency_add(&latency, 90);
	swn_latency_add(&latency, 400);
	swn_latency_add(&latency, 450);
	swn_latency_add(&latency, 5000000);
	reg = swn_latency_json(&latency);
	assert_int_equal(NUMBER("count"), 4);
	assert_int_equal(NUMBER("min_us"), 90);
	assert_int_equal(NUMBER("median_us"), 500);
	assert_int_equal(NUMBER("max_us"), 5000000);
	json_decref(reg);
}

int main(void)
{
#define TEST(fn)    cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define STARTED(fn) cmocka_unit_test_setup_teardown(fn, setup_started, teardown)
	const struct CMUnitTest tests[] = {
		STARTED(register_checks_in_the_order_of_the_specification),
		STARTED(register_ex_checks_in_the_order_of_the_specification),
		TEST(a_server_without_shares_knows_none),
		STARTED(an_address_serves_its_own_net_names_only),
		TEST(nobody_registers_before_the_first_snapshot),
		STARTED(over_long_names_are_refused),
		TEST(limits_are_no_system_resources),
		STARTED(a_handle_is_random_and_has_no_attributes),
		STARTED(a_handle_works_only_for_its_owner),
		STARTED(a_handle_needs_the_protection_it_was_made_with),
		STARTED(unregistering_twice_is_an_invalid_parameter),
		TEST(unregistering_twice_can_be_not_found),
		STARTED(unregister_ex_gives_the_zero_handle_back),
		STARTED(unregistering_ends_the_open_call),
		STARTED(unregistering_wins_over_a_notification_that_is_not_out_yet),
		TEST(a_server_of_version_1_has_four_calls_and_no_timers),
		STARTED(an_unknown_handle_is_not_found),
		STARTED(a_lost_address_and_its_return_are_told),
		STARTED(a_missed_pair_and_a_move_are_two_records),
		STARTED(a_long_absence_keeps_the_first_loss_and_the_truth),
		STARTED(an_address_that_leaves_the_configuration_is_lost),
		STARTED(whoever_registers_for_a_dead_address_is_told_at_once),
		STARTED(a_lost_manager_tells_nobody_anything),
		STARTED(ip_changes_go_to_those_who_asked),
		STARTED(a_planned_move_names_where_to_go),
		STARTED(a_planned_move_is_followed_by_what_happens),
		STARTED(a_move_that_came_to_nothing_is_forgotten),
		STARTED(a_node_that_is_to_be_left_is_a_planned_move),
		STARTED(two_calls_on_one_handle_are_served_in_order),
		STARTED(a_cancelled_call_leaves_everything_as_it_was),
		STARTED(keep_alive_zero_times_out_at_once),
		STARTED(keep_alive_counts_from_each_call),
		STARTED(the_longest_keep_alive_waits),
		STARTED(version_1_never_times_out),
		STARTED(an_unused_registration_is_deleted),
		STARTED(a_client_told_of_a_loss_has_to_register_again),
		STARTED(a_later_loss_restarts_the_five_seconds),
		STARTED(available_and_ip_change_do_not_make_it_register_again),
		STARTED(a_planned_move_makes_it_register_again),
		TEST(re_registration_can_be_turned_off),
		STARTED(the_last_connection_takes_its_registrations_with_it),
		TEST(the_service_may_end_while_calls_wait),
		TEST(an_empty_list_is_no_more_items),
		STARTED(the_list_names_nodes_and_witnesses),
		TEST(fixed_addresses_are_listed_only_when_wanted),
		TEST(the_list_waits_until_an_interface_is_available),
		STARTED(every_short_stub_is_bad_stub_data),
		STARTED(json_shows_registrations_interfaces_and_counters),
		TEST(latency_has_a_median),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
