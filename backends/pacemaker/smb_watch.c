/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/smb_watch.h"
#include "witnessd/util/mono.h"

#include <errno.h>

#define LOOK_S 5 /* a stat() a file */

struct smb_watch {
	const char *path;
	struct mono_alarm *again;
	struct smbconf *conf;
	void (*changed)(void *private_data);
	void *private_data;
};

/* @return whether there is something new; what was read before stays when it cannot be read now */
static bool look(struct smb_watch *watch)
{
	struct smbconf *conf;

	if ((watch->conf != NULL && !smbconf_changed(watch->conf)) ||
	    smbconf_load(watch, watch->path, &conf) != 0) {
		return false;
	}
	talloc_free(watch->conf);
	watch->conf = conf;
	return true;
}

static void look_again(void *private_data)
{
	struct smb_watch *watch = talloc_get_type_abort(private_data, struct smb_watch);

	mono_alarm_set(watch->again, LOOK_S * UINT64_C(1000));
	if (look(watch)) {
		watch->changed(watch->private_data);
	}
}

int smb_watch_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const char *path,
		     void (*changed)(void *private_data), void *private_data,
		     struct smb_watch **out)
{
	struct smb_watch *watch = talloc_zero(mem_ctx, struct smb_watch);
	int err;

	if (watch == NULL) {
		return ENOMEM;
	}
	watch->path = path;
	watch->changed = changed;
	watch->private_data = private_data;
	if (path[0] != '\0') {
		err = mono_alarm_create(watch, ev, look_again, watch, &watch->again);
		if (err != 0) {
			talloc_free(watch);
			return err;
		}
		(void)look(watch);
		mono_alarm_set(watch->again, LOOK_S * UINT64_C(1000));
	}
	*out = watch;
	return 0;
}

const struct smbconf *smb_watch_conf(const struct smb_watch *watch)
{
	return watch->conf;
}
