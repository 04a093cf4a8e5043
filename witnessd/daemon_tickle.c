/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clients of an address that moves: tickles for those of a lost node, the gate for a planned move. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/util/log.h"
#include "witnessd/util/track_limits.h"

/* A port of tickle.ports. @return 0: none */
static uint16_t read_port(const struct daemon *daemon, const char *word)
{
	char *end;
	unsigned long port;

	if (strcmp(word, "witness") == 0) {
		return rpc_endpoint_port(daemon->witness);
	}
	port = strtoul(word, &end, 10);
	return *end == '\0' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* @return 0 or EINVAL with the reason */
static int read_ports(const struct daemon *daemon, TALLOC_CTX *mem_ctx,
		      uint16_t ports[TRACK_MAX_PORTS], size_t *num_ports, char **why)
{
	const char *const *words = config_list(daemon->config, "tickle.ports", NULL);
	size_t num = 0;

	if (words[0] != NULL && strcmp(words[0], "all") == 0 && words[1] == NULL) {
		*num_ports = 0;
		return 0;
	}
	for (; words[num] != NULL; num++) {
		uint16_t port = read_port(daemon, words[num]);

		if (num == TRACK_MAX_PORTS || port == 0) {
			*why = talloc_asprintf(mem_ctx,
					       "tickle.ports: expected up to %d ports from 1 to "
					       "65535 and witness, or all, not %s",
					       TRACK_MAX_PORTS, words[num]);
			return EINVAL;
		}
		ports[num] = port;
	}
	*num_ports = num;
	return num > 0 ? 0 : EINVAL;
}

/* @return whether tickles are wanted, as far as can be told now */
static enum backend_tickles who_tickles(const struct daemon *daemon)
{
	const char *enabled = config_string(daemon->config, "tickle.enabled");
	const struct backend_ops *ops = cluster_backend_ops(daemon->cluster);

	if (strcmp(enabled, "auto") == 0) {
		return ops->tickles != NULL ? ops->tickles(cluster_backend(daemon->cluster))
					    : BACKEND_TICKLES_ITSELF;
	}
	return strcmp(enabled, "yes") == 0 ? BACKEND_TICKLES_NOT : BACKEND_TICKLES_ITSELF;
}

char *daemon_agent_path(TALLOC_CTX *mem_ctx, const struct config *config)
{
	const char *agent = config_string(config, "tickle.agent");

	return agent[0] != '\0'
		       ? talloc_strdup(mem_ctx, agent)
		       : talloc_asprintf(mem_ctx, "%s/witness-tickle", daemon_module_dir(config));
}

static int start_conntrack(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	uint16_t ports[TRACK_MAX_PORTS];
	struct conntrack_config config = {.ports = ports};
	int ret = read_ports(daemon, mem_ctx, ports, &config.num_ports, why);

	if (ret == 0) {
		config.agent = daemon_agent_path(daemon, daemon->config);
		ret = config.agent == NULL ? ENOMEM
					   : conntrack_create(daemon, daemon->ev, daemon->cluster,
							      &config, &daemon->conntrack);
	}
	return ret;
}

/* The manager may have been out of reach when it was asked whether it tickles. */
static void ask_again(void *private_data, const struct cluster_event *event,
		      const struct cluster_state *state)
{
	struct daemon *daemon = talloc_get_type_abort(private_data, struct daemon);
	char *why = NULL;
	int ret;

	if (daemon->conntrack != NULL || who_tickles(daemon) != BACKEND_TICKLES_NOT) {
		return;
	}
	log_notice("This cluster manager does not tickle all clients of an address that moves: "
		   "witness-tickle does (tickle.enabled)");
	ret = start_conntrack(daemon, daemon, &why);
	if (ret != 0) {
		log_err("Clients are not tickled: %s", why != NULL ? why : strerror(ret));
	}
	talloc_free(why);
}

int daemon_tickle_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	uint16_t ports[TRACK_MAX_PORTS];
	size_t num_ports;
	int ret = swn_leaves_create(daemon, daemon->ev, daemon->cluster, daemon->swn,
				    &daemon->leaves);

	if (ret == 0) {
		ret = swn_orders_create(daemon, daemon->ev, daemon->cluster, daemon->swn,
					&daemon->orders);
	}
	if (ret == 0) {
		ret = daemon_events_start(daemon);
	}
	if (ret != 0) {
		return ret;
	}
	switch (who_tickles(daemon)) {
	case BACKEND_TICKLES_UNKNOWN:
		/* A mistake in the configuration is found now, whatever the manager will be. */
		ret = read_ports(daemon, mem_ctx, ports, &num_ports, why);
		return ret != 0 ? ret : cluster_listen(daemon->cluster, ask_again, daemon);
	case BACKEND_TICKLES_NOT:
		return start_conntrack(daemon, mem_ctx, why);
	case BACKEND_TICKLES_ITSELF:
		break;
	}
	return 0;
}

/* {"address": "10.0.0.7"}. @return 0, or EINVAL with the reason */
static int read_address(TALLOC_CTX *mem_ctx, const json_t *request, struct ipaddr *ip, char **why)
{
	const char *text = json_string_value(json_object_get(request, "address"));

	if (text == NULL || ipaddr_parse(text, ip) != 0) {
		*why = talloc_strdup(mem_ctx, "expected an IPv4 or IPv6 address");
		return EINVAL;
	}
	return 0;
}

/*
 * {"address": ..., "wait_ms": 3000} begins; {"address": ...} alone asks how far it is. A request is
 * answered at once, so the waiting is witnessctl's.
 */
int daemon_cmd_leave(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		     json_t **result, char **why)
{
	const struct daemon *daemon = private_data;
	const json_t *wait = json_object_get(request, "wait_ms");
	struct swn_leave_result so_far = {.done = true};
	struct ipaddr ip;
	int ret = read_address(mem_ctx, request, &ip, why);

	if (ret == 0 && wait != NULL) {
		json_int_t wait_ms = json_integer_value(wait);

		if (wait_ms < 0 || wait_ms > SWN_LEAVE_WAIT_MAX_MS) {
			*why = talloc_asprintf(mem_ctx, "wait at most %d ms",
					       SWN_LEAVE_WAIT_MAX_MS);
			return EINVAL;
		}
		ret = swn_leave_begin(daemon->leaves, mem_ctx, &ip, (uint32_t)wait_ms, why);
	}
	if (ret == 0) {
		ret = swn_leave_result(daemon->leaves, &ip, &so_far);
	}
	if (ret == 0) {
		*result = json_pack("{s:b, s:i, s:i, s:i}", "done", so_far.done, "told",
				    (int)so_far.told, "untold", (int)so_far.untold, "silent",
				    (int)so_far.silent);
		ret = *result != NULL ? 0 : ENOMEM;
	}
	return ret;
}

int daemon_no_tickles(TALLOC_CTX *mem_ctx, char **why)
{
	*why = talloc_strdup(mem_ctx, "this witnessd does not track connections (tickle.enabled)");
	return ENOTSUP;
}

/* What is not known yet is nobody's neither. @return 0, or ENXIO with the reason */
static int check_known(const struct daemon *daemon, TALLOC_CTX *mem_ctx, const struct ipaddr *ip,
		       char **why)
{
	const struct cluster_state *state = cluster_current(daemon->cluster);
	char text[IPADDR_STRLEN];

	if (state == NULL || cluster_state_addr(state, ip) != NULL) {
		return 0;
	}
	*why = talloc_asprintf(mem_ctx, "%s is not an address of the cluster",
			       ipaddr_format(ip, text));
	return ENXIO;
}

/*
 * ocf:samba:tickle asks as soon as the address has come, maybe before the cluster's state has it: whoever had
 * connections to it is tickled whether or not it is known. Only when there are none it is said that it is nobody's.
 */
int daemon_cmd_tickle(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      json_t **result, char **why)
{
	const struct daemon *daemon = private_data;
	struct ipaddr ip;
	size_t num = 0;
	int ret = read_address(mem_ctx, request, &ip, why);

	if (ret == 0 && daemon->conntrack != NULL) {
		ret = conntrack_tickle(daemon->conntrack, &ip, &num);
	}
	if (ret == ENOTCONN) {
		*why = talloc_strdup(mem_ctx, "the tickle agent does not run");
	}
	if (ret == 0 && num == 0) {
		ret = check_known(daemon, mem_ctx, &ip, why);
	}
	if (ret == 0 && daemon->conntrack == NULL) {
		ret = daemon_no_tickles(mem_ctx, why);
	}
	if (ret == 0) {
		*result = json_pack("{s:I}", "connections", (json_int_t)num);
		ret = *result != NULL ? 0 : ENOMEM;
	}
	return ret;
}
