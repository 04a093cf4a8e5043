/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the file service, as clients and administrators write them. */
#ifndef WITNESSD_UTIL_NETNAME_H
#define WITNESSD_UTIL_NETNAME_H

#include <stdbool.h>

/**
 * Whether two names mean the same service: MS-SWN 3.1.4.2 compares a client's NetName with
 * ServerGlobalName, but Windows sends whatever the UNC path said, so the FQDN and the short name are both
 * accepted. Case (ASCII) and a trailing dot are ignored; names are equal as a whole or in the first label,
 * addresses only as a whole.
 */
bool netname_equal(const char *a, const char *b);

/** Whether asked is equal to one of names, a list ended by NULL. */
bool netname_matches(const char *const *names, const char *asked);

#endif
