/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/xml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool xml_is(const xmlNode *node, const char *name)
{
	return node != NULL && node->type == XML_ELEMENT_NODE &&
	       strcmp((const char *)node->name, name) == 0;
}

static xmlNode *skip_to(xmlNode *node, const char *name)
{
	while (node != NULL &&
	       !(name == NULL ? node->type == XML_ELEMENT_NODE : xml_is(node, name))) {
		node = node->next;
	}
	return node;
}

xmlNode *xml_first(const xmlNode *parent, const char *name)
{
	return parent == NULL ? NULL : skip_to(parent->children, name);
}

xmlNode *xml_next(const xmlNode *node, const char *name)
{
	return skip_to(node->next, name);
}

const char *xml_attr(const xmlNode *node, const char *name)
{
	if (node == NULL || node->type != XML_ELEMENT_NODE) {
		return NULL;
	}
	for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
		if (strcmp((const char *)attr->name, name) == 0) {
			if (attr->children == NULL || attr->children->content == NULL) {
				return "";
			}
			return (const char *)attr->children->content;
		}
	}
	return NULL;
}

bool xml_attr_equals(const xmlNode *node, const char *name, const char *value)
{
	const char *have = xml_attr(node, name);

	return have != NULL && strcmp(have, value) == 0;
}

bool xml_attr_int(const xmlNode *node, const char *name, int64_t *out)
{
	const char *text = xml_attr(node, name);
	long long value;
	char *end;

	if (text == NULL || *text == '\0') {
		return false;
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0') {
		return false;
	}
	*out = value;
	return true;
}

bool xml_truth(const char *value)
{
	static const char *const words[] = {"true", "on", "yes", "y", "1"};

	for (size_t i = 0; value != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(value, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

const xmlNode *xml_find_id(const xmlNode *top, const char *name, const char *id)
{
	const xmlNode *node = top;

	while (node != NULL) {
		if (node != top && xml_is(node, name) && xml_attr_equals(node, "id", id)) {
			return node;
		}
		if (node->children != NULL && node->type == XML_ELEMENT_NODE) {
			node = node->children;
			continue;
		}
		while (node != top && node->next == NULL) {
			node = node->parent;
		}
		node = node == top ? NULL : node->next;
	}
	return NULL;
}

xmlDoc *xml_copy(const xmlNode *node)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *root;

	if (doc == NULL) {
		return NULL;
	}
	root = xmlDocCopyNode((xmlNode *)node, doc, 1);
	if (root == NULL) {
		xmlFreeDoc(doc);
		return NULL;
	}
	xmlDocSetRootElement(doc, root);
	return doc;
}
