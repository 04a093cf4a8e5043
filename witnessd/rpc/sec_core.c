/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/rpc/sec_core.h"

#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/dcerpc.h"
#include "witnessd/rpc/ntlm_guard.h"

static const gss_OID_desc *oid_of_type(uint8_t type)
{
	switch (type) {
	case RPC_AUTH_SPNEGO:
		return &gss_util_oid_spnego;
	case RPC_AUTH_NTLM:
		return &gss_util_oid_ntlm;
	default:
		return &gss_util_oid_krb5;
	}
}

struct sec_core *sec_core_create(uint8_t type, uint8_t level)
{
	struct sec_core *core = calloc(1, sizeof(*core));

	if (core != NULL) {
		core->type = type;
		core->level = level;
		core->oid = oid_of_type(type);
	}
	return core;
}

static void free_string(char *s)
{
	if (s != NULL) {
		explicit_bzero(s, strlen(s));
		free(s);
	}
}

static void drop_input(struct sec_core *core)
{
	if (core->in != NULL) {
		explicit_bzero(core->in, core->in_len);
		free(core->in);
	}
	core->in = NULL;
	core->in_len = 0;
}

void sec_core_free(struct sec_core *core)
{
	OM_uint32 minor;

	if (core == NULL) {
		return;
	}
	if (core->ctx != GSS_C_NO_CONTEXT) {
		gss_delete_sec_context(&minor, &core->ctx, GSS_C_NO_BUFFER);
	}
	gss_release_cred(&minor, &core->cred);
	gss_release_name(&minor, &core->target);
	gss_release_buffer(&minor, &core->out);
	auth_creds_unref(core->creds);
	free_string(core->who.user);
	free_string(core->who.domain);
	free_string(core->who.password);
	free_string(core->who.target);
	free_string(core->principal);
	drop_input(core);
	explicit_bzero(core, sizeof(*core));
	free(core);
}

/* @param what put before the library's words; may be "" */
static void fail(struct sec_core *core, int err, const char *what, OM_uint32 major, OM_uint32 minor)
{
	int len = snprintf(core->error, sizeof(core->error), "%s", what);

	core->err = err;
	gss_util_text(core->error + len, sizeof(core->error) - (size_t)len, major, minor,
		      core->oid);
}

/* Common to both directions, after success of GSSAPI. */
static void conclude(struct sec_core *core, OM_uint32 major, OM_uint32 flags)
{
	if (core->out.length > SEC_TOKEN_MAX) {
		core->err = EPROTO;
		snprintf(core->error, sizeof(core->error), "a token of %zu bytes fits in no PDU",
			 core->out.length);
		return;
	}
	if (major == GSS_S_COMPLETE) {
		core->err = sec_core_complete(core, flags);
	}
}

/* Exactly: supplementary bits of a step (an old or repeated token) are no success. */
static bool failed(OM_uint32 major)
{
	return major != GSS_S_COMPLETE && major != GSS_S_CONTINUE_NEEDED;
}

static gss_cred_id_t acceptor_cred(const struct sec_core *core)
{
	switch (core->type) {
	case RPC_AUTH_SPNEGO:
		return core->creds->spnego;
	case RPC_AUTH_NTLM:
		return core->creds->ntlm;
	default:
		return core->creds->krb5;
	}
}

static void accept_step(struct sec_core *core)
{
	gss_buffer_desc in = {.length = core->in_len, .value = core->in};
	OM_uint32 major, minor, flags = 0;
	bool logon = false;
	const char *why;
	int err;

	/* No token at all would put gss-ntlmssp into datagram mode. */
	if (core->in_len == 0) {
		core->err = EBADMSG;
		snprintf(core->error, sizeof(core->error), "empty token");
		return;
	}
	if (core->type != RPC_AUTH_KRB5) {
		err = ntlm_guard_check(core->in, core->in_len, core->level, &logon, &why);
		if (err != 0) {
			core->err = err;
			snprintf(core->error, sizeof(core->error), "%s", why);
			return;
		}
	}
	major = gss_accept_sec_context(&minor, &core->ctx, acceptor_cred(core), &in,
				       GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &core->out, &flags,
				       NULL, NULL);
	if (!failed(major)) {
		conclude(core, major, flags);
		return;
	}
	err = gss_util_errno(major, minor, false);
	if (logon && GSS_ROUTINE_ERROR(major) == GSS_S_FAILURE && err == EPROTO) {
		/* gss-ntlmssp has no better error for this. */
		fail(core, EACCES, "wrong NTLM user or password: ", major, minor);
	} else {
		fail(core, err, "", major, minor);
	}
}

static OM_uint32 initiator_flags(uint8_t level)
{
	OM_uint32 flags = GSS_C_DCE_STYLE | GSS_C_MUTUAL_FLAG;

	if (level >= RPC_LEVEL_PACKET) {
		flags |= GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG;
	}
	if (level == RPC_LEVEL_PRIVACY) {
		flags |= GSS_C_CONF_FLAG;
	}
	return flags;
}

static void init_step(struct sec_core *core)
{
	gss_buffer_desc in = {.length = core->in_len, .value = core->in};
	OM_uint32 major, minor, flags = 0;
	int err;

	if (core->target == GSS_C_NO_NAME) {
		err = sec_core_acquire(core);
		if (err != 0) {
			core->err = err;
			return;
		}
	}
	major = gss_init_sec_context(&minor, core->cred, &core->ctx, core->target,
				     (gss_OID)core->oid, initiator_flags(core->level), 0,
				     GSS_C_NO_CHANNEL_BINDINGS, &in, NULL, &core->out, &flags,
				     NULL);
	if (failed(major)) {
		fail(core, gss_util_errno(major, minor, true), "", major, minor);
		return;
	}
	conclude(core, major, flags);
}

void sec_core_step(struct sec_core *core)
{
	OM_uint32 minor;

	core->err = 0;
	core->error[0] = '\0';
	gss_release_buffer(&minor, &core->out);
	if (core->initiator) {
		init_step(core);
	} else {
		accept_step(core);
	}
	drop_input(core);
}
