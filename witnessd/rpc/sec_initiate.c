/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The credentials of initiators. Runs on threads. */
#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/dcerpc.h"
#include "witnessd/rpc/sec_core.h"

static int fail(struct sec_core *core, const char *what, OM_uint32 major, OM_uint32 minor)
{
	int len = snprintf(core->error, sizeof(core->error), "%s: ", what);

	gss_util_text(core->error + len, sizeof(core->error) - (size_t)len, major, minor,
		      core->oid);
	return gss_util_errno(major, minor, true);
}

static int import(struct sec_core *core, const char *text, gss_OID type, gss_name_t *out)
{
	gss_buffer_desc buf = {.length = strlen(text), .value = (void *)text};
	OM_uint32 major, minor;

	major = gss_import_name(&minor, &buf, type, out);
	return major == GSS_S_COMPLETE ? 0 : fail(core, "name", major, minor);
}

/*
 * Kerberos does not understand DOMAIN\user; user@DOMAIN both do, and gss-ntlmssp takes it apart again.
 * SPNEGO's credential is acquired for every mechanism there is, also for those not allowed later on:
 * with a made-up DOMAINuser the KDC of the default realm would be asked for each NTLM logon.
 */
static char *user_text(const struct sec_core *core)
{
	const struct sec_identity *who = &core->who;
	char *text = NULL;
	int len;

	if (who->domain == NULL || who->domain[0] == '\0') {
		return strdup(who->user);
	}
	if (core->type == RPC_AUTH_NTLM || strchr(who->user, '@') != NULL) {
		len = asprintf(&text, "%s\\%s", who->domain, who->user);
	} else {
		len = asprintf(&text, "%s@%s", who->user, who->domain);
	}
	return len < 0 ? NULL : text;
}

static int import_user(struct sec_core *core, gss_name_t *name)
{
	char *text = user_text(core);
	int err = text == NULL ? ENOMEM : import(core, text, GSS_C_NT_USER_NAME, name);

	free(text);
	return err;
}

/* Acquire with a password; without one, or without a user, from a cache or a client keytab. */
static int acquire(struct sec_core *core, gss_OID_set mechs)
{
	const char *password = core->who.password;
	gss_name_t name = GSS_C_NO_NAME;
	OM_uint32 major, minor, ignored;
	int err = core->who.user != NULL ? import_user(core, &name) : 0;

	if (err != 0) {
		return err;
	}
	if (password != NULL) {
		gss_buffer_desc buf = {.length = strlen(password), .value = (void *)password};

		major = gss_acquire_cred_with_password(&minor, name, &buf, GSS_C_INDEFINITE, mechs,
						       GSS_C_INITIATE, &core->cred, NULL, NULL);
	} else {
		major = gss_acquire_cred(&minor, name, GSS_C_INDEFINITE, mechs, GSS_C_INITIATE,
					 &core->cred, NULL, NULL);
	}
	gss_release_name(&ignored, &name);
	return major == GSS_S_COMPLETE ? 0 : fail(core, "credentials", major, minor);
}

static int restrict_spnego(struct sec_core *core)
{
	gss_OID_desc below[2];
	gss_OID_set_desc neg = {.count = 0, .elements = below};
	OM_uint32 major, minor;

	if (!core->who.no_krb5) {
		below[neg.count++] = gss_util_oid_krb5;
	}
	if (!core->who.no_ntlm) {
		below[neg.count++] = gss_util_oid_ntlm;
	}
	if (neg.count == 0) {
		snprintf(core->error, sizeof(core->error), "neither Kerberos nor NTLM is allowed");
		return ENOTSUP;
	}
	major = gss_set_neg_mechs(&minor, core->cred, &neg);
	return major == GSS_S_COMPLETE ? 0 : fail(core, "mechanisms", major, minor);
}

int sec_core_acquire(struct sec_core *core)
{
	gss_OID_set_desc mechs = {.count = 1, .elements = (gss_OID)core->oid};
	gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	int err;

	err = acquire(core, &mechs);
	if (err != 0) {
		return err;
	}
	if (core->type == RPC_AUTH_SPNEGO) {
		err = restrict_spnego(core);
		if (err != 0) {
			return err;
		}
	}
	if (core->type != RPC_AUTH_NTLM) {
		/*
		 * MIT always sets the integrity and confidentiality flags, and acceptors of Heimdal,
		 * Samba's for one, then expect what the level does not have. A credential without
		 * Kerberos inside refuses the option, and does not need it.
		 */
		gss_set_cred_option(&minor, &core->cred, (gss_OID)GSS_KRB5_CRED_NO_CI_FLAGS_X,
				    &empty);
	}
	return import(core, core->who.target, GSS_C_NT_HOSTBASED_SERVICE, &core->target);
}
