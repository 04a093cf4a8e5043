/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From root to the user that witnessd runs as: docs/security.md says who keeps what and why. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <krb5.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "witnessd/util/log.h"
#include "witnessd/util/opener.h"
#include "witnessd/util/rights.h"
#include "witnessd/util/sandbox.h"
#include "witnessd/util/spawn.h"

#define MOST_GROUPS 256
#define MOST_ARGS   24
#define DEFAULT_DIR "/var/lib/witnessd" /* ours by its name, so it may be given to our user */

/* Whom to become. */
struct target {
	const char *user;
	uid_t uid;
	gid_t gid;     /* for others to see, as Corosync does */
	gid_t own_gid; /* of what it makes: nobody else is in that group */
	gid_t groups[MOST_GROUPS];
	int num_groups;
};

/* --- the user and its groups --- */

static int no_user(TALLOC_CTX *mem_ctx, const char *user, char **why)
{
	*why = talloc_asprintf(
		mem_ctx,
		"global.user: there is no user %s on this host: expected one to run as after the "
		"start. "
		"Create it (systemd-sysusers witnessd.conf, or useradd --system %s), or say "
		"global.user = root to stay what witnessd was started as",
		user, user);
	return ENOENT;
}

static void add_group(struct target *target, const char *name)
{
	const struct group *gr = name[0] != '\0' ? getgrnam(name) : NULL;

	if (gr != NULL && target->num_groups < MOST_GROUPS) {
		target->groups[target->num_groups++] = gr->gr_gid;
	}
}

/*
 * The group that witnessd runs with. Corosync asks for it, and Pacemaker tells Corosync to let its own
 * group in; so no file in /etc/corosync/uidgid.d is needed.
 */
static int find_group(const struct config *config, const struct passwd *pw, struct target *target,
		      TALLOC_CTX *mem_ctx, char **why)
{
	const char *name = config_string(config, "global.group");
	bool set = name[0] != '\0';
	const struct group *gr;

	target->gid = target->own_gid = pw->pw_gid;
	if (!set && strcmp(config_string(config, "global.backend"), "pacemaker") == 0) {
		name = "haclient";
	}
	gr = name[0] != '\0' ? getgrnam(name) : NULL;
	if (gr == NULL && set) {
		*why = talloc_asprintf(
			mem_ctx,
			"global.group: there is no group %s on this host: expected one, "
			"or nothing",
			name);
		return ENOENT;
	}
	if (gr != NULL) {
		target->gid = gr->gr_gid;
	}
	return 0;
}

static int find_target(const struct config *config, struct target *target, TALLOC_CTX *mem_ctx,
		       char **why)
{
	const char *user = config_string(config, "global.user");
	const struct passwd *pw = getpwnam(user);
	int err;

	if (pw == NULL) {
		return no_user(mem_ctx, user, why);
	}
	*target = (struct target){.user = user, .uid = pw->pw_uid, .num_groups = MOST_GROUPS - 3};
	err = find_group(config, pw, target, mem_ctx, why);
	if (err != 0) {
		return err;
	}
	if (target->uid == 0 || target->gid == 0 || target->own_gid == 0) {
		*why = talloc_asprintf(
			mem_ctx,
			"global.user and global.group: expected root for the user, or "
			"neither the user nor the group with number 0 (%s)",
			user);
		return EINVAL;
	}
	/* The user's own group is among them: files that are for us alone are its. */
	if (getgrouplist(user, pw->pw_gid, target->groups, &target->num_groups) < 0) {
		*why = talloc_asprintf(mem_ctx, "global.user: %s is in too many groups", user);
		return E2BIG;
	}
	target->groups[target->num_groups++] = target->gid;
	/* Who may use the control socket shares memory with us that has to be given to this group. */
	add_group(target, config_string(config, "global.control_group"));
	add_group(target, "winbindd_priv"); /* winbind checks NTLM logons for its members only */
	return 0;
}

/* --- what belonged to root --- */

/* The open log file, which SIGHUP has opened again. */
static void give_log(const struct daemon *daemon, const struct target *target)
{
	const char *path = daemon_log_target(daemon->options, daemon->config);
	struct stat st;
	int fd = path[0] == '/' ? open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;

	if (fd < 0) {
		return;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == 0 &&
	    fchown(fd, target->uid, (gid_t)-1) != 0) {
		log_warn("%s could not be given to user %s: SIGHUP will not be able to open it "
			 "again: %s",
			 path, target->user, strerror(errno));
	}
	close(fd);
}

/* A folder of another name may be anybody's, and is left as it is. */
static void give_folder(const struct daemon *daemon, const struct target *target)
{
	const char *path = config_string(daemon->config, "global.blackbox_dir");
	bool made = mkdir(path, 0700) == 0;
	struct stat st;
	int fd;

	if (!made && strcmp(path, DEFAULT_DIR) != 0) {
		return;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return; /* witnessctl blackbox will say so */
	}
	if (fstat(fd, &st) == 0 && st.st_uid == 0 && fchown(fd, target->uid, (gid_t)-1) != 0) {
		log_warn("%s could not be given to user %s: %s", path, target->user,
			 strerror(errno));
	}
	close(fd);
}

/* --- witness-opener --- */

struct args {
	char *argv[MOST_ARGS + 1];
	size_t num;
};

static void add_arg(struct args *args, const char *option, char *value)
{
	if (value != NULL && args->num + 2 <= MOST_ARGS) {
		args->argv[args->num++] = (char *)option;
		args->argv[args->num++] = value;
	}
}

/* NULL: there is no Kerberos, or no memory. */
static char *keytab_file(const struct config *config, TALLOC_CTX *mem_ctx)
{
	return config_bool(config, "auth.kerberos")
		       ? rpc_auth_keytab_file(mem_ctx, config_string(config, "auth.keytab"))
		       : NULL;
}

/* What the daemon will ask it for, under the very names that it will ask by. */
static void opener_args(const struct daemon *daemon, TALLOC_CTX *mem_ctx,
			const struct target *target, const char *program, struct args *args)
{
	const struct config *config = daemon->config;
	const char *users = config_string(config, "auth.ntlm_user_file");

	args->argv[args->num++] = (char *)program;
	add_arg(args, "--user", talloc_asprintf(mem_ctx, "%u", (unsigned int)target->uid));
	add_arg(args, "--group", talloc_asprintf(mem_ctx, "%u", (unsigned int)target->own_gid));
	add_arg(args, "--seccomp", (char *)config_string(config, "global.seccomp"));
	add_arg(args, "--quiet", daemon->options->daemon ? (char *)"yes" : NULL);
	add_arg(args, "--file", keytab_file(config, mem_ctx));
	if (users[0] != '\0') {
		add_arg(args, "--file", (char *)users);
	}
	if (strcmp(config_string(config, "global.backend"), "ctdb") == 0) {
		add_arg(args, "--connect", (char *)config_string(config, "ctdb.socket"));
	}
	if (strcmp(config_string(config, "tickle.enabled"), "no") != 0) {
		add_arg(args, "--run", daemon_agent_path(mem_ctx, config));
	}
	args->argv[args->num] = NULL;
}

/* Its first word is whether it has become what it should. */
static int await_opener(int sock)
{
	struct opener_reply reply;
	int none;
	ssize_t n = opener_receive(sock, &reply, sizeof(reply), &none);

	return n == (ssize_t)sizeof(reply) ? reply.err : ENOEXEC;
}

static int start_opener(struct daemon *daemon, const struct target *target, TALLOC_CTX *mem_ctx,
			char **why)
{
	char *path =
		talloc_asprintf(mem_ctx, "%s/witness-opener", daemon_module_dir(daemon->config));
	struct args args = {.num = 0};
	int fds[2], err;
	pid_t pid;

	if (path == NULL) {
		return ENOMEM;
	}
	opener_args(daemon, mem_ctx, target, path, &args);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		return errno;
	}
	err = spawn_program(&(struct spawn){.argv = args.argv, .in = fds[1], .out = fds[1]}, &pid);
	close(fds[1]);
	if (err == 0) {
		err = await_opener(fds[0]);
	}
	if (err != 0) {
		close(fds[0]);
		*why = talloc_asprintf(mem_ctx,
				       "%s does not start: %s (it keeps what of root's rights is "
				       "needed; global.user = root does without it)",
				       path, strerror(err));
		return err;
	}
	opener_set(fds[0]);
	return 0;
}

static void opener_ended(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags,
			 void *private_data)
{
	struct daemon *daemon = talloc_get_type_abort(private_data, struct daemon);

	/* Nobody else can open the keytab or reach ctdbd again: the manager starts us anew. */
	log_err("witness-opener has ended, which must not be: witnessd ends, too");
	talloc_free(fde);
	daemon->failed = true;
	daemon->end_signal = SIGTERM;
}

/* --- the two steps of the daemon's start --- */

/* Whether others could read or replace it. */
static void check_secret(const char *key, const char *path)
{
	struct stat st;

	if (path == NULL || path[0] == '\0' || stat(path, &st) != 0) {
		return;
	}
	if ((st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
		log_warn("%s: %s has mode %04o: who reads it can log on as others, "
			 "expected 0600 or 0640",
			 key, path, (unsigned int)st.st_mode & 07777);
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		log_warn("%s: %s belongs to user %u, expected root", key, path,
			 (unsigned int)st.st_uid);
	}
}

static void check_secrets(const struct config *config)
{
	char *keytab = keytab_file(config, NULL);

	check_secret("auth.keytab", keytab);
	check_secret("auth.ntlm_user_file", config_string(config, "auth.ntlm_user_file"));
	talloc_free(keytab);
}

/* The memory of control connections is there: in a folder that is not sticky anybody could replace it. */
static void check_shm(void)
{
	struct stat st;

	if (stat("/dev/shm", &st) == 0 &&
	    (st.st_uid != 0 ||
	     ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (st.st_mode & S_ISVTX) == 0))) {
		log_warn("/dev/shm belongs to user %u and has mode %04o, expected root and 1777: "
			 "others "
			 "could change what witnessctl says and hears",
			 (unsigned int)st.st_uid, (unsigned int)st.st_mode & 07777);
	}
}

int daemon_rights_drop(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	static const int caps[] = {CAP_NET_BIND_SERVICE}; /* until the ports are open */
	struct target target;
	struct rights rights;
	int err;

	check_secrets(daemon->config);
	check_shm();
	if (geteuid() != 0 || strcmp(config_string(daemon->config, "global.user"), "root") == 0) {
		return 0;
	}
	err = find_target(daemon->config, &target, mem_ctx, why);
	if (err != 0) {
		return err;
	}
	raise_file_limit(daemon_files_wanted(daemon->config));
	give_log(daemon, &target);
	give_folder(daemon, &target);
	err = start_opener(daemon, &target, mem_ctx, why);
	if (err != 0) {
		return err;
	}
	rights = (struct rights){.uid = target.uid,
				 .gid = target.gid,
				 .file_gid = target.own_gid,
				 .groups = target.groups,
				 .num_groups = (size_t)target.num_groups,
				 .caps = caps,
				 .num_caps = 1};
	err = rights_take(&rights);
	if (err != 0) {
		*why = talloc_asprintf(mem_ctx, "global.user: cannot become %s: %s", target.user,
				       strerror(err));
		return err;
	}
	log_notice("Running as user %s (%u), group %u", target.user, (unsigned int)target.uid,
		   (unsigned int)target.gid);
	return tevent_add_fd(daemon->ev, daemon, opener_socket(), TEVENT_FD_READ, opener_ended,
			     daemon) != NULL
		       ? 0
		       : ENOMEM;
}

int daemon_rights_confine(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	enum sandbox_mode mode = SANDBOX_YES;
	int err = 0;

	(void)sandbox_parse(config_string(daemon->config, "global.seccomp"), &mode);
	if (opener_there()) {
		err = rights_none();
	}
	if (err == 0) {
		err = sandbox_enter(mode, !opener_there());
		if (err != 0) {
			*why = talloc_asprintf(
				mem_ctx,
				"global.seccomp: the kernel does not take the filter: "
				"%s (global.seccomp = no does without it)",
				strerror(err));
		}
	}
	return err;
}
