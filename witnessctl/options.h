/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options behind a command, put into the request that goes to the daemon. */
#ifndef WITNESSCTL_OPTIONS_H
#define WITNESSCTL_OPTIONS_H

#include <jansson.h>

#include "witnessctl/ctl.h"

enum ctl_option_type { CTL_FLAG, CTL_TEXT, CTL_NUMBER, CTL_RATE, CTL_PATIENCE /* seconds */ };

struct ctl_option {
	const char *name; /* "--to-node" */
	const char *key;  /* of the request */
	enum ctl_option_type type;
};

/* For struct ctl_command.options: what CTL_SELECT takes, which goes to "select" of the request. */
#define CTL_SELECTION_HELP                                                                         \
	"\n"                                                                                       \
	"Which registrations; patterns are those of the shell, and all that are given must "       \
	"match:\n"                                                                                 \
	"  --registration HANDLE          as list --json shows it\n"                               \
	"  --net-name NETNAME             that the client uses\n"                                  \
	"  --share-name NAME              that it has registered with\n"                           \
	"  --ip-address ADDRESS           that it has registered for\n"                            \
	"  --client-computer-name NAME    of the client\n"                                         \
	"  --node NODE                    that has the address now\n"                              \
	"  --witness NODE                 whose witness the client is registered with\n"           \
	"  --all                          all of them\n"

#define CTL_ORDER_HELP                                                                             \
	"\n"                                                                                       \
	"  --rate N                       at most so many clients a second\n"                      \
	"  --dry-run                      only say what would be done\n"

/* What ctl_anywhere() takes. */
#define CTL_NODE_HELP                                                                              \
	"\n  --node NODE                    of the witness of that node (default: of this one)\n"

/**
 * Read what stands behind a command; values may follow as --name VALUE or --name=VALUE.
 * @param own     ended by name NULL; NULL: there are none
 * @param select  whether options of a selection are taken, into "select" of the request
 * @param words   room for arguments that are no options, max_words of them; the rest stays NULL
 * @param request filled; a new reference
 * @return -1 to go on, or an exit code after a complaint
 */
int ctl_options(int argc, const char **argv, const struct ctl_option *own, bool select,
		const char **words, size_t max_words, json_t **request);

/**
 * A word that the command needs goes into the request.
 * @param word    of ctl_options(); NULL: it is missing
 * @param request dropped, and NULL, after a complaint
 * @return -1 to go on, or an exit code
 */
int ctl_word(const char *command, const char *word, const char *key, json_t **request);

/**
 * HANDLE: the one registration that has it is selected.
 * @param handle  of ctl_options(); NULL: it is missing
 * @param request with "select"; dropped after a complaint
 * @return -1 to go on, or an exit code
 */
int ctl_handle(const char *command, const char *handle, json_t *request);

#endif
