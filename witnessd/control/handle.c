/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to answers, without a socket. */
#include "witnessd/control/control_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/util/hash.h"
#include "witnessd/util/log.h"
#include "witnessd/util/text_json.h"

struct control_command {
	const char *name;
	control_fn fn;            /* or */
	control_stream_fn stream; /* NULL unless fn is */
	bool anywhere;            /* also for and on other nodes */
	void *private_data;
	UT_hash_handle hh;
};

struct control_table {
	struct control_command *commands;
	struct tevent_context *ev;
	struct control_elsewhere elsewhere; /* send NULL: nowhere */
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

static int add(struct control_table *table, const struct control_command *command)
{
	struct control_command *entry;

	HASH_FIND_STR(table->commands, command->name, entry);
	if (entry != NULL) {
		return EEXIST;
	}
	entry = talloc(table, struct control_command);
	if (entry == NULL) {
		return ENOMEM;
	}
	*entry = *command;
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
	return add(table, &(struct control_command){
				  .name = command, .fn = fn, .private_data = private_data});
}

int control_table_add_stream(struct control_table *table, const char *command, control_stream_fn fn,
			     void *private_data)
{
	return add(table, &(struct control_command){
				  .name = command, .stream = fn, .private_data = private_data});
}

int control_table_add_anywhere(struct control_table *table, const char *command, control_fn fn,
			       void *private_data)
{
	return add(table, &(struct control_command){.name = command,
						    .fn = fn,
						    .anywhere = true,
						    .private_data = private_data});
}

void control_table_set_elsewhere(struct control_table *table, struct tevent_context *ev,
				 const struct control_elsewhere *elsewhere)
{
	table->ev = ev;
	table->elsewhere = *elsewhere;
}

static json_t *refusal(const char *why)
{
	return json_pack("{s:b, s:o}", "ok", 0, "error", text_json(why));
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

static int code_of(const char *name)
{
	for (size_t i = 0; name != NULL && i < NUM_CODES; i++) {
		if (strcmp(codes[i].name, name) == 0) {
			return codes[i].err;
		}
	}
	return EREMOTEIO;
}

static json_t *refused(int err, const char *why)
{
	return refusal_code(why != NULL ? why : strerror(err), code_name(err));
}

static json_t *accepted(json_t *result)
{
	return json_pack("{s:b, s:o}", "ok", 1, "result", result != NULL ? result : json_null());
}

static json_t *call_fn(const struct control_command *command, TALLOC_CTX *mem_ctx,
		       const json_t *request)
{
	json_t *result = NULL;
	char *why = NULL;
	int err = command->fn(command->private_data, mem_ctx, request, &result, &why);

	return err != 0 ? refused(err, why) : accepted(result);
}

/* NULL when memory is short, or when stream is the answer. */
static json_t *call_stream(const struct control_command *command, TALLOC_CTX *mem_ctx,
			   const json_t *request, struct control_stream *stream)
{
	char *why = NULL;
	int err = command->stream(command->private_data, mem_ctx, request, stream, &why);

	return err != 0 ? refused(err, why) : NULL;
}

/* NULL: later is the answer. */
static json_t *call_elsewhere(const struct control_table *table, TALLOC_CTX *mem_ctx,
			      const json_t *request, struct tevent_req **later)
{
	const struct control_elsewhere *elsewhere = &table->elsewhere;

	if (elsewhere->send == NULL) {
		return refusal("other nodes cannot be asked");
	}
	*later = elsewhere->send(mem_ctx, table->ev, elsewhere->private_data, request);
	return *later == NULL ? refused(ENOMEM, NULL) : NULL;
}

/* @return NULL with *refused_json: there is no such command */
static const struct control_command *find_command(const struct control_table *table,
						  TALLOC_CTX *mem_ctx, const json_t *request,
						  json_t **refused_json)
{
	const char *name = json_string_value(json_object_get(request, "command"));
	struct control_command *command = NULL;
	char *why;

	if (name == NULL) {
		*refused_json = refusal("expected an object with a \"command\" that is a string");
		return NULL;
	}
	HASH_FIND_STR(table->commands, name, command);
	if (command == NULL) {
		why = talloc_asprintf(mem_ctx, "no such command: \"%s\"",
				      log_escape(mem_ctx, name));
		*refused_json = refusal(why != NULL ? why : "no such command");
	}
	return command;
}

static bool is_for_other(const struct control_table *table, const json_t *node)
{
	const struct control_elsewhere *elsewhere = &table->elsewhere;

	return node != NULL &&
	       !(elsewhere->is_here != NULL && json_is_string(node) &&
		 elsewhere->is_here(elsewhere->private_data, json_string_value(node)));
}

/* {"ok": ...}; NULL when memory is short, or when stream or later is the answer. */
static json_t *answer(TALLOC_CTX *mem_ctx, const struct control_table *table, const json_t *request,
		      struct control_reply *reply)
{
	json_t *json = NULL;
	const struct control_command *command = find_command(table, mem_ctx, request, &json);

	if (command == NULL) {
		return json;
	}
	if (command->anywhere && is_for_other(table, json_object_get(request, "node"))) {
		return call_elsewhere(table, reply, request, &reply->later);
	}
	return command->stream != NULL ? call_stream(command, mem_ctx, request, &reply->stream)
				       : call_fn(command, mem_ctx, request);
}

/* NULL with a refusal when it is none. */
static json_t *read_request(TALLOC_CTX *mem_ctx, const char *request, size_t len,
			    json_t **refused_json)
{
	json_error_t error;
	json_t *json = json_loadb(request, len, JSON_REJECT_DUPLICATES, &error);
	char *why;

	if (json == NULL) {
		why = talloc_asprintf(mem_ctx, "the request is not JSON: %s",
				      log_escape(mem_ctx, error.text));
		*refused_json = refusal(why != NULL ? why : "the request is not JSON");
	}
	return json;
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
	json_t *json = NULL, *parsed;
	int err;

	if (tmp == NULL) {
		talloc_free(reply);
		return ENOMEM;
	}
	parsed = read_request(tmp, request, len, &json);
	if (parsed != NULL) {
		json = answer(tmp, table, parsed, reply);
		json_decref(parsed);
	}
	if (reply->later != NULL) {
		err = 0;
	} else if (reply->stream.next != NULL) {
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

int control_reply_arrived(const struct control_table *table, struct control_reply *reply)
{
	TALLOC_CTX *tmp = talloc_new(reply);
	json_t *result = NULL;
	char *why = NULL;
	int err = table->elsewhere.recv(reply->later, tmp, &result, &why);

	TALLOC_FREE(reply->later);
	err = set_json(reply, err != 0 ? refused(err, why) : accepted(result));
	talloc_free(tmp);
	return err;
}

/* --- other nodes' requests --- */

/* One that is served anywhere, or a refusal. */
static json_t *answer_other(TALLOC_CTX *mem_ctx, const struct control_table *table,
			    const json_t *request)
{
	json_t *json = NULL;
	const struct control_command *command = find_command(table, mem_ctx, request, &json);

	if (command != NULL && !command->anywhere) {
		json = refusal("that is not answered for other nodes");
	} else if (command != NULL) {
		json = call_fn(command, mem_ctx, request);
	}
	return json;
}

char *control_table_answer(const struct control_table *table, TALLOC_CTX *mem_ctx,
			   const char *request, size_t len)
{
	TALLOC_CTX *tmp = talloc_new(mem_ctx);
	json_t *json = NULL, *parsed = read_request(tmp, request, len, &json);
	char *text, *dumped;

	if (parsed != NULL) {
		json = answer_other(tmp, table, parsed);
		json_decref(parsed);
	}
	dumped = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	text = dumped != NULL ? talloc_strdup(mem_ctx, dumped) : NULL;
	free(dumped);
	json_decref(json);
	talloc_free(tmp);
	return text;
}

int control_result(TALLOC_CTX *mem_ctx, const char *text, size_t len, json_t **result, char **why)
{
	json_t *reply = json_loadb(text, len, 0, NULL);
	json_t *value = json_object_get(reply, "result");
	const char *error = json_string_value(json_object_get(reply, "error"));
	int err = EPROTO;

	if (json_is_true(json_object_get(reply, "ok")) && value != NULL) {
		*result = json_incref(value);
		err = 0;
	} else if (error != NULL) {
		*why = talloc_strdup(mem_ctx, error);
		err = code_of(json_string_value(json_object_get(reply, "code")));
	}
	json_decref(reply);
	return err;
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
