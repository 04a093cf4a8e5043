/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration of libswnclient: what it takes, what it makes of it, and that names are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "libswnclient/private.h"

static int setup(void **state)
{
	struct swnc_config *config = swnc_config_new();

	*state = config;
	return config == NULL || swnc_config_set_text(config, SWNC_NET_NAME, "FS") != 0 ||
	       swnc_config_set_text(config, SWNC_SERVER, "192.0.2.7") != 0;
}

static int teardown(void **state)
{
	swnc_config_free(*state);
	return 0;
}

static struct swn_client_params params_of(TALLOC_CTX *mem_ctx, const struct swnc_config *config)
{
	struct swn_client_params params = {0};

	assert_int_equal(swn_config_params(mem_ctx, config, &params), 0);
	return params;
}

static void test_defaults(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct swn_client_params params = params_of(tmp, *state);

	assert_string_equal(params.net_name, "FS");
	assert_string_equal(params.target, "cifs@FS");
	assert_non_null(params.client_name);
	assert_null(params.share_name);
	assert_int_equal(params.epm_port, 135);
	assert_int_equal(params.keep_alive_s, 120);
	assert_int_equal(params.timeout_ms, 15000);
	assert_int_equal(params.auth_type, RPC_AUTH_SPNEGO);
	assert_int_equal(params.auth_level, RPC_LEVEL_INTEGRITY);
	assert_true(params.cred.no_ntlm); /* nobody to log on as */
	assert_false(params.v1 || params.ip_notification || params.resume);
	talloc_free(tmp);
}

static void test_everything_set(void **state)
{
	static const struct {
		enum swnc_option option;
		uint32_t number;
	} numbers[] = {
		{SWNC_VERSION, 1},      {SWNC_IP_NOTIFICATION, 1},    {SWNC_KEEP_ALIVE_S, 7},
		{SWNC_RESUME, 1},       {SWNC_MECHANISMS, SWNC_NTLM}, {SWNC_SEAL, 1},
		{SWNC_EPM_PORT, 10135}, {SWNC_STEP_TIMEOUT_MS, 500},
	};
	struct swnc_config *config = *state;
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct swn_client_params params;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_equal(
			swnc_config_set_number(config, numbers[i].option, numbers[i].number), 0);
	}
	assert_int_equal(swnc_config_set_text(config, SWNC_USER, "alice"), 0);
	assert_int_equal(swnc_config_set_text(config, SWNC_DOMAIN, "LAB"), 0);
	assert_int_equal(swnc_config_set_text(config, SWNC_PASSWORD, ""), 0);
	assert_int_equal(swnc_config_set_text(config, SWNC_TARGET, "host@x"), 0);
	assert_int_equal(swnc_config_set_text(config, SWNC_SHARE, "data"), 0);
	assert_int_equal(swnc_config_set_text(config, SWNC_CLIENT_NAME, "me"), 0);
	params = params_of(tmp, config);
	assert_true(params.v1 && params.ip_notification && params.resume);
	assert_int_equal(params.auth_type, RPC_AUTH_NTLM);
	assert_int_equal(params.auth_level, RPC_LEVEL_PRIVACY);
	assert_int_equal(params.epm_port, 10135);
	assert_int_equal(params.keep_alive_s, 7);
	assert_int_equal(params.timeout_ms, 500);
	assert_string_equal(params.cred.user, "alice");
	assert_string_equal(params.cred.domain, "LAB");
	assert_string_equal(params.cred.password, "");
	assert_string_equal(params.target, "host@x");
	assert_string_equal(params.share_name, "data");
	assert_string_equal(params.client_name, "me");
	talloc_free(tmp);
}

static void test_bad_values_change_nothing(void **state)
{
	static char too_long[2000];
	struct swnc_config *config = *state;
	TALLOC_CTX *tmp = talloc_new(NULL);

	memset(too_long, 'x', sizeof(too_long) - 1);
	assert_int_equal(swnc_config_set_text(config, SWNC_NET_NAME, "10.0.0.1"), EINVAL);
	assert_int_equal(swnc_config_set_text(config, SWNC_NET_NAME, ""), EINVAL);
	assert_int_equal(swnc_config_set_text(config, SWNC_NET_NAME, too_long), EINVAL);
	assert_int_equal(swnc_config_set_text(config, SWNC_SERVER, "fs.example.com"), EINVAL);
	assert_int_equal(swnc_config_set_text(config, SWNC_VERSION, "1"), EINVAL);
	assert_int_equal(swnc_config_set_text(config, (enum swnc_option)0, "x"), EINVAL);
	assert_int_equal(swnc_config_set_number(config, SWNC_SHARE, 1), EINVAL);
	assert_int_equal(swnc_config_set_number(config, (enum swnc_option)99, 1), EINVAL);
	assert_int_equal(swnc_config_set_number(config, SWNC_VERSION, 3), EINVAL);
	assert_int_equal(swnc_config_set_number(config, SWNC_MECHANISMS, 0), EINVAL);
	assert_int_equal(swnc_config_set_number(config, SWNC_EPM_PORT, 65536), EINVAL);
	assert_int_equal(swnc_config_set_number(config, SWNC_STEP_TIMEOUT_MS, 99), EINVAL);
	assert_string_equal(params_of(tmp, config).net_name, "FS");
	talloc_free(tmp);
}

static void test_what_is_missing_is_noticed(void **state)
{
	struct swnc_config *config = *state;
	struct swn_client_params params;
	struct swnc_session *session = NULL;
	struct swnc_interfaces *list = NULL;
	char *why = NULL;

	assert_int_equal(swnc_config_set_text(config, SWNC_SERVER, NULL), 0);
	assert_int_equal(swn_config_params(NULL, config, &params), EINVAL);
	assert_int_equal(swnc_open(config, &session), EINVAL);
	assert_int_equal(swnc_get_interfaces(config, &list, &why), EINVAL);
	assert_null(session);
	assert_null(list);
	assert_null(why);
	assert_int_equal(swnc_config_set_text(config, SWNC_SERVER, "::1"), 0);
	assert_int_equal(swnc_config_set_number(config, SWNC_MECHANISMS, SWNC_NTLM), 0);
	assert_int_equal(swn_config_params(NULL, config, &params), EINVAL); /* NTLM needs a user */
}

/* Nobody listens at port 1: each attempt fails, and is told. */
static void test_session_waits_and_wakes(void **state)
{
	struct swnc_config *config = *state;
	const struct swnc_event *event = NULL;
	struct swnc_session *session = NULL;

	assert_int_equal(swnc_config_set_text(config, SWNC_SERVER, "127.0.0.1"), 0);
	assert_int_equal(swnc_config_set_number(config, SWNC_EPM_PORT, 1), 0);
	assert_int_equal(swnc_open(config, &session), 0);
	assert_int_equal(swnc_next(session, -1, &event), 0);
	assert_int_equal(event->type, SWNC_FAILED);
	assert_string_equal(event->step, "interfaces");
	assert_string_equal(event->server, "127.0.0.1");
	assert_int_equal(event->err, ECONNREFUSED);
	assert_true(event->retry_ms > 0);
	assert_non_null(event->why);
	event = NULL;
	assert_int_equal(swnc_next(session, 0, &event), ETIMEDOUT);
	assert_null(event);
	swnc_wake(session);
	swnc_wake(session);
	assert_int_equal(swnc_next(session, -1, &event), ECANCELED);
	assert_int_equal(swnc_next(session, 0, &event), ETIMEDOUT);
	assert_int_equal(swnc_close(session, 1000), 0); /* nothing was registered */
}

static void test_refused_list_says_why(void **state)
{
	struct swnc_config *config = *state;
	struct swnc_interfaces *list = NULL;
	char *why = NULL;

	assert_int_equal(swnc_config_set_text(config, SWNC_SERVER, "127.0.0.1"), 0);
	assert_int_equal(swnc_config_set_number(config, SWNC_EPM_PORT, 1), 0);
	assert_int_equal(swnc_get_interfaces(config, &list, &why), ECONNREFUSED);
	assert_non_null(why);
	assert_null(list);
	free(why);
	assert_int_equal(swnc_get_interfaces(config, &list, NULL), ECONNREFUSED);
}

static void test_events_are_copied(void **state)
{
	struct swn_resource_change changes[] = {
		{.state = SWN_RESOURCE_AVAILABLE, .name = "a"},
		{.state = SWN_RESOURCE_UNAVAILABLE, .name = NULL},
		{.state = 77, .name = "c"},
	};
	struct swn_ipaddr addrs[] = {{.flags = SWN_IPADDR_V4 | SWN_IPADDR_ONLINE},
				     {.flags = SWN_IPADDR_OFFLINE}};
	struct swn_notify notify = {.type = SWN_RESOURCE_CHANGE,
				    .changes = changes,
				    .num_changes = 3,
				    .addrs = addrs,
				    .num_addrs = 2};
	struct swn_client_event event = {.type = SWN_CLIENT_NOTIFIED, .notify = &notify};
	struct swnc_event *copy;

	assert_int_equal(ipaddr_parse("192.0.2.7", &event.server), 0);
	assert_int_equal(ipaddr_parse("2001:db8::1", &addrs[0].ip), 0);
	copy = swn_event_public(NULL, &event);
	assert_non_null(copy);
	assert_int_equal(copy->type, SWNC_NOTIFIED);
	assert_int_equal(copy->message, SWNC_RESOURCE_CHANGE);
	assert_string_equal(copy->server, "192.0.2.7");
	assert_null(copy->witness);
	assert_int_equal(copy->num_changes, 3);
	assert_int_equal(copy->changes[0].state, SWNC_AVAILABLE);
	assert_int_equal(copy->changes[1].state, SWNC_UNAVAILABLE);
	assert_null(copy->changes[1].name);
	assert_int_equal(copy->changes[2].state, SWNC_UNKNOWN);
	assert_int_equal(copy->num_addresses, 2);
	assert_string_equal(copy->addresses[0].address, "2001:db8::1");
	assert_int_equal(copy->addresses[0].state, SWNC_AVAILABLE);
	assert_null(copy->addresses[1].address);
	assert_int_equal(copy->addresses[1].state, SWNC_UNAVAILABLE);
	talloc_free(copy);
}

static void test_names(void **state)
{
	assert_string_equal(swnc_event_name(SWNC_LOST), "connection lost");
	assert_string_equal(swnc_event_name((enum swnc_event_type)77), "unknown");
	assert_string_equal(swnc_message_name(SWNC_SHARE_MOVE), "SHARE_MOVE");
	assert_string_equal(swnc_message_name(77), "UNKNOWN");
	assert_string_equal(swnc_state_name(SWNC_UNAVAILABLE), "unavailable");
	assert_string_equal(swnc_state_name((enum swnc_state)77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_values_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_missing_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_waits_and_wakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_list_says_why, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events_are_copied, setup, teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
