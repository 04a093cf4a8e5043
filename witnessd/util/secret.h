/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that libraries read by its name again and again, and that this process may not be allowed to open:
 * a keytab, a file of users. Then witness-opener opens it, and the library gets the name of a copy in
 * memory, which follows the file.
 */
#ifndef WITNESSD_UTIL_SECRET_H
#define WITNESSD_UTIL_SECRET_H

#include <stdbool.h>
#include <talloc.h>

#define SECRET_MAX (4 * 1024 * 1024) /* bytes; a longer file is not taken */

struct secret;

/** Reads it, if it is there; why it cannot be read is logged. @return 0, or ENOMEM, EMFILE or so */
int secret_create(TALLOC_CTX *mem_ctx, const char *path, struct secret **out);

/** The file. */
const char *secret_file(const struct secret *secret);

/** What the library is to open: the file, or the copy; the same string as long as the secret lives. */
const char *secret_name(const struct secret *secret);

/**
 * Take the copy again if the file is another one than last time: one stat(2) of a local file if it is not.
 * The copy of a file that is gone is empty. When the file is there and cannot be read, or memory or
 * descriptors are short, the copy stays what it is, and the next call tries again.
 * @return whether there is another one now (gone and come back included)
 */
bool secret_changed(struct secret *secret);

#endif
