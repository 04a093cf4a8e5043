/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/static/mapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/static/map.h"
#include "witnessd/util/fileio.h"

static int read_fd(TALLOC_CTX *mem_ctx, int fd, char **text, size_t *len)
{
	struct stat st;
	size_t have = 0;
	char *buf = NULL;
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
	/* It may grow while being read: one byte more than allowed shows that. */
	err = fileio_read(mem_ctx, fd, (size_t)st.st_size + 1, &buf, &have);
	if (err != 0) {
		return err;
	}
	if (have > (size_t)st.st_size) {
		talloc_free(buf);
		return EAGAIN;
	}
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
	err = fileio_write(fd, text, len);
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
