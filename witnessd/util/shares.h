/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shares that clients may register for: those of witness.shares and of smb.conf. */
#ifndef WITNESSD_UTIL_SHARES_H
#define WITNESSD_UTIL_SHARES_H

#include "witnessd/util/smbconf.h"

struct shares;

/**
 * Take the configured shares, and read smb.conf. A file that cannot be read is logged and counts as empty until
 * it can be read.
 * @param configured names, ended by NULL; borrowed, must outlive the result
 * @param path of smb.conf, or empty for none; borrowed, too
 * @return 0 or ENOMEM
 */
int shares_create(TALLOC_CTX *mem_ctx, const char *const *configured, const char *path,
		  struct shares **out);

/**
 * Whether a share is known, ignoring case; for struct swn_config. Reads smb.conf again when it has
 * changed; if that fails the previous content stays in force.
 * @param private_data the struct shares
 * @param any whether there is any share at all; may be NULL
 */
bool shares_known(void *private_data, const char *share, bool *any);

/** smb.conf, read again if it has changed; never NULL. Valid until the next call. */
const struct smbconf *shares_smbconf(struct shares *shares);

#endif
