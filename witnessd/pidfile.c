/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "witnessd/util/log.h"

struct pidfile {
	char *path;
	int fd;
};

static int pidfile_destructor(struct pidfile *pidfile)
{
	if (pidfile->fd >= 0) {
		/* While it is locked: nobody else can have it. A folder of root's keeps an empty file. */
		if (unlink(pidfile->path) != 0 && ftruncate(pidfile->fd, 0) != 0) {
			log_debug("%s is left behind: %s", pidfile->path, strerror(errno));
		}
		close(pidfile->fd);
	}
	return 0;
}

static int locked_by(TALLOC_CTX *mem_ctx, const char *path, int fd, char **why)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	*why = pid > 0 ? talloc_asprintf(mem_ctx,
					 "witnessd is running already, with process id %ld (%s)",
					 pid, path)
		       : talloc_asprintf(mem_ctx, "witnessd is running already: %s is locked",
					 path);
	return EBUSY;
}

/* Open and lock; the file may be removed by its last owner between the two. */
static int lock_file(TALLOC_CTX *mem_ctx, const char *path, int *out, char **why)
{
	struct stat ours, there;

	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		int err;

		if (fd < 0) {
			err = errno;
			*why = talloc_asprintf(mem_ctx, "cannot open the pid file %s: %s", path,
					       strerror(err));
			return err;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			err = locked_by(mem_ctx, path, fd, why);
			close(fd);
			return err;
		}
		if (fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
		    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) {
			*out = fd;
			return 0;
		}
		close(fd);
	}
}

int pidfile_create(TALLOC_CTX *mem_ctx, const char *path, struct pidfile **out, char **why)
{
	struct pidfile *pidfile = talloc_zero(mem_ctx, struct pidfile);
	char text[32];
	int len, ret;

	if (pidfile == NULL) {
		return ENOMEM;
	}
	pidfile->fd = -1;
	pidfile->path = talloc_strdup(pidfile, path);
	talloc_set_destructor(pidfile, pidfile_destructor);
	ret = pidfile->path == NULL ? ENOMEM : lock_file(mem_ctx, path, &pidfile->fd, why);
	if (ret != 0) {
		talloc_free(pidfile);
		return ret;
	}
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(pidfile->fd, 0) != 0 || fchmod(pidfile->fd, 0644) != 0 ||
	    pwrite(pidfile->fd, text, (size_t)len, 0) != len) {
		ret = errno;
		*why = talloc_asprintf(mem_ctx, "cannot write the pid file %s: %s", path,
				       strerror(ret));
		talloc_free(pidfile);
		return ret;
	}
	*out = pidfile;
	return 0;
}
