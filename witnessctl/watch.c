/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessctl/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "libswnclient/swnclient_tevent.h"
#include "witnessctl/ctl.h"
#include "witnessctl/watch_exec.h"
#include "witnessd/util/log.h"
#include "witnessd/util/mono.h"

#define UNREGISTER_MS 3000 /* patience at the end */

struct watch {
	struct tevent_context *ev;
	struct watch_options options;
	struct swnc_client *client;
	struct watch_exec *exec; /* NULL: no program to run */
	unsigned long notifications;
	bool registered; /* ever */
	bool stopping, unregistered, done;
	int exit_code;
};

static void watch_stopped(struct tevent_req *subreq);

/* What was notified is passed on, whatever asked us to stop. */
static void end_if_idle(void *private_data)
{
	struct watch *watch = talloc_get_type_abort(private_data, struct watch);

	if (watch->unregistered && (watch->exec == NULL || watch_exec_is_idle(watch->exec))) {
		watch->done = true;
	}
}

/* Unregister, then end with a code; the first reason to end counts. */
static void watch_stop(struct watch *watch, int exit_code)
{
	struct tevent_req *subreq;

	if (watch->stopping) {
		return;
	}
	watch->stopping = true;
	watch->exit_code = exit_code;
	subreq = swnc_client_stop_send(watch, watch->ev, watch->client, UNREGISTER_MS);
	if (subreq == NULL) {
		watch->unregistered = true;
		end_if_idle(watch);
		return;
	}
	tevent_req_set_callback(subreq, watch_stopped, watch);
}

static void watch_stopped(struct tevent_req *subreq)
{
	struct watch *watch = tevent_req_callback_data(subreq, struct watch);
	int err = swnc_client_stop_recv(subreq);

	talloc_free(subreq);
	if (err != 0) {
		fprintf(stderr, "witnessctl: unregistering failed: %s\n", strerror(err));
	}
	watch->unregistered = true;
	end_if_idle(watch);
}

static void on_signal(struct tevent_context *ev, struct tevent_signal *se, int signum, int count,
		      void *siginfo, void *private_data)
{
	struct watch *watch = talloc_get_type_abort(private_data, struct watch);

	if (watch->stopping) {
		watch->done = true; /* asked twice: wait for nobody */
		return;
	}
	watch_stop(watch, CTL_OK);
}

static void on_timeout(struct tevent_context *ev, struct tevent_timer *te, struct timeval now,
		       void *private_data)
{
	struct watch *watch = talloc_get_type_abort(private_data, struct watch);

	/* --count would have ended this before. */
	watch_stop(watch, watch->options.count == 0 && watch->registered ? CTL_OK : CTL_FAILED);
}

/* With credentials that nobody has accepted yet, trying on would only lock the account. */
static bool is_hopeless(const struct watch *watch, const struct swnc_event *event)
{
	return event->type == SWNC_FAILED && !watch->registered &&
	       (event->err == EACCES || event->err == ENOENT);
}

static void on_event(void *private_data, const struct swnc_event *event)
{
	struct watch *watch = talloc_get_type_abort(private_data, struct watch);

	watch_print(event, watch->options.net_name, watch->options.json);
	if (watch->exec != NULL) {
		watch_exec_event(watch->exec, event);
	}
	if (event->type == SWNC_REGISTERED) {
		watch->registered = true;
	} else if (event->type == SWNC_NOTIFIED) {
		watch->notifications++;
		if (watch->notifications == watch->options.count) {
			watch_stop(watch, CTL_OK);
		}
	} else if (is_hopeless(watch, event)) {
		watch_stop(watch, CTL_FAILED);
	}
}

static int start_exec(struct watch *watch)
{
	const struct watch_options *options = &watch->options;
	const struct watch_exec_config config = {
		.argv = options->exec,
		.timeout_ms = options->exec_timeout_ms,
		.all = options->exec_all,
		.net_name = options->net_name,
		.share = options->share,
		.idle = end_if_idle,
		.private_data = watch,
	};
	int err = watch_exec_create(watch, watch->ev, &config, &watch->exec);

	if (err != 0) {
		fprintf(stderr, "witnessctl watch: --exec %s: %s\n", options->exec[0],
			strerror(err));
	}
	return err;
}

static int watch_start(struct watch *watch)
{
	struct watch_options *options = &watch->options;

	if (tevent_add_signal(watch->ev, watch, SIGINT, 0, on_signal, watch) == NULL ||
	    tevent_add_signal(watch->ev, watch, SIGTERM, 0, on_signal, watch) == NULL ||
	    (options->timeout_ms > 0 &&
	     mono_timer_add(watch->ev, watch, options->timeout_ms, on_timeout, watch) == NULL)) {
		return ENOMEM;
	}
	return swnc_client_create(watch, watch->ev, options->config, on_event, watch,
				  &watch->client);
}

int cmd_watch(struct ctl *ctl, int argc, const char **argv)
{
	struct watch *watch = talloc_zero(ctl->mem_ctx, struct watch);
	int ret;

	if (watch == NULL) {
		fputs("witnessctl: out of memory\n", stderr);
		return CTL_FAILED;
	}
	ret = watch_parse(watch, argc, argv, &watch->options);
	if (ret >= 0) {
		talloc_free(watch);
		return ret;
	}
	watch->options.json |= ctl->json;
	if (watch->options.debug) {
		log_setup("witnessctl", "stderr", LOG_DEBUG);
	}
	watch->ev = tevent_context_init(watch);
	if (watch->ev != NULL && watch->options.exec != NULL && start_exec(watch) != 0) {
		talloc_free(watch);
		return CTL_USAGE;
	}
	ret = watch->ev == NULL ? ENOMEM : watch_start(watch);
	if (ret != 0) {
		fprintf(stderr, "witnessctl: cannot watch: %s\n", strerror(ret));
		talloc_free(watch);
		return CTL_FAILED;
	}
	while (!watch->done && tevent_loop_once(watch->ev) == 0) {
	}
	ret = watch->exit_code;
	talloc_free(watch);
	return ret;
}
