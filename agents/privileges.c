/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY 65534

int privileges_drop(void)
{
	static const unsigned int kept[] = {CAP_NET_RAW, CAP_NET_ADMIN};
	bool has[2], bounding;
	int ret;

	if (capng_get_caps_process() != 0) {
		return EPERM;
	}
	bounding = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
	for (size_t i = 0; i < 2; i++) {
		has[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]) != 0;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < 2; i++) {
		if (has[i]) {
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
		}
	}
	if (geteuid() == 0) {
		/*
		 * Without CAP_SETPCAP the bounding set cannot be cleared, but it cannot give anything back,
		 * either.
		 */
		ret = capng_change_id(NOBODY, NOBODY,
				      CAPNG_DROP_SUPP_GRP | (bounding ? CAPNG_CLEAR_BOUNDING : 0));
	} else {
		ret = capng_apply(CAPNG_SELECT_CAPS);
	}
	if (ret != 0) {
		return EPERM;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? errno : 0;
}
