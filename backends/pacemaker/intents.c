/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/intents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backends/pacemaker/location.h"
#include "backends/pacemaker/managed.h"
#include "backends/pacemaker/presence.h"
#include "backends/pacemaker/resources.h"
#include "backends/pacemaker/status.h"
#include "backends/pacemaker/xml.h"

/* What happens to an address, or to a share that moves without any. */
struct plan {
	const char *to;  /* borrowed from the CIB; NULL = anywhere else, or nowhere */
	const char *why; /* NULL: it stays */
	bool told;       /* has become an intent */
};

struct reader {
	const xmlNode *cib;
	const struct relations *relations;
	const struct placement *placement;
	const struct cluster_state *state; /* of the placement */
	struct presence *presence;
	/* Of what moves: first the addresses of the state, then its shares. */
	size_t num;
	struct plan *plans;
	size_t *rscs; /* their number in the relations */
	time_t now;
};

/* --- plans --- */

/* NULL for an address. */
static const struct cluster_share *share_of(const struct reader *reader, size_t i)
{
	size_t num_addrs = reader->state->num_addrs;

	return i < num_addrs ? NULL : &reader->state->shares[i - num_addrs];
}

static const char *node_of(const struct reader *reader, size_t i)
{
	const struct cluster_share *share = share_of(reader, i);

	return share != NULL ? share->node : reader->state->addrs[i].node;
}

static const char *group_of(const struct reader *reader, size_t i)
{
	const struct cluster_share *share = share_of(reader, i);

	return share != NULL ? share->group : reader->state->addrs[i].group;
}

/* Whether something can be moved at all. A share that has addresses goes where these go. */
static bool is_movable(const struct reader *reader, size_t i)
{
	const struct cluster_share *share = share_of(reader, i);
	const struct cluster_addr *addr;

	if (share != NULL) {
		return share->node != NULL && share->num_addrs == 0 && !share->pinned;
	}
	addr = &reader->state->addrs[i];
	return addr->state == CLUSTER_ADDR_AVAILABLE && !addr->pinned;
}

/* Whether it is there to be moved and nothing is known of it yet. */
static bool open_to_plan(const struct reader *reader, size_t i)
{
	return is_movable(reader, i) && reader->plans[i].why == NULL;
}

static int plan(struct reader *reader, size_t a, const char *to, const char *why, const char *id)
{
	reader->plans[a].why = talloc_asprintf(reader->plans, "%s %s", why, id);
	reader->plans[a].to = to;
	return reader->plans[a].why != NULL ? 0 : ENOMEM;
}

/* --- a resource leaves a node --- */

struct leave {
	size_t rsc;
	bool promoted;
	const char *from; /* NULL: wherever it is, but for .to */
	const char *to;
	const char *why, *id;
};

static int plan_leave(struct reader *reader, const struct leave *leave)
{
	struct affected *affected = affected_new(reader->plans, reader->relations);
	int err = 0;

	if (affected == NULL) {
		return ENOMEM;
	}
	affected_leave(affected, leave->rsc, leave->promoted);
	for (size_t a = 0; a < reader->num && err == 0; a++) {
		const char *node = node_of(reader, a);

		if (open_to_plan(reader, a) && reader->rscs[a] != RELATIONS_NONE &&
		    affected_has(affected, reader->rscs[a]) &&
		    (leave->from != NULL ? cluster_same_name(leave->from, node)
					 : !cluster_same_name(leave->to, node))) {
			err = plan(reader, a, leave->to, leave->why, leave->id);
		}
	}
	talloc_free(affected);
	return err;
}

static bool can_host(const struct cluster_state *state, const char *name)
{
	const struct cluster_node *node = cluster_state_node(state, name);

	return node != NULL && node->online && !node->draining;
}

/* Instances of a clone need not leave for one of them to come: only its promoted role moves. */
static bool can_move(const struct reader *reader, const struct location *location, size_t rsc)
{
	return can_host(reader->state, location->node) &&
	       (location->promoted || !relations_cloned(reader->relations, rsc));
}

/* A resource that is not there does not leave, and takes nothing along. */
static int read_location(struct reader *reader, const xmlNode *element)
{
	struct location location;
	struct leave leave = {.why = "location constraint"};
	bool asked;

	if (!location_read(element, reader->now, &location)) {
		return 0;
	}
	leave.rsc = relations_find(reader->relations, location.rsc);
	leave.promoted = location.promoted;
	leave.id = location.id;
	if (leave.rsc == RELATIONS_NONE) {
		return 0;
	}
	if (location.kind == LOCATION_BAN) {
		leave.from = location.node;
		asked = presence_on(reader->presence, leave.rsc, leave.from);
	} else {
		leave.to = location.node;
		asked = can_move(reader, &location, leave.rsc) &&
			presence_elsewhere(reader->presence, leave.rsc, leave.to);
	}
	return asked ? plan_leave(reader, &leave) : 0;
}

static int read_locations(struct reader *reader)
{
	const xmlNode *constraints =
		xml_first(xml_first(reader->cib, "configuration"), "constraints");
	int err = 0;

	for (xmlNode *node = xml_first(constraints, "rsc_location"); node != NULL && err == 0;
	     node = xml_next(node, "rsc_location")) {
		err = read_location(reader, node);
	}
	return err;
}

/* --- failures --- */

#define FAIL_COUNT "fail-count-"
#define INFINITE   1000000

/* A whole number, or "INFINITY", which is not more than a million. @return false when it is neither */
static bool read_count(const char *text, int64_t *count)
{
	char *end;

	if (text != NULL && (strcmp(text, "INFINITY") == 0 || strcmp(text, "+INFINITY") == 0)) {
		*count = INFINITE;
		return true;
	}
	if (text == NULL || *text < '0' || *text > '9') {
		return false;
	}
	*count = strtoll(text, &end, 10);
	*count = *count > INFINITE ? INFINITE : *count;
	return *end == '\0';
}

/* How many failures make a resource leave a node; 0: unlimited, or failures are ignored. */
static int64_t threshold(const struct reader *reader, size_t rsc)
{
	const xmlNode *element = relations_element(reader->relations, rsc);
	const char *text = managed_meta(reader->cib, element, "migration-threshold");
	int64_t count = INFINITE;

	if (managed_meta(reader->cib, element, "failure-timeout") != NULL) {
		return 0; /* they may be old: the stop itself will tell */
	}
	return text == NULL || read_count(text, &count) ? count : INFINITE;
}

/* "fail-count-vip1#monitor_5000": each operation has its own. */
static size_t failed_rsc(const struct reader *reader, const char *attribute)
{
	size_t rsc = RELATIONS_NONE;
	char *id;

	if (attribute == NULL || strncmp(attribute, FAIL_COUNT, strlen(FAIL_COUNT)) != 0) {
		return RELATIONS_NONE;
	}
	attribute += strlen(FAIL_COUNT);
	id = talloc_strndup(reader->plans, attribute, strcspn(attribute, "#"));
	if (id != NULL) {
		rsc = relations_find(reader->relations, id);
	}
	talloc_free(id);
	return rsc;
}

static void count_failures(const struct reader *reader, const xmlNode *node_state, int64_t *counts)
{
	xml_for_each(set, xml_first(node_state, "transient_attributes"), "instance_attributes")
	{
		xml_for_each(pair, set, "nvpair")
		{
			size_t rsc = failed_rsc(reader, xml_attr(pair, "name"));
			int64_t count;

			if (rsc != RELATIONS_NONE && counts[rsc] < INFINITE &&
			    read_count(xml_attr(pair, "value"), &count)) {
				counts[rsc] += count;
			}
		}
	}
}

static int read_failures_on(struct reader *reader, const xmlNode *node_state)
{
	size_t num = relations_num(reader->relations);
	int64_t *counts = talloc_zero_array(reader->plans, int64_t, num + 1);
	int err = 0;

	if (counts == NULL) {
		return ENOMEM;
	}
	count_failures(reader, node_state, counts);
	for (size_t rsc = 0; rsc < num && err == 0; rsc++) {
		const xmlNode *element = relations_element(reader->relations, rsc);
		struct leave leave = {.rsc = rsc,
				      .from = xml_attr(node_state, "uname"),
				      .why = "fail-count of",
				      .id = xml_attr(element, "id")};
		int64_t most = counts[rsc] > 0 ? threshold(reader, rsc) : 0;

		if (most > 0 && counts[rsc] >= most) {
			err = plan_leave(reader, &leave);
		}
	}
	talloc_free(counts);
	return err;
}

static int read_failures(struct reader *reader)
{
	int err = 0;

	for (xmlNode *node = xml_first(xml_first(reader->cib, "status"), "node_state");
	     node != NULL && err == 0; node = xml_next(node, "node_state")) {
		if (xml_attr(node, "uname") != NULL) {
			err = read_failures_on(reader, node);
		}
	}
	return err;
}

/* --- stops --- */

static int plan_affected(struct reader *reader, const struct affected *affected, const char *why,
			 const char *id)
{
	int err = 0;

	for (size_t a = 0; a < reader->num && err == 0; a++) {
		if (open_to_plan(reader, a) && reader->rscs[a] != RELATIONS_NONE &&
		    affected_has(affected, reader->rscs[a])) {
			err = plan(reader, a, NULL, why, id);
		}
	}
	return err;
}

/* Where a resource's target-role stands, for the log: at itself or at what it is in. */
static const char *role_holder(const struct reader *reader, size_t rsc)
{
	const char *own = xml_attr(relations_element(reader->relations, rsc), "id");

	for (; rsc != RELATIONS_NONE; rsc = relations_parent(reader->relations, rsc)) {
		const xmlNode *element = relations_element(reader->relations, rsc);

		if (resource_meta(reader->cib, element, "target-role") != NULL) {
			return xml_attr(element, "id");
		}
	}
	return own;
}

static int read_role(struct reader *reader, struct affected *affected, size_t rsc)
{
	const xmlNode *element = relations_element(reader->relations, rsc);
	const char *role = managed_meta(reader->cib, element, "target-role");

	if (role == NULL || xml_attr(element, "id") == NULL) {
		return 0;
	}
	if (strcasecmp(role, "Stopped") == 0) {
		affected_stop(affected, rsc, false);
		return plan_affected(reader, affected, "target-role=Stopped of",
				     role_holder(reader, rsc));
	}
	if (strcasecmp(role, "Unpromoted") != 0 && strcasecmp(role, "Slave") != 0) {
		return 0;
	}
	for (; rsc != RELATIONS_NONE; rsc = relations_parent(reader->relations, rsc)) {
		affected_stop(affected, rsc, true);
	}
	return plan_affected(reader, affected, "target-role=Unpromoted of",
			     xml_attr(element, "id"));
}

static int read_roles(struct reader *reader)
{
	struct affected *affected = affected_new(reader->plans, reader->relations);
	int err = 0;

	if (affected == NULL) {
		return ENOMEM;
	}
	for (size_t rsc = 0; rsc < relations_num(reader->relations) && err == 0; rsc++) {
		if (!relations_has_parts(reader->relations, rsc)) {
			err = read_role(reader, affected, rsc);
		}
	}
	talloc_free(affected);
	return err;
}

static int read_stop_all(struct reader *reader)
{
	int err = 0;

	if (!xml_truth(status_property(reader->cib, "stop-all-resources"))) {
		return 0;
	}
	for (size_t a = 0; a < reader->num && err == 0; a++) {
		if (open_to_plan(reader, a)) {
			err = plan(reader, a, NULL, "property", "stop-all-resources");
		}
	}
	return err;
}

/* Whether a stop of an address is under way on the node that has it. */
static bool is_stopping(const struct reader *reader, size_t a)
{
	const struct cluster_state *state = reader->state;
	const struct cluster_node *node = cluster_state_node(state, state->addrs[a].node);

	/* The evacuation of a node is known already. */
	return !node->draining &&
	       reader->placement->facts[a * state->num_nodes + (size_t)(node - state->nodes)] ==
		       HISTORY_STOPPING;
}

/* Whatever was the reason. */
static int read_pending(struct reader *reader)
{
	int err = 0;

	for (size_t a = 0; a < reader->state->num_addrs && err == 0; a++) {
		if (open_to_plan(reader, a) && is_stopping(reader, a)) {
			err = plan(reader, a, NULL, "under way: stop of",
				   reader->placement->rscs[a]);
		}
	}
	return err;
}

/* --- from plans to intents --- */

static bool same_plan(const struct plan *a, const struct plan *b)
{
	return a->why != NULL && b->why != NULL && strcmp(a->why, b->why) == 0 &&
	       cluster_same_name(a->to, b->to);
}

/* Whether both are of one group, on one node. A share may have no group. */
static bool together(const struct reader *reader, size_t a, size_t b)
{
	return group_of(reader, a) != NULL && group_of(reader, b) != NULL &&
	       strcmp(group_of(reader, a), group_of(reader, b)) == 0 &&
	       cluster_same_name(node_of(reader, a), node_of(reader, b));
}

/* Whether everything that the group has on the node goes the same way. */
static bool whole_group(const struct reader *reader, size_t first)
{
	for (size_t i = 0; i < reader->num; i++) {
		if (is_movable(reader, i) && together(reader, i, first) &&
		    !same_plan(&reader->plans[i], &reader->plans[first])) {
			return false;
		}
	}
	return true;
}

/* It speaks for the rest of its group, too. */
static void mark_told(struct reader *reader, size_t first)
{
	for (size_t i = first; i < reader->num; i++) {
		if (together(reader, i, first)) {
			reader->plans[i].told = true;
		}
	}
}

static int add(struct intents *intents, const struct backend_intent *like)
{
	struct backend_intent *intent = &intents->list[intents->num];

	*intent = (struct backend_intent){
		.kind = like->kind,
		.what = talloc_strdup(intents->list, like->what),
		.from = talloc_strdup(intents->list, like->from),
		.to = like->to == NULL ? NULL : talloc_strdup(intents->list, like->to),
		.why = talloc_strdup(intents->list, like->why),
	};
	if (intent->what == NULL || intent->from == NULL || intent->why == NULL ||
	    (like->to != NULL && intent->to == NULL)) {
		return ENOMEM;
	}
	intents->num++;
	return 0;
}

/* One intent for its group, if that goes as a whole; else for the address, which alone can be named. */
static int make_intent(struct reader *reader, struct intents *intents, size_t i)
{
	const struct plan *found = &reader->plans[i];
	char ip[IPADDR_STRLEN];
	struct backend_intent intent = {
		.kind = BACKEND_INTENT_GROUP,
		.what = group_of(reader, i),
		.from = node_of(reader, i),
		.to = found->to,
		.why = found->why,
	};

	if (found->why == NULL || found->told) {
		return 0;
	}
	if (whole_group(reader, i)) {
		mark_told(reader, i);
		return add(intents, &intent);
	}
	if (share_of(reader, i) != NULL) {
		return 0;
	}
	intent.kind = BACKEND_INTENT_ADDR;
	intent.what = ipaddr_format(&reader->state->addrs[i].ip, ip);
	return add(intents, &intent);
}

static int make_intents(struct reader *reader, struct intents *intents)
{
	int err = 0;

	intents->list = talloc_array(intents, struct backend_intent, reader->num + 1);
	if (intents->list == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < reader->num && err == 0; i++) {
		err = make_intent(reader, intents, i);
	}
	return err;
}

/* In this order: of several reasons for an address to go the first one counts. */
static int (*const sources[])(struct reader *reader) = {
	read_stop_all, read_roles, read_locations, read_failures, read_pending,
};

static int read_all(struct reader *reader)
{
	int err = 0;

	for (size_t a = 0; a < reader->state->num_addrs; a++) {
		reader->rscs[a] = relations_find(reader->relations, reader->placement->rscs[a]);
		if (reader->rscs[a] == RELATIONS_NONE) { /* a part of a bundle */
			reader->rscs[a] =
				relations_find(reader->relations, reader->state->addrs[a].group);
		}
	}
	for (size_t i = 0; i < reader->state->num_shares; i++) {
		reader->rscs[reader->state->num_addrs + i] =
			relations_find(reader->relations, reader->placement->shares[i].rsc);
	}
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && err == 0; i++) {
		err = sources[i](reader);
	}
	return err;
}

int intents_read(TALLOC_CTX *mem_ctx, const xmlNode *cib, const struct relations *relations,
		 const struct placement *placement, time_t now, struct intents **out)
{
	const struct cluster_state *state = placement->state;
	struct reader reader = {
		.cib = cib,
		.relations = relations,
		.placement = placement,
		.state = state,
		.num = state->num_addrs + state->num_shares,
		.now = now,
	};
	struct intents *intents = talloc_zero(mem_ctx, struct intents);
	int err = ENOMEM;

	if (intents == NULL) {
		return ENOMEM;
	}
	reader.plans = talloc_zero_array(intents, struct plan, reader.num + 1);
	if (reader.plans != NULL) {
		reader.rscs = talloc_zero_array(reader.plans, size_t, reader.num + 1);
	}
	if (reader.rscs != NULL) {
		err = presence_load(reader.plans, cib, relations, state, &reader.presence);
	}
	if (err == 0) {
		err = read_all(&reader);
	}
	if (err == 0) {
		err = make_intents(&reader, intents);
	}
	if (err != 0) {
		talloc_free(intents);
		return err;
	}
	talloc_free(reader.plans);
	*out = intents;
	return 0;
}

bool intents_has(const struct intents *intents, const struct backend_intent *intent)
{
	for (size_t i = 0; intents != NULL && i < intents->num; i++) {
		const struct backend_intent *have = &intents->list[i];

		if (have->kind == intent->kind && cluster_same_name(have->what, intent->what) &&
		    cluster_same_name(have->from, intent->from) &&
		    cluster_same_name(have->to, intent->to) &&
		    cluster_same_name(have->why, intent->why)) {
			return true;
		}
	}
	return false;
}
