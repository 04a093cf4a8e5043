/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Register, RegisterEx, UnRegister and UnRegisterEx: every check of MS-SWN 3.1.4 with its code,
 * and whose a handle is.
 */
#include "tests/unit/swn_fixture.h"
#include "witnessd/util/log_sources.h"

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

static uint64_t refused(const struct swn_fix *fix, enum swn_limit limit)
{
	return swn_refusals_total(fix->service->refusals, limit);
}

static void refusals_are_counted_by_limit(void **state)
{
	struct swn_fix *fix = *state;
	struct swn_register args = fix_args();
	struct swn_handle handle;
	json_t *status;

	fix->config.max_registrations_assoc = 1;
	fix->config.max_registrations = 2;
	fix_start(fix);
	fix_place(fix, "n1", "n2");
	fix_registered(fix);
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);
	fix->assoc = fix_assoc(2);
	fix_registered(fix);
	assert_int_equal(fix_register(fix, true, &args, &handle), SWN_ERROR_NO_SYSTEM_RESOURCES);

	assert_int_equal(refused(fix, SWN_LIMIT_CONNECTION), 2);
	assert_int_equal(refused(fix, SWN_LIMIT_PRINCIPAL), 0);
	assert_int_equal(refused(fix, SWN_LIMIT_REGISTRATIONS), 1);
	status = swn_service_status_json(fix->service);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(status, "refused"),
							    "registrations_connection")),
			 2);
	json_decref(status);
}

static struct ipaddr source(unsigned int n)
{
	return (struct ipaddr){.family = AF_INET, .bytes = {10, 0, (uint8_t)(n >> 8), (uint8_t)n}};
}

static bool noted(struct swn_refusals *refusals, unsigned int n, uint64_t now_s, uint64_t *unsaid)
{
	const struct ipaddr ip = source(n);

	return swn_refusals_note(refusals, SWN_LIMIT_REGISTRATIONS, &ip, now_s * 1000000, unsaid);
}

static void refusals_are_logged_once_a_source_and_minute(void **state)
{
	struct swn_refusals *refusals = swn_refusals_new(*state);
	uint64_t unsaid = 99;

	assert_true(noted(refusals, 1, 100, &unsaid));
	assert_int_equal(unsaid, 0);
	assert_false(noted(refusals, 1, 101, &unsaid));
	assert_false(noted(refusals, 1, 159, &unsaid));
	assert_true(noted(refusals, 2, 159, &unsaid));
	assert_int_equal(unsaid, 2);
	assert_true(noted(refusals, 1, 160, &unsaid));
	assert_int_equal(unsaid, 0);
	assert_false(noted(refusals, 1, 161, &unsaid));
	assert_int_equal(swn_refusals_total(refusals, SWN_LIMIT_REGISTRATIONS), 6);
	talloc_free(refusals);
}

static void refusals_of_many_sources_do_not_fill_the_log(void **state)
{
	struct swn_refusals *refusals = swn_refusals_new(*state);
	unsigned int lines = 0;
	uint64_t unsaid = 0;

	for (unsigned int n = 0; n < 1000; n++) {
		lines += noted(refusals, n, 100, &unsaid);
	}
	assert_int_equal(lines, LOG_SOURCES_MAX);
	assert_true(noted(refusals, 5000, 160, &unsaid));
	assert_int_equal(unsaid, 1000 - LOG_SOURCES_MAX);
	talloc_free(refusals);
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

int main(void)
{
#define TEST(fn)    cmocka_unit_test_setup_teardown(fn, fix_setup, fix_teardown)
#define STARTED(fn) cmocka_unit_test_setup_teardown(fn, fix_setup_started, fix_teardown)
	const struct CMUnitTest tests[] = {
		STARTED(register_checks_in_the_order_of_the_specification),
		STARTED(register_ex_checks_in_the_order_of_the_specification),
		TEST(a_server_without_shares_knows_none),
		STARTED(an_address_serves_its_own_net_names_only),
		TEST(nobody_registers_before_the_first_snapshot),
		STARTED(over_long_names_are_refused),
		TEST(limits_are_no_system_resources),
		TEST(refusals_are_counted_by_limit),
		cmocka_unit_test(refusals_are_logged_once_a_source_and_minute),
		cmocka_unit_test(refusals_of_many_sources_do_not_fill_the_log),
		STARTED(a_handle_is_random_and_has_no_attributes),
		STARTED(a_handle_works_only_for_its_owner),
		STARTED(a_handle_needs_the_protection_it_was_made_with),
		STARTED(unregistering_twice_is_an_invalid_parameter),
		TEST(unregistering_twice_can_be_not_found),
		STARTED(unregister_ex_gives_the_zero_handle_back),
		STARTED(unregistering_ends_the_open_call),
		STARTED(unregistering_wins_over_a_notification_that_is_not_out_yet),
		TEST(a_server_of_version_1_has_four_calls_and_no_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
