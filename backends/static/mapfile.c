/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/static/mapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/static/map.h"

/* Read until the end or until the buffer is full. @return 0 or errno */
static int read_all(int fd, char *buf, size_t size, size_t *len)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, buf + have, size - have);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return errno;
		}
		if (n == 0) {
			break;
		}
		have += (size_t)n;
	}
	*len = have;
	return 0;
}

static int read_fd(TALLOC_CTX *mem_ctx, int fd, char **text, size_t *len)
{
	struct stat st;
	size_t have = 0;
	char *buf;
	int err;

	if (fstat(fd, &st) != 0) {
		return errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return EINVAL;
	}
	if (st.st_size > STATIC_MAP_MAX_BYTES) {
		return EFBIG;
	}
	/* It may grow while it is read: a byte more than allowed is what tells. */
	buf = talloc_array(mem_ctx, char, (size_t)st.st_size + 2);
	if (buf == NULL) {
		return ENOMEM;
	}
	err = read_all(fd, buf, (size_t)st.st_size + 1, &have);
	if (err == 0 && have > (size_t)st.st_size) {
		err = EAGAIN;
	}
	if (err != 0) {
		talloc_free(buf);
		return err;
	}
	buf[have] = '\0';
	*text = buf;
	*len = have;
	return 0;
}

int mapfile_read(TALLOC_CTX *mem_ctx, const char *path, char **text, size_t *len)
{
	/* Not blocking, in case it is a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0) {
		return errno;
	}
	err = read_fd(mem_ctx, fd, text, len);
	close(fd);
	return err;
}

static int write_all(int fd, const char *text, size_t len)
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

static int fill_temporary(int fd, const struct stat *like, const char *text, size_t len)
{
	int err;

	/* Only root can give files away; for others the owner is who wrote it last. */
	if (fchown(fd, like->st_uid, like->st_gid) != 0 && errno != EPERM) {
		return errno;
	}
	if (fchmod(fd, like->st_mode & 07777) != 0) {
		return errno;
	}
	err = write_all(fd, text, len);
	if (err == 0 && fsync(fd) != 0) {
		err = errno;
	}
	return err;
}

/* The rename is on disk when the folder is. */
static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static int replace(const char *target, const struct stat *like, const char *text, size_t len)
{
	char *temporary = talloc_asprintf(NULL, "%s.XXXXXX", target);
	int fd, err;

	if (temporary == NULL) {
		return ENOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		talloc_free(temporary);
		return err;
	}
	err = fill_temporary(fd, like, text, len);
	if (close(fd) != 0 && err == 0) {
		err = errno;
	}
	if (err == 0 && rename(temporary, target) != 0) {
		err = errno;
	}
	if (err != 0) {
		unlink(temporary);
	} else {
		sync_folder(target);
	}
	talloc_free(temporary);
	return err;
}

int mapfile_write(const char *path, const char *text, size_t len)
{
	char *target = realpath(path, NULL);
	struct stat like;
	int err;

	if (target == NULL) {
		return errno;
	}
	err = stat(target, &like) == 0 ? replace(target, &like, text, len) : errno;
	free(target);
	return err;
}

int mapfile_lock(const char *path, int *fd)
{
	char copy[PATH_MAX];
	int dir, err;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy)) {
		return ENAMETOOLONG;
	}
	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		return errno;
	}
	if (flock(dir, LOCK_EX | LOCK_NB) != 0) {
		err = errno;
		close(dir);
		return err;
	}
	*fd = dir;
	return 0;
}
