/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MOST_CAPS 64

/* A systemd unit may grant us less than we would keep. */
static size_t those_there(const int *caps, size_t num, int out[MOST_CAPS])
{
	size_t there = 0;

	for (size_t i = 0; i < num && there < MOST_CAPS; i++) {
		if (capng_have_capability(CAPNG_PERMITTED, (unsigned int)caps[i]) != 0) {
			out[there++] = caps[i];
		}
	}
	return there;
}

static int set(const struct rights *rights, const int *caps, size_t num_caps, bool setpcap)
{
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < num_caps; i++) {
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned int)caps[i]);
		for (size_t j = 0; j < rights->num_child_caps; j++) {
			if (rights->child_caps[j] == caps[i]) {
				capng_update(CAPNG_ADD, CAPNG_INHERITABLE, (unsigned int)caps[i]);
			}
		}
	}
	if (setpcap) {
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SETPCAP);
	}
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : EPERM;
}

/* What has been removed from it cannot come back by executing a program. */
static int empty_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
			return errno;
		}
	}
	return 0;
}

/* The permitted set survives this, the effective one does not. */
static int become(const struct rights *rights)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
	    setgroups(rights->num_groups, rights->groups) != 0 ||
	    setresgid(rights->gid, rights->gid, rights->gid) != 0) {
		return errno;
	}
	(void)setfsgid(rights->file_gid);
	if (setfsgid(rights->file_gid) != (int)rights->file_gid) {
		return EPERM; /* it only returns the previous one */
	}
	if (setresuid(rights->uid, rights->uid, rights->uid) != 0 ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) {
		return errno;
	}
	return 0;
}

int rights_take(const struct rights *rights)
{
	int caps[MOST_CAPS], err;
	size_t num_caps;
	int parent_gone = 0;
	bool setpcap;

	if (capng_get_caps_process() != 0) {
		return EPERM;
	}
	num_caps = those_there(rights->caps, rights->num_caps, caps);
	setpcap = capng_have_capability(CAPNG_PERMITTED, CAP_SETPCAP) != 0;
	(void)prctl(PR_GET_PDEATHSIG, &parent_gone, 0, 0, 0);
	err = become(rights);
	/*
	 * If we were started with a parent death signal (setpriv --pdeathsig) it is still wanted; the kernel
	 * clears it here.
	 */
	if (err == 0 && prctl(PR_SET_PDEATHSIG, parent_gone, 0, 0, 0) != 0) {
		err = errno;
	}
	if (err == 0) {
		err = set(rights, caps, num_caps, setpcap);
	}
	/* Without CAP_SETPCAP it stays as it is; no_new_privs makes it harmless. */
	if (err == 0 && setpcap) {
		err = empty_bounding_set();
	}
	if (err == 0) {
		err = set(rights, caps, num_caps, false);
	}
	if (err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		err = errno;
	}
	return err;
}

int rights_none(void)
{
	if (capng_get_caps_process() != 0) {
		return EPERM;
	}
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : EPERM;
}

int rights_give(int cap)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == 0 ? 0 : errno;
}
