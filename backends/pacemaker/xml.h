/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading XML without copies: values stay owned by the document. Pacemaker's own helpers have been
 * renamed and moved too often between versions to be used.
 */
#ifndef BACKENDS_PACEMAKER_XML_H
#define BACKENDS_PACEMAKER_XML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

/* Walk the child elements of a node, only those with this name unless it is NULL. */
#define xml_for_each(child, parent, name)                                                          \
	for (xmlNode *child = xml_first((parent), (name)); child != NULL;                          \
	     child = xml_next(child, (name)))

/** The first child element, and the next sibling, with this name (NULL: any); NULL when there is none. */
xmlNode *xml_first(const xmlNode *parent, const char *name);
xmlNode *xml_next(const xmlNode *node, const char *name);

/** Whether a node is an element of that name. */
bool xml_is(const xmlNode *node, const char *name);

/** An attribute's value; NULL when it has none. */
const char *xml_attr(const xmlNode *node, const char *name);
bool xml_attr_equals(const xmlNode *node, const char *name, const char *value);

/** A whole decimal number. @return false, *out untouched, when absent, malformed or out of range */
bool xml_attr_int(const xmlNode *node, const char *name, int64_t *out);

/** Pacemaker's booleans: true, on, yes, y, 1 ignoring case. NULL is false. */
bool xml_truth(const char *value);

/** The first element with this id among the descendants of a node; NULL when there is none. */
const xmlNode *xml_find_id(const xmlNode *top, const char *name, const char *id);

/**
 * A new document with a deep copy of the node as root, for the caller to free.
 * @return NULL when memory is short
 */
xmlDoc *xml_copy(const xmlNode *node);

#endif
