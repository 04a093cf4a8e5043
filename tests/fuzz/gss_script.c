/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/gss_script.h"

#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/auth_creds.h"
#include "witnessd/rpc/auth_pool.h"
#include "witnessd/rpc/gss_util.h"

/* What a step answers: three bits of its byte. */
enum answer {
	DONE_TOKEN, /* complete, with a token for the peer */
	DONE,
	GO_ON_TOKEN,
	GO_ON,
	DENIED,
	NO_TOKEN, /* what the peer sent is none */
	BUSY,     /* the pool is full */
	HANGS,    /* until it is abandoned */
};

#define STEP_ANSWER 0x07
#define STEP_NTLM   0x08 /* else Kerberos */
#define STEP_WEAK   0x10 /* complete without integrity */
#define STEP_ODD    0x20 /* complete, and odd in the way of the next byte */
#define STEP_SIZE   6    /* these two bits: of the token */

/* What is strange with a context. */
#define ODD         GSS_SCRIPT_STEPS
#define ODD_INQUIRE 0x01 /* cannot be asked for anything */
#define ODD_MECH    0x02 /* of neither mechanism */
#define ODD_KEY     0x04 /* a session key of another length, or no length of signatures */
#define ODD_NAME    0x08 /* no name */
#define ODD_ANON    0x10 /* the name of nobody */
#define ODD_EMPTY   0x20
#define ODD_NUL     0x40 /* a NUL in the name */
#define ODD_FLAG    0x80 /* anonymous by its flags */

/* How PDUs are protected. */
#define HOW        (GSS_SCRIPT_STEPS + 1)
#define HOW_PLAIN  0x01 /* received ones are not encrypted */
#define HOW_FAILS  0x02 /* cannot sign */
#define HOW_LONGER 0x04 /* signatures longer than announced */
#define HOW_LEAKS  0x08 /* sealed ones are not encrypted */
#define HOW_SIZE   4    /* these two bits: of a signature */
#define HOW_MANY   0x40 /* the name is GSS_SCRIPT_MANY */

#define VERDICTS   (GSS_SCRIPT_STEPS + 2)

static const size_t token_sizes[] = {16, 300, 5000, 65536};
static const size_t sig_sizes[] = {28, 16, 76, 5840};

static const uint8_t *script;
static unsigned int steps, verdicts;
static uint8_t step; /* the one that was submitted last */
static struct auth_job *job;
static struct gss_script_stats stats;

static void must(bool cond)
{
	if (!cond) {
		abort();
	}
}

static void *make(size_t size, unsigned int *count)
{
	void *made = calloc(1, size);

	must(made != NULL);
	if (count != NULL) {
		(*count)++;
	}
	return made;
}

static OM_uint32 drop(void **made, unsigned int *count)
{
	if (*made != NULL) {
		free(*made);
		(*count)--;
		*made = NULL;
	}
	return GSS_S_COMPLETE;
}

static void fill(gss_buffer_t out, size_t size, uint8_t with)
{
	out->value = make(size, NULL);
	out->length = size;
	memset(out->value, with, size);
}

/* A sanitizer sees what is too much. */
static void read_all(const gss_buffer_desc *buf)
{
	static volatile uint8_t read;

	for (size_t i = 0; i < buf->length; i++) {
		read = ((const uint8_t *)buf->value)[i];
	}
	(void)read;
}

static void write_all(const gss_buffer_desc *buf)
{
	if (buf->length > 0) {
		memset(buf->value, 0x5a, buf->length);
	}
}

static bool odd(uint8_t bit)
{
	return (step & STEP_ODD) != 0 && (script[ODD] & bit) != 0;
}

static bool how(uint8_t bit)
{
	return (script[HOW] & bit) != 0;
}

static size_t sig_size(void)
{
	return sig_sizes[script[HOW] >> HOW_SIZE & 3];
}

static bool verdict(void)
{
	unsigned int n = verdicts++ % 16;
	bool good = (script[VERDICTS + n / 8] >> n % 8 & 1) == 0;

	stats.verified += good;
	stats.refused += !good;
	return good;
}

/* --- the pool --- */

int __wrap_auth_pool_submit(struct auth_pool *pool, struct auth_job *submitted);
void __wrap_auth_job_abandon(struct auth_job *abandoned);

int __wrap_auth_pool_submit(struct auth_pool *pool, struct auth_job *submitted)
{
	must(job == NULL);
	step = script[steps++ % GSS_SCRIPT_STEPS];
	if ((step & STEP_ANSWER) == BUSY) {
		return (step & STEP_NTLM) != 0 ? EBUSY : EAGAIN;
	}
	job = submitted;
	return 0;
}

void __wrap_auth_job_abandon(struct auth_job *abandoned)
{
	must(job == abandoned);
	job = NULL;
	abandoned->discard(abandoned);
}

bool gss_script_hangs(void)
{
	return job != NULL && (step & STEP_ANSWER) == HANGS;
}

void gss_script_run(void)
{
	struct auth_job *now = job;

	if (now != NULL && !gss_script_hangs()) {
		job = NULL;
		now->run(now);
		now->done(now);
	}
}

/* --- credentials, names and texts --- */

struct auth_creds *__wrap_auth_creds_acquire(const char *keytab, bool krb5, bool ntlm);

struct auth_creds *__wrap_auth_creds_acquire(const char *keytab, bool krb5, bool ntlm)
{
	struct auth_creds *creds = make(sizeof(*creds), NULL);

	atomic_init(&creds->refs, 1);
	creds->spnego = make(1, NULL);
	creds->krb5 = make(1, NULL);
	creds->ntlm = make(1, NULL);
	return creds;
}

OM_uint32 __wrap_gss_acquire_cred(OM_uint32 *minor, gss_name_t name, OM_uint32 time,
				  gss_OID_set mechs, gss_cred_usage_t usage, gss_cred_id_t *cred,
				  gss_OID_set *actual, OM_uint32 *time_rec);
OM_uint32 __wrap_gss_set_neg_mechs(OM_uint32 *minor, gss_cred_id_t cred, const gss_OID_set mechs);
OM_uint32 __wrap_gss_set_cred_option(OM_uint32 *minor, gss_cred_id_t *cred, const gss_OID object,
				     const gss_buffer_t value);
OM_uint32 __wrap_gss_release_cred(OM_uint32 *minor, gss_cred_id_t *cred);
OM_uint32 __wrap_gss_import_name(OM_uint32 *minor, gss_buffer_t text, gss_OID type,
				 gss_name_t *name);
OM_uint32 __wrap_gss_display_name(OM_uint32 *minor, gss_name_t name, gss_buffer_t text,
				  gss_OID *type);
OM_uint32 __wrap_gss_release_name(OM_uint32 *minor, gss_name_t *name);
OM_uint32 __wrap_gss_display_status(OM_uint32 *minor, OM_uint32 status, int type, gss_OID mech,
				    OM_uint32 *more, gss_buffer_t text);

OM_uint32 __wrap_gss_acquire_cred(OM_uint32 *minor, gss_name_t name, OM_uint32 time,
				  gss_OID_set mechs, gss_cred_usage_t usage, gss_cred_id_t *cred,
				  gss_OID_set *actual, OM_uint32 *time_rec)
{
	*minor = 0;
	*cred = make(1, &stats.names_etc);
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_set_neg_mechs(OM_uint32 *minor, gss_cred_id_t cred, const gss_OID_set mechs)
{
	*minor = 0;
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_set_cred_option(OM_uint32 *minor, gss_cred_id_t *cred, const gss_OID object,
				     const gss_buffer_t value)
{
	*minor = 0;
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_release_cred(OM_uint32 *minor, gss_cred_id_t *cred)
{
	*minor = 0;
	return drop((void **)cred, &stats.names_etc);
}

OM_uint32 __wrap_gss_import_name(OM_uint32 *minor, gss_buffer_t text, gss_OID type,
				 gss_name_t *name)
{
	*minor = 0;
	*name = make(1, &stats.names_etc);
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_display_name(OM_uint32 *minor, gss_name_t name, gss_buffer_t text,
				  gss_OID *type)
{
	*minor = 0;
	*type = odd(ODD_ANON) ? GSS_C_NT_ANONYMOUS : GSS_C_NT_USER_NAME;
	if (odd(ODD_NAME)) {
		return GSS_S_BAD_NAME;
	}
	fill(text, odd(ODD_EMPTY) ? 1 : strlen(GSS_SCRIPT_MANY), odd(ODD_EMPTY) ? '\0' : 'u');
	if (how(HOW_MANY)) {
		memcpy(text->value, GSS_SCRIPT_MANY, text->length);
	}
	if (odd(ODD_NUL)) {
		((char *)text->value)[text->length / 2] = '\0';
	}
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_release_name(OM_uint32 *minor, gss_name_t *name)
{
	*minor = 0;
	return drop((void **)name, &stats.names_etc);
}

OM_uint32 __wrap_gss_display_status(OM_uint32 *minor, OM_uint32 status, int type, gss_OID mech,
				    OM_uint32 *more, gss_buffer_t text)
{
	*minor = 0;
	*more = 0;
	fill(text, 20, '!');
	return GSS_S_COMPLETE;
}

/* --- the negotiation --- */

OM_uint32 __wrap_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx, gss_cred_id_t cred,
					gss_buffer_t in, gss_channel_bindings_t bindings,
					gss_name_t *src, gss_OID *mech, gss_buffer_t out,
					OM_uint32 *flags, OM_uint32 *time_rec,
					gss_cred_id_t *delegated);
OM_uint32 __wrap_gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t cred, gss_ctx_id_t *ctx,
				      gss_name_t target, gss_OID mech, OM_uint32 want,
				      OM_uint32 time, gss_channel_bindings_t bindings,
				      gss_buffer_t in, gss_OID *actual, gss_buffer_t out,
				      OM_uint32 *flags, OM_uint32 *time_rec);
OM_uint32 __wrap_gss_delete_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx, gss_buffer_t out);
OM_uint32 __wrap_gss_inquire_context(OM_uint32 *minor, gss_ctx_id_t ctx, gss_name_t *src,
				     gss_name_t *target, OM_uint32 *time, gss_OID *mech,
				     OM_uint32 *flags, int *local, int *open);
OM_uint32 __wrap_gss_inquire_sec_context_by_oid(OM_uint32 *minor, const gss_ctx_id_t ctx,
						const gss_OID object, gss_buffer_set_t *set);

static OM_uint32 answer(OM_uint32 *minor, gss_ctx_id_t *ctx, const gss_buffer_desc *in,
			gss_buffer_t out, OM_uint32 *flags)
{
	unsigned int what = step & STEP_ANSWER;

	read_all(in);
	*minor = 0;
	*flags = odd(ODD_FLAG) ? GSS_C_ANON_FLAG : 0;
	if ((step & STEP_WEAK) == 0) {
		*flags |= GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_DCE_STYLE | GSS_C_MUTUAL_FLAG |
			  GSS_C_SEQUENCE_FLAG;
	}
	if (*ctx == GSS_C_NO_CONTEXT) {
		*ctx = make(1, &stats.contexts);
	}
	if (what == DENIED) {
		*minor = (step & STEP_NTLM) != 0 ? ENOMEM : 0;
		return (step & STEP_ODD) != 0 ? GSS_S_FAILURE : GSS_S_UNAUTHORIZED;
	}
	if (what == NO_TOKEN) {
		return GSS_S_DEFECTIVE_TOKEN;
	}
	if (what == DONE_TOKEN || what == GO_ON_TOKEN) {
		fill(out, token_sizes[step >> STEP_SIZE], 't');
	}
	stats.completed += what == DONE_TOKEN || what == DONE;
	return what == DONE_TOKEN || what == DONE ? GSS_S_COMPLETE : GSS_S_CONTINUE_NEEDED;
}

OM_uint32 __wrap_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx, gss_cred_id_t cred,
					gss_buffer_t in, gss_channel_bindings_t bindings,
					gss_name_t *src, gss_OID *mech, gss_buffer_t out,
					OM_uint32 *flags, OM_uint32 *time_rec,
					gss_cred_id_t *delegated)
{
	return answer(minor, ctx, in, out, flags);
}

OM_uint32 __wrap_gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t cred, gss_ctx_id_t *ctx,
				      gss_name_t target, gss_OID mech, OM_uint32 want,
				      OM_uint32 time, gss_channel_bindings_t bindings,
				      gss_buffer_t in, gss_OID *actual, gss_buffer_t out,
				      OM_uint32 *flags, OM_uint32 *time_rec)
{
	return answer(minor, ctx, in, out, flags);
}

OM_uint32 __wrap_gss_delete_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx, gss_buffer_t out)
{
	*minor = 0;
	return drop((void **)ctx, &stats.contexts);
}

OM_uint32 __wrap_gss_inquire_context(OM_uint32 *minor, gss_ctx_id_t ctx, gss_name_t *src,
				     gss_name_t *target, OM_uint32 *time, gss_OID *mech,
				     OM_uint32 *flags, int *local, int *open)
{
	const gss_OID_desc *oid = (step & STEP_NTLM) != 0 ? &gss_util_oid_ntlm : &gss_util_oid_krb5;

	*minor = 0;
	if (odd(ODD_INQUIRE)) {
		return GSS_S_NO_CONTEXT;
	}
	*src = make(1, &stats.names_etc);
	*mech = (gss_OID)(odd(ODD_MECH) ? &gss_util_oid_spnego : oid);
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_inquire_sec_context_by_oid(OM_uint32 *minor, const gss_ctx_id_t ctx,
						const gss_OID object, gss_buffer_set_t *set)
{
	uint8_t key[16] = {1};
	gss_buffer_desc member = {.length = odd(ODD_KEY) ? 8 : sizeof(key), .value = key};

	return gss_add_buffer_set_member(minor, &member, set);
}

/* --- signing and sealing --- */

OM_uint32 __wrap_gss_get_mic_iov_length(OM_uint32 *minor, gss_ctx_id_t ctx, gss_qop_t qop,
					gss_iov_buffer_desc *iov, int n);
OM_uint32 __wrap_gss_wrap_iov_length(OM_uint32 *minor, gss_ctx_id_t ctx, int want, gss_qop_t qop,
				     int *conf, gss_iov_buffer_desc *iov, int n);
OM_uint32 __wrap_gss_get_mic(OM_uint32 *minor, gss_ctx_id_t ctx, gss_qop_t qop, gss_buffer_t msg,
			     gss_buffer_t mic);
OM_uint32 __wrap_gss_verify_mic(OM_uint32 *minor, gss_ctx_id_t ctx, gss_buffer_t msg,
				gss_buffer_t mic, gss_qop_t *qop);
OM_uint32 __wrap_gss_wrap_iov(OM_uint32 *minor, gss_ctx_id_t ctx, int want, gss_qop_t qop,
			      int *conf, gss_iov_buffer_desc *iov, int n);
OM_uint32 __wrap_gss_unwrap_iov(OM_uint32 *minor, gss_ctx_id_t ctx, int *conf, gss_qop_t *qop,
				gss_iov_buffer_desc *iov, int n);
int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t n);
void __wrap_nettle_arcfour_crypt(void *ctx, size_t len, uint8_t *to, const uint8_t *from);

OM_uint32 __wrap_gss_get_mic_iov_length(OM_uint32 *minor, gss_ctx_id_t ctx, gss_qop_t qop,
					gss_iov_buffer_desc *iov, int n)
{
	*minor = 0;
	iov[n - 1].buffer.length = sig_size();
	return odd(ODD_KEY) ? GSS_S_FAILURE : GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_wrap_iov_length(OM_uint32 *minor, gss_ctx_id_t ctx, int want, gss_qop_t qop,
				     int *conf, gss_iov_buffer_desc *iov, int n)
{
	return __wrap_gss_get_mic_iov_length(minor, ctx, qop, iov, n);
}

OM_uint32 __wrap_gss_get_mic(OM_uint32 *minor, gss_ctx_id_t ctx, gss_qop_t qop, gss_buffer_t msg,
			     gss_buffer_t mic)
{
	*minor = 0;
	must(ctx != GSS_C_NO_CONTEXT);
	read_all(msg);
	if (how(HOW_FAILS)) {
		return GSS_S_CONTEXT_EXPIRED;
	}
	fill(mic, sig_size() + (how(HOW_LONGER) ? 1 : 0), 's');
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_verify_mic(OM_uint32 *minor, gss_ctx_id_t ctx, gss_buffer_t msg,
				gss_buffer_t mic, gss_qop_t *qop)
{
	*minor = 0;
	must(ctx != GSS_C_NO_CONTEXT);
	read_all(msg);
	read_all(mic);
	if (verdict()) {
		return GSS_S_COMPLETE;
	}
	return verdicts % 2 == 0 ? GSS_S_BAD_SIG : GSS_S_GAP_TOKEN;
}

OM_uint32 __wrap_gss_wrap_iov(OM_uint32 *minor, gss_ctx_id_t ctx, int want, gss_qop_t qop,
			      int *conf, gss_iov_buffer_desc *iov, int n)
{
	*minor = 0;
	must(ctx != GSS_C_NO_CONTEXT);
	if (how(HOW_FAILS)) {
		return GSS_S_CONTEXT_EXPIRED;
	}
	for (int i = 0; i < n - 1; i++) {
		read_all(&iov[i].buffer);
	}
	write_all(&iov[n - 1].buffer);
	iov[n - 1].buffer.length -= how(HOW_LONGER) ? 1 : 0;
	*conf = how(HOW_LEAKS) ? 0 : 1;
	return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_unwrap_iov(OM_uint32 *minor, gss_ctx_id_t ctx, int *conf, gss_qop_t *qop,
				gss_iov_buffer_desc *iov, int n)
{
	*minor = 0;
	must(ctx != GSS_C_NO_CONTEXT);
	for (int i = 0; i < n; i++) {
		read_all(&iov[i].buffer);
	}
	if (!verdict()) {
		return verdicts % 2 == 0 ? GSS_S_BAD_SIG : GSS_S_OLD_TOKEN;
	}
	*conf = how(HOW_PLAIN) ? 0 : 1;
	return GSS_S_COMPLETE;
}

/* The two NTLM needs: both signatures are read, and the body stays what it is. */
int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t n)
{
	const gss_buffer_desc left = {n, (void *)a}, right = {n, (void *)b};

	read_all(&left);
	read_all(&right);
	return verdict() ? 1 : 0;
}

void __wrap_nettle_arcfour_crypt(void *ctx, size_t len, uint8_t *to, const uint8_t *from)
{
	if (len > 0) {
		memmove(to, from, len);
	}
}

/* --- the target's side --- */

struct rpc_auth *gss_script_auth(struct tevent_context *ev, bool acceptor)
{
	const struct rpc_auth_config config = {
		.keytab = "MEMORY:fuzz", .krb5 = true, .ntlm = true, .threads = 1};
	struct rpc_auth *auth = NULL;

	must(rpc_auth_create(ev, ev, acceptor ? &config : NULL, &auth) == 0);
	return auth;
}

void gss_script_begin(const uint8_t *begun)
{
	must(job == NULL && stats.contexts == 0 && stats.names_etc == 0);
	script = begun;
	steps = verdicts = 0;
	memset(&stats, 0, sizeof(stats));
}

const struct gss_script_stats *gss_script_stats(void)
{
	return &stats;
}
