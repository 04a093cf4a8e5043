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
#include "witnessd/util/clock.h"
#include "witnessd/util/mono.h"

#define DEFAULT_TIMEOUT_S 15
#define TIMEOUT_MAX_S     3600

struct probe {
	struct tevent_context *ev;
	struct remote remote;
	struct swn_client_params params;
	struct rpc_client *client;
	uint16_t port; /* of the witness interface */
	unsigned long timeout_s;
	uint64_t end_ms; /* of all of it */
	bool json;
	char *why; /* a sentence, after a failure */
};

struct reply {
	uint8_t *stub;
	size_t len;
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
		return remote_number(remote, "timeout", arg, 1, TIMEOUT_MAX_S, &probe->timeout_s);
	case OPT_HELP:
		fputs(help, stdout);
		return CTL_OK;
	default:
		fputs("Try: witnessctl probe --help\n", stderr); /* getopt has complained */
		return CTL_USAGE;
	}
}

static void fill_logon(struct probe *probe)
{
	const struct remote *remote = &probe->remote;

	probe->params.cred = (struct rpc_cred){
		.user = remote->account,
		.domain = remote->domain,
		.password = remote->account != NULL ? remote->password : NULL,
		.no_ntlm = remote->kerberos || remote->user == NULL,
	};
	/* Without SPNEGO around it Kerberos says what is wrong. */
	probe->params.auth_type = remote->kerberos ? RPC_AUTH_KRB5
				  : remote->ntlm   ? RPC_AUTH_NTLM
						   : RPC_AUTH_SPNEGO;
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
	ret = ret < 0 ? remote_credentials(&probe->remote) : ret;
	if (ret < 0) {
		fill_logon(probe);
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

/* Run a request until it is done or the time has come, which replaces the request's own timeout. */
static int finish(struct probe *probe, struct tevent_req *req, uint64_t end_ms)
{
	uint64_t now_ms = clock_ms();

	if (req == NULL ||
	    !mono_req_timeout(req, probe->ev, end_ms > now_ms ? end_ms - now_ms : 0) ||
	    !tevent_req_poll(req, probe->ev)) {
		return ENOMEM;
	}
	return 0;
}

/* A failure with a sentence that begins with the step. */
static int failed(struct probe *probe, const char *step, int err)
{
	probe->why = talloc_asprintf(probe, "%s: %s", step, strerror(err));
	return err;
}

static int map(struct probe *probe, struct rpc_client_params *params)
{
	struct tevent_req *req =
		rpc_epm_map_send(probe, probe->ev, &params->addr, probe->params.epm_port,
				 &params->iface, params->timeout_ms);
	int err = finish(probe, req, probe->end_ms);

	if (err != 0) {
		return err;
	}
	err = rpc_epm_map_recv(req, &params->port);
	talloc_free(req);
	if (err == EPROTONOSUPPORT) {
		probe->why = talloc_strdup(probe, "no witness service is registered there");
		return err;
	}
	return err == 0 ? 0 : failed(probe, "endpoint mapper", err);
}

/* Endpoint mapper, bind, and the logon if there is one. */
static int open_client(struct probe *probe)
{
	struct rpc_client_params params = {
		.addr = probe->params.server,
		.iface = RPC_SYNTAX_WITNESS,
		.auth_type = is_anonymous(probe) ? RPC_AUTH_NONE : probe->params.auth_type,
		.auth_level = is_anonymous(probe) ? RPC_LEVEL_NONE : probe->params.auth_level,
		.cred = &probe->params.cred,
		.target = probe->params.target,
		.auth = probe->params.auth,
		.timeout_ms = TIMEOUT_MAX_S * 1000, /* the whole has an end of its own */
	};
	struct tevent_req *req;
	int err = map(probe, &params);

	if (err != 0) {
		return err;
	}
	probe->port = params.port;
	req = rpc_client_connect_send(probe, probe->ev, &params);
	err = finish(probe, req, probe->end_ms);
	if (err != 0) {
		return err;
	}
	err = rpc_client_connect_recv(req, probe, &probe->client, &probe->why);
	talloc_free(req);
	return err;
}

/* One call; a fault is a failure. */
static int call(struct probe *probe, enum swn_opnum opnum, const uint8_t *stub, size_t len,
		uint64_t end_ms, struct reply *reply)
{
	struct tevent_req *req = rpc_client_call_send(probe, probe->ev, probe->client,
						      (uint16_t)opnum, stub, len, 0);
	uint32_t fault = 0;
	int err = finish(probe, req, end_ms);

	if (err != 0) {
		return err;
	}
	err = rpc_client_call_recv(req, probe, &fault, &reply->stub, &reply->len);
	talloc_free(req);
	if (err == 0 && fault != 0) {
		probe->why = talloc_asprintf(probe, "fault 0x%08x", fault);
		err = fault == RPC_FAULT_ACCESS_DENIED ? EACCES : EREMOTEIO;
	}
	return err;
}

/*
 * The answer to GetInterfaceList is held back while no interface is available (MS-SWN 3.1.4.1). A server
 * that answers something else meanwhile, that there is no registration of handle 0, does so.
 */
static int ask_something_else(struct probe *probe)
{
	const struct swn_handle nobody = {0};
	struct reply reply = {NULL, 0};
	uint32_t werror = 0;
	size_t len = 0;
	uint8_t *stub = NULL;
	int err = swn_push_handle(probe, &nobody, &stub, &len);

	err = err == 0 ? call(probe, SWN_UNREGISTER, stub, len, probe->end_ms, &reply) : err;
	err = err == 0 ? swn_pull_werror_reply(reply.stub, reply.len, &werror) : err;
	if (err != 0) {
		return probe->why != NULL ? err : failed(probe, "UnRegister", err);
	}
	return 0;
}

static int get_list(struct probe *probe, struct swn_interface_list **list)
{
	struct reply reply = {NULL, 0};
	uint32_t werror = 0;
	uint64_t patience_ms = clock_ms() + (uint64_t)probe->timeout_s * 500;
	int err = call(probe, SWN_GET_INTERFACE_LIST, NULL, 0, patience_ms, &reply);

	if (err == ETIMEDOUT) {
		return ask_something_else(probe);
	}
	if (err == 0) {
		err = swn_pull_interface_list_reply(probe, reply.stub, reply.len, list, &werror);
	}
	if (err != 0) {
		return probe->why != NULL ? err : failed(probe, "GetInterfaceList", err);
	}
	if (werror != SWN_SUCCESS && werror != SWN_ERROR_NO_MORE_ITEMS) {
		probe->why = talloc_asprintf(probe, "GetInterfaceList: %s (%u)",
					     swn_werror_name(werror), werror);
		return EREMOTEIO;
	}
	if (*list == NULL) {
		*list = talloc_zero(probe, struct swn_interface_list);
	}
	return *list != NULL ? 0 : ENOMEM;
}

/* ---- what it says ---- */

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
	return json_pack("{s:o*, s:s, s:b, s:o}", "group",
			 entry->group_name != NULL ? text_json(entry->group_name) : NULL, "state",
			 state, "witness", (int)entry->witness, "addresses", list);
}

/* interfaces NULL: none were told */
static void show(const struct probe *probe, const json_t *interfaces)
{
	static const struct table_column columns[] = {
		{"ADDRESSES", "addresses"}, {"GROUP", "group"}, {"STATE", "state"},
		{"WITNESS", "witness"},     {NULL, NULL},
	};

	printf("%s serves the witness interface at port %u", probe->remote.server, probe->port);
	if (interfaces != NULL) {
		printf(" and lists %zu interfaces\n", json_array_size(interfaces));
		table_print(stdout, interfaces, columns, table_terminal_width(stdout));
	} else if (is_anonymous(probe)) {
		puts("; without a logon its interfaces were not asked for");
	} else {
		puts("; it lists its interfaces when one of them is available");
	}
}

/* list NULL: none was told */
static void report(const struct probe *probe, const struct swn_interface_list *list)
{
	json_t *interfaces = list != NULL ? json_array() : NULL, *result;

	for (size_t i = 0; list != NULL && i < list->num; i++) {
		json_array_append_new(interfaces, interface_json(&list->entries[i]));
	}
	if (probe->json) {
		result = json_pack("{s:o, s:i, s:b, s:o*}", "server",
				   text_json(probe->remote.server), "port", (int)probe->port,
				   "authenticated", (int)!is_anonymous(probe), "interfaces",
				   json_incref(interfaces));
		ctl_print_json(result);
		json_decref(result);
	} else {
		show(probe, interfaces);
	}
	json_decref(interfaces);
}

static int run_probe(struct probe *probe)
{
	struct swn_interface_list *list = NULL;
	int err = is_anonymous(probe)
			  ? 0
			  : rpc_auth_create(probe, probe->ev, NULL, &probe->params.auth);

	err = err == 0 ? open_client(probe) : err;
	if (err == 0 && !is_anonymous(probe)) {
		err = get_list(probe, &list);
	}
	if (err == 0) {
		report(probe, list);
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
	probe->params = (struct swn_client_params){.auth_level = RPC_LEVEL_INTEGRITY};
	probe->timeout_s = DEFAULT_TIMEOUT_S;
	probe->json = ctl->json;
	ret = parse(probe, argc, argv);
	if (ret >= 0) {
		talloc_free(probe);
		return ret;
	}
	probe->end_ms = clock_ms() + (uint64_t)probe->timeout_s * 1000;
	probe->ev = tevent_context_init(probe);
	ret = probe->ev == NULL ? ENOMEM : run_probe(probe);
	if (ret != 0) {
		fprintf(stderr, "witnessctl: %s: %s\n", probe->remote.server,
			probe->why != NULL ? probe->why : strerror(ret));
	}
	talloc_free(probe);
	return ret == 0 ? CTL_OK : CTL_FAILED;
}
