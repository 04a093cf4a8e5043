/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/resources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/pacemaker/xml.h"

#define NEST_MAX     4    /* resources > clone > group > primitive */
#define INSTANCE_MAX 1024 /* of one clone or bundle */

/* What is above a primitive while the tree is walked. */
struct place {
	const char *group; /* NULL at the top */
	const xmlNode *clone;
	unsigned int depth;
};

struct loader {
	const xmlNode *cib;
	const xmlNode *resources;
	struct address_rscs *rscs;
	unsigned int num_nodes;
};

/* Sets and nvpairs may stand somewhere else and only be referred to. */
static const xmlNode *deref(const xmlNode *cib, const xmlNode *node)
{
	const char *ref = xml_attr(node, "id-ref");
	const xmlNode *target;

	if (ref == NULL) {
		return node;
	}
	target = xml_find_id(cib, (const char *)node->name, ref);
	return target == NULL ? node : target;
}

static const char *set_value(const xmlNode *cib, const xmlNode *set, const char *name)
{
	xml_for_each(pair, set, "nvpair")
	{
		const xmlNode *target = deref(cib, pair);
		const char *called = xml_attr(pair, "name");

		if (called == NULL) {
			called = xml_attr(target, "name");
		}
		if (called != NULL && strcmp(called, name) == 0) {
			return xml_attr(target, "value");
		}
	}
	return NULL;
}

const char *resource_meta(const xmlNode *cib, const xmlNode *rsc, const char *name)
{
	xml_for_each(set, rsc, "meta_attributes")
	{
		const xmlNode *target = deref(cib, set);
		const char *value =
			xml_first(target, "rule") == NULL ? set_value(cib, target, name) : NULL;

		if (value != NULL) {
			return value;
		}
	}
	return NULL;
}

/* Number from text, cut to the range; what is no number gives the default. */
static unsigned int bounded(const char *text, unsigned int def, unsigned int max)
{
	unsigned long value;
	char *end;

	if (text == NULL || *text < '0' || *text > '9') {
		return def;
	}
	value = strtoul(text, &end, 10);
	if (*end != '\0') {
		return def;
	}
	return value > max ? max : (unsigned int)value;
}

/* "INFINITY", "-INFINITY" or a number; sets are taken in the order of their scores. */
static int score_of(const xmlNode *set)
{
	const char *text = xml_attr(set, "score");

	if (text == NULL) {
		return 0;
	}
	if (strcmp(text, "INFINITY") == 0 || strcmp(text, "+INFINITY") == 0) {
		return 1000000;
	}
	if (strcmp(text, "-INFINITY") == 0) {
		return -1000000;
	}
	return atoi(text); /* a score by schema: nothing depends on a malformed one */
}

/* The values that a parameter can have. */
struct values {
	const char **conditional; /* in sets with a rule: may apply on some node at some time */
	const char *plain;        /* of the set without one that counts */
	int plain_score;
};

static int values_collect(TALLOC_CTX *mem_ctx, const xmlNode *cib, const xmlNode *rsc,
			  const char *name, struct values *values)
{
	xml_for_each(ref, rsc, "instance_attributes")
	{
		const xmlNode *set = deref(cib, ref);
		const char *value = set_value(cib, set, name);
		size_t num = talloc_array_length(values->conditional);

		if (value == NULL) {
			continue;
		}
		if (xml_first(set, "rule") == NULL) {
			if (values->plain == NULL || score_of(set) >= values->plain_score) {
				values->plain = value;
				values->plain_score = score_of(set);
			}
			continue;
		}
		values->conditional =
			talloc_realloc(mem_ctx, values->conditional, const char *, num + 1);
		if (values->conditional == NULL) {
			return ENOMEM;
		}
		values->conditional[num] = value;
	}
	return 0;
}

static const xmlNode *template_of(const struct loader *loader, const xmlNode *primitive)
{
	const char *id = xml_attr(primitive, "template");

	return id == NULL ? NULL : xml_find_id(loader->resources, "template", id);
}

/* Of sets with the same score the last one counts, and those of the template come first. */
static int primitive_values(TALLOC_CTX *mem_ctx, const struct loader *loader,
			    const xmlNode *primitive, const char *name, struct values *values)
{
	int err =
		values_collect(mem_ctx, loader->cib, template_of(loader, primitive), name, values);

	if (err != 0) {
		return err;
	}
	return values_collect(mem_ctx, loader->cib, primitive, name, values);
}

bool resource_is_ocf(const xmlNode *cib, const xmlNode *primitive, const char *type)
{
	const struct loader loader = {
		.resources = xml_first(xml_first(cib, "configuration"), "resources")};
	const xmlNode *template = template_of(&loader, primitive);
	const xmlNode *definition = template == NULL ? primitive : template;

	return xml_attr_equals(definition, "class", "ocf") &&
	       xml_attr_equals(definition, "type", type);
}

const char *resource_param(const xmlNode *cib, const xmlNode *primitive, const char *name)
{
	const struct loader loader = {
		.cib = cib, .resources = xml_first(xml_first(cib, "configuration"), "resources")};
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct values values = {0};
	const char *value = NULL;

	if (tmp != NULL && primitive_values(tmp, &loader, primitive, name, &values) == 0) {
		value = values.plain != NULL                          ? values.plain
			: talloc_array_length(values.conditional) > 0 ? values.conditional[0]
								      : NULL;
	}
	talloc_free(tmp);
	return value;
}

static void add_configured(struct address_rsc *rsc, const char *text)
{
	struct ipaddr ip;

	if (text == NULL || address_parse(text, &ip) != 0 || !address_add(&ip, rsc->instance)) {
		return;
	}
	for (size_t i = 0; i < rsc->num_configured; i++) {
		if (ipaddr_equal(&rsc->configured[i], &ip)) {
			return;
		}
	}
	rsc->configured[rsc->num_configured++] = ip;
}

/* Take a resource up, unless its id is there already (which the schema forbids). */
static int add_rsc(struct loader *loader, const struct address_rsc *like,
		   const struct values *values)
{
	size_t num_conditional = talloc_array_length(values->conditional);
	struct address_rsc *rsc;

	HASH_FIND_STR(loader->rscs->by_id, like->id, rsc);
	if (rsc != NULL) {
		return 0;
	}
	rsc = talloc_zero(loader->rscs, struct address_rsc);
	if (rsc == NULL) {
		return ENOMEM;
	}
	*rsc = *like;
	rsc->id = talloc_strdup(rsc, like->id);
	rsc->group = talloc_strdup(rsc, like->group);
	rsc->configured = talloc_zero_array(rsc, struct ipaddr, num_conditional + 1);
	if (rsc->id == NULL || rsc->group == NULL || rsc->configured == NULL) {
		talloc_free(rsc);
		return ENOMEM;
	}
	add_configured(rsc, values->plain);
	for (size_t i = 0; i < num_conditional; i++) {
		add_configured(rsc, values->conditional[i]);
	}
	if (rsc->num_configured == 0) {
		talloc_free(rsc);
		return 0;
	}
	HASH_ADD_KEYPTR(hh, loader->rscs->by_id, rsc->id, strlen(rsc->id), rsc);
	if (rsc->hh.tbl == NULL) {
		talloc_free(rsc);
		return ENOMEM;
	}
	rsc->index = loader->rscs->num++;
	return 0;
}

/* A clone with unique_clone_address: each instance has an address of its own. */
static int add_instances(TALLOC_CTX *mem_ctx, struct loader *loader, struct address_rsc *like,
			 const struct values *values, unsigned int num)
{
	const char *id = like->id;

	for (unsigned int i = 0; i < num; i++) {
		int err;

		like->id = talloc_asprintf(mem_ctx, "%s:%u", id, i);
		if (like->id == NULL) {
			return ENOMEM;
		}
		like->instance = i;
		err = add_rsc(loader, like, values);
		if (err != 0) {
			return err;
		}
	}
	return 0;
}

static int load_primitive(struct loader *loader, const xmlNode *primitive,
			  const struct place *place)
{
	const xmlNode *template = template_of(loader, primitive);
	const xmlNode *definition = template == NULL ? primitive : template;
	struct address_rsc like = {.id = xml_attr(primitive, "id")};
	struct values values = {0}, unique = {0};
	unsigned int instances = 1;
	TALLOC_CTX *tmp;
	int err;

	like.agent =
		address_agent_find(xml_attr(definition, "class"), xml_attr(definition, "type"));
	if (like.id == NULL || like.agent == NULL) {
		return 0;
	}
	tmp = talloc_new(NULL);
	if (tmp == NULL) {
		return ENOMEM;
	}
	like.group = place->group == NULL ? like.id : place->group;
	err = primitive_values(tmp, loader, primitive, like.agent->param, &values);
	if (err == 0) {
		err = primitive_values(tmp, loader, primitive, "unique_clone_address", &unique);
	}
	if (place->clone != NULL) {
		instances = bounded(resource_meta(loader->cib, place->clone, "clone-max"),
				    loader->num_nodes, INSTANCE_MAX);
	}
	if (err == 0 && place->clone != NULL && xml_truth(unique.plain)) {
		err = add_instances(tmp, loader, &like, &values, instances);
	} else if (err == 0) {
		like.shared = instances > 1;
		err = add_rsc(loader, &like, &values);
	}
	talloc_free(tmp);
	return err;
}

/*
 * A bundle with ip-range-start has an implicit IPaddr2 for each replica. They exist only in the
 * status; Pacemaker names them BUNDLE-ip-ADDRESS and counts IPv4 addresses up, leaving out .255 and .0.
 */
static int load_bundle(struct loader *loader, const xmlNode *bundle)
{
	static const char *const engines[] = {"docker", "podman", "rkt"};
	const char *start = xml_attr(xml_first(bundle, "network"), "ip-range-start");
	struct address_rsc like = {.group = xml_attr(bundle, "id")};
	unsigned int replicas = 1;
	struct ipaddr ip;
	int err = 0;

	if (start == NULL || like.group == NULL || ipaddr_parse(start, &ip) != 0) {
		return 0;
	}
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		const xmlNode *engine = xml_first(bundle, engines[i]);
		const char *text = xml_attr(engine, "replicas");

		if (text == NULL) {
			text = xml_attr(engine, "promoted-max");
		}
		replicas = bounded(text, replicas, ip.family == AF_INET ? INSTANCE_MAX : 1);
	}
	like.agent = address_agent_find("ocf", "IPaddr2");
	for (unsigned int i = 0; i < replicas && err == 0; i++) {
		char text[IPADDR_STRLEN], id[512];
		struct values values = {.plain = ipaddr_format(&ip, text)};

		snprintf(id, sizeof(id), "%s-ip-%s", like.group, text);
		for (char *p = id; *p != '\0'; p++) {
			*p = *p == ':' ? '.' : *p;
		}
		like.id = id;
		err = add_rsc(loader, &like, &values);
		if (ip.bytes[3]++ >= 254) {
			ip.bytes[3] = 1;
			ip.bytes[2]++;
		}
	}
	return err;
}

static int load_children(struct loader *loader, const xmlNode *parent, const struct place *place)
{
	int err = 0;

	for (xmlNode *node = xml_first(parent, NULL); node != NULL && err == 0;
	     node = xml_next(node, NULL)) {
		struct place below = *place;

		if (xml_is(node, "primitive")) {
			err = load_primitive(loader, node, place);
			continue;
		}
		if (place->depth == NEST_MAX) {
			continue;
		}
		below.depth++;
		if (below.group == NULL) {
			below.group = xml_attr(node, "id");
		}
		if (xml_is(node, "bundle")) {
			err = load_bundle(loader, node);
		} else if (xml_is(node, "clone") || xml_is(node, "master")) {
			below.clone = node;
		} else if (!xml_is(node, "group")) {
			continue;
		}
		if (err == 0) {
			err = load_children(loader, node, &below);
		}
	}
	return err;
}

static int address_rscs_destructor(struct address_rscs *rscs)
{
	HASH_CLEAR(hh, rscs->by_id);
	return 0;
}

int address_rscs_load(TALLOC_CTX *mem_ctx, const xmlNode *cib, struct address_rscs **out)
{
	const xmlNode *configuration = xml_first(cib, "configuration");
	struct loader loader = {
		.cib = cib,
		.resources = xml_first(configuration, "resources"),
		.rscs = talloc_zero(mem_ctx, struct address_rscs),
	};
	struct place top = {0};
	int err;

	if (loader.rscs == NULL) {
		return ENOMEM;
	}
	talloc_set_destructor(loader.rscs, address_rscs_destructor);
	xml_for_each(node, xml_first(configuration, "nodes"), "node")
	{
		loader.num_nodes++;
	}
	err = load_children(&loader, loader.resources, &top);
	if (err != 0) {
		talloc_free(loader.rscs);
		return err;
	}
	*out = loader.rscs;
	return 0;
}

struct address_rsc *address_rscs_find(const struct address_rscs *rscs, const char *id)
{
	struct address_rsc *rsc;
	const char *colon;

	HASH_FIND_STR(rscs->by_id, id, rsc);
	colon = strrchr(id, ':');
	if (rsc == NULL && colon != NULL) {
		HASH_FIND(hh, rscs->by_id, id, (size_t)(colon - id), rsc);
	}
	return rsc;
}
