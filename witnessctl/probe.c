/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witnessctl probe: whether a server serves witness clients, once. With credentials it asks for the
 * list of interfaces; without, it goes as far as anyone may: endpoint mapper and bind.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "witnessctl/ctl.h"
#include "witnessctl/remote.h"
#include "witnessctl/table.h"
#include "witnessd/swn/client_ops.h"

#define DEFAULT_TIMEOUT_S 15
#define TIMEOUT_MAX_MS    3600000 /* of a step: the whole has an end of its own */

struct probe {
	struct tevent_context *ev;
	struct remote remote;
	struct swn_client_params params;
	unsigned long timeout_s;
	struct timeval end; /* of all of it */
	bool json;
	char *why; /* a sentence, after a failure */
};

enum {
	OPT_SERVER = 256,
	OPT_USER,
	OPT_PASSWORD_FILE,
	OPT_AUTH_FILE,
	OPT_KERBEROS,
	OPT_NTLM,
	OPT_TARGET,
	OPT_EPM_PORT,
	OPT_TIMEOUT,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"server", required_argument, NULL, OPT_SERVER},
	{"user", required_argument, NULL, OPT_USER},
	{"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
	{"auth-file", required_argument, NULL, OPT_AUTH_FILE},
	{"kerberos", no_argument, NULL, OPT_KERBEROS},
	{"ntlm", no_argument, NULL, OPT_NTLM},
	{"target", required_argument, NULL, OPT_TARGET},
	{"epm-port", required_argument, NULL, OPT_EPM_PORT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: witnessctl probe --server ADDRESS [OPTION...]\n\n"
	"Ask a server once for its list of interfaces, as a witness client does first. Without a "
	"logon "
	"only\nthe endpoint mapper and an anonymous bind are tried.\n\n"
	"  --kerberos             log on by Kerberos: credential cache, or KRB5_CLIENT_KTNAME\n"
	"  --user [DOMAIN\\]USER   log on as USER; by --kerberos the password may be missing\n"
	"  --auth-file FILE       username =, password = and domain = in FILE, as for smbclient "
	"-A\n"
	"  --password-file FILE   the password is the first line of FILE\n"
	"  --ntlm                 only NTLM\n"
	"  --target SERVICE@HOST  whom to get a ticket for (default cifs@ADDRESS)\n"
	"  --epm-port PORT        of the endpoint mapper (default 135)\n"
	"  --timeout SECONDS      for all of it (default 15)\n";

static int parse_option(struct probe *probe, int opt, char *arg)
{
	struct remote *remote = &probe->remote;
	unsigned long n = 0;
	int ret;

	switch (opt) {
	case OPT_SERVER:
		remote->server = arg;
		return -1;
	case OPT_USER:
		remote->user = arg;
		return -1;
	case OPT_PASSWORD_FILE:
		return remote_password_file(remote, arg);
	case OPT_AUTH_FILE:
		return remote_auth_file(remote, arg);
	case OPT_KERBEROS:
		remote->kerberos = true;
		return -1;
	case OPT_NTLM:
		remote->ntlm = true;
		return -1;
	case OPT_TARGET:
		probe->params.target = arg;
		return -1;
	case OPT_EPM_PORT:
		ret = remote_number(remote, "epm-port", arg, 1, UINT16_MAX, &n);
		probe->params.epm_port = (uint16_t)n;
		return ret;
	case OPT_TIMEOUT:
		return remote_number(remote, "timeout", arg, 1, TIMEOUT_MAX_MS / 1000,
				     &probe->timeout_s);
	case OPT_HELP:
		fputs(help, stdout);
		return CTL_OK;
	default:
		fputs("Try: witnessctl probe --help\n", stderr); /* getopt has complained */
		return CTL_USAGE;
	}
}

static int parse(struct probe *probe, int argc, const char **argv)
{
	int ret = -1, opt;

	optind = 0; /* the program's own options have been read before */
	opterr = 1;
	while (ret < 0 &&
	       (opt = getopt_long(argc, (char *const *)argv, "", long_options, NULL)) != -1) {
		ret = parse_option(probe, opt, optarg);
	}
	if (ret >= 0) {
		return ret;
	}
	if (optind < argc) {
		return remote_usage(&probe->remote, "%s: no arguments are expected", argv[optind]);
	}
	ret = remote_resolve(&probe->remote, &probe->params.server);
	ret = ret < 0 ? remote_credentials(&probe->remote, &probe->params) : ret;
	if (ret < 0 && probe->remote.kerberos) {
		/* Without SPNEGO around it Kerberos says what is wrong. */
		probe->params.auth_type = RPC_AUTH_KRB5;
	}
	if (ret < 0 && probe->params.target == NULL) {
		probe->params.target = talloc_asprintf(probe, "cifs@%s", probe->remote.server);
	}
	return ret;
}

static bool is_anonymous(const struct probe *probe)
{
	return probe->remote.user == NULL && !probe->remote.kerberos;
}

/* Run a request to its end, which is that of the whole probe at the latest. */
static int finish(struct probe *probe, struct tevent_req *req)
{
	if (req == NULL || !tevent_req_set_endtime(req, probe->ev, probe->end) ||
	    !tevent_req_poll(req, probe->ev)) {
		return ENOMEM;
	}
	return 0;
}

/* ---- without a logon ---- */

static int map(struct probe *probe, const struct rpc_syntax *iface, uint16_t *port)
{
	struct tevent_req *req = rpc_epm_map_send(probe, probe->ev, &probe->params.server,
						  probe->params.epm_port, iface, TIMEOUT_MAX_MS);
	int err = finish(probe, req);

	if (err != 0) {
		return err;
	}
	err = rpc_epm_map_recv(req, port);
	talloc_free(req);
	if (err == EPROTONOSUPPORT) {
		probe->why = talloc_strdup(probe, "no witness service is registered there");
	} else if (err != 0) {
		probe->why = talloc_asprintf(probe, "endpoint mapper: %s", strerror(err));
	}
	return err;
}

static void show_anonymous(const struct probe *probe, uint16_t port)
{
	json_t *result;

	if (!probe->json) {
		printf("%s serves the witness interface at port %u; without a logon its interfaces "
		       "were not asked for\n",
		       probe->remote.server, port);
		return;
	}
	result = json_pack("{s:s, s:b, s:i}", "server", probe->remote.server, "authenticated", 0,
			   "port", (int)port);
	ctl_print_json(result);
	json_decref(result);
}

static int probe_anonymous(struct probe *probe)
{
	struct rpc_client_params params = {
		.addr = probe->params.server,
		.iface = RPC_SYNTAX_WITNESS,
		.auth_type = RPC_AUTH_NONE,
		.auth_level = RPC_LEVEL_NONE,
		.timeout_ms = TIMEOUT_MAX_MS,
	};
	struct rpc_client *client = NULL;
	struct tevent_req *req;
	int err = map(probe, &params.iface, &params.port);

	if (err != 0) {
		return err;
	}
	req = rpc_client_connect_send(probe, probe->ev, &params);
	err = finish(probe, req);
	if (err != 0) {
		return err;
	}
	err = rpc_client_connect_recv(req, probe, &client, &probe->why);
	talloc_free(req);
	talloc_free(client);
	if (err == 0) {
		show_anonymous(probe, params.port);
	}
	return err;
}

/* ---- with a logon ---- */

static json_t *interface_json(const struct swn_interface *entry)
{
	const struct ipaddr *addrs[] = {&entry->ipv4, &entry->ipv6};
	const char *state = entry->state == SWN_INTERFACE_AVAILABLE     ? "available"
			    : entry->state == SWN_INTERFACE_UNAVAILABLE ? "unavailable"
									: "unknown";
	json_t *list = json_array();
	char ip[IPADDR_STRLEN];

	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		if (addrs[i]->family != 0) {
			json_array_append_new(list, json_string(ipaddr_format(addrs[i], ip)));
		}
	}
	return json_pack("{s:s*, s:s, s:b, s:o}", "group", entry->group_name, "state", state,
			 "witness", (int)entry->witness, "addresses", list);
}

static void show_list(const struct probe *probe, const struct swn_interface_list *list)
{
	static const struct table_column columns[] = {
		{"ADDRESSES", "addresses"}, {"GROUP", "group"}, {"STATE", "state"},
		{"WITNESS", "witness"},     {NULL, NULL},
	};
	json_t *interfaces = json_array(), *result;

	for (size_t i = 0; i < list->num; i++) {
		json_array_append_new(interfaces, interface_json(&list->entries[i]));
	}
	if (probe->json) {
		result = json_pack("{s:s, s:b, s:O}", "server", probe->remote.server,
				   "authenticated", 1, "interfaces", interfaces);
		ctl_print_json(result);
		json_decref(result);
	} else {
		printf("%s lists %zu interfaces\n", probe->remote.server, list->num);
		table_print(stdout, interfaces, columns, table_terminal_width(stdout));
	}
	json_decref(interfaces);
}

static int probe_list(struct probe *probe)
{
	struct swn_interface_list *list = NULL;
	struct tevent_req *req;
	int err = rpc_auth_create(probe, probe->ev, NULL, &probe->params.auth);

	if (err != 0) {
		return err;
	}
	req = swn_list_send(probe, probe->ev, &probe->params, &probe->params.server);
	err = finish(probe, req);
	if (err != 0) {
		return err;
	}
	err = swn_list_recv(req, probe, &list, &probe->why);
	talloc_free(req);
	if (err == 0) {
		show_list(probe, list);
	}
	return err;
}

int cmd_probe(struct ctl *ctl, int argc, const char **argv)
{
	struct probe *probe = talloc_zero(ctl->mem_ctx, struct probe);
	int ret;

	if (probe == NULL) {
		fputs("witnessctl: out of memory\n", stderr);
		return CTL_FAILED;
	}
	probe->remote = (struct remote){.mem_ctx = probe, .command = "probe"};
	probe->params = (struct swn_client_params){.auth_level = RPC_LEVEL_INTEGRITY,
						   .timeout_ms = TIMEOUT_MAX_MS};
	probe->timeout_s = DEFAULT_TIMEOUT_S;
	probe->json = ctl->json;
	ret = parse(probe, argc, argv);
	if (ret >= 0) {
		talloc_free(probe);
		return ret;
	}
	probe->end = tevent_timeval_current_ofs((uint32_t)probe->timeout_s, 0);
	probe->ev = tevent_context_init(probe);
	ret = probe->ev == NULL     ? ENOMEM
	      : is_anonymous(probe) ? probe_anonymous(probe)
				    : probe_list(probe);
	if (ret != 0) {
		fprintf(stderr, "witnessctl: %s: %s\n", probe->remote.server,
			probe->why != NULL ? probe->why : strerror(ret));
	}
	talloc_free(probe);
	return ret == 0 ? CTL_OK : CTL_FAILED;
}
