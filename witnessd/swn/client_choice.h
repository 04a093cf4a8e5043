/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which witness a client chooses, and what a notification means for its server's address. Pure. */
#ifndef WITNESSD_SWN_CLIENT_CHOICE_H
#define WITNESSD_SWN_CLIENT_CHOICE_H

#include "witnessd/swn/wire.h"

#define SWN_CHOICE_MAX 64 /* limit of candidates, and of known addresses */

struct swn_candidate {
	struct ipaddr addr;
	char group[64]; /* of the peer; cut at 63 bytes, NUL-terminated */
};

/**
 * The interfaces to register with (MS-SWN 3.2.4.1): INTERFACE_WITNESS set, AVAILABLE, and not the SMB
 * server's address itself, which can be in the list when another node was asked. Those of other groups
 * than the server's come first, because they are certainly on another node. Of an entry with two addresses
 * the one of the server's family is taken.
 * @return how many are in out
 */
size_t swn_choose(const struct swn_interface_list *list, const struct ipaddr *server,
		  struct swn_candidate out[SWN_CHOICE_MAX]);

/**
 * All addresses in a list except the server's, in any state: to be asked when the server does not
 * answer. @return how many
 */
size_t swn_known_addrs(const struct swn_interface_list *list, const struct ipaddr *server,
		       struct ipaddr out[SWN_CHOICE_MAX]);

/* What a notification means for the SMB server's address. */
enum swn_consequence {
	SWN_SERVER_SAME,  /* nothing */
	SWN_SERVER_LOST,  /* it is unavailable */
	SWN_SERVER_BACK,  /* it is available (again) */
	SWN_SERVER_MOVED, /* the client is to use another one */
};

/** @param server set for SWN_SERVER_MOVED: the first address that is not offline */
enum swn_consequence swn_consequence(const struct swn_notify *notify, struct ipaddr *server);

#endif
