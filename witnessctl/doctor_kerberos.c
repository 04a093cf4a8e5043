/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keytab, and the KDC: its clock, and whether its keys are those of the keytab. */
#include "witnessctl/doctor.h"

#include <errno.h>
#include <krb5.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SKEW_FAIL_S 300 /* of Kerberos itself; clients are refused beyond it */
#define SKEW_WARN_S 60

#define LOGONS_MAX  8 /* principals of a keytab that are tried */

struct kerberos {
	struct doctor *doctor;
	krb5_context ctx;
	krb5_keytab keytab;
	char name[256]; /* of the keytab */
	/* What the keytab has of the net names: "cifs/fs.example.com@REALM". */
	krb5_principal *services;
	size_t num_services;
	krb5_principal *others; /* may be allowed to log on: a machine account, say */
	size_t num_others;
};

static const char *error_text(const struct kerberos *k, krb5_error_code code)
{
	const char *text = krb5_get_error_message(k->ctx, code);
	const char *copy = talloc_strdup(k->doctor, text);

	krb5_free_error_message(k->ctx, text);
	return copy != NULL ? copy : "?";
}

static void kerberos_end(struct kerberos *k)
{
	for (size_t i = 0; i < k->num_services; i++) {
		krb5_free_principal(k->ctx, k->services[i]);
	}
	for (size_t i = 0; i < k->num_others; i++) {
		krb5_free_principal(k->ctx, k->others[i]);
	}
	talloc_free(k->services);
	talloc_free(k->others);
	if (k->keytab != NULL) {
		krb5_kt_close(k->ctx, k->keytab);
	}
	if (k->ctx != NULL) {
		krb5_free_context(k->ctx);
	}
}

/* @return 0 with the keytab open, or a code of Kerberos */
static krb5_error_code kerberos_begin(struct doctor *doctor, struct kerberos *k)
{
	const char *path = doctor_config(doctor, "auth.keytab");
	krb5_error_code code;

	*k = (struct kerberos){.doctor = doctor};
	code = krb5_init_context(&k->ctx);
	if (code == 0) {
		code = path[0] != '\0' ? krb5_kt_resolve(k->ctx, path, &k->keytab)
				       : krb5_kt_default(k->ctx, &k->keytab);
	}
	if (code == 0) {
		code = krb5_kt_get_name(k->ctx, k->keytab, k->name, sizeof(k->name));
	}
	return code;
}

static bool part_is(const krb5_data *part, const char *text)
{
	return part->length == strlen(text) && strncasecmp(part->data, text, part->length) == 0;
}

/* Whether a principal is SERVICE/NAME. */
static bool is_service(krb5_const_principal principal, const char *service, const char *name)
{
	return principal->length == 2 && part_is(&principal->data[0], service) &&
	       part_is(&principal->data[1], name);
}

static bool is_of_net_names(struct doctor *doctor, krb5_const_principal principal)
{
	const json_t *name;
	size_t i;

	json_array_foreach(doctor_net_names(doctor), i, name)
	{
		if (is_service(principal, "cifs", json_string_value(name))) {
			return true;
		}
	}
	return false;
}

/* Keep a principal once; each has several keys. */
static void keep(struct kerberos *k, krb5_const_principal principal, krb5_principal **list,
		 size_t *num)
{
	krb5_principal *longer;

	for (size_t i = 0; i < *num; i++) {
		if (krb5_principal_compare(k->ctx, (*list)[i], principal)) {
			return;
		}
	}
	longer = talloc_realloc(k->doctor, *list, krb5_principal, *num + 1);
	if (longer == NULL) {
		return;
	}
	*list = longer;
	if (krb5_copy_principal(k->ctx, principal, &longer[*num]) == 0) {
		(*num)++;
	}
}

static krb5_error_code read_keytab(struct kerberos *k)
{
	krb5_kt_cursor cursor;
	krb5_keytab_entry entry;
	krb5_error_code code = krb5_kt_start_seq_get(k->ctx, k->keytab, &cursor);

	if (code != 0) {
		return code;
	}
	while ((code = krb5_kt_next_entry(k->ctx, k->keytab, &entry, &cursor)) == 0) {
		if (is_of_net_names(k->doctor, entry.principal)) {
			keep(k, entry.principal, &k->services, &k->num_services);
		} else {
			keep(k, entry.principal, &k->others, &k->num_others);
		}
		krb5_free_keytab_entry_contents(k->ctx, &entry);
	}
	krb5_kt_end_seq_get(k->ctx, k->keytab, &cursor);
	return code == KRB5_KT_END ? 0 : code;
}

static bool has_service(const struct kerberos *k, const char *name)
{
	for (size_t i = 0; i < k->num_services; i++) {
		if (is_service(k->services[i], "cifs", name)) {
			return true;
		}
	}
	return false;
}

/* ---- keytab ---- */

static const char keytab_remedy[] =
	"put the keys there: net ads keytab add cifs (with kerberos method = secrets and keytab), "
	"or kadmin ktadd; auth.keytab names the file";

static void tell_names(const struct kerberos *k)
{
	struct doctor *doctor = k->doctor;
	const json_t *names = doctor_net_names(doctor), *name;
	size_t i;

	if (json_array_size(names) == 0) {
		doctor_tell(doctor, DOCTOR_WARN, NULL, "start witnessd, or set witness.net_names",
			    "the net names are not known");
	}
	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);

		if (has_service(k, text)) {
			doctor_tell(doctor, DOCTOR_OK, text, NULL, "%s has a key for cifs/%s",
				    k->name, text);
		} else if (k->num_services > 0) {
			doctor_tell(
				doctor, DOCTOR_WARN, text, keytab_remedy,
				"%s has no key for cifs/%s: clients that use this name cannot log "
				"on by Kerberos",
				k->name, text);
		} else {
			doctor_tell(doctor, DOCTOR_FAIL, text, keytab_remedy,
				    "%s has no key for cifs/%s, nor for any other net name",
				    k->name, text);
		}
	}
}

/* Whether Kerberos is of no interest here, which is told. */
static bool is_off(struct doctor *doctor)
{
	const char *text = doctor_config(doctor, "auth.kerberos");

	if (strcasecmp(text, "no") != 0 && strcasecmp(text, "false") != 0 &&
	    strcasecmp(text, "off") != 0 && strcmp(text, "0") != 0) {
		return false;
	}
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "auth.kerberos is off: nothing to check");
	return true;
}

/* Whether the keytab could be read; if not that is told. */
static bool opened(struct doctor *doctor, struct kerberos *k, enum doctor_verdict verdict)
{
	krb5_error_code code = kerberos_begin(doctor, k);

	if (code == 0) {
		code = read_keytab(k);
	}
	if (code != 0) {
		doctor_tell(doctor, verdict, NULL, keytab_remedy, "%s cannot be read: %s",
			    k->name[0] != '\0' ? k->name : "the keytab", error_text(k, code));
	}
	return code == 0;
}

void doctor_check_keytab(struct doctor *doctor)
{
	struct kerberos k;

	if (is_off(doctor)) {
		return;
	}
	if (opened(doctor, &k, DOCTOR_FAIL)) {
		tell_names(&k);
	}
	kerberos_end(&k);
}

/* ---- KDC ---- */

struct logon {
	krb5_error_code code;
	bool answered; /* by the KDC, at this time: */
	time_t kdc_time, our_time;
	krb5_creds creds; /* if code is 0 */
};

/* The time of a KDC that grants nothing stands in its error. */
static void take_error_time(struct kerberos *k, krb5_init_creds_context icc, struct logon *logon)
{
	krb5_error *reply = NULL;

	if (krb5_init_creds_get_error(k->ctx, icc, &reply) == 0 && reply != NULL) {
		logon->answered = true;
		logon->kdc_time = reply->stime;
		krb5_free_error(k->ctx, reply);
	}
}

/* Log on with a key of the keytab. The time is the KDC's, however that ends. */
static void log_on(struct kerberos *k, krb5_principal principal, struct logon *logon)
{
	krb5_init_creds_context icc = NULL;

	*logon = (struct logon){.our_time = time(NULL)};
	logon->code = krb5_init_creds_init(k->ctx, principal, NULL, NULL, 0, NULL, &icc);
	if (logon->code == 0) {
		logon->code = krb5_init_creds_set_keytab(k->ctx, icc, k->keytab);
	}
	if (logon->code == 0) {
		logon->code = krb5_init_creds_get(k->ctx, icc);
		take_error_time(k, icc, logon);
	}
	if (logon->code == 0) {
		logon->code = krb5_init_creds_get_creds(k->ctx, icc, &logon->creds);
	}
	if (logon->code == 0) {
		logon->answered = true;
		logon->kdc_time = logon->creds.times.authtime;
	}
	if (icc != NULL) {
		krb5_init_creds_free(k->ctx, icc);
	}
}

static bool is_wrong_key(krb5_error_code code)
{
	return code == KRB5KDC_ERR_PREAUTH_FAILED || code == KRB5KRB_AP_ERR_BAD_INTEGRITY ||
	       code == KRB5_KT_KVNONOTFOUND || code == KRB5_KT_NOTFOUND ||
	       code == KRB5KRB_AP_ERR_BADKEYVER || code == KRB5KRB_AP_ERR_NOKEY ||
	       code == KRB5KRB_AP_WRONG_PRINC;
}

static void tell_clock(struct doctor *doctor, const struct logon *logon)
{
	long long skew = (long long)logon->our_time - (long long)logon->kdc_time;
	const char *direction = skew < 0 ? "behind" : "ahead of";

	skew = skew < 0 ? -skew : skew;
	if (skew > SKEW_WARN_S) {
		doctor_tell(doctor, skew > SKEW_FAIL_S ? DOCTOR_FAIL : DOCTOR_WARN, "clock",
			    "let chrony or ntpd keep the clock, with the same source as the KDC's",
			    "%lld s %s the KDC's; tickets are refused beyond %d s", skew, direction,
			    SKEW_FAIL_S);
		return;
	}
	doctor_tell(doctor, DOCTOR_OK, "clock", NULL, "within %lld s of the KDC's", skew);
}

/* Whether a ticket for our service can be decrypted with the keytab, as a client's must be. */
static void try_service(struct kerberos *k, krb5_creds *creds, krb5_principal service)
{
	struct doctor *doctor = k->doctor;
	krb5_verify_init_creds_opt options;
	krb5_error_code code;
	char *name = NULL;

	if (krb5_unparse_name(k->ctx, service, &name) != 0) {
		return;
	}
	krb5_verify_init_creds_opt_init(&options);
	krb5_verify_init_creds_opt_set_ap_req_nofail(&options, 1);
	code = krb5_verify_init_creds(k->ctx, creds, service, k->keytab, NULL, &options);
	if (code == 0) {
		doctor_tell(doctor, DOCTOR_OK, name, NULL,
			    "a ticket of the KDC can be decrypted with the keytab");
	} else if (code == KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN) {
		doctor_tell(doctor, DOCTOR_FAIL, name,
			    "make it known: net ads setspn add, setspn -S on Windows, or kadmin "
			    "add_principal",
			    "the KDC does not know this service");
	} else if (is_wrong_key(code)) {
		doctor_tell(
			doctor, DOCTOR_FAIL, name,
			"the account's password has changed since: write the keytab anew (net ads "
			"keytab create, or kadmin ktadd)",
			"the keytab has another key than the KDC: %s", error_text(k, code));
	} else {
		doctor_tell(doctor, DOCTOR_WARN, name, "see the log of the KDC",
			    "no ticket to try the keytab with: %s", error_text(k, code));
	}
	krb5_free_unparsed_name(k->ctx, name);
}

/* The account whose logon failed may be one that never logs on: services of an Active Directory are such. */
static void tell_logon(struct kerberos *k, const struct logon *logon, krb5_principal principal)
{
	char *name = NULL;

	if (krb5_unparse_name(k->ctx, principal, &name) != 0) {
		return;
	}
	if (!logon->answered && !is_wrong_key(logon->code)) {
		doctor_tell(
			k->doctor, DOCTOR_WARN, NULL,
			"see krb5.conf and the DNS for the KDCs; clients that have a ticket can "
			"register all the same",
			"no KDC could be asked: %s", error_text(k, logon->code));
	} else if (is_wrong_key(logon->code)) {
		doctor_tell(
			k->doctor, DOCTOR_FAIL, name,
			"the account's password has changed since: write the keytab anew (net ads "
			"keytab create, or kadmin ktadd)",
			"the keytab has another key than the KDC: %s", error_text(k, logon->code));
	}
	krb5_free_unparsed_name(k->ctx, name);
}

/*
 * Log on with the first that works: machine accounts ("NODE$") and the like before our services. A wrong key
 * ends it, as does a silent KDC: more attempts would only count against the account.
 */
static bool find_logon(struct kerberos *k, struct logon *logon)
{
	size_t num = k->num_others + k->num_services;
	bool timed = false;

	for (size_t i = 0; i < num && i < LOGONS_MAX; i++) {
		krb5_principal principal =
			i < k->num_others ? k->others[i] : k->services[i - k->num_others];

		log_on(k, principal, logon);
		if (logon->answered && !timed) {
			tell_clock(k->doctor, logon);
			timed = true;
		}
		if (logon->code == 0) {
			return true;
		}
		if (!logon->answered || is_wrong_key(logon->code)) {
			tell_logon(k, logon, principal);
			return false;
		}
	}
	doctor_tell(k->doctor, DOCTOR_OK, NULL, NULL,
		    "no account of the keytab may log on, so that its keys could not be tried");
	return false;
}

static void ask_kdc(struct kerberos *k)
{
	struct logon logon;

	if (k->num_others + k->num_services == 0) {
		doctor_tell(k->doctor, DOCTOR_WARN, NULL, keytab_remedy,
			    "%s is empty: the KDC was not asked", k->name);
		return;
	}
	if (!find_logon(k, &logon)) {
		return;
	}
	for (size_t i = 0; i < k->num_services; i++) {
		try_service(k, &logon.creds, k->services[i]);
	}
	krb5_free_cred_contents(k->ctx, &logon.creds);
}

void doctor_check_kdc(struct doctor *doctor)
{
	struct kerberos k;

	if (is_off(doctor)) {
		return;
	}
	if (opened(doctor, &k, DOCTOR_WARN)) {
		ask_kdc(&k);
	}
	kerberos_end(&k);
}
