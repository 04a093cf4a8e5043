/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/location.h"

#include <string.h>
#include <strings.h>

#include "backends/pacemaker/xml.h"

/* Lifetimes are written as the end of a date_expression: "2026-11-21 15:16:16Z", or with an offset. */
static bool over(const xmlNode *date, time_t now)
{
	const char *end = xml_attr(date, "end"), *rest;
	struct tm tm = {0};
	long offset;

	rest = end == NULL ? NULL : strptime(end, "%Y-%m-%d %H:%M:%S", &tm);
	if (rest == NULL ||
	    (*rest != '\0' && strcmp(rest, "Z") != 0 && strptime(rest, "%z", &tm) == NULL)) {
		return false;
	}
	offset = tm.tm_gmtoff; /* timegm() makes it zero */
	return timegm(&tm) - offset <= now;
}

/* "This node", and possibly "until then". NULL: it says something else, or it is over. */
static const char *node_of_rule(const xmlNode *rule, time_t now)
{
	const char *node = NULL;

	xml_for_each(part, rule, NULL)
	{
		if (xml_is(part, "expression") && node == NULL &&
		    xml_attr_equals(part, "attribute", "#uname") &&
		    xml_attr_equals(part, "operation", "eq")) {
			node = xml_attr(part, "value");
		} else if (!xml_is(part, "date_expression") ||
			   !xml_attr_equals(part, "operation", "lt") || over(part, now)) {
			return NULL;
		}
	}
	return node;
}

static bool read_score(const char *id, const char *score, enum location_kind *kind)
{
	if (score == NULL) {
		return false;
	}
	if (strcmp(score, "-INFINITY") == 0) {
		*kind = LOCATION_BAN;
		return true;
	}
	*kind = LOCATION_PREFER;
	return strncmp(id, "cli-prefer-", strlen("cli-prefer-")) == 0 &&
	       (strcmp(score, "INFINITY") == 0 || strcmp(score, "+INFINITY") == 0);
}

/* Without a role, or with that of everything that is there, the whole resource is meant. */
static bool read_role(const char *role, bool *promoted)
{
	*promoted = role != NULL &&
		    (strcasecmp(role, "Promoted") == 0 || strcasecmp(role, "Master") == 0);
	return role == NULL || *promoted || strcasecmp(role, "Started") == 0;
}

bool location_read(const xmlNode *element, time_t now, struct location *location)
{
	const xmlNode *rule = xml_first(element, "rule");
	const xmlNode *scored = rule != NULL ? rule : element;
	const char *role = xml_attr(scored, "role");

	*location = (struct location){
		.id = xml_attr(element, "id"),
		.rsc = xml_attr(element, "rsc"),
		.node = rule != NULL ? node_of_rule(rule, now) : xml_attr(element, "node"),
	};
	return location->id != NULL && location->rsc != NULL && location->node != NULL &&
	       read_score(location->id, xml_attr(scored, "score"), &location->kind) &&
	       read_role(role != NULL ? role : xml_attr(element, "role"), &location->promoted);
}
