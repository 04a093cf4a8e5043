/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tickle agent may do: send raw packets and end connections, nothing else. */
#ifndef AGENTS_PRIVILEGES_H
#define AGENTS_PRIVILEGES_H

/**
 * Keep of all capabilities only CAP_NET_RAW and CAP_NET_ADMIN, as far as they are there; become nobody
 * when we are root; never gain privileges again.
 * @return 0; EPERM; or an errno of prctl(2)
 */
int privileges_drop(void);

#endif
