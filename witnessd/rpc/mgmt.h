/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The management interface (C706 appendix Q), served on every endpoint to everybody. Older Windows
 * clients ask it for the principal name before they authenticate.
 */
#ifndef WITNESSD_RPC_MGMT_H
#define WITNESSD_RPC_MGMT_H

#include "witnessd/rpc/iface.h"

/* Its private data is the struct rpc_endpoint that it describes. */
extern const struct rpc_iface rpc_mgmt_iface;

#endif
