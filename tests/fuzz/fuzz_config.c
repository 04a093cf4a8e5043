/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file: what loads must print as a file that loads. */
#include <stdint.h>
#include <stdlib.h>

#include "witnessd/config_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct config *config = NULL, *again = NULL;
	char *why = NULL, *text = NULL;
	size_t len = 0;
	FILE *out;

	if (config_load_buffer(mem_ctx, "fuzz", (const char *)data, size, NULL, &config, &why) ==
	    0) {
		out = open_memstream(&text, &len);
		if (out == NULL) {
			abort();
		}
		config_print(config, out);
		fclose(out);
		if (config_load_buffer(mem_ctx, "again", text, len, NULL, &again, &why) != 0) {
			abort();
		}
		free(text);
	} else if (why == NULL) {
		abort();
	}
	talloc_free(mem_ctx);
	return 0;
}
