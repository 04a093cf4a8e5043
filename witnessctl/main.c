/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl(8): options, then a command from the table. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witnessctl/options.h"
#include "witnessctl/terminal.h"

#define DEFAULT_SOCKET     "witnessd"
#define DEFAULT_TIMEOUT_MS 10000
#define MAX_TIMEOUT_S      86400

static int cmd_version(struct ctl *ctl, int argc, const char **argv)
{
	printf("witnessctl %s\n", WITNESSD_VERSION);
	return CTL_OK;
}

static int cmd_help(struct ctl *ctl, int argc, const char **argv);

/* Ended by name NULL. */
static const struct ctl_command commands[] = {
	{"ping", cmd_ping, "[--node NODE]", "Whether the daemon serves.", CTL_NODE_HELP},
	{"status", cmd_status, "[--node NODE]",
	 "The daemon, its cluster and its clients at a glance.", CTL_NODE_HELP},
	{"interfaces", cmd_interfaces, "[--node NODE]",
	 "What a client is told of the cluster's addresses.", CTL_NODE_HELP},
	{"list", cmd_list, "[--local] [SELECTION]",
	 "Registered clients of the whole cluster, or of this witness, and what they watch.",
	 CTL_SELECTION_HELP "  --local                        only those of this witness\n"},
	{"show", cmd_show, "HANDLE", "All that is known of a registration.", NULL},
	{"client-move", cmd_move, "--to-node NODE | --to-ip ADDRESS SELECTION",
	 "Send clients to another node, or to an address.", CTL_SELECTION_HELP CTL_ORDER_HELP},
	{"share-move", cmd_move, "--to-node NODE | --to-ip ADDRESS SELECTION",
	 "Send clients of a share to another node, or to an address, for this share.",
	 CTL_SELECTION_HELP CTL_ORDER_HELP},
	{"drain", cmd_drain, "NODE",
	 "Send the clients of a node to others, evenly, and wait until the last has gone.",
	 CTL_ORDER_HELP "  --wait SECONDS                 how long for them to go (default 120)\n"},
	{"undrain", cmd_undrain, "NODE", "Clients may be sent to that node again.", NULL},
	{"rebalance", cmd_rebalance, "[SELECTION]",
	 "Send as few clients elsewhere as it takes for the nodes to have as many as each other.",
	 CTL_SELECTION_HELP CTL_ORDER_HELP},
	{"nodes", cmd_nodes, "[--node NODE]",
	 "The nodes of the cluster, and how many clients each has.", CTL_NODE_HELP},
	{"notify", cmd_notify, "change|move|share-move|ip-change ...",
	 "Have clients told what did not happen, for tests.",
	 "\n  change --state STATE            their address is available or unavailable\n"
	 "  move --to-node NODE | --to-ip ADDRESS\n"
	 "  share-move --to-node NODE | --to-ip ADDRESS\n"
	 "  ip-change --address ADDRESS --state STATE\n" CTL_SELECTION_HELP CTL_ORDER_HELP},
	{"force-unregister", cmd_unregister, "HANDLE | SELECTION",
	 "End registrations, whichever witness has them; living clients register again.",
	 CTL_SELECTION_HELP CTL_ORDER_HELP},
	{"force-response", cmd_force_response, "JSON SELECTION",
	 "Answer the calls that wait with a reply written by hand, for tests of clients.",
	 CTL_SELECTION_HELP CTL_ORDER_HELP},
	{"watch", cmd_watch, "NETNAME --server ADDRESS",
	 "A witness client: print what clients are told. See watch --help.", NULL},
	{"probe", cmd_probe, "--server ADDRESS [OPTION...]",
	 "Whether a server serves witness clients. See probe --help.", NULL},
	{"doctor", cmd_doctor, "[CHECK...]",
	 "What usually keeps clients from registering, and how to mend it. See doctor --help.",
	 NULL},
	{"events", cmd_events, "[--follow] [--node NODE]",
	 "What has happened to the cluster lately, and which witness told whom what.",
	 "\n  --follow                       go on with what happens\n"
	 "  --node NODE                    only what the witnesses of these nodes tell (a "
	 "pattern)\n"},
	{"metrics", cmd_metrics, "[--node NODE]",
	 "Counters and states in the text format of Prometheus.", CTL_NODE_HELP},
	{"connections", cmd_connections, "",
	 "TCP connections of the cluster's addresses, of all nodes.", NULL},
	{"leave", cmd_leave, "ADDRESS [--wait SECONDS]",
	 "Tell the clients of an address of this node that it leaves, and wait until they know.",
	 "\n  --wait SECONDS                 how long, at most 60 (default 3)\n"},
	{"tickle", cmd_tickle, "ADDRESS",
	 "Make clients notice that this node has taken their address over.", NULL},
	{"static", cmd_backend, "WORD...", "Change the cluster of the static backend.", NULL},
	{"ctdb", cmd_backend, "refresh", "Have the CTDB backend ask CTDB anew.", NULL},
	{"log-level", cmd_log_level, "LEVEL [--node NODE]",
	 "Log err, warning, notice, info, debug or trace from now on.", CTL_NODE_HELP},
	{"memory", cmd_memory, "[--node NODE]", "What the daemon has allocated, by its parts.",
	 CTL_NODE_HELP},
	{"blackbox", cmd_blackbox, "[--node NODE]",
	 "Write the last log lines of the daemon to a file, on its node.", CTL_NODE_HELP},
	{"version", cmd_version, "", "The version of witnessctl.", NULL},
	{"help", cmd_help, "[COMMAND]", "This text, or that of a command.", NULL},
	{.name = NULL},
};

static void print_help(FILE *out)
{
	fputs("usage: witnessctl [--socket NAME] [--json] [--timeout SECONDS] COMMAND "
	      "[ARGUMENT...]\n\n",
	      out);
	for (const struct ctl_command *c = commands; c->name != NULL; c++) {
		char line[64];

		snprintf(line, sizeof(line), "%s%s%s", c->name, c->args[0] != '\0' ? " " : "",
			 c->args);
		fprintf(out, "  %-30s  %s\n", line, c->help);
	}
	fputs("\n  --socket NAME      control socket of the daemon (global.control; "
	      "default " DEFAULT_SOCKET ")\n  --json             output for programs\n"
	      "  --timeout SECONDS  how long to wait for the daemon (default 10)\n",
	      out);
}

int ctl_usage(const char *command)
{
	for (const struct ctl_command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, command) == 0) {
			fprintf(stderr, "usage: witnessctl %s%s%s\n", c->name,
				c->args[0] != '\0' ? " " : "", c->args);
		}
	}
	return CTL_USAGE;
}

static int parse_timeout(const char *text, int *timeout_ms)
{
	char *end;
	double s;

	errno = 0;
	s = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !(s > 0 && s <= MAX_TIMEOUT_S)) {
		return EINVAL;
	}
	*timeout_ms = (int)(s * 1000);
	return 0;
}

/* @return -1 to go on, or an exit code */
static int parse_option(struct ctl *ctl, int c, char **argv)
{
	switch (c) {
	case 's':
		ctl->socket = optarg;
		return -1;
	case 'j':
		ctl->json = true;
		return -1;
	case 't':
		if (parse_timeout(optarg, &ctl->timeout_ms) == 0) {
			return -1;
		}
		fprintf(stderr, "witnessctl: --timeout must be seconds above 0, not \"%s\"\n",
			optarg);
		return CTL_USAGE;
	case 'h':
		return cmd_help(ctl, 0, NULL);
	case 'v':
		return cmd_version(ctl, 0, NULL);
	default:
		fprintf(stderr, "witnessctl: %s %s\n", argv[optind - 1],
			c == ':' ? "needs a value" : "is not an option");
		print_help(stderr);
		return CTL_USAGE;
	}
}

/* --json is taken behind the command, too: that is where people add it. */
static int take_json(struct ctl *ctl, int argc, char **argv)
{
	int kept = 0;
	bool ours = true; /* what stands behind -- is somebody else's */

	for (int i = 0; i < argc; i++) {
		ours = ours && strcmp(argv[i], "--") != 0;
		if (ours && strcmp(argv[i], "--json") == 0) {
			ctl->json = true;
		} else {
			argv[kept++] = argv[i];
		}
	}
	return kept;
}

/* Some have one of their own. */
static bool has_own_help(const struct ctl_command *c)
{
	return strstr(c->help, "--help") != NULL;
}

static void print_command(const struct ctl_command *c)
{
	printf("usage: witnessctl %s%s%s\n\n%s\n%s", c->name, c->args[0] != '\0' ? " " : "",
	       c->args, c->help, c->options != NULL ? c->options : "");
}

static const struct ctl_command *find_command(const char *name)
{
	for (const struct ctl_command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0) {
			return c;
		}
	}
	fprintf(stderr, "witnessctl: %s is not a command (witnessctl help lists them)\n", name);
	return NULL;
}

static int cmd_help(struct ctl *ctl, int argc, const char **argv)
{
	const char *own[] = {argc == 2 ? argv[1] : NULL, "--help", NULL};
	const struct ctl_command *c;

	if (argc < 2) {
		print_help(stdout);
		return CTL_OK;
	}
	if (argc > 2) {
		return ctl_usage(argv[0]);
	}
	c = find_command(argv[1]);
	if (c == NULL) {
		return CTL_USAGE;
	}
	if (has_own_help(c)) {
		return c->fn(ctl, 2, own);
	}
	print_command(c);
	return CTL_OK;
}

/* Whether a command was asked for its help, wherever in the line, and has none of its own. */
static bool wants_help(const struct ctl_command *c, int argc, char **argv)
{
	for (int i = 1; i < argc && !has_own_help(c) && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			return true;
		}
	}
	return false;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_command *c;

	if (argc == 0) {
		print_help(stderr);
		return CTL_USAGE;
	}
	c = find_command(argv[0]);
	if (c == NULL) {
		return CTL_USAGE;
	}
	if (wants_help(c, argc, argv)) {
		print_command(c);
		return CTL_OK;
	}
	argc = take_json(ctl, argc, argv);
	return c->fn(ctl, argc, (const char **)argv);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},  {"json", no_argument, NULL, 'j'},
		{"timeout", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0},
	};
	struct ctl ctl = {.mem_ctx = talloc_new(NULL),
			  .socket = DEFAULT_SOCKET,
			  .timeout_ms = DEFAULT_TIMEOUT_MS};
	int c, ret = -1;

	terminal_setup();
	opterr = 0;
	while (ret < 0 && (c = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		ret = parse_option(&ctl, c, argv);
	}
	if (ret < 0) {
		ret = run(&ctl, argc - optind, argv + optind);
	}
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		fprintf(stderr, "witnessctl: not all could be written: %s\n", strerror(errno));
		ret = ret == CTL_OK ? CTL_FAILED : ret;
	}
	talloc_free(ctl.mem_ctx);
	return ret;
}
