/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/status.h"

#include <errno.h>
#include <string.h>

#include "backends/pacemaker/xml.h"

/* The first value of a name in the sets of one kind. */
static const char *lookup(const xmlNode *parent, const char *sets, const char *name)
{
	xml_for_each(set, parent, sets)
	{
		xml_for_each(pair, set, "nvpair")
		{
			if (xml_attr_equals(pair, "name", name)) {
				return xml_attr(pair, "value");
			}
		}
	}
	return NULL;
}

const char *status_property(const xmlNode *cib, const char *name)
{
	return lookup(xml_first(xml_first(cib, "configuration"), "crm_config"),
		      "cluster_property_set", name);
}

const char *status_node_attr(const xmlNode *node_or_state, const char *name)
{
	const xmlNode *transient = xml_first(node_or_state, "transient_attributes");

	return lookup(transient != NULL ? transient : node_or_state, "instance_attributes", name);
}

static bool is_number(const char *text)
{
	return text != NULL && *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static void normalise(xmlNode *node_state, const char *name, const char *no, const char *yes)
{
	const char *value = xml_attr(node_state, name);

	if (is_number(value)) {
		xmlSetProp(node_state, (const xmlChar *)name,
			   (const xmlChar *)(strcmp(value, "0") == 0 ? no : yes));
	}
}

void status_normalise(xmlNode *cib)
{
	xml_for_each(node_state, xml_first(cib, "status"), "node_state")
	{
		normalise(node_state, "in_ccm", "false", "true");
		normalise(node_state, "crmd", "offline", "online");
	}
}

static struct node_status *find_node(struct node_status *list, const char *name)
{
	for (size_t i = 0; i < talloc_array_length(list); i++) {
		if (strcmp(list[i].name, name) == 0) {
			return &list[i];
		}
	}
	return NULL;
}

/* A node without a name, or with an empty one, is none that anybody could be on. */
static const char *name_of(const xmlNode *element)
{
	const char *name = xml_attr(element, "uname");

	return name != NULL && name[0] != '\0' ? name : NULL;
}

/* @return NULL when memory is short */
static struct node_status *take_node(TALLOC_CTX *mem_ctx, struct node_status **list,
				     const xmlNode *element)
{
	const char *name = name_of(element);
	struct node_status *node = find_node(*list, name);
	size_t num = talloc_array_length(*list);
	struct node_status *longer;
	int64_t id;

	if (node != NULL) {
		return node;
	}
	longer = talloc_realloc(mem_ctx, *list, struct node_status, num + 1);
	if (longer == NULL) {
		return NULL;
	}
	*list = longer;
	node = &longer[num];
	*node = (struct node_status){.name = name};
	if (xml_attr_int(element, "id", &id) && id > 0 && id <= UINT32_MAX) {
		node->id = (uint32_t)id;
	}
	return node;
}

static void read_state(const xmlNode *node_state, struct node_status *node)
{
	const char *member = xml_attr(node_state, "in_ccm");
	const char *shutdown = status_node_attr(node_state, "shutdown");

	if (member != NULL) {
		node->gone = is_number(member) ? strcmp(member, "0") == 0 : !xml_truth(member);
	}
	node->left = xml_attr_equals(node_state, "expected", "down");
	if (xml_truth(status_node_attr(node_state, "standby"))) {
		node->standby = true;
	}
	node->shutdown = shutdown != NULL && *shutdown != '\0' && strcmp(shutdown, "0") != 0;
}

int status_nodes(TALLOC_CTX *mem_ctx, const xmlNode *cib, struct node_status **out)
{
	struct node_status *list = talloc_array(mem_ctx, struct node_status, 0);
	struct node_status *node;

	if (list == NULL) {
		return ENOMEM;
	}
	xml_for_each(element, xml_first(xml_first(cib, "configuration"), "nodes"), "node")
	{
		if (name_of(element) == NULL) {
			continue;
		}
		node = take_node(mem_ctx, &list, element);
		if (node == NULL) {
			talloc_free(list);
			return ENOMEM;
		}
		node->standby = xml_truth(status_node_attr(element, "standby"));
	}
	xml_for_each(element, xml_first(cib, "status"), "node_state")
	{
		if (name_of(element) == NULL) {
			continue;
		}
		node = take_node(mem_ctx, &list, element);
		if (node == NULL) {
			talloc_free(list);
			return ENOMEM;
		}
		read_state(element, node);
	}
	*out = list;
	return 0;
}
