/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One value of the configuration: text to type, with its range. */
#include "witnessd/config_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/util/ipaddr.h"
#include "witnessd/util/log.h"

static int refuse(TALLOC_CTX *mem_ctx, const char *expected, const char *text, char **why)
{
	*why = talloc_asprintf(mem_ctx, "%s, not \"%s\"", expected, log_escape(mem_ctx, text));
	return *why != NULL ? EINVAL : ENOMEM;
}

static int parse_bool(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		      struct config_value *value, char **why)
{
	static const char *const words[][2] = {
		{"no", "yes"},
		{"false", "true"},
		{"off", "on"},
		{"0", "1"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (uint32_t b = 0; b < 2; b++) {
			if (strcasecmp(text, words[i][b]) == 0) {
				value->number = b;
				return 0;
			}
		}
	}
	return refuse(mem_ctx, "must be yes or no", text, why);
}

static int parse_number(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
			struct config_value *value, char **why)
{
	unsigned long long n = 0;
	size_t digits = strspn(text, "0123456789");
	char *expected;

	if (digits > 0 && digits < 12 && text[digits] == '\0') {
		n = strtoull(text, NULL, 10);
		if (n >= key->min && n <= key->max) {
			value->number = (uint32_t)n;
			return 0;
		}
	}
	expected = talloc_asprintf(mem_ctx, "must be a whole number from %u to %u", key->min,
				   key->max);
	return expected != NULL ? refuse(mem_ctx, expected, text, why) : ENOMEM;
}

static int parse_enum(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		      struct config_value *value, char **why)
{
	size_t len = strlen(text);
	char *expected;

	for (const char *p = key->choices; p != NULL; p = strchr(p, '|')) {
		p += *p == '|';
		if (len > 0 && strcspn(p, "|") == len && strncmp(p, text, len) == 0) {
			return 0;
		}
	}
	expected = talloc_asprintf(mem_ctx, "must be one of %s", key->choices);
	return expected != NULL ? refuse(mem_ctx, expected, text, why) : ENOMEM;
}

static int parse_path(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		      struct config_value *value, char **why)
{
	if (text[0] != '\0' && text[0] != '/') {
		return refuse(mem_ctx, "must be an absolute path or empty", text, why);
	}
	return 0;
}

static int parse_list(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		      struct config_value *value, char **why)
{
	const char **list = talloc_array(mem_ctx, const char *, 1);
	size_t num = 0;

	if (list == NULL) {
		return ENOMEM;
	}
	for (const char *p = text + strspn(text, " \t,"); *p != '\0'; p += strspn(p, " \t,")) {
		size_t len = strcspn(p, " \t,");

		if (num == CONFIG_MAX_WORDS || len > CONFIG_MAX_VALUE) {
			return refuse(mem_ctx, "must have at most 1024 words of 150 bytes", text,
				      why);
		}
		if (memchr(p, '=', len) != NULL) {
			/* No name of a host or share has one: here it is a key that was indented. */
			return refuse(mem_ctx, "must not have words with a =", text, why);
		}
		list = talloc_realloc(mem_ctx, list, const char *, num + 2);
		if (list == NULL) {
			return ENOMEM;
		}
		list[num] = talloc_strndup(list, p, len);
		if (list[num] == NULL) {
			return ENOMEM;
		}
		num++;
		p += len;
	}
	list[num] = NULL;
	value->list = list;
	value->num = num;
	return 0;
}

static int parse_addrs(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		       struct config_value *value, char **why)
{
	struct config_value list = {.num = 0};
	int ret = parse_list(mem_ctx, key, text, &list, why);
	struct ipaddr ip;

	if (ret != 0) {
		return ret;
	}
	for (size_t i = 0; i < list.num; i++) {
		if (ipaddr_parse(list.list[i], &ip) != 0) {
			return refuse(mem_ctx, "must be a list of IPv4 and IPv6 addresses",
				      list.list[i], why);
		}
	}
	if (list.num == 0 && key->def[0] != '\0') {
		return refuse(mem_ctx, "must name at least one IPv4 or IPv6 address", text, why);
	}
	value->list = list.list;
	value->num = list.num;
	return 0;
}

size_t config_map_split(const char *word, const char **resource)
{
	size_t len = strcspn(word, ":");

	*resource = word[len] == ':' ? word + len + 1 : word + len;
	return len;
}

static int parse_map(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		     struct config_value *value, char **why)
{
	struct config_value list = {.num = 0};
	int ret = parse_list(mem_ctx, key, text, &list, why);

	for (size_t i = 0; ret == 0 && i < list.num; i++) {
		const char *resource;

		if (config_map_split(list.list[i], &resource) == 0 || resource[0] == '\0') {
			return refuse(mem_ctx, "must be a list of NAME:RESOURCE", list.list[i],
				      why);
		}
	}
	if (ret == 0) {
		value->list = list.list;
		value->num = list.num;
	}
	return ret;
}

static int parse_string(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
			struct config_value *value, char **why)
{
	return 0;
}

typedef int (*parse_fn)(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
			struct config_value *value, char **why);
static const parse_fn parsers[] = {
	[CONFIG_STRING] = parse_string, [CONFIG_PATH] = parse_path, [CONFIG_BOOL] = parse_bool,
	[CONFIG_NUMBER] = parse_number, [CONFIG_ENUM] = parse_enum, [CONFIG_LIST] = parse_list,
	[CONFIG_ADDRS] = parse_addrs,   [CONFIG_MAP] = parse_map,
};

bool config_type_is_list(enum config_type type)
{
	return type == CONFIG_LIST || type == CONFIG_ADDRS || type == CONFIG_MAP;
}

/* What can't stand in a file again, so that --show-config is always a good file. */
static int check_text(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		      char **why)
{
	bool list = config_type_is_list(key->type);

	if (strlen(text) > (list ? CONFIG_MAX_LIST : CONFIG_MAX_VALUE)) {
		return refuse(mem_ctx,
			      list ? "must not be longer than 64 KiB"
				   : "must not be longer than 150 bytes",
			      text, why);
	}
	for (const char *p = text; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p) && *p != '\t') {
			return refuse(mem_ctx, "must not contain control characters", text, why);
		}
		if (*p == ';' && (p == text || isspace((unsigned char)p[-1]))) {
			return refuse(mem_ctx, "must not contain a word that begins with ;", text,
				      why);
		}
	}
	return 0;
}

int config_value_parse(TALLOC_CTX *mem_ctx, const struct config_key *key, const char *text,
		       struct config_value *value, char **why)
{
	struct config_value next = {.num = 0};
	int ret = check_text(mem_ctx, key, text, why);

	if (ret == 0) {
		ret = parsers[key->type](mem_ctx, key, text, &next, why);
	}
	if (ret != 0) {
		return ret;
	}
	next.text = talloc_strdup(mem_ctx, text);
	if (next.text == NULL) {
		return ENOMEM;
	}
	*value = next;
	return 0;
}
