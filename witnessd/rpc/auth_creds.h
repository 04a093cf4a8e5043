/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Acceptor credentials: three, because one put together of several mechanisms serves the raw types
 * and then fails below SPNEGO. Immutable once acquired, counted, shared with threads; malloc'ed.
 */
#ifndef WITNESSD_RPC_AUTH_CREDS_H
#define WITNESSD_RPC_AUTH_CREDS_H

#include <gssapi/gssapi.h>
#include <stdatomic.h>
#include <stdbool.h>

#define AUTH_WHY_SIZE 256

struct auth_creds {
	atomic_uint refs;
	gss_cred_id_t spnego; /* GSS_C_NO_CREDENTIAL for each that could not be had */
	gss_cred_id_t krb5;
	gss_cred_id_t ntlm;
	/* Why not, for people; "" when acquired or not wanted. */
	char why_spnego[AUTH_WHY_SIZE];
	char why_krb5[AUTH_WHY_SIZE];
	char why_ntlm[AUTH_WHY_SIZE];
};

/**
 * Acquire what can be had. Reads files and may ask winbind for names: never on a running loop.
 * @param keytab NULL for the library's default
 * @return one reference, or NULL (out of memory)
 */
struct auth_creds *auth_creds_acquire(const char *keytab, bool krb5, bool ntlm);

struct auth_creds *auth_creds_ref(struct auth_creds *creds);
/** Accepts NULL. */
void auth_creds_unref(struct auth_creds *creds);

#endif
