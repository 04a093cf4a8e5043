/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What witnessctl(8) can ask of the daemon. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/metrics_http.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

static json_t *names_json(const struct daemon *daemon)
{
	json_t *list = json_array();

	for (size_t i = 0; i < daemon->names.num_net_names; i++) {
		json_array_append_new(list, text_json(daemon->names.net_names[i]));
	}
	return list;
}

static json_t *stats_json(const struct rpc_stats *stats)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:i, "
			 "s:I}",
			 "accepted", (json_int_t)stats->accepted, "refused",
			 (json_int_t)stats->refused, "calls_in", (json_int_t)stats->calls_in,
			 "calls_out", (json_int_t)stats->calls_out, "packets_in",
			 (json_int_t)stats->pkts_in, "packets_out", (json_int_t)stats->pkts_out,
			 "faults", (json_int_t)stats->faults, "naks", (json_int_t)stats->naks,
			 "auth_failures", (json_int_t)stats->auth_failures, "connections",
			 (int)stats->connections, "unauthenticated", (int)stats->unauthenticated,
			 "waiting", (int)stats->waiting, "associations", (int)stats->assocs,
			 "calls", (int)stats->calls, "buffered", (json_int_t)stats->buffered);
}

static void add_limited(json_t *json, const char *section, const char *name, uint64_t number)
{
	char key[128];

	(void)snprintf(key, sizeof(key), "%s.%s", section, name);
	json_object_set_new(json, key, json_integer((json_int_t)number));
}

/* How often each limit has cost somebody something, under its name in the file. */
static json_t *limited_json(const struct daemon *daemon)
{
	const struct rpc_stats *rpc = rpc_server_stats(daemon->rpc);
	struct control_stats control = control_server_stats(daemon->control);
	struct metrics_http_stats metrics = {0};
	json_t *json = json_object();

	if (daemon->metrics != NULL) {
		metrics = metrics_http_stats(daemon->metrics);
	}
	for (unsigned int i = 0; i < RPC_NUM_LIMITS; i++) {
		add_limited(json, "rpc", rpc_limit_name((enum rpc_limit)i), rpc->limited[i]);
	}
	for (unsigned int i = 0; i < SWN_NUM_LIMITS; i++) {
		add_limited(json, "witness", swn_limit_name((enum swn_limit)i),
			    swn_service_refused(daemon->swn, (enum swn_limit)i));
	}
	add_limited(json, "witness", "unused_timeout", swn_service_unused(daemon->swn));
	add_limited(json, "global", "max_control_clients", control.refused);
	add_limited(json, "global", "control_timeout", control.timeouts + control.unread);
	add_limited(json, "global", "control_files", control.out_of_files);
	add_limited(json, "metrics", "max_connections", metrics.full);
	add_limited(json, "metrics", "max_connections_source", metrics.refused);
	add_limited(json, "metrics", "timeout", metrics.timeouts);
	add_limited(json, "metrics", "files", metrics.out_of_files);
	return json;
}

static json_t *listen_json(const struct daemon *daemon)
{
	size_t num;
	const char *const *addrs = config_list(daemon->config, "rpc.listen", &num);
	json_t *list = json_array();

	for (size_t i = 0; i < num; i++) {
		json_array_append_new(list, json_string(addrs[i]));
	}
	return list;
}

static json_t *rpc_json(const struct daemon *daemon)
{
	return json_pack("{s:o, s:i, s:o, s:o}", "listen", listen_json(daemon), "port",
			 (int)rpc_endpoint_port(daemon->witness), "epmapper_port",
			 daemon->epm != NULL ? json_integer(rpc_endpoint_port(daemon->epm))
					     : json_null(),
			 "stats", stats_json(rpc_server_stats(daemon->rpc)));
}

/* The numbers of the configuration that limit clients, under their names in the file. */
static json_t *limits_json(const struct daemon *daemon)
{
	json_t *limits = json_object();

	for (const struct config_key *key = config_keys; key->name != NULL; key++) {
		const char *name = strchr(key->name, '.') + 1;

		if (strncmp(name, "max_", 4) == 0 && key->type == CONFIG_NUMBER) {
			json_object_set_new(limits, key->name,
					    json_integer(config_number(daemon->config, key->name)));
		}
	}
	/* It may be lower, for want of files. */
	json_object_set_new(limits, "rpc.max_connections",
			    json_integer(rpc_server_limits(daemon->rpc)->connections));
	return limits;
}

static json_t *auth_json(const struct daemon *daemon)
{
	return json_pack("{s:b, s:b, s:b}", "spnego",
			 rpc_auth_offers(daemon->auth, RPC_AUTH_SPNEGO), "kerberos",
			 rpc_auth_offers(daemon->auth, RPC_AUTH_KRB5), "ntlm",
			 rpc_auth_offers(daemon->auth, RPC_AUTH_NTLM));
}

static json_int_t uptime_s(const struct daemon *daemon)
{
	return (json_int_t)((clock_ms() - daemon->started_ms) / 1000);
}

static int cmd_ping(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request, json_t **result,
		    char **why)
{
	*result = json_pack("{s:s, s:i}", "version", WITNESSD_VERSION, "pid", (int)getpid());
	return *result != NULL ? 0 : ENOMEM;
}

json_t *daemon_status_json(const struct daemon *daemon)
{
	return json_pack("{s:s, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version",
			 WITNESSD_VERSION, "pid", (int)getpid(), "uptime", uptime_s(daemon),
			 "net_names", names_json(daemon), "rpc", rpc_json(daemon), "auth",
			 auth_json(daemon), "cluster", cluster_status_json(daemon->cluster),
			 "witness", swn_service_status_json(daemon->swn), "limits",
			 limits_json(daemon), "limited", limited_json(daemon), "tickle",
			 daemon->conntrack != NULL ? conntrack_status_json(daemon->conntrack)
						   : json_null());
}

static int cmd_status(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      json_t **result, char **why)
{
	*result = daemon_status_json(private_data);
	return *result != NULL ? 0 : ENOMEM;
}

/* Every key of the configuration in force, as it would stand in the file. */
static int cmd_config(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      json_t **result, char **why)
{
	const struct daemon *daemon = private_data;
	json_t *json = json_object();

	for (const struct config_key *key = config_keys; key->name != NULL; key++) {
		(void)json_object_set_new(json, key->name,
					  text_json(config_text(daemon->config, key->name)));
	}
	*result = json;
	return json != NULL ? 0 : ENOMEM;
}

static int cmd_interfaces(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			  json_t **result, char **why)
{
	const struct daemon *daemon = private_data;

	*result = swn_service_interfaces_json(daemon->swn);
	return *result != NULL ? 0 : ENOMEM;
}

/* {"command": "static", "argv": [...]} goes to the backend, if that is its name. */
static int cmd_backend(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		       json_t **result, char **why)
{
	const struct daemon *daemon = private_data;
	const struct backend_ops *ops = cluster_backend_ops(daemon->cluster);
	const char *name = json_string_value(json_object_get(request, "command"));

	if (ops == NULL || strcmp(ops->name, name) != 0) {
		*why = talloc_asprintf(mem_ctx, "this witnessd runs the backend %s, not %s",
				       ops != NULL ? ops->name : "(none)", name);
		return ENOTSUP;
	}
	if (ops->control == NULL) {
		*why = talloc_asprintf(mem_ctx, "the backend %s has no commands", name);
		return ENOTSUP;
	}
	return ops->control(cluster_backend(daemon->cluster), mem_ctx, request, result, why);
}

/* {"level": "debug"} until the next restart or SIGHUP. */
static int cmd_log_level(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
			 json_t **result, char **why)
{
	const char *name = json_string_value(json_object_get(request, "level"));
	int level;

	if (name == NULL || log_parse_level(name, &level) != 0) {
		*why = talloc_strdup(
			mem_ctx, "expected a level: err, warning, notice, info, debug or trace");
		return EINVAL;
	}
	log_set_level(level);
	log_notice("Log level is %s now", name);
	*result = json_pack("{s:s}", "level", name);
	return *result != NULL ? 0 : ENOMEM;
}

static int control_error(struct daemon *daemon, TALLOC_CTX *mem_ctx, int err, char **why)
{
	const char *name = config_string(daemon->config, "global.control");
	const char *group = config_string(daemon->config, "global.control_group");

	switch (err) {
	case EADDRINUSE:
		*why = talloc_asprintf(mem_ctx,
				       "the control socket %s is in use: another witnessd is "
				       "running (global.control names another)",
				       name);
		break;
	case ENOENT:
		*why = talloc_asprintf(
			mem_ctx, "global.control_group: there is no group %s on this host", group);
		break;
	default:
		*why = talloc_asprintf(mem_ctx, "cannot make the control socket %s: %s", name,
				       strerror(err));
		break;
	}
	return err;
}

static const struct {
	const char *name;
	control_fn fn;
	bool anywhere; /* ... and by other nodes: answers at once, and not by a long list */
} commands[] = {
	{"ping", cmd_ping, true},
	{"status", cmd_status, true},
	{"config", cmd_config, false},
	{"interfaces", cmd_interfaces, true},
	{"undrain", daemon_cmd_undrain, false},
	{"nodes", daemon_cmd_nodes, true},
	{"metrics", daemon_cmd_metrics, true},
	{"static", cmd_backend, false},
	{"ctdb", cmd_backend, false},
	{"log-level", cmd_log_level, true},
	{"blackbox", daemon_cmd_blackbox, true},
	{"memory", daemon_cmd_memory, true},
	{"leave", daemon_cmd_leave, false},
	{"tickle", daemon_cmd_tickle, false},
};

static const struct {
	const char *name;
	control_stream_fn fn;
} streams[] = {
	{"list", daemon_cmd_list},
	{"order", daemon_cmd_order},
	{"order-status", daemon_cmd_order_status},
	{"order-cancel", daemon_cmd_order_cancel},
	{"connections", daemon_cmd_connections},
	{"events", daemon_cmd_events},
};

int daemon_control_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	const char *group = config_string(daemon->config, "global.control_group");
	int ret = control_server_create(daemon, daemon->ev,
					config_string(daemon->config, "global.control"),
					group[0] != '\0' ? group : NULL, &daemon->control);

	const struct control_limits limits = {
		.clients = config_number(daemon->config, "global.max_control_clients"),
		.timeout_ms = config_number(daemon->config, "global.control_timeout") * 1000,
	};

	if (ret != 0) {
		return control_error(daemon, mem_ctx, ret, why);
	}
	control_server_limit(daemon->control, &limits);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && ret == 0; i++) {
		ret = (commands[i].anywhere ? control_server_add_anywhere : control_server_add)(
			daemon->control, commands[i].name, commands[i].fn, daemon);
	}
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]) && ret == 0; i++) {
		ret = control_server_add_stream(daemon->control, streams[i].name, streams[i].fn,
						daemon);
	}
	return ret != 0 ? ret : daemon_remote_start(daemon);
}
