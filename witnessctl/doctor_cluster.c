/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the daemon itself knows: configuration, cluster, nodes, clients. */
#include "witnessctl/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "witnessd/util/text_append.h"

#define ASK_LATE_S   5  /* a client asks again within milliseconds */
#define NAMED_GOOD   3  /* clients in a line about all of them */
#define NAMED_BAD    20 /* with a line of their own, for each verdict */
#define KEEP_ALIVE_S 60 /* beyond its own time Windows waits so long */

void doctor_check_config(struct doctor *doctor)
{
	struct config *config = NULL;
	char *why = NULL;
	int err = config_load(doctor, doctor->config_path, doctor->config_required, NULL, &config,
			      &why);

	if (err != 0) {
		doctor_tell(doctor, DOCTOR_FAIL, NULL,
			    "mend it; witnessd --check says whether it is valid now", "%s",
			    why != NULL ? why : strerror(err));
		return;
	}
	talloc_free(config);
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "%s is valid", doctor->config_path);
}

void doctor_check_daemon(struct doctor *doctor)
{
	if (doctor->status == NULL) {
		doctor_tell(doctor, DOCTOR_FAIL, NULL,
			    "start it (systemctl start witnessd, or the cluster's resource) and "
			    "see what it logs",
			    "%s", doctor->no_daemon);
		return;
	}
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "witnessd %s, process %lld",
		    json_string_value(doctor_status(doctor, "version")),
		    (long long)json_integer_value(doctor_status(doctor, "pid")));
}

void doctor_check_cluster(struct doctor *doctor)
{
	const char *backend = json_string_value(doctor_status(doctor, "cluster.backend"));

	if (json_is_true(doctor_status(doctor, "cluster.stale")) ||
	    json_array_size(doctor_status(doctor, "cluster.nodes")) == 0) {
		doctor_tell(
			doctor, DOCTOR_FAIL, NULL,
			"start the cluster manager on this node; see the log of witnessd for what "
			"it cannot reach",
			"the backend %s has no connection: clients are not told of any change",
			backend);
		return;
	}
	if (!json_is_true(doctor_status(doctor, "cluster.quorate"))) {
		doctor_tell(doctor, DOCTOR_FAIL, NULL,
			    "bring nodes back until the cluster has quorum",
			    "%s: no quorum: clients are not told that other nodes' addresses fail",
			    backend);
		return;
	}
	if (!json_is_true(doctor_status(doctor, "cluster.peers.joined"))) {
		doctor_tell(doctor, DOCTOR_WARN, NULL,
			    "see the log of witnessd for what keeps it from the others",
			    "%s: the other nodes' witnesses cannot be reached", backend);
		return;
	}
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "%s: connected, with quorum", backend);
}

/* ---- nodes ---- */

/* An interface's group is the node that has it. @return how many nodes have one that can be used */
static size_t count_nodes(const struct doctor *doctor)
{
	json_t *nodes = json_object();
	const json_t *entry;
	size_t i, num;

	json_array_foreach(doctor->interfaces, i, entry)
	{
		const char *state = json_string_value(json_object_get(entry, "state"));
		const char *group = json_string_value(json_object_get(entry, "group"));

		if (state != NULL && group != NULL && strcmp(state, "available") == 0) {
			json_object_set_new(nodes, group, json_true());
		}
	}
	num = json_object_size(nodes);
	json_decref(nodes);
	return num;
}

void doctor_check_nodes(struct doctor *doctor)
{
	size_t num = count_nodes(doctor);

	if (num >= 2) {
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "%zu nodes have usable interfaces", num);
		return;
	}
	doctor_tell(
		doctor, DOCTOR_FAIL, NULL,
		"have a floating address on each node, or offer the nodes' own addresses by "
		"witness.fixed_addresses = yes",
		"%zu of %zu interfaces are available, on %zu node%s: a client needs a witness on "
		"another node than the one it uses",
		num == 0 ? 0 : json_array_size(doctor->interfaces),
		json_array_size(doctor->interfaces), num, num == 1 ? "" : "s");
}

/* ---- clients ---- */

/* Seconds since a time as the daemon writes it; -1 when it is none. */
static long long age_of(const json_t *value)
{
	const char *text = json_string_value(value), *end;
	struct tm tm = {0};
	time_t then, now;

	end = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	if (end == NULL || *end != '\0') {
		return -1;
	}
	then = timegm(&tm);
	now = time(NULL);
	return now > then ? (long long)now - (long long)then : 0; /* the clock may have been set */
}

/* One of our own array: what is known of the client, and for how many seconds it has not asked; null: not known. */
static json_t *asked_json(const json_t *client)
{
	static const char *const keys[] = {"handle",   "client", "client_address",
					   "net_name", "share",  "state"};
	long long age = age_of(json_object_get(client, "last_used"));
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)json_object_set(json, keys[i], json_object_get(client, keys[i]));
	}
	(void)json_object_set_new(json, "seconds", age >= 0 ? json_integer(age) : json_null());
	(void)json_object_set(json, "keep_alive", json_object_get(client, "keep_alive"));
	return json;
}

static long long seconds_of(const json_t *asked)
{
	return json_integer_value(json_object_get(asked, "seconds"));
}

static int longest_first(const void *a, const void *b)
{
	long long x = seconds_of(*(json_t *const *)a), y = seconds_of(*(json_t *const *)b);

	return (x < y) - (x > y);
}

/* @return a new array; NULL when memory is short */
static json_t *asked_list(const json_t *clients)
{
	size_t num = json_array_size(clients);
	json_t **sorted = talloc_array(NULL, json_t *, num + 1), *list = json_array();

	for (size_t i = 0; sorted != NULL && i < num; i++) {
		sorted[i] = asked_json(json_array_get(clients, i));
	}
	if (sorted == NULL) {
		json_decref(list);
		return NULL;
	}
	qsort(sorted, num, sizeof(sorted[0]), longest_first);
	for (size_t i = 0; i < num; i++) {
		(void)json_array_append_new(list, sorted[i]);
	}
	talloc_free(sorted);
	return list;
}

static enum doctor_verdict verdict_on(const json_t *asked)
{
	const char *state = json_string_value(json_object_get(asked, "state"));
	long long keep_alive = json_integer_value(json_object_get(asked, "keep_alive"));
	bool waits = state != NULL && strcmp(state, "requested notification") == 0;

	if (!waits) {
		return seconds_of(asked) > ASK_LATE_S ? DOCTOR_FAIL : DOCTOR_OK;
	}
	return keep_alive > 0 && seconds_of(asked) > keep_alive + KEEP_ALIVE_S ? DOCTOR_WARN
									       : DOCTOR_OK;
}

static void tell_of_client(struct doctor *doctor, const json_t *asked, enum doctor_verdict verdict)
{
	const char *name = json_string_value(json_object_get(asked, "client"));

	if (verdict == DOCTOR_FAIL) {
		doctor_tell(doctor, DOCTOR_FAIL, name,
			    "see whether the client hangs, or restart its SMB client service; "
			    "witnessctl force-unregister makes a living one register again",
			    "has not asked for notifications for %lld s, and is told nothing",
			    seconds_of(asked));
	} else {
		doctor_tell(doctor, DOCTOR_WARN, name,
			    "see whether the client is still there; a firewall between may have "
			    "forgotten the connection",
			    "asked last %lld s ago, but wants an answer each %lld s",
			    seconds_of(asked),
			    (long long)json_integer_value(json_object_get(asked, "keep_alive")));
	}
}

/* The longest first, and not all: there may be thousands. @return whether there was something to say */
static bool tell_of_clients(struct doctor *doctor)
{
	size_t num[DOCTOR_FAIL + 1] = {0}, i;
	const json_t *asked;

	json_array_foreach(doctor->asked, i, asked)
	{
		enum doctor_verdict verdict = verdict_on(asked);

		if (verdict != DOCTOR_OK && num[verdict]++ < NAMED_BAD) {
			tell_of_client(doctor, asked, verdict);
		}
	}
	for (int verdict = DOCTOR_WARN; verdict <= DOCTOR_FAIL; verdict++) {
		if (num[verdict] > NAMED_BAD) {
			doctor_tell(doctor, (enum doctor_verdict)verdict, NULL,
				    "witnessctl --json doctor clients has all of them",
				    "the same of %zu other clients", num[verdict] - NAMED_BAD);
		}
	}
	return num[DOCTOR_WARN] + num[DOCTOR_FAIL] > 0;
}

/* "a 7 s, b 5 s" */
static char *longest(TALLOC_CTX *mem_ctx, const json_t *list)
{
	char *text = talloc_strdup(mem_ctx, "");
	const json_t *asked;
	size_t i;

	json_array_foreach(list, i, asked)
	{
		if (i == NAMED_GOOD) {
			break;
		}
		text = text_append(text, "%s%s %lld s", i == 0 ? "" : ", ",
				   json_string_value(json_object_get(asked, "client")),
				   seconds_of(asked));
	}
	return text;
}

void doctor_check_clients(struct doctor *doctor)
{
	char *names;

	doctor->asked = asked_list(doctor->clients);
	if (tell_of_clients(doctor)) {
		return;
	}
	if (json_array_size(doctor->clients) == 0) {
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
			    "nobody is registered with this node's witness");
		return;
	}
	names = longest(doctor, doctor->asked);
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
		    "%zu clients wait for notifications; who asked longest ago: %s",
		    json_array_size(doctor->clients), names != NULL ? names : "");
	talloc_free(names);
}
