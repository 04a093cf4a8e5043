/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names that clients use, for themselves and for the service. */
#ifndef WITNESSD_SWN_NAMES_H
#define WITNESSD_SWN_NAMES_H

#include <stdbool.h>

/* The longest name of a client, share or service that is kept, in bytes without NUL. */
#define SWN_NAME_MAX 1024

/**
 * Whether a client's NetName means this service: MS-SWN 3.1.4.2 compares it with ServerGlobalName, but
 * Windows sends whatever the UNC path said, so the FQDN, the short name and aliases are all taken. Without
 * case (ASCII) and trailing dot, equal as a whole or in the first label; addresses only as a whole.
 * @param names NULL-terminated
 */
bool swn_net_name_matches(const char *const *names, const char *asked);

#endif
