/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witness-tickle(8): options, sockets, privileges dropped, then a command from the table. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/privileges.h"

#define DEFAULT_INTERVAL_MS 50
#define DEFAULT_WAIT_MS     10000
#define MAX_MS              3600000

struct command {
	const char *name;
	int (*fn)(TALLOC_CTX *mem_ctx, struct agent *agent);
	bool needs_ip, sends;
	const char *help;
};

static const struct command commands[] = {
	{"track", agent_track, false, false,
	 "Tell of connections that come and go, and do what is asked: for witnessd."},
	{"tickle", agent_tickle, true, true, "Tickle the connections that standard input lists."},
	{"destroy", agent_destroy, true, false, "Reset the connections of an address."},
	{NULL, NULL, false, false, NULL},
};

static void print_help(FILE *out)
{
	fputs("usage: witness-tickle track [--interval MS]\n"
	      "       witness-tickle tickle --ip ADDRESS [--wait MS]\n"
	      "       witness-tickle destroy --ip ADDRESS [--port PORT]...\n\n",
	      out);
	for (const struct command *c = commands; c->name != NULL; c++) {
		fprintf(out, "  %-8s %s\n", c->name, c->help);
	}
}

static int parse_number(const char *text, unsigned long max, unsigned long *out)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value > max) {
		return EINVAL;
	}
	*out = value;
	return 0;
}

/* @return 0 or EINVAL */
static int take_option(struct agent_options *options, int c)
{
	unsigned long number = 0;

	switch (c) {
	case 'i':
		return ipaddr_parse(optarg, &options->ip);
	case 'p':
		if (options->num_ports == TRACK_MAX_PORTS ||
		    parse_number(optarg, UINT16_MAX, &number) != 0 || number == 0) {
			return EINVAL;
		}
		options->ports[options->num_ports++] = (uint16_t)number;
		return 0;
	case 'n':
	case 'w':
		if (parse_number(optarg, MAX_MS, &number) != 0 || (c == 'n' && number == 0)) {
			return EINVAL;
		}
		*(c == 'n' ? &options->interval_ms : &options->wait_ms) = (uint32_t)number;
		return 0;
	default:
		return EINVAL;
	}
}

static int run(TALLOC_CTX *mem_ctx, const struct command *command,
	       const struct agent_options *options)
{
	struct agent agent = {.ev = tevent_context_init(mem_ctx), .options = options};
	int err = agent.ev == NULL ? ENOMEM : sock_diag_open(mem_ctx, &agent.diag);

	if (err == 0) {
		err = netaddr_open(mem_ctx, &agent.netaddr);
	}
	if (err != 0) {
		return agent_failed("cannot ask the kernel: %s", strerror(err));
	}
	err = sender_open(mem_ctx, &agent.sender);
	if (err != 0 && command->sends) {
		return agent_failed("cannot send raw packets: %s%s", strerror(err),
				    err == EPERM ? " (CAP_NET_RAW is needed)" : "");
	}
	err = privileges_drop();
	if (err != 0) {
		return agent_failed("cannot drop privileges: %s", strerror(err));
	}
	return command->fn(mem_ctx, &agent);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0) {
			return c;
		}
	}
	return NULL;
}

/* @return AGENT_OK, or how to end */
static int parse(int argc, char **argv, struct agent_options *options,
		 const struct command **command)
{
	static const struct option longs[] = {
		{"ip", required_argument, NULL, 'i'},
		{"port", required_argument, NULL, 'p'},
		{"interval", required_argument, NULL, 'n'},
		{"wait", required_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*command = argc > 1 ? find_command(argv[1]) : NULL;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c == 'h' || c == 'v') {
			*command = NULL;
			c == 'h' ? print_help(stdout)
				 : (void)puts("witness-tickle " WITNESSD_VERSION);
			return AGENT_OK;
		}
		if (take_option(options, c) != 0) {
			agent_failed("%s: %s", argv[optind - 1],
				     c == '?'   ? "is not an option"
				     : c == ':' ? "needs a value"
						: "is not a value that this option has");
			return AGENT_USAGE;
		}
	}
	if (*command == NULL || optind != argc - 1 ||
	    ((*command)->needs_ip && options->ip.family == 0)) {
		print_help(stderr);
		return AGENT_USAGE;
	}
	return AGENT_OK;
}

int main(int argc, char **argv)
{
	struct agent_options options = {.interval_ms = DEFAULT_INTERVAL_MS,
					.wait_ms = DEFAULT_WAIT_MS};
	const struct command *command;
	TALLOC_CTX *mem_ctx;
	int ret = parse(argc, argv, &options, &command);

	if (ret != AGENT_OK || command == NULL) {
		return ret;
	}
	signal(SIGPIPE, SIG_IGN);
	mem_ctx = talloc_new(NULL);
	ret = run(mem_ctx, command, &options);
	talloc_free(mem_ctx);
	return fflush(stdout) == 0 ? ret : AGENT_FAILED;
}
