/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/log.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_FORMAT        "%t %N[%P]: [%p] %b"
#define LOG_FORMAT_SYSLOG "[%p] %b"
#define BLACKBOX_BYTES    (512 * 1024)
/* Our source files, by the paths that the Makefile gives to the compiler: libqb filters by them. */
#define LOG_OWN_FILES "^\\(witnessd\\|backends\\|witnessctl\\|agents\\|tests\\)/"

static const struct {
	const char *name;
	int level;
} level_names[] = {
	{"err", LOG_ERR},   {"error", LOG_ERR},   {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
	{"info", LOG_INFO}, {"debug", LOG_DEBUG}, {"trace", LOG_TRACE},
};

int log_parse_level(const char *text, int *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i].name) == 0) {
			*level = level_names[i].level;
			return 0;
		}
	}
	return EINVAL;
}

static void target_enable(int32_t target, const char *format, int level)
{
	qb_log_format_set(target, format);
	qb_log_filter_ctl(target, QB_LOG_FILTER_CLEAR_ALL, QB_LOG_FILTER_FILE, "*", LOG_TRACE);
	qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*", LOG_CRIT);
	qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE_REGEX, LOG_OWN_FILES,
			  (uint8_t)level);
	qb_log_ctl(target, QB_LOG_CONF_ENABLED, QB_TRUE);
}

/* The arguments of the last log_setup(): global, because the state of libqb is. */
static struct {
	char name[64];
	char target[PATH_MAX];
	int level;
	int blackbox; /* level; -1 = none is kept */
	bool started;
	int32_t file; /* target of the open file; 0 = none */
} last = {.blackbox = -1};

/*
 * libqb keeps the lines in a file of /dev/shm, which would stay behind when we are killed. It needs the
 * mapping only, not the name; if a libqb names it otherwise, the file is there until the end, as usual.
 */
static void unlink_blackbox(void)
{
	static const char *const parts[] = {"header", "data"};
	char path[sizeof(last.name) + 64];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), "/dev/shm/qb-%s-%d-blackbox-%s", last.name,
			       (int)getpid(), parts[i]);
		(void)unlink(path);
	}
}

static int apply_blackbox(void)
{
	int ret;

	if (last.blackbox < 0) {
		return 0;
	}
	qb_log_ctl(QB_LOG_BLACKBOX, QB_LOG_CONF_SIZE, BLACKBOX_BYTES);
	qb_log_filter_ctl(QB_LOG_BLACKBOX, QB_LOG_FILTER_CLEAR_ALL, QB_LOG_FILTER_FILE, "*",
			  LOG_TRACE);
	qb_log_filter_ctl(QB_LOG_BLACKBOX, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE_REGEX,
			  LOG_OWN_FILES, (uint8_t)last.blackbox);
	ret = qb_log_ctl(QB_LOG_BLACKBOX, QB_LOG_CONF_ENABLED, QB_TRUE);
	unlink_blackbox();
	return ret < 0 ? -ret : 0;
}

int log_blackbox_start(int level)
{
	last.blackbox = level;
	return apply_blackbox();
}

bool log_has_blackbox(void)
{
	return last.blackbox >= 0;
}

int log_blackbox_write(const char *path)
{
	ssize_t ret = qb_log_blackbox_write_to_file(path);

	return ret < 0 ? (int)-ret : 0;
}

static void enable_syslog(void)
{
	qb_log_ctl2(QB_LOG_SYSLOG, QB_LOG_CONF_IDENT, QB_LOG_CTL2_S(last.name));
	qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_FACILITY, LOG_DAEMON);
	target_enable(QB_LOG_SYSLOG, LOG_FORMAT_SYSLOG, last.level);
}

static int apply(void)
{
	qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_FALSE);
	qb_log_ctl(QB_LOG_STDERR, QB_LOG_CONF_ENABLED, QB_FALSE);
	if (last.file > 0) {
		qb_log_file_close(last.file);
		last.file = 0;
	}
	if (strcmp(last.target, "stderr") == 0) {
		target_enable(QB_LOG_STDERR, LOG_FORMAT, last.level);
		return 0;
	}
	if (strcmp(last.target, "syslog") == 0) {
		enable_syslog();
		return 0;
	}
	last.file = qb_log_file_open(last.target);
	if (last.file < 0) {
		int err = -last.file;

		last.file = 0;
		enable_syslog(); /* rather than nowhere */
		return err;
	}
	target_enable(last.file, LOG_FORMAT, last.level);
	return 0;
}

int log_setup(const char *name, const char *target, int level)
{
	if (strcmp(target, "stderr") != 0 && strcmp(target, "syslog") != 0 && target[0] != '/') {
		return EINVAL;
	}
	if (strlen(name) >= sizeof(last.name) || strlen(target) >= sizeof(last.target)) {
		return EINVAL;
	}
	if (!last.started) {
		qb_log_init(name, LOG_DAEMON, LOG_ERR);
		last.started = true;
	}
	strcpy(last.name, name);
	strcpy(last.target, target);
	last.level = level;
	return apply();
}

void log_set_level(int level)
{
	last.level = level;
	if (last.file > 0) {
		target_enable(last.file, LOG_FORMAT, level);
	} else if (strcmp(last.target, "stderr") == 0) {
		target_enable(QB_LOG_STDERR, LOG_FORMAT, level);
	} else {
		enable_syslog(); /* also where the file could not be opened */
	}
}

void log_suspend(void)
{
	if (last.started) {
		qb_log_fini();
		last.file = 0;
	}
}

int log_restore(void)
{
	int ret = last.started ? apply() : 0;

	return ret == 0 && last.started ? apply_blackbox() : ret;
}

const char *log_escape_to(struct log_text *out, const char *text)
{
	char *p = out->bytes;
	size_t len;

	if (text == NULL) {
		return "(null)";
	}
	len = strnlen(text, LOG_ESCAPE_MAX + 1);
	for (size_t i = 0; i < len && i < LOG_ESCAPE_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
			p += sprintf(p, "\\x%02x", c);
		} else {
			*p++ = (char)c;
		}
	}
	strcpy(p, len > LOG_ESCAPE_MAX ? "..." : "");
	return out->bytes;
}

const char *log_escape(TALLOC_CTX *mem_ctx, const char *text)
{
	struct log_text room;
	const char *out = talloc_strdup(mem_ctx, log_escape_to(&room, text));

	return out != NULL ? out : "(no memory)";
}
