/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define LOG_ESCAPE_MAX 256

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

static void target_enable(int32_t target, int level)
{
	qb_log_filter_ctl(target, QB_LOG_FILTER_CLEAR_ALL, QB_LOG_FILTER_FILE, "*", LOG_TRACE);
	qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*", (uint8_t)level);
	qb_log_ctl(target, QB_LOG_CONF_ENABLED, QB_TRUE);
}

int log_setup(const char *name, const char *target, int level)
{
	static bool started;
	int32_t file;

	if (!started) {
		qb_log_init(name, LOG_DAEMON, LOG_ERR);
		started = true;
	}
	qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_FALSE);
	qb_log_ctl(QB_LOG_STDERR, QB_LOG_CONF_ENABLED, QB_FALSE);
	if (strcmp(target, "stderr") == 0) {
		qb_log_format_set(QB_LOG_STDERR, "%t %N[%P]: [%p] %b");
		target_enable(QB_LOG_STDERR, level);
		return 0;
	}
	if (strcmp(target, "syslog") == 0) {
		target_enable(QB_LOG_SYSLOG, level);
		return 0;
	}
	if (target[0] != '/') {
		return EINVAL;
	}
	file = qb_log_file_open(target);
	if (file < 0) {
		return -file;
	}
	qb_log_format_set(file, "%t %N[%P]: [%p] %b");
	target_enable(file, level);
	return 0;
}

const char *log_escape(TALLOC_CTX *mem_ctx, const char *text)
{
	char *out, *p;
	size_t len;

	if (text == NULL) {
		return "(null)";
	}
	len = strnlen(text, LOG_ESCAPE_MAX + 1);
	out = talloc_array(mem_ctx, char, 4 * len + 4);
	if (out == NULL) {
		return "(no memory)";
	}
	p = out;
	for (size_t i = 0; i < len && i < LOG_ESCAPE_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
			p += sprintf(p, "\\x%02x", c);
		} else {
			*p++ = (char)c;
		}
	}
	strcpy(p, len > LOG_ESCAPE_MAX ? "..." : "");
	return out;
}
