/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the daemon itself knows: configuration, cluster, nodes, clients. */
#include "witnessctl/doctor.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define ASK_LATE_S   5  /* a client asks again within milliseconds */
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
	time_t then;

	end = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	if (end == NULL || *end != '\0') {
		return -1;
	}
	then = timegm(&tm);
	return (long long)time(NULL) - (long long)then;
}

/* @return whether there was something to say */
static bool look_at_client(struct doctor *doctor, const json_t *client, long long age)
{
	const char *name = json_string_value(json_object_get(client, "client"));
	const char *state = json_string_value(json_object_get(client, "state"));
	long long keep_alive = json_integer_value(json_object_get(client, "keep_alive"));
	bool waits = state != NULL && strcmp(state, "requested notification") == 0;

	if (!waits && age > ASK_LATE_S) {
		doctor_tell(doctor, DOCTOR_FAIL, name,
			    "see whether the client hangs, or restart its SMB client service; "
			    "witnessctl force-unregister makes a living one register again",
			    "has not asked for notifications for %lld s, and is told nothing", age);
		return true;
	}
	if (waits && keep_alive > 0 && age > keep_alive + KEEP_ALIVE_S) {
		doctor_tell(doctor, DOCTOR_WARN, name,
			    "see whether the client is still there; a firewall between may have "
			    "forgotten the connection",
			    "asked last %lld s ago, but wants an answer each %lld s", age,
			    keep_alive);
		return true;
	}
	return false;
}

void doctor_check_clients(struct doctor *doctor)
{
	const json_t *client;
	long long oldest = 0;
	size_t i;
	bool bad = false;

	json_array_foreach(doctor->clients, i, client)
	{
		long long age = age_of(json_object_get(client, "last_used"));

		oldest = age > oldest ? age : oldest;
		bad |= look_at_client(doctor, client, age);
	}
	if (bad) {
		return;
	}
	if (json_array_size(doctor->clients) == 0) {
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
			    "nobody is registered with this node's witness");
		return;
	}
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
		    "%zu clients wait for notifications; each has asked within the last %lld s",
		    json_array_size(doctor->clients), oldest);
}
