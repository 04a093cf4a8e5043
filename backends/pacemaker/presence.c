/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/presence.h"

#include <errno.h>
#include <string.h>

#include "backends/pacemaker/history.h"
#include "backends/pacemaker/xml.h"

struct presence {
	const struct relations *relations;
	const struct cluster_state *state;
	bool *runs; /* [rsc * num_nodes + node] */
};

static bool is_node(const struct presence *presence, size_t n, const char *name)
{
	return strcmp(presence->state->nodes[n].name, name) == 0;
}

static void read_history(struct presence *presence, const xmlNode *node_state, size_t n)
{
	const struct relations *relations = presence->relations;

	xml_for_each(entry, xml_first(xml_first(node_state, "lrm"), "lrm_resources"),
		     "lrm_resource")
	{
		const char *id = xml_attr(entry, "id");
		size_t rsc = id == NULL ? RELATIONS_NONE : relations_find(relations, id);
		enum history_fact fact = history_read(entry).fact;

		if (fact != HISTORY_RUNNING && fact != HISTORY_STOPPING) {
			continue;
		}
		for (; rsc != RELATIONS_NONE; rsc = relations_parent(relations, rsc)) {
			presence->runs[rsc * presence->state->num_nodes + n] = true;
		}
	}
}

int presence_load(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct relations *relations,
		  const struct cluster_state *state, struct presence **out)
{
	struct presence *presence = talloc_zero(mem_ctx, struct presence);

	if (presence == NULL) {
		return ENOMEM;
	}
	presence->relations = relations;
	presence->state = state;
	presence->runs =
		talloc_zero_array(presence, bool, relations_num(relations) * state->num_nodes + 1);
	if (presence->runs == NULL) {
		talloc_free(presence);
		return ENOMEM;
	}
	xml_for_each(node_state, xml_first(cib, "status"), "node_state")
	{
		const char *name = xml_attr(node_state, "uname");

		for (size_t n = 0; name != NULL && n < state->num_nodes; n++) {
			if (state->nodes[n].online && is_node(presence, n, name)) {
				read_history(presence, node_state, n);
			}
		}
	}
	*out = presence;
	return 0;
}

static bool runs(const struct presence *presence, size_t rsc, const char *node, bool there)
{
	size_t num_nodes = presence->state->num_nodes;

	for (size_t n = 0; n < num_nodes; n++) {
		if (presence->runs[rsc * num_nodes + n] && is_node(presence, n, node) == there) {
			return true;
		}
	}
	return false;
}

bool presence_on(const struct presence *presence, size_t rsc, const char *node)
{
	return runs(presence, rsc, node, true);
}

bool presence_elsewhere(const struct presence *presence, size_t rsc, const char *node)
{
	return runs(presence, rsc, node, false);
}
