/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What witnessd needs of smb.conf: the server's names, and the names and paths of its shares. Not Samba's
 * parser: unknown keys are ignored, and what cannot be parsed is left out, never an error.
 *
 * Followed: `include` of absolute paths without macros. Not followed: other includes, `config file`,
 * `copy`, registry configuration and usershares; such shares belong in witness.shares.
 */
#ifndef WITNESSD_UTIL_SMBCONF_H
#define WITNESSD_UTIL_SMBCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#define SMBCONF_MAX_BYTES  (1024 * 1024) /* of one file */
#define SMBCONF_MAX_DEPTH  8             /* of includes */
#define SMBCONF_MAX_FILES  64            /* in all */
#define SMBCONF_MAX_SHARES 16384

/* UNSET: neither the share nor [global] says anything. */
enum smbconf_bool {
	SMBCONF_UNSET,
	SMBCONF_YES,
	SMBCONF_NO,
};

/* "smb3 share cap:NAME" of a share: what it announces to clients. */
struct smbconf_caps {
	enum smbconf_bool cluster, continuous_availability;
};

/* Read-only for others; everything is a child of it. */
struct smbconf {
	const char *netbios_name; /* NULL: not set, or with a macro; Samba takes the host name */
	const char *workgroup;    /* NULL: not set, or with a macro */
	const char *const
		*netbios_aliases; /* these two end with NULL; names with macros are left out */
	const char *const *dns_hostnames; /* additional dns hostnames */
	/* File shares that are available; sorted ignoring case, unique. */
	const char *const *shares;
	const struct smbconf_caps *caps; /* of each of the shares */
	const char *const *paths; /* of the shares, absolute; NULL: not set, or with a macro */
	size_t num_shares;
	bool clustering;            /* of [global] */
	struct smbconf_file *files; /* what was read, to notice changes */
	size_t num_files;
};

/**
 * Read the file and what it includes. Included files that cannot be read are left out.
 * @return 0; ENOMEM; EFBIG, EINVAL (not a regular file) or the errno of opening or reading path
 */
int smbconf_load(TALLOC_CTX *mem_ctx, const char *path, struct smbconf **out);

/** The same from text that need not end with NUL; includes are not followed. @return 0, EFBIG or ENOMEM */
int smbconf_parse(TALLOC_CTX *mem_ctx, const char *text, size_t len, struct smbconf **out);

/** Whether one of the files looks different (size, inode, times) from when it was read; one stat() each. */
bool smbconf_changed(const struct smbconf *conf);

/** Whether there is such a share; case is ignored for ASCII letters. */
bool smbconf_has_share(const struct smbconf *conf, const char *share);

#endif
