/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon: everything wired together. The one place that knows all parts; none of them knows it.
 */
#ifndef WITNESSD_DAEMON_H
#define WITNESSD_DAEMON_H

#include <talloc.h>
#include <tevent.h>

#include "witnessd/config.h"
#include "witnessd/options.h"

struct daemon;

/**
 * Start everything in its order: pid file, authentication, RPC endpoints, cluster, witness service,
 * backend, control socket. Until it returns nobody is served. config is taken over; options are
 * borrowed and must outlive the daemon.
 * @param why what does not work, where, and what was expected: a child of mem_ctx
 * @return 0 or an errno
 */
int daemon_create(TALLOC_CTX *mem_ctx, struct tevent_context *ev, const struct options *options,
		  struct config **config, struct daemon **out, char **why);

/** Serve until SIGTERM or SIGINT. @return 0, or the errno of the event loop */
int daemon_run(struct daemon *daemon);

/** "stderr", "syslog" or a path. */
const char *daemon_log_target(const struct options *options, const struct config *config);

/** Log as the configuration and the options say. @return 0 or an errno with *why set */
int daemon_log_setup(TALLOC_CTX *mem_ctx, const struct options *options,
		     const struct config *config, char **why);

/** Keep the last log lines in memory, if the configuration says so; after daemon_log_setup(). */
void daemon_blackbox_start(const struct config *config);

#endif
