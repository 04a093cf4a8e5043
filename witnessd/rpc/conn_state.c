/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/conn_state.h"

#include "witnessd/rpc/dcerpc.h"

/* Types that mean something on TCP; rows of the table that are not here are unknown: CONN_DROP. */
#define NUM_PTYPES (RPC_RTS + 1)

/* clang-format off */
static const uint8_t actions[NUM_PTYPES][CONN_CLOSING] = {
	/*                          CONN_WAIT_BIND    CONN_AUTH         CONN_READY */
	[RPC_REQUEST]            = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_DO_REQUEST},
	[RPC_RESPONSE]           = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_FAULT_PROTO},
	[RPC_FAULT]              = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_FAULT_PROTO},
	[RPC_BIND]               = {CONN_DO_BIND,     CONN_NAK_PLAIN,   CONN_NAK_PLAIN},
	[RPC_BIND_ACK]           = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_FAULT_PROTO},
	[RPC_BIND_NAK]           = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_FAULT_PROTO},
	[RPC_ALTER_CONTEXT]      = {CONN_NAK_VERSION, CONN_DO_ALTER,    CONN_DO_ALTER},
	[RPC_ALTER_CONTEXT_RESP] = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_FAULT_PROTO},
	[RPC_AUTH3]              = {CONN_NAK_VERSION, CONN_DO_AUTH3,    CONN_DO_AUTH3},
	[RPC_SHUTDOWN]           = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_FAULT_PROTO},
	[RPC_CO_CANCEL]          = {CONN_NAK_VERSION, CONN_DO_CANCEL,   CONN_DO_CANCEL},
	[RPC_ORPHANED]           = {CONN_NAK_VERSION, CONN_DO_ORPHANED, CONN_DO_ORPHANED},
	[RPC_RTS]                = {CONN_NAK_VERSION, CONN_FAULT_PROTO, CONN_FAULT_PROTO},
};
/* clang-format on */

_Static_assert(CONN_DROP == 0, "holes in the table are unknown types");

enum conn_action conn_action(enum conn_state state, uint8_t ptype)
{
	if (state >= CONN_CLOSING || ptype >= NUM_PTYPES) {
		return CONN_DROP;
	}
	return (enum conn_action)actions[ptype][state];
}

enum conn_action conn_bad_header(enum conn_state state)
{
	switch (state) {
	case CONN_WAIT_BIND:
		return CONN_NAK_VERSION;
	case CONN_AUTH:
	case CONN_READY:
		return CONN_FAULT_PROTO;
	case CONN_CLOSING:
		break;
	}
	return CONN_DROP;
}

const char *conn_state_name(enum conn_state state)
{
	static const char *const names[] = {
		[CONN_WAIT_BIND] = "waiting for a bind",
		[CONN_AUTH] = "authenticating",
		[CONN_READY] = "ready",
		[CONN_CLOSING] = "closing",
	};

	return names[state];
}
