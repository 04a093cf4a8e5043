/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The metrics, for witnessctl and over HTTP. */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <string.h>

#include "witnessd/metrics.h"
#include "witnessd/metrics_http.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

static char *text_of(void *private_data, TALLOC_CTX *mem_ctx)
{
	const struct daemon *daemon = private_data;
	json_t *status = daemon_status_json(daemon);
	json_t *nodes = swn_orders_nodes_json(daemon->orders);
	char *text = status != NULL ? metrics_text(mem_ctx, status, nodes) : NULL;

	json_decref(status);
	json_decref(nodes);
	return text;
}

int daemon_cmd_metrics(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		       json_t **result, char **why)
{
	const char *text = text_of(private_data, mem_ctx);

	*result = text != NULL ? text_json(text) : NULL;
	return *result != NULL ? 0 : ENOMEM;
}

/* Clients need their witness more than a collector its numbers: without these the daemon goes on. */
int daemon_metrics_start(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	uint16_t port = (uint16_t)config_number(daemon->config, "metrics.port");
	size_t num;
	const char *const *list = config_list(daemon->config, "metrics.listen", &num);
	const struct metrics_http_limits limits = {
		.connections = config_number(daemon->config, "metrics.max_connections"),
		.source = config_number(daemon->config, "metrics.max_connections_source"),
		.time_ms = config_number(daemon->config, "metrics.timeout") * 1000,
	};
	int err = num > 0 ? metrics_http_create(daemon, daemon->ev, text_of, daemon, &limits,
						&daemon->metrics)
			  : 0;

	if (err == ENOTSUP) {
		log_err("metrics.listen: the metrics are not served over HTTP: this witnessd was "
			"built "
			"without libmicrohttpd");
		return 0;
	}
	for (size_t i = 0; i < num && err == 0; i++) {
		struct ipaddr addr;
		int ret =
			ipaddr_parse(list[i], &addr); /* has been checked with the configuration */

		if (ret == 0) {
			ret = metrics_http_listen(daemon->metrics, &addr, port);
		}
		if (ret != 0) {
			log_err("metrics.listen: the metrics are not served on %s port %u: %s",
				list[i], (unsigned int)port, strerror(ret));
		} else {
			log_info("metrics: listening on %s port %u", list[i], (unsigned int)port);
		}
	}
	return err;
}
