/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CIBs for the tests of the Pacemaker backend. The files in cib/ are what real three-node clusters of
 * tests/lab answered to a query, one after the other while something happened; what these did not do
 * is edited into one of them.
 */
#ifndef TESTS_UNIT_PACEMAKER_FIXTURE_H
#define TESTS_UNIT_PACEMAKER_FIXTURE_H

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/pacemaker/pcmk.h"
#include "backends/pacemaker/placement.h"

static inline xmlDoc *cib_load(const char *name)
{
	char path[256];
	xmlDoc *doc;

	pcmk_init();
	snprintf(path, sizeof(path), "tests/unit/cib/%s.xml", name);
	doc = xmlReadFile(path, NULL, XML_PARSE_NOBLANKS);
	assert_non_null(doc);
	return doc;
}

static inline xmlDoc *cib_parse(const char *text)
{
	xmlDoc *doc;

	pcmk_init();
	doc = xmlReadMemory(text, (int)strlen(text), "test.xml", NULL, XML_PARSE_NOBLANKS);
	assert_non_null(doc);
	return doc;
}

/* Set an attribute (NULL: remove it) of every element that an XPath gives; there must be one. */
static inline void cib_edit(xmlDoc *doc, const char *xpath, const char *name, const char *value)
{
	xmlXPathContext *context = xmlXPathNewContext(doc);
	xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)xpath, context);

	assert_non_null(found);
	assert_non_null(found->nodesetval);
	assert_true(found->nodesetval->nodeNr > 0);
	for (int i = 0; i < found->nodesetval->nodeNr; i++) {
		xmlNode *node = found->nodesetval->nodeTab[i];

		if (value == NULL) {
			xmlUnsetProp(node, (const xmlChar *)name);
		} else {
			xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
		}
	}
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
}

/* Append an element, given as text, to the one element that an XPath gives. */
static inline void cib_add(xmlDoc *doc, const char *xpath, const char *text)
{
	xmlXPathContext *context = xmlXPathNewContext(doc);
	xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)xpath, context);
	xmlDoc *part = cib_parse(text);

	assert_non_null(found);
	assert_non_null(found->nodesetval);
	assert_int_equal(found->nodesetval->nodeNr, 1);
	xmlAddChild(found->nodesetval->nodeTab[0],
		    xmlDocCopyNode(xmlDocGetRootElement(part), doc, 1));
	xmlFreeDoc(part);
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
}

/* Judge a CIB as node n1 would; the document is freed. */
static inline struct placement *placement_of(xmlDoc *doc)
{
	const struct placement_local local = {.id = 1};
	struct placement *placement = NULL;

	assert_int_equal(placement_build(NULL, xmlDocGetRootElement(doc), &local, &placement), 0);
	assert_non_null(placement);
	xmlFreeDoc(doc);
	return placement;
}

static inline const struct cluster_addr *addr_of(const struct cluster_state *state,
						 const char *text)
{
	const struct cluster_addr *addr;
	struct ipaddr ip;

	assert_int_equal(ipaddr_parse(text, &ip), 0);
	addr = cluster_state_addr(state, &ip);
	assert_non_null(addr);
	return addr;
}

/* Where an address is and in which state; node NULL: nowhere. */
static inline void assert_addr(const struct cluster_state *state, const char *ip,
			       enum cluster_addr_state expected, const char *node)
{
	const struct cluster_addr *addr = addr_of(state, ip);

	assert_string_equal(cluster_addr_state_name(addr->state),
			    cluster_addr_state_name(expected));
	if (node == NULL) {
		assert_null(addr->node);
	} else {
		assert_non_null(addr->node);
		assert_string_equal(addr->node, node);
	}
}

#define VIP1   "10.77.0.101"
#define VIP2   "10.77.0.102"
#define VIP3   "10.77.0.103"
#define VIP3_6 "fd77::77:103"

#endif
