/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The endpoint mapper (C706 appendix O, MS-RPCE 2.2.1.2) for the interfaces of this process. Nothing
 * can be registered over the network: insert and delete are faults.
 */
#ifndef WITNESSD_RPC_EPM_H
#define WITNESSD_RPC_EPM_H

#include "witnessd/rpc/iface.h"

/* Its private data is the struct rpc_server whose mapped interfaces it lists. */
extern const struct rpc_iface rpc_epm_iface;

#endif
