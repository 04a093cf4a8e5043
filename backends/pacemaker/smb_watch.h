/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The current smb.conf, checked periodically: a share may be added without a change of the cluster. */
#ifndef BACKENDS_PACEMAKER_SMB_WATCH_H
#define BACKENDS_PACEMAKER_SMB_WATCH_H

#include <talloc.h>
#include <tevent.h>

#include "witnessd/util/smbconf.h"

struct smb_watch;

/**
 * @param path    empty: there is none; borrowed
 * @param changed called from the event loop when its content has changed
 * @return 0 or ENOMEM; a file that cannot be read counts as missing (the core reads it, too, and logs that)
 */
int smb_watch_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *path,
		     void (*changed)(void *private_data), void *private_data,
		     struct smb_watch **out);

/** What was read last, NULL if nothing could be read yet; valid until the event loop runs again. */
const struct smbconf *smb_watch_conf(const struct smb_watch *watch);

#endif
