/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl status: one page on the daemon. */
#include "witnessctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "witnessctl/table.h"

static const char *cell(const struct ctl *ctl, const json_t *status, const char *path)
{
	return table_cell(ctl->mem_ctx, json_at(status, path));
}

static void show_uptime(const json_t *status)
{
	json_int_t s = json_integer_value(json_at(status, "uptime"));

	if (s >= 86400) {
		printf("%lld d %lld h", (long long)(s / 86400), (long long)(s / 3600 % 24));
	} else if (s >= 3600) {
		printf("%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
	} else {
		printf("%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
	}
}

/* What the limits of rpc.max_* and witness.max_* have cost. */
static void show_refused(const json_t *status)
{
	json_int_t conns = json_integer_value(json_at(status, "rpc.stats.refused")), regs = 0;
	json_t *by_limit = json_object_get(json_object_get(status, "witness"), "refused");
	const json_t *number;
	const char *limit;

	json_object_foreach(by_limit, limit, number)
	{
		regs += json_integer_value(number);
	}
	if (conns > 0 || regs > 0) {
		printf("Refused     %lld connections, %lld registrations since the start\n",
		       (long long)conns, (long long)regs);
	}
}

static void show_daemon(const struct ctl *ctl, const json_t *status)
{
	bool epm = !json_is_null(json_at(status, "rpc.epmapper_port"));

	printf("witnessd %s, process %s, up ", cell(ctl, status, "version"),
	       cell(ctl, status, "pid"));
	show_uptime(status);
	printf("\nNames       %s\n", cell(ctl, status, "net_names"));
	printf("Listening   %s: port %s", cell(ctl, status, "rpc.listen"),
	       cell(ctl, status, "rpc.port"));
	if (epm) {
		printf(", endpoint mapper %s", cell(ctl, status, "rpc.epmapper_port"));
	}
	printf("\nAuth        Kerberos: %s, NTLM: %s\n", cell(ctl, status, "auth.kerberos"),
	       cell(ctl, status, "auth.ntlm"));
	printf("Clients     %s connections, %s registrations (of %s at most)\n",
	       cell(ctl, status, "rpc.stats.connections"),
	       cell(ctl, status, "witness.registrations"),
	       cell(ctl, status, "witness.limits.registrations"));
	show_refused(status);
	printf("Peers       %s, %s records of our own, %s not sent yet\n",
	       json_is_true(json_at(status, "cluster.peers.joined")) ? "joined" : "NOT REACHABLE",
	       cell(ctl, status, "cluster.peers.own.records"),
	       cell(ctl, status, "cluster.peers.own.unsent"));
	printf("Cluster     %s%s%s\n", cell(ctl, status, "cluster.backend"),
	       json_is_true(json_at(status, "cluster.quorate")) ? ", quorate" : ", no quorum",
	       json_is_true(json_at(status, "cluster.stale"))
		       ? ", NOT REACHABLE: what follows is the last that is known"
		       : "");
	if (json_is_string(json_at(status, "cluster.backend_status.summary"))) {
		printf("Manager     %s\n", cell(ctl, status, "cluster.backend_status.summary"));
	}
}

/* From event to reply: only what has happened. */
static void show_latency(const struct ctl *ctl, const json_t *status)
{
	const json_t *bucket;
	size_t i;

	if (json_integer_value(json_at(status, "witness.latency.count")) == 0) {
		return;
	}
	printf("\nReplies     %s, from event to reply: median %s us, longest %s us\n",
	       cell(ctl, status, "witness.latency.count"),
	       cell(ctl, status, "witness.latency.median_us"),
	       cell(ctl, status, "witness.latency.max_us"));
	json_array_foreach(json_at(status, "witness.latency.buckets"), i, bucket)
	{
		const json_t *upper = json_object_get(bucket, "up_to_us");

		if (json_integer_value(json_object_get(bucket, "count")) > 0) {
			printf("  %s %-8s us  %s\n", json_is_null(upper) ? "longer" : "up to ",
			       json_is_null(upper) ? "" : table_cell(ctl->mem_ctx, upper),
			       table_cell(ctl->mem_ctx, json_object_get(bucket, "count")));
		}
	}
}

static void show_status(const struct ctl *ctl, const json_t *status)
{
	static const struct table_column nodes[] = {
		{"NODE", "name"},         {"ID", "id"},      {"ONLINE", "online"},
		{"DRAINING", "draining"}, {"HERE", "local"}, {NULL, NULL},
	};
	static const struct table_column addresses[] = {
		{"ADDRESS", "address"}, {"GROUP", "group"}, {"STATE", "state"},
		{"NODE", "node"},       {"KIND", "kind"},   {NULL, NULL},
	};
	static const struct table_column peers[] = {
		{"WITNESS OF", "node"}, {"THERE", "up"},    {"IN SYNC", "synced"},
		{"RECORDS", "records"}, {"BYTES", "bytes"}, {NULL, NULL},
	};
	unsigned int width = table_terminal_width(stdout);

	show_daemon(ctl, status);
	if (json_array_size(json_at(status, "cluster.nodes")) > 0) {
		putchar('\n');
		table_print(stdout, json_at(status, "cluster.nodes"), nodes, width);
	}
	if (json_array_size(json_at(status, "cluster.addresses")) > 0) {
		putchar('\n');
		table_print(stdout, json_at(status, "cluster.addresses"), addresses, width);
	}
	if (json_array_size(json_at(status, "cluster.peers.peers")) > 0) {
		putchar('\n');
		table_print(stdout, json_at(status, "cluster.peers.peers"), peers, width);
	}
	show_latency(ctl, status);
}

int cmd_status(struct ctl *ctl, int argc, const char **argv)
{
	return ctl_anywhere(ctl, argc, argv, NULL, show_status);
}
