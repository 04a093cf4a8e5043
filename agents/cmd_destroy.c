/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witness-tickle destroy: tells the clients of an address, by resets, that it is about to leave. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agents/agent.h"

#define ROUNDS 10 /* clients connect again while we are at it */

/* @return 0 or an errno; *num counts those that were ended */
static int reset_once(const struct agent *agent, const struct sock_diag_list *list, size_t *num)
{
	for (size_t i = 0; i < list->num; i++) {
		int err = sock_diag_destroy(agent->diag, &list->entries[i]);

		if (err != 0 && err != ENOENT) {
			return err;
		}
		*num += err == 0;
	}
	return 0;
}

int agent_reset(const struct agent *agent, const struct sock_diag_filter *filter, size_t *num)
{
	int err = EBUSY;

	*num = 0;
	for (int round = 0; round < ROUNDS && err == EBUSY; round++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		struct sock_diag_list list = {.max = 0};

		err = sock_diag_list(agent->diag, SOCK_DIAG_ENDABLE, filter, tmp, &list);
		if (err == 0 && list.num > 0) {
			err = reset_once(agent, &list, num);
			err = err == 0 ? EBUSY : err; /* look again */
		}
		talloc_free(tmp);
	}
	return err;
}

int agent_destroy(TALLOC_CTX *mem_ctx, struct agent *agent)
{
	const struct agent_options *options = agent->options;
	struct sock_diag_filter filter = {.addrs = &options->ip,
					  .num_addrs = 1,
					  .ports = options->ports,
					  .num_ports = options->num_ports};
	size_t num = 0;
	int err = agent_reset(agent, &filter, &num);

	printf("%zu connections reset\n", num);
	switch (err) {
	case 0:
		return AGENT_OK;
	case EPERM:
		return agent_failed("not allowed to end connections: CAP_NET_ADMIN is needed");
	case EOPNOTSUPP:
		return agent_failed("this kernel cannot end connections (INET_DIAG_DESTROY)");
	case EBUSY:
		return agent_failed("new connections come as fast as they are ended");
	default:
		return agent_failed("cannot end connections: %s", strerror(err));
	}
}
