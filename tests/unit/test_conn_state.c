/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole table of states and PDU types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "witnessd/rpc/conn_state.h"
#include "witnessd/rpc/dcerpc.h"

static bool on_tcp(unsigned int ptype)
{
	return ptype == RPC_REQUEST || ptype == RPC_RESPONSE || ptype == RPC_FAULT ||
	       (ptype >= RPC_BIND && ptype <= RPC_RTS);
}

static void only_a_bind_begins_a_connection(void **state)
{
	for (unsigned int ptype = 0; ptype < 256; ptype++) {
		enum conn_action expected = !on_tcp(ptype)      ? CONN_DROP
					    : ptype == RPC_BIND ? CONN_DO_BIND
								: CONN_NAK_VERSION;

		assert_int_equal(conn_action(CONN_WAIT_BIND, (uint8_t)ptype), expected);
	}
}

static enum conn_action bound_action(unsigned int ptype, bool authenticating)
{
	switch (ptype) {
	case RPC_BIND:
		return CONN_NAK_PLAIN;
	case RPC_ALTER_CONTEXT:
		return CONN_DO_ALTER;
	case RPC_AUTH3:
		return CONN_DO_AUTH3;
	case RPC_CO_CANCEL:
		return CONN_DO_CANCEL;
	case RPC_ORPHANED:
		return CONN_DO_ORPHANED;
	case RPC_REQUEST:
		return authenticating ? CONN_FAULT_PROTO : CONN_DO_REQUEST;
	default:
		return on_tcp(ptype) ? CONN_FAULT_PROTO : CONN_DROP;
	}
}

static void requests_wait_for_authentication(void **state)
{
	for (unsigned int ptype = 0; ptype < 256; ptype++) {
		assert_int_equal(conn_action(CONN_AUTH, (uint8_t)ptype), bound_action(ptype, true));
		assert_int_equal(conn_action(CONN_READY, (uint8_t)ptype),
				 bound_action(ptype, false));
	}
}

static void nothing_happens_while_closing(void **state)
{
	for (unsigned int ptype = 0; ptype < 256; ptype++) {
		assert_int_equal(conn_action(CONN_CLOSING, (uint8_t)ptype), CONN_DROP);
	}
}

static void bad_headers_and_names(void **state)
{
	assert_int_equal(conn_bad_header(CONN_WAIT_BIND), CONN_NAK_VERSION);
	assert_int_equal(conn_bad_header(CONN_AUTH), CONN_FAULT_PROTO);
	assert_int_equal(conn_bad_header(CONN_READY), CONN_FAULT_PROTO);
	assert_int_equal(conn_bad_header(CONN_CLOSING), CONN_DROP);
	for (enum conn_state s = CONN_WAIT_BIND; s <= CONN_CLOSING; s++) {
		assert_true(strlen(conn_state_name(s)) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_bind_begins_a_connection),
		cmocka_unit_test(requests_wait_for_authentication),
		cmocka_unit_test(nothing_happens_while_closing),
		cmocka_unit_test(bad_headers_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
