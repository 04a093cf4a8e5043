/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the connections to Corosync. Queries of cmap block for a moment, as connecting does. */
#ifndef BACKENDS_PACEMAKER_COROSYNC_H
#define BACKENDS_PACEMAKER_COROSYNC_H

#include <corosync/corotypes.h>
#include <stdint.h>
#include <talloc.h>

/** The error in words; a constant. */
const char *corosync_error(cs_error_t rc);

/** The number of this node; 0 when Corosync does not say. */
uint32_t corosync_local_id(void);

/** The name of a node in corosync.conf, a child of mem_ctx; NULL when there is none. */
char *corosync_node_name(TALLOC_CTX *mem_ctx, uint32_t id);

#endif
