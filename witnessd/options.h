/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of witnessd. */
#ifndef WITNESSD_OPTIONS_H
#define WITNESSD_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>
#include <talloc.h>

#define CONFIG_DEFAULT_PATH WITNESSD_SYSCONFDIR "/witnessd.conf"

struct options {
	const char *config;     /* path */
	bool config_required;   /* named by the user */
	const char **overrides; /* of -o, NULL at the end */
	bool foreground;        /* asked for: logs go to standard error unless configured */
	bool daemon;            /* to the background once it serves */
	unsigned int debug;     /* 1: debug, 2 and more: trace */
	enum { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_SHOW, OPTIONS_VERSION, OPTIONS_HELP } action;
};

/**
 * Read argv. Strings are borrowed from it.
 * @return 0; EINVAL with *why a sentence, a child of mem_ctx; or ENOMEM
 */
int options_parse(TALLOC_CTX *mem_ctx, int argc, char **argv, struct options *out, char **why);

/** Print the usage, every option with its meaning. */
void options_help(FILE *out);

#endif
