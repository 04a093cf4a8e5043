/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests on the control socket: whatever comes, the answer is an object that says "ok" or not. */
#include <errno.h>
#include <stdlib.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct control_table *table = control_table_new(mem_ctx);
	char *reply = NULL;
	size_t len = 0;
	json_t *json;

	if (table == NULL || control_table_add(table, "echo", echo, NULL) != 0 ||
	    control_table_add(table, "refuse", refuse, NULL) != 0 ||
	    control_handle(mem_ctx, table, (const char *)data, size, &reply, &len) != 0) {
		abort();
	}
	json = json_loadb(reply, len, 0, NULL);
	if (!json_is_boolean(json_object_get(json, "ok"))) {
		abort();
	}
	json_decref(json);
	talloc_free(mem_ctx);
	return 0;
}
