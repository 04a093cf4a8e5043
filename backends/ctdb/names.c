/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/ctdb/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "witnessd/util/log.h"

struct ctdb_names {
	const char *const *list; /* borrowed */
	size_t num;
};

/* Whether a configured name is what another node is called when it has none. */
static bool is_default_of_another(const struct ctdb_names *names, size_t pos)
{
	char text[CTDB_NAME_LEN];
	unsigned int pnn;

	if (sscanf(names->list[pos], "node%u", &pnn) != 1 || pnn == pos || pnn < names->num) {
		return false;
	}
	snprintf(text, sizeof(text), "node%u", pnn);
	return strcmp(text, names->list[pos]) == 0;
}

static bool is_unique(const struct ctdb_names *names, size_t pos)
{
	for (size_t i = 0; i < pos; i++) {
		if (strcmp(names->list[i], names->list[pos]) == 0) {
			return false;
		}
	}
	return !is_default_of_another(names, pos);
}

int ctdb_names_create(TALLOC_CTX *mem_ctx, const struct config *config, struct ctdb_names **out)
{
	struct ctdb_names *names = talloc_zero(mem_ctx, struct ctdb_names);

	if (names == NULL) {
		return ENOMEM;
	}
	names->list = config_list(config, "ctdb.node_names", &names->num);
	for (size_t i = 0; i < names->num; i++) {
		if (!is_unique(names, i)) {
			log_err("ctdb.node_names: two nodes would be called %s", names->list[i]);
			talloc_free(names);
			return EINVAL;
		}
	}
	*out = names;
	return 0;
}

const char *ctdb_names_get(const struct ctdb_names *names, uint32_t pnn, char buf[CTDB_NAME_LEN])
{
	if (pnn < names->num) {
		return names->list[pnn];
	}
	snprintf(buf, CTDB_NAME_LEN, "node%u", (unsigned int)pnn);
	return buf;
}
