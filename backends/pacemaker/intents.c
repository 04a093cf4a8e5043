/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/intents.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "backends/pacemaker/resources.h"
#include "backends/pacemaker/status.h"
#include "backends/pacemaker/xml.h"

#define NEST_MAX 4

struct reader {
	const xmlNode *cib, *resources;
	const struct cluster_state *state;
	struct intents *intents;
	time_t now;
};

static int add(struct reader *reader, const struct backend_intent *intent)
{
	struct intents *intents = reader->intents;
	struct backend_intent copy = {.kind = intent->kind};
	struct backend_intent *list;

	list = talloc_realloc(intents, intents->list, struct backend_intent, intents->num + 1);
	if (list == NULL) {
		return ENOMEM;
	}
	intents->list = list;
	copy.what = talloc_strdup(list, intent->what);
	copy.from = intent->from == NULL ? NULL : talloc_strdup(list, intent->from);
	copy.to = intent->to == NULL ? NULL : talloc_strdup(list, intent->to);
	copy.why = talloc_strdup(list, intent->why);
	if (copy.what == NULL || copy.why == NULL || (intent->from != NULL && copy.from == NULL) ||
	    (intent->to != NULL && copy.to == NULL)) {
		return ENOMEM;
	}
	intents->list[intents->num++] = copy;
	return 0;
}

static int addf(struct reader *reader, const struct backend_intent *like, const char *format,
		const char *arg)
{
	struct backend_intent intent = *like;
	char why[256];

	snprintf(why, sizeof(why), format, arg);
	intent.why = why;
	return add(reader, &intent);
}

/* The node that has an available address of the group. */
static const char *group_node(const struct cluster_state *state, const char *group)
{
	for (size_t i = 0; i < state->num_addrs; i++) {
		const struct cluster_addr *addr = &state->addrs[i];

		if (addr->state == CLUSTER_ADDR_AVAILABLE && strcmp(addr->group, group) == 0) {
			return addr->node;
		}
	}
	return NULL;
}

static bool node_has_address(const struct cluster_state *state, const char *node)
{
	for (size_t i = 0; i < state->num_addrs; i++) {
		const struct cluster_addr *addr = &state->addrs[i];

		if (addr->state == CLUSTER_ADDR_AVAILABLE && strcmp(addr->node, node) == 0) {
			return true;
		}
	}
	return false;
}

/* The top-most resource around one: what moves together. */
static const xmlNode *top_of(const struct reader *reader, const char *id)
{
	xml_for_each(top, reader->resources, NULL)
	{
		if (xml_attr_equals(top, "id", id) || xml_find_id(top, "primitive", id) != NULL ||
		    xml_find_id(top, "group", id) != NULL) {
			return top;
		}
	}
	return NULL;
}

static bool infinite(const char *score, bool negative)
{
	return score != NULL && (strcmp(score, negative ? "-INFINITY" : "INFINITY") == 0 ||
				 (!negative && strcmp(score, "+INFINITY") == 0));
}

/* Lifetimes are written as the end of a date_expression: "2026-11-21 15:16:16Z", or with an offset. */
static bool expired(const xmlNode *rule, time_t now)
{
	xml_for_each(date, rule, "date_expression")
	{
		const char *end = xml_attr(date, "end"), *rest;
		struct tm tm = {0};

		if (end == NULL || !xml_attr_equals(date, "operation", "lt")) {
			continue;
		}
		rest = strptime(end, "%Y-%m-%d %H:%M:%S", &tm);
		if (rest != NULL && (*rest == '\0' || strcmp(rest, "Z") == 0 ||
				     strptime(rest, "%z", &tm) != NULL)) {
			long offset = tm.tm_gmtoff; /* timegm() makes it zero */

			return timegm(&tm) - offset <= now;
		}
	}
	return false;
}

/* The node of a location constraint: an attribute, or in a rule `#uname eq NODE` (with --lifetime). */
static const char *location_node(const xmlNode *location, time_t now, const char **score)
{
	const xmlNode *rule = xml_first(location, "rule");

	if (rule == NULL) {
		*score = xml_attr(location, "score");
		return xml_attr(location, "node");
	}
	*score = xml_attr(rule, "score");
	xml_for_each(expression, rule, "expression")
	{
		if (xml_attr_equals(expression, "attribute", "#uname") &&
		    xml_attr_equals(expression, "operation", "eq") && !expired(rule, now)) {
			return xml_attr(expression, "value");
		}
	}
	return NULL;
}

/* Whether a resource, or the node that it is on, is left alone by the cluster. */
static bool unmanaged(const struct reader *reader, const xmlNode *rsc, const char *node)
{
	const char *managed = resource_meta(reader->cib, rsc, "is-managed");

	if ((managed != NULL && !xml_truth(managed)) ||
	    xml_truth(resource_meta(reader->cib, rsc, "maintenance"))) {
		return true;
	}
	xml_for_each(element, xml_first(xml_first(reader->cib, "configuration"), "nodes"), "node")
	{
		if (xml_attr_equals(element, "uname", node)) {
			return xml_truth(status_node_attr(element, "maintenance"));
		}
	}
	return false;
}

static bool can_host(const struct cluster_state *state, const char *name)
{
	const struct cluster_node *node = cluster_state_node(state, name);

	return node != NULL && node->online && !node->draining;
}

/* Only the constraints of the move commands: others are the administrator's standing wishes. */
static int read_location(struct reader *reader, const xmlNode *location)
{
	const char *id = xml_attr(location, "id"), *rsc = xml_attr(location, "rsc");
	const char *score = NULL, *node = location_node(location, reader->now, &score);
	const xmlNode *top = rsc == NULL ? NULL : top_of(reader, rsc);
	struct backend_intent intent = {.kind = BACKEND_INTENT_GROUP, .what = xml_attr(top, "id")};

	if (id == NULL || node == NULL || intent.what == NULL) {
		return 0;
	}
	intent.from = group_node(reader->state, intent.what);
	if (intent.from == NULL || unmanaged(reader, top, intent.from)) {
		return 0;
	}
	if (strncmp(id, "cli-prefer-", 11) == 0 && infinite(score, false)) {
		if (strcmp(intent.from, node) == 0 || !can_host(reader->state, node)) {
			return 0;
		}
		intent.to = node;
		return addf(reader, &intent, "location constraint %s", id);
	}
	if (strncmp(id, "cli-ban-", 8) == 0 && infinite(score, true) &&
	    strcmp(intent.from, node) == 0) {
		return addf(reader, &intent, "location constraint %s", id);
	}
	return 0;
}

static bool owns_address(const struct reader *reader, const xmlNode *primitive)
{
	const char *template = xml_attr(primitive, "template");
	const xmlNode *definition =
		template == NULL ? primitive : xml_find_id(reader->resources, "template", template);

	return address_agent_find(xml_attr(definition, "class"), xml_attr(definition, "type")) !=
	       NULL;
}

/* A member that stops takes those along that come after it in its group, and not those before. */
static bool takes_address_along(const struct reader *reader, const xmlNode *rsc)
{
	if (!xml_is(rsc, "primitive")) {
		return true;
	}
	while (rsc != NULL && !owns_address(reader, rsc)) {
		rsc = xml_next(rsc, "primitive");
	}
	return rsc != NULL;
}

static int read_stopped(struct reader *reader, const xmlNode *rsc, const char *group,
			unsigned int depth)
{
	const char *role = resource_meta(reader->cib, rsc, "target-role");
	struct backend_intent intent = {.kind = BACKEND_INTENT_GROUP, .what = group};

	if (role != NULL && strcasecmp(role, "stopped") == 0) {
		if (!takes_address_along(reader, rsc)) {
			return 0;
		}
		intent.from = group_node(reader->state, group);
		return intent.from == NULL ? 0
					   : addf(reader, &intent, "target-role=Stopped of %s",
						  xml_attr(rsc, "id"));
	}
	if (depth == NEST_MAX) {
		return 0;
	}
	xml_for_each(child, rsc, NULL)
	{
		int err = 0;

		if (xml_is(child, "primitive") || xml_is(child, "group")) {
			err = read_stopped(reader, child, group, depth + 1);
		}
		if (err != 0) {
			return err;
		}
	}
	return 0;
}

static int read_nodes(struct reader *reader)
{
	struct node_status *list;
	int err = status_nodes(reader->intents, reader->cib, &list);

	for (size_t i = 0; err == 0 && i < talloc_array_length(list); i++) {
		struct backend_intent intent = {
			.kind = BACKEND_INTENT_NODE,
			.what = list[i].name,
			.from = list[i].name,
		};

		if (list[i].gone || unmanaged(reader, NULL, list[i].name) ||
		    !node_has_address(reader->state, list[i].name)) {
			continue;
		}
		if (list[i].shutdown) {
			err = addf(reader, &intent, "shutdown of node %s", list[i].name);
		} else if (list[i].standby) {
			err = addf(reader, &intent, "standby of node %s", list[i].name);
		}
	}
	if (err == 0) {
		talloc_free(list);
	}
	return err;
}

int intents_read(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct cluster_state *state,
		 time_t now, struct intents **out)
{
	const xmlNode *configuration = xml_first(cib, "configuration");
	struct reader reader = {
		.cib = cib,
		.resources = xml_first(configuration, "resources"),
		.state = state,
		.now = now,
		.intents = talloc_zero(mem_ctx, struct intents),
	};
	int err = 0;

	if (reader.intents == NULL) {
		return ENOMEM;
	}
	if (xml_truth(status_property(cib, "maintenance-mode"))) {
		*out = reader.intents;
		return 0;
	}
	for (xmlNode *node = xml_first(xml_first(configuration, "constraints"), "rsc_location");
	     node != NULL && err == 0; node = xml_next(node, "rsc_location")) {
		err = read_location(&reader, node);
	}
	for (xmlNode *rsc = xml_first(reader.resources, NULL); rsc != NULL && err == 0;
	     rsc = xml_next(rsc, NULL)) {
		const char *id = xml_attr(rsc, "id");

		err = id == NULL ? 0 : read_stopped(&reader, rsc, id, 0);
	}
	if (err == 0) {
		err = read_nodes(&reader);
	}
	if (err != 0) {
		talloc_free(reader.intents);
		return err;
	}
	*out = reader.intents;
	return 0;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool intents_has(const struct intents *intents, const struct backend_intent *intent)
{
	for (size_t i = 0; intents != NULL && i < intents->num; i++) {
		const struct backend_intent *have = &intents->list[i];

		if (have->kind == intent->kind && same(have->what, intent->what) &&
		    same(have->from, intent->from) && same(have->to, intent->to) &&
		    same(have->why, intent->why)) {
			return true;
		}
	}
	return false;
}
