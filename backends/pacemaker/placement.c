/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/placement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/pacemaker/pcmk.h"
#include "backends/pacemaker/resources.h"
#include "backends/pacemaker/served.h"
#include "backends/pacemaker/status.h"
#include "backends/pacemaker/xml.h"

/* One resource on one node. */
struct cell {
	struct history history;
	bool active;      /* so says the scheduler library */
	struct ipaddr ip; /* where active: the address in force there; family 0 = unreadable */
};

struct build {
	const xmlNode *cib;
	pm_scheduler *scheduler;
	struct address_rscs *rscs;
	struct placement *placement;
	struct cluster_state *state; /* of the placement */
	bool fencing;
	struct cell *cells; /* [rsc->index * num_nodes + node] */
};

static struct cell *cell_of(const struct build *build, const struct address_rsc *rsc, size_t node)
{
	return &build->cells[rsc->index * build->state->num_nodes + node];
}

static size_t node_index(const struct cluster_state *state, const char *name)
{
	const struct cluster_node *node = cluster_state_node(state, name);

	return node != NULL ? (size_t)(node - state->nodes) : state->num_nodes;
}

/* Let the library have a copy of the document, which it takes over. */
static pm_scheduler *scheduler_run(const xmlNode *cib)
{
	pm_scheduler *scheduler;
	xmlDoc *doc = xml_copy(cib);

	if (doc == NULL) {
		return NULL;
	}
	status_normalise(xmlDocGetRootElement(doc));
	scheduler = pe_new_working_set();
	if (scheduler == NULL) {
		xmlFreeDoc(doc);
		return NULL;
	}
	scheduler->input = xmlDocGetRootElement(doc);
	cluster_status(scheduler);
	return scheduler;
}

static enum placement_node judge_node(const struct build *build, const struct node_status *status,
				      struct cluster_node *node)
{
	const pm_node *found = pe_find_node(build->scheduler->nodes, status->name);

	node->name = status->name;
	node->id = status->id;
	node->draining = status->standby || status->shutdown;
	if (found != NULL) {
		node->online = found->details->online && !found->details->pending &&
			       !found->details->unclean;
		node->draining = node->draining || found->details->shutdown;
	}
	if (status->gone) {
		return PLACEMENT_NODE_LOST;
	}
	if (found != NULL && found->details->unclean && build->fencing) {
		return PLACEMENT_NODE_CONDEMNED;
	}
	if (node->online) {
		return PLACEMENT_NODE_USABLE;
	}
	return status->left ? PLACEMENT_NODE_LEFT : PLACEMENT_NODE_ABSENT;
}

/* On by default. Where it is off an unclean node is not fenced: it may live on. */
static bool fencing_enabled(const xmlNode *cib)
{
	const char *value = status_property(cib, "stonith-enabled");

	if (value == NULL) {
		value = status_property(cib, "fencing-enabled");
	}
	return value == NULL || xml_truth(value);
}

static int add_nodes(struct build *build, const struct placement_local *local)
{
	struct placement *placement = build->placement;
	struct node_status *list;
	int err = status_nodes(placement, build->cib, &list);

	if (err != 0) {
		return err;
	}
	placement->nodes =
		talloc_zero_array(placement, enum placement_node, talloc_array_length(list) + 1);
	if (placement->nodes == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < talloc_array_length(list); i++) {
		struct cluster_node node = {0};

		placement->nodes[i] = judge_node(build, &list[i], &node);
		node.local = local->id != 0
				     ? node.id == local->id
				     : local->name != NULL && strcmp(local->name, node.name) == 0;
		err = cluster_state_add_node(build->state, &node);
		if (err != 0) {
			return err; /* the list has each name once */
		}
	}
	talloc_free(list);
	return 0;
}

static void read_history(struct build *build, const xmlNode *node_state)
{
	const xmlNode *lrm = xml_first(node_state, "lrm");
	const char *name = xml_attr(node_state, "uname");
	size_t node = name == NULL ? build->state->num_nodes : node_index(build->state, name);

	if (node == build->state->num_nodes) {
		return;
	}
	xml_for_each(entry, xml_first(lrm, "lrm_resources"), "lrm_resource")
	{
		const char *id = xml_attr(entry, "id");
		const struct address_rsc *rsc =
			id == NULL ? NULL : address_rscs_find(build->rscs, id);

		if (rsc != NULL) {
			cell_of(build, rsc, node)->history = history_read(entry);
		}
	}
}

static struct ipaddr address_in_force(struct build *build, const struct address_rsc *rsc,
				      pm_resource *instance, const pm_node *node)
{
	GHashTable *params = pe_rsc_params(instance, node, build->scheduler);
	const char *text = params == NULL
				   ? NULL
				   : (const char *)g_hash_table_lookup(params, rsc->agent->param);
	struct ipaddr ip;

	if (text == NULL || address_parse(text, &ip) != 0 || !address_add(&ip, rsc->instance)) {
		return (struct ipaddr){0};
	}
	return ip;
}

static void read_active(struct build *build, size_t index)
{
	const pm_node *node =
		pe_find_node(build->scheduler->nodes, build->state->nodes[index].name);

	for (GList *item = node == NULL ? NULL : node->details->running_rsc; item != NULL;
	     item = item->next) {
		pm_resource *instance = item->data;
		const struct address_rsc *rsc = address_rscs_find(build->rscs, instance->id);

		if (rsc != NULL) {
			struct cell *cell = cell_of(build, rsc, index);

			cell->active = true;
			cell->ip = address_in_force(build, rsc, instance, node);
		}
	}
}

/* Where an address is, from what is known of its resource on each node. */
struct verdict {
	const char *present, *doubtful; /* nodes */
	int64_t started;
	bool draw;
};

static void weigh(struct verdict *verdict, const struct cell *cell, const char *node)
{
	switch (cell->history.fact) {
	case HISTORY_NONE: /* then the library knows by other means, or it is not there */
		if (!cell->active) {
			return;
		}
		break;
	case HISTORY_RUNNING:
	case HISTORY_STOPPING:
		break;
	case HISTORY_DOUBTFUL:
		verdict->doubtful = node;
		return;
	default:
		return;
	}
	if (verdict->present != NULL && cell->history.started < verdict->started) {
		return;
	}
	verdict->draw = verdict->present != NULL && cell->history.started == verdict->started;
	verdict->present = node;
	verdict->started = cell->history.started;
}

static void judge_address(const struct build *build, const struct address_rsc *rsc,
			  struct cluster_addr *addr)
{
	struct verdict verdict = {0};

	if (rsc->shared) {
		addr->state = CLUSTER_ADDR_UNKNOWN;
		return;
	}
	for (size_t n = 0; n < build->state->num_nodes; n++) {
		const struct cell *cell = cell_of(build, rsc, n);
		const struct ipaddr *ip = cell->ip.family == 0 ? &rsc->configured[0] : &cell->ip;

		if (build->state->nodes[n].online && ipaddr_equal(ip, &addr->ip)) {
			weigh(&verdict, cell, build->state->nodes[n].name);
		}
	}
	if (verdict.present != NULL) {
		addr->node = verdict.present;
		addr->state = verdict.draw ? CLUSTER_ADDR_UNKNOWN : CLUSTER_ADDR_AVAILABLE;
	} else if (verdict.doubtful != NULL) {
		addr->node = verdict.doubtful;
		addr->state = CLUSTER_ADDR_UNKNOWN;
	} else {
		addr->state = CLUSTER_ADDR_UNAVAILABLE;
	}
}

static int keep_facts(struct build *build, const struct address_rsc *rsc, size_t addr)
{
	size_t num_nodes = build->state->num_nodes;
	const char *id = talloc_strdup(build->placement, rsc->id);

	if (id == NULL) {
		return ENOMEM;
	}
	build->placement->rscs[addr] = id;
	for (size_t n = 0; n < num_nodes; n++) {
		build->placement->facts[addr * num_nodes + n] =
			(uint8_t)cell_of(build, rsc, n)->history.fact;
	}
	return 0;
}

/* Two resources with one address: a misconfiguration, or one of them is always stopped. */
static int merge_address(struct build *build, const struct address_rsc *rsc,
			 const struct cluster_addr *addr)
{
	for (size_t i = 0; i < build->state->num_addrs; i++) {
		struct cluster_addr *have = &build->state->addrs[i];

		if (!ipaddr_equal(&have->ip, &addr->ip)) {
			continue;
		}
		if (addr->state == CLUSTER_ADDR_AVAILABLE && have->state != addr->state) {
			have->node = addr->node;
			have->state = addr->state;
			return keep_facts(build, rsc, i);
		}
		break;
	}
	return 0;
}

static int add_address(struct build *build, const struct address_rsc *rsc, const struct ipaddr *ip)
{
	struct cluster_addr addr = {
		.ip = *ip,
		.group = rsc->group,
		.resource = rsc->id,
		.kind = CLUSTER_ADDR_FLOATING,
	};
	int err;

	judge_address(build, rsc, &addr);
	err = cluster_state_add_addr(build->state, &addr);
	if (err == EEXIST) {
		return merge_address(build, rsc, &addr);
	}
	if (err == 0) {
		err = keep_facts(build, rsc, build->state->num_addrs - 1);
	}
	return err;
}

static bool is_configured(const struct address_rsc *rsc, const struct ipaddr *ip)
{
	for (size_t i = 0; i < rsc->num_configured; i++) {
		if (ipaddr_equal(&rsc->configured[i], ip)) {
			return true;
		}
	}
	return false;
}

static int add_addresses(struct build *build)
{
	size_t num_nodes = build->state->num_nodes;

	for (const struct address_rsc *rsc = build->rscs->by_id; rsc != NULL; rsc = rsc->hh.next) {
		for (size_t i = 0; i < rsc->num_configured; i++) {
			int err = add_address(build, rsc, &rsc->configured[i]);

			if (err != 0) {
				return err;
			}
		}
		for (size_t n = 0; n < num_nodes; n++) {
			const struct ipaddr *ip = &cell_of(build, rsc, n)->ip;
			int err = 0;

			if (ip->family != 0 && !is_configured(rsc, ip)) {
				err = add_address(build, rsc, ip);
			}
			if (err != 0) {
				return err;
			}
		}
	}
	return 0;
}

static int build_all(struct build *build, const struct placement_local *local)
{
	size_t max_addrs = 0;
	int err = add_nodes(build, local);

	if (err != 0) {
		return err;
	}
	build->cells = talloc_zero_array(build->placement, struct cell,
					 build->rscs->num * build->state->num_nodes + 1);
	if (build->cells == NULL) {
		return ENOMEM;
	}
	xml_for_each(node_state, xml_first(build->cib, "status"), "node_state")
	{
		read_history(build, node_state);
	}
	for (size_t n = 0; n < build->state->num_nodes; n++) {
		read_active(build, n);
	}
	for (const struct address_rsc *rsc = build->rscs->by_id; rsc != NULL; rsc = rsc->hh.next) {
		max_addrs += rsc->num_configured + build->state->num_nodes;
	}
	build->placement->facts = talloc_zero_array(build->placement, uint8_t,
						    max_addrs * build->state->num_nodes + 1);
	build->placement->rscs = talloc_zero_array(build->placement, const char *, max_addrs + 1);
	if (build->placement->facts == NULL || build->placement->rscs == NULL) {
		return ENOMEM;
	}
	build->state->quorate = xml_truth(xml_attr(build->cib, "have-quorum"));
	err = add_addresses(build);
	TALLOC_FREE(build->cells);
	return err;
}

int placement_build(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct placement_local *local,
		    struct placement **out)
{
	struct build build = {.cib = cib, .fencing = fencing_enabled(cib)};
	const char *dc = xml_attr(cib, "dc-uuid");
	int err;

	if (!xml_is(cib, "cib")) {
		return EPROTO;
	}
	if (dc == NULL || *dc == '\0') {
		return ESTALE;
	}
	build.placement = talloc_zero(mem_ctx, struct placement);
	if (build.placement == NULL) {
		return ENOMEM;
	}
	build.state = build.placement->state = cluster_state_new(build.placement);
	build.scheduler = scheduler_run(cib);
	if (build.state == NULL || build.scheduler == NULL) {
		err = ENOMEM;
	} else {
		err = address_rscs_load(build.placement, cib, &build.rscs);
	}
	if (err == 0) {
		err = build_all(&build, local);
	}
	if (build.scheduler != NULL) {
		pe_free_working_set(build.scheduler); /* and the document with it */
	}
	if (err != 0) {
		talloc_free(build.placement);
		return err;
	}
	TALLOC_FREE(build.rscs);
	*out = build.placement;
	return 0;
}

enum history_fact placement_fact(const struct placement *placement, const struct ipaddr *ip,
				 const char *node)
{
	const struct cluster_state *state = placement->state;
	size_t n = node_index(state, node);

	for (size_t a = 0; a < state->num_addrs && n < state->num_nodes; a++) {
		if (ipaddr_equal(&state->addrs[a].ip, ip)) {
			return (enum history_fact)placement->facts[a * state->num_nodes + n];
		}
	}
	return HISTORY_NONE;
}

enum placement_node placement_node(const struct placement *placement, const char *node)
{
	size_t n = node_index(placement->state, node);

	return n == placement->state->num_nodes ? PLACEMENT_NODE_LOST : placement->nodes[n];
}

static bool on_record_elsewhere(const struct placement *placement, size_t addr, size_t node)
{
	size_t num_nodes = placement->state->num_nodes;

	for (size_t n = 0; n < num_nodes; n++) {
		enum history_fact fact = placement->facts[addr * num_nodes + n];

		if (n != node && (fact == HISTORY_RUNNING || fact == HISTORY_STOPPING ||
				  fact == HISTORY_DOUBTFUL)) {
			return true;
		}
	}
	return false;
}

bool placement_stopped(struct placement *placement, const char *rsc, const char *node)
{
	struct cluster_state *state = placement->state;
	size_t n = node_index(state, node);
	bool lost = false;

	for (size_t a = 0; a < state->num_addrs && n < state->num_nodes; a++) {
		struct cluster_addr *addr = &state->addrs[a];

		if (strcmp(placement->rscs[a], rsc) != 0 || addr->node == NULL ||
		    strcmp(addr->node, node) != 0 || on_record_elsewhere(placement, a, n)) {
			continue;
		}
		placement->facts[a * state->num_nodes + n] = HISTORY_STOPPED;
		addr->node = NULL;
		addr->state = CLUSTER_ADDR_UNAVAILABLE;
		lost = true;
	}
	if (n < state->num_nodes && served_stopped(placement, rsc, node)) {
		lost = true;
	}
	served_update(placement);
	return lost;
}

void placement_drop_node(struct placement *placement, size_t index)
{
	struct cluster_node *node = &placement->state->nodes[index];

	placement->nodes[index] = PLACEMENT_NODE_LOST;
	node->online = false;
	for (size_t a = 0; a < placement->state->num_addrs; a++) {
		struct cluster_addr *addr = &placement->state->addrs[a];

		if (addr->node != NULL && strcmp(addr->node, node->name) == 0) {
			addr->node = NULL;
			addr->state = CLUSTER_ADDR_UNAVAILABLE;
		}
	}
	served_node_lost(placement, node->name);
	served_update(placement);
}
