/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/daemon_private.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/swn/wire.h"
#include "witnessd/util/clock.h"
#include "witnessd/util/log.h"
#include "witnessd/util/opener.h"

const char *daemon_log_target(const struct options *options, const struct config *config)
{
	if (options->foreground && !config_is_set(config, "global.log_target")) {
		return "stderr";
	}
	return config_string(config, "global.log_target");
}

int daemon_log_setup(TALLOC_CTX *mem_ctx, const struct options *options,
		     const struct config *config, char **why)
{
	const char *target = daemon_log_target(options, config);
	int level, ret;

	ret = log_parse_level(config_string(config, "global.log_level"), &level);
	if (options->debug > 0) {
		level = options->debug > 1 ? LOG_TRACE : LOG_DEBUG;
	}
	if (ret == 0) {
		ret = log_setup("witnessd", target, level);
	}
	if (ret != 0) {
		*why = talloc_asprintf(mem_ctx,
				       "global.log_target: cannot log to %s: %s (expected syslog, "
				       "stderr or the path of a file)",
				       target, strerror(ret));
	}
	return ret;
}

static void on_end(struct tevent_context *ev, struct tevent_signal *se, int signum, int count,
		   void *siginfo, void *private_data)
{
	struct daemon *daemon = talloc_get_type_abort(private_data, struct daemon);

	log_notice("Ending: %s", strsignal(signum));
	daemon->end_signal = signum;
}

/* Say which of the changed keys wait for a restart: all but those of the log. */
static void log_changes(const struct config *old, const struct config *now)
{
	for (const struct config_key *key = config_keys; key->name != NULL; key++) {
		if (strncmp(key->name, "global.log_", 11) != 0 &&
		    strcmp(config_text(old, key->name), config_text(now, key->name)) != 0) {
			log_notice("%s has changed: witnessd has to be restarted for it",
				   key->name);
		}
	}
}

static void on_hup(struct tevent_context *ev, struct tevent_signal *se, int signum, int count,
		   void *siginfo, void *private_data)
{
	struct daemon *daemon = talloc_get_type_abort(private_data, struct daemon);
	const struct options *options = daemon->options;
	struct config *config = NULL;
	char *why = NULL;
	int ret = config_load(daemon, options->config, options->config_required, options->overrides,
			      &config, &why);

	if (ret != 0) {
		log_err("The configuration is not read again: %s",
			why != NULL ? why : strerror(ret));
		config = daemon->config;
	}
	talloc_free(why);
	why = NULL;
	/* This opens a log file anew, too, which is what logrotate(8) wants. */
	if (daemon_log_setup(daemon, options, config, &why) != 0) {
		log_err("%s", why != NULL ? why : "the log cannot be set up");
	}
	talloc_free(why);
	log_notice("Log opened again");
	if (config != daemon->config) {
		log_changes(daemon->config, config);
		talloc_free(config); /* the parts have been started with the old one */
	}
}

static int handle_signals(struct daemon *daemon)
{
	static const struct {
		int signum;
		tevent_signal_handler_t fn;
	} rows[] = {{SIGTERM, on_end}, {SIGINT, on_end}, {SIGHUP, on_hup}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (tevent_add_signal(daemon->ev, daemon, rows[i].signum, 0, rows[i].fn, daemon) ==
		    NULL) {
			return ENOMEM;
		}
	}
	return 0;
}

static int start_pidfile(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	const char *path = config_string(daemon->config, "global.pid_file");
	int ret = path[0] == '\0' ? 0 : pidfile_create(daemon, path, &daemon->pidfile, why);

	(void)talloc_steal(mem_ctx, *why); /* the reason outlives the daemon that it ends */
	return ret;
}

static int start_service(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	const struct config *config = daemon->config;
	struct swn_config swn = {
		.net_names = daemon->names.net_names,
		.version = strcmp(config_string(config, "witness.version"), "1") == 0
				   ? SWN_VERSION_1
				   : SWN_VERSION_2,
		.unregister_not_found =
			strcmp(config_string(config, "witness.unregister_error"), "not-found") == 0,
		.unused_timeout_s = config_number(config, "witness.unused_timeout"),
		.reregister_delay_s = config_number(config, "witness.reregister_delay"),
		.max_registrations = config_number(config, "witness.max_registrations"),
		.max_registrations_principal =
			config_number(config, "witness.max_registrations_principal"),
		.max_registrations_assoc =
			config_number(config, "witness.max_registrations_connection"),
		.planned_moves = config_bool(config, "witness.planned_moves"),
		.fixed_addresses = config_bool(config, "witness.fixed_addresses"),
		.share_known = shares_known,
		.share_private = daemon->shares,
	};
	int ret = cluster_create(daemon, daemon->ev, &daemon->cluster);

	if (ret == 0) {
		ret = swn_service_create(daemon, daemon->ev, &swn, daemon->cluster, &daemon->swn);
	}
	/* After the service, so that what it has to say is queued before a connection is closed. */
	return ret != 0 ? ret : cluster_listen(daemon->cluster, daemon_address_left, daemon);
}

const char *daemon_module_dir(const struct config *config)
{
	const char *dir = config_string(config, "global.module_dir");

	return dir[0] != '\0' ? dir : WITNESSD_MODULEDIR;
}

static int find_module(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	return cluster_find_backend(daemon_module_dir(daemon->config),
				    config_string(daemon->config, "global.backend"), mem_ctx,
				    &daemon->backend, why);
}

static int start_backend(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	return cluster_connect_backend(daemon->cluster, daemon->config, daemon->backend, mem_ctx,
				       why);
}

static int load_names(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why)
{
	return daemon_names_load(daemon);
}

/*
 * The order: what can refuse cheaply comes first; the ports open only when the service behind them
 * exists; the control socket is last, so that an answer to "ping" means that everything serves. Then
 * nothing is left to do that needs a right.
 */
static const struct {
	const char *what;
	int (*fn)(struct daemon *daemon, TALLOC_CTX *mem_ctx, char **why);
} start_steps[] = {
	{"pid file", start_pidfile},
	{"backend module", find_module},
	{"rights", daemon_rights_drop}, /* before anything is connected to, and any thread */
	{"names", load_names},
	{"authentication", daemon_auth_start},
	{"RPC server", daemon_rpc_start},
	{"witness service", start_service},
	{"backend", start_backend},
	{"endpoints", daemon_rpc_listen},
	{"tickles", daemon_tickle_start}, /* of the witness's port, too */
	{"connections", daemon_watch_start},
	{"metrics", daemon_metrics_start},
	{"control socket", daemon_control_start},
	{"confinement", daemon_rights_confine},
};

/* End the parts in the order in which they depend on each other: children of one parent have none. */
static int daemon_destructor(struct daemon *daemon)
{
	TALLOC_FREE(daemon->remote);
	TALLOC_FREE(daemon->control);
	TALLOC_FREE(daemon->metrics);
	TALLOC_FREE(daemon->rpc);
	TALLOC_FREE(daemon->watch);
	TALLOC_FREE(daemon->conntrack);
	TALLOC_FREE(daemon->leaves);
	TALLOC_FREE(daemon->orders);
	TALLOC_FREE(daemon->hub);
	TALLOC_FREE(daemon->share);
	TALLOC_FREE(daemon->journal);
	TALLOC_FREE(daemon->swn);
	TALLOC_FREE(daemon->cluster);
	TALLOC_FREE(daemon->auth);
	TALLOC_FREE(daemon->pidfile);
	opener_set(-1);
	return 0;
}

int daemon_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct options *options,
		  struct config **config, struct daemon **out, char **why)
{
	struct daemon *daemon = talloc_zero(mem_ctx, struct daemon);
	int ret = 0;

	if (daemon == NULL) {
		return ENOMEM;
	}
	talloc_set_destructor(daemon, daemon_destructor);
	daemon->ev = ev;
	daemon->options = options;
	daemon->config = talloc_move(daemon, config);
	daemon->started_ms = clock_ms();
	log_notice("witnessd %s starts", WITNESSD_VERSION);
	for (size_t i = 0; i < sizeof(start_steps) / sizeof(start_steps[0]) && ret == 0; i++) {
		log_debug("Starting: %s", start_steps[i].what);
		ret = start_steps[i].fn(daemon, mem_ctx, why);
		if (ret != 0 && *why == NULL) {
			*why = talloc_asprintf(mem_ctx, "%s: %s", start_steps[i].what,
					       strerror(ret));
		}
	}
	if (ret == 0) {
		ret = handle_signals(daemon);
	}
	if (ret == 0) {
		ret = watchdog_start(daemon, ev);
	}
	if (ret != 0) {
		talloc_free(daemon);
		return ret;
	}
	log_notice("witnessd serves %s", daemon->names.net_names[0]);
	*out = daemon;
	return 0;
}

int daemon_run(struct daemon *daemon)
{
	while (daemon->end_signal == 0) {
		if (tevent_loop_once(daemon->ev) != 0) {
			return errno != 0 ? errno : EIO;
		}
	}
	return daemon->failed ? EIO : 0;
}
