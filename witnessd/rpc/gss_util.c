/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/gss_util.h"

#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <krb5.h>
#include <stdio.h>
#include <string.h>

const gss_OID_desc gss_util_oid_spnego = {6, "\x2b\x06\x01\x05\x05\x02"};
const gss_OID_desc gss_util_oid_ntlm = {10, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
const gss_OID_desc gss_util_oid_krb5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
/* 1.2.840.48018.1.2.2: the wrong OID of Windows 2000, which everybody still offers. */
static const gss_OID_desc oid_ms_krb5 = {9, "\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"};

enum gss_util_mech gss_util_mech_of(gss_const_OID oid)
{
	if (oid == GSS_C_NO_OID) {
		return GSS_UTIL_NO_MECH;
	}
	if (gss_oid_equal(oid, &gss_util_oid_krb5) || gss_oid_equal(oid, &oid_ms_krb5)) {
		return GSS_UTIL_KRB5;
	}
	return gss_oid_equal(oid, &gss_util_oid_ntlm) ? GSS_UTIL_NTLM : GSS_UTIL_NO_MECH;
}

const char *gss_util_mech_name(enum gss_util_mech mech)
{
	static const char *const names[] = {
		[GSS_UTIL_NO_MECH] = "", [GSS_UTIL_KRB5] = "krb5", [GSS_UTIL_NTLM] = "ntlm"};

	return names[mech];
}

/* Append one status, which may consist of several messages. @return the new length */
static size_t append_status(char *buf, size_t size, size_t len, OM_uint32 status, int type,
			    gss_const_OID mech)
{
	OM_uint32 more = 0, minor;
	gss_buffer_desc text;

	do {
		if (gss_display_status(&minor, status, type, (gss_OID)mech, &more, &text) !=
		    GSS_S_COMPLETE) {
			return len;
		}
		if (text.length > 0 && size - len > 1) {
			snprintf(buf + len, size - len, "%s%.*s", len == 0 ? "" : ": ",
				 (int)text.length, (const char *)text.value);
			len += strlen(buf + len);
		}
		gss_release_buffer(&minor, &text);
	} while (more != 0);
	return len;
}

void gss_util_text(char *buf, size_t size, OM_uint32 major, OM_uint32 minor, gss_const_OID mech)
{
	size_t len = 0;

	buf[0] = '\0';
	/* "Unspecified GSS failure. Minor code may provide more information" is useless in a message. */
	if (minor == 0 || GSS_ROUTINE_ERROR(major) != GSS_S_FAILURE) {
		len = append_status(buf, size, len, major, GSS_C_GSS_CODE, mech);
	}
	if (minor != 0) {
		append_status(buf, size, len, minor, GSS_C_MECH_CODE, mech);
	}
	if (buf[0] == '\0') {
		snprintf(buf, size, "GSSAPI error 0x%x/0x%x", major, minor);
	}
}

/* Kerberos errors that mean "wrong credentials", of the KDC for initiators and of the acceptor. */
static bool minor_is_denial(OM_uint32 minor)
{
	static const krb5_error_code denials[] = {
		KRB5KDC_ERR_PREAUTH_FAILED,   KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN,
		KRB5KDC_ERR_CLIENT_REVOKED,   KRB5KDC_ERR_KEY_EXP,
		KRB5KDC_ERR_NAME_EXP,         KRB5KDC_ERR_POLICY,
		KRB5KRB_AP_ERR_BAD_INTEGRITY, KRB5KRB_AP_ERR_TKT_EXPIRED,
		KRB5KRB_AP_ERR_TKT_NYV,       KRB5KRB_AP_ERR_REPEAT,
		KRB5KRB_AP_ERR_SKEW,          KRB5KRB_AP_ERR_MODIFIED,
	};

	for (size_t i = 0; i < sizeof(denials) / sizeof(denials[0]); i++) {
		if (minor == (OM_uint32)denials[i]) {
			return true;
		}
	}
	return false;
}

int gss_util_errno(OM_uint32 major, OM_uint32 minor, bool initiator)
{
	if (minor_is_denial(minor)) {
		return EACCES;
	}
	/* Minor codes of our side are errno values, in the mechanisms that there are. */
	if (minor == ENOMEM || minor == EMFILE || minor == ENFILE || minor == EAGAIN) {
		return minor == ENOMEM ? ENOMEM : EAGAIN;
	}
	switch (GSS_ROUTINE_ERROR(major)) {
	case GSS_S_DEFECTIVE_TOKEN:
	case GSS_S_BAD_SIG:
		return EBADMSG;
	case GSS_S_BAD_MECH:
	case GSS_S_UNAVAILABLE:
		return ENOTSUP;
	case GSS_S_NO_CRED:
	case GSS_S_DEFECTIVE_CREDENTIAL:
		return initiator ? ENOENT : EPROTO;
	case GSS_S_CREDENTIALS_EXPIRED:
	case GSS_S_CONTEXT_EXPIRED:
	case GSS_S_UNAUTHORIZED:
	case GSS_S_BAD_BINDINGS:
		return EACCES;
	default:
		return EPROTO;
	}
}
