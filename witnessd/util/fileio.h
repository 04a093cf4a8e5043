/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole texts from and to descriptors, over short reads and writes and interruptions by signals. */
#ifndef WITNESSD_UTIL_FILEIO_H
#define WITNESSD_UTIL_FILEIO_H

#include <stddef.h>
#include <talloc.h>

/**
 * Read until the end, or until there are max bytes: who has to know that a file is longer asks for one
 * byte more than it may have.
 * @param text a child of mem_ctx; behind its *len bytes is a NUL
 * @return 0, ENOMEM, or the errno of read(2)
 */
int fileio_read(TALLOC_CTX *mem_ctx, int fd, size_t max, char **text, size_t *len);

/** Write all of it. @return 0 or the errno of write(2), after which a part may have been written */
int fileio_write(int fd, const char *text, size_t len);

#endif
