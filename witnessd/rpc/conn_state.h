/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reaction to each PDU type in each state of a server connection: a table, without side effects. */
#ifndef WITNESSD_RPC_CONN_STATE_H
#define WITNESSD_RPC_CONN_STATE_H

#include <stdint.h>

enum conn_state {
	CONN_WAIT_BIND,
	CONN_AUTH, /* bound; the first negotiation is not finished */
	CONN_READY, /* bound; anonymous, or authentication finished (or failed: requests will tell) */
	CONN_CLOSING, /* nothing is answered any more */
};

enum conn_action {
	CONN_DROP,        /* close without an answer */
	CONN_NAK_VERSION, /* bind_nak "protocol version not supported", close */
	CONN_NAK_PLAIN,   /* bind_nak "not specified", close */
	CONN_FAULT_PROTO, /* fault proto_error that says "not executed", close */
	/* and the handlers */
	CONN_DO_BIND,
	CONN_DO_ALTER,
	CONN_DO_AUTH3,
	CONN_DO_REQUEST,
	CONN_DO_CANCEL,
	CONN_DO_ORPHANED,
};

/** The reaction to a PDU of this type; unknown and connectionless types are CONN_DROP in each state. */
enum conn_action conn_action(enum conn_state state, uint8_t ptype);

/** The reaction to a PDU whose common header is wrong (version, data representation, lengths). */
enum conn_action conn_bad_header(enum conn_state state);

/** The name of a state, for logs. */
const char *conn_state_name(enum conn_state state);

#endif
