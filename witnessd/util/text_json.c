/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/util/text_json.h"

#include <string.h>

#include "witnessd/util/log.h"

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
		json = json_string(log_escape(tmp, text));
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
