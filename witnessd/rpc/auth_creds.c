/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/auth_creds.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <stdlib.h>

#include "witnessd/rpc/gss_util.h"

static gss_OID_set_desc set_of(const gss_OID_desc *oid)
{
	return (gss_OID_set_desc){.count = 1, .elements = (gss_OID)oid};
}

static void acquire_krb5(struct auth_creds *creds, const char *keytab)
{
	gss_OID_set_desc mechs = set_of(&gss_util_oid_krb5);
	gss_key_value_element_desc element = {.key = "keytab", .value = keytab};
	gss_key_value_set_desc store = {.count = 1, .elements = &element};
	OM_uint32 major, minor;

	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT,
				      keytab == NULL ? GSS_C_NO_CRED_STORE : &store, &creds->krb5,
				      NULL, NULL);
	if (major != GSS_S_COMPLETE) {
		creds->krb5 = GSS_C_NO_CREDENTIAL;
		gss_util_text(creds->why_krb5, sizeof(creds->why_krb5), major, minor,
			      &gss_util_oid_krb5);
	}
}

static bool mech_installed(const gss_OID_desc *oid)
{
	gss_OID_set all = GSS_C_NO_OID_SET;
	OM_uint32 minor;
	int present = 0;

	if (gss_indicate_mechs(&minor, &all) != GSS_S_COMPLETE) {
		return false;
	}
	gss_test_oid_set_member(&minor, (gss_OID)oid, all, &present);
	gss_release_oid_set(&minor, &all);
	return present != 0;
}

/*
 * No credential store here: with one and without a name gss-ntlmssp 1.2.0 makes a user's credential,
 * which its acceptor then crashes on.
 */
static void acquire_ntlm(struct auth_creds *creds)
{
	gss_OID_set_desc mechs = set_of(&gss_util_oid_ntlm);
	OM_uint32 major, minor;

	if (!mech_installed(&gss_util_oid_ntlm)) {
		snprintf(creds->why_ntlm, sizeof(creds->why_ntlm), "gss-ntlmssp is not installed");
		return;
	}
	major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT,
				 &creds->ntlm, NULL, NULL);
	if (major != GSS_S_COMPLETE) {
		creds->ntlm = GSS_C_NO_CREDENTIAL;
		gss_util_text(creds->why_ntlm, sizeof(creds->why_ntlm), major, minor,
			      &gss_util_oid_ntlm);
	}
}

/*
 * What SPNEGO may choose from is what was acquired for the raw types. It has to be acquired without
 * a store, too, since the store would reach NTLM: the keytab goes by the library's own setting.
 */
static void acquire_spnego(struct auth_creds *creds, const char *keytab)
{
	gss_OID_set_desc mechs = set_of(&gss_util_oid_spnego);
	gss_OID_desc below[2];
	gss_OID_set_desc neg = {.count = 0, .elements = below};
	OM_uint32 major, minor, ignored;

	if (creds->krb5 != GSS_C_NO_CREDENTIAL) {
		below[neg.count++] = gss_util_oid_krb5;
		if (keytab != NULL) {
			gsskrb5_register_acceptor_identity(keytab);
		}
	}
	if (creds->ntlm != GSS_C_NO_CREDENTIAL) {
		below[neg.count++] = gss_util_oid_ntlm;
	}
	if (neg.count == 0) {
		snprintf(creds->why_spnego, sizeof(creds->why_spnego),
			 "neither Kerberos nor NTLM is there to choose from");
		return;
	}
	major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT,
				 &creds->spnego, NULL, NULL);
	if (major == GSS_S_COMPLETE) {
		major = gss_set_neg_mechs(&minor, creds->spnego, &neg);
	}
	if (major != GSS_S_COMPLETE) {
		gss_util_text(creds->why_spnego, sizeof(creds->why_spnego), major, minor,
			      &gss_util_oid_spnego);
		gss_release_cred(&ignored, &creds->spnego);
	}
}

struct auth_creds *auth_creds_acquire(const char *keytab, bool krb5, bool ntlm)
{
	struct auth_creds *creds = calloc(1, sizeof(*creds));

	if (creds == NULL) {
		return NULL;
	}
	atomic_init(&creds->refs, 1);
	if (krb5) {
		acquire_krb5(creds, keytab);
	}
	if (ntlm) {
		acquire_ntlm(creds);
	}
	if (krb5 || ntlm) {
		acquire_spnego(creds, keytab);
	}
	return creds;
}

struct auth_creds *auth_creds_ref(struct auth_creds *creds)
{
	atomic_fetch_add(&creds->refs, 1);
	return creds;
}

void auth_creds_unref(struct auth_creds *creds)
{
	OM_uint32 minor;

	if (creds == NULL || atomic_fetch_sub(&creds->refs, 1) != 1) {
		return;
	}
	gss_release_cred(&minor, &creds->spnego);
	gss_release_cred(&minor, &creds->krb5);
	gss_release_cred(&minor, &creds->ntlm);
	free(creds);
}
