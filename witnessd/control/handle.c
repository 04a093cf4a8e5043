/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to answers, without a socket. */
#include "witnessd/control/control_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "witnessd/util/log.h"

struct control_command {
	const char *name;
	control_fn fn;
	void *private_data;
	UT_hash_handle hh;
};

struct control_table {
	struct control_command *commands;
};

static int table_destructor(struct control_table *table)
{
	HASH_CLEAR(hh, table->commands);
	return 0;
}

struct control_table *control_table_new(TALLOC_CTX *mem_ctx)
{
	struct control_table *table = talloc_zero(mem_ctx, struct control_table);

	if (table != NULL) {
		talloc_set_destructor(table, table_destructor);
	}
	return table;
}

int control_table_add(struct control_table *table, const char *command, control_fn fn,
		      void *private_data)
{
	struct control_command *entry;

	HASH_FIND_STR(table->commands, command, entry);
	if (entry != NULL) {
		return EEXIST;
	}
	entry = talloc(table, struct control_command);
	if (entry == NULL) {
		return ENOMEM;
	}
	entry->name = command;
	entry->fn = fn;
	entry->private_data = private_data;
	HASH_ADD_KEYPTR(hh, table->commands, entry->name, strlen(entry->name), entry);
	return 0;
}

static json_t *refusal(const char *why)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

/* With what a program can tell it by, if anything. */
static json_t *refusal_code(const char *why, const char *code)
{
	json_t *json = refusal(why);

	if (code != NULL) {
		(void)json_object_set_new(json, "code", json_string(code));
	}
	return json;
}

static const struct {
	const char *name;
	int err;
} codes[] = {
	{"no registration", ESRCH},
	{"no node", ENODEV},
	{"no address", ENXIO},
	{"bad JSON", EBADMSG},
};

#define NUM_CODES (sizeof(codes) / sizeof(codes[0]))

const char *control_code_name(int err)
{
	for (size_t i = 0; i < NUM_CODES; i++) {
		if (codes[i].err == err) {
			return codes[i].name;
		}
	}
	return NULL;
}

int control_code(const char *name)
{
	for (size_t i = 0; name != NULL && i < NUM_CODES; i++) {
		if (strcmp(codes[i].name, name) == 0) {
			return codes[i].err;
		}
	}
	return EREMOTEIO;
}

/* {"ok": ...} for a request that is JSON; NULL when memory is short. */
static json_t *answer(TALLOC_CTX *mem_ctx, const struct control_table *table, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "command"));
	struct control_command *command = NULL;
	json_t *result = NULL;
	char *why = NULL;
	int ret;

	if (name == NULL) {
		return refusal("expected an object with a \"command\" that is a string");
	}
	HASH_FIND_STR(table->commands, name, command);
	if (command == NULL) {
		why = talloc_asprintf(mem_ctx, "no such command: \"%s\"",
				      log_escape(mem_ctx, name));
		return refusal(why != NULL ? why : "no such command");
	}
	ret = command->fn(command->private_data, mem_ctx, request, &result, &why);
	if (ret != 0) {
		return refusal_code(why != NULL ? why : strerror(ret), control_code_name(ret));
	}
	return json_pack("{s:b, s:o}", "ok", 1, "result", result != NULL ? result : json_null());
}

static json_t *answer_text(TALLOC_CTX *mem_ctx, const struct control_table *table,
			   const char *request, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(request, len, JSON_REJECT_DUPLICATES, &error);
	json_t *reply;
	char *why;

	if (json == NULL) {
		why = talloc_asprintf(mem_ctx, "the request is not JSON: %s",
				      log_escape(mem_ctx, error.text));
		return refusal(why != NULL ? why : "the request is not JSON");
	}
	reply = answer(mem_ctx, table, json);
	json_decref(json);
	return reply;
}

int control_handle(TALLOC_CTX *mem_ctx, const struct control_table *table, const char *request,
		   size_t len, char **reply, size_t *reply_len)
{
	json_t *json = answer_text(mem_ctx, table, request, len);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text != NULL && strlen(text) > CONTROL_MAX_REPLY) {
		json = refusal("the answer is larger than 64 MiB");
		free(text);
		text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
		json_decref(json);
	}
	if (text == NULL) {
		return ENOMEM;
	}
	*reply_len = strlen(text);
	*reply = talloc_memdup(mem_ctx, text, *reply_len + 1);
	free(text);
	return *reply != NULL ? 0 : ENOMEM;
}
