/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests on the control socket: whatever comes, the answer is an object that says "ok" or not. */
#include <errno.h>
#include <stdlib.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct control_table *table = control_table_new(mem_ctx);
	struct control_reply *reply = NULL;
	json_t *json;

	if (table == NULL || control_table_add(table, "echo", echo, NULL) != 0 ||
	    control_table_add(table, "refuse", refuse, NULL) != 0 ||
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
	talloc_free(mem_ctx);
	return 0;
}
