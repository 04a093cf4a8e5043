/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witness-tickle tickle: connections from standard input, one a line, as ss(8) or witnessctl print them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/tickler.h"

/* Any number of blanks between the two ends, and around them. */
static void squeeze(char *line)
{
	char *to = line;

	for (const char *from = line; *from != '\0'; from++) {
		bool blank = strchr(" \t\r\n", *from) != NULL;

		if (!blank) {
			*to++ = *from;
		} else if (to > line && to[-1] != ' ') {
			*to++ = ' ';
		}
	}
	if (to > line && to[-1] == ' ') {
		to--;
	}
	*to = '\0';
}

/* @return AGENT_OK, or AGENT_FAILED with the reason printed */
static int read_conns(TALLOC_CTX *mem_ctx, struct tcpconn **conns, size_t *num)
{
	char line[2 * TCPCONN_STRLEN];
	size_t room = 0;

	*conns = NULL;
	*num = 0;
	for (size_t number = 1; fgets(line, sizeof(line), stdin) != NULL; number++) {
		struct tcpconn conn;

		squeeze(line);
		if (line[0] == '\0' || line[0] == '#') {
			continue;
		}
		if (tcpconn_parse(line, &conn) != 0) {
			return agent_failed("line %zu: expected LOCAL:PORT REMOTE:PORT", number);
		}
		if (*num == AGENT_MAX_CONNS) {
			return agent_failed("more than %d connections", AGENT_MAX_CONNS);
		}
		if (*num == room) {
			room = room == 0 ? 64 : room * 2;
			*conns = talloc_realloc(mem_ctx, *conns, struct tcpconn, room);
		}
		if (*conns == NULL) {
			return agent_failed("%s", strerror(ENOMEM));
		}
		(*conns)[(*num)++] = conn;
	}
	return AGENT_OK;
}

int agent_tickle(TALLOC_CTX *mem_ctx, struct agent *agent)
{
	const struct agent_options *options = agent->options;
	struct tickler_config config = {
		.netaddr = agent->netaddr, .sender = agent->sender, .wait_ms = options->wait_ms};
	struct tickler_result result;
	struct tevent_req *req;
	struct tcpconn *conns;
	size_t num;
	int err;

	if (read_conns(mem_ctx, &conns, &num) != AGENT_OK) {
		return AGENT_FAILED;
	}
	req = tickler_send(mem_ctx, agent->ev, &config, &options->ip, conns, num);
	if (req == NULL || !tevent_req_poll(req, agent->ev)) {
		return agent_failed("%s", strerror(errno));
	}
	err = tickler_recv(req, &result);
	if (err == EADDRNOTAVAIL) {
		return agent_failed("this host does not have the address");
	}
	if (err != 0) {
		return agent_failed("%s", strerror(err));
	}
	printf("%zu connections tickled, %zu packets\n", result.conns, result.sent);
	return result.failed == 0 ? AGENT_OK
				  : agent_failed("%zu packets could not be sent: %s", result.failed,
						 strerror(result.last_error));
}
