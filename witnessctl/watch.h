/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessctl watch: a witness client that prints what it is told. */
#ifndef WITNESSCTL_WATCH_H
#define WITNESSCTL_WATCH_H

#include <stdbool.h>
#include <talloc.h>

#include "witnessd/swn/client.h"

struct watch_options {
	struct swn_client_params params; /* auth is not filled in */
	bool json;
	bool debug;
	unsigned long count;     /* notifications after which to stop; 0 = no end */
	unsigned int timeout_ms; /* after which to stop; 0 = no end */
};

/**
 * Read the command line, the environment and the password file; complaints go to standard error.
 * Names are looked up here, which may block.
 * @return -1 to go on, or an exit code (CTL_OK after --help)
 */
int watch_parse(TALLOC_CTX *mem_ctx, int argc, const char **argv, struct watch_options *out);

/** Print an event as one line, with the monotonic and the wall clock, and flush it. */
void watch_print(const struct swn_client_event *event, const char *net_name, bool json);

#endif
