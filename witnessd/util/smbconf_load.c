/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of smb.conf: reading them, following includes, seeing that they have changed. */
#include "witnessd/util/smbconf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "witnessd/util/fileio.h"
#include "witnessd/util/log.h"

/* What a file looked like when it was read; all zero: it was not there. */
struct smbconf_file {
	const char *path;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

static void identify(struct smbconf_file *file, const struct stat *st)
{
	file->dev = st->st_dev;
	file->ino = st->st_ino;
	file->size = st->st_size;
	file->modified = st->st_mtim;
	file->changed = st->st_ctim;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool file_changed(const struct smbconf_file *file)
{
	struct stat st;

	if (stat(file->path, &st) != 0) {
		return file->ino != 0;
	}
	return st.st_dev != file->dev || st.st_ino != file->ino || st.st_size != file->size ||
	       !same_time(&st.st_mtim, &file->modified) || !same_time(&st.st_ctim, &file->changed);
}

bool smbconf_changed(const struct smbconf *conf)
{
	for (size_t i = 0; i < conf->num_files; i++) {
		if (file_changed(&conf->files[i])) {
			return true;
		}
	}
	return false;
}

/* Note a file, whether or not it can be read: when it changes, everything is read again. */
static int note_file(struct smbconf *conf, const char *path, const struct stat *st)
{
	struct smbconf_file *files =
		talloc_realloc(conf, conf->files, struct smbconf_file, conf->num_files + 1);
	struct smbconf_file *file;

	if (files == NULL) {
		return ENOMEM;
	}
	conf->files = files;
	file = &files[conf->num_files];
	*file = (struct smbconf_file){.path = talloc_strdup(conf, path)};
	if (file->path == NULL) {
		return ENOMEM;
	}
	if (st != NULL) {
		identify(file, st);
	}
	conf->num_files++;
	return 0;
}

static int read_fd(struct smbconf_reader *reader, int fd, const char *path)
{
	struct stat st;
	size_t len = 0;
	char *text = NULL;
	int err;

	if (fstat(fd, &st) != 0) {
		return errno;
	}
	err = note_file(reader->conf, path, &st);
	if (err != 0) {
		return err;
	}
	if (!S_ISREG(st.st_mode)) {
		return EINVAL;
	}
	if (st.st_size > SMBCONF_MAX_BYTES) {
		return EFBIG;
	}
	/* Text appended meanwhile changes the size of the file and is read next time. */
	err = fileio_read(reader, fd, (size_t)st.st_size, &text, &len);
	err = err != 0 ? err : smbconf_read_text(reader, text, len);
	talloc_free(text);
	return err;
}

static int read_file(struct smbconf_reader *reader, const char *path)
{
	/* Not blocking, in case it is a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0) {
		err = errno;
		return note_file(reader->conf, path, NULL) != 0 ? ENOMEM : err;
	}
	err = read_fd(reader, fd, path);
	close(fd);
	return err;
}

static int include(struct smbconf_reader *reader, const char *path)
{
	int err;

	if (path[0] != '/' || strchr(path, '%') != NULL) {
		log_debug("smb.conf: include of %s is not followed",
			  log_escape(reader->conf, path));
		return 0;
	}
	if (reader->depth == SMBCONF_MAX_DEPTH || reader->conf->num_files == SMBCONF_MAX_FILES) {
		log_warn("smb.conf: too many includes: %s is left out",
			 log_escape(reader->conf, path));
		return 0;
	}
	reader->depth++;
	err = read_file(reader, path);
	reader->depth--;
	return err == ENOMEM ? ENOMEM : 0;
}

int smbconf_load(TALLOC_CTX *mem_ctx, const char *path, struct smbconf **out)
{
	struct smbconf_reader *reader = smbconf_reader_new(mem_ctx);

	if (reader == NULL) {
		return ENOMEM;
	}
	reader->include = include;
	return smbconf_reader_end(mem_ctx, reader, read_file(reader, path), out);
}
