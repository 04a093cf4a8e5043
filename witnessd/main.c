/* SPDX-License-Identifier: GPL-3.0-or-later */
/* witnessd(8): read the options, then load, check, show or serve. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "witnessd/background.h"
#include "witnessd/daemon.h"
#include "witnessd/util/log.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SHORT = 3 };

/* What is short now says nothing about the configuration: whoever asks may try again. */
static int status_of(int err)
{
	return err == ENOMEM || err == ENFILE || err == EMFILE ? EXIT_SHORT : EXIT_FAILED;
}

static int say(const char *why, int err)
{
	fprintf(stderr, "witnessd: %s\n", why != NULL ? why : strerror(err));
	return status_of(err);
}

/* Whoever started us hears it once: by the pipe or the terminal, and the log if that is elsewhere. */
static int start_failed(const char *why, int err, int fd, bool log_is_stderr)
{
	why = why != NULL ? why : strerror(err);
	log_err("%s", why);
	if (fd >= 0) {
		background_done(fd, why);
	} else if (!log_is_stderr) {
		say(why, err);
	}
	return status_of(err);
}

static int serve(TALLOC_CTX *mem_ctx, const struct options *options, struct config *config)
{
	bool log_is_stderr = strcmp(daemon_log_target(options, config), "stderr") == 0;
	struct tevent_context *ev;
	struct daemon *daemon = NULL;
	char *why = NULL;
	int fd = -1, ret;

	if (options->daemon && log_is_stderr) {
		return say("global.log_target = stderr needs the foreground: leave out --daemon",
			   EINVAL);
	}
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	if (options->daemon) {
		ret = background_start(&fd);
		if (ret != 0) {
			return say(NULL, ret);
		}
	}
	ret = daemon_log_setup(mem_ctx, options, config, &why);
	if (ret != 0) {
		return start_failed(why, ret, fd, false);
	}
	daemon_blackbox_start(config);
	ev = tevent_context_init(mem_ctx);
	ret = ev == NULL ? ENOMEM : daemon_create(mem_ctx, ev, options, &config, &daemon, &why);
	if (ret != 0) {
		return start_failed(why, ret, fd, log_is_stderr);
	}
	if (fd >= 0) {
		background_done(fd, NULL);
	}
	notify_manager("READY=1");
	ret = daemon_run(daemon);
	notify_manager("STOPPING=1");
	talloc_free(daemon);
	log_notice("witnessd has ended");
	log_suspend(); /* and what libqb has in /dev/shm */
	return ret == 0 ? EXIT_OK : EXIT_FAILED;
}

static int load_and_do(TALLOC_CTX *mem_ctx, const struct options *options)
{
	struct config *config = NULL;
	char *why = NULL;
	int ret = config_load(mem_ctx, options->config, options->config_required,
			      options->overrides, &config, &why);

	if (ret != 0) {
		return say(why, ret);
	}
	if (options->action == OPTIONS_RUN) {
		return serve(mem_ctx, options, config);
	}
	if (options->action == OPTIONS_CHECK) {
		printf("%s: OK\n", options->config);
	} else {
		config_print(config, stdout);
	}
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct options options;
	char *why = NULL;
	int ret = options_parse(mem_ctx, argc, argv, &options, &why);

	if (ret == ENOMEM) {
		ret = say(why, ret);
	} else if (ret != 0) {
		fprintf(stderr, "witnessd: %s\n", why != NULL ? why : strerror(ret));
		options_help(stderr);
		ret = EXIT_USAGE;
	} else if (options.action == OPTIONS_VERSION) {
		printf("witnessd %s\n", WITNESSD_VERSION);
		ret = EXIT_OK;
	} else if (options.action == OPTIONS_HELP) {
		options_help(stdout);
		ret = EXIT_OK;
	} else {
		ret = load_and_do(mem_ctx, &options);
	}
	talloc_free(mem_ctx);
	return ret;
}
