/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Authentication and the two endpoints, as the configuration wants them. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "witnessd/rpc/epm.h"
#include "witnessd/util/log.h"

/* The dynamic range of IANA and of Windows, where clients expect an interface. */
#define PORT_MIN      49152
#define PORT_MAX      65535
#define PORT_ATTEMPTS 64

/* Open files that are no connections: the cluster manager's, winbind's, the control socket's. */
#define OWN_FILES 256UL

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

int daemon_auth_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	const struct config *config = daemon->config;
	struct rpc_auth_config auth = {
		.keytab = or_null(config_string(config, "auth.keytab")),
		.krb5 = config_bool(config, "auth.kerberos"),
		.ntlm = config_bool(config, "auth.ntlm"),
		.ntlm_user_file = or_null(config_string(config, "auth.ntlm_user_file")),
		.netbios_name = daemon->names.netbios_name,
		.netbios_domain = daemon->names.netbios_domain,
	};
	int ret = rpc_auth_create(daemon, daemon->ev, &auth, &daemon->auth);

	if (ret != 0 || rpc_auth_offers(daemon->auth, RPC_AUTH_SPNEGO) ||
	    rpc_auth_offers(daemon->auth, RPC_AUTH_KRB5) ||
	    rpc_auth_offers(daemon->auth, RPC_AUTH_NTLM)) {
		return ret;
	}
	/* Every witness call needs integrity: without a mechanism nobody could be served. */
	*why = talloc_asprintf(
		mem_ctx,
		"neither Kerberos nor NTLM can be offered: %s%s, and %s (the log has the details)",
		!auth.krb5 ? "Kerberos is turned off (auth.kerberos)" : "no usable key is in ",
		!auth.krb5            ? ""
		: auth.keytab != NULL ? auth.keytab
				      : "the default keytab (auth.keytab)",
		!auth.ntlm ? "NTLM is turned off (auth.ntlm)"
			   : "the gss-ntlmssp mechanism is missing or unusable");
	return ENOENT;
}

static struct rpc_limits limits_from(const struct config *config)
{
	struct rpc_limits limits = rpc_limits_default;

	limits.connections = config_number(config, "rpc.max_connections");
	limits.connections_principal = config_number(config, "rpc.max_connections_principal");
	limits.unauthenticated = config_number(config, "rpc.max_unauthenticated");
	limits.unauthenticated_source = config_number(config, "rpc.max_unauthenticated_source");
	limits.calls = config_number(config, "rpc.max_calls");
	limits.contexts = config_number(config, "rpc.max_contexts");
	limits.sec_contexts = config_number(config, "rpc.max_security_contexts");
	limits.auth_legs = config_number(config, "rpc.max_auth_steps");
	limits.reassembly = config_number(config, "rpc.max_request");
	limits.fragments = config_number(config, "rpc.max_fragments");
	limits.unsent = config_number(config, "rpc.max_unsent");
	limits.buffered = (size_t)config_number(config, "rpc.max_buffered") * 1024 * 1024;
	limits.auth_failures = config_number(config, "rpc.max_auth_failures");
	limits.patience_ms = config_number(config, "rpc.patience") * 1000;
	limits.bind_ms = config_number(config, "rpc.bind_timeout") * 1000;
	limits.auth_ms = config_number(config, "rpc.auth_timeout") * 1000;
	limits.pdu_ms = config_number(config, "rpc.pdu_timeout") * 1000;
	limits.request_ms = config_number(config, "rpc.request_timeout") * 1000;
	limits.unsent_ms = config_number(config, "rpc.unsent_timeout") * 1000;
	limits.close_ms = config_number(config, "rpc.close_timeout") * 1000;
	limits.keepalive_s = config_number(config, "rpc.keepalive");
	limits.idle_ms = config_number(config, "rpc.idle_timeout") * 1000;
	return limits;
}

unsigned long daemon_files_wanted(const struct config *config)
{
	return config_number(config, "rpc.max_connections") + OWN_FILES;
}

/* Clients must not take the descriptors that the cluster manager's connections need. */
static void fit_file_limit(struct rpc_limits *limits)
{
	unsigned long files = raise_file_limit(limits->connections + OWN_FILES);
	unsigned long most = files > 2 * OWN_FILES ? files - OWN_FILES : files / 2;

	if (most >= limits->connections) {
		return;
	}
	log_warn("Only %lu open files are allowed: at most %lu connections instead of "
		 "rpc.max_connections = %u (raise LimitNOFILE)",
		 files, most, limits->connections);
	limits->connections = (unsigned int)most;
}

int daemon_rpc_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	struct rpc_limits limits = limits_from(daemon->config);
	char *principal;
	int ret;

	fit_file_limit(&limits);
	ret = rpc_server_create(daemon, daemon->ev, &limits, daemon->auth, &daemon->rpc);
	if (ret != 0) {
		return ret;
	}
	principal = talloc_asprintf(mem_ctx, "cifs/%s", daemon->names.net_names[0]);
	return principal != NULL ? rpc_server_set_principal(daemon->rpc, principal) : ENOMEM;
}

/* The sentence for an address and port that can't be listened on. */
static int listen_error(struct daemon *daemon, TALLOC_CTX *mem_ctx, const char *addr,
			unsigned int port, int err, char **why)
{
	bool epm = port == config_number(daemon->config, "rpc.epmapper_port");

	switch (err) {
	case EADDRINUSE:
		*why = talloc_asprintf(
			mem_ctx, "port %u on %s is in use%s", port, addr,
			epm ? ": is samba-dcerpcd or another endpoint mapper running? "
			      "(rpc.epmapper = no leaves the port to it)"
			    : ": rpc.port must be free on every address of rpc.listen");
		break;
	case EACCES:
	case EPERM:
		*why = talloc_asprintf(
			mem_ctx,
			"port %u on %s may not be listened on: start witnessd as root "
			"or with CAP_NET_BIND_SERVICE",
			port, addr);
		break;
	case EADDRNOTAVAIL:
		*why = talloc_asprintf(mem_ctx,
				       "address %s of rpc.listen is not on this host: expected "
				       "addresses that it always has, or 0.0.0.0 and ::",
				       addr);
		break;
	default:
		*why = talloc_asprintf(mem_ctx, "cannot listen on port %u of %s: %s", port, addr,
				       strerror(err));
		break;
	}
	return err;
}

/* Whether an address of the default list may be left out: a kernel without IPv6. */
static bool may_skip(const struct daemon *daemon, int err)
{
	return !config_is_set(daemon->config, "rpc.listen") &&
	       (err == EAFNOSUPPORT || err == EADDRNOTAVAIL);
}

/* Listen on every address of rpc.listen. The first fixes the port when it is 0. */
static int listen_all(struct daemon *daemon, struct rpc_endpoint *endpoint, uint16_t port,
		      TALLOC_CTX *mem_ctx, char **why)
{
	size_t num, listening = 0;
	const char *const *list = config_list(daemon->config, "rpc.listen", &num);
	int ret;

	for (size_t i = 0; i < num; i++) {
		struct ipaddr addr;

		ret = ipaddr_parse(list[i], &addr); /* has been checked with the configuration */
		if (ret == 0) {
			ret = rpc_endpoint_listen(endpoint, &addr, port, NULL);
		}
		if (ret != 0 && may_skip(daemon, ret) && (listening > 0 || i + 1 < num)) {
			log_info("Not listening on %s: %s", list[i], strerror(ret));
			continue;
		}
		if (ret != 0) {
			return listen_error(daemon, mem_ctx, list[i], port, ret, why);
		}
		listening++;
	}
	return 0;
}

static int endpoint_new(struct daemon *daemon, const char *name, const struct rpc_iface *iface,
			void *private_data, struct rpc_endpoint **out)
{
	int ret = rpc_endpoint_create(daemon->rpc, name, out);

	return ret != 0 ? ret : rpc_endpoint_serve(*out, iface, private_data);
}

static int start_epm(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	int ret;

	if (!config_bool(daemon->config, "rpc.epmapper")) {
		return 0;
	}
	ret = endpoint_new(daemon, "epmapper", &rpc_epm_iface, daemon->rpc, &daemon->epm);
	if (ret != 0) {
		return ret;
	}
	return listen_all(daemon, daemon->epm,
			  (uint16_t)config_number(daemon->config, "rpc.epmapper_port"), mem_ctx,
			  why);
}

static int random_port(uint16_t *port)
{
	uint16_t n;

	if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n)) {
		return errno;
	}
	*port = (uint16_t)(PORT_MIN + n % (PORT_MAX - PORT_MIN + 1));
	return 0;
}

/* A port that is free on all addresses. A try that fails half way takes its sockets with it. */
static int listen_random(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	int ret = EADDRINUSE;

	for (int i = 0; i < PORT_ATTEMPTS && ret == EADDRINUSE; i++) {
		uint16_t port = 0;

		TALLOC_FREE(*why);
		TALLOC_FREE(daemon->witness);
		ret = random_port(&port);
		if (ret == 0) {
			ret = endpoint_new(daemon, "witness", &swn_iface, daemon->swn,
					   &daemon->witness);
		}
		if (ret == 0) {
			ret = listen_all(daemon, daemon->witness, port, mem_ctx, why);
		}
	}
	return ret;
}

int daemon_rpc_listen(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	uint16_t port = (uint16_t)config_number(daemon->config, "rpc.port");
	int ret = start_epm(daemon, mem_ctx, why);

	if (ret == 0 && port == 0) {
		ret = listen_random(daemon, mem_ctx, why);
	} else if (ret == 0) {
		ret = endpoint_new(daemon, "witness", &swn_iface, daemon->swn, &daemon->witness);
		if (ret == 0) {
			ret = listen_all(daemon, daemon->witness, port, mem_ctx, why);
		}
	}
	if (ret == 0) {
		log_notice("The witness interface is served on port %u%s",
			   rpc_endpoint_port(daemon->witness),
			   daemon->epm != NULL ? "" : ", without an endpoint mapper of our own");
	}
	return ret;
}

void daemon_address_left(void *private_data, const struct cluster_event *event,
			 const struct cluster_state *state)
{
	struct daemon *daemon = talloc_get_type_abort(private_data, struct daemon);
	char text[IPADDR_STRLEN];
	unsigned int num;

	if ((event->type != CLUSTER_ADDR_LOST && event->type != CLUSTER_ADDR_MOVED) ||
	    !cluster_state_is_local(state, event->from)) {
		return;
	}
	num = rpc_server_drop_local(daemon->rpc, &event->ip);
	if (num > 0) {
		log_notice("%s has left this node: %u connections to it are closed",
			   ipaddr_format(&event->ip, text), num);
	}
}
