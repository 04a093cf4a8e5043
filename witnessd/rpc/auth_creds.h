/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Acceptor credentials. Three of them, because one for several mechanisms works for the raw types but
 * fails below SPNEGO. Immutable once acquired, reference-counted, shared with threads; malloc'ed.
 */
#ifndef WITNESSD_RPC_AUTH_CREDS_H
#define WITNESSD_RPC_AUTH_CREDS_H

#include <gssapi/gssapi.h>
#include <stdatomic.h>
#include <stdbool.h>

#define AUTH_WHY_SIZE 256

struct auth_creds {
	atomic_uint refs;
	gss_cred_id_t spnego; /* GSS_C_NO_CREDENTIAL for each that could not be acquired */
	gss_cred_id_t krb5;
	gss_cred_id_t ntlm;
	/* Why not, for the log; "" when acquired or not wanted. */
	char why_spnego[AUTH_WHY_SIZE];
	char why_krb5[AUTH_WHY_SIZE];
	char why_ntlm[AUTH_WHY_SIZE];
};

/**
 * Acquire what is available. Reads files and may ask winbind for names: not while the event loop runs.
 * @param keytab NULL for the library's default
 * @return one reference, or NULL (out of memory)
 */
struct auth_creds *auth_creds_acquire(const char *keytab, bool krb5, bool ntlm);

/** Take another reference, on any thread. @return creds */
struct auth_creds *auth_creds_ref(struct auth_creds *creds);
/** Drop a reference, on any thread; the last one frees the credentials. Accepts NULL. */
void auth_creds_unref(struct auth_creds *creds);

#endif
