/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Register with a witness and print what it tells, by the blocking interface of libswnclient.
 *
 *   cc -o swn-wait swn-wait.c $(pkg-config --cflags --libs libswnclient)
 *   kinit alice; ./swn-wait FS 192.0.2.21
 *
 * SWN_USER, SWN_DOMAIN, SWN_PASSWORD and SWN_EPM_PORT in the environment log on with a password, and look
 * for the endpoint mapper at another port than 135. SIGINT and SIGTERM unregister and end it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swnclient.h>

#include "swn-text.h"

static struct swnc_session *session;

static void on_signal(int signum)
{
	(void)signum;
	swnc_wake(session);
}

static void print_state(const char *what, enum swnc_state state)
{
	putchar(' ');
	put_text(stdout, what);
	printf(":%s", swnc_state_name(state));
}

static void print(const struct swnc_event *event)
{
	printf("%s", swnc_event_name(event->type));
	switch (event->type) {
	case SWNC_REGISTERED:
		putchar(' ');
		put_text(stdout, event->server);
		printf(" with ");
		put_text(stdout, event->witness);
		break;
	case SWNC_NOTIFIED:
		printf(" %s", swnc_message_name(event->message));
		for (size_t i = 0; i < event->num_changes; i++) {
			print_state(event->changes[i].name, event->changes[i].state);
		}
		for (size_t i = 0; i < event->num_addresses; i++) {
			print_state(event->addresses[i].address, event->addresses[i].state);
		}
		break;
	default:
		printf(": ");
		put_text(stdout, event->why);
		break;
	}
	putchar('\n');
	fflush(stdout);
}

/* Without credentials that anybody accepts, trying on would only lock the account. */
static int is_hopeless(const struct swnc_event *event)
{
	return event->type == SWNC_FAILED && (event->err == EACCES || event->err == ENOENT);
}

/* An option from the environment, if it is there. */
static int set_from(struct swnc_config *config, enum swnc_option option, const char *variable)
{
	const char *text = getenv(variable);

	return text == NULL ? 0 : swnc_config_set_text(config, option, text);
}

static int configure(struct swnc_config *config, const char *net_name, const char *server)
{
	const char *port = getenv("SWN_EPM_PORT");

	if (swnc_config_set_text(config, SWNC_NET_NAME, net_name) != 0 ||
	    swnc_config_set_text(config, SWNC_SERVER, server) != 0 ||
	    set_from(config, SWNC_USER, "SWN_USER") != 0 ||
	    set_from(config, SWNC_DOMAIN, "SWN_DOMAIN") != 0 ||
	    set_from(config, SWNC_PASSWORD, "SWN_PASSWORD") != 0) {
		return EINVAL;
	}
	return port == NULL ? 0
			    : swnc_config_set_number(config, SWNC_EPM_PORT,
						     (uint32_t)strtoul(port, NULL, 10));
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct swnc_config *config = swnc_config_new();
	const struct swnc_event *event;
	int err;

	if (argc != 3 || config == NULL || configure(config, argv[1], argv[2]) != 0) {
		fputs("usage: swn-wait NETNAME ADDRESS\n", stderr);
		swnc_config_free(config);
		return 2;
	}
	err = swnc_open(config, &session);
	swnc_config_free(config);
	if (err != 0) {
		fprintf(stderr, "swn-wait: %s\n", strerror(err));
		return 1;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while ((err = swnc_next(session, -1, &event)) == 0) {
		print(event);
		if (is_hopeless(event)) {
			err = event->err;
			break;
		}
	}
	if (err != ECANCELED) {
		fprintf(stderr, "swn-wait: %s\n", strerror(err));
	}
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	swnc_close(session, 3000);
	return err == ECANCELED ? 0 : 1;
}
