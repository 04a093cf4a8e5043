/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cibwatch RESOURCE: prints a line with CLOCK_MONOTONIC in seconds for every finished start and
 * stop of the resource, at the moment when this node's CIB shows it:
 *
 *   1234.567890 stop n1 rc=0
 *
 * The lab measures notifications against it. "ready" is the first line. It ends when the CIB
 * manager goes away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <crm/cib.h>
#include <crm/common/util.h>
#include <crm/common/xml.h>
#include <crm/crm.h>
#include <glib.h>

struct watch {
	const char *resource;
	GMainLoop *loop;
};

static struct watch watch;

static double monotonic_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static const char *attr(const xmlNode *xml, const char *name)
{
	const char *value = crm_element_value(xml, name);

	return value != NULL ? value : "";
}

static bool is_change_of_placement(const xmlNode *op)
{
	char prefix[256];
	const char *operation = attr(op, "operation");

	snprintf(prefix, sizeof(prefix), "%s_%s_", watch.resource, operation);
	return strncmp(attr(op, "operation_key"), prefix, strlen(prefix)) == 0 &&
	       (strcmp(operation, "start") == 0 || strcmp(operation, "stop") == 0) &&
	       strcmp(attr(op, "op-status"), "0") == 0;
}

/* An operation's record is in a diff as a new element or as the result of a change to one. */
static void print_operations(const xmlNode *xml, double when)
{
	for (const xmlNode *child = xml; child != NULL; child = child->next) {
		if (child->type != XML_ELEMENT_NODE) {
			continue;
		}
		if (strcmp((const char *)child->name, "lrm_rsc_op") == 0 &&
		    is_change_of_placement(child)) {
			printf("%.6f %s %s rc=%s\n", when, attr(child, "operation"),
			       attr(child, "on_node"), attr(child, "rc-code"));
			fflush(stdout);
		}
		print_operations(child->children, when);
	}
}

static void on_diff(const char *event, xmlNode *notify)
{
	double when = monotonic_now();

	for (xmlNode *child = notify->children; child != NULL; child = child->next) {
		/* 2.1 has the same diff under other names, too */
		if (strcmp((const char *)child->name, "cib_update_result") == 0) {
			print_operations(child->children, when);
		}
	}
}

static void on_lost(gpointer private_data)
{
	g_main_loop_quit(watch.loop);
}

int main(int argc, char **argv)
{
	cib_t *cib;

	if (argc != 2) {
		fprintf(stderr, "usage: cibwatch RESOURCE\n");
		return 2;
	}
	watch.resource = argv[1];
	watch.loop = g_main_loop_new(NULL, FALSE);
	crm_log_preinit("cibwatch", argc, argv);
	cib = cib_native_new();
	if (cib == NULL || cib->cmds->signon(cib, "cibwatch", cib_query) != 0 ||
	    cib->cmds->set_connection_dnotify(cib, on_lost) != 0 ||
	    cib->cmds->add_notify_callback(cib, "cib_diff_notify", on_diff) != 0) {
		fprintf(stderr, "cibwatch: cannot watch the CIB here\n");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	g_main_loop_run(watch.loop);
	return 0;
}
