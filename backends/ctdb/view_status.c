/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view in words. */
#include "backends/ctdb/view_private.h"

#include "witnessd/util/text_append.h"
#include "witnessd/util/text_json.h"

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{CTDB_NODE_DISCONNECTED, "disconnected"}, {CTDB_NODE_UNHEALTHY, "unhealthy"},
	{CTDB_NODE_DISABLED, "disabled"},         {CTDB_NODE_BANNED, "banned"},
	{CTDB_NODE_DELETED, "deleted"},           {CTDB_NODE_STOPPED, "stopped"},
};

#define NUM_FLAGS (sizeof(flag_names) / sizeof(flag_names[0]))

char *ctdb_view_flags_text(TALLOC_CTX *mem_ctx, uint32_t flags)
{
	char *text = talloc_strdup(mem_ctx, flags == 0 ? "ok" : "");
	const char *separator = "";

	for (size_t i = 0; i < NUM_FLAGS && text != NULL; i++) {
		if ((flags & flag_names[i].flag) != 0) {
			text = text_append(text, "%s%s", separator, flag_names[i].name);
			separator = ", ";
		}
	}
	return text;
}

static const char *runstate_name(uint32_t runstate)
{
	static const char *const names[] = {"unknown", "init",    "setup",   "first recovery",
					    "startup", "running", "shutdown"};

	return names[runstate < sizeof(names) / sizeof(names[0]) ? runstate : 0];
}

char *ctdb_view_summary(const struct ctdb_view *view, TALLOC_CTX *mem_ctx)
{
	char *text =
		talloc_asprintf(mem_ctx, "node %u, %s, generation %u%s", (unsigned int)view->pnn,
				runstate_name(view->runstate), (unsigned int)view->generation,
				view->recmode != 0 ? ", recovery" : "");

	for (uint32_t pnn = 0; pnn < view->num_nodes && text != NULL; pnn++) {
		uint32_t flags = ctdb_view_flags(view, pnn);
		char name[CTDB_NAME_LEN];

		if (flags != 0) {
			text = text_append(text, "; %s: %s",
					   ctdb_names_get(view->config.names, pnn, name),
					   ctdb_view_flags_text(text, flags));
		}
	}
	return text;
}

static json_t *flags_json(uint32_t flags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < NUM_FLAGS; i++) {
		if ((flags & flag_names[i].flag) != 0) {
			json_array_append_new(list, json_string(flag_names[i].name));
		}
	}
	return list;
}

static json_t *node_json(const struct ctdb_view *view, uint32_t pnn)
{
	const struct view_node *node = &view->nodes[pnn];
	char ip[IPADDR_STRLEN], name[CTDB_NAME_LEN];

	return json_pack("{s:I, s:o, s:s, s:o, s:b}", "pnn", (json_int_t)pnn, "name",
			 text_json(ctdb_names_get(view->config.names, pnn, name)), "address",
			 ipaddr_format(&node->ip, ip), "flags",
			 flags_json(ctdb_view_flags(view, pnn)), "answers",
			 node->answered && !node->silent);
}

json_t *ctdb_view_status(const struct ctdb_view *view)
{
	json_t *nodes = json_array();

	for (uint32_t pnn = 0; pnn < view->num_nodes; pnn++) {
		json_array_append_new(nodes, node_json(view, pnn));
	}
	return json_pack("{s:s, s:I, s:b, s:o}", "runstate", runstate_name(view->runstate),
			 "generation", (json_int_t)view->generation, "recovery", view->recmode != 0,
			 "nodes", nodes);
}
