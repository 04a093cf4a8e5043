/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/fileio.h"

#include <errno.h>
#include <unistd.h>

int fileio_read(TALLOC_CTX *mem_ctx, int fd, size_t max, char **text, size_t *len)
{
	char *buf = talloc_array(mem_ctx, char, max + 1);
	size_t have = 0;

	if (buf == NULL) {
		return ENOMEM;
	}
	while (have < max) {
		ssize_t n = read(fd, buf + have, max - have);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			int err = errno;

			talloc_free(buf);
			return err;
		}
		if (n == 0) {
			break;
		}
		have += (size_t)n;
	}
	buf[have] = '\0';
	*text = buf;
	*len = have;
	return 0;
}

int fileio_write(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return errno;
		}
		text += n;
		len -= (size_t)n;
	}
	return 0;
}
