/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GSSAPI's mechanisms and status codes in the project's terms. No talloc, no log: used by threads. */
#ifndef WITNESSD_RPC_GSS_UTIL_H
#define WITNESSD_RPC_GSS_UTIL_H

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdbool.h>
#include <stddef.h>

/* The mechanism that protects PDUs, below SPNEGO if that was used. */
enum gss_util_mech { GSS_UTIL_NO_MECH, GSS_UTIL_KRB5, GSS_UTIL_NTLM };

extern const gss_OID_desc gss_util_oid_spnego;
extern const gss_OID_desc gss_util_oid_ntlm;
extern const gss_OID_desc gss_util_oid_krb5;

/** The mechanism of an OID; GSS_UTIL_NO_MECH for NULL and unknown ones. */
enum gss_util_mech gss_util_mech_of(gss_const_OID oid);
/** "krb5", "ntlm" or "". */
const char *gss_util_mech_name(enum gss_util_mech mech);

/** The text of a major and minor status, cut to fit. mech may be NULL. */
void gss_util_text(char *buf, size_t size, OM_uint32 major, OM_uint32 minor, gss_const_OID mech);

/**
 * The errno of a failed step: EACCES (the credentials are wrong), EBADMSG (not a token), ENOTSUP (no
 * common mechanism), ENOENT (an initiator without credentials), ENOMEM or EAGAIN (this process is short of
 * memory or descriptors, which is not the client's fault), EPROTO (others).
 */
int gss_util_errno(OM_uint32 major, OM_uint32 minor, bool initiator);

#endif
