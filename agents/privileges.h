/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dropping all rights of the tickle agent except sending raw packets and ending connections. */
#ifndef AGENTS_PRIVILEGES_H
#define AGENTS_PRIVILEGES_H

/**
 * Keep only the capabilities CAP_NET_RAW and CAP_NET_ADMIN, if held; become nobody when running as root; never
 * gain privileges again.
 * @return 0; EPERM; or an errno of prctl(2)
 */
int privileges_drop(void);

#endif
