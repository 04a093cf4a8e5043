/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a CIB's XML to addresses and planned moves, as the Pacemaker backend has it, but for the scheduler
 * library, whose word on nodes and parameters is replaced by that of the XML. The same document is read as a
 * change notification, too.
 */
#include <libxml/parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/pacemaker/diff.h"
#include "backends/pacemaker/history.h"
#include "backends/pacemaker/intents.h"
#include "backends/pacemaker/managed.h"
#include "backends/pacemaker/resources.h"
#include "backends/pacemaker/served.h"
#include "backends/pacemaker/status.h"
#include "backends/pacemaker/xml.h"

#define SIZE_MAX_BYTES 65536 /* more would not show more */
#define NOW            1795273900

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
	if (!truth) {
		abort();
	}
}

static void add_nodes(struct placement *placement, const xmlNode *cib)
{
	struct node_status *list;

	must(status_nodes(placement, cib, &list) == 0);
	for (size_t i = 0; i < talloc_array_length(list); i++) {
		const struct cluster_node node = {
			.name = list[i].name,
			.id = list[i].id,
			.online = !list[i].gone,
			.draining = list[i].standby || list[i].shutdown,
		};

		must(cluster_state_add_node(placement->state, &node) == 0);
	}
	talloc_free(list);
}

/* What the history of a node says of a resource. */
static enum history_fact fact_of(const xmlNode *cib, const char *node, const char *rsc)
{
	enum history_fact fact = HISTORY_NONE;

	xml_for_each(state, xml_first(cib, "status"), "node_state")
	{
		if (!xml_attr_equals(state, "uname", node)) {
			continue;
		}
		xml_for_each(entry, xml_first(xml_first(state, "lrm"), "lrm_resources"),
			     "lrm_resource")
		{
			if (xml_attr_equals(entry, "id", rsc)) {
				fact = history_read(entry).fact;
			}
		}
	}
	return fact;
}

static void place(struct placement *placement, const xmlNode *cib, const struct address_rsc *rsc)
{
	struct cluster_state *state = placement->state;
	size_t a = state->num_addrs;
	struct cluster_addr addr = {
		.ip = rsc->configured[0],
		.group = rsc->group,
		.state = CLUSTER_ADDR_UNAVAILABLE,
	};

	for (size_t n = 0; n < state->num_nodes; n++) {
		enum history_fact fact = fact_of(cib, state->nodes[n].name, rsc->id);

		placement->facts[a * state->num_nodes + n] = (uint8_t)fact;
		if (fact == HISTORY_RUNNING || fact == HISTORY_STOPPING) {
			addr.node = state->nodes[n].name;
			addr.state = CLUSTER_ADDR_AVAILABLE;
		}
	}
	if (cluster_state_add_addr(state, &addr) == 0) { /* else it is there already */
		placement->rscs[a] = rsc->id;
	}
}

static void add_addresses(struct placement *placement, const xmlNode *cib)
{
	struct address_rscs *rscs;

	must(address_rscs_load(placement, cib, &rscs) == 0);
	placement->rscs = talloc_zero_array(placement, const char *, rscs->num + 1);
	placement->facts =
		talloc_zero_array(placement, uint8_t, rscs->num * placement->state->num_nodes + 1);
	for (const struct address_rsc *rsc = rscs->by_id; rsc != NULL; rsc = rsc->hh.next) {
		must(rsc->num_configured > 0 && address_rscs_find(rscs, rsc->id) == rsc);
		place(placement, cib, rsc);
	}
}

static void check_intents(const struct intents *intents, const struct cluster_state *state)
{
	must(intents->num <= state->num_addrs + state->num_shares);
	for (size_t i = 0; i < intents->num; i++) {
		const struct backend_intent *intent = &intents->list[i];
		const struct cluster_node *to =
			intent->to != NULL ? cluster_state_node(state, intent->to) : NULL;

		must(intent->why != NULL && cluster_state_node(state, intent->from) != NULL);
		must(intent->to == NULL ||
		     (to != NULL && to->online && strcmp(intent->to, intent->from) != 0));
		must(intents_has(intents, intent));
	}
}

static void stopped(void *private_data, const char *rsc, const char *node)
{
	size_t *bytes = private_data;

	*bytes += strlen(rsc) + strlen(node);
	must(strlen(rsc) < DIFF_RSC_MAX);
}

static void add_shares(struct placement *placement, const xmlNode *cib,
		       const struct relations *relations)
{
	static const char smb_conf[] = "[data]\npath = /srv/data\n[all]\npath = /\n";
	static const char *const share_rscs[] = {"data:vip1", "other:fs", NULL};
	struct served_config config = {.share_rscs = share_rscs};
	struct smbconf *smb = NULL;
	char *why = NULL;

	must(smbconf_parse(placement, smb_conf, sizeof(smb_conf) - 1, &smb) == 0);
	config.smb = smb;
	must(served_apply(cib, relations, &config, placement) == 0);
	must(cluster_state_check(placement, placement->state, &why) == 0);
}

static void read_cib(const xmlNode *cib)
{
	TALLOC_CTX *mem_ctx = talloc_new(NULL);
	struct placement *placement = talloc_zero(mem_ctx, struct placement);
	struct relations *relations;
	struct intents *intents;

	placement->state = cluster_state_new(placement);
	add_nodes(placement, cib);
	add_addresses(placement, cib);
	must(relations_load(placement, cib, &relations) == 0);
	add_shares(placement, cib, relations);
	managed_apply(cib, relations, placement);
	must(intents_read(mem_ctx, cib, relations, placement, NOW, &intents) == 0);
	check_intents(intents, placement->state);
	talloc_free(mem_ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t bytes = 0;
	xmlDoc *doc;

	if (size > SIZE_MAX_BYTES) {
		return 0;
	}
	doc = xmlReadMemory((const char *)data, (int)size, "cib.xml", NULL,
			    XML_PARSE_NOBLANKS | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
				    XML_PARSE_NONET);
	if (doc == NULL) {
		return 0;
	}
	if (xmlDocGetRootElement(doc) != NULL) {
		diff_each_stop(xmlDocGetRootElement(doc), stopped, &bytes);
		read_cib(xmlDocGetRootElement(doc));
	}
	xmlFreeDoc(doc);
	return 0;
}
