/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Logging on libqb. Daemons log, tools print. Levels, as Pacemaker uses them:
 *   LOG_ERR     something does not work and somebody has to act
 *   LOG_WARNING something is wrong and witnessd copes
 *   LOG_NOTICE  what an administrator wants to see of a healthy service: start, stop, quorum, events
 *   LOG_INFO    one line per state change of a registration or a connection
 *   LOG_DEBUG   why something was decided
 *   LOG_TRACE   (libqb) each PDU
 * One event is one log call. Text from a peer goes through log_escape() first.
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
 * Start logging for this process, to exactly one target: standard error, syslog or a file. When the file cannot
 * be opened syslog is used instead, and the error returned. Later calls change the level and the target. All
 * strings are copied.
 * @param target "stderr", "syslog" or an absolute path
 * @param level  a syslog priority; messages up to it are logged
 * @return 0, EINVAL for an unknown target, or the error of opening the file (syslog is used then)
 */
int log_setup(const char *name, const char *target, int level);

/** Log up to another level from now on, without opening anything again; after log_setup(). */
void log_set_level(int level);

/**
 * Around a call into a library that sets up libqb's logging for itself, as Pacemaker's do (see
 * backends/pacemaker/pcmk.h): stop ours, then apply the last log_setup() again. Before the first
 * log_setup() both do nothing. Lines of other libraries that use libqb are logged only if critical.
 * @return as log_setup()
 */
void log_suspend(void);
int log_restore(void);

/**
 * Also keep the last lines (some 3,500) up to this level in memory, whatever level log_setup() was given. Costs
 * a tenth of a microsecond per line. log_suspend() loses them. Call after log_setup(). From then on
 * only the main thread may log: libqb does not lock the buffer.
 * @return 0 or an errno
 */
int log_blackbox_start(int level);
/** Whether log_blackbox_start() has been called. */
bool log_has_blackbox(void);

/** Write these lines to a new file, for qb-blackbox(8). Follows links. @return 0 or an errno */
int log_blackbox_write(const char *path);

#define LOG_ESCAPE_MAX 256 /* characters of a peer's text that one line shows */

/** "err", "warning", "notice", "info", "debug", "trace" to a priority. @return 0 or EINVAL */
int log_parse_level(const char *text, int *level);

/**
 * A printable copy of text from a peer: control characters, quotes, backslashes and bytes above 0x7e
 * become \xNN, and what is longer than 256 characters is cut with "...". NULL gives "(null)".
 * @return a child of mem_ctx; a constant string when memory is short, so it can always be printed
 */
const char *log_escape(TALLOC_CTX *mem_ctx, const char *text);

/* Room for the result of log_escape() for any text. */
struct log_text {
	char bytes[4 * LOG_ESCAPE_MAX + 4];
};

/** log_escape() into the caller's buffer. @return out's bytes, or a constant string for NULL */
const char *log_escape_to(struct log_text *out, const char *text);

/** log_escape() into a buffer on the stack, for one log call; valid to the end of the enclosing block. */
#define log_printable(text) log_escape_to(&(struct log_text){.bytes = ""}, (text))

#endif
