/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef WITNESSD_UTIL_TCPLISTEN_H
#define WITNESSD_UTIL_TCPLISTEN_H

#include "witnessd/util/ipaddr.h"

/**
 * A non-blocking listening TCP socket; an IPv6 one is for IPv6 only.
 * @param port    host order; 0: a free one
 * @param backlog as listen(2)
 * @return 0 with *fd the caller's, EAFNOSUPPORT or what the kernel gave
 */
int tcplisten(const struct ipaddr *addr, uint16_t port, int backlog, int *fd);

#endif
