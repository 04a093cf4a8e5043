/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "witnessd/util/fileio.h"
#include "witnessd/util/log.h"
#include "witnessd/util/opener.h"

/* Enough of a file to notice that it is another one. */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct secret {
	char *path;
	char *copy;              /* its name; NULL: the file is read by whoever wants to */
	int slot;                /* of the copy: the number stays, what is behind it changes */
	struct file_stamp stamp; /* when it was read last; zero = no such file */
	int err;                 /* why the last attempt to copy it failed */
};

static struct file_stamp stamp_from(const struct stat *st)
{
	struct file_stamp stamp;

	memset(&stamp, 0, sizeof(stamp)); /* padding, too: stamps are compared as bytes */
	stamp.dev = st->st_dev;
	stamp.ino = st->st_ino;
	stamp.size = st->st_size;
	stamp.mtime = st->st_mtim;
	return stamp;
}

/* The folder may be closed to us as well. */
static struct file_stamp stamp_now(const struct secret *secret)
{
	struct file_stamp none;
	struct stat st;
	int fd;

	memset(&none, 0, sizeof(none));
	if (stat(secret->path, &st) == 0) {
		return stamp_from(&st);
	}
	if (errno == EACCES && secret->copy != NULL && opener_file(secret->path, &fd) == 0) {
		if (fstat(fd, &st) == 0) {
			none = stamp_from(&st);
		}
		close(fd);
	}
	return none;
}

/* @return a new file in memory with what is in fd, or -1 with errno */
static int copy_of(int fd)
{
	char *text = NULL;
	size_t len = 0;
	int copy, err = fileio_read(NULL, fd, SECRET_MAX + 1, &text, &len);

	if (err == 0 && len > SECRET_MAX) {
		err = EFBIG;
	}
	copy = err == 0 ? memfd_create("witnessd-secret", MFD_CLOEXEC) : -1;
	if (err == 0) {
		err = copy < 0 ? errno : fileio_write(copy, text, len);
	}
	if (text != NULL) {
		explicit_bzero(text, len);
	}
	talloc_free(text);
	if (err != 0 && copy >= 0) {
		close(copy);
		copy = -1;
	}
	errno = err;
	return copy;
}

/* @return 0 with a new file in memory, and what it was made of: nothing when there is no file */
static int take_copy(const struct secret *secret, struct file_stamp *stamp, int *copy)
{
	struct stat st;
	int fd, err = opener_file(secret->path, &fd);

	memset(stamp, 0, sizeof(*stamp));
	if (err == ENOENT) {
		*copy = memfd_create("witnessd-secret", MFD_CLOEXEC);
		return *copy < 0 ? errno : 0;
	}
	if (err != 0) {
		return err;
	}
	err = fstat(fd, &st) == 0 ? 0 : errno;
	if (err == 0) {
		*stamp = stamp_from(&st);
		*copy = copy_of(fd);
		err = *copy < 0 ? errno : 0;
	}
	close(fd);
	return err;
}

/*
 * Whoever has the former copy open reads that to its end. What cannot be read leaves the copy as it is and
 * is tried again the next time, which may be with the next client: that it fails is said once.
 */
static int refill(struct secret *secret)
{
	struct file_stamp stamp;
	int copy, err = take_copy(secret, &stamp, &copy);

	if (err == 0) {
		err = dup3(copy, secret->slot, O_CLOEXEC) < 0 ? errno : 0;
		close(copy);
	}
	if (err == 0) {
		secret->stamp = stamp;
	} else if (err != secret->err) {
		log_warn("%s cannot be read: %s", secret->path, strerror(err));
	}
	secret->err = err;
	return err;
}

static int secret_destructor(struct secret *secret)
{
	if (secret->slot >= 0) {
		close(secret->slot);
	}
	return 0;
}

/* The first copy takes the lowest number that is free, and with that the slot. */
static int reserve(struct secret *secret)
{
	secret->slot = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (secret->slot < 0) {
		return errno;
	}
	secret->copy = talloc_asprintf(secret, "/proc/self/fd/%d", secret->slot);
	if (secret->copy == NULL) {
		return ENOMEM;
	}
	(void)refill(secret); /* until it succeeds there is nothing in it */
	return 0;
}

int secret_create(TALLOC_CTX *mem_ctx, const char *path, struct secret **out)
{
	struct secret *secret = talloc_zero(mem_ctx, struct secret);
	int err;

	if (secret == NULL) {
		return ENOMEM;
	}
	secret->slot = -1;
	talloc_set_destructor(secret, secret_destructor);
	secret->path = talloc_strdup(secret, path);
	err = secret->path == NULL ? ENOMEM : 0;
	if (err == 0 && opener_there()) {
		err = reserve(secret);
	} else if (err == 0) {
		secret->stamp = stamp_now(secret);
	}
	if (err != 0) {
		talloc_free(secret);
		return err;
	}
	*out = secret;
	return 0;
}

const char *secret_file(const struct secret *secret)
{
	return secret->path;
}

const char *secret_name(const struct secret *secret)
{
	return secret->copy != NULL ? secret->copy : secret->path;
}

bool secret_changed(struct secret *secret)
{
	struct file_stamp now = stamp_now(secret);

	if (memcmp(&now, &secret->stamp, sizeof(now)) == 0) {
		return false;
	}
	if (secret->copy != NULL) {
		return refill(secret) == 0;
	}
	secret->stamp = now;
	return true;
}
