/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows looks for a witness only when the share says CLUSTER and CONTINUOUS AVAILABILITY (MS-SMB2 3.2.5.5). */
#include "witnessctl/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "witnessd/util/smbconf.h"
#include "witnessd/util/text_append.h"

#define NAMES_MAX 5 /* shares that are named in a message */

static const char remedy[] = "set smb3 share cap:CLUSTER = yes and smb3 share cap:CONTINUOUS "
			     "AVAILABILITY = yes in [global] or for the share; smbd 4.20 and later "
			     "announce it";

struct count {
	size_t both, one, none;
	char *names; /* of those that lack something */
	size_t num_names;
};

static void add_name(struct count *count, const char *share)
{
	count->num_names++;
	if (count->num_names <= NAMES_MAX) {
		count->names =
			text_append(count->names, "%s%s", count->num_names > 1 ? ", " : "", share);
	} else if (count->num_names == NAMES_MAX + 1) {
		count->names = text_append(count->names, " ...");
	}
}

static void look_at_shares(const struct smbconf *conf, struct count *count)
{
	for (size_t i = 0; i < conf->num_shares; i++) {
		bool cluster = conf->caps[i].cluster == SMBCONF_YES;
		bool available = conf->caps[i].continuous_availability == SMBCONF_YES;

		if (cluster && available) {
			count->both++;
			continue;
		}
		if (cluster || available) {
			count->one++;
		} else {
			count->none++;
		}
		add_name(count, conf->shares[i]);
	}
}

/* An smbd before 4.20 takes the settings and announces nothing. */
static void look_at_smbd(struct doctor *doctor)
{
	char *text = NULL;
	unsigned int major, minor;

	if (doctor_output_of(doctor, "PATH=$PATH:/usr/sbin:/sbin; smbd -V 2>/dev/null", &text) !=
		    0 ||
	    sscanf(text, "Version %u.%u", &major, &minor) != 2) {
		return;
	}
	if (major < 4 || (major == 4 && minor < 20)) {
		doctor_tell(doctor, DOCTOR_WARN, "smbd", "update Samba",
			    "version %u.%u cannot announce share capabilities, 4.20 can", major,
			    minor);
	} else {
		doctor_tell(doctor, DOCTOR_OK, "smbd", NULL,
			    "version %u.%u announces share capabilities", major, minor);
	}
	talloc_free(text);
}

static void tell(struct doctor *doctor, const char *path, const struct smbconf *conf)
{
	struct count count = {.names = talloc_strdup(doctor, "")};

	look_at_shares(conf, &count);
	if (conf->num_shares == 0) {
		doctor_tell(doctor, DOCTOR_WARN, path,
			    "shares of the registry or of usershares are not seen here: look at "
			    "testparm -s, and name them in witness.shares",
			    "has no shares");
	} else if (count.both == 0 && conf->clustering) {
		doctor_tell(
			doctor, DOCTOR_WARN, path, remedy,
			"no share sets both CLUSTER and CONTINUOUS AVAILABILITY; with clustering = "
			"yes smbd announces what it thinks right");
	} else if (count.both == 0) {
		doctor_tell(doctor, DOCTOR_FAIL, path, remedy,
			    "no share announces both CLUSTER and CONTINUOUS AVAILABILITY: clients "
			    "never "
			    "look for a witness (%s)",
			    count.names);
	} else if (count.one > 0) {
		doctor_tell(
			doctor, DOCTOR_WARN, path, remedy,
			"%zu of %zu shares announce both CLUSTER and CONTINUOUS AVAILABILITY, %zu "
			"only one, which has no effect (%s)",
			count.both, conf->num_shares, count.one, count.names);
	} else if (count.none > 0) {
		doctor_tell(
			doctor, DOCTOR_WARN, path, remedy,
			"%zu of %zu shares announce CLUSTER and CONTINUOUS AVAILABILITY; not: %s",
			count.both, conf->num_shares, count.names);
	} else {
		doctor_tell(doctor, DOCTOR_OK, path, NULL,
			    "all shares (%zu) announce CLUSTER and CONTINUOUS AVAILABILITY",
			    count.both);
	}
	talloc_free(count.names);
}

void doctor_check_shares(struct doctor *doctor)
{
	const char *path = doctor_config(doctor, "witness.smb_conf");
	struct smbconf *conf = NULL;
	int err;

	if (path[0] == '\0') {
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "witness.smb_conf is empty");
		return;
	}
	err = smbconf_load(doctor, path, &conf);
	if (err != 0) {
		doctor_tell(doctor, DOCTOR_FAIL, path,
			    "witness.smb_conf must name Samba's configuration, readable by root",
			    "cannot be read: %s", strerror(err));
		return;
	}
	tell(doctor, path, conf);
	talloc_free(conf);
	look_at_smbd(doctor);
}
