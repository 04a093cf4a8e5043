/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ini file. libinih does the splitting; it is fed line by line, so that the number of the line is
 * known whatever options the library was built with, and nothing is cut off silently.
 */
#include "witnessd/config_private.h"

#include <errno.h>
#include <ini.h>
#include <string.h>

#include "witnessd/util/log.h"

struct file_state {
	TALLOC_CTX *mem_ctx;
	struct config *config;
	const char *name;
	const char *text;
	size_t left;
	unsigned int line;
	bool indented; /* the current line begins with a blank: goes on with the value before */
	unsigned int err_line;
	int err;
	char *why;
};

/* Keep the first error: those behind it may only follow from it. */
static int file_error(struct file_state *state, int err, char *why)
{
	if (state->err == 0) {
		state->err = why != NULL ? err : ENOMEM;
		state->err_line = state->line;
		state->why = why;
	}
	return 0;
}

static void check_section(struct file_state *state, const char *line, size_t len)
{
	const char *end = memchr(line, ']', len);
	char *name;

	if (end == NULL) {
		return; /* libinih finds that */
	}
	name = talloc_strndup(state->mem_ctx, line + 1, (size_t)(end - line) - 1);
	if (name == NULL) {
		file_error(state, ENOMEM, NULL);
	} else if (!config_section_known(name)) {
		file_error(state, EINVAL,
			   talloc_asprintf(state->mem_ctx,
					   "unknown section [%s]: expected one of those in "
					   "witnessd.conf(5)",
					   log_escape(state->mem_ctx, name)));
	}
}

/* An ini_reader: fgets() on memory, with the checks that need a whole line. */
static char *next_line(char *buf, int size, void *stream)
{
	struct file_state *state = stream;
	const char *line = state->text, *nl;
	size_t len, lead = 0;

	if (state->left == 0 || state->err != 0) {
		return NULL;
	}
	state->line++;
	nl = memchr(line, '\n', state->left);
	len = nl != NULL ? (size_t)(nl - line) + 1 : state->left;
	state->text += len;
	state->left -= len;
	/* The newline does not count, so that a line is as long with it as at the end of the file without. */
	if (len - (nl != NULL ? 1 : 0) > (size_t)size - 4) {
		file_error(
			state, EINVAL,
			talloc_asprintf(state->mem_ctx,
					"the line is longer than %d bytes: a long list goes on in "
					"the next line, after a blank",
					size - 4));
		return NULL;
	}
	if (memchr(line, '\0', len) != NULL) {
		file_error(state, EINVAL,
			   talloc_strdup(state->mem_ctx, "a NUL byte: expected text"));
		return NULL;
	}
	while (lead < len && (line[lead] == ' ' || line[lead] == '\t')) {
		lead++;
	}
	state->indented = lead > 0;
	if (lead < len && line[lead] == '[' && lead == 0) {
		check_section(state, line, len);
	}
	memcpy(buf, line, len);
	buf[len] = '\0';
	return buf;
}

static int continue_list(struct file_state *state, const struct config_key *key,
			 struct config_value *value, const char *text)
{
	struct config_value old = *value;
	char *joined, *why = NULL;
	int ret;

	if (!config_type_is_list(key->type)) {
		return file_error(
			state, EINVAL,
			talloc_asprintf(state->mem_ctx,
					"the line begins with a blank, so it goes on with "
					"%s, which is not a list",
					key->name));
	}
	if (strchr(text, '=') != NULL) {
		return file_error(
			state, EINVAL,
			talloc_asprintf(state->mem_ctx,
					"the line begins with a blank, so it goes on with "
					"the list of %s, but it has a =",
					key->name));
	}
	joined = talloc_asprintf(state->mem_ctx, "%s %s", old.text, text);
	ret = joined == NULL ? ENOMEM : config_value_parse(state->config, key, joined, value, &why);
	talloc_free(joined);
	if (ret != 0) {
		return file_error(state, ret,
				  talloc_asprintf(state->mem_ctx, "%s %s", key->name,
						  why != NULL ? why : "needs more memory"));
	}
	value->set = true;
	value->line = old.line;
	talloc_free((char *)(uintptr_t)old.text);
	talloc_free(old.list);
	return 1;
}

static int handle(void *user, const char *section, const char *name, const char *text)
{
	struct file_state *state = user;
	int i = config_key_index(section, name);
	struct config_value *value;
	char *why = NULL;
	int ret;

	if (state->err != 0) {
		return 0;
	}
	if (i < 0) {
		char *hint = config_hint(state->mem_ctx, section, name);

		return file_error(
			state, EINVAL,
			talloc_asprintf(
				state->mem_ctx, "unknown key %s%s%s%s: see witnessd.conf(5)",
				log_escape(state->mem_ctx, section), section[0] != '\0' ? "." : "",
				log_escape(state->mem_ctx, name), hint != NULL ? hint : ""));
	}
	value = &state->config->values[i];
	if (value->line != 0 && state->indented) {
		return continue_list(state, &config_keys[i], value, text != NULL ? text : "");
	}
	if (value->line != 0) {
		return file_error(state, EINVAL,
				  talloc_asprintf(state->mem_ctx, "%s is set already, in line %u",
						  config_keys[i].name, value->line));
	}
	ret = config_value_parse(state->config, &config_keys[i], text != NULL ? text : "", value,
				 &why);
	if (ret != 0) {
		return file_error(state, ret,
				  talloc_asprintf(state->mem_ctx, "%s %s", config_keys[i].name,
						  why != NULL ? why : "needs more memory"));
	}
	value->set = true;
	value->line = state->line;
	return 1;
}

int config_file_parse(TALLOC_CTX *mem_ctx, struct config *config, const char *name,
		      const char *text, size_t len, char **why)
{
	struct file_state state = {
		.mem_ctx = mem_ctx, .config = config, .name = name, .text = text, .left = len};
	int bad = ini_parse_stream(next_line, &state, handle, &state);

	/* A line that libinih could not split never came to handle(). */
	if (bad > 0 && (state.err == 0 || (unsigned int)bad < state.err_line)) {
		state.err = EINVAL;
		state.err_line = (unsigned int)bad;
		state.why = talloc_strdup(mem_ctx, "expected [section] or key = value");
	}
	if (state.err == 0) {
		return bad == 0 ? 0 : ENOMEM;
	}
	if (state.why != NULL) {
		*why = talloc_asprintf(mem_ctx, "%s:%u: %s", name, state.err_line, state.why);
	}
	return *why != NULL ? state.err : ENOMEM;
}
