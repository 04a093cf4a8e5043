/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the daemon has allocated, by its parts: a leak shows as a number that does not come back. */
#include "witnessd/daemon_private.h"

#include <errno.h>

#include "witnessd/util/text_json.h"

static void add_part(const void *ptr, int depth, int max_depth, int is_ref, void *private_data)
{
	json_t *parts = private_data;

	if (depth == max_depth && !is_ref) {
		(void)json_array_append_new(
			parts, json_pack("{s:o, s:I, s:I}", "part", text_json(talloc_get_name(ptr)),
					 "blocks", (json_int_t)talloc_total_blocks(ptr), "bytes",
					 (json_int_t)talloc_total_size(ptr)));
	}
}

int daemon_cmd_memory(void *private_data, TALLOC_CTX *mem_ctx, const json_t *request,
		      json_t **result, char **why)
{
	const struct daemon *daemon = private_data;
	const void *root = talloc_parent(daemon);
	json_t *parts = json_array();

	talloc_report_depth_cb(daemon, 0, 1, add_part, parts);
	*result = json_pack("{s:I, s:I, s:o}", "blocks", (json_int_t)talloc_total_blocks(root),
			    "bytes", (json_int_t)talloc_total_size(root), "parts", parts);
	return *result != NULL ? 0 : ENOMEM;
}
