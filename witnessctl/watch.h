/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl watch: a witness client that prints what it is told. */
#ifndef WITNESSCTL_WATCH_H
#define WITNESSCTL_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

#include "libswnclient/swnclient.h"

#define WATCH_TIME_DIGITS 15 /* of JSON: microseconds of a machine that has been up for years */

struct watch_options {
	struct swnc_config *config; /* freed with mem_ctx of watch_parse() */
	const char *net_name;       /* borrowed from argv */
	bool json;
	bool debug;
	unsigned long count;     /* notifications after which to stop; 0 = no end */
	unsigned int timeout_ms; /* after which to stop; 0 = no end */
	const char **exec;       /* program and arguments, NULL at the end; NULL: none */
	bool exec_all;
	unsigned int exec_timeout_ms; /* 0 = no end */
	const char *share;            /* borrowed from argv; NULL: none */
};

/**
 * Read the command line, the environment and the password file; complaints go to standard error.
 * Names are looked up here, which may block.
 * @return -1 to go on, or an exit code (CTL_OK after --help)
 */
int watch_parse(TALLOC_CTX *mem_ctx, int argc, const char **argv, struct watch_options *out);

/** An event as the object that --json prints, with the monotonic and the wall clock. @return new reference */
json_t *watch_json(const struct swnc_event *event, const char *net_name);

/** Print an event as one line, with the monotonic and the wall clock, and flush it. */
void watch_print(const struct swnc_event *event, const char *net_name, bool json);

#endif
