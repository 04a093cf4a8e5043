/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Read or write a whole text, handling short reads, short writes and EINTR. */
#ifndef WITNESSD_UTIL_FILEIO_H
#define WITNESSD_UTIL_FILEIO_H

#include <stddef.h>
#include <talloc.h>

/**
 * Read to the end of the file, but at most max bytes. To notice a file that is too long, ask for one byte more
 * than is allowed.
 * @param text a child of mem_ctx; a NUL follows its *len bytes
 * @return 0, ENOMEM, or the errno of read(2)
 */
int fileio_read(TALLOC_CTX *mem_ctx, int fd, size_t max, char **text, size_t *len);

/** Write all of it. @return 0 or the errno of write(2), after which a part may have been written */
int fileio_write(int fd, const char *text, size_t len);

#endif
