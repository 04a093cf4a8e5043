/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/watch.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "witnessctl/ctl.h"
#include "witnessctl/remote.h"

#define DEFAULT_KEEP_ALIVE_S 120 /* as Windows asks */

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
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: witnessctl watch NETNAME --server ADDRESS [OPTION...]\n"
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
	"  --json                 one JSON object a line\n"
	"  --debug                say on standard error how a server breaks the protocol\n";

/* The options that are not in the parameters yet. */
struct raw {
	struct remote remote;
	struct watch_options *out;
};

static int parse_numeric(struct raw *raw, int opt, const char *arg)
{
	struct swn_client_params *params = &raw->out->params;
	unsigned long n = 0;
	int ret;

	switch (opt) {
	case OPT_KEEP_ALIVE:
		ret = remote_number(&raw->remote, "keep-alive", arg, 0, UINT32_MAX, &n);
		params->keep_alive_s = (uint32_t)n;
		return ret;
	case OPT_EPM_PORT:
		ret = remote_number(&raw->remote, "epm-port", arg, 1, UINT16_MAX, &n);
		params->epm_port = (uint16_t)n;
		return ret;
	case OPT_COUNT:
		return remote_number(&raw->remote, "count", arg, 1, UINT32_MAX, &raw->out->count);
	default:
		ret = remote_number(&raw->remote, "timeout", arg, 1, 1000000, &n);
		raw->out->timeout_ms = (unsigned int)n * 1000;
		return ret;
	}
}

static int parse_flag(struct raw *raw, int opt)
{
	struct swn_client_params *params = &raw->out->params;

	switch (opt) {
	case OPT_JSON:
		raw->out->json = true;
		return -1;
	case OPT_DEBUG:
		raw->out->debug = true;
		return -1;
	case OPT_KERBEROS:
		raw->remote.kerberos = true;
		return -1;
	case OPT_NTLM:
		raw->remote.ntlm = true;
		return -1;
	case OPT_IP_NOTIFY:
		params->ip_notification = true;
		return -1;
	case OPT_RESUME:
		params->resume = true;
		return -1;
	case OPT_V1:
		params->v1 = true;
		return -1;
	case OPT_SEAL:
		params->auth_level = RPC_LEVEL_PRIVACY;
		return -1;
	case OPT_HELP:
		fputs(help, stdout);
		return CTL_OK;
	default:
		fputs("Try: witnessctl watch --help\n", stderr); /* getopt has complained */
		return CTL_USAGE;
	}
}

static int parse_option(struct raw *raw, int opt, char *arg)
{
	struct swn_client_params *params = &raw->out->params;

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
	case OPT_SHARE:
		params->share_name = arg;
		return -1;
	case OPT_CLIENT_NAME:
		params->client_name = arg;
		return -1;
	case OPT_TARGET:
		params->target = arg;
		return -1;
	case OPT_KEEP_ALIVE:
	case OPT_EPM_PORT:
	case OPT_COUNT:
	case OPT_TIMEOUT:
		return parse_numeric(raw, opt, arg);
	default:
		return parse_flag(raw, opt);
	}
}

static int fill_defaults(struct raw *raw)
{
	struct swn_client_params *params = &raw->out->params;
	char name[256] = "";

	if (params->client_name == NULL) {
		if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') {
			return remote_usage(&raw->remote,
					    "this computer has no name: use --client-name");
		}
		params->client_name = talloc_strdup(raw->remote.mem_ctx, name);
	}
	if (params->target == NULL) {
		params->target = talloc_asprintf(raw->remote.mem_ctx, "cifs@%s", params->net_name);
	}
	return -1;
}

int watch_parse(TALLOC_CTX *mem_ctx, int argc, const char **argv, struct watch_options *out)
{
	struct raw raw = {.remote = {.mem_ctx = mem_ctx, .command = "watch"}, .out = out};
	struct ipaddr literal;
	int ret = -1, opt;

	*out = (struct watch_options){.params = {.auth_level = RPC_LEVEL_INTEGRITY,
						 .keep_alive_s = DEFAULT_KEEP_ALIVE_S}};
	optind = 0; /* the program's own options have been read before */
	opterr = 1;
	while (ret < 0 &&
	       (opt = getopt_long(argc, (char *const *)argv, "", long_options, NULL)) != -1) {
		ret = parse_option(&raw, opt, optarg);
	}
	if (ret >= 0) {
		return ret;
	}
	if (optind + 1 != argc) {
		return remote_usage(&raw.remote,
				    optind == argc ? "NETNAME is missing" : "one NETNAME, please");
	}
	out->params.net_name = argv[optind];
	if (ipaddr_parse(argv[optind], &literal) == 0) {
		return remote_usage(&raw.remote,
				    "NETNAME is a name: who uses an address has no witness");
	}
	ret = remote_resolve(&raw.remote, &out->params.server);
	ret = ret < 0 ? remote_credentials(&raw.remote, &out->params) : ret;
	return ret < 0 ? fill_defaults(&raw) : ret;
}
