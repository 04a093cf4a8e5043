/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of a security context that steps on threads work on. Plain memory. During a step it belongs
 * to the thread, otherwise to the event loop: a GSS context must not be used by two threads at a time.
 */
#ifndef WITNESSD_RPC_SEC_CORE_H
#define WITNESSD_RPC_SEC_CORE_H

#include <gssapi/gssapi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "witnessd/rpc/auth.h"
#include "witnessd/rpc/auth_creds.h"
#include "witnessd/rpc/auth_pool.h"
#include "witnessd/rpc/gss_util.h"
#include "witnessd/rpc/ntlm_seal.h"

#define SEC_ERROR_SIZE 256
#define SEC_TOKEN_MAX  65535 /* bytes: auth_length is a uint16 */

/* Who an initiator is; all strings malloc'ed, may be NULL. */
struct sec_identity {
	char *user;
	char *domain;
	char *password;
	char *target;
	bool no_krb5;
	bool no_ntlm;
};

struct sec_core {
	struct auth_job job;
	void *owner; /* the struct rpc_sec; used on the loop only */

	/* since creation */
	uint8_t type;
	uint8_t level;
	bool initiator;
	struct auth_creds *creds; /* acceptor */
	struct sec_identity who;  /* initiator */

	gss_ctx_id_t ctx;        /* none once NTLM is complete: its key is all that is needed */
	gss_cred_id_t cred;      /* initiator, since its first step */
	gss_name_t target;       /* ditto */
	gss_OID_desc const *oid; /* the mechanism asked for */

	/* one step */
	uint8_t *in;
	size_t in_len;
	gss_buffer_desc out;
	int err;
	char error[SEC_ERROR_SIZE];

	/* since completion */
	bool done;
	enum gss_util_mech mech;
	char *principal; /* acceptor */
	size_t sig_size;
	uint8_t session_key
		[NTLM_KEY_SIZE]; /* NTLM; wiped by the loop once it has derived its keys */
};

/** Allocate one, zeroed but for type and level. @return NULL when memory is short */
struct sec_core *sec_core_create(uint8_t type, uint8_t level);
/** Wipes and frees everything; accepts NULL. On any thread. */
void sec_core_free(struct sec_core *core);

/** One step, blocking: from in to out, err, error; on completion also done and the fields after it. */
void sec_core_step(struct sec_core *core);

/** Acquire an initiator's credentials; blocks. @return 0 or an errno with core->error */
int sec_core_acquire(struct sec_core *core);

/** The checks on completion, and the fields that are set then. @return 0 or an errno with error */
int sec_core_complete(struct sec_core *core, OM_uint32 flags);

#endif
