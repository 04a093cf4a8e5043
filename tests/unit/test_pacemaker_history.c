/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pacemaker_fixture.h"

#include <errno.h>

#include "backends/pacemaker/agents.h"
#include "backends/pacemaker/diff.h"
#include "backends/pacemaker/history.h"
#include "backends/pacemaker/xml.h"

#define PENDING " call-id='-1' op-status='-1' rc-code='193'"
#define DONE(id, rc)                                                                               \
	" call-id='" id "' op-status='0' rc-code='" rc "' interval='0' last-rc-change='1" id "'"
#define EVERY(id, rc) " call-id='" id "' op-status='0' rc-code='" rc "' interval='5000'"

static enum history_fact fact_of(const char *ops)
{
	char text[2048];
	struct history history;
	xmlDoc *doc;

	snprintf(text, sizeof(text), "<lrm_resource id='vip'>%s</lrm_resource>", ops);
	doc = cib_parse(text);
	history = history_read(xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
	return history.fact;
}

static void facts(void **arg)
{
	static const struct {
		enum history_fact fact;
		const char *ops;
	} cases[] = {
		{HISTORY_NONE, ""},
		{HISTORY_PROBING, "<lrm_rsc_op operation='monitor' interval='0'" PENDING "/>"},
		{HISTORY_STOPPED, "<lrm_rsc_op operation='monitor'" DONE("5", "7") "/>"},
		{HISTORY_RUNNING, "<lrm_rsc_op operation='monitor'" DONE("5", "0") "/>"},
		{HISTORY_RUNNING, "<lrm_rsc_op operation='monitor'" DONE("5", "8") "/>"},
		{HISTORY_RUNNING, "<lrm_rsc_op operation='monitor'" EVERY("5", "190") "/>"},
		{HISTORY_STOPPED, "<lrm_rsc_op operation='monitor'" DONE("5", "5") "/>"},
		{HISTORY_DOUBTFUL, "<lrm_rsc_op operation='monitor'" EVERY("5", "5") "/>"},
		{HISTORY_DOUBTFUL, "<lrm_rsc_op operation='monitor'" DONE("5", "1") "/>"},
		{HISTORY_STARTING, "<lrm_rsc_op operation='start'" PENDING "/>"
				   "<lrm_rsc_op operation='monitor'" DONE("5", "7") "/>"},
		{HISTORY_RUNNING, "<lrm_rsc_op operation='start'" DONE("6", "0") "/>"},
		{HISTORY_FAILED, "<lrm_rsc_op operation='start'" DONE("6", "1") "/>"},
		{HISTORY_FAILED,
		 "<lrm_rsc_op operation='start' call-id='6' op-status='2' rc-code='0'/>"},
		/* the order in the file means nothing, the call-id does */
		{HISTORY_STOPPED,
		 "<lrm_rsc_op operation='stop'" DONE(
			 "9", "0") "/>"
				   "<lrm_rsc_op operation='monitor'" EVERY("7", "0") "/>"},
		{HISTORY_RUNNING,
		 "<lrm_rsc_op operation='monitor'" EVERY(
			 "12", "0") "/>"
				    "<lrm_rsc_op operation='stop'" DONE("9", "0") "/>"},
		{HISTORY_STOPPING, "<lrm_rsc_op operation='stop'" PENDING "/>"
				   "<lrm_rsc_op operation='monitor'" EVERY("7", "0") "/>"},
		/* stopping what had failed to start: it was not there before */
		{HISTORY_FAILED, "<lrm_rsc_op operation='stop'" PENDING "/>"
				 "<lrm_rsc_op operation='start'" DONE("7", "1") "/>"},
		{HISTORY_DOUBTFUL, "<lrm_rsc_op operation='stop'" DONE("9", "1") "/>"},
		{HISTORY_DOUBTFUL,
		 "<lrm_rsc_op operation='stop' call-id='9' op-status='2' rc-code='0'/>"},
		/* a cancelled monitor, a pending recurring one, a notification: nothing new */
		{HISTORY_RUNNING,
		 "<lrm_rsc_op operation='start'" DONE(
			 "6", "0") "/><lrm_rsc_op operation='monitor'"
				   " interval='5000' call-id='8' op-status='1' rc-code='7'/>"},
		{HISTORY_RUNNING,
		 "<lrm_rsc_op operation='start'" DONE(
			 "6", "0") "/>"
				   "<lrm_rsc_op operation='monitor' interval='5000'" PENDING "/>"},
		{HISTORY_RUNNING,
		 "<lrm_rsc_op operation='start'" DONE(
			 "6", "0") "/>"
				   "<lrm_rsc_op operation='notify'" DONE("8", "1") "/>"},
		{HISTORY_RUNNING, "<lrm_rsc_op operation='promote'" DONE("8", "0") "/>"},
		{HISTORY_DOUBTFUL, "<lrm_rsc_op operation='demote'" DONE("8", "1") "/>"},
		{HISTORY_DOUBTFUL, "<lrm_rsc_op operation='migrate_to'" DONE("8", "0") "/>"},
		{HISTORY_RUNNING, "<lrm_rsc_op operation='migrate_from'" DONE("8", "0") "/>"},
		{HISTORY_STARTING, "<lrm_rsc_op operation='migrate_from'" PENDING "/>"},
		/* incomplete or malformed entries prove nothing */
		{HISTORY_NONE, "<lrm_rsc_op operation='start'/>"},
		{HISTORY_NONE, "<lrm_rsc_op operation='start' call-id='x' op-status='0'"
			       " rc-code='0'/>"},
		{HISTORY_NONE, "<lrm_rsc_op operation='start' call-id='99999999999999999999'"
			       " op-status='0' rc-code='0'/>"},
		{HISTORY_NONE, "<lrm_rsc_op call-id='6' op-status='0' rc-code='0'/>"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(fact_of(cases[i].ops), cases[i].fact);
	}
}

static int64_t started(const char *text)
{
	xmlDoc *doc = cib_parse(text);
	struct history history = history_read(xmlDocGetRootElement(doc));

	xmlFreeDoc(doc);
	return history.started;
}

static void when_it_was_started(void **arg)
{
	assert_int_equal(
		started("<lrm_resource><lrm_rsc_op operation='monitor'" DONE(
			"8", "0") "/><lrm_rsc_op operation='start'" DONE("6",
									 "0") "/></lrm_resource>"),
		16);
	/* found by a probe: who knows since when */
	assert_int_equal(started("<lrm_resource><lrm_rsc_op operation='monitor'" DONE(
				 "8", "0") "/></lrm_resource>"),
			 0);
	assert_int_equal(started("<lrm_resource><lrm_rsc_op operation='start'" DONE(
				 "8", "1") "/></lrm_resource>"),
			 0);
}

static void address_texts(void **arg)
{
	static const struct {
		const char *text, *parsed;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1/24", "192.0.2.1"},
		{"2001:db8::1/64", "2001:db8::1"},
		{"", NULL},
		{"/24", NULL},
		{"host", NULL},
		{"fe80::1%eth0", NULL},
		{"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0001:2:3", NULL},
	};
	struct ipaddr ip, untouched = {.family = 99};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[IPADDR_STRLEN];

		ip = untouched;
		if (cases[i].parsed == NULL) {
			assert_int_equal(address_parse(cases[i].text, &ip), EINVAL);
			assert_true(ipaddr_equal(&ip, &untouched));
			continue;
		}
		assert_int_equal(address_parse(cases[i].text, &ip), 0);
		assert_string_equal(ipaddr_format(&ip, text), cases[i].parsed);
	}
}

static void instances_count_up_to_the_octets_end(void **arg)
{
	struct ipaddr ip;
	char text[IPADDR_STRLEN];

	assert_int_equal(address_parse("192.0.2.250", &ip), 0);
	assert_true(address_add(&ip, 5));
	assert_string_equal(ipaddr_format(&ip, text), "192.0.2.255");
	assert_false(address_add(&ip, 1));
	assert_false(address_add(&ip, 4294967295U));
	assert_string_equal(ipaddr_format(&ip, text), "192.0.2.255");
}

static void which_agents_own_addresses(void **arg)
{
	static const char *const owners[][2] = {
		{"IPaddr2", "ip"},
		{"IPaddr", "ip"},
		{"IPv6addr", "ipv6addr"},
		{"VIPArip", "ip"},
		{"aws-vpc-move-ip", "ip"},
		{"awsvip", "secondary_private_ip"},
		{"gcp-vpc-move-vip", "alias_ip"},
		{"aliyun-vpc-move-ip", "address"},
		{"openstack-virtual-ip", "ip"},
	};
	static const char *const others[] = {
		"IPsrcaddr",
		"azure-lb",
		"gcp-ilb",
		"SendArp",
		"portblock",
		"Route",
		"openstack-floating-ip",
		"ipaddr2",
	};

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		const struct address_agent *agent = address_agent_find("ocf", owners[i][0]);

		assert_non_null(agent);
		assert_string_equal(agent->param, owners[i][1]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_null(address_agent_find("ocf", others[i]));
	}
	assert_null(address_agent_find("systemd", "IPaddr2"));
	assert_null(address_agent_find(NULL, "IPaddr2"));
	assert_null(address_agent_find("ocf", NULL));
}

static void ids_are_found_at_any_depth(void **arg)
{
	xmlDoc *doc = cib_parse("<a><b><c id='1'/></b><c id='2'><c id='3'/></c><d/></a>");
	const xmlNode *root = xmlDocGetRootElement(doc);

	assert_non_null(xml_find_id(root, "c", "1"));
	assert_non_null(xml_find_id(root, "c", "2"));
	assert_non_null(xml_find_id(root, "c", "3"));
	assert_null(xml_find_id(root, "b", "1"));
	assert_null(xml_find_id(root, "c", "4"));
	/* Never beyond the element that was asked about. */
	assert_null(xml_find_id(xml_first(root, "b"), "c", "2"));
	assert_null(xml_find_id(xml_first(root, "d"), "c", "1"));
	assert_null(xml_find_id(NULL, "c", "1"));
	xmlFreeDoc(doc);
}

struct stops {
	unsigned int num;
	char text[512];
};

static void note_stop(void *private_data, const char *rsc, const char *node)
{
	struct stops *stops = private_data;
	size_t len = strlen(stops->text);

	stops->num++;
	snprintf(stops->text + len, sizeof(stops->text) - len, "%s@%s ", rsc, node);
}

static struct stops stops_of(const char *changes)
{
	struct stops stops = {0};
	char text[4096];
	xmlDoc *doc;

	snprintf(text, sizeof(text),
		 "<notify cib_rc='0'><cib_update_result><diff format='2'><version/>"
		 "<change operation='modify' path='/cib'/>%s</diff></cib_update_result></notify>",
		 changes);
	doc = cib_parse(text);
	diff_each_stop(xmlDocGetRootElement(doc), note_stop, &stops);
	xmlFreeDoc(doc);
	return stops;
}

#define PATH                                                                                       \
	" path=\"/cib/status/node_state[@id='2']/lrm[@id='2']/lrm_resources"                       \
	"/lrm_resource[@id='vip1']/lrm_rsc_op[@id='vip1_last_0']\""
#define STOP "<lrm_rsc_op operation='stop' on_node='n2' call-id='55' rc-code='0' op-status='0'/>"
#define MODIFY(path, op)                                                                           \
	"<change operation='modify'" path "><change-list/><change-result>" op                      \
	"</change-result></change>"

static void stops_in_a_diff(void **arg)
{
	struct stops stops = stops_of(MODIFY(PATH, STOP));

	assert_int_equal(stops.num, 1);
	assert_string_equal(stops.text, "vip1@n2 ");
	stops = stops_of("<change operation='create' path=\"/cib/status/node_state[@id='3']"
			 "/lrm[@id='3']/lrm_resources/lrm_resource[@id='vip:1']\">" STOP
			 "</change>" MODIFY(PATH, STOP));
	assert_int_equal(stops.num, 2);
	assert_string_equal(stops.text, "vip:1@n2 vip1@n2 ");
}

static void what_is_no_stop_in_a_diff(void **arg)
{
	static const char *const changes[] = {
		"",
		MODIFY(PATH, "<lrm_rsc_op operation='stop' on_node='n2' call-id='-1' rc-code='193'"
			     " op-status='-1'/>"),
		MODIFY(PATH, "<lrm_rsc_op operation='stop' on_node='n2' call-id='5' rc-code='1'"
			     " op-status='0'/>"),
		MODIFY(PATH, "<lrm_rsc_op operation='stop' on_node='n2' call-id='5' rc-code='0'"
			     " op-status='2'/>"),
		MODIFY(PATH, "<lrm_rsc_op operation='start' on_node='n2' call-id='5' rc-code='0'"
			     " op-status='0'/>"),
		MODIFY(PATH, "<lrm_rsc_op operation='stop' call-id='5' rc-code='0'"
			     " op-status='0'/>"),
		MODIFY("", STOP),
		MODIFY(" path=\"/lrm_resource[@id='\"", STOP),
		MODIFY(" path=\"/lrm_resource[@id='']\"", STOP),
		MODIFY(" path=\"/lrm_resource[@id='vip1\"", STOP),
		"<change operation='delete'" PATH "/>",
		"<change operation='move'" PATH " position='1'/>",
		/* a node rejoins: its history is written anew */
		"<change operation='create' path=\"/cib/status/node_state[@id='2']\"><lrm id='2'>"
		"<lrm_resources><lrm_resource id='vip1'>" STOP
		"</lrm_resource></lrm_resources></lrm></change>",
		"<change operation='create' path=\"/cib/status/node_state[@id='2']/lrm[@id='2']"
		"/lrm_resources\"><lrm_resource id='vip1'>" STOP "</lrm_resource></change>",
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		assert_int_equal(stops_of(changes[i]).num, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts),
		cmocka_unit_test(when_it_was_started),
		cmocka_unit_test(address_texts),
		cmocka_unit_test(instances_count_up_to_the_octets_end),
		cmocka_unit_test(which_agents_own_addresses),
		cmocka_unit_test(ids_are_found_at_any_depth),
		cmocka_unit_test(stops_in_a_diff),
		cmocka_unit_test(what_is_no_stop_in_a_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
