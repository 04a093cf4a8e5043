/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Security contexts as seen by the event loop. */
#include <errno.h>
#include <gssapi/gssapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/auth_private.h"
#include "witnessd/util/req.h"

#define STEP_TIMEOUT_SEC 30

enum rpc_nak_reason rpc_sec_nak_reason(int err)
{
	switch (err) {
	case ENOTSUP:
		return RPC_NAK_AUTH_TYPE_NOT_RECOGNIZED;
	case EINVAL:
		return RPC_NAK_NOT_SPECIFIED;
	case ENOMEM:
	case EBUSY:
	case EAGAIN:
		return RPC_NAK_TEMPORARY_CONGESTION;
	default:
		return RPC_NAK_INVALID_CHECKSUM;
	}
}

static struct sec_core *core_of_job(struct auth_job *job)
{
	return (struct sec_core *)((char *)job - offsetof(struct sec_core, job));
}

static void job_run(struct auth_job *job)
{
	sec_core_step(core_of_job(job));
}

static void job_discard(struct auth_job *job)
{
	sec_core_free(core_of_job(job));
}

/* The context is dead from here on; a running step ends without anybody waiting for it. */
static void drop_core(struct rpc_sec *sec)
{
	struct sec_core *core = sec->core;

	sec->core = NULL;
	if (core == NULL) {
		return;
	}
	if (sec->busy) {
		sec->busy = false;
		auth_job_abandon(&core->job);
	} else {
		sec_core_free(core);
	}
}

struct step_state {
	struct wheel_timer timer;
	struct rpc_sec *sec; /* NULL once it has ended or sec is gone */
	uint8_t *out;
	size_t out_len;
	bool done;
};

static int sec_destructor(struct rpc_sec *sec)
{
	struct tevent_req *req = sec->req;
	struct step_state *state;

	drop_core(sec);
	explicit_bzero(&sec->seal_out, sizeof(sec->seal_out));
	explicit_bzero(&sec->seal_in, sizeof(sec->seal_in));
	if (req != NULL) {
		state = tevent_req_data(req, struct step_state);
		state->sec = NULL;
		tevent_req_error(req, ECANCELED); /* its callback is deferred */
	}
	return 0;
}

static bool level_known(uint8_t level)
{
	return level == RPC_LEVEL_CONNECT ||
	       (level >= RPC_LEVEL_PACKET && level <= RPC_LEVEL_PRIVACY);
}

static int sec_create(TALLOC_CTX *mem_ctx, struct rpc_auth *auth, uint8_t type, uint8_t level,
		      struct rpc_sec **out)
{
	struct rpc_sec *sec;

	if (type != RPC_AUTH_SPNEGO && type != RPC_AUTH_NTLM && type != RPC_AUTH_KRB5) {
		return ENOTSUP;
	}
	if (!level_known(level)) {
		return EINVAL;
	}
	sec = talloc_zero(mem_ctx, struct rpc_sec);
	if (sec == NULL) {
		return ENOMEM;
	}
	sec->core = sec_core_create(type, level);
	if (sec->core == NULL) {
		talloc_free(sec);
		return ENOMEM;
	}
	sec->auth = auth;
	sec->type = type;
	sec->level = level;
	sec->core->owner = sec;
	talloc_set_destructor(sec, sec_destructor);
	*out = sec;
	return 0;
}

int rpc_sec_acceptor(TALLOC_CTX *mem_ctx, struct rpc_auth *auth, uint8_t type, uint8_t level,
		     struct rpc_sec **out)
{
	struct auth_creds *creds = rpc_auth_creds(auth);
	struct rpc_sec *sec;
	int err;

	if (!rpc_auth_offers(auth, type)) {
		return ENOTSUP;
	}
	err = sec_create(mem_ctx, auth, type, level, &sec);
	if (err != 0) {
		return err;
	}
	sec->core->creds = auth_creds_ref(creds);
	*out = sec;
	return 0;
}

/* @return false: out of memory */
static bool copy_string(char **to, const char *from)
{
	*to = from == NULL ? NULL : strdup(from);
	return from == NULL || *to != NULL;
}

static bool copy_identity(struct sec_identity *to, const struct rpc_cred *cred, const char *target)
{
	to->no_krb5 = cred->no_krb5;
	to->no_ntlm = cred->no_ntlm;
	return copy_string(&to->user, cred->user) && copy_string(&to->domain, cred->domain) &&
	       copy_string(&to->password, cred->password) && copy_string(&to->target, target);
}

int rpc_sec_initiator(TALLOC_CTX *mem_ctx, struct rpc_auth *auth, const struct rpc_cred *cred,
		      uint8_t type, uint8_t level, const char *target, struct rpc_sec **out)
{
	struct rpc_sec *sec;
	int err = sec_create(mem_ctx, auth, type, level, &sec);

	if (err != 0) {
		return err;
	}
	if (!copy_identity(&sec->core->who, cred, target)) {
		talloc_free(sec);
		return ENOMEM;
	}
	sec->initiator = true;
	sec->core->initiator = true;
	*out = sec;
	return 0;
}

/* With SPNEGO both sides have used sequence number 0 for the mechListMIC and then restarted RC4. */
static void make_ntlm_keys(struct rpc_sec *sec)
{
	uint32_t first_seq = sec->type == RPC_AUTH_SPNEGO ? 1 : 0;
	uint8_t *key = sec->core->session_key;

	ntlm_seal_init(&sec->seal_out, key, sec->initiator, first_seq);
	ntlm_seal_init(&sec->seal_in, key, !sec->initiator, first_seq);
	explicit_bzero(key, NTLM_KEY_SIZE);
}

static int enter_complete(struct rpc_sec *sec)
{
	struct sec_core *core = sec->core;

	if (core->principal != NULL) {
		sec->principal = talloc_strdup(sec, core->principal);
		if (sec->principal == NULL) {
			return ENOMEM;
		}
	}
	if (core->mech == GSS_UTIL_NTLM && core->sig_size != 0) {
		make_ntlm_keys(sec);
	}
	sec->done = true;
	return 0;
}

/* Copy the results of the thread from core to the request and the context. */
static int take_result(struct rpc_sec *sec, struct step_state *state)
{
	struct sec_core *core = sec->core;

	snprintf(sec->error, sizeof(sec->error), "%s", core->error);
	if (core->err != 0) {
		return core->err;
	}
	if (core->out.length > 0) {
		state->out = talloc_memdup(state, core->out.value, core->out.length);
		if (state->out == NULL) {
			return ENOMEM;
		}
		state->out_len = core->out.length;
	}
	state->done = core->done;
	return core->done ? enter_complete(sec) : 0;
}

static void job_done(struct auth_job *job)
{
	struct sec_core *core = core_of_job(job);
	struct rpc_sec *sec = core->owner;
	struct tevent_req *req = sec->req;
	int err;

	sec->busy = false;
	err = take_result(sec, tevent_req_data(req, struct step_state));
	if (err != 0) {
		drop_core(sec);
		tevent_req_error(req, err);
		return;
	}
	tevent_req_done(req);
}

/* However a step ended: by its thread, or by timeout or free, which abandon the thread. */
static void step_cleanup(struct tevent_req *req, enum tevent_req_state req_state)
{
	struct step_state *state = tevent_req_data(req, struct step_state);
	struct rpc_sec *sec = state->sec;

	wheel_cancel(&state->timer);
	if (sec == NULL) {
		return;
	}
	state->sec = NULL;
	sec->req = NULL;
	if (sec->busy) {
		snprintf(sec->error, sizeof(sec->error), "the step took too long");
		drop_core(sec);
	}
}

static void step_timed_out(void *private_data)
{
	tevent_req_error(talloc_get_type_abort(private_data, struct tevent_req), ETIMEDOUT);
}

static int submit(struct rpc_sec *sec, const uint8_t *token, size_t token_len)
{
	struct sec_core *core = sec->core;

	if (core == NULL || sec->done) {
		return EPROTO;
	}
	if (token_len > SEC_TOKEN_MAX) {
		return EBADMSG;
	}
	if (token_len > 0) {
		core->in = malloc(token_len);
		if (core->in == NULL) {
			return ENOMEM;
		}
		memcpy(core->in, token, token_len);
		core->in_len = token_len;
	}
	core->job.run = job_run;
	core->job.done = job_done;
	core->job.discard = job_discard;
	return auth_pool_submit(rpc_auth_pool(sec->auth), &core->job);
}

struct tevent_req *rpc_sec_step_send(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
				     struct rpc_sec *sec, const uint8_t *token, size_t token_len)
{
	struct step_state *state;
	struct tevent_req *req = tevent_req_create(mem_ctx, &state, struct step_state);
	int err;

	if (req == NULL) {
		return NULL;
	}
	if (sec->req != NULL) {
		tevent_req_error(req, EBUSY);
		return tevent_req_post(req, ev);
	}
	state->sec = sec;
	sec->req = req;
	tevent_req_set_cleanup_fn(req, step_cleanup);
	tevent_req_defer_callback(req, ev);
	err = submit(sec, token, token_len);
	sec->busy = err == 0;
	if (err != 0) {
		snprintf(sec->error, sizeof(sec->error), "no step possible: %s", strerror(err));
		drop_core(sec);
		tevent_req_error(req, err);
		return tevent_req_post(req, ev);
	}
	wheel_arm(rpc_auth_wheel(sec->auth), &state->timer, STEP_TIMEOUT_SEC * UINT64_C(1000),
		  step_timed_out, req);
	return req;
}

int rpc_sec_step_recv(struct tevent_req *req, TALLOC_CTX *mem_ctx, uint8_t **out, size_t *out_len,
		      bool *done)
{
	struct step_state *state = tevent_req_data(req, struct step_state);
	int err = req_errno(req);

	if (err == 0) {
		*out = talloc_move(mem_ctx, &state->out);
		*out_len = state->out_len;
		*done = state->done;
	}
	tevent_req_received(req);
	return err;
}

const char *rpc_sec_error(const struct rpc_sec *sec)
{
	return sec->error;
}

bool rpc_sec_done(const struct rpc_sec *sec)
{
	return sec->done;
}

const char *rpc_sec_mech(const struct rpc_sec *sec)
{
	return sec->done && sec->core != NULL ? gss_util_mech_name(sec->core->mech) : "";
}

const char *rpc_sec_principal(const struct rpc_sec *sec)
{
	return sec->principal;
}

size_t rpc_sec_sig_size(const struct rpc_sec *sec)
{
	return sec->done && sec->core != NULL ? sec->core->sig_size : 0;
}
