/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/text_json.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "witnessd/util/log.h"
#include "witnessd/util/text_append.h"

json_t *text_json(const char *text)
{
	TALLOC_CTX *tmp;
	json_t *json;

	if (text == NULL) {
		return json_null();
	}
	json = json_string(text);
	if (json == NULL) {
		tmp = talloc_new(NULL);
		json = tmp != NULL ? json_string(log_escape(tmp, text)) : NULL;
		talloc_free(tmp);
	}
	return json;
}

const json_t *json_at(const json_t *json, const char *path)
{
	while (json != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		json = json_object_getn(json, path, len);
		path += len + (path[len] == '.');
	}
	return json;
}

char *text_json_append(char *text, json_t *json)
{
	char *dump = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (dump == NULL) {
		TALLOC_FREE(text);
	}
	text = text_append(text, "%s", dump != NULL ? dump : "");
	free(dump);
	json_decref(json);
	return text;
}

char *text_json_open(TALLOC_CTX *mem_ctx, json_t *json)
{
	char *text = text_json_append(talloc_strdup(mem_ctx, ""), json);

	if (text != NULL) {
		text[strlen(text) - 1] = '\0';
	}
	return text;
}
