/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <krb5.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/rpc/auth_private.h"
#include "witnessd/util/log.h"
#include "witnessd/util/secret.h"

/* Acquiring the credentials again, on a thread, because the keytab has changed. */
struct reload {
	struct auth_job job;
	struct rpc_auth *auth;
	char *keytab;
	bool krb5;
	bool ntlm;
	struct auth_creds *creds; /* the result */
};

struct rpc_auth {
	struct auth_pool *pool;
	struct wheel *wheel;      /* for the time limits of steps */
	struct auth_creds *creds; /* NULL: only a client */
	char *keytab;             /* as passed to GSSAPI, or NULL for its default */
	struct secret *file;      /* the keytab; NULL when it is no file */
	struct secret *users;     /* for NTLM; NULL: none */
	bool krb5;
	bool ntlm;
	bool stale;            /* the keytab has changed since the credentials were acquired */
	struct reload *reload; /* under way */
};

/* @return the name of the keytab with its type, e.g. "FILE:/etc/krb5.keytab", or NULL */
static char *default_keytab(TALLOC_CTX *mem_ctx)
{
	char name[1024] = "", *copy = NULL;
	krb5_context ctx;

	if (krb5_init_context(&ctx) != 0) {
		return NULL;
	}
	if (krb5_kt_default_name(ctx, name, sizeof(name)) == 0) {
		copy = talloc_strdup(mem_ctx, name);
	}
	krb5_free_context(ctx);
	return copy;
}

/* The file behind a keytab's name; NULL for a keytab that is no file. */
static char *keytab_file(TALLOC_CTX *mem_ctx, const char *name)
{
	static const char *const types[] = {"FILE:", "WRFILE:"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strncmp(name, types[i], strlen(types[i])) == 0) {
			return talloc_strdup(mem_ctx, name + strlen(types[i]));
		}
	}
	return name[0] == '/' ? talloc_strdup(mem_ctx, name) : NULL;
}

char *rpc_auth_keytab_file(TALLOC_CTX *mem_ctx, const char *keytab)
{
	char *name = keytab[0] != '\0' ? NULL : default_keytab(mem_ctx);
	char *file = name != NULL || keytab[0] != '\0'
			     ? keytab_file(mem_ctx, name != NULL ? name : keytab)
			     : NULL;

	talloc_free(name);
	return file;
}

static const char *keytab_name(const struct rpc_auth *auth)
{
	if (auth->file != NULL) {
		return secret_file(auth->file);
	}
	return auth->keytab != NULL ? auth->keytab : "the default keytab";
}

static void log_creds(const struct rpc_auth *auth, const struct auth_creds *creds)
{
	if (creds->why_krb5[0] != '\0') {
		log_warn("Kerberos is not offered: %s: %s", keytab_name(auth), creds->why_krb5);
	}
	if (creds->why_ntlm[0] != '\0') {
		log_warn("NTLM is not offered: %s", creds->why_ntlm);
	}
	if (creds->why_spnego[0] != '\0') {
		log_warn("SPNEGO is not offered: %s", creds->why_spnego);
	}
	if (creds->spnego != GSS_C_NO_CREDENTIAL) {
		log_notice("Clients can authenticate by %s%s%s",
			   creds->krb5 != GSS_C_NO_CREDENTIAL ? "Kerberos" : "",
			   creds->krb5 != GSS_C_NO_CREDENTIAL && creds->ntlm != GSS_C_NO_CREDENTIAL
				   ? " and "
				   : "",
			   creds->ntlm != GSS_C_NO_CREDENTIAL ? "NTLM" : "");
	}
}

static struct reload *reload_of_job(struct auth_job *job)
{
	return (struct reload *)((char *)job - offsetof(struct reload, job));
}

static void reload_run(struct auth_job *job)
{
	struct reload *r = reload_of_job(job);

	r->creds = auth_creds_acquire(r->keytab, r->krb5, r->ntlm);
}

static void reload_discard(struct auth_job *job)
{
	struct reload *r = reload_of_job(job);

	auth_creds_unref(r->creds);
	free(r->keytab);
	free(r);
}

/*
 * Credentials read the keytab anew for each client: with those from before Kerberos goes on with whatever
 * has a key by then, and whoever came in between would be told for good that it is not offered.
 */
static bool lost_krb5(const struct auth_creds *before, const struct auth_creds *now)
{
	return before->krb5 != GSS_C_NO_CREDENTIAL && now->krb5 == GSS_C_NO_CREDENTIAL;
}

static void reload_done(struct auth_job *job)
{
	struct reload *r = reload_of_job(job);
	struct rpc_auth *auth = r->auth;

	auth->reload = NULL;
	if (r->creds == NULL) {
		auth->stale = true; /* short of memory: retried with the next acceptor */
	} else if (lost_krb5(auth->creds, r->creds)) {
		log_warn("Kerberos fails until the keytab has a key: %s: %s", keytab_name(auth),
			 r->creds->why_krb5);
	} else {
		log_notice("Acceptor credentials read again: %s has changed", keytab_name(auth));
		log_creds(auth, r->creds);
		auth_creds_unref(auth->creds);
		auth->creds = auth_creds_ref(r->creds);
	}
	reload_discard(job);
}

/* Until this is done acceptors use the present credentials. @return whether it was started */
static bool reload_start(struct rpc_auth *auth)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		return false;
	}
	r->job.run = reload_run;
	r->job.done = reload_done;
	r->job.discard = reload_discard;
	r->auth = auth;
	r->krb5 = auth->krb5;
	r->ntlm = auth->ntlm;
	r->keytab = auth->keytab == NULL ? NULL : strdup(auth->keytab);
	if ((auth->keytab != NULL && r->keytab == NULL) ||
	    auth_pool_submit(auth->pool, &r->job) != 0) {
		reload_discard(&r->job);
		return false;
	}
	auth->reload = r;
	return true;
}

static void look_at_keytab(struct rpc_auth *auth)
{
	if (!auth->krb5 || auth->file == NULL || auth->reload != NULL) {
		return;
	}
	auth->stale = secret_changed(auth->file) || auth->stale;
	if (auth->stale && reload_start(auth)) {
		auth->stale = false;
	}
}

static int auth_destructor(struct rpc_auth *auth)
{
	if (auth->reload != NULL) {
		auth_job_abandon(&auth->reload->job);
	}
	TALLOC_FREE(auth->pool);
	auth_creds_unref(auth->creds);
	return 0;
}

/* gss-ntlmssp is configured by the environment, which is safe to change only while there are no threads. */
static void set_environment(const struct rpc_auth *auth, const struct rpc_auth_config *config)
{
	if (auth->users != NULL) {
		setenv("NTLM_USER_FILE", secret_name(auth->users), 1);
	}
	if (config->netbios_name != NULL) {
		setenv("NETBIOS_COMPUTER_NAME", config->netbios_name, 1);
	}
	if (config->netbios_domain != NULL) {
		setenv("NETBIOS_DOMAIN_NAME", config->netbios_domain, 1);
	}
	setenv("LM_COMPAT_LEVEL", "5", 0); /* NTLMv2 only, unless the environment says otherwise */
}

static int set_keytab(struct rpc_auth *auth, const char *keytab)
{
	char *name = keytab != NULL ? talloc_strdup(auth, keytab) : default_keytab(auth);
	char *path = name != NULL ? keytab_file(auth, name) : NULL;
	int err;

	if (keytab != NULL && name == NULL) {
		return ENOMEM;
	}
	auth->keytab = keytab != NULL ? name : NULL;
	if (path == NULL || !auth->krb5) {
		return 0;
	}
	err = secret_create(auth, path, &auth->file);
	if (err == 0 && strcmp(secret_name(auth->file), path) != 0) {
		auth->keytab = talloc_asprintf(auth, "FILE:%s", secret_name(auth->file));
		err = auth->keytab != NULL ? 0 : ENOMEM;
	}
	return err;
}

static int acquire(struct rpc_auth *auth, const struct rpc_auth_config *config)
{
	int err = 0;

	if (config->ntlm_user_file != NULL) {
		err = secret_create(auth, config->ntlm_user_file, &auth->users);
	}
	set_environment(auth, config);
	auth->krb5 = config->krb5;
	auth->ntlm = config->ntlm;
	if (err == 0) {
		err = set_keytab(auth, config->keytab);
	}
	if (err != 0) {
		return err;
	}
	auth->creds = auth_creds_acquire(auth->keytab, auth->krb5, auth->ntlm);
	if (auth->creds == NULL) {
		return ENOMEM;
	}
	log_creds(auth, auth->creds);
	return 0;
}

int rpc_auth_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev,
		    const struct rpc_auth_config *config, struct rpc_auth **out)
{
	struct rpc_auth *auth = talloc_zero(mem_ctx, struct rpc_auth);
	int err = 0;

	if (auth == NULL) {
		return ENOMEM;
	}
	talloc_set_destructor(auth, auth_destructor);
	if (config != NULL) {
		err = acquire(auth, config);
	}
	if (err == 0) {
		err = wheel_create(auth, ev, NULL, NULL, &auth->wheel);
	}
	if (err == 0) {
		err = auth_pool_create(auth, ev, config == NULL ? 0 : config->threads, &auth->pool);
	}
	if (err != 0) {
		talloc_free(auth);
		return err;
	}
	*out = auth;
	return 0;
}

struct auth_pool *rpc_auth_pool(struct rpc_auth *auth)
{
	return auth->pool;
}

struct wheel *rpc_auth_wheel(struct rpc_auth *auth)
{
	return auth->wheel;
}

struct auth_creds *rpc_auth_creds(struct rpc_auth *auth)
{
	if (auth->creds != NULL) {
		look_at_keytab(auth);
		if (auth->users != NULL) {
			(void)secret_changed(auth->users); /* gss-ntlmssp reads it each time */
		}
	}
	return auth->creds;
}

bool rpc_auth_offers(const struct rpc_auth *auth, uint8_t type)
{
	const struct auth_creds *creds = auth->creds;

	if (creds == NULL) {
		return false;
	}
	switch (type) {
	case RPC_AUTH_SPNEGO:
		return creds->spnego != GSS_C_NO_CREDENTIAL;
	case RPC_AUTH_NTLM:
		return creds->ntlm != GSS_C_NO_CREDENTIAL;
	case RPC_AUTH_KRB5:
		return creds->krb5 != GSS_C_NO_CREDENTIAL;
	default:
		return false;
	}
}
