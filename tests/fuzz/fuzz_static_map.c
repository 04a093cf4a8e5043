/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The static backend's map: what is taken must print as a map that is taken, and mean a valid snapshot. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/static/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_good(TALLOC_CTX *mem_ctx, const struct cluster_state *map)
{
	char *text = static_map_format(mem_ctx, map), *why = NULL;
	struct cluster_state *again = NULL;

	if (static_map_parse(mem_ctx, text, strlen(text), "again", &again, &why) != 0 ||
	    strcmp(static_map_format(mem_ctx, again), text) != 0) {
		abort();
	}
	if (cluster_state_check(mem_ctx, static_map_snapshot(mem_ctx, map, "n1", 1), &why) != 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct cluster_state *map = NULL;
	char *why = NULL;

	if (static_map_parse(mem_ctx, (const char *)data, size, "fuzz", &map, &why) == 0) {
		check_good(mem_ctx, map);
	} else if (why == NULL) {
		abort();
	}
	talloc_free(mem_ctx);
	return 0;
}
