/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/managed.h"

#include <string.h>

#include "backends/pacemaker/resources.h"
#include "backends/pacemaker/status.h"
#include "backends/pacemaker/xml.h"

const char *managed_meta(const xmlNode *cib, const xmlNode *rsc, const char *name)
{
	const xmlNode *configuration = xml_first(cib, "configuration");
	const xmlNode *resources = xml_first(configuration, "resources");
	const char *value = NULL;

	for (; rsc != NULL && rsc != resources && value == NULL; rsc = rsc->parent) {
		const char *template = xml_attr(rsc, "template");

		value = resource_meta(cib, rsc, name);
		if (value == NULL && template != NULL) {
			value = resource_meta(cib, xml_find_id(resources, "template", template),
					      name);
		}
	}
	return value != NULL ? value
			     : resource_meta(cib, xml_first(configuration, "rsc_defaults"), name);
}

/* The element of what owns an address: for the parts of a bundle, which only the status has, the bundle. */
static const xmlNode *owner(const struct relations *relations, const char *rsc, const char *group)
{
	size_t found = relations_find(relations, rsc);

	if (found == RELATIONS_NONE) {
		found = relations_find(relations, group);
	}
	return found == RELATIONS_NONE ? NULL : relations_element(relations, found);
}

static bool unmanaged(const xmlNode *cib, const xmlNode *rsc)
{
	const char *managed = managed_meta(cib, rsc, "is-managed");

	return (managed != NULL && !xml_truth(managed)) ||
	       xml_truth(managed_meta(cib, rsc, "maintenance"));
}

/* The node attribute, permanent or until the node is restarted. */
static bool node_in_maintenance(const xmlNode *cib, const char *name)
{
	xml_for_each(node, xml_first(xml_first(cib, "configuration"), "nodes"), "node")
	{
		if (xml_attr_equals(node, "uname", name) &&
		    xml_truth(status_node_attr(node, "maintenance"))) {
			return true;
		}
	}
	xml_for_each(state, xml_first(cib, "status"), "node_state")
	{
		if (xml_attr_equals(state, "uname", name) &&
		    xml_truth(status_node_attr(state, "maintenance"))) {
			return true;
		}
	}
	return false;
}

/* The same of shares, by what they move with. */
static void pin_shares(const xmlNode *cib, const struct relations *relations,
		       struct placement *placement, bool everywhere)
{
	for (size_t i = 0; placement->shares != NULL && i < placement->state->num_shares; i++) {
		struct cluster_share *share = &placement->state->shares[i];

		share->pinned =
			everywhere ||
			unmanaged(cib, owner(relations, placement->shares[i].rsc, share->group)) ||
			(share->node != NULL && node_in_maintenance(cib, share->node));
	}
}

void managed_apply(const xmlNode *cib, const struct relations *relations,
		   struct placement *placement)
{
	bool everywhere = xml_truth(status_property(cib, "maintenance-mode"));
	struct cluster_state *state = placement->state;

	for (size_t a = 0; a < state->num_addrs; a++) {
		struct cluster_addr *addr = &state->addrs[a];

		addr->pinned = everywhere ||
			       unmanaged(cib, owner(relations, placement->rscs[a], addr->group));
	}
	pin_shares(cib, relations, placement, everywhere);
	for (size_t n = 0; n < state->num_nodes; n++) {
		struct cluster_node *node = &state->nodes[n];

		if (!everywhere && !node_in_maintenance(cib, node->name)) {
			continue;
		}
		node->draining = false;
		for (size_t a = 0; a < state->num_addrs; a++) {
			if (state->addrs[a].node != NULL &&
			    strcmp(state->addrs[a].node, node->name) == 0) {
				state->addrs[a].pinned = true;
			}
		}
	}
}
