/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witness-opener(8): does for witnessd what needs root's rights after its start, and nothing else. It is
 * started by witnessd as root, keeps the capabilities that its paths need under the user of witnessd, takes
 * requests only from its standard input, and ends with that. It parses no files, packets or configuration.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "witnessd/util/opener.h"
#include "witnessd/util/rights.h"
#include "witnessd/util/sandbox.h"
#include "witnessd/util/spawn.h"

#define SOCK      STDIN_FILENO
#define MOST_PATH 8

/* What it may be asked for. */
struct allowed {
	enum opener_verb verb;
	char *path;
};

struct opener {
	struct allowed allowed[MOST_PATH];
	size_t num_allowed;
	uid_t uid;
	gid_t gid;
	enum sandbox_mode sandbox;
	bool quiet; /* who waits for EOF on our stderr waits for witnessd to daemonise */
};

static const struct {
	const char *option;
	enum opener_verb verb;
} options[] = {{"--file", OPENER_FILE}, {"--connect", OPENER_CONNECT}, {"--run", OPENER_RUN}};

/* --- what it does --- */

static int open_file(const char *path, int *fd)
{
	struct stat st;

	/* A FIFO would block us, a device might do anything. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0) {
		return errno;
	}
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
		return 0;
	}
	close(*fd);
	*fd = -1;
	return EINVAL;
}

static int connect_to(const char *path, int *fd)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int err;

	if (strlen(path) >= sizeof(un.sun_path)) {
		return ENAMETOOLONG;
	}
	strcpy(un.sun_path, path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0) {
		return errno;
	}
	if (connect(*fd, (struct sockaddr *)&un, sizeof(un)) == 0) {
		return 0;
	}
	err = errno;
	close(*fd);
	*fd = -1;
	return err;
}

static void give_rights(void)
{
	(void)rights_give(CAP_NET_RAW);
	(void)rights_give(CAP_NET_ADMIN);
}

static int run_agent(char *path, int fd, pid_t *pid)
{
	char *argv[] = {path, (char[]){"track"}, NULL};

	return fd < 0 ? EINVAL
		      : spawn_program(
				&(struct spawn){
					.argv = argv, .in = fd, .out = fd, .prepare = give_rights},
				pid);
}

static char *find_allowed(struct opener *opener, const struct opener_request *request)
{
	for (size_t i = 0; i < opener->num_allowed; i++) {
		if (opener->allowed[i].verb == request->verb &&
		    strcmp(opener->allowed[i].path, request->path) == 0) {
			return opener->allowed[i].path;
		}
	}
	return NULL;
}

static void answer(struct opener *opener, struct opener_request *request, int given)
{
	struct opener_reply reply = {.err = EACCES};
	char *path;
	pid_t pid = 0;
	int fd = -1;

	request->path[sizeof(request->path) - 1] = '\0';
	path = find_allowed(opener, request);
	if (path != NULL) {
		switch ((enum opener_verb)request->verb) {
		case OPENER_FILE:
			reply.err = open_file(path, &fd);
			break;
		case OPENER_CONNECT:
			reply.err = connect_to(path, &fd);
			break;
		case OPENER_RUN:
			reply.err = run_agent(path, given, &pid);
			reply.pid = pid;
			break;
		}
	}
	(void)opener_send(SOCK, &reply, sizeof(reply), fd);
	if (fd >= 0) {
		close(fd);
	}
}

static void serve(struct opener *opener)
{
	for (;;) {
		struct opener_request request;
		int given;
		ssize_t n = opener_receive(SOCK, &request, sizeof(request), &given);

		if (n == (ssize_t)sizeof(request)) {
			answer(opener, &request, given);
		}
		if (given >= 0) {
			close(given);
		}
		if (n != (ssize_t)sizeof(request)) {
			return; /* witnessd has ended, or sends garbage */
		}
	}
}

/* --- start --- */

static bool asks_for(const struct opener *opener, enum opener_verb verb)
{
	for (size_t i = 0; i < opener->num_allowed; i++) {
		if (opener->allowed[i].verb == verb) {
			return true;
		}
	}
	return false;
}

static int confine(struct opener *opener)
{
	static const int net[] = {CAP_NET_RAW, CAP_NET_ADMIN};
	int caps[4];
	struct rights rights = {
		.uid = opener->uid, .gid = opener->gid, .file_gid = opener->gid, .caps = caps};
	int err;

	if (asks_for(opener, OPENER_FILE)) {
		caps[rights.num_caps++] = CAP_DAC_READ_SEARCH;
	}
	if (asks_for(opener, OPENER_CONNECT)) {
		caps[rights.num_caps++] =
			CAP_DAC_OVERRIDE; /* a socket is connected to by writing */
	}
	if (asks_for(opener, OPENER_RUN)) {
		caps[rights.num_caps++] = CAP_NET_RAW;
		caps[rights.num_caps++] = CAP_NET_ADMIN;
		rights.child_caps = net;
		rights.num_child_caps = 2;
	}
	err = rights_take(&rights);
	return err != 0 ? err : sandbox_enter(opener->sandbox, true);
}

static void leave_stderr(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDERR_FILENO);
		close(null);
	}
}

/* "--user UID", "--group GID", "--seccomp MODE" or one of options[]. @return whether it is valid */
static bool read_option(struct opener *opener, const char *name, char *value)
{
	char *end = NULL;

	if (strcmp(name, "--seccomp") == 0) {
		return sandbox_parse(value, &opener->sandbox) == 0;
	}
	if (strcmp(name, "--quiet") == 0) {
		opener->quiet = strcmp(value, "yes") == 0;
		return true;
	}
	if (strcmp(name, "--user") == 0) {
		opener->uid = (uid_t)strtoul(value, &end, 10);
		return *end == '\0' && opener->uid != 0;
	}
	if (strcmp(name, "--group") == 0) {
		opener->gid = (gid_t)strtoul(value, &end, 10);
		return *end == '\0' && opener->gid != 0;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(name, options[i].option) == 0 && opener->num_allowed < MOST_PATH &&
		    value[0] == '/') {
			opener->allowed[opener->num_allowed++] =
				(struct allowed){options[i].verb, value};
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	struct opener opener = {.uid = 0, .gid = 0, .sandbox = SANDBOX_YES};
	int err, type = 0;
	socklen_t len = sizeof(type);

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc || !read_option(&opener, argv[i], argv[i + 1])) {
			fprintf(stderr, "witness-opener: not expected: %s\n", argv[i]);
			return 2;
		}
	}
	if (getsockopt(SOCK, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_SEQPACKET ||
	    opener.uid == 0 || opener.gid == 0) {
		fprintf(stderr, "witness-opener: this is for witnessd, which starts it\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for an agent */
	/* From the terminal: when it ends witnessd, we end with that. */
	signal(SIGINT, SIG_IGN);
	if (opener.quiet) {
		leave_stderr();
	}
	err = confine(&opener);
	if (err != 0) {
		struct opener_reply reply = {.err = err};

		(void)opener_send(SOCK, &reply, sizeof(reply), -1);
		return 1;
	}
	(void)opener_send(SOCK, &(struct opener_reply){.err = 0}, sizeof(struct opener_reply), -1);
	serve(&opener);
	return 0;
}
