/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/relations.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "backends/pacemaker/resources.h"
#include "backends/pacemaker/xml.h"
#include "witnessd/util/hash.h"

#define DEPTH_MAX 4 /* resources > clone > group > primitive */

struct rsc {
	const xmlNode *element;
	size_t number, parent, top;
	size_t first_edge; /* of those that it takes part in */
	UT_hash_handle hh;
};

enum edge_kind {
	EDGE_COLOCATION, /* .rsc has to be where .with is */
	EDGE_TOGETHER,   /* both in a set: which follows which is not looked at */
	EDGE_ORDER,      /* .rsc runs only after .with */
};

struct edge {
	enum edge_kind kind;
	size_t rsc, with;
	bool rsc_promoted, with_promoted; /* only in the promoted role */
	size_t next_of_rsc, next_of_with; /* lists by resource; RELATIONS_NONE ends them */
};

struct relations {
	const xmlNode *cib;
	struct rsc *list; /* talloc array */
	size_t num;
	struct edge *edges;
	size_t num_edges;
	struct rsc *by_id;
};

struct affected {
	const struct relations *relations;
	uint8_t *marks;
	size_t *todo; /* each mark of a resource is put here once */
	size_t num_todo;
};

/* What is known of a resource. */
#define MARK_WHOLE      0x1 /* all of it */
#define MARK_PROMOTED   0x2 /* its promoted role */
#define MARK_INCOMPLETE 0x4 /* a part of it: enough for what depends on it */
#define MARKS           3

/* --- loading --- */

static bool is_collection(const xmlNode *element)
{
	return xml_is(element, "group") || xml_is(element, "clone") || xml_is(element, "master") ||
	       xml_is(element, "bundle");
}

static bool is_multiple(const xmlNode *element)
{
	return xml_is(element, "clone") || xml_is(element, "master") || xml_is(element, "bundle");
}

static int load_resources(struct relations *relations, const xmlNode *parent, size_t parent_number,
			  unsigned int depth)
{
	xml_for_each(element, parent, NULL)
	{
		size_t number = relations->num;
		struct rsc *list;
		int err;

		if (!xml_is(element, "primitive") && !is_collection(element)) {
			continue;
		}
		list = talloc_realloc(relations, relations->list, struct rsc, number + 1);
		if (list == NULL) {
			return ENOMEM;
		}
		relations->list = list;
		list[number] = (struct rsc){
			.element = element,
			.number = number,
			.parent = parent_number,
			.top = parent_number == RELATIONS_NONE ? number : list[parent_number].top,
			.first_edge = RELATIONS_NONE,
		};
		relations->num++;
		if (is_collection(element) && depth < DEPTH_MAX) {
			err = load_resources(relations, element, number, depth + 1);
			if (err != 0) {
				return err;
			}
		}
	}
	return 0;
}

static int index_resources(struct relations *relations)
{
	for (size_t i = 0; i < relations->num; i++) {
		struct rsc *rsc = &relations->list[i], *have;
		const char *id = xml_attr(rsc->element, "id");

		if (id == NULL) {
			continue;
		}
		HASH_FIND_STR(relations->by_id, id, have);
		if (have != NULL) {
			continue;
		}
		HASH_ADD_KEYPTR(hh, relations->by_id, id, strlen(id), rsc);
		if (rsc->hh.tbl == NULL) {
			return ENOMEM;
		}
	}
	return 0;
}

static size_t *next_of(struct edge *edge, size_t rsc)
{
	return edge->rsc == rsc ? &edge->next_of_rsc : &edge->next_of_with;
}

static int add_edge(struct relations *relations, const struct edge *like)
{
	size_t number = relations->num_edges;
	struct edge *edges;

	if (like->rsc == RELATIONS_NONE || like->with == RELATIONS_NONE ||
	    like->rsc == like->with) {
		return 0;
	}
	if (number == talloc_array_length(relations->edges)) {
		edges = talloc_realloc(relations, relations->edges, struct edge,
				       number == 0 ? 16 : 2 * number);
		if (edges == NULL) {
			return ENOMEM;
		}
		relations->edges = edges;
	}
	relations->edges[number] = *like;
	relations->edges[number].next_of_rsc = relations->list[like->rsc].first_edge;
	relations->edges[number].next_of_with = relations->list[like->with].first_edge;
	relations->list[like->rsc].first_edge = number;
	relations->list[like->with].first_edge = number;
	relations->num_edges++;
	return 0;
}

static size_t find_attr(const struct relations *relations, const xmlNode *element, const char *name)
{
	const char *id = xml_attr(element, name);

	return id == NULL ? RELATIONS_NONE : relations_find(relations, id);
}

static bool is_promoted(const char *role)
{
	return role != NULL &&
	       (strcasecmp(role, "Promoted") == 0 || strcasecmp(role, "Master") == 0);
}

static bool is_infinite(const xmlNode *constraint)
{
	const char *score = xml_attr(constraint, "score");

	return score != NULL && (strcmp(score, "INFINITY") == 0 || strcmp(score, "+INFINITY") == 0);
}

/* Everybody in the sets of a constraint has to be where its first one is. */
static int load_colocation_sets(struct relations *relations, const xmlNode *constraint)
{
	struct edge edge = {.kind = EDGE_TOGETHER, .with = RELATIONS_NONE};
	int err = 0;

	xml_for_each(set, constraint, "resource_set")
	{
		bool promoted = is_promoted(xml_attr(set, "role"));

		xml_for_each(ref, set, "resource_ref")
		{
			edge.rsc = find_attr(relations, ref, "id");
			edge.rsc_promoted = promoted;
			if (edge.with == RELATIONS_NONE) {
				edge.with = edge.rsc;
				edge.with_promoted = promoted;
				continue;
			}
			err = add_edge(relations, &edge);
			if (err != 0) {
				return err;
			}
		}
	}
	return 0;
}

static int load_colocation(struct relations *relations, const xmlNode *constraint)
{
	struct edge edge = {
		.kind = EDGE_COLOCATION,
		.rsc = find_attr(relations, constraint, "rsc"),
		.with = find_attr(relations, constraint, "with-rsc"),
		.rsc_promoted = is_promoted(xml_attr(constraint, "rsc-role")),
		.with_promoted = is_promoted(xml_attr(constraint, "with-rsc-role")),
	};

	if (!is_infinite(constraint)) {
		return 0;
	}
	if (xml_first(constraint, "resource_set") != NULL) {
		return load_colocation_sets(relations, constraint);
	}
	return add_edge(relations, &edge);
}

/* "start A then start B", or with a promotion as the first action: without A no B. */
static int load_order(struct relations *relations, const xmlNode *constraint)
{
	const char *kind = xml_attr(constraint, "kind");
	const char *action = xml_attr(constraint, "first-action");
	const char *then = xml_attr(constraint, "then-action");
	struct edge edge = {
		.kind = EDGE_ORDER,
		.rsc = find_attr(relations, constraint, "then"),
		.with = find_attr(relations, constraint, "first"),
		.with_promoted = action != NULL && strcmp(action, "promote") == 0,
	};

	if ((kind != NULL && strcasecmp(kind, "Mandatory") != 0) ||
	    (action != NULL && strcmp(action, "start") != 0 && !edge.with_promoted) ||
	    (then != NULL && strcmp(then, "start") != 0)) {
		return 0;
	}
	return add_edge(relations, &edge);
}

static int relations_destructor(struct relations *relations)
{
	HASH_CLEAR(hh, relations->by_id);
	return 0;
}

int relations_load(TALLOC_CTX *mem_ctx, const xmlNode *cib, struct relations **out)
{
	const xmlNode *configuration = xml_first(cib, "configuration");
	struct relations *relations = talloc_zero(mem_ctx, struct relations);
	int err;

	if (relations == NULL) {
		return ENOMEM;
	}
	relations->cib = cib;
	talloc_set_destructor(relations, relations_destructor);
	err = load_resources(relations, xml_first(configuration, "resources"), RELATIONS_NONE, 0);
	if (err == 0) {
		err = index_resources(relations);
	}
	for (xmlNode *node = xml_first(xml_first(configuration, "constraints"), NULL);
	     node != NULL && err == 0; node = xml_next(node, NULL)) {
		if (xml_is(node, "rsc_colocation")) {
			err = load_colocation(relations, node);
		} else if (xml_is(node, "rsc_order")) {
			err = load_order(relations, node);
		}
	}
	if (err != 0) {
		talloc_free(relations);
		return err;
	}
	*out = relations;
	return 0;
}

/* --- looking --- */

size_t relations_num(const struct relations *relations)
{
	return relations->num;
}

size_t relations_find(const struct relations *relations, const char *id)
{
	const char *colon = strrchr(id, ':');
	struct rsc *rsc;

	HASH_FIND_STR(relations->by_id, id, rsc);
	if (rsc == NULL && colon != NULL) {
		HASH_FIND(hh, relations->by_id, id, (size_t)(colon - id), rsc);
	}
	return rsc == NULL ? RELATIONS_NONE : rsc->number;
}

const xmlNode *relations_element(const struct relations *relations, size_t rsc)
{
	return relations->list[rsc].element;
}

size_t relations_parent(const struct relations *relations, size_t rsc)
{
	return relations->list[rsc].parent;
}

bool relations_has_parts(const struct relations *relations, size_t rsc)
{
	return rsc + 1 < relations->num && relations->list[rsc + 1].parent == rsc;
}

bool relations_cloned(const struct relations *relations, size_t rsc)
{
	return is_multiple(relations->list[relations->list[rsc].top].element);
}

size_t relations_top(const struct relations *relations, size_t rsc)
{
	return relations->list[rsc].top;
}

/* --- what is on one node --- */

static size_t set_of(const size_t *sets, size_t rsc)
{
	while (sets[rsc] != rsc) {
		rsc = sets[rsc];
	}
	return rsc;
}

/* Numbers of sets only sink, so that there are no circles. */
static void join_sets(size_t *sets, size_t a, size_t b)
{
	a = set_of(sets, a);
	b = set_of(sets, b);
	if (a < b) {
		sets[b] = a;
	} else {
		sets[a] = b;
	}
}

/* Whether an end of a colocation is on one node only. */
static bool is_single(const struct relations *relations, size_t rsc, bool promoted)
{
	const xmlNode *top = relations->list[relations->list[rsc].top].element;
	const char *max;

	if (!relations_cloned(relations, rsc)) {
		return true;
	}
	max = resource_meta(relations->cib, top, "promoted-max");
	if (max == NULL) {
		max = resource_meta(relations->cib, top, "master-max");
	}
	return promoted && (max == NULL || strcmp(max, "1") == 0);
}

int relations_sets(TALLOC_CTX *mem_ctx, const struct relations *relations, size_t **sets)
{
	size_t *list = talloc_array(mem_ctx, size_t, relations->num + 1);

	if (list == NULL) {
		return ENOMEM;
	}
	for (size_t i = 0; i < relations->num; i++) {
		list[i] = relations_cloned(relations, i) ? i : relations->list[i].top;
	}
	for (size_t i = 0; i < relations->num_edges; i++) {
		const struct edge *edge = &relations->edges[i];

		if (edge->kind != EDGE_ORDER &&
		    is_single(relations, edge->rsc, edge->rsc_promoted) &&
		    is_single(relations, edge->with, edge->with_promoted)) {
			join_sets(list, relations->list[edge->rsc].top,
				  relations->list[edge->with].top);
		}
	}
	for (size_t i = 0; i < relations->num; i++) {
		list[i] = set_of(list, i);
	}
	*sets = list;
	return 0;
}

/* --- what is affected --- */

struct affected *affected_new(TALLOC_CTX *mem_ctx, const struct relations *relations)
{
	struct affected *affected = talloc_zero(mem_ctx, struct affected);

	if (affected == NULL) {
		return NULL;
	}
	affected->relations = relations;
	affected->marks = talloc_zero_array(affected, uint8_t, relations->num + 1);
	affected->todo = talloc_array(affected, size_t, MARKS * relations->num + 1);
	if (affected->marks == NULL || affected->todo == NULL) {
		talloc_free(affected);
		return NULL;
	}
	return affected;
}

static void mark(struct affected *affected, size_t rsc, uint8_t what)
{
	if ((affected->marks[rsc] & (what | MARK_WHOLE)) == 0) {
		affected->marks[rsc] |= what;
		affected->todo[affected->num_todo++] = rsc;
	}
}

/* Children have higher numbers than what is around them, and follow it without a gap. */
static void mark_children(struct affected *affected, size_t rsc)
{
	const struct relations *relations = affected->relations;

	for (size_t i = rsc + 1;
	     i < relations->num && relations->list[i].top == relations->list[rsc].top; i++) {
		if (relations->list[i].parent == rsc) {
			mark(affected, i, MARK_WHOLE);
		}
	}
}

/* Whether what happens to an end of a tie is what the tie is about. */
static bool concerned(const struct affected *affected, size_t rsc, bool promoted)
{
	uint8_t marks = affected->marks[rsc];

	return promoted ? marks != 0 : (marks & (MARK_WHOLE | MARK_INCOMPLETE)) != 0;
}

static void leave_edge(struct affected *affected, const struct edge *edge)
{
	const struct relations *relations = affected->relations;

	if (edge->kind == EDGE_ORDER) {
		return;
	}
	if (concerned(affected, edge->with, edge->with_promoted)) {
		mark(affected, edge->rsc, edge->rsc_promoted ? MARK_PROMOTED : MARK_WHOLE);
	}
	if (concerned(affected, edge->rsc, edge->rsc_promoted) &&
	    !relations_cloned(relations, edge->rsc) && !relations_cloned(relations, edge->with)) {
		mark(affected, edge->with, MARK_WHOLE);
	}
}

static void stop_edge(struct affected *affected, const struct edge *edge)
{
	if (edge->kind != EDGE_TOGETHER && concerned(affected, edge->with, edge->with_promoted)) {
		mark(affected, edge->rsc, edge->rsc_promoted ? MARK_PROMOTED : MARK_WHOLE);
	}
}

static void each_edge(struct affected *affected, size_t rsc,
		      void (*fn)(struct affected *affected, const struct edge *edge))
{
	const struct relations *relations = affected->relations;
	size_t number = relations->list[rsc].first_edge;

	while (number != RELATIONS_NONE) {
		struct edge *edge = &relations->edges[number];

		fn(affected, edge);
		number = *next_of(edge, rsc);
	}
}

/* All of it leaves, and what it is a part of. */
static void leave_family(struct affected *affected, size_t rsc)
{
	size_t top = affected->relations->list[rsc].top;

	if ((affected->marks[rsc] & MARK_WHOLE) != 0) {
		mark(affected, top, MARK_WHOLE);
		mark_children(affected, rsc);
	}
}

void affected_leave(struct affected *affected, size_t rsc, bool promoted)
{
	mark(affected, rsc, promoted ? MARK_PROMOTED : MARK_WHOLE);
	while (affected->num_todo > 0) {
		size_t next = affected->todo[--affected->num_todo];

		leave_family(affected, next);
		each_edge(affected, next, leave_edge);
	}
}

/* Members stop from the last one back, and what has a part that is stopped is not whole. */
static void stop_family(struct affected *affected, size_t rsc)
{
	const struct relations *relations = affected->relations;
	size_t parent = relations->list[rsc].parent;

	if ((affected->marks[rsc] & MARK_WHOLE) != 0) {
		mark_children(affected, rsc);
	}
	if (parent == RELATIONS_NONE ||
	    (affected->marks[rsc] & (MARK_WHOLE | MARK_INCOMPLETE)) == 0) {
		return;
	}
	mark(affected, parent, MARK_INCOMPLETE);
	for (size_t i = rsc + 1;
	     xml_is(relations->list[parent].element, "group") && i < relations->num &&
	     relations->list[i].top == relations->list[rsc].top;
	     i++) {
		if (relations->list[i].parent == parent) {
			mark(affected, i, MARK_WHOLE);
		}
	}
}

void affected_stop(struct affected *affected, size_t rsc, bool promoted)
{
	mark(affected, rsc, promoted ? MARK_PROMOTED : MARK_WHOLE);
	while (affected->num_todo > 0) {
		size_t next = affected->todo[--affected->num_todo];

		stop_family(affected, next);
		each_edge(affected, next, stop_edge);
	}
}

bool affected_has(const struct affected *affected, size_t rsc)
{
	return (affected->marks[rsc] & MARK_WHOLE) != 0;
}
