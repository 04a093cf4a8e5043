/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks when GSSAPI says that a context is complete. Runs on threads. */
#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/dcerpc.h"
#include "witnessd/rpc/sec_core.h"

static int refuse(struct sec_core *core, int err, const char *why)
{
	snprintf(core->error, sizeof(core->error), "%s", why);
	return err;
}

static int refuse_gss(struct sec_core *core, OM_uint32 major, OM_uint32 minor)
{
	gss_util_text(core->error, sizeof(core->error), major, minor, core->oid);
	return gss_util_errno(major, minor, core->initiator);
}

static int check_flags(struct sec_core *core, OM_uint32 flags)
{
	OM_uint32 need = 0;

	if (core->level >= RPC_LEVEL_PACKET) {
		need |= GSS_C_INTEG_FLAG;
		if (core->mech == GSS_UTIL_KRB5) {
			/* Without SEQUENCE the library reports neither replay nor gap. */
			need |= GSS_C_DCE_STYLE | GSS_C_SEQUENCE_FLAG;
		}
	}
	if (core->level == RPC_LEVEL_PRIVACY) {
		need |= GSS_C_CONF_FLAG;
	}
	if (core->initiator && core->mech == GSS_UTIL_KRB5) {
		need |= GSS_C_MUTUAL_FLAG;
	}
	if ((flags & GSS_C_ANON_FLAG) != 0) {
		return refuse(core, EACCES, "anonymous");
	}
	if ((flags & need) != need) {
		snprintf(core->error, sizeof(core->error),
			 "context flags 0x%x are weaker than authentication level %u needs (0x%x)",
			 flags, core->level, need);
		return EACCES;
	}
	return 0;
}

/* gss-ntlmssp counts the terminating NUL; one inside would make two names look alike. */
static int take_name(struct sec_core *core, const gss_buffer_desc *text)
{
	size_t len = text->length;

	if (len > 0 && ((const char *)text->value)[len - 1] == '\0') {
		len--;
	}
	if (len == 0 || memchr(text->value, '\0', len) != NULL) {
		return refuse(core, EACCES, "the client's name is not text");
	}
	core->principal = strndup(text->value, len);
	return core->principal == NULL ? ENOMEM : 0;
}

static int read_name(struct sec_core *core, gss_name_t name)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	gss_OID type = GSS_C_NO_OID;
	OM_uint32 major, minor;
	int err;

	major = gss_display_name(&minor, name, &text, &type);
	if (major != GSS_S_COMPLETE) {
		return refuse_gss(core, major, minor);
	}
	if (type != GSS_C_NO_OID && gss_oid_equal(type, GSS_C_NT_ANONYMOUS)) {
		err = refuse(core, EACCES, "anonymous");
	} else {
		err = take_name(core, &text);
	}
	gss_release_buffer(&minor, &text);
	return err;
}

static int inquire(struct sec_core *core)
{
	gss_name_t name = GSS_C_NO_NAME;
	gss_OID mech = GSS_C_NO_OID;
	OM_uint32 major, minor;
	int err = 0;

	/* The real mechanism: SPNEGO names itself until the end, and in its own answers. */
	major = gss_inquire_context(&minor, core->ctx, &name, NULL, NULL, &mech, NULL, NULL, NULL);
	if (major != GSS_S_COMPLETE) {
		return refuse_gss(core, major, minor);
	}
	core->mech = gss_util_mech_of(mech);
	if (core->mech == GSS_UTIL_NO_MECH) {
		err = refuse(core, EACCES, "neither Kerberos nor NTLM");
	} else if (!core->initiator) {
		err = read_name(core, name);
	}
	gss_release_name(&minor, &name);
	return err;
}

static int ntlm_key(struct sec_core *core)
{
	gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
	OM_uint32 major, minor;
	int err = 0;

	major = gss_inquire_sec_context_by_oid(&minor, core->ctx, GSS_C_INQ_SSPI_SESSION_KEY, &set);
	if (major != GSS_S_COMPLETE) {
		return refuse_gss(core, major, minor);
	}
	if (set->count != 1 || set->elements[0].length != NTLM_KEY_SIZE) {
		err = refuse(core, EPROTO, "the NTLM session key is not 16 bytes long");
	} else {
		memcpy(core->session_key, set->elements[0].value, NTLM_KEY_SIZE);
		explicit_bzero(set->elements[0].value, NTLM_KEY_SIZE);
	}
	gss_release_buffer_set(&minor, &set);
	core->sig_size = NTLM_SIG_SIZE;
	return err;
}

/* The size depends on the encryption type, which is the KDC's choice. These calls change no state. */
static int krb5_sig_size(struct sec_core *core)
{
	uint8_t sample[16] = {0};
	gss_iov_buffer_desc iov[] = {
		{.type = GSS_IOV_BUFFER_TYPE_DATA, .buffer = {sizeof(sample), sample}},
		{.type = GSS_IOV_BUFFER_TYPE_EMPTY},
	};
	OM_uint32 major, minor;
	int conf;

	if (core->level == RPC_LEVEL_PRIVACY) {
		iov[1].type = GSS_IOV_BUFFER_TYPE_HEADER;
		major = gss_wrap_iov_length(&minor, core->ctx, 1, GSS_C_QOP_DEFAULT, &conf, iov, 2);
	} else {
		iov[1].type = GSS_IOV_BUFFER_TYPE_MIC_TOKEN;
		major = gss_get_mic_iov_length(&minor, core->ctx, GSS_C_QOP_DEFAULT, iov, 2);
	}
	if (major != GSS_S_COMPLETE) {
		return refuse_gss(core, major, minor);
	}
	core->sig_size = iov[1].buffer.length;
	return 0;
}

/*
 * We sign and seal with the session key ourselves, so the context of the library is not needed any more; gss-
 * ntlmssp keeps two character set converters in each, 64 KB of its 70.
 */
static void release_ntlm(struct sec_core *core)
{
	OM_uint32 minor;

	gss_delete_sec_context(&minor, &core->ctx, GSS_C_NO_BUFFER);
}

int sec_core_complete(struct sec_core *core, OM_uint32 flags)
{
	int err = inquire(core);

	if (err == 0) {
		err = check_flags(core, flags);
	}
	if (err == 0 && core->level >= RPC_LEVEL_PACKET) {
		err = core->mech == GSS_UTIL_NTLM ? ntlm_key(core) : krb5_sig_size(core);
	}
	core->done = err == 0;
	if (core->done && core->mech == GSS_UTIL_NTLM) {
		release_ntlm(core);
	}
	return err;
}
