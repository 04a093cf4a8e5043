/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the parser (smbconf.c) and what reads files for it (smbconf_load.c). */
#ifndef WITNESSD_UTIL_SMBCONF_PRIVATE_H
#define WITNESSD_UTIL_SMBCONF_PRIVATE_H

#include "witnessd/util/smbconf.h"

/* A section of a share; one share may have several. */
struct smbconf_service {
	const char *name;
	size_t order;
	enum smbconf_bool available, printable;
	struct smbconf_caps caps;
	const char *path; /* NULL: not set; empty: cannot be used */
};

struct smbconf_reader {
	struct smbconf *conf;
	/* Follows an include; NULL: none is followed. @return 0 or ENOMEM */
	int (*include)(struct smbconf_reader *reader, const char *path);
	int depth;                       /* of includes */
	struct smbconf_service defaults; /* of [global] */
	struct smbconf_service *services;
	size_t num_services;
	/* Where keys go: to this element of services, unless in_global. */
	size_t current;
	bool in_global;
};

/** @return NULL when memory is short */
struct smbconf_reader *smbconf_reader_new(TALLOC_CTX *mem_ctx);

/**
 * Read the text of one file; keys before its first section belong to the last section of the previous text.
 * The text is changed in place and needs room for one more byte.
 * @return 0 or ENOMEM
 */
int smbconf_read_text(struct smbconf_reader *reader, char *text, size_t len);

/** Free the reader; with err 0 hand over what it has read. @return err, or ENOMEM */
int smbconf_reader_end(TALLOC_CTX *mem_ctx, struct smbconf_reader *reader, int err,
		       struct smbconf **out);

#endif
