/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last log lines, kept in memory whatever the log level is, written to a file when somebody asks. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

#define DUMPS 10 /* then the oldest is replaced, so that asking again and again fills no disk */

/*
 * The folder, made if it is missing. libqb opens the file by its path and follows links, so nobody else
 * may write there.
 * @return its descriptor, or -1 with *err and *why
 */
static int open_folder(const char *path, TALLOC_CTX *mem_ctx, int *err, char **why)
{
	struct stat st;
	int fd;

	(void)mkdir(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		*err = errno;
		*why = talloc_asprintf(mem_ctx, "global.blackbox_dir: cannot use %s: %s", path,
				       strerror(*err));
	} else if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		*err = EPERM;
		*why = talloc_asprintf(mem_ctx,
				       "global.blackbox_dir: %s must belong to user %u, and nobody "
				       "else may write there",
				       path, (unsigned int)geteuid());
	} else {
		return fd;
	}
	if (fd != -1) {
		close(fd);
	}
	return -1;
}

/* The number of a name that is free, or of the oldest file. */
static unsigned int pick_number(int dir)
{
	struct timespec oldest = {0};
	unsigned int pick = 0;

	for (unsigned int i = 0; i < DUMPS; i++) {
		char name[32];
		struct stat st;

		(void)snprintf(name, sizeof(name), "blackbox.%u", i);
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
			return i;
		}
		if (i == 0 || st.st_mtim.tv_sec < oldest.tv_sec ||
		    (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec)) {
			oldest = st.st_mtim;
			pick = i;
		}
	}
	return pick;
}

static int dump(const char *folder, TALLOC_CTX *mem_ctx, char **path, char **why)
{
	int err = 0, dir = open_folder(folder, mem_ctx, &err, why);

	if (dir == -1) {
		return err;
	}
	*path = talloc_asprintf(mem_ctx, "%s/blackbox.%u", folder, pick_number(dir));
	close(dir);
	if (*path == NULL) {
		return ENOMEM;
	}
	(void)unlink(*path); /* libqb would leave the end of a longer one */
	err = log_blackbox_write(*path);
	if (err == 0) {
		(void)chmod(*path, 0600);
	} else {
		*why = talloc_asprintf(mem_ctx, "cannot write %s: %s", *path, strerror(err));
	}
	return err;
}

int daemon_cmd_blackbox(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			json_t **result, char **why)
{
	const struct daemon *daemon = private_data;
	char *path = NULL;
	int err;

	if (!log_has_blackbox()) {
		*why = talloc_strdup(mem_ctx, "no log lines are kept: global.blackbox is no");
		return ENOTSUP;
	}
	err = dump(config_string(daemon->config, "global.blackbox_dir"), mem_ctx, &path, why);
	if (err != 0) {
		return err;
	}
	log_notice("The last log lines are in %s", path);
	*result = json_pack("{s:o}", "file", text_json(path));
	if (json_object_get(request, "node") != NULL) { /* a path alone would not say where */
		(void)json_object_set(*result, "node", json_object_get(request, "node"));
	}
	return *result != NULL ? 0 : ENOMEM;
}

void daemon_blackbox_start(const struct config *config)
{
	const char *name = config_string(config, "global.blackbox");
	int level, err;

	if (log_parse_level(name, &level) != 0) {
		return; /* "no" */
	}
	err = log_blackbox_start(level);
	if (err != 0) {
		log_warn("global.blackbox: no log lines are kept: %s", strerror(err));
	}
}
