/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Logging on libqb. Daemons log, tools print. Levels, as Pacemaker uses them:
 *   LOG_ERR     something does not work and somebody has to act
 *   LOG_WARNING something is wrong and witnessd copes
 *   LOG_NOTICE  what an administrator wants to see of a healthy service: start, stop, quorum, events
 *   LOG_INFO    one line a state change of a registration or a connection
 *   LOG_DEBUG   why something was decided
 *   LOG_TRACE   (libqb) each PDU
 * One event is one call. Text that came from a peer goes through log_escape() first.
 */
#ifndef WITNESSD_UTIL_LOG_H
#define WITNESSD_UTIL_LOG_H

#include <qb/qblog.h>
#include <stdbool.h>
#include <talloc.h>

#define log_err(fmt, args...)    qb_log(LOG_ERR, fmt, ##args)
#define log_warn(fmt, args...)   qb_log(LOG_WARNING, fmt, ##args)
#define log_notice(fmt, args...) qb_log(LOG_NOTICE, fmt, ##args)
#define log_info(fmt, args...)   qb_log(LOG_INFO, fmt, ##args)
#define log_debug(fmt, args...)  qb_log(LOG_DEBUG, fmt, ##args)

/**
 * Start logging for this process: to standard error, or to syslog, and to a file when one is named.
 * Later calls change the level and the targets. All strings are copied.
 * @param target "stderr", "syslog" or an absolute path
 * @param level  a syslog priority; messages up to it are logged
 * @return 0, EINVAL for an unknown target, or what opening the file gave
 */
int log_setup(const char *name, const char *target, int level);

/**
 * Around a call into a library that sets libqb's logging up for itself, as Pacemaker's do (see
 * backends/pacemaker/pcmk.h): end ours, then apply the last log_setup() again. Before the first
 * log_setup() both do nothing. In any case only our own lines are logged: those of libraries that use
 * libqb, too, are left out unless they are critical.
 * @return as log_setup()
 */
void log_suspend(void);
int log_restore(void);

/**
 * Keep the last lines up to a level in memory, too, whatever log_setup() says; some 3,500 of them. It costs
 * a tenth of a microsecond a line. Lines from before a log_suspend() are lost. Comes after log_setup().
 * Only the main thread may log then: libqb has no lock around them.
 * @return 0 or an errno
 */
int log_blackbox_start(int level);
bool log_has_blackbox(void);

/** Write them to a new file, for qb-blackbox(8). Follows links. @return 0 or an errno */
int log_blackbox_write(const char *path);

#define LOG_ESCAPE_MAX 256 /* characters of a peer's text in one line */

/** "err", "warning", "notice", "info", "debug", "trace" to a priority. @return 0 or EINVAL */
int log_parse_level(const char *text, int *level);

/**
 * A printable copy of text from a peer: control characters, quotes, backslashes and bytes above 0x7e
 * become \xNN, and what is longer than 256 characters is cut with "...". NULL gives "(null)".
 * @return a child of mem_ctx; a constant string when memory is short, so it can always be printed
 */
const char *log_escape(TALLOC_CTX *mem_ctx, const char *text);

/* Room for what log_escape() makes of any text. */
struct log_text {
	char bytes[4 * LOG_ESCAPE_MAX + 4];
};

/** log_escape() into room of the caller's. @return out's bytes, or a constant string for NULL */
const char *log_escape_to(struct log_text *out, const char *text);

/** log_escape() for one line of the log, where nothing at hand is as short-lived; good to the end of the block. */
#define log_printable(text) log_escape_to(&(struct log_text){.bytes = ""}, (text))

#endif
