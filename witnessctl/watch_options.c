/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/watch.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "witnessctl/ctl.h"

#define DEFAULT_KEEP_ALIVE_S 120 /* as Windows asks */
#define PASSWORD_MAX         1024

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

/* What the options say before they are put together. */
struct raw {
	TALLOC_CTX *mem_ctx;
	struct watch_options *out;
	const char *server;
	const char *user;
	const char *password;
	bool kerberos, ntlm;
};

static int usage_error(const char *fmt, ...) PRINTF_ATTRIBUTE(1, 2);

static int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("witnessctl watch: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return CTL_USAGE;
}

/* A whole number between min and max. @return -1, or an exit code after a complaint */
static int parse_number(const char *option, const char *text, unsigned long min, unsigned long max,
			unsigned long *out)
{
	char *end = NULL;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n < min || n > max) {
		return usage_error("--%s must be a number from %lu to %lu, not \"%s\"", option, min,
				   max, text);
	}
	*out = n;
	return -1;
}

static int read_password_file(struct raw *raw, const char *path)
{
	char line[PASSWORD_MAX];
	FILE *f = fopen(path, "re");
	bool got;

	if (f == NULL) {
		return usage_error("%s: %s", path, strerror(errno));
	}
	got = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	if (!got) {
		return usage_error("%s: no password in it", path);
	}
	line[strcspn(line, "\r\n")] = '\0';
	raw->password = talloc_strdup(raw->mem_ctx, line);
	explicit_bzero(line, sizeof(line));
	return -1;
}

/* Out of the sight of ps, as far as that is possible. */
static int take_password(struct raw *raw, char *arg)
{
	raw->password = talloc_strdup(raw->mem_ctx, arg);
	explicit_bzero(arg, strlen(arg));
	return -1;
}

static int parse_numeric(struct raw *raw, int opt, const char *arg)
{
	struct swn_client_params *params = &raw->out->params;
	unsigned long n = 0;
	int ret;

	switch (opt) {
	case OPT_KEEP_ALIVE:
		ret = parse_number("keep-alive", arg, 0, UINT32_MAX, &n);
		params->keep_alive_s = (uint32_t)n;
		return ret;
	case OPT_EPM_PORT:
		ret = parse_number("epm-port", arg, 1, UINT16_MAX, &n);
		params->epm_port = (uint16_t)n;
		return ret;
	case OPT_COUNT:
		return parse_number("count", arg, 1, UINT32_MAX, &raw->out->count);
	default:
		ret = parse_number("timeout", arg, 1, 1000000, &n);
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
		raw->kerberos = true;
		return -1;
	case OPT_NTLM:
		raw->ntlm = true;
		return -1;
	case OPT_IP_NOTIFY:
		params->ip_notification = true;
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
		raw->server = arg;
		return -1;
	case OPT_USER:
		raw->user = arg;
		return -1;
	case OPT_PASSWORD:
		return take_password(raw, arg);
	case OPT_PASSWORD_FILE:
		return read_password_file(raw, arg);
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

/* An address, or a name that has one. */
static int resolve_server(const char *text, struct ipaddr *out)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct sockaddr_storage ss = {0};
	int ret;

	if (text == NULL) {
		return usage_error("--server is missing");
	}
	if (ipaddr_parse(text, out) == 0) {
		return -1;
	}
	ret = getaddrinfo(text, NULL, &hints, &found);
	if (ret != 0) {
		return usage_error("--server %s: %s", text, gai_strerror(ret));
	}
	memcpy(&ss, found->ai_addr, found->ai_addrlen);
	*out = ipaddr_from_sockaddr(&ss);
	freeaddrinfo(found);
	return -1;
}

static int put_credentials_together(struct raw *raw)
{
	struct swn_client_params *params = &raw->out->params;
	const char *backslash = raw->user != NULL ? strchr(raw->user, '\\') : NULL;

	if (raw->kerberos && raw->ntlm) {
		return usage_error("--kerberos and --ntlm exclude each other");
	}
	if (raw->ntlm && raw->user == NULL) {
		return usage_error("--ntlm needs --user");
	}
	params->auth_type = raw->ntlm ? RPC_AUTH_NTLM : RPC_AUTH_SPNEGO;
	params->cred.no_ntlm = raw->kerberos || raw->user == NULL;
	if (raw->user == NULL) {
		return -1;
	}
	if (raw->password == NULL) {
		raw->password = getenv("WITNESSCTL_PASSWORD");
	}
	if (raw->password == NULL) {
		return usage_error("--user needs --password-file, --password or "
				   "WITNESSCTL_PASSWORD in the environment");
	}
	params->cred.password = raw->password;
	params->cred.user = backslash != NULL ? backslash + 1 : raw->user;
	if (backslash != NULL) {
		params->cred.domain =
			talloc_strndup(raw->mem_ctx, raw->user, (size_t)(backslash - raw->user));
	}
	return -1;
}

static int fill_defaults(struct raw *raw)
{
	struct swn_client_params *params = &raw->out->params;
	char name[256] = "";

	if (params->client_name == NULL) {
		if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') {
			return usage_error("this computer has no name: use --client-name");
		}
		params->client_name = talloc_strdup(raw->mem_ctx, name);
	}
	if (params->target == NULL) {
		params->target = talloc_asprintf(raw->mem_ctx, "cifs@%s", params->net_name);
	}
	return -1;
}

int watch_parse(TALLOC_CTX *mem_ctx, int argc, const char **argv, struct watch_options *out)
{
	struct raw raw = {.mem_ctx = mem_ctx, .out = out};
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
		return usage_error(optind == argc ? "NETNAME is missing" : "one NETNAME, please");
	}
	out->params.net_name = argv[optind];
	if (ipaddr_parse(argv[optind], &literal) == 0) {
		return usage_error("NETNAME is a name: who uses an address has no witness");
	}
	ret = resolve_server(raw.server, &out->params.server);
	ret = ret < 0 ? put_credentials_together(&raw) : ret;
	return ret < 0 ? fill_defaults(&raw) : ret;
}
