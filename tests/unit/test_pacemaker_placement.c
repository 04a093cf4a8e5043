/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pacemaker_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define OP(id)      "//node_state[@uname='n1']//lrm_rsc_op[@id='" id "']"
#define OP_N2(id)   "//node_state[@uname='n2']//lrm_rsc_op[@id='" id "']"
#define AVAILABLE   CLUSTER_ADDR_AVAILABLE
#define UNAVAILABLE CLUSTER_ADDR_UNAVAILABLE
#define UNKNOWN     CLUSTER_ADDR_UNKNOWN

static void healthy_cluster(void **arg)
{
	struct placement *p = placement_of(cib_load("move-1-before"));
	char *why = NULL;

	assert_true(p->state->quorate);
	assert_int_equal(p->state->num_nodes, 3);
	assert_int_equal(p->state->num_addrs, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_true(p->state->nodes[i].online);
		assert_false(p->state->nodes[i].draining);
		assert_int_equal(p->state->nodes[i].id, i + 1);
		assert_int_equal(p->nodes[i], PLACEMENT_NODE_USABLE);
	}
	assert_string_equal(cluster_state_local(p->state)->name, "n1");
	assert_addr(p->state, VIP1, AVAILABLE, "n1");
	assert_addr(p->state, VIP2, AVAILABLE, "n2");
	assert_addr(p->state, VIP3, AVAILABLE, "n3");
	assert_addr(p->state, VIP3_6, AVAILABLE, "n3");
	assert_string_equal(addr_of(p->state, VIP1)->group, "vip1");
	assert_string_equal(addr_of(p->state, VIP3)->group, "group3");
	assert_string_equal(addr_of(p->state, VIP3_6)->group, "group3");
	assert_int_equal(addr_of(p->state, VIP1)->kind, CLUSTER_ADDR_FLOATING);
	assert_int_equal(cluster_state_check(p, p->state, &why), 0);
	talloc_free(p);
}

static void local_node_by_name(void **arg)
{
	const struct placement_local local = {.name = "n3"};
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p = NULL;

	assert_int_equal(placement_build(NULL, xmlDocGetRootElement(doc), &local, &p), 0);
	assert_string_equal(cluster_state_local(p->state)->name, "n3");
	talloc_free(p);
	xmlFreeDoc(doc);
}

/* crm_resource --move vip1 n2: gone only when the stop is done, there only when the start is. */
static void move_step_by_step(void **arg)
{
	static const struct {
		const char *file;
		enum cluster_addr_state state;
		const char *node;
	} steps[] = {
		{"move-1-before", AVAILABLE, "n1"},     {"move-2-asked", AVAILABLE, "n1"},
		{"move-3-stopping", AVAILABLE, "n1"},   {"move-4-stopped", UNAVAILABLE, NULL},
		{"move-5-starting", UNAVAILABLE, NULL}, {"move-6-started", AVAILABLE, "n2"},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct placement *p = placement_of(cib_load(steps[i].file));

		assert_addr(p->state, VIP1, steps[i].state, steps[i].node);
		assert_addr(p->state, VIP2, AVAILABLE, "n2");
		talloc_free(p);
	}
}

static void the_document_is_left_as_it_was(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	const struct placement_local local = {.id = 1};
	struct placement *p = NULL;
	xmlChar *before, *after;
	int before_len, after_len;

	cib_edit(doc, "//node_state", "in_ccm", "1700000000");
	xmlDocDumpMemory(doc, &before, &before_len);
	assert_int_equal(placement_build(NULL, xmlDocGetRootElement(doc), &local, &p), 0);
	xmlDocDumpMemory(doc, &after, &after_len);
	assert_int_equal(before_len, after_len);
	assert_memory_equal(before, after, (size_t)before_len);
	xmlFree(before);
	xmlFree(after);
	xmlFreeDoc(doc);
	talloc_free(p);
}

static void not_a_cib(void **arg)
{
	const struct placement_local local = {.id = 1};
	struct placement *p = NULL;
	xmlDoc *doc = cib_parse("<notify/>");

	assert_int_equal(placement_build(NULL, xmlDocGetRootElement(doc), &local, &p), EPROTO);
	assert_null(p);
	xmlFreeDoc(doc);
}

static void without_dc_nothing_is_proven(void **arg)
{
	const struct placement_local local = {.id = 1};
	struct placement *p = NULL;
	xmlDoc *doc = cib_load("move-1-before");

	cib_edit(doc, "/cib", "dc-uuid", NULL);
	assert_int_equal(placement_build(NULL, xmlDocGetRootElement(doc), &local, &p), ESTALE);
	cib_edit(doc, "/cib", "dc-uuid", "");
	assert_int_equal(placement_build(NULL, xmlDocGetRootElement(doc), &local, &p), ESTALE);
	assert_null(p);
	xmlFreeDoc(doc);
}

static void empty_cib_has_nothing(void **arg)
{
	struct placement *p = placement_of(cib_parse("<cib dc-uuid='1'/>"));

	assert_false(p->state->quorate);
	assert_int_equal(p->state->num_nodes, 0);
	assert_int_equal(p->state->num_addrs, 0);
	talloc_free(p);
}

static void quorum_is_the_clusters(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_edit(doc, "/cib", "have-quorum", "0");
	p = placement_of(doc);
	assert_false(p->state->quorate);
	talloc_free(p);
}

static void failed_stop_is_unknown(void **arg)
{
	xmlDoc *doc = cib_load("move-4-stopped");
	struct placement *p;

	cib_edit(doc, OP("vip1_last_0"), "rc-code", "1");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, UNKNOWN, "n1");
	talloc_free(p);
}

static void timed_out_stop_is_unknown(void **arg)
{
	xmlDoc *doc = cib_load("move-4-stopped");
	struct placement *p;

	cib_edit(doc, OP("vip1_last_0"), "op-status", "2");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, UNKNOWN, "n1");
	talloc_free(p);
}

/* The monitor of before the stop stays on record: the call-ids order them. */
static void stale_monitor_is_overruled(void **arg)
{
	xmlDoc *doc = cib_load("move-4-stopped");
	struct placement *p;

	cib_edit(doc, OP("vip1_monitor_5000"), "rc-code", "0");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, UNAVAILABLE, NULL);
	talloc_free(p);
}

static void monitor_that_finds_nothing_is_a_loss(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_edit(doc, OP("vip1_monitor_5000"), "rc-code", "7");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, UNAVAILABLE, NULL);
	talloc_free(p);
}

static void failed_monitor_is_unknown(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_edit(doc, OP("vip1_monitor_5000"), "rc-code", "1");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, UNKNOWN, "n1");
	talloc_free(p);
}

static void cancelled_monitor_says_nothing(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_edit(doc, OP("vip1_monitor_5000"), "rc-code", "7");
	cib_edit(doc, OP("vip1_monitor_5000"), "op-status", "1");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, AVAILABLE, "n1");
	talloc_free(p);
}

static void failed_start_is_not_there(void **arg)
{
	xmlDoc *doc = cib_load("move-6-started");
	struct placement *p;

	/* The monitor that followed the start had not been, had it failed. */
	cib_edit(doc, OP_N2("vip1_last_0"), "rc-code", "1");
	cib_edit(doc, "//lrm_resource[@id='vip1']/lrm_rsc_op[@operation='monitor']", "op-status",
		 "1");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, UNAVAILABLE, NULL);
	talloc_free(p);
}

static void of_two_owners_the_newer_has_it(void **arg)
{
	xmlDoc *doc = cib_load("move-6-started");
	struct placement *p;

	cib_edit(doc, OP("vip1_last_0"), "operation", "start");
	cib_edit(doc, OP("vip1_last_0"), "last-rc-change", "1000");
	cib_edit(doc, OP_N2("vip1_last_0"), "last-rc-change", "2000");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, AVAILABLE, "n2");
	talloc_free(p);

	doc = cib_load("move-6-started"); /* corosync died on n1, and back again it still has it */
	cib_edit(doc, OP("vip1_last_0"), "operation", "monitor");
	cib_edit(doc, OP("vip1_last_0"), "last-rc-change", "9999999999");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, AVAILABLE, "n2");
	talloc_free(p);

	doc = cib_load("move-6-started");
	cib_edit(doc, OP("vip1_last_0"), "operation", "start");
	cib_edit(doc, OP("vip1_last_0"), "last-rc-change", "2000");
	cib_edit(doc, OP_N2("vip1_last_0"), "last-rc-change", "2000");
	p = placement_of(doc);
	assert_int_equal(addr_of(p->state, VIP1)->state, UNKNOWN);
	talloc_free(p);
}

/* Since 2.1.7 the DC writes times; a library that is older would take every node for dead. */
static void membership_as_times(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_edit(doc, "//node_state", "in_ccm", "1763738000");
	cib_edit(doc, "//node_state", "crmd", "1763738001");
	cib_edit(doc, "//node_state[@uname='n2']", "in_ccm", "0");
	cib_edit(doc, "//node_state[@uname='n2']", "crmd", "0");
	p = placement_of(doc);
	assert_true(cluster_state_node(p->state, "n1")->online);
	assert_false(cluster_state_node(p->state, "n2")->online);
	assert_int_equal(placement_node(p, "n2"), PLACEMENT_NODE_LOST);
	assert_addr(p->state, VIP1, AVAILABLE, "n1");
	assert_addr(p->state, VIP2, UNAVAILABLE, NULL);
	talloc_free(p);
}

static void node_that_left_has_nothing(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_edit(doc, "//node_state[@uname='n2']", "in_ccm", "false");
	cib_edit(doc, "//node_state[@uname='n2']", "crmd", "offline");
	p = placement_of(doc);
	assert_false(cluster_state_node(p->state, "n2")->online);
	assert_addr(p->state, VIP2, UNAVAILABLE, NULL);
	assert_int_equal(placement_node(p, "n2"), PLACEMENT_NODE_LOST);
	talloc_free(p);
}

static void unclean_node_has_nothing(void **arg)
{
	xmlDoc *doc = cib_load("rejoin-1-controller-gone");
	struct placement *p;

	cib_edit(doc, "//nvpair[@name='stonith-enabled']", "value", "true");
	p = placement_of(doc);
	assert_false(cluster_state_node(p->state, "n2")->online);
	assert_int_equal(placement_node(p, "n2"), PLACEMENT_NODE_CONDEMNED);
	assert_addr(p->state, VIP2, UNAVAILABLE, NULL);
	talloc_free(p);
}

static void member_without_pacemaker_is_absent(void **arg)
{
	struct placement *p = placement_of(cib_load("rejoin-1-controller-gone"));
	struct ipaddr ip;

	assert_int_equal(placement_node(p, "n2"), PLACEMENT_NODE_ABSENT);
	assert_int_equal(ipaddr_parse(VIP2, &ip), 0);
	assert_int_equal(placement_fact(p, &ip, "n2"), HISTORY_RUNNING);
	assert_int_equal(placement_fact(p, &ip, "n1"), HISTORY_STOPPED);
	assert_int_equal(placement_fact(p, &ip, "elsewhere"), HISTORY_NONE);
	assert_int_equal(placement_node(p, "elsewhere"), PLACEMENT_NODE_LOST);
	talloc_free(p);
}

static void orderly_stop_drains_then_leaves(void **arg)
{
	struct placement *p = placement_of(cib_load("shutdown-1-asked"));

	assert_true(cluster_state_node(p->state, "n2")->online);
	assert_true(cluster_state_node(p->state, "n2")->draining);
	assert_addr(p->state, VIP2, AVAILABLE, "n2");
	talloc_free(p);

	p = placement_of(cib_load("shutdown-2-down"));
	assert_false(cluster_state_node(p->state, "n2")->online);
	assert_int_equal(placement_node(p, "n2"), PLACEMENT_NODE_LEFT);
	assert_addr(p->state, VIP2, UNAVAILABLE, NULL);
	talloc_free(p);
}

static void standby_drains(void **arg)
{
	struct placement *p = placement_of(cib_load("standby"));
	xmlDoc *doc;

	assert_true(cluster_state_node(p->state, "n2")->draining);
	assert_true(cluster_state_node(p->state, "n2")->online);
	assert_false(cluster_state_node(p->state, "n1")->draining);
	assert_addr(p->state, VIP2, AVAILABLE, "n2");
	talloc_free(p);

	doc = cib_load("move-1-before"); /* until the next boot */
	cib_add(doc, "//node_state[@uname='n3']/transient_attributes/instance_attributes",
		"<nvpair id='s3' name='standby' value='on'/>");
	p = placement_of(doc);
	assert_true(cluster_state_node(p->state, "n3")->draining);
	talloc_free(p);
}

static void maintenance_changes_nothing(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_add(doc, "//cluster_property_set",
		"<nvpair id='mm' name='maintenance-mode' value='true'/>");
	p = placement_of(doc);
	assert_true(cluster_state_node(p->state, "n1")->online);
	assert_addr(p->state, VIP1, AVAILABLE, "n1");
	assert_addr(p->state, VIP3, AVAILABLE, "n3");
	talloc_free(p);
}

static void history_missing(void **arg)
{
	struct placement *p = placement_of(cib_load("rejoin-3-history-gone"));
	struct ipaddr ip;

	assert_addr(p->state, VIP2, UNAVAILABLE, NULL);
	assert_int_equal(ipaddr_parse(VIP2, &ip), 0);
	assert_int_equal(placement_fact(p, &ip, "n2"), HISTORY_NONE);
	assert_int_equal(placement_node(p, "n2"), PLACEMENT_NODE_USABLE);
	talloc_free(p);

	p = placement_of(cib_load("rejoin-4-probing"));
	assert_int_equal(placement_fact(p, &ip, "n2"), HISTORY_PROBING);
	talloc_free(p);

	p = placement_of(cib_load("rejoin-5-found"));
	assert_addr(p->state, VIP2, AVAILABLE, "n2");
	talloc_free(p);
}

/* Templates, references, rules, clones: compared with `crm_mon -1 -r` and `ip addr` of the cluster. */
static void everything_the_configuration_can_do(void **arg)
{
	static const struct {
		const char *ip, *group;
		enum cluster_addr_state state;
		const char *node;
	} expected[] = {
		{"10.77.0.201", "from-template", AVAILABLE, "n1"},
		{"10.77.0.200", "template-default", AVAILABLE, "n2"},
		{"10.77.0.202", "by-reference", AVAILABLE, "n3"},
		{"10.77.0.203", "by-rule", AVAILABLE, "n1"},
		{"10.77.0.204", "by-rule", UNAVAILABLE, NULL},
		{"10.77.0.210", "unique-clone", AVAILABLE, "n2"},
		{"10.77.0.211", "unique-clone", AVAILABLE, "n3"},
		{"10.77.0.215", "single-clone", AVAILABLE, "n1"},
		{"10.77.0.220", "db-vip", AVAILABLE, "n1"},
		{"10.77.0.230", "stopped", UNAVAILABLE, NULL},
		{"10.77.0.240", "shared-clone", UNKNOWN, NULL},
	};
	struct placement *p = placement_of(cib_load("rich"));
	size_t num = sizeof(expected) / sizeof(expected[0]);

	assert_int_equal(p->state->num_addrs, num);
	for (size_t i = 0; i < num; i++) {
		assert_addr(p->state, expected[i].ip, expected[i].state, expected[i].node);
		assert_string_equal(addr_of(p->state, expected[i].ip)->group, expected[i].group);
	}
	talloc_free(p);
}

/* A cluster IP is up on every node at once: no failover to tell of, whatever happens. */
static void shared_address_stays_unknown(void **arg)
{
	xmlDoc *doc = cib_load("rich");
	struct placement *p;

	cib_edit(doc, "//node_state//lrm_resource[starts-with(@id,'shared')]/lrm_rsc_op",
		 "operation", "start");
	cib_edit(doc, "//node_state//lrm_resource[starts-with(@id,'shared')]/lrm_rsc_op", "rc-code",
		 "0");
	p = placement_of(doc);
	assert_addr(p->state, "10.77.0.240", UNKNOWN, NULL);
	talloc_free(p);
}

static void rule_gives_each_node_its_address(void **arg)
{
	xmlDoc *doc = cib_load("rich");
	struct placement *p;

	cib_edit(doc, OP("by-rule_last_0"), "operation", "stop");
	cib_edit(doc, OP_N2("by-rule_last_0"), "operation", "start");
	cib_edit(doc, OP_N2("by-rule_last_0"), "rc-code", "0");
	p = placement_of(doc);
	assert_addr(p->state, "10.77.0.203", UNAVAILABLE, NULL);
	assert_addr(p->state, "10.77.0.204", AVAILABLE, "n2");
	talloc_free(p);
}

static void other_agents_and_prefixes(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_edit(doc, "//primitive[@id='vip1']", "type", "gcp-vpc-move-vip");
	cib_edit(doc, "//nvpair[@id='vip1-ip']", "name", "alias_ip");
	cib_edit(doc, "//nvpair[@id='vip1-ip']", "value", "10.77.0.101/32");
	cib_edit(doc, "//primitive[@id='vip2']", "type", "IPsrcaddr");
	cib_edit(doc, "//nvpair[@id='vip3-ip']", "value", "not an address");
	p = placement_of(doc);
	assert_int_equal(p->state->num_addrs, 2);
	assert_addr(p->state, VIP1, AVAILABLE, "n1");
	assert_addr(p->state, VIP3_6, AVAILABLE, "n3");
	talloc_free(p);
}

static void two_resources_with_one_address(void **arg)
{
	xmlDoc *doc = cib_load("move-4-stopped");
	struct placement *p;

	cib_edit(doc, "//nvpair[@id='vip2-ip']", "value", VIP1);
	p = placement_of(doc);
	assert_int_equal(p->state->num_addrs, 3);
	assert_addr(p->state, VIP1, AVAILABLE, "n2");
	talloc_free(p);
}

static void bundle_addresses(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;

	cib_add(doc, "//resources",
		"<bundle id='web'><podman image='web:1' replicas='2'/>"
		"<network ip-range-start='192.0.2.254' host-interface='eth0'/></bundle>");
	cib_add(doc, "//node_state[@uname='n2']/lrm/lrm_resources",
		"<lrm_resource id='web-ip-192.0.2.254' class='ocf' provider='heartbeat'"
		" type='IPaddr2'><lrm_rsc_op id='web-ip-192.0.2.254_last_0' operation='start'"
		" operation_key='web-ip-192.0.2.254_start_0' call-id='90' rc-code='0'"
		" op-status='0' interval='0' on_node='n2'"
		" transition-key='1:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'"
		" transition-magic='0:0;1:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'/>"
		"</lrm_resource>");
	p = placement_of(doc);
	assert_addr(p->state, "192.0.2.254", AVAILABLE, "n2");
	assert_addr(p->state, "192.0.3.1", UNAVAILABLE, NULL);
	assert_string_equal(addr_of(p->state, "192.0.3.1")->group, "web");
	talloc_free(p);
}

static void remote_node(void **arg)
{
	xmlDoc *doc = cib_load("move-4-stopped");
	const struct cluster_node *node;
	struct placement *p;

	cib_add(doc, "//nodes", "<node id='r1' uname='r1' type='remote'/>");
	cib_add(doc, "//resources",
		"<primitive id='r1' class='ocf' provider='pacemaker' type='remote'>"
		"<instance_attributes id='r1-ia'><nvpair id='r1-s' name='server'"
		" value='10.77.0.50'/></instance_attributes></primitive>");
	cib_add(doc, "//node_state[@uname='n3']/lrm/lrm_resources",
		"<lrm_resource id='r1' class='ocf' provider='pacemaker' type='remote'>"
		"<lrm_rsc_op id='r1_last_0' operation='start' operation_key='r1_start_0'"
		" call-id='1' rc-code='0' op-status='0' interval='0' on_node='n3'"
		" transition-key='1:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'"
		" transition-magic='0:0;1:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'/>"
		"</lrm_resource>");
	cib_add(doc, "//status",
		"<node_state remote_node='true' id='r1' uname='r1' in_ccm='true'>"
		"<lrm id='r1'><lrm_resources><lrm_resource id='vip1' class='ocf'"
		" provider='heartbeat' type='IPaddr2'><lrm_rsc_op id='vip1_last_0'"
		" operation='start' operation_key='vip1_start_0' call-id='7' rc-code='0'"
		" op-status='0' interval='0' on_node='r1'"
		" transition-key='2:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'"
		" transition-magic='0:0;2:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'/>"
		"</lrm_resource></lrm_resources></lrm></node_state>");
	p = placement_of(doc);
	node = cluster_state_node(p->state, "r1");
	assert_non_null(node);
	assert_int_equal(node->id, 0);
	assert_true(node->online);
	assert_addr(p->state, VIP1, AVAILABLE, "r1");
	talloc_free(p);
}

static void dead_node_is_dropped_before_the_cib_says_so(void **arg)
{
	struct placement *p = placement_of(cib_load("move-1-before"));

	placement_drop_node(p, 2);
	assert_string_equal(p->state->nodes[2].name, "n3");
	assert_false(p->state->nodes[2].online);
	assert_addr(p->state, VIP3, UNAVAILABLE, NULL);
	assert_addr(p->state, VIP3_6, UNAVAILABLE, NULL);
	assert_addr(p->state, VIP1, AVAILABLE, "n1");
	assert_int_equal(placement_node(p, "n3"), PLACEMENT_NODE_LOST);
	talloc_free(p);
}

static void stop_is_applied_before_the_cib_says_so(void **arg)
{
	struct placement *p = placement_of(cib_load("move-3-stopping"));
	struct ipaddr ip;
	xmlDoc *doc;

	assert_false(placement_stopped(p, "vip1", "n2")); /* not there */
	assert_false(placement_stopped(p, "other", "n1"));
	assert_false(placement_stopped(p, "vip1", "elsewhere"));
	assert_addr(p->state, VIP1, AVAILABLE, "n1");
	assert_true(placement_stopped(p, "vip1", "n1"));
	assert_addr(p->state, VIP1, UNAVAILABLE, NULL);
	assert_addr(p->state, VIP2, AVAILABLE, "n2");
	assert_int_equal(ipaddr_parse(VIP1, &ip), 0);
	assert_int_equal(placement_fact(p, &ip, "n1"), HISTORY_STOPPED);
	assert_false(placement_stopped(p, "vip1", "n1")); /* once */
	talloc_free(p);

	/* With another copy on record the next CIB has to decide. */
	doc = cib_load("move-6-started");
	cib_edit(doc, OP("vip1_last_0"), "operation", "start");
	cib_edit(doc, OP("vip1_last_0"), "last-rc-change", "1000");
	p = placement_of(doc);
	assert_addr(p->state, VIP1, AVAILABLE, "n2");
	assert_false(placement_stopped(p, "vip1", "n2"));
	assert_addr(p->state, VIP1, AVAILABLE, "n2");
	talloc_free(p);
}

static void a_thousand_addresses(void **arg)
{
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *p;
	struct timespec began, ended;
	double ms;

	for (unsigned int i = 0; i < 1000; i++) {
		char text[1024];

		snprintf(text, sizeof(text),
			 "<primitive id='many%u' class='ocf' provider='heartbeat' type='IPaddr2'>"
			 "<instance_attributes id='many%u-ia'><nvpair id='many%u-ip' name='ip'"
			 " value='10.80.%u.%u'/></instance_attributes></primitive>",
			 i, i, i, i / 250, i % 250 + 1);
		cib_add(doc, "//resources", text);
		snprintf(
			text, sizeof(text),
			"<lrm_resource id='many%u' class='ocf' provider='heartbeat' type='IPaddr2'>"
			"<lrm_rsc_op id='many%u_last_0' operation='start'"
			" operation_key='many%u_start_0' call-id='%u' rc-code='0' op-status='0'"
			" interval='0' on_node='n2'"
			" transition-key='1:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'"
			" transition-magic='0:0;1:1:0:9d3b6e6c-3d2f-4a5b-8a53-1f40f6a32e3b'/>"
			"</lrm_resource>",
			i, i, i, 100 + i);
		cib_add(doc, "//node_state[@uname='n2']/lrm/lrm_resources", text);
	}
	clock_gettime(CLOCK_MONOTONIC, &began);
	p = placement_of(doc);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	ms = (double)(ended.tv_sec - began.tv_sec) * 1e3 +
	     (double)(ended.tv_nsec - began.tv_nsec) / 1e6;
	print_message("1004 addresses judged in %.1f ms\n", ms);
	assert_true(ms < 5000); /* quadratic in anything would not make it under valgrind or ASan */
	assert_int_equal(p->state->num_addrs, 1004);
	assert_addr(p->state, "10.80.3.250", AVAILABLE, "n2");
	talloc_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_cluster),
		cmocka_unit_test(local_node_by_name),
		cmocka_unit_test(move_step_by_step),
		cmocka_unit_test(the_document_is_left_as_it_was),
		cmocka_unit_test(not_a_cib),
		cmocka_unit_test(without_dc_nothing_is_proven),
		cmocka_unit_test(empty_cib_has_nothing),
		cmocka_unit_test(quorum_is_the_clusters),
		cmocka_unit_test(failed_stop_is_unknown),
		cmocka_unit_test(timed_out_stop_is_unknown),
		cmocka_unit_test(stale_monitor_is_overruled),
		cmocka_unit_test(monitor_that_finds_nothing_is_a_loss),
		cmocka_unit_test(failed_monitor_is_unknown),
		cmocka_unit_test(cancelled_monitor_says_nothing),
		cmocka_unit_test(failed_start_is_not_there),
		cmocka_unit_test(of_two_owners_the_newer_has_it),
		cmocka_unit_test(membership_as_times),
		cmocka_unit_test(node_that_left_has_nothing),
		cmocka_unit_test(unclean_node_has_nothing),
		cmocka_unit_test(member_without_pacemaker_is_absent),
		cmocka_unit_test(orderly_stop_drains_then_leaves),
		cmocka_unit_test(standby_drains),
		cmocka_unit_test(maintenance_changes_nothing),
		cmocka_unit_test(history_missing),
		cmocka_unit_test(everything_the_configuration_can_do),
		cmocka_unit_test(shared_address_stays_unknown),
		cmocka_unit_test(rule_gives_each_node_its_address),
		cmocka_unit_test(other_agents_and_prefixes),
		cmocka_unit_test(two_resources_with_one_address),
		cmocka_unit_test(bundle_addresses),
		cmocka_unit_test(remote_node),
		cmocka_unit_test(dead_node_is_dropped_before_the_cib_says_so),
		cmocka_unit_test(stop_is_applied_before_the_cib_says_so),
		cmocka_unit_test(a_thousand_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
