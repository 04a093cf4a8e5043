/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to answers, without a socket. */
#include "witnessd/control/control_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/util/hash.h"
#include "witnessd/util/log.h"

struct control_command {
	const char *name;
	control_fn fn;            /* or */
	control_stream_fn stream; /* NULL unless fn is */
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

static int add(struct control_table *table, const char *command, control_fn fn,
	       control_stream_fn stream, void *private_data)
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
	entry->stream = stream;
	entry->private_data = private_data;
	HASH_ADD_KEYPTR(hh, table->commands, entry->name, strlen(entry->name), entry);
	if (entry->hh.tbl == NULL) {
		talloc_free(entry);
		return ENOMEM;
	}
	return 0;
}

int control_table_add(struct control_table *table, const char *command, control_fn fn,
		      void *private_data)
{
	return add(table, command, fn, NULL, private_data);
}

int control_table_add_stream(struct control_table *table, const char *command, control_stream_fn fn,
			     void *private_data)
{
	return add(table, command, NULL, fn, private_data);
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

/* The "code" of a refusal; NULL: none. */
static const char *code_name(int err)
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

/* {"ok": ...} for a request that is JSON; NULL when memory is short, or when stream is the answer. */
static json_t *answer(TALLOC_CTX *mem_ctx, const struct control_table *table, const json_t *request,
		      struct control_stream *stream)
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
	if (command->stream != NULL) {
		ret = command->stream(command->private_data, mem_ctx, request, stream, &why);
	} else {
		ret = command->fn(command->private_data, mem_ctx, request, &result, &why);
	}
	if (ret != 0) {
		return refusal_code(why != NULL ? why : strerror(ret), code_name(ret));
	}
	if (command->stream != NULL) {
		return NULL;
	}
	return json_pack("{s:b, s:o}", "ok", 1, "result", result != NULL ? result : json_null());
}

static json_t *answer_text(TALLOC_CTX *mem_ctx, const struct control_table *table,
			   const char *request, size_t len, struct control_stream *stream)
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
	reply = answer(mem_ctx, table, json, stream);
	json_decref(json);
	return reply;
}

static int set_text(struct control_reply *reply, const char *text)
{
	reply->text = text != NULL ? talloc_strdup(reply, text) : NULL;
	reply->len = reply->text != NULL ? strlen(reply->text) : 0;
	return reply->text != NULL ? 0 : ENOMEM;
}

/* All of it at once. */
static int set_json(struct control_reply *reply, json_t *json)
{
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	int err;

	json_decref(json);
	if (text != NULL && strlen(text) > CONTROL_MAX_REPLY) {
		json = refusal("the answer is larger than 64 MiB");
		free(text);
		text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
		json_decref(json);
	}
	err = set_text(reply, text);
	free(text);
	return err;
}

int control_handle(TALLOC_CTX *mem_ctx, const struct control_table *table, const char *request,
		   size_t len, struct control_reply **out)
{
	struct control_reply *reply = talloc_zero(mem_ctx, struct control_reply);
	TALLOC_CTX *tmp = talloc_new(reply);
	json_t *json;
	int err;

	if (tmp == NULL) {
		talloc_free(reply);
		return ENOMEM;
	}
	json = answer_text(tmp, table, request, len, &reply->stream);
	if (reply->stream.next != NULL) {
		(void)talloc_steal(reply, reply->stream.private_data);
		err = set_text(reply, "{\"ok\":true,\"result\":");
	} else {
		err = set_json(reply, json);
	}
	talloc_free(tmp);
	if (err != 0) {
		talloc_free(reply);
		return err;
	}
	*out = reply;
	return 0;
}

/* --- streams --- */

/* The next piece, or the end. */
static int append_piece(struct control_reply *reply)
{
	TALLOC_CTX *tmp = talloc_new(reply);
	char *piece = NULL, *text;
	int err = reply->stream.next(reply->stream.private_data, tmp, &piece);

	if (err == 0) {
		if (piece == NULL) {
			reply->stream.next = NULL;
			TALLOC_FREE(reply->stream.private_data);
		}
		/* Not ..._append_buffer(): the text may be shorter than its memory. */
		text = talloc_strdup_append(reply->text, piece != NULL ? piece : "}");
		err = text != NULL ? 0 : ENOMEM;
		if (text != NULL) {
			reply->text = text;
			reply->len = strlen(text);
		}
	}
	talloc_free(tmp);
	return err;
}

int control_reply_more(struct control_reply *reply)
{
	int err = 0;

	while (err == 0 && reply->stream.next != NULL && reply->len < CONTROL_ENOUGH) {
		err = append_piece(reply);
	}
	return err == 0 && reply->before + reply->len > CONTROL_MAX_REPLY ? EFBIG : err;
}

void control_reply_sent(struct control_reply *reply, size_t len)
{
	reply->before += len;
	reply->len -= len;
	memmove(reply->text, reply->text + len, reply->len + 1);
}
