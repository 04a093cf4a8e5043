/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pacemaker_fixture.h"

#include <time.h>

#include "backends/pacemaker/intents.h"
#include "backends/pacemaker/managed.h"

#define NOW 1795273900 /* 2026-11-21 15:11:40Z; the recorded ban ends at 15:16:16Z */

static struct intents *intents_at(xmlDoc *doc, time_t now)
{
	const struct placement_local local = {.id = 1};
	struct placement *placement = NULL;
	struct relations *relations = NULL;
	struct intents *intents = NULL;
	const xmlNode *cib = xmlDocGetRootElement(doc);

	assert_int_equal(placement_build(NULL, cib, &local, &placement), 0);
	assert_int_equal(relations_load(placement, cib, &relations), 0);
	managed_apply(cib, relations, placement);
	assert_int_equal(intents_read(NULL, cib, relations, placement, now, &intents), 0);
	assert_non_null(intents);
	talloc_free(placement);
	xmlFreeDoc(doc);
	return intents;
}

static void assert_text(const char *have, const char *expected)
{
	if (expected == NULL) {
		assert_null(have);
		return;
	}
	assert_non_null(have);
	assert_string_equal(have, expected);
}

/* Exactly one intent, and this one. */
static void assert_only(xmlDoc *doc, enum backend_intent_kind kind, const char *what,
			const char *from, const char *to, const char *why)
{
	struct intents *intents = intents_at(doc, NOW);

	assert_int_equal(intents->num, 1);
	assert_int_equal(intents->list[0].kind, kind);
	assert_text(intents->list[0].what, what);
	assert_text(intents->list[0].from, from);
	assert_text(intents->list[0].to, to);
	assert_text(intents->list[0].why, why);
	talloc_free(intents);
}

static void assert_none(xmlDoc *doc)
{
	struct intents *intents = intents_at(doc, NOW);

	assert_int_equal(intents->num, 0);
	talloc_free(intents);
}

static void location(xmlDoc *doc, const char *text)
{
	cib_add(doc, "//constraints", text);
}

#define META(name, value)                                                                          \
	"<meta_attributes id='meta-" name "'><nvpair id='meta-" name "-1' name='" name             \
	"' value='" value "'/></meta_attributes>"

/* An operation at the end of a resource's history on a node; call -1: it is under way. */
static void cib_op(xmlDoc *doc, const char *node, const char *rsc, const char *task, int call,
		   int rc)
{
	char xpath[256], text[512];

	snprintf(xpath, sizeof(xpath), "//node_state[@id='%s']//lrm_resource[@id='%s']", node, rsc);
	snprintf(text, sizeof(text),
		 "<lrm_rsc_op id='%s_last_0' operation_key='%s_%s_0' operation='%s' call-id='%d'"
		 " rc-code='%d' op-status='%d' interval='0' transition-key='1:1:0:x'"
		 " transition-magic='0:%d;1:1:0:x'/>",
		 rsc, rsc, task, task, call, rc, call < 0 ? -1 : 0, rc);
	cib_add(doc, xpath, text);
}

/* A resource that is no address runs on a node. */
static void cib_runs(xmlDoc *doc, const char *node, const char *rsc)
{
	char xpath[256], text[256];

	snprintf(xpath, sizeof(xpath), "//node_state[@id='%s']/lrm/lrm_resources", node);
	snprintf(text, sizeof(text),
		 "<lrm_resource id='%s' class='ocf' provider='pacemaker' type='Dummy'/>", rsc);
	cib_add(doc, xpath, text);
	cib_op(doc, node, rsc, "start", 50, 0);
}

#define APP "<primitive id='app' class='ocf' provider='pacemaker' type='Dummy'/>"
#define WITH(rsc, with, score)                                                                     \
	"<rsc_colocation id='" rsc "-with-" with "' rsc='" rsc "' with-rsc='" with                 \
	"' score='" score "'/>"
#define PREFER(rsc, node)                                                                          \
	"<rsc_location id='cli-prefer-" rsc "' rsc='" rsc "' role='Started' node='" node           \
	"' score='INFINITY'/>"
#define BAN(rsc, node)                                                                             \
	"<rsc_location id='cli-ban-" rsc "-on-" node "' rsc='" rsc "' node='" node                 \
	"' score='-INFINITY'/>"

/* vip1 on n1, and on n1, too, app; tied by a constraint. */
static xmlDoc *with_app(const char *constraint)
{
	xmlDoc *doc = cib_load("move-1-before");

	cib_add(doc, "//resources", APP);
	cib_runs(doc, "1", "app");
	cib_add(doc, "//constraints", constraint);
	return doc;
}

static void a_colocated_resource_takes_the_address_along(void **arg)
{
	static const char *const ties[] = {
		WITH("vip1", "app", "INFINITY"),
		WITH("app", "vip1", "INFINITY"),
		("<rsc_colocation id='set' score='INFINITY'><resource_set id='set-1'>"
		 "<resource_ref id='vip1'/><resource_ref "
		 "id='app'/></resource_set></rsc_colocation>"),
	};
	xmlDoc *doc;

	for (size_t i = 0; i < sizeof(ties) / sizeof(ties[0]); i++) {
		doc = with_app(ties[i]);
		location(doc, PREFER("app", "n2"));
		assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", "n2",
			    "location constraint cli-prefer-app");
		doc = with_app(ties[i]);
		location(doc, BAN("app", "n1"));
		assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL,
			    "location constraint cli-ban-app-on-n1");
	}
	doc = with_app(WITH("vip1", "app", "1000"));
	location(doc, PREFER("app", "n2"));
	assert_none(doc);
	doc = with_app(WITH("vip1", "app", "-INFINITY"));
	location(doc, PREFER("app", "n2"));
	assert_none(doc);
}

static void what_does_not_run_takes_nothing_along(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	cib_add(doc, "//resources", APP);
	location(doc, WITH("vip1", "app", "INFINITY"));
	location(doc, PREFER("app", "n2"));
	assert_none(doc);

	doc = with_app(WITH("vip1", "app", "INFINITY"));
	location(doc, BAN("app", "n3"));
	assert_none(doc);
}

/* vip1 with app, app with a member of a group, and that group is asked to move. */
static void colocation_is_followed_from_one_to_the_next(void **arg)
{
	xmlDoc *doc = with_app(WITH("vip1", "app", "INFINITY"));

	cib_add(doc, "//resources",
		"<group id='db'><primitive id='disk' class='ocf' provider='pacemaker'"
		" type='Dummy'/><primitive id='sql' class='ocf' provider='pacemaker'"
		" type='Dummy'/></group>");
	cib_runs(doc, "1", "disk");
	location(doc, WITH("app", "sql", "INFINITY"));
	location(doc, PREFER("db", "n3"));
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", "n3",
		    "location constraint cli-prefer-db");
}

/* Two addresses with one clone: the one leaves with its instance, and does not drag the other along. */
static void an_instance_of_a_clone_takes_its_address_along(void **arg)
{
	static const char *const asked[] = {BAN("smbd-clone", "n1"), PREFER("smbd-clone", "n2"),
					    PREFER("vip1", "n2")};
	static const char *const why[] = {"location constraint cli-ban-smbd-clone-on-n1", NULL,
					  "location constraint cli-prefer-vip1"};

	for (size_t i = 0; i < 3; i++) {
		xmlDoc *doc = cib_load("move-1-before");

		cib_add(doc, "//resources",
			"<clone id='smbd-clone'><primitive id='smbd' class='systemd' type='smbd'/>"
			"</clone>");
		cib_runs(doc, "1", "smbd");
		cib_runs(doc, "2", "smbd");
		location(doc, WITH("vip1", "smbd-clone", "INFINITY"));
		location(doc, WITH("vip2", "smbd-clone", "INFINITY"));
		location(doc, asked[i]);
		if (why[i] == NULL) {
			assert_none(doc);
		} else {
			assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", i == 0 ? NULL : "n2",
				    why[i]);
		}
	}
}

static void an_address_of_a_unique_clone_leaves_its_node(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	cib_add(doc, "//resources",
		"<clone id='ips'>" META(
			"globally-unique",
			"true") "<primitive id='ipc' class='ocf'"
				" provider='heartbeat' type='IPaddr2'><instance_attributes id='ia'>"
				"<nvpair id='ia1' name='ip' value='10.77.0.60'/>"
				"<nvpair id='ia2' name='unique_clone_address' value='true'/>"
				"</instance_attributes></primitive></clone>");
	cib_runs(doc, "1", "ipc:0");
	cib_runs(doc, "2", "ipc:1");
	location(doc, BAN("ips", "n1"));
	assert_only(doc, BACKEND_INTENT_GROUP, "ips", "n1", NULL,
		    "location constraint cli-ban-ips-on-n1");
}

/* vip1 is where db is promoted: on n1; db runs everywhere. */
static xmlDoc *with_promoted(void)
{
	xmlDoc *doc = cib_load("move-1-before");

	cib_add(doc, "//resources",
		"<clone id='db-clone'>" META(
			"promotable", "true") "<primitive id='db' class='ocf'"
					      " provider='pacemaker' type='Stateful'/></clone>");
	cib_runs(doc, "1", "db");
	cib_op(doc, "1", "db", "promote", 51, 0);
	cib_runs(doc, "2", "db");
	cib_runs(doc, "3", "db");
	location(doc, "<rsc_colocation id='with-db' rsc='vip1' with-rsc='db-clone'"
		      " with-rsc-role='Promoted' score='INFINITY'/>");
	return doc;
}

static void an_address_follows_the_promoted_role(void **arg)
{
	xmlDoc *doc = with_promoted();

	location(doc, "<rsc_location id='cli-prefer-db-clone' rsc='db-clone' role='Promoted'"
		      " node='n2' score='INFINITY'/>");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", "n2",
		    "location constraint cli-prefer-db-clone");

	doc = with_promoted();
	location(doc, "<rsc_location id='cli-ban-db-clone-on-n1' rsc='db-clone' role='Master'"
		      " node='n1' score='-INFINITY'/>");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL,
		    "location constraint cli-ban-db-clone-on-n1");

	/* With a lifetime the role stands in the rule. */
	doc = with_promoted();
	location(doc, "<rsc_location id='cli-ban-db-clone-on-n1' rsc='db-clone'><rule id='r'"
		      " role='Promoted' score='-INFINITY' boolean-op='and'><expression id='e'"
		      " attribute='#uname' operation='eq' value='n1' type='string'/>"
		      "<date_expression id='d' operation='lt' end='2026-11-21 15:16:16Z'/></rule>"
		      "</rsc_location>");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL,
		    "location constraint cli-ban-db-clone-on-n1");

	/* Already there, another role, an ordinary colocation with what is not to leave. */
	doc = with_promoted();
	location(doc, "<rsc_location id='cli-prefer-db-clone' rsc='db-clone' role='Promoted'"
		      " node='n1' score='INFINITY'/>");
	location(doc, "<rsc_location id='cli-ban-db-clone-on-n1' rsc='db-clone'"
		      " role='Unpromoted' node='n1' score='-INFINITY'/>");
	location(doc, WITH("vip2", "db-clone", "INFINITY"));
	location(doc, "<rsc_location id='cli-ban-db-clone-on-n2' rsc='db-clone'"
		      " role='Promoted' node='n2' score='-INFINITY'/>");
	assert_none(doc);

	doc = with_promoted();
	cib_add(doc, "//primitive[@id='db']", META("target-role", "Unpromoted"));
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL, "target-role=Unpromoted of db");
}

static void forbidden_where_it_is(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	location(doc, "<rsc_location id='avoid' rsc='vip1' node='n1' score='-INFINITY'/>");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL, "location constraint avoid");

	doc = cib_load("move-1-before");
	location(doc, "<rsc_location id='rule' rsc='vip1'><rule id='r' score='-INFINITY'>"
		      "<expression id='e' attribute='#uname' operation='eq' value='n1'/>"
		      "<expression id='f' attribute='site' operation='eq' value='a'/></rule>"
		      "</rsc_location>");
	assert_none(doc);
}

static void quiet_cluster(void **arg)
{
	assert_none(cib_load("move-1-before"));
	assert_none(cib_load("rich")); /* with standing wishes, and resources stopped long ago */
}

static void move(void **arg)
{
	assert_only(cib_load("move-2-asked"), BACKEND_INTENT_GROUP, "vip1", "n1", "n2",
		    "location constraint cli-prefer-vip1");
	assert_only(cib_load("move-3-stopping"), BACKEND_INTENT_GROUP, "vip1", "n1", "n2",
		    "location constraint cli-prefer-vip1");
}

static void move_that_has_happened(void **arg)
{
	assert_none(cib_load("move-4-stopped"));
	assert_none(cib_load("move-6-started"));
}

static void move_to_a_node_that_cannot_host(void **arg)
{
	xmlDoc *doc = cib_load("move-2-asked");

	cib_edit(doc, "//rsc_location[@id='cli-prefer-vip1']", "node", "elsewhere");
	assert_none(doc);
	doc = cib_load("standby"); /* n2 */
	location(doc, "<rsc_location id='cli-prefer-vip1' rsc='vip1' role='Started' node='n2'"
		      " score='INFINITY'/>");
	assert_none(doc);
}

static void ban_for_a_while(void **arg)
{
	struct intents *intents;

	assert_only(cib_load("ban-lifetime"), BACKEND_INTENT_GROUP, "group3", "n3", NULL,
		    "location constraint cli-ban-group3-on-n3");
	intents = intents_at(cib_load("ban-lifetime"), NOW + 600);
	assert_int_equal(intents->num, 0);
	talloc_free(intents);
}

static void lifetime_in_local_time(void **arg)
{
	static const struct {
		const char *end;
		size_t num;
	} cases[] = {
		{"2026-11-21 17:11:41 +02:00", 1},
		{"2026-11-21 17:11:40 +02:00", 0},
		{"2026-11-21 09:41:41 -0530", 1},
		{"2026-11-21 09:41:39 -0530", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		xmlDoc *doc = cib_load("ban-lifetime");
		struct intents *intents;

		cib_edit(doc, "//date_expression", "end", cases[i].end);
		intents = intents_at(doc, NOW);
		assert_int_equal(intents->num, cases[i].num);
		talloc_free(intents);
	}
}

static void ban_for_ever_and_of_another_node(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	location(doc, "<rsc_location id='cli-ban-vip2-on-n2' rsc='vip2' role='Started' node='n2'"
		      " score='-INFINITY'/>");
	location(doc, "<rsc_location id='cli-ban-vip1-on-n2' rsc='vip1' role='Started' node='n2'"
		      " score='-INFINITY'/>");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip2", "n2", NULL,
		    "location constraint cli-ban-vip2-on-n2");
}

static void member_moves_with_its_group(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	location(doc, "<rsc_location id='cli-prefer-vip3-6' rsc='vip3-6' role='Started' node='n1'"
		      " score='INFINITY'/>");
	assert_only(doc, BACKEND_INTENT_GROUP, "group3", "n3", "n1",
		    "location constraint cli-prefer-vip3-6");
}

static void ordinary_constraints_are_no_intents(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	location(doc, "<rsc_location id='wish' rsc='vip1' node='n2' score='INFINITY'/>");
	location(doc, "<rsc_location id='cli-prefer-other' rsc='other' node='n2'"
		      " score='INFINITY'/>");
	location(doc, "<rsc_location id='cli-prefer-weak' rsc='vip1' node='n2' score='5'/>");
	location(doc, "<rsc_location id='cli-prefer-empty'/>");
	assert_none(doc);
}

/* The placement says so of the node, and that says all; also when the stops have begun. */
static void a_node_that_is_to_be_left_is_not_told_here(void **arg)
{
	xmlDoc *doc = cib_load("standby");

	assert_none(cib_load("standby"));
	assert_none(cib_load("shutdown-1-asked"));
	assert_none(cib_load("shutdown-2-down"));
	cib_edit(doc, "//node_state[@id='2']//lrm_resource[@id='vip2']/lrm_rsc_op", "operation",
		 "start");
	cib_op(doc, "2", "vip2", "stop", -1, 193);
	assert_none(doc);
}

static void stopped_by_the_administrator(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	cib_add(doc, "//primitive[@id='vip2']",
		"<meta_attributes id='m'><nvpair id='m1' name='target-role' value='Stopped'/>"
		"</meta_attributes>");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip2", "n2", NULL, "target-role=Stopped of vip2");

	doc = cib_load("move-1-before");
	cib_add(doc, "//group",
		"<meta_attributes id='m'><nvpair id='m1' name='target-role' value='stopped'/>"
		"</meta_attributes>");
	assert_only(doc, BACKEND_INTENT_GROUP, "group3", "n3", NULL,
		    "target-role=Stopped of group3");

	doc = cib_load("move-1-before");
	cib_add(doc, "//primitive[@id='vip2']",
		"<meta_attributes id='m'><nvpair id='m1' name='target-role' value='Started'/>"
		"</meta_attributes>");
	assert_none(doc);
}

/* Members are stopped from the last one back: an address in front of the stopped one stays. */
static void stopped_member_of_a_group(void **arg)
{
	static const char stopped[] = "<meta_attributes id='m'><nvpair id='m1' name='target-role'"
				      " value='Stopped'/></meta_attributes>";
	xmlDoc *doc = cib_load("move-1-before");

	cib_add(doc, "//group", "<primitive id='app' class='ocf' provider='x' type='Dummy'/>");
	cib_add(doc, "//primitive[@id='app']", stopped);
	assert_none(doc);

	doc = cib_load("move-1-before");
	cib_edit(doc, "//primitive[@id='vip3']", "type", "Dummy");
	cib_add(doc, "//primitive[@id='vip3']", stopped);
	assert_only(doc, BACKEND_INTENT_GROUP, "group3", "n3", NULL, "target-role=Stopped of vip3");
}

/* What vip1 needs is stopped. */
static void a_stop_takes_along_what_depends_on_it(void **arg)
{
	static const char *const needs[] = {
		WITH("vip1", "app", "INFINITY"),
		"<rsc_order id='o' first='app' then='vip1'/>",
		("<rsc_order id='o' kind='Mandatory' first='app' first-action='start' then='vip1'"
		 " then-action='start'/>"),
	};
	static const char *const needs_not[] = {
		WITH("app", "vip1", "INFINITY"),
		WITH("vip1", "app", "10"),
		"<rsc_order id='o' kind='Optional' first='app' then='vip1'/>",
		"<rsc_order id='o' first='app' first-action='stop' then='vip1'/>",
		"<rsc_order id='o' first='app' then='vip1' then-action='stop'/>",
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		xmlDoc *doc = with_app(needs[i]);

		cib_add(doc, "//primitive[@id='app']", META("target-role", "Stopped"));
		assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL,
			    "target-role=Stopped of app");
	}
	for (size_t i = 0; i < sizeof(needs_not) / sizeof(needs_not[0]); i++) {
		xmlDoc *doc = with_app(needs_not[i]);

		cib_add(doc, "//primitive[@id='app']", META("target-role", "Stopped"));
		assert_none(doc);
	}
}

/* From a member to the group, and from the group to what comes after it. */
static void a_stopped_part_is_missed(void **arg)
{
	xmlDoc *doc = with_app(WITH("vip1", "farm", "INFINITY"));

	cib_add(doc, "//resources",
		"<clone id='farm'><group id='unit'><primitive id='a' class='ocf' provider='x'"
		" type='Dummy'>" META(
			"target-role",
			"Stopped") "</primitive><primitive id='b'"
				   " class='ocf' provider='x' type='Dummy'/></group></clone>");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL, "target-role=Stopped of a");
}

static void stopped_by_default_or_by_its_template(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct intents *intents;

	cib_add(doc, "//configuration",
		"<rsc_defaults>" META("target-role", "Stopped") "</rsc_defaults>");
	cib_add(doc, "//primitive[@id='vip2']", META("target-role", "Started"));
	intents = intents_at(doc, NOW);
	assert_int_equal(intents->num, 2);
	assert_string_equal(intents->list[0].what, "vip1");
	assert_string_equal(intents->list[1].what, "group3");
	talloc_free(intents);

	doc = cib_load("move-1-before");
	cib_add(doc, "//resources",
		"<template id='t' class='ocf' provider='heartbeat' type='IPaddr2'>" META(
			"target-role", "Stopped") "</template>");
	cib_edit(doc, "//primitive[@id='vip2']", "template", "t");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip2", "n2", NULL, "target-role=Stopped of vip2");
}

static void everything_is_stopped(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct intents *intents;

	cib_add(doc, "//cluster_property_set",
		"<nvpair id='sa' name='stop-all-resources' value='true'/>");
	intents = intents_at(doc, NOW);
	assert_int_equal(intents->num, 3);
	assert_string_equal(intents->list[2].what, "group3");
	assert_string_equal(intents->list[2].why, "property stop-all-resources");
	talloc_free(intents);
}

static void fails(xmlDoc *doc, const char *name, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "<nvpair id='fc-%s' name='%s' value='%s'/>", value, name,
		 value);
	cib_add(doc, "//node_state[@id='1']/transient_attributes/instance_attributes", text);
}

static void failures_reach_their_threshold(void **arg)
{
	xmlDoc *doc = with_app(WITH("vip1", "app", "INFINITY"));

	cib_add(doc, "//primitive[@id='app']", META("migration-threshold", "3"));
	fails(doc, "fail-count-app#monitor_10000", "2");
	fails(doc, "fail-count-app#start_0", "1");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL, "fail-count of app");

	doc = cib_load("move-1-before");
	fails(doc, "fail-count-vip1#start_0", "INFINITY");
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL, "fail-count of vip1");
}

static void failures_that_count_for_nothing(void **arg)
{
	static const char *const metas[] = {
		META("migration-threshold", "3"), META("migration-threshold", "0"),
		META("migration-threshold", "what"), META("failure-timeout", "60s")};
	static const char *const counts[] = {"2", "1000000", "2", "INFINITY"};
	xmlDoc *doc;

	for (size_t i = 0; i < 4; i++) {
		doc = cib_load("move-1-before");
		cib_add(doc, "//primitive[@id='vip1']", metas[i]);
		fails(doc, "fail-count-vip1#monitor_5000", counts[i]);
		assert_none(doc);
	}
	doc = cib_load("move-1-before");
	fails(doc, "fail-count-vip1#monitor_5000", "-3");
	fails(doc, "fail-count-vip2#monitor_5000", "INFINITY"); /* it is on another node */
	fails(doc, "fail-count-", "1");
	fails(doc, "fail-count-#", "2");
	fails(doc, "fail-count-nobody#start_0", "3");
	fails(doc, "last-failure-vip1#start_0", "4");
	assert_none(doc);
}

static void a_stop_that_has_begun_says_all(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");

	cib_op(doc, "1", "vip1", "stop", -1, 193);
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL, "under way: stop of vip1");

	doc = cib_load("move-1-before"); /* a member alone */
	cib_op(doc, "3", "vip3-6", "stop", -1, 193);
	assert_only(doc, BACKEND_INTENT_ADDR, VIP3_6, "n3", NULL, "under way: stop of vip3-6");

	doc = cib_load("move-1-before"); /* where it is not */
	cib_op(doc, "2", "vip1", "stop", -1, 193);
	assert_none(doc);
}

/* Whatever stands there, it is read, and what makes no sense says nothing. */
static void nonsense_is_passed_over(void **arg)
{
	xmlDoc *doc = with_app("<rsc_colocation id='x' score='INFINITY'/>");

	location(doc, WITH("vip1", "vip1", "INFINITY"));
	location(doc, WITH("nobody", "vip1", "INFINITY"));
	location(doc, WITH("vip1", "nobody", "INFINITY"));
	location(doc, "<rsc_colocation id='y' score='INFINITY'><resource_set id='s'/>"
		      "<resource_set id='s2'><resource_ref/><resource_ref id='nobody'/>"
		      "</resource_set></rsc_colocation>");
	location(doc, "<rsc_order id='z'/>");
	location(doc, "<rsc_location/>");
	location(doc, "<rsc_location id='cli-prefer-vip1' rsc='vip1'/>");
	location(doc, "<rsc_location id='a' rsc='vip1' score='-INFINITY'/>");
	location(doc, "<rsc_location id='b' rsc='vip1'><rule/></rsc_location>");
	location(doc, BAN("nobody", "n1"));
	cib_add(doc, "//resources", "<primitive/>");
	cib_add(doc, "//resources", "<group/>");
	cib_add(doc, "//resources", APP); /* twice */
	cib_add(doc, "//status", "<node_state/>");
	assert_none(doc);
}

/* In a circle everybody follows everybody. */
static void circles_end(void **arg)
{
	xmlDoc *doc = with_app(WITH("vip1", "app", "INFINITY"));
	struct intents *intents;

	location(doc, WITH("app", "vip2", "INFINITY"));
	location(doc, WITH("vip2", "group3", "INFINITY"));
	location(doc, WITH("vip3", "vip1", "INFINITY"));
	location(doc, BAN("vip1", "n1"));
	assert_only(doc, BACKEND_INTENT_GROUP, "vip1", "n1", NULL,
		    "location constraint cli-ban-vip1-on-n1");

	doc = with_app(WITH("vip1", "app", "INFINITY"));
	location(doc, WITH("app", "vip1", "INFINITY"));
	location(doc, WITH("group3", "app", "INFINITY"));
	cib_add(doc, "//primitive[@id='app']", META("target-role", "Stopped"));
	intents = intents_at(doc, NOW);
	assert_int_equal(intents->num, 2);
	assert_string_equal(intents->list[1].what, "group3");
	talloc_free(intents);
}

static void maintenance_moves_nothing(void **arg)
{
	xmlDoc *doc = cib_load("move-2-asked");

	cib_add(doc, "//cluster_property_set",
		"<nvpair id='mm' name='maintenance-mode' value='true'/>");
	assert_none(doc);

	doc = cib_load("move-2-asked");
	cib_add(doc, "//node[@uname='n1']",
		"<instance_attributes id='nodes-1'><nvpair id='nm' name='maintenance' value='on'/>"
		"</instance_attributes>");
	assert_none(doc);

	doc = cib_load("move-2-asked");
	cib_add(doc, "//primitive[@id='vip1']",
		"<meta_attributes id='m'><nvpair id='m1' name='is-managed' value='false'/>"
		"</meta_attributes>");
	assert_none(doc);
}

static void assert_managed(xmlDoc *doc, const char *node, bool draining, const char *ip,
			   bool pinned)
{
	struct placement *placement = NULL;
	struct relations *relations = NULL;
	const struct placement_local local = {.id = 1};
	const xmlNode *cib = xmlDocGetRootElement(doc);

	assert_int_equal(placement_build(NULL, cib, &local, &placement), 0);
	assert_int_equal(relations_load(placement, cib, &relations), 0);
	managed_apply(cib, relations, placement);
	assert_int_equal(cluster_state_node(placement->state, node)->draining, draining);
	assert_int_equal(addr_of(placement->state, ip)->pinned, pinned);
	talloc_free(placement);
	xmlFreeDoc(doc);
}

static void what_is_left_alone_is_pinned(void **arg)
{
	xmlDoc *doc = cib_load("standby");

	assert_managed(cib_load("standby"), "n2", true, VIP2, false);
	cib_add(doc, "//cluster_property_set",
		"<nvpair id='mm' name='maintenance-mode' value='true'/>");
	assert_managed(doc, "n2", false, VIP2, true);

	doc = cib_load("shutdown-1-asked");
	cib_add(doc, "//node_state[@id='2']/transient_attributes/instance_attributes",
		"<nvpair id='nm' name='maintenance' value='true'/>");
	assert_managed(doc, "n2", false, VIP2, true);

	doc = cib_load("move-1-before");
	cib_add(doc, "//group", META("is-managed", "false"));
	assert_managed(doc, "n3", false, VIP3_6, true);

	doc = cib_load("move-1-before");
	cib_add(doc, "//group", META("is-managed", "false"));
	cib_add(doc, "//primitive[@id='vip3']", META("is-managed", "true"));
	assert_managed(doc, "n3", false, VIP3, false);

	doc = cib_load("move-1-before");
	cib_add(doc, "//configuration",
		"<rsc_defaults>" META("maintenance", "true") "</rsc_defaults>");
	assert_managed(doc, "n1", false, VIP1, true);

	/* Nobody knows when this rule holds. */
	doc = cib_load("move-1-before");
	cib_add(doc, "//configuration",
		"<rsc_defaults><meta_attributes id='r'><rule id='rr' boolean-op='and'>"
		"<rsc_expression id='re' class='ocf'/></rule>"
		"<nvpair id='rn' name='maintenance' "
		"value='true'/></meta_attributes></rsc_defaults>");
	assert_managed(doc, "n1", false, VIP1, false);
}

static void new_ones_are_told_from_old_ones(void **arg)
{
	struct intents *before = intents_at(cib_load("move-1-before"), NOW);
	struct intents *asked = intents_at(cib_load("move-2-asked"), NOW);
	struct intents *later = intents_at(cib_load("move-3-stopping"), NOW);
	struct backend_intent other;

	assert_false(intents_has(NULL, &asked->list[0]));
	assert_false(intents_has(before, &asked->list[0]));
	assert_true(intents_has(later, &asked->list[0]));
	other = asked->list[0];
	other.to = NULL;
	assert_false(intents_has(later, &other));
	other = asked->list[0];
	other.from = "n3"; /* asked for again, elsewhere */
	assert_false(intents_has(later, &other));
	talloc_free(before);
	talloc_free(asked);
	talloc_free(later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_cluster),
		cmocka_unit_test(move),
		cmocka_unit_test(move_that_has_happened),
		cmocka_unit_test(move_to_a_node_that_cannot_host),
		cmocka_unit_test(ban_for_a_while),
		cmocka_unit_test(lifetime_in_local_time),
		cmocka_unit_test(ban_for_ever_and_of_another_node),
		cmocka_unit_test(member_moves_with_its_group),
		cmocka_unit_test(ordinary_constraints_are_no_intents),
		cmocka_unit_test(a_node_that_is_to_be_left_is_not_told_here),
		cmocka_unit_test(stopped_by_the_administrator),
		cmocka_unit_test(stopped_member_of_a_group),
		cmocka_unit_test(maintenance_moves_nothing),
		cmocka_unit_test(a_colocated_resource_takes_the_address_along),
		cmocka_unit_test(what_does_not_run_takes_nothing_along),
		cmocka_unit_test(colocation_is_followed_from_one_to_the_next),
		cmocka_unit_test(an_instance_of_a_clone_takes_its_address_along),
		cmocka_unit_test(an_address_of_a_unique_clone_leaves_its_node),
		cmocka_unit_test(an_address_follows_the_promoted_role),
		cmocka_unit_test(forbidden_where_it_is),
		cmocka_unit_test(a_stop_takes_along_what_depends_on_it),
		cmocka_unit_test(a_stopped_part_is_missed),
		cmocka_unit_test(stopped_by_default_or_by_its_template),
		cmocka_unit_test(everything_is_stopped),
		cmocka_unit_test(failures_reach_their_threshold),
		cmocka_unit_test(failures_that_count_for_nothing),
		cmocka_unit_test(a_stop_that_has_begun_says_all),
		cmocka_unit_test(nonsense_is_passed_over),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(what_is_left_alone_is_pinned),
		cmocka_unit_test(new_ones_are_told_from_old_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
