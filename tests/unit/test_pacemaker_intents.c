/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pacemaker_fixture.h"

#include <time.h>

#include "backends/pacemaker/intents.h"

#define NOW 1795273900 /* 2026-11-21 15:11:40Z; the recorded ban ends at 15:16:16Z */

static struct intents *intents_at(xmlDoc *doc, time_t now)
{
	const struct placement_local local = {.id = 1};
	struct placement *placement = NULL;
	struct intents *intents = NULL;
	const xmlNode *cib = xmlDocGetRootElement(doc);

	assert_int_equal(placement_build(NULL, cib, &local, &placement), 0);
	assert_int_equal(intents_read(NULL, cib, placement->state, now, &intents), 0);
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
	assert_only(doc, BACKEND_INTENT_NODE, "n2", "n2", NULL, "standby of node n2");
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

static void node_standby_and_shutdown(void **arg)
{
	assert_only(cib_load("standby"), BACKEND_INTENT_NODE, "n2", "n2", NULL,
		    "standby of node n2");
	assert_only(cib_load("shutdown-1-asked"), BACKEND_INTENT_NODE, "n2", "n2", NULL,
		    "shutdown of node n2");
	assert_none(cib_load("shutdown-2-down"));
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
		cmocka_unit_test(node_standby_and_shutdown),
		cmocka_unit_test(stopped_by_the_administrator),
		cmocka_unit_test(stopped_member_of_a_group),
		cmocka_unit_test(maintenance_moves_nothing),
		cmocka_unit_test(new_ones_are_told_from_old_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
