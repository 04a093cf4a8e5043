/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a listening TCP socket. */
#ifndef WITNESSD_UTIL_TCPLISTEN_H
#define WITNESSD_UTIL_TCPLISTEN_H

#include "witnessd/util/ipaddr.h"

/**
 * Open a non-blocking listening TCP socket; one of an IPv6 address takes IPv6 only.
 * @param port    host order; 0: a free one
 * @param backlog as listen(2)
 * @return 0 with *fd the caller's, EAFNOSUPPORT, or the errno of the system call that failed
 */
int tcplisten(const struct ipaddr *addr, uint16_t port, int backlog, int *fd);

#endif
