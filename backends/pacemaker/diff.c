/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/pacemaker/diff.h"

#include <string.h>

#include "backends/pacemaker/xml.h"

/* ".../lrm_resource[@id='vip1']/lrm_rsc_op[...]" names the resource; ids have no quotes by schema. */
static bool rsc_of_path(const char *path, char rsc[DIFF_RSC_MAX])
{
	static const char step[] = "/lrm_resource[@id='";
	const char *start = path == NULL ? NULL : strstr(path, step);
	size_t len;

	if (start == NULL) {
		return false;
	}
	start += sizeof(step) - 1;
	len = strcspn(start, "'");
	if (len == 0 || len >= DIFF_RSC_MAX || strncmp(start + len, "']", 2) != 0) {
		return false;
	}
	memcpy(rsc, start, len);
	rsc[len] = '\0';
	return true;
}

/* The record that a change leaves behind: created under its resource, or modified in place. */
static const xmlNode *op_of_change(const xmlNode *change)
{
	if (xml_attr_equals(change, "operation", "modify")) {
		return xml_first(xml_first(change, "change-result"), "lrm_rsc_op");
	}
	if (xml_attr_equals(change, "operation", "create")) {
		return xml_first(change, "lrm_rsc_op");
	}
	return NULL;
}

static bool is_finished_stop(const xmlNode *op)
{
	int64_t call_id;

	return xml_attr_equals(op, "operation", "stop") && xml_attr_equals(op, "rc-code", "0") &&
	       xml_attr_equals(op, "op-status", "0") && xml_attr_int(op, "call-id", &call_id) &&
	       call_id > 0;
}

void diff_each_stop(const xmlNode *notify,
		    void (*fn)(void *private_data, const char *rsc, const char *node),
		    void *private_data)
{
	const xmlNode *diff = xml_first(xml_first(notify, "cib_update_result"), "diff");

	xml_for_each(change, diff, "change")
	{
		const xmlNode *op = op_of_change(change);
		const char *node = xml_attr(op, "on_node");
		char rsc[DIFF_RSC_MAX];

		if (node != NULL && is_finished_stop(op) &&
		    rsc_of_path(xml_attr(change, "path"), rsc)) {
			fn(private_data, rsc, node);
		}
	}
}
