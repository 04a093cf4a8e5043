/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which key was meant, when one is not known. */
#include "witnessd/config_private.h"

#include <string.h>

#define HINT_MAX_LEN  64
#define HINT_MAX_EDIT 2

/* Edits (insert, delete, replace) from a to b. Both are shorter than HINT_MAX_LEN. */
static unsigned int edits(const char *a, const char *b)
{
	unsigned int row[HINT_MAX_LEN + 1];
	size_t blen = strlen(b);

	for (size_t j = 0; j <= blen; j++) {
		row[j] = (unsigned int)j;
	}
	for (size_t i = 0; a[i] != '\0'; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i + 1;
		for (size_t j = 0; j < blen; j++) {
			unsigned int replace = diagonal + (a[i] != b[j]);
			unsigned int other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

			diagonal = row[j + 1];
			row[j + 1] = replace < other ? replace : other;
		}
	}
	return row[blen];
}

char *config_hint(TALLOC_CTX *mem_ctx, const char *section, const char *name)
{
	const struct config_key *best = NULL;
	unsigned int best_edits = HINT_MAX_EDIT + 1;
	char *full = talloc_asprintf(mem_ctx, "%s.%s", section, name);

	if (full == NULL) {
		return NULL;
	}
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		/* A key that stands in the wrong section is as good as one with a slip. */
		unsigned int n = strcmp(strchr(k->name, '.') + 1, name) == 0 ? 1
				 : strlen(full) < HINT_MAX_LEN && strlen(k->name) < HINT_MAX_LEN
					 ? edits(full, k->name)
					 : best_edits;

		if (n < best_edits) {
			best_edits = n;
			best = k;
		}
	}
	talloc_free(full);
	return best != NULL ? talloc_asprintf(mem_ctx, " (did you mean %s?)", best->name)
			    : talloc_strdup(mem_ctx, "");
}
