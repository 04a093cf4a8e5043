/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/config_private.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "witnessd/util/fileio.h"
#include "witnessd/util/log.h"

#define CONFIG_MAX_FILE (1024 * 1024)

static size_t num_keys(void)
{
	size_t n = 0;

	while (config_keys[n].name != NULL) {
		n++;
	}
	return n;
}

int config_key_index(const char *section, const char *name)
{
	size_t len = strlen(section);

	for (int i = 0; config_keys[i].name != NULL; i++) {
		const char *full = config_keys[i].name;

		if (strncmp(full, section, len) == 0 && full[len] == '.' &&
		    strcmp(full + len + 1, name) == 0) {
			return i;
		}
	}
	return -1;
}

bool config_section_known(const char *section)
{
	size_t len = strlen(section);

	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if (strncmp(k->name, section, len) == 0 && k->name[len] == '.') {
			return true;
		}
	}
	return false;
}

/* Nothing set but the defaults. */
static int config_new(TALLOC_CTX *mem_ctx, struct config **out, char **why)
{
	size_t n = num_keys();
	struct config *config = talloc_zero(mem_ctx, struct config);
	int ret = 0;

	if (config == NULL) {
		return ENOMEM;
	}
	config->values = talloc_zero_array(config, struct config_value, n);
	if (config->values == NULL) {
		talloc_free(config);
		return ENOMEM;
	}
	for (size_t i = 0; i < n && ret == 0; i++) {
		ret = config_value_parse(config, &config_keys[i], config_keys[i].def,
					 &config->values[i], why);
	}
	if (ret != 0) {
		talloc_free(config);
		return ret;
	}
	*out = config;
	return 0;
}

static char *trimmed(TALLOC_CTX *mem_ctx, const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)text[0])) {
		text++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)text[len - 1])) {
		len--;
	}
	return talloc_strndup(mem_ctx, text, len);
}

static int override_one(TALLOC_CTX *mem_ctx, struct config *config, const char *override,
			char **why)
{
	const char *eq = strchr(override, '=');
	char *section, *name, *text, *reason = NULL;
	int i, ret;

	section = trimmed(mem_ctx, override, strcspn(override, "="));
	text = eq != NULL ? trimmed(mem_ctx, eq + 1, strlen(eq + 1)) : talloc_strdup(mem_ctx, "");
	if (section == NULL || text == NULL) {
		return ENOMEM;
	}
	name = strchr(section, '.');
	if (eq == NULL || name == NULL) {
		*why = talloc_asprintf(mem_ctx, "option -o %s: expected section.key=value",
				       log_escape(mem_ctx, override));
		return *why != NULL ? EINVAL : ENOMEM;
	}
	*name++ = '\0';
	i = config_key_index(section, name);
	if (i < 0) {
		char *hint = config_hint(mem_ctx, section, name);

		*why = talloc_asprintf(mem_ctx, "option -o %s: unknown key%s: see witnessd.conf(5)",
				       log_escape(mem_ctx, override), hint != NULL ? hint : "");
		return *why != NULL ? EINVAL : ENOMEM;
	}
	ret = config_value_parse(config, &config_keys[i], text, &config->values[i], &reason);
	if (ret == 0) {
		config->values[i].set = true;
	} else if (reason != NULL) {
		*why = talloc_asprintf(mem_ctx, "option -o %s.%s: %s", section, name, reason);
	}
	return ret;
}

int config_load_buffer(TALLOC_CTX *mem_ctx, const char *name, const char *text, size_t len,
		       const char *const *overrides, struct config **out, char **why)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct config *config = NULL;
	char *reason = NULL;
	int ret;

	if (tmp == NULL) {
		return ENOMEM;
	}
	ret = config_new(tmp, &config, &reason);
	if (ret == 0) {
		ret = config_file_parse(tmp, config, name, text, len, &reason);
	}
	for (size_t i = 0; ret == 0 && overrides != NULL && overrides[i] != NULL; i++) {
		ret = override_one(tmp, config, overrides[i], &reason);
	}
	if (ret == 0) {
		*out = talloc_move(mem_ctx, &config);
	} else {
		*why = reason != NULL ? talloc_move(mem_ctx, &reason)
				      : talloc_asprintf(mem_ctx, "%s: %s", name, strerror(ret));
	}
	talloc_free(tmp);
	return ret;
}

/* The whole of a file. @return 0 or an errno; EFBIG beyond CONFIG_MAX_FILE */
static int read_file(TALLOC_CTX *mem_ctx, const char *path, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t have = 0;
	char *buf = NULL;
	int err;

	if (fd < 0) {
		return errno;
	}
	err = fileio_read(mem_ctx, fd, CONFIG_MAX_FILE + 1, &buf, &have);
	close(fd);
	if (err != 0) {
		return err;
	}
	if (have > CONFIG_MAX_FILE) {
		talloc_free(buf);
		return EFBIG;
	}
	*text = buf;
	*len = have;
	return 0;
}

int config_load(TALLOC_CTX *mem_ctx, const char *path, bool required, const char *const *overrides,
		struct config **out, char **why)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text = NULL;
	size_t len = 0;
	int ret;

	if (tmp == NULL) {
		return ENOMEM;
	}
	ret = read_file(tmp, path, &text, &len);
	if (ret == ENOENT && !required) {
		ret = 0;
	}
	if (ret != 0) {
		*why = talloc_asprintf(mem_ctx, "%s: %s", path,
				       ret == EFBIG ? "larger than 1 MiB" : strerror(ret));
	} else {
		ret = config_load_buffer(mem_ctx, path, text != NULL ? text : "", len, overrides,
					 out, why);
	}
	talloc_free(tmp);
	return ret;
}

/* The value of a key that must be in the table with one of the types of the mask. */
static const struct config_value *lookup(const struct config *config, const char *name,
					 unsigned int types)
{
	for (size_t i = 0; config_keys[i].name != NULL; i++) {
		if (strcmp(config_keys[i].name, name) == 0) {
			if ((types & 1U << config_keys[i].type) == 0) {
				break;
			}
			return &config->values[i];
		}
	}
	abort();
}

const char *config_string(const struct config *config, const char *name)
{
	return lookup(config, name, 1U << CONFIG_STRING | 1U << CONFIG_PATH | 1U << CONFIG_ENUM)
		->text;
}

bool config_bool(const struct config *config, const char *name)
{
	return lookup(config, name, 1U << CONFIG_BOOL)->number != 0;
}

uint32_t config_number(const struct config *config, const char *name)
{
	return lookup(config, name, 1U << CONFIG_NUMBER)->number;
}

const char *const *config_list(const struct config *config, const char *name, size_t *num)
{
	const struct config_value *value =
		lookup(config, name, 1U << CONFIG_LIST | 1U << CONFIG_ADDRS | 1U << CONFIG_MAP);

	if (num != NULL) {
		*num = value->num;
	}
	return value->list;
}

const char *config_text(const struct config *config, const char *name)
{
	return lookup(config, name, ~0U)->text;
}

bool config_is_set(const struct config *config, const char *name)
{
	return lookup(config, name, ~0U)->set;
}

/* Lists go on in the next lines before a line gets too long for the reader. */
static void print_list(const struct config_value *value, size_t column, FILE *out)
{
	for (size_t i = 0; i < value->num; i++) {
		size_t len = strlen(value->list[i]) + 1;

		if (i > 0 && column + len > 100) {
			fputs("\n\t", out);
			column = 8;
		}
		fprintf(out, " %s", value->list[i]);
		column += len;
	}
	fputc('\n', out);
}

void config_print(const struct config *config, FILE *out)
{
	size_t section_len = 0;

	for (size_t i = 0; config_keys[i].name != NULL; i++) {
		const struct config_key *key = &config_keys[i];
		const char *dot = strchr(key->name, '.');

		if (section_len != (size_t)(dot - key->name) ||
		    strncmp(config_keys[i - 1].name, key->name, section_len + 1) != 0) {
			section_len = (size_t)(dot - key->name);
			fprintf(out, "%s[%.*s]\n", i > 0 ? "\n" : "", (int)section_len, key->name);
		}
		fprintf(out, "%s =", dot + 1);
		if (config_type_is_list(key->type)) {
			print_list(&config->values[i], strlen(dot) + 2, out);
		} else {
			fprintf(out, " %s\n", config->values[i].text);
		}
	}
}
