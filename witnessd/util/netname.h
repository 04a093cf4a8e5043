/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the file service, as clients and administrators write them. */
#ifndef WITNESSD_UTIL_NETNAME_H
#define WITNESSD_UTIL_NETNAME_H

#include <stdbool.h>

/**
 * Whether two names mean the same service: MS-SWN 3.1.4.2 compares a client's NetName with
 * ServerGlobalName, but Windows sends whatever the UNC path said, so the FQDN and the short name are both
 * taken. Without case (ASCII) and trailing dot, equal as a whole or in the first label; addresses only as
 * a whole.
 */
bool netname_equal(const char *a, const char *b);

/** Whether one of the names, which end with NULL, is it. */
bool netname_matches(const char *const *names, const char *asked);

#endif
