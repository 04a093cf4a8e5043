/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tevent interface of libswnclient: list the interfaces of a cluster, then register and stop after the
 * first notification.
 *
 *   cc -o swn-loop swn-loop.c $(pkg-config --cflags --libs libswnclient tevent talloc)
 *   kinit alice; ./swn-loop FS 192.0.2.21
 *
 * SWN_USER, SWN_DOMAIN, SWN_PASSWORD and SWN_EPM_PORT are as for swn-wait.c.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swnclient_tevent.h>

#include "swn-text.h"

struct loop {
	struct tevent_context *ev;
	struct swnc_config *config;
	struct swnc_client *client;
	bool stopping, done;
	int err;
};

static void listed(struct tevent_req *req);
static void on_event(void *private_data, const struct swnc_event *event);
static void stopped(struct tevent_req *req);

static void end(struct loop *loop, int err)
{
	loop->err = err;
	loop->done = true;
}

static void print(const struct swnc_interfaces *list)
{
	for (size_t i = 0; i < list->num; i++) {
		const struct swnc_interface *entry = &list->entries[i];

		printf("interface ");
		put_text(stdout, entry->group);
		putchar(' ');
		put_text(stdout, entry->ipv4 != NULL ? entry->ipv4 : entry->ipv6);
		printf(" %s%s\n", swnc_state_name(entry->state), entry->witness ? " witness" : "");
	}
	fflush(stdout);
}

static void listed(struct tevent_req *req)
{
	struct loop *loop = tevent_req_callback_data(req, struct loop);
	struct swnc_interfaces *list = NULL;
	char *why = NULL;
	int err = swnc_interfaces_recv(req, loop, &list, &why);

	talloc_free(req);
	if (err != 0) {
		fputs("swn-loop: ", stderr);
		put_text(stderr, why != NULL ? why : strerror(err));
		fputc('\n', stderr);
		end(loop, err);
		return;
	}
	print(list);
	talloc_free(list);
	err = swnc_client_create(loop, loop->ev, loop->config, on_event, loop, &loop->client);
	if (err != 0) {
		end(loop, err);
	}
}

static void on_event(void *private_data, const struct swnc_event *event)
{
	struct loop *loop = private_data;
	struct tevent_req *req;

	printf("%s%s%s\n", swnc_event_name(event->type), event->message != 0 ? " " : "",
	       event->message != 0 ? swnc_message_name(event->message) : "");
	fflush(stdout);
	if (event->type != SWNC_NOTIFIED || loop->stopping) {
		return;
	}
	loop->stopping = true;
	req = swnc_client_stop_send(loop, loop->ev, loop->client, 3000);
	if (req == NULL) {
		end(loop, ENOMEM);
		return;
	}
	tevent_req_set_callback(req, stopped, loop);
}

static void stopped(struct tevent_req *req)
{
	struct loop *loop = tevent_req_callback_data(req, struct loop);
	int err = swnc_client_stop_recv(req);

	talloc_free(req);
	end(loop, err);
}

static int configure(struct swnc_config *config, const char *net_name, const char *server)
{
	const char *port = getenv("SWN_EPM_PORT");
	int err = swnc_config_set_text(config, SWNC_NET_NAME, net_name);

	err = err == 0 ? swnc_config_set_text(config, SWNC_SERVER, server) : err;
	err = err == 0 ? swnc_config_set_text(config, SWNC_USER, getenv("SWN_USER")) : err;
	err = err == 0 ? swnc_config_set_text(config, SWNC_DOMAIN, getenv("SWN_DOMAIN")) : err;
	err = err == 0 ? swnc_config_set_text(config, SWNC_PASSWORD, getenv("SWN_PASSWORD")) : err;
	if (err == 0 && port != NULL) {
		err = swnc_config_set_number(config, SWNC_EPM_PORT,
					     (uint32_t)strtoul(port, NULL, 10));
	}
	return err;
}

/* Until the client has stopped. @return 0 or an errno */
static int run(struct loop *loop)
{
	struct tevent_req *req = swnc_interfaces_send(loop, loop->ev, loop->config);

	if (req == NULL) {
		return ENOMEM;
	}
	tevent_req_set_callback(req, listed, loop);
	while (!loop->done && tevent_loop_once(loop->ev) == 0) {
	}
	return loop->done ? loop->err : EIO;
}

int main(int argc, char **argv)
{
	struct loop *loop = talloc_zero(NULL, struct loop);
	int status = 2;

	if (loop == NULL || (loop->ev = tevent_context_init(loop)) == NULL ||
	    (loop->config = swnc_config_new()) == NULL) {
		fputs("swn-loop: no memory\n", stderr);
		talloc_free(loop);
		return 1;
	}
	if (argc != 3 || configure(loop->config, argv[1], argv[2]) != 0) {
		fputs("usage: swn-loop NETNAME ADDRESS\n", stderr);
	} else {
		status = run(loop) == 0 ? 0 : 1;
	}
	swnc_config_free(loop->config);
	talloc_free(loop);
	return status;
}
