/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of witnessctl share. */
#ifndef WITNESSCTL_CTL_H
#define WITNESSCTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

#include "witnessd/util/text_json.h"

/* Exit codes, documented in witnessctl(8). */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_NO_DAEMON = 3,
	CTL_NO_PERMISSION = 4,
	CTL_NO_MATCH = 5,   /* no registration is selected */
	CTL_NO_NODE = 6,    /* the cluster has no such node */
	CTL_NO_ADDRESS = 7, /* nobody's */
	CTL_BAD_JSON = 8,
};

/* The options before the command. */
struct ctl {
	TALLOC_CTX *mem_ctx;
	const char *socket; /* control socket of the daemon */
	bool json;
	int timeout_ms;
	int caught; /* the signal that is to end us, see order_pause(); 0: none */
};

struct ctl_command {
	const char *name;
	/** argv[0] is the name. @return an exit code */
	int (*fn)(struct ctl *ctl, int argc, const char **argv);
	const char *
		args; /* names in capitals are what completion knows words for: ADDRESS, NODE ... */
	const char
		*help; /* one that sends to NAME --help has that itself; others get it from these */
	const char *options; /* more of it, for --help only; NULL: nothing */
};

/** Say what is expected after a command. @return CTL_USAGE */
int ctl_usage(const char *command);

int cmd_ping(struct ctl *ctl, int argc, const char **argv);
int cmd_status(struct ctl *ctl, int argc, const char **argv);
int cmd_interfaces(struct ctl *ctl, int argc, const char **argv);
int cmd_list(struct ctl *ctl, int argc, const char **argv);
int cmd_show(struct ctl *ctl, int argc, const char **argv);           /* cmd_list.c */
int cmd_move(struct ctl *ctl, int argc, const char **argv);           /* cmd_order.c */
int cmd_unregister(struct ctl *ctl, int argc, const char **argv);     /* ditto */
int cmd_force_response(struct ctl *ctl, int argc, const char **argv); /* ditto */
int cmd_notify(struct ctl *ctl, int argc, const char **argv);         /* ditto */
int cmd_drain(struct ctl *ctl, int argc, const char **argv);          /* cmd_drain.c */
int cmd_undrain(struct ctl *ctl, int argc, const char **argv);        /* ditto */
int cmd_rebalance(struct ctl *ctl, int argc, const char **argv);      /* cmd_order.c */
int cmd_nodes(struct ctl *ctl, int argc, const char **argv);          /* cmd_daemon.c */
int cmd_events(struct ctl *ctl, int argc, const char **argv);         /* cmd_events.c */
int cmd_metrics(struct ctl *ctl, int argc, const char **argv);        /* ditto */
int cmd_backend(struct ctl *ctl, int argc, const char **argv);
int cmd_log_level(struct ctl *ctl, int argc, const char **argv);
int cmd_memory(struct ctl *ctl, int argc, const char **argv);
int cmd_blackbox(struct ctl *ctl, int argc, const char **argv);
int cmd_leave(struct ctl *ctl, int argc, const char **argv);
int cmd_tickle(struct ctl *ctl, int argc, const char **argv);
int cmd_connections(struct ctl *ctl, int argc, const char **argv);
int cmd_doctor(struct ctl *ctl, int argc, const char **argv); /* doctor.c */
int cmd_watch(struct ctl *ctl, int argc, const char **argv);  /* watch.c; needs no daemon */
int cmd_probe(struct ctl *ctl, int argc, const char **argv);  /* probe.c; ditto */

/**
 * Ask the daemon; request is taken over. On failure the reason has been printed.
 * @return CTL_OK with *result a new reference, or the exit code for the reason
 */
int ctl_ask(struct ctl *ctl, json_t *request, json_t **result);

/**
 * Ask, and print the answer: with --json as it is, else by show().
 * @param request taken over
 * @param show    NULL: what went well is not worth a word
 * @return an exit code
 */
int ctl_ask_and_show(struct ctl *ctl, json_t *request,
		     void (*show)(const struct ctl *ctl, const json_t *result));

/**
 * The same for a command that is sent as it is typed, with one argument or none: no options.
 * @param key what the argument is called in the request; NULL: there is none
 */
int ctl_plain(struct ctl *ctl, int argc, const char **argv, const char *key,
	      void (*show)(const struct ctl *ctl, const json_t *result));

/** ... and which may be for another node: CTL_NODE_HELP. */
int ctl_anywhere(struct ctl *ctl, int argc, const char **argv, const char *key,
		 void (*show)(const struct ctl *ctl, const json_t *result));

/** Print JSON for a program: sorted keys, indented, one newline at the end. */
void ctl_print_json(const json_t *json);

#endif
