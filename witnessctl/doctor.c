/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "witnessctl/remote.h"
#include "witnessctl/table.h"
#include "witnessd/control/control.h"
#include "witnessd/options.h"
#include "witnessd/util/fileio.h"
#include "witnessd/util/log.h"

#define OUTPUT_MAX (1024 * 1024)

static const struct check {
	const char *name;
	void (*fn)(struct doctor *doctor);
	bool needs_daemon;
	const char *help;
} checks[] = {
	{"config", doctor_check_config, false, "witnessd.conf is valid"},
	{"daemon", doctor_check_daemon, false, "witnessd runs and answers"},
	{"cluster", doctor_check_cluster, true, "the backend is connected, with quorum"},
	{"nodes", doctor_check_nodes, true, "two nodes at least have a usable interface"},
	{"ports", doctor_check_ports, true, "each interface's ports can be reached from here"},
	{"firewall", doctor_check_firewall, false, "this node's packet filter lets clients in"},
	{"keytab", doctor_check_keytab, false, "the keytab has keys for the net names"},
	{"kdc", doctor_check_kdc, false, "clock and keys agree with the KDC's"},
	{"shares", doctor_check_shares, false, "smb.conf announces what clients look for"},
	{"clients", doctor_check_clients, true, "who has registered asks for notifications"},
};

#define NUM_CHECKS (sizeof(checks) / sizeof(checks[0]))

static const char *const verdict_names[] = {"ok", "warn", "fail"};

/* ---- results ---- */

void doctor_tell(struct doctor *doctor, enum doctor_verdict verdict, const char *subject,
		 const char *remedy, const char *fmt, ...)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *message;
	va_list ap;

	va_start(ap, fmt);
	message = talloc_vasprintf(tmp, fmt, ap);
	va_end(ap);
	json_array_append_new(doctor->results,
			      json_pack("{s:s, s:s, s:o, s:o, s:o}", "check", doctor->check,
					"verdict", verdict_names[verdict], "subject",
					text_json(subject), "message", text_json(message), "remedy",
					text_json(remedy)));
	doctor->num[verdict]++;
	talloc_free(tmp);
}

/* Results are told as soon as a check is through: some take their time. Names come from clients. */
static void print_results(const struct doctor *doctor, size_t from)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (size_t i = from; i < json_array_size(doctor->results); i++) {
		const json_t *result = json_array_get(doctor->results, i);
		const json_t *subject = json_object_get(result, "subject");
		const json_t *remedy = json_object_get(result, "remedy");
		const char *verdict = json_string_value(json_object_get(result, "verdict"));
		bool about = json_is_string(subject);

		printf("%-4s  %-8s  %s%s%s\n", strcmp(verdict, "fail") == 0 ? "FAIL" : verdict,
		       table_cell(tmp, json_object_get(result, "check")),
		       about ? table_cell(tmp, subject) : "", about ? ": " : "",
		       table_cell(tmp, json_object_get(result, "message")));
		if (json_is_string(remedy)) {
			printf("%16s-> %s\n", "", table_cell(tmp, remedy));
		}
	}
	fflush(stdout);
	talloc_free(tmp);
}

static int finish(struct doctor *doctor)
{
	bool failed = doctor->num[DOCTOR_FAIL] > 0;

	if (doctor->ctl->json) {
		json_t *all =
			json_pack("{s:O, s:O?, s:i, s:i, s:i, s:s}", "checks", doctor->results,
				  "clients", doctor->asked, "ok", (int)doctor->num[DOCTOR_OK],
				  "warnings", (int)doctor->num[DOCTOR_WARN], "failures",
				  (int)doctor->num[DOCTOR_FAIL], "verdict",
				  failed                         ? "fail"
				  : doctor->num[DOCTOR_WARN] > 0 ? "warn"
								 : "ok");

		ctl_print_json(all);
		json_decref(all);
	} else {
		printf("%u ok, %u warnings, %u failures\n", doctor->num[DOCTOR_OK],
		       doctor->num[DOCTOR_WARN], doctor->num[DOCTOR_FAIL]);
	}
	return failed ? CTL_FAILED : CTL_OK;
}

/* ---- what checks ask for ---- */

const json_t *doctor_status(const struct doctor *doctor, const char *path)
{
	return doctor->status != NULL ? json_at(doctor->status, path) : NULL;
}

const char *doctor_config(const struct doctor *doctor, const char *key)
{
	const char *text = json_string_value(json_object_get(doctor->daemon_config, key));

	if (text != NULL) {
		return text;
	}
	if (doctor->config != NULL) {
		return config_text(doctor->config, key);
	}
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if (strcmp(k->name, key) == 0) {
			return k->def;
		}
	}
	return "";
}

/* Add a name, unless it is there in whatever case. */
static void add_name(json_t *list, const char *name, size_t len)
{
	const json_t *known;
	char *copy;
	size_t i;

	json_array_foreach(list, i, known)
	{
		if (json_string_length(known) == len &&
		    strncasecmp(json_string_value(known), name, len) == 0) {
			return;
		}
	}
	copy = talloc_strndup(NULL, name, len);
	json_array_append_new(list, text_json(copy));
	talloc_free(copy);
}

static void add_names(json_t *list, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (json_is_string(name)) {
			add_name(list, json_string_value(name), json_string_length(name));
		}
	}
}

const json_t *doctor_net_names(struct doctor *doctor)
{
	const char *text = doctor_config(doctor, "witness.net_names");
	const json_t *address;
	size_t i;

	if (doctor->net_names != NULL) {
		return doctor->net_names;
	}
	doctor->net_names = json_array();
	add_names(doctor->net_names, doctor_status(doctor, "net_names"));
	json_array_foreach(doctor_status(doctor, "cluster.addresses"), i, address)
	{
		add_names(doctor->net_names, json_object_get(address, "net_names"));
	}
	while (doctor->status == NULL && *(text += strspn(text, " ,")) != '\0') {
		size_t len = strcspn(text, " ,");

		add_name(doctor->net_names, text, len);
		text += len;
	}
	return doctor->net_names;
}

uint16_t doctor_epm_port(const struct doctor *doctor)
{
	return (uint16_t)strtoul(doctor_config(doctor, "rpc.epmapper_port"), NULL, 10);
}

uint16_t doctor_witness_port(const struct doctor *doctor)
{
	const json_t *port = doctor_status(doctor, "rpc.port");

	return port != NULL ? (uint16_t)json_integer_value(port)
			    : (uint16_t)strtoul(doctor_config(doctor, "rpc.port"), NULL, 10);
}

int doctor_output_of(TALLOC_CTX *mem_ctx, const char *command, char **text)
{
	FILE *f = popen(command, "re"); /* commands of ours: nothing of a peer is in them */
	char *out = NULL;
	size_t len = 0;
	int err, status;

	if (f == NULL) {
		return errno;
	}
	err = fileio_read(mem_ctx, fileno(f), OUTPUT_MAX, &out, &len);
	status = pclose(f);
	if (err == 0 && status != 0) {
		talloc_free(out);
		return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? ENOENT : EIO;
	}
	if (err == 0) {
		*text = out;
	}
	return err;
}

/* ---- the beginning ---- */

/* @return 0, or the error of the control socket with *why set */
static int ask_daemon(struct doctor *doctor, const char *request, json_t **result, char **why)
{
	json_t *json = json_loads(request, 0, NULL);
	int err = json == NULL ? ENOMEM
			       : control_call(doctor, doctor->ctl->socket, json,
					      doctor->ctl->timeout_ms, result, why);

	json_decref(json);
	return err;
}

/* @return -1 to go on, or an exit code */
static int gather(struct doctor *doctor)
{
	char *why = NULL;
	int err = ask_daemon(doctor, "{\"command\": \"status\"}", &doctor->status, &why);

	if (err == EACCES) {
		fprintf(stderr, "witnessctl doctor: %s\n", why);
		return CTL_USAGE;
	}
	if (err == 0) {
		err = ask_daemon(doctor, "{\"command\": \"interfaces\"}", &doctor->interfaces,
				 &why);
	}
	if (err == 0) {
		err = ask_daemon(doctor, "{\"command\": \"list\", \"select\": {\"local\": true}}",
				 &doctor->clients, &why);
	}
	if (err == 0 &&
	    ask_daemon(doctor, "{\"command\": \"config\"}", &doctor->daemon_config, &why) != 0) {
		err = ENOTSUP;
		why = talloc_strdup(doctor, "witnessd is another version than witnessctl");
	}
	if (err != 0) {
		json_decref(doctor->status);
		doctor->status = NULL;
		doctor->no_daemon = why != NULL ? why : strerror(err);
	}
	if (doctor->daemon_config == NULL) {
		doctor->daemon_config = json_object();
	}
	return -1;
}

static int doctor_destructor(struct doctor *doctor)
{
	json_decref(doctor->status);
	json_decref(doctor->interfaces);
	json_decref(doctor->clients);
	json_decref(doctor->daemon_config);
	json_decref(doctor->net_names);
	json_decref(doctor->results);
	json_decref(doctor->asked);
	return 0;
}

/* ---- the command ---- */

enum { OPT_CONFIG = 256, OPT_HELP };

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static int print_help(void)
{
	puts("usage: witnessctl doctor [--config FILE] [CHECK...]\n\n"
	     "Check on this node what usually keeps clients from registering, and say how to mend "
	     "it.\nWithout a CHECK all of them:\n");
	for (size_t i = 0; i < NUM_CHECKS; i++) {
		printf("  %-10s %s\n", checks[i].name, checks[i].help);
	}
	puts("\n  --config FILE  witnessd.conf to look at (default " CONFIG_DEFAULT_PATH ")");
	return CTL_OK;
}

/* @return -1 to go on, or an exit code */
static int parse(struct doctor *doctor, int argc, const char **argv, bool wanted[NUM_CHECKS])
{
	const struct remote remote = {.command = "doctor"};
	int opt;

	optind = 0; /* the program's own options have been read before */
	opterr = 1;
	while ((opt = getopt_long(argc, (char *const *)argv, "", long_options, NULL)) != -1) {
		switch (opt) {
		case OPT_CONFIG:
			doctor->config_path = optarg;
			doctor->config_required = true;
			break;
		case OPT_HELP:
			return print_help();
		default:
			fputs("Try: witnessctl doctor --help\n", stderr);
			return CTL_USAGE;
		}
	}
	for (size_t i = 0; i < NUM_CHECKS; i++) {
		wanted[i] = optind == argc;
	}
	for (int a = optind; a < argc; a++) {
		size_t i = 0;

		while (i < NUM_CHECKS && strcmp(checks[i].name, argv[a]) != 0) {
			i++;
		}
		if (i == NUM_CHECKS) {
			return remote_usage(&remote, "%s is not a check; try --help", argv[a]);
		}
		wanted[i] = true;
	}
	return -1;
}

static void run_checks(struct doctor *doctor, const bool wanted[NUM_CHECKS])
{
	bool told = false;

	for (size_t i = 0; i < NUM_CHECKS; i++) {
		const struct check *check = &checks[i];
		size_t before = json_array_size(doctor->results);

		if (!wanted[i]) {
			continue;
		}
		doctor->check = check->name;
		if (check->needs_daemon && doctor->status == NULL) {
			/* Once is enough. */
			if (!told) {
				doctor->check = "daemon";
				doctor_check_daemon(doctor);
			}
			told = true;
		} else {
			check->fn(doctor);
			told = told || check->fn == doctor_check_daemon;
		}
		if (!doctor->ctl->json) {
			print_results(doctor, before);
		}
	}
}

int cmd_doctor(struct ctl *ctl, int argc, const char **argv)
{
	struct doctor *doctor = talloc_zero(ctl->mem_ctx, struct doctor);
	bool wanted[NUM_CHECKS];
	int ret;

	if (doctor == NULL || (doctor->ev = tevent_context_init(doctor)) == NULL) {
		fputs("witnessctl: out of memory\n", stderr);
		return CTL_USAGE;
	}
	doctor->ctl = ctl;
	doctor->config_path = CONFIG_DEFAULT_PATH;
	doctor->results = json_array();
	talloc_set_destructor(doctor, doctor_destructor);
	ret = parse(doctor, argc, argv, wanted);
	ret = ret < 0 ? gather(doctor) : ret;
	if (ret < 0) {
		char *why = NULL;

		/* A bad file is the business of a check; the others take the defaults then. */
		(void)config_load(doctor, doctor->config_path, doctor->config_required, NULL,
				  &doctor->config, &why);
		run_checks(doctor, wanted);
		ret = finish(doctor);
	}
	talloc_free(doctor);
	return ret;
}
