/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may use the control socket. */
#include "witnessd/control/control_private.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define DB_BUFFER (1024 * 1024) /* a group with many members is a long line */

/* Users whose only group this is are known by their gid when they come. */
static int add_member(struct control_access *access, const char *name, char *buf)
{
	struct passwd pw, *found = NULL;
	uid_t *members;

	if (getpwnam_r(name, &pw, buf, DB_BUFFER, &found) != 0 || found == NULL) {
		return 0; /* a member that does not exist cannot connect */
	}
	members = talloc_realloc(access, access->members, uid_t, access->num_members + 1);
	if (members == NULL) {
		return ENOMEM;
	}
	members[access->num_members++] = pw.pw_uid;
	access->members = members;
	return 0;
}

static int lookup_group(struct control_access *access, const char *group)
{
	char *buf = talloc_array(access, char, DB_BUFFER);
	char *buf2 = talloc_array(access, char, DB_BUFFER);
	struct group gr, *found = NULL;
	int ret = 0;

	if (buf == NULL || buf2 == NULL) {
		return ENOMEM;
	}
	if (getgrnam_r(group, &gr, buf, DB_BUFFER, &found) != 0 || found == NULL) {
		return ENOENT;
	}
	access->has_group = true;
	access->group = gr.gr_gid;
	for (size_t i = 0; gr.gr_mem[i] != NULL && ret == 0; i++) {
		ret = add_member(access, gr.gr_mem[i], buf2);
	}
	talloc_free(buf);
	talloc_free(buf2);
	return ret;
}

/* Not the group that we run with, which may have other members. */
static int find_own_group(struct control_access *access)
{
	char *buf = talloc_array(access, char, DB_BUFFER);
	struct passwd pw, *found = NULL;

	if (buf == NULL) {
		return ENOMEM;
	}
	access->own_group =
		getpwuid_r(access->owner, &pw, buf, DB_BUFFER, &found) == 0 && found != NULL
			? pw.pw_gid
			: getegid();
	talloc_free(buf);
	return 0;
}

int control_access_create(TALLOC_CTX *mem_ctx, const char *group, struct control_access **out)
{
	struct control_access *access = talloc_zero(mem_ctx, struct control_access);
	int ret;

	if (access == NULL) {
		return ENOMEM;
	}
	access->owner = geteuid();
	ret = find_own_group(access);
	if (ret == 0 && group != NULL) {
		ret = lookup_group(access, group);
	}
	if (ret != 0) {
		talloc_free(access);
		return ret;
	}
	*out = access;
	return 0;
}

bool control_access_owner(const struct control_access *access, uid_t uid)
{
	return uid == 0 || uid == access->owner;
}

bool control_access_allowed(const struct control_access *access, uid_t uid, gid_t gid)
{
	if (control_access_owner(access, uid) || (access->has_group && gid == access->group)) {
		return true;
	}
	for (size_t i = 0; i < access->num_members; i++) {
		if (access->members[i] == uid) {
			return true;
		}
	}
	return false;
}
