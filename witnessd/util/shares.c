/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/shares.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "witnessd/util/log.h"

struct shares {
	const char *const *configured;
	const char *path; /* of smb.conf; empty: none */
	struct smbconf *conf;
	int problem; /* why the file could not be read the last time */
};

/* Log once what is wrong, and once when it is fixed. */
static void note_problem(struct shares *shares, int err)
{
	if (err == shares->problem) {
		return;
	}
	shares->problem = err;
	if (err == 0) {
		log_notice("shares: reading %s again", shares->path);
	} else {
		log_warn("shares: cannot read %s: %s", shares->path,
			 err == EINVAL ? "not a regular file" : strerror(err));
	}
}

static void refresh(struct shares *shares)
{
	struct smbconf *conf = NULL;
	int err;

	if (shares->path[0] == '\0' || (shares->problem == 0 && !smbconf_changed(shares->conf))) {
		return;
	}
	err = smbconf_load(shares, shares->path, &conf);
	note_problem(shares, err);
	if (err == 0) {
		talloc_free(shares->conf);
		shares->conf = conf;
		log_info("shares: %s has %zu shares", shares->path, conf->num_shares);
	}
}

const struct smbconf *shares_smbconf(struct shares *shares)
{
	refresh(shares);
	return shares->conf;
}

bool shares_known(void *private_data, const char *share, bool *any)
{
	struct shares *shares = talloc_get_type_abort(private_data, struct shares);

	refresh(shares);
	if (any != NULL) {
		*any = shares->configured[0] != NULL || shares->conf->num_shares > 0;
	}
	for (size_t i = 0; shares->configured[i] != NULL; i++) {
		if (strcasecmp(shares->configured[i], share) == 0) {
			return true;
		}
	}
	return smbconf_has_share(shares->conf, share);
}

int shares_create(TALLOC_CTX *mem_ctx, const char *const *configured, const char *path,
		  struct shares **out)
{
	struct shares *shares = talloc_zero(mem_ctx, struct shares);
	int err;

	if (shares == NULL) {
		return ENOMEM;
	}
	shares->configured = configured;
	shares->path = path;
	/* Start with an empty one, so that there always is one. */
	err = smbconf_parse(shares, "", 0, &shares->conf);
	if (err == 0 && shares->path[0] != '\0') {
		struct smbconf *conf = NULL;

		err = smbconf_load(shares, shares->path, &conf);
		note_problem(shares, err);
		if (err == 0) {
			talloc_free(shares->conf);
			shares->conf = conf;
		}
	}
	if (err == ENOMEM) {
		talloc_free(shares);
		return ENOMEM;
	}
	*out = shares;
	return 0;
}
