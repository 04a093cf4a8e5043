/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests on the control socket, and of other nodes: whatever comes, the answer is an object that says "ok" or not, and
 * other nodes get only what is served anywhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "witnessd/control/array.h"
#include "witnessd/control/control_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int echo(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request, json_t **result,
		char **why)
{
	*result = json_deep_copy(request);
	return 0;
}

static int refuse(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request, json_t **result,
		  char **why)
{
	const char *text = json_string_value(json_object_get(request, "why"));

	*why = text != NULL ? talloc_strdup(mem_ctx, text) : NULL;
	return EPERM;
}

/* A stream of up to 100 elements. */
static bool fill(void *cursor, char **text)
{
	json_int_t *left = cursor;

	if (*left > 0) {
		*text = talloc_asprintf_append_buffer(*text, ",%d", (int)*left);
		(*left)--;
	}
	return *left > 0;
}

static int many(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		struct control_stream *out, char **why)
{
	json_int_t *left = talloc_zero(mem_ctx, json_int_t);

	*left = json_integer_value(json_object_get(request, "num"));
	if (*left < 0 || *left > 100) {
		return EINVAL;
	}
	return control_array(mem_ctx, fill, left, "[", "]", out);
}

static void check_other(TALLOC_CTX *mem_ctx, const struct control_table *table, const char *text,
			size_t len)
{
	const char *reply = control_table_answer(table, mem_ctx, text, len);
	json_t *json = NULL, *request = json_loadb(text, len, 0, NULL);
	const char *name = json_string_value(json_object_get(request, "command"));
	char *why = NULL;
	int err;

	if (reply == NULL) {
		abort();
	}
	err = control_result(mem_ctx, reply, strlen(reply), &json, &why);
	if (err == 0 ? name == NULL || strcmp(name, "anywhere") != 0 : why == NULL) {
		abort();
	}
	json_decref(request);
	json_decref(json);
	/* And when it is the answer that comes from elsewhere. */
	json = NULL;
	if (control_result(mem_ctx, text, len, &json, &why) == 0) {
		json_decref(json);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct control_table *table = control_table_new(mem_ctx);
	struct control_reply *reply = NULL;
	json_t *json;

	if (table == NULL || control_table_add(table, "echo", echo, NULL) != 0 ||
	    control_table_add(table, "refuse", refuse, NULL) != 0 ||
	    control_table_add_anywhere(table, "anywhere", echo, NULL) != 0 ||
	    control_table_add_stream(table, "many", many, NULL) != 0 ||
	    control_handle(mem_ctx, table, (const char *)data, size, &reply) != 0 ||
	    control_reply_more(reply) != 0) {
		abort();
	}
	json = json_loadb(reply->text, reply->len, 0, NULL);
	if (!json_is_boolean(json_object_get(json, "ok"))) {
		abort();
	}
	json_decref(json);
	check_other(mem_ctx, table, (const char *)data, size);
	talloc_free(mem_ctx);
	return 0;
}
