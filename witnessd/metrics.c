/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/metrics.h"

#include <stdint.h>
#include <string.h>

#include "witnessd/util/text_append.h"
#include "witnessd/util/text_json.h"

/* A number, or an object of numbers whose keys become a label. */
static const struct {
	const char *name, *type, *path;
	const char *label; /* NULL: a number */
	const char *help;
} metrics[] = {
	{"witnessd_uptime_seconds", "gauge", "uptime", NULL, "Time since the start."},
	{"witnessd_connections", "gauge", "rpc.stats.connections", NULL, "Open RPC connections."},
	{"witnessd_connections_accepted_total", "counter", "rpc.stats.accepted", NULL,
	 "RPC connections that were accepted."},
	{"witnessd_connections_refused_total", "counter", "rpc.stats.refused", NULL,
	 "RPC connections that were refused."},
	{"witnessd_connections_unauthenticated", "gauge", "rpc.stats.unauthenticated", NULL,
	 "Open RPC connections that have not finished authentication."},
	{"witnessd_connections_waiting", "gauge", "rpc.stats.waiting", NULL,
	 "RPC connections that wait for a place of an unauthenticated one."},
	{"witnessd_rpc_calls_pending", "gauge", "rpc.stats.calls", NULL,
	 "RPC calls that have not been answered."},
	{"witnessd_rpc_buffered_bytes", "gauge", "rpc.stats.buffered", NULL,
	 "Memory of incomplete requests and unread answers."},
	{"witnessd_limit", "gauge", "limits", "limit",
	 "The limits in force, of those that are numbers."},
	{"witnessd_limited_total", "counter", "limited", "limit",
	 "Times that a limit has refused, closed or delayed somebody."},
	{"witnessd_peer_messages_refused_total", "counter", "cluster.peers.refused", NULL,
	 "Messages of other witnesses that could not be taken."},
	{"witnessd_rpc_calls_total", "counter", "rpc.stats.calls_in", NULL, "RPC calls."},
	{"witnessd_rpc_faults_total", "counter", "rpc.stats.faults", NULL,
	 "RPC calls that were answered with a fault."},
	{"witnessd_auth_failures_total", "counter", "rpc.stats.auth_failures", NULL,
	 "Logons that failed."},
	{"witnessd_registrations", "gauge", "witness.registrations", NULL,
	 "Registrations of this witness."},
	{"witnessd_registered_total", "counter", "witness.registered_total", NULL,
	 "Registrations that were made."},
	{"witnessd_restored_total", "counter", "witness.restored_total", NULL,
	 "Registrations that were handed back after a restart."},
	{"witnessd_taken_over_total", "counter", "witness.taken_over_total", NULL,
	 "Registrations that were taken over from other witnesses."},
	{"witnessd_waiting_notify", "gauge", "witness.waiting_notify", NULL,
	 "Clients that wait for news."},
	{"witnessd_notify_timeouts_total", "counter", "witness.timeouts", NULL,
	 "AsyncNotify calls that ended without news."},
	{"witnessd_registrations_ended_total", "counter", "witness.ended", "reason",
	 "Registrations that ended."},
	{"witnessd_notifications_total", "counter", "witness.notified", "type",
	 "Notifications that were sent."},
	{"witnessd_cluster_quorate", "gauge", "cluster.quorate", NULL,
	 "Whether the cluster has quorum."},
	{"witnessd_cluster_stale", "gauge", "cluster.stale", NULL,
	 "Whether the cluster manager cannot be reached."},
	{"witnessd_peers_joined", "gauge", "cluster.peers.joined", NULL,
	 "Whether the other witnesses can be reached."},
};

/* Of an array of objects, by what names them. */
static const struct {
	const char *name, *key, *help;
} of_nodes[] = {
	{"witnessd_node_online", "online", "Whether the node is online."},
	{"witnessd_node_drained", "drained", "Whether an administrator has drained the node."},
	{"witnessd_node_witness", "witness", "Whether the node has a witness."},
	{"witnessd_node_addresses", "addresses", "Available addresses of the node."},
	{"witnessd_node_clients", "clients", "Clients of the node's addresses, of all witnesses."},
	{"witnessd_node_registrations", "registrations", "Registrations with the node's witness."},
};

struct out {
	TALLOC_CTX *mem_ctx;
	char *text; /* NULL: memory is short */
};

static void head(struct out *out, const char *name, const char *type, const char *help)
{
	out->text = text_append(out->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static double number(const json_t *value)
{
	return json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
}

/* The text format wants backslash, quote and newline escaped. */
static const char *label_value(struct out *out, const char *text)
{
	char *copy = talloc_strdup(out->mem_ctx, "");

	for (; text != NULL && *text != '\0'; text++) {
		copy = *text == '\n'
			       ? text_append(copy, "\\n")
			       : text_append(copy, "%s%c",
					     *text == '\\' || *text == '"' ? "\\" : "", *text);
	}
	return copy != NULL ? copy : "";
}

static void line(struct out *out, const char *name, const char *label, const char *value, double n)
{
	if (label == NULL) {
		out->text = text_append(out->text, "%s %.15g\n", name, n);
	} else {
		out->text = text_append(out->text, "%s{%s=\"%s\"} %.15g\n", name, label,
					label_value(out, value), n);
	}
}

static void numbers(struct out *out, const json_t *status)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const json_t *at = json_at(status, metrics[i].path);
		const char *key;
		json_t *value;

		if (at == NULL) {
			continue;
		}
		head(out, metrics[i].name, metrics[i].type, metrics[i].help);
		if (metrics[i].label == NULL) {
			line(out, metrics[i].name, NULL, NULL, number(at));
			continue;
		}
		json_object_foreach((json_t *)(uintptr_t)at, key, value)
		{
			line(out, metrics[i].name, metrics[i].label, key, number(value));
		}
	}
}

static void latency(struct out *out, const json_t *json)
{
	static const char name[] = "witnessd_notification_latency_seconds";
	const json_t *bucket;
	double seen = 0;
	size_t i;

	head(out, name, "histogram",
	     "From an event, or the call if that came later, to the reply.");
	json_array_foreach(json_object_get(json, "buckets"), i, bucket)
	{
		const json_t *upper = json_object_get(bucket, "up_to_us");

		seen += number(json_object_get(bucket, "count"));
		if (json_is_integer(upper)) {
			out->text = text_append(out->text, "%s_bucket{le=\"%g\"} %.15g\n", name,
						number(upper) / 1e6, seen);
		}
	}
	out->text = text_append(
		out->text, "%s_bucket{le=\"+Inf\"} %.15g\n%s_sum %.15g\n%s_count %.15g\n", name,
		seen, name, number(json_object_get(json, "sum_us")) / 1e6, name, seen);
}

static void nodes_of(struct out *out, const json_t *nodes)
{
	const json_t *node;
	size_t n;

	for (size_t i = 0; i < sizeof(of_nodes) / sizeof(of_nodes[0]); i++) {
		head(out, of_nodes[i].name, "gauge", of_nodes[i].help);
		json_array_foreach(nodes, n, node)
		{
			line(out, of_nodes[i].name, "node",
			     json_string_value(json_object_get(node, "name")),
			     number(json_object_get(node, of_nodes[i].key)));
		}
	}
}

static void addresses_of(struct out *out, const json_t *list)
{
	static const char name[] = "witnessd_address_available";
	const json_t *addr;
	size_t i;

	head(out, name, "gauge", "Whether the address is available.");
	json_array_foreach(list, i, addr)
	{
		const char *state = json_string_value(json_object_get(addr, "state"));

		line(out, name, "address", json_string_value(json_object_get(addr, "address")),
		     state != NULL && strcmp(state, "available") == 0);
	}
}

char *metrics_text(TALLOC_CTX *mem_ctx, const json_t *status, const json_t *nodes)
{
	struct out out = {.mem_ctx = talloc_new(NULL)};
	const char *version = json_string_value(json_object_get(status, "version"));

	if (out.mem_ctx == NULL) {
		return NULL;
	}
	out.text = talloc_strdup(mem_ctx, "");
	head(&out, "witnessd_info", "gauge", "The version.");
	line(&out, "witnessd_info", "version", version, 1);
	numbers(&out, status);
	latency(&out, json_at(status, "witness.latency"));
	nodes_of(&out, nodes);
	addresses_of(&out, json_at(status, "cluster.addresses"));
	talloc_free(out.mem_ctx);
	return out.text;
}
