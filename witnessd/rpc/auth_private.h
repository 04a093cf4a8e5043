/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by auth.c, sec.c and sec_protect.c. For the event loop's thread only. */
#ifndef WITNESSD_RPC_AUTH_PRIVATE_H
#define WITNESSD_RPC_AUTH_PRIVATE_H

#include "witnessd/rpc/auth.h"
#include "witnessd/rpc/auth_creds.h"
#include "witnessd/rpc/auth_pool.h"
#include "witnessd/rpc/ntlm_seal.h"
#include "witnessd/rpc/sec_core.h"
#include "witnessd/util/wheel.h"

struct rpc_sec {
	struct rpc_auth *auth;  /* borrowed */
	struct sec_core *core;  /* NULL once the context is dead */
	bool busy;              /* core belongs to a thread, or is on its way back */
	struct tevent_req *req; /* of the step that is running; borrowed */
	uint8_t type;
	uint8_t level;
	bool initiator;
	bool done;
	bool broken; /* a PDU failed: both sides are out of step from then on */
	char *principal;
	char error[SEC_ERROR_SIZE];
	/* with NTLM */
	struct ntlm_seal seal_out;
	struct ntlm_seal seal_in;
};

/** The pool that steps run on, and the wheel of their timeouts; borrowed. */
struct auth_pool *rpc_auth_pool(struct rpc_auth *auth);
struct wheel *rpc_auth_wheel(struct rpc_auth *auth);

/**
 * The current credentials; acquires them again, later, if the keytab has changed.
 * @return borrowed; NULL for a process that is only a client
 */
struct auth_creds *rpc_auth_creds(struct rpc_auth *auth);

#endif
