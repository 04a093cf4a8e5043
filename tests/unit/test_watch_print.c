/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl watch --json: what a server may say and JSON cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "witnessctl/watch.h"
#include "witnessd/util/text_json.h"

static void flags_of_an_address_are_no_signed_number(void **unused)
{
	const struct swnc_address address = {
		.address = "192.0.2.7", .state = SWNC_AVAILABLE, .flags = 0x80000009};
	const struct swnc_event event = {.type = SWNC_NOTIFIED,
					 .server = "192.0.2.1",
					 .message = SWNC_CLIENT_MOVE,
					 .addresses = &address,
					 .num_addresses = 1};
	json_t *json = watch_json(&event, "FS");
	const json_t *shown = json_array_get(json_object_get(json, "addresses"), 0);

	assert_int_equal(json_integer_value(json_object_get(shown, "flags")), 0x80000009);
	json_decref(json);
}

static void text_that_is_not_utf8_is_escaped(void **unused)
{
	const struct swnc_change change = {.name = "f\xe4ile", .state = SWNC_UNAVAILABLE};
	const struct swnc_event event = {.type = SWNC_NOTIFIED,
					 .server = "192.0.2.1",
					 .message = SWNC_RESOURCE_CHANGE,
					 .changes = &change,
					 .num_changes = 1};
	json_t *json = watch_json(&event, "F\xe4");
	const json_t *shown = json_array_get(json_object_get(json, "changes"), 0);

	assert_string_equal(json_string_value(json_object_get(json, "net_name")), "F\\xe4");
	assert_string_equal(json_string_value(json_object_get(shown, "name")), "f\\xe4ile");
	assert_string_equal(json_string_value(json_object_get(shown, "state")), "unavailable");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_of_an_address_are_no_signed_number),
		cmocka_unit_test(text_that_is_not_utf8_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
