/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/watch.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "witnessctl/ctl.h"
#include "witnessctl/remote.h"

#define DEFAULT_EXEC_TIMEOUT_S 60

enum {
	OPT_SERVER = 256,
	OPT_JSON,
	OPT_USER,
	OPT_PASSWORD,
	OPT_PASSWORD_FILE,
	OPT_KERBEROS,
	OPT_NTLM,
	OPT_SHARE,
	OPT_IP_NOTIFY,
	OPT_RESUME,
	OPT_KEEP_ALIVE,
	OPT_CLIENT_NAME,
	OPT_V1,
	OPT_EPM_PORT,
	OPT_SEAL,
	OPT_COUNT,
	OPT_TIMEOUT,
	OPT_TARGET,
	OPT_EXEC,
	OPT_EXEC_ALL,
	OPT_EXEC_TIMEOUT,
	OPT_DEBUG,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"server", required_argument, NULL, OPT_SERVER},
	{"json", no_argument, NULL, OPT_JSON},
	{"user", required_argument, NULL, OPT_USER},
	{"password", required_argument, NULL, OPT_PASSWORD},
	{"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
	{"kerberos", no_argument, NULL, OPT_KERBEROS},
	{"ntlm", no_argument, NULL, OPT_NTLM},
	{"share", required_argument, NULL, OPT_SHARE},
	{"ip-notify", no_argument, NULL, OPT_IP_NOTIFY},
	{"resume", no_argument, NULL, OPT_RESUME},
	{"keep-alive", required_argument, NULL, OPT_KEEP_ALIVE},
	{"client-name", required_argument, NULL, OPT_CLIENT_NAME},
	{"v1", no_argument, NULL, OPT_V1},
	{"epm-port", required_argument, NULL, OPT_EPM_PORT},
	{"seal", no_argument, NULL, OPT_SEAL},
	{"count", required_argument, NULL, OPT_COUNT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"target", required_argument, NULL, OPT_TARGET},
	{"exec", required_argument, NULL, OPT_EXEC},
	{"exec-all", no_argument, NULL, OPT_EXEC_ALL},
	{"exec-timeout", required_argument, NULL, OPT_EXEC_TIMEOUT},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: witnessctl watch NETNAME --server ADDRESS [OPTION...] [--exec COMMAND [-- "
	"ARGUMENT...]]\n"
	"\n"
	"Register as a witness client of the SMB server NETNAME, whose address in use is ADDRESS, "
	"and\n"
	"print what the witness tells, until interrupted.\n"
	"\n"
	"  --server ADDRESS       the SMB server's node: asked for the list of witnesses (or a "
	"host name)\n"
	"  --user [DOMAIN\\]USER   log on with a password; without it, Kerberos and the credential "
	"cache\n"
	"  --password-file FILE   the password is the first line of FILE\n"
	"  --password PASSWORD    visible to other users while this starts; WITNESSCTL_PASSWORD in "
	"the\n"
	"                         environment is not\n"
	"  --kerberos             only Kerberos, with the credential cache or with --user\n"
	"  --ntlm                 only NTLM: no KDC is looked for\n"
	"  --target SERVICE@HOST  whom to get a ticket for (default cifs@NETNAME)\n"
	"  --seal                 encrypt, not only sign\n"
	"  --share NAME           register for a share: SHARE_MOVE is wanted, too\n"
	"  --ip-notify            IP_CHANGE is wanted, too\n"
	"  --resume               when the connection is lost, ask the same witness with the old "
	"handle first\n"
	"  --keep-alive SECONDS   the server answers at the latest after so long (default 120)\n"
	"  --client-name NAME     of this computer (default: its host name)\n"
	"  --v1                   register as version 1 clients do\n"
	"  --epm-port PORT        of the endpoint mapper (default 135)\n"
	"  --count N              stop with exit status 0 after N notifications\n"
	"  --timeout SECONDS      stop after so long: exit status 1 when there were fewer than "
	"--count\n"
	"                         notifications or, without it, when there was no registration\n"
	"  --exec COMMAND         run a program for each notification, which is in its environment "
	"(WITNESS_...);\n"
	"                         not by a shell; what stands behind -- are its arguments\n"
	"  --exec-all             run it for every other event, too\n"
	"  --exec-timeout SECONDS end it after so long (default 60; 0: never)\n"
	"  --json                 one JSON object a line\n"
	"  --debug                say on standard error how a server breaks the protocol\n";

/* The options that are not in the parameters yet. */
struct raw {
	struct remote remote;
	struct watch_options *out;
	const char *program; /* --exec */
};

/* What the library calls the options that it has, too, and the range of those with numbers. */
static const struct {
	int opt;
	enum swnc_option option;
	const char *name; /* of one with a number; NULL: text, or set is what a flag means */
	unsigned long min, max;
	uint32_t set;
} library_options[] = {
	{OPT_SHARE, SWNC_SHARE, NULL, 0, 0, 0},
	{OPT_CLIENT_NAME, SWNC_CLIENT_NAME, NULL, 0, 0, 0},
	{OPT_TARGET, SWNC_TARGET, NULL, 0, 0, 0},
	{OPT_KEEP_ALIVE, SWNC_KEEP_ALIVE_S, "keep-alive", 0, UINT32_MAX, 0},
	{OPT_EPM_PORT, SWNC_EPM_PORT, "epm-port", 1, UINT16_MAX, 0},
	{OPT_IP_NOTIFY, SWNC_IP_NOTIFICATION, NULL, 0, 0, 1},
	{OPT_RESUME, SWNC_RESUME, NULL, 0, 0, 1},
	{OPT_V1, SWNC_VERSION, NULL, 0, 0, 1},
	{OPT_SEAL, SWNC_SEAL, NULL, 0, 0, 1},
};

/* Text of the command line for the library. */
static int set_text(struct raw *raw, enum swnc_option option, const char *text)
{
	switch (swnc_config_set_text(raw->out->config, option, text)) {
	case 0:
		return -1;
	case ENOMEM:
		fputs("witnessctl: out of memory\n", stderr);
		return CTL_FAILED;
	default:
		return remote_usage(&raw->remote,
				    "\"%s\" is empty, too long, or not what it should be", text);
	}
}

static int set_number(struct raw *raw, enum swnc_option option, uint32_t number)
{
	return swnc_config_set_number(raw->out->config, option, number) == 0
		       ? -1
		       : remote_usage(&raw->remote, "%u is out of range", number);
}

/* An option that is the library's, or CTL_USAGE. */
static int parse_library(struct raw *raw, int opt, const char *arg)
{
	for (size_t i = 0; i < sizeof(library_options) / sizeof(library_options[0]); i++) {
		unsigned long n = library_options[i].set;

		if (library_options[i].opt != opt) {
			continue;
		}
		if (n != 0) {
			return set_number(raw, library_options[i].option, (uint32_t)n);
		}
		if (library_options[i].name == NULL) {
			raw->out->share = opt == OPT_SHARE ? arg : raw->out->share;
			return set_text(raw, library_options[i].option, arg);
		}
		if (remote_number(&raw->remote, library_options[i].name, arg,
				  library_options[i].min, library_options[i].max, &n) >= 0) {
			return CTL_USAGE;
		}
		return set_number(raw, library_options[i].option, (uint32_t)n);
	}
	fputs("Try: witnessctl watch --help\n", stderr); /* getopt has complained */
	return CTL_USAGE;
}

static int parse_exec(struct raw *raw, int opt, const char *arg)
{
	unsigned long n = 0;
	int ret;

	switch (opt) {
	case OPT_EXEC:
		raw->program = arg;
		return -1;
	case OPT_EXEC_ALL:
		raw->out->exec_all = true;
		return -1;
	default:
		ret = remote_number(&raw->remote, "exec-timeout", arg, 0, 1000000, &n);
		raw->out->exec_timeout_ms = (unsigned int)n * 1000;
		return ret;
	}
}

static int parse_option(struct raw *raw, int opt, char *arg)
{
	unsigned long n = 0;
	int ret;

	switch (opt) {
	case OPT_SERVER:
		raw->remote.server = arg;
		return -1;
	case OPT_USER:
		raw->remote.user = arg;
		return -1;
	case OPT_PASSWORD:
		return remote_password(&raw->remote, arg);
	case OPT_PASSWORD_FILE:
		return remote_password_file(&raw->remote, arg);
	case OPT_KERBEROS:
		raw->remote.kerberos = true;
		return -1;
	case OPT_NTLM:
		raw->remote.ntlm = true;
		return -1;
	case OPT_JSON:
		raw->out->json = true;
		return -1;
	case OPT_DEBUG:
		raw->out->debug = true;
		return -1;
	case OPT_COUNT:
		return remote_number(&raw->remote, "count", arg, 1, UINT32_MAX, &raw->out->count);
	case OPT_TIMEOUT:
		ret = remote_number(&raw->remote, "timeout", arg, 1, 1000000, &n);
		raw->out->timeout_ms = (unsigned int)n * 1000;
		return ret;
	case OPT_EXEC:
	case OPT_EXEC_ALL:
	case OPT_EXEC_TIMEOUT:
		return parse_exec(raw, opt, arg);
	case OPT_HELP:
		fputs(help, stdout);
		return CTL_OK;
	default:
		return parse_library(raw, opt, arg);
	}
}

/* Who we are, and the server, for the library. */
static int fill_config(struct raw *raw)
{
	const struct remote *remote = &raw->remote;
	struct ipaddr server;
	char text[IPADDR_STRLEN];
	int ret = remote_resolve(remote, &server);

	ret = ret < 0 ? remote_credentials(&raw->remote) : ret;
	ret = ret < 0 ? set_text(raw, SWNC_SERVER, ipaddr_format(&server, text)) : ret;
	if (ret < 0 && remote->account != NULL) {
		ret = set_text(raw, SWNC_USER, remote->account);
	}
	if (ret < 0 && remote->domain != NULL && remote->domain[0] != '\0') {
		ret = set_text(raw, SWNC_DOMAIN, remote->domain);
	}
	if (ret < 0 && remote->account != NULL && remote->password != NULL) {
		ret = set_text(raw, SWNC_PASSWORD, remote->password);
	}
	if (ret < 0 && (remote->kerberos || remote->ntlm)) {
		ret = set_number(raw, SWNC_MECHANISMS, remote->ntlm ? SWNC_NTLM : SWNC_KERBEROS);
	}
	return ret;
}

/* talloc frees the configuration with its owner. */
struct config_holder {
	struct swnc_config *config;
};

static int holder_destructor(struct config_holder *holder)
{
	swnc_config_free(holder->config);
	return 0;
}

static int new_config(TALLOC_CTX *mem_ctx, struct watch_options *out)
{
	struct config_holder *holder = talloc_zero(mem_ctx, struct config_holder);

	if (holder != NULL) {
		talloc_set_destructor(holder, holder_destructor);
		holder->config = swnc_config_new();
	}
	if (holder == NULL || holder->config == NULL) {
		fputs("witnessctl: out of memory\n", stderr);
		return CTL_FAILED;
	}
	out->config = holder->config;
	return -1;
}

/* The program and its arguments, which are what follows NETNAME. */
static int fill_exec(struct raw *raw, int argc, const char **argv)
{
	const char **words;

	if (raw->program == NULL) {
		return raw->out->exec_all ? remote_usage(&raw->remote, "--exec-all needs --exec")
					  : -1;
	}
	words = talloc_zero_array(raw->remote.mem_ctx, const char *, (size_t)argc + 2);
	if (words == NULL) {
		fputs("witnessctl: out of memory\n", stderr);
		return CTL_FAILED;
	}
	words[0] = raw->program;
	for (int i = 0; i < argc; i++) {
		words[i + 1] = argv[i];
	}
	raw->out->exec = words;
	return -1;
}

int watch_parse(TALLOC_CTX *mem_ctx, int argc, const char **argv, struct watch_options *out)
{
	struct raw raw = {.remote = {.mem_ctx = mem_ctx, .command = "watch"}, .out = out};
	struct ipaddr literal;
	int ret, opt;

	*out = (struct watch_options){.exec_timeout_ms = DEFAULT_EXEC_TIMEOUT_S * 1000};
	ret = new_config(mem_ctx, out);
	optind = 0; /* the program's own options have been read before */
	opterr = 1;
	while (ret < 0 &&
	       (opt = getopt_long(argc, (char *const *)argv, "", long_options, NULL)) != -1) {
		ret = parse_option(&raw, opt, optarg);
	}
	if (ret >= 0) {
		return ret;
	}
	if (optind == argc) {
		return remote_usage(&raw.remote, "NETNAME is missing");
	}
	if (optind + 1 != argc && raw.program == NULL) {
		return remote_usage(&raw.remote, "one NETNAME, please");
	}
	out->net_name = argv[optind];
	if (ipaddr_parse(out->net_name, &literal) == 0) {
		return remote_usage(&raw.remote,
				    "NETNAME is a name: who uses an address has no witness");
	}
	ret = set_text(&raw, SWNC_NET_NAME, out->net_name);
	ret = ret < 0 ? fill_exec(&raw, argc - optind - 1, argv + optind + 1) : ret;
	return ret < 0 ? fill_config(&raw) : ret;
}
