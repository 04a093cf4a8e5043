/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signing and sealing of PDUs: which bytes, and with what (MS-RPCE 2.2.2.11.3 and 3.3.1.5.2.2). */
#include <errno.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdio.h>
#include <string.h>

#include "witnessd/rpc/auth_private.h"

#define SEC_TRAILER_SIZE 8

/* Header, body and sec_trailer: all before auth_value. */
static size_t covered_len(const struct rpc_sec_pdu *p)
{
	return p->hdr_len + p->body_len + SEC_TRAILER_SIZE;
}

static uint8_t *auth_value(const struct rpc_sec_pdu *p)
{
	return p->pdu + covered_len(p);
}

static int gss_fail(struct rpc_sec *sec, int err, OM_uint32 major, OM_uint32 minor)
{
	gss_util_text(sec->error, sizeof(sec->error), major, minor, &gss_util_oid_krb5);
	return err;
}

/* Without header signing Kerberos covers the body alone. */
static gss_buffer_desc krb5_signed(const struct rpc_sec_pdu *p)
{
	if (p->header_sign) {
		return (gss_buffer_desc){.length = covered_len(p), .value = p->pdu};
	}
	return (gss_buffer_desc){.length = p->body_len, .value = p->pdu + p->hdr_len};
}

#define IOV_MAX_LEN 4

/* The buffers of wrap and unwrap: DCE style needs neither padding nor trailer. @return how many */
static int krb5_iov(const struct rpc_sec_pdu *p, gss_iov_buffer_desc iov[IOV_MAX_LEN])
{
	gss_iov_buffer_desc header = {.type = GSS_IOV_BUFFER_TYPE_SIGN_ONLY,
				      .buffer = {p->hdr_len, p->pdu}};
	gss_iov_buffer_desc data = {.type = GSS_IOV_BUFFER_TYPE_DATA,
				    .buffer = {p->body_len, p->pdu + p->hdr_len}};
	gss_iov_buffer_desc trailer = {
		.type = GSS_IOV_BUFFER_TYPE_SIGN_ONLY,
		.buffer = {SEC_TRAILER_SIZE, p->pdu + p->hdr_len + p->body_len}};
	int n = 0;

	if (p->header_sign) {
		iov[n++] = header;
	}
	iov[n++] = data;
	if (p->header_sign) {
		iov[n++] = trailer;
	}
	iov[n++] = (gss_iov_buffer_desc){.type = GSS_IOV_BUFFER_TYPE_HEADER,
					 .buffer = {p->auth_len, auth_value(p)}};
	return n;
}

static int krb5_sign(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	gss_buffer_desc msg = krb5_signed(p), mic = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;
	int err = 0;

	major = gss_get_mic(&minor, sec->core->ctx, GSS_C_QOP_DEFAULT, &msg, &mic);
	if (major != GSS_S_COMPLETE) {
		return gss_fail(sec, EPROTO, major, minor);
	}
	if (mic.length == p->auth_len) {
		memcpy(auth_value(p), mic.value, mic.length);
	} else {
		snprintf(sec->error, sizeof(sec->error), "a signature of %zu bytes, not %zu",
			 mic.length, p->auth_len);
		err = EPROTO;
	}
	gss_release_buffer(&minor, &mic);
	return err;
}

static int krb5_seal(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	gss_iov_buffer_desc iov[IOV_MAX_LEN];
	int n = krb5_iov(p, iov), conf = 0;
	OM_uint32 major, minor;

	major = gss_wrap_iov(&minor, sec->core->ctx, 1, GSS_C_QOP_DEFAULT, &conf, iov, n);
	if (major != GSS_S_COMPLETE) {
		return gss_fail(sec, EPROTO, major, minor);
	}
	if (conf != 1 || iov[n - 1].buffer.length != p->auth_len) {
		snprintf(sec->error, sizeof(sec->error), "Kerberos did not encrypt as announced");
		return EPROTO;
	}
	return 0;
}

static int krb5_verify(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	gss_buffer_desc msg = krb5_signed(p);
	gss_buffer_desc mic = {.length = p->auth_len, .value = auth_value(p)};
	OM_uint32 major, minor;

	/* Exactly COMPLETE: replay, gap and disorder are bits that GSS_ERROR() does not see. */
	major = gss_verify_mic(&minor, sec->core->ctx, &msg, &mic, NULL);
	return major == GSS_S_COMPLETE ? 0 : gss_fail(sec, EBADMSG, major, minor);
}

static int krb5_unseal(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	gss_iov_buffer_desc iov[IOV_MAX_LEN];
	int n = krb5_iov(p, iov), conf = 0;
	OM_uint32 major, minor;

	major = gss_unwrap_iov(&minor, sec->core->ctx, &conf, NULL, iov, n);
	if (major != GSS_S_COMPLETE) {
		return gss_fail(sec, EBADMSG, major, minor);
	}
	if (conf != 1) {
		snprintf(sec->error, sizeof(sec->error), "signed, but not encrypted");
		return EBADMSG;
	}
	return 0;
}

static int ntlm_protect(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	if (sec->level == RPC_LEVEL_PRIVACY) {
		ntlm_seal_seal(&sec->seal_out, p->pdu, covered_len(p), p->hdr_len, p->body_len,
			       auth_value(p));
	} else {
		ntlm_seal_sign(&sec->seal_out, p->pdu, covered_len(p), auth_value(p));
	}
	return 0;
}

static int ntlm_unprotect(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	int err;

	if (sec->level == RPC_LEVEL_PRIVACY) {
		err = ntlm_seal_unseal(&sec->seal_in, p->pdu, covered_len(p), p->hdr_len,
				       p->body_len, auth_value(p));
	} else {
		err = ntlm_seal_verify(&sec->seal_in, p->pdu, covered_len(p), auth_value(p));
	}
	if (err != 0) {
		snprintf(sec->error, sizeof(sec->error), "wrong NTLM signature or sequence number");
	}
	return err;
}

typedef int (*protect_fn)(struct rpc_sec *sec, const struct rpc_sec_pdu *p);

static const struct {
	protect_fn sign, seal, verify, unseal;
} mechs[] = {
	[GSS_UTIL_KRB5] = {krb5_sign, krb5_seal, krb5_verify, krb5_unseal},
	[GSS_UTIL_NTLM] = {ntlm_protect, ntlm_protect, ntlm_unprotect, ntlm_unprotect},
};

int rpc_sec_protect(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	bool privacy = sec->level == RPC_LEVEL_PRIVACY;
	enum gss_util_mech mech;

	if (!sec->done || sec->broken || sec->core == NULL) {
		return EPROTO;
	}
	if (p->auth_len != sec->core->sig_size) {
		return EINVAL;
	}
	if (sec->level < RPC_LEVEL_PACKET) {
		return 0;
	}
	mech = sec->core->mech;
	return privacy ? mechs[mech].seal(sec, p) : mechs[mech].sign(sec, p);
}

/* The libraries read a signature without checking its length, so it is checked here. */
static bool length_possible(const struct rpc_sec *sec, size_t auth_len)
{
	if (sec->core->mech == GSS_UTIL_NTLM) {
		return auth_len == NTLM_SIG_SIZE;
	}
	return auth_len >= 16 && auth_len <= UINT16_MAX;
}

int rpc_sec_unprotect(struct rpc_sec *sec, const struct rpc_sec_pdu *p)
{
	bool privacy = sec->level == RPC_LEVEL_PRIVACY;
	enum gss_util_mech mech;
	int err;

	if (!sec->done || sec->broken || sec->core == NULL) {
		return EBADMSG;
	}
	if (sec->level < RPC_LEVEL_PACKET) {
		return 0; /* clients send a dummy, or nothing */
	}
	mech = sec->core->mech;
	if (!length_possible(sec, p->auth_len)) {
		snprintf(sec->error, sizeof(sec->error), "a signature of %zu bytes", p->auth_len);
		err = EBADMSG;
	} else {
		err = privacy ? mechs[mech].unseal(sec, p) : mechs[mech].verify(sec, p);
	}
	sec->broken = err != 0;
	return err;
}
