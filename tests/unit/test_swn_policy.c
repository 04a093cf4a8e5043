/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is told what: every event against every way of finding registrations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/cluster_fixture.h"
#include "witnessd/cluster/policy.h"

#define NUM_EVENTS  (CLUSTER_STALE + 1)
#define NUM_INDEXES (POLICY_BY_IP_CHANGE + 1)

/*
 * n1 (local) has .1 and .4, n2 has .2, n3 has .3 and fd00::3, n4 drains and has .5; .6 is nowhere; .9 is a
 * fixed address of n2.
 */
static int setup(void **state)
{
	struct cluster_state *cluster = fix_state(NULL);

	fix_node(cluster, "n4", "od");
	fix_up(cluster, "10.0.0.1", "n1");
	fix_up(cluster, "10.0.0.2", "n2");
	fix_up(cluster, "10.0.0.3", "n3");
	fix_up(cluster, "fd00::3", "n3");
	fix_up(cluster, "10.0.0.4", "n1");
	fix_up(cluster, "10.0.0.5", "n4");
	fix_down(cluster, "10.0.0.6");
	fix_up(cluster, "10.0.0.9", "n2");
	cluster->addrs[0].group = "g1";
	cluster->addrs[1].group = "g2";
	cluster->addrs[4].group = "g1";
	cluster->addrs[7].kind = CLUSTER_ADDR_FIXED;
	*state = cluster;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* What is told, as text: "U", "A", "UA", "client 10.0.0.2", "ip 10.0.0.1+" (online) or "-". */
static const char *told(struct cluster_state *state, const struct cluster_event *event,
			const struct policy_target *target, const struct policy_reg *reg)
{
	static const char *const kinds[] = {[POLICY_CLIENT_MOVE] = "client",
					    [POLICY_SHARE_MOVE] = "share",
					    [POLICY_IP_CHANGE] = "ip"};
	struct policy_notices notices;
	char *text = talloc_strdup(state, "");
	char ip[IPADDR_STRLEN];

	assert_int_equal(policy_decide(state, event, state, target, reg, &notices), 0);
	assert_true(notices.num <= POLICY_NOTICES_MAX);
	for (size_t i = 0; i < notices.num; i++) {
		const struct policy_notice *n = &notices.list[i];

		if (n->type == POLICY_CHANGE) {
			text = talloc_strdup_append(text, n->available ? "A" : "U");
			continue;
		}
		assert_true(n->num_addrs > 0);
		text = talloc_strdup_append(text, kinds[n->type]);
		for (size_t k = 0; k < n->num_addrs; k++) {
			text = talloc_asprintf_append(text, " %s%s",
						      ipaddr_format(&n->addrs[k].ip, ip),
						      n->type != POLICY_IP_CHANGE ? ""
						      : n->addrs[k].online        ? "+"
										  : "-");
		}
	}
	return text;
}

static void every_event_and_index_has_its_cell(void **state)
{
	/* Of 10.0.0.1, which is available in the snapshot; every other cell is empty. */
	static const char *const cells[NUM_EVENTS][NUM_INDEXES] = {
		[CLUSTER_ADDR_LOST] = {"U", NULL, "ip 10.0.0.1+"},
		[CLUSTER_ADDR_BACK] = {"A", NULL, "ip 10.0.0.1+"},
		[CLUSTER_ADDR_MOVED] = {"UA", NULL, "ip 10.0.0.1+"},
		[CLUSTER_ADDR_ADDED] = {"A", NULL, "ip 10.0.0.1+"},
		[CLUSTER_ADDR_REMOVED] = {"U", NULL, "ip 10.0.0.1+"},
		[CLUSTER_SHARE_MOVED] = {NULL, "share 10.0.0.2", NULL},
		[CLUSTER_INTENT] = {"client 10.0.0.2", NULL, NULL},
	};
	static const struct backend_intent intent = {
		.kind = BACKEND_INTENT_ADDR, .what = "10.0.0.1", .to = "n2"};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"),
				 .share = "Data",
				 .version_2 = true,
				 .ip_notification = true};

	for (int type = 0; type < NUM_EVENTS; type++) {
		for (int index = 0; index < NUM_INDEXES; index++) {
			struct cluster_event event = {.type = (enum cluster_event_type)type,
						      .ip = reg.ip,
						      .name = "data",
						      .to = "n2",
						      .before = *state,
						      .intent = type == CLUSTER_INTENT ? &intent
										       : NULL};
			struct policy_target target = {
				.index = (enum policy_index)index, .ip = reg.ip, .share = "data"};
			const char *want = cells[type][index] != NULL ? cells[type][index] : "";

			assert_string_equal(told(*state, &event, &target, &reg), want);
		}
	}
}

static void targets_lead_to_those_concerned_only(void **state)
{
	struct cluster_event event = {.type = CLUSTER_ADDR_LOST, .ip = fix_ip("10.0.0.6")};
	struct backend_intent intent = {.kind = BACKEND_INTENT_NODE, .what = "n1"};
	struct ipaddr ip1 = fix_ip("10.0.0.1"), ip4 = fix_ip("10.0.0.4");
	struct policy_targets targets;

	assert_int_equal(policy_find_targets(*state, &event, *state, &targets), 0);
	assert_int_equal(targets.num, 2);
	assert_int_equal(targets.list[0].index, POLICY_BY_IP);
	assert_true(ipaddr_equal(&targets.list[0].ip, &event.ip));
	assert_int_equal(targets.list[1].index, POLICY_BY_IP_CHANGE);

	event = (struct cluster_event){.type = CLUSTER_SHARE_MOVED, .name = "data"};
	assert_int_equal(policy_find_targets(*state, &event, *state, &targets), 0);
	assert_int_equal(targets.num, 1);
	assert_int_equal(targets.list[0].index, POLICY_BY_SHARE);
	assert_string_equal(targets.list[0].share, "data");

	event = (struct cluster_event){.type = CLUSTER_INTENT, .intent = &intent};
	assert_int_equal(policy_find_targets(*state, &event, *state, &targets), 0);
	assert_int_equal(targets.num, 2);
	assert_true(ipaddr_equal(&targets.list[0].ip, &ip1));
	assert_true(ipaddr_equal(&targets.list[1].ip, &ip4));

	event = (struct cluster_event){.type = CLUSTER_NAMES_CHANGED};
	assert_int_equal(policy_find_targets(*state, &event, *state, &targets), 0);
	assert_int_equal(targets.num, 1);
	assert_int_equal(targets.list[0].index, POLICY_BY_IP_CHANGE);

	for (int type = CLUSTER_NODE_UP; type < NUM_EVENTS; type++) {
		event = (struct cluster_event){.type = (enum cluster_event_type)type, .name = "n1"};
		if (type == CLUSTER_SHARE_MOVED || type == CLUSTER_INTENT ||
		    type == CLUSTER_NAMES_CHANGED) {
			continue;
		}
		assert_int_equal(policy_find_targets(*state, &event, *state, &targets), 0);
		assert_int_equal(targets.num, 0);
	}
}

static void another_address_is_nobodys_business(void **state)
{
	struct cluster_event event = {.type = CLUSTER_ADDR_LOST, .ip = fix_ip("10.0.0.2")};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = event.ip};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .version_2 = true};

	assert_string_equal(told(*state, &event, &target, &reg), "");
}

static void ip_change_needs_version_2_and_the_wish(void **state)
{
	struct cluster_event event = {.type = CLUSTER_ADDR_LOST, .ip = fix_ip("10.0.0.6")};
	struct policy_target target = {.index = POLICY_BY_IP_CHANGE};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .version_2 = true};

	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.ip_notification = true;
	assert_string_equal(told(*state, &event, &target, &reg), "ip 10.0.0.6-");
	event.ip = fix_ip("10.0.0.77"); /* gone from the configuration */
	assert_string_equal(told(*state, &event, &target, &reg), "ip 10.0.0.77-");
	event.ip = fix_ip("10.0.0.9"); /* fixed */
	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.fixed_addresses = true;
	assert_string_equal(told(*state, &event, &target, &reg), "ip 10.0.0.9+");
	reg.version_2 = false;
	assert_string_equal(told(*state, &event, &target, &reg), "");
}

static void an_added_address_is_told_as_it_is(void **state)
{
	struct cluster_event event = {.type = CLUSTER_ADDR_ADDED, .ip = fix_ip("10.0.0.6")};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = event.ip};
	struct policy_reg reg = {.ip = event.ip};

	assert_string_equal(told(*state, &event, &target, &reg), "U");
}

static void share_moves_need_version_2_the_share_and_a_destination(void **state)
{
	struct cluster_event event = {.type = CLUSTER_SHARE_MOVED, .name = "data", .to = "n3"};
	struct policy_target target = {.index = POLICY_BY_SHARE, .share = "data"};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .share = "DATA", .version_2 = true};

	assert_string_equal(told(*state, &event, &target, &reg), "share 10.0.0.3 fd00::3");
	event.to = NULL;
	assert_string_equal(told(*state, &event, &target, &reg), "");
	event.to = "nowhere";
	assert_string_equal(told(*state, &event, &target, &reg), "");
	event.to = "n3";
	reg.share = "other";
	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.share = NULL;
	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.share = "data";
	reg.version_2 = false;
	assert_string_equal(told(*state, &event, &target, &reg), "");
}

static void planned_moves_go_to_what_stays_online(void **state)
{
	static const struct {
		enum backend_intent_kind kind;
		const char *what, *from, *to;
		const char *ip;
		bool fixed;
		const char *want;
	} rows[] = {
		{BACKEND_INTENT_ADDR, "10.0.0.1", "n1", "n2", "10.0.0.1", false, "client 10.0.0.2"},
		{BACKEND_INTENT_ADDR, "10.0.0.1", "n1", "n2", "10.0.0.1", true,
		 "client 10.0.0.2 10.0.0.9"},
		{BACKEND_INTENT_ADDR, "10.0.0.1", "n1", "n3", "10.0.0.1", false,
		 "client 10.0.0.3 fd00::3"},
		{BACKEND_INTENT_ADDR, "10.0.0.1", "n1", "n3", "10.0.0.4", false, ""}, /* stays */
		{BACKEND_INTENT_ADDR, "nonsense", "n1", "n3", "10.0.0.1", false, ""},
		{BACKEND_INTENT_GROUP, "g1", "n1", "n2", "10.0.0.4", false, "client 10.0.0.2"},
		{BACKEND_INTENT_GROUP, "g1", NULL, "n2", "10.0.0.4", false, "client 10.0.0.2"},
		{BACKEND_INTENT_GROUP, "g1", "n3", "n2", "10.0.0.4", false, ""}, /* not from n1 */
		{BACKEND_INTENT_GROUP, "g1", "n1", "n1", "10.0.0.4", false, ""}, /* no move */
		{BACKEND_INTENT_GROUP, "g2", "n2", "n1", "10.0.0.2", false,
		 "client 10.0.0.1 10.0.0.4"},
		/* A destination without an address of its own: it has to wait for the real move. */
		{BACKEND_INTENT_GROUP, "g1", "n1", "n9", "10.0.0.1", false, ""},
		{BACKEND_INTENT_NODE, "n3", NULL, "n2", "fd00::3", false, "client 10.0.0.2"},
		{BACKEND_INTENT_NODE, "n3", NULL, "n2", "10.0.0.1", false, ""},
		/* What is down has been told more than that. */
		{BACKEND_INTENT_ADDR, "10.0.0.6", NULL, "n2", "10.0.0.6", false, ""},
		{BACKEND_INTENT_ADDR, "10.0.0.77", NULL, "n2", "10.0.0.77", false, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct backend_intent intent = {.kind = rows[i].kind,
						.what = rows[i].what,
						.from = rows[i].from,
						.to = rows[i].to};
		struct cluster_event event = {.type = CLUSTER_INTENT, .intent = &intent};
		struct policy_reg reg = {.ip = fix_ip(rows[i].ip),
					 .fixed_addresses = rows[i].fixed};
		struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

		assert_string_equal(told(*state, &event, &target, &reg), rows[i].want);
	}
}

static void anywhere_else_is_spread_over_nodes_that_stay(void **state)
{
	struct backend_intent intent = {.kind = BACKEND_INTENT_NODE, .what = "n1"};
	struct cluster_event event = {.type = CLUSTER_INTENT, .intent = &intent};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1")};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	/* n1 is left, n4 drains: n2 and n3 in turn. */
	for (uint32_t spread = 0; spread < 6; spread++) {
		reg.spread = spread;
		assert_string_equal(told(*state, &event, &target, &reg),
				    spread % 2 == 0 ? "client 10.0.0.2"
						    : "client 10.0.0.3 fd00::3");
	}
}

static bool drained(const void *avoid_private, const char *node)
{
	return strstr(avoid_private, node) != NULL;
}

static void an_administrators_drained_node_is_the_last_choice(void **state)
{
	static const struct {
		const char *drained, *to, *even, *odd; /* what two registrations are told */
	} rows[] = {
		{"", NULL, "client 10.0.0.2", "client 10.0.0.3 fd00::3"},
		{"n2", NULL, "client 10.0.0.3 fd00::3", "client 10.0.0.3 fd00::3"},
		{"n3", NULL, "client 10.0.0.2", "client 10.0.0.2"},
		/* Nobody can take them who is not drained; n4, which the manager empties, gets nobody at all. */
		{"n2 n3", NULL, "client 10.0.0.2", "client 10.0.0.3 fd00::3"},
		{"n1", NULL, "client 10.0.0.2", "client 10.0.0.3 fd00::3"},
		/* The manager has chosen: the address will be there. */
		{"n2", "n2", "client 10.0.0.2", "client 10.0.0.2"},
	};
	struct backend_intent intent = {.kind = BACKEND_INTENT_NODE, .what = "n1"};
	struct cluster_event event = {.type = CLUSTER_INTENT, .intent = &intent};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .avoid = drained};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		intent.to = rows[i].to;
		reg.avoid_private = rows[i].drained;
		for (reg.spread = 0; reg.spread < 4; reg.spread++) {
			assert_string_equal(told(*state, &event, &target, &reg),
					    reg.spread % 2 == 0 ? rows[i].even : rows[i].odd);
		}
	}
}

static void who_is_on_its_way_is_not_told_again(void **state)
{
	struct backend_intent intent = {.kind = BACKEND_INTENT_ADDR, .what = "10.0.0.1"};
	struct cluster_event event = {.type = CLUSTER_INTENT, .intent = &intent};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .moved_to = "n2"};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	assert_string_equal(told(*state, &event, &target, &reg), "");
	intent.held = true;
	assert_string_equal(told(*state, &event, &target, &reg), "");
	intent.to = "n2";
	assert_string_equal(told(*state, &event, &target, &reg), "");
	intent.to = "n3";
	assert_string_equal(told(*state, &event, &target, &reg), "client 10.0.0.3 fd00::3");
	reg.avoid = drained;
	reg.avoid_private =
		"n3"; /* the address goes there, the client has been sent to a better place */
	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.avoid_private = "n2 n3";
	assert_string_equal(told(*state, &event, &target, &reg), "client 10.0.0.3 fd00::3");
	reg.avoid_private = "n2";
	assert_string_equal(told(*state, &event, &target, &reg), "client 10.0.0.3 fd00::3");
}

static void what_is_pinned_stays(void **state)
{
	struct cluster_state *cluster = *state;
	struct backend_intent intent = {.kind = BACKEND_INTENT_NODE, .what = "n1"};
	struct cluster_event event = {.type = CLUSTER_INTENT, .intent = &intent};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1")};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	cluster->addrs[0].pinned = true;
	assert_string_equal(told(cluster, &event, &target, &reg), "");
	intent.held = true; /* it stops all the same */
	assert_string_equal(told(cluster, &event, &target, &reg), "client 10.0.0.2");
}

static void without_quorum_nobody_is_sent_to_other_nodes(void **state)
{
	struct cluster_state *cut_off = *state;
	struct backend_intent intent = {
		.kind = BACKEND_INTENT_ADDR, .what = "10.0.0.1", .to = "n2"};
	struct cluster_event event = {.type = CLUSTER_INTENT, .intent = &intent};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1")};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	cut_off->quorate = false;
	assert_string_equal(told(cut_off, &event, &target, &reg), "");
	intent.to = NULL;
	assert_string_equal(told(cut_off, &event, &target, &reg), "");
	intent.held = true;
	assert_string_equal(told(cut_off, &event, &target, &reg), "U");
}

static void nowhere_else_is_told_to_nobody(void **state)
{
	struct cluster_state *one = cluster_state_new(*state);
	struct backend_intent intent = {.kind = BACKEND_INTENT_NODE, .what = "n1"};
	struct cluster_event event = {.type = CLUSTER_INTENT, .intent = &intent};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1")};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	fix_node(one, "n1", "ol");
	fix_node(one, "n2", "o");
	fix_up(one, "10.0.0.1", "n1");
	fix_up(one, "10.0.0.2", "n1");
	assert_string_equal(told(one, &event, &target, &reg), "");
}

static struct cluster_event intent_event(const struct backend_intent *intent)
{
	return (struct cluster_event){
		.type = CLUSTER_INTENT, .from = intent->from, .to = intent->to, .intent = intent};
}

/* n1 and n2 serve FS1 with .1 and .2, n1 and n3 FS2 with .4 and .3. */
static void two_net_names(struct cluster_state *state)
{
	fix_net_name(state, "10.0.0.1", "FS1");
	fix_net_name(state, "10.0.0.2", "FS1");
	fix_net_name(state, "10.0.0.4", "FS2");
	fix_net_name(state, "10.0.0.3", "FS2");
}

static void moves_stay_within_the_net_name(void **state)
{
	static const struct {
		const char *ip, *net_name, *to, *want;
	} rows[] = {
		{"10.0.0.1", "FS1", NULL, "client 10.0.0.2"},
		{"10.0.0.1", "fs1.example.com", "n2", "client 10.0.0.2"},
		{"10.0.0.1", "FS1", "n3", ""},
		{"10.0.0.4", "FS2", NULL, "client 10.0.0.3"},
		{"10.0.0.4", "FS2", "n2", ""},
	};
	struct backend_intent intent = {.kind = BACKEND_INTENT_NODE, .what = "n1", .from = "n1"};

	two_net_names(*state);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cluster_event event;
		struct policy_reg reg = {.ip = fix_ip(rows[i].ip), .net_name = rows[i].net_name};
		struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

		for (reg.spread = 0; reg.spread < 3; reg.spread++) {
			intent.to = rows[i].to;
			event = intent_event(&intent);
			assert_string_equal(told(*state, &event, &target, &reg), rows[i].want);
		}
	}
}

/* An address without a name of its own is not for those who know the service by another's. */
static void names_of_no_address_share_the_rest(void **state)
{
	struct backend_intent intent = {.kind = BACKEND_INTENT_NODE, .what = "n3", .from = "n3"};
	struct cluster_event event = intent_event(&intent);
	struct policy_reg reg = {.ip = fix_ip("fd00::3"), .net_name = "FS"};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	fix_net_name(*state, "10.0.0.1", "FS1");
	fix_net_name(*state, "10.0.0.4", "FS1");
	assert_string_equal(told(*state, &event, &target, &reg), "client 10.0.0.2");
	fix_net_name(*state, "10.0.0.2", "FS1");
	assert_string_equal(told(*state, &event, &target, &reg), "");
}

static void nowhere_in_the_net_name_is_told_by_the_gate(void **state)
{
	struct backend_intent intent = {
		.kind = BACKEND_INTENT_ADDR, .what = "10.0.0.1", .from = "n1", .held = true};
	struct cluster_event event = intent_event(&intent);
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .net_name = "FS1"};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	assert_string_equal(told(*state, &event, &target, &reg), "client 10.0.0.2");
	fix_net_name(*state, "10.0.0.1", "FS1");
	assert_string_equal(told(*state, &event, &target, &reg), "U");
}

static void ip_changes_are_those_of_the_net_name(void **state)
{
	static const char *const fs2[] = {"FS2", NULL};
	struct cluster_event event = {.type = CLUSTER_ADDR_BACK, .ip = fix_ip("10.0.0.3")};
	struct policy_target target = {.index = POLICY_BY_IP_CHANGE};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"),
				 .net_name = "FS1",
				 .version_2 = true,
				 .ip_notification = true};

	two_net_names(*state);
	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.net_name = "fs2";
	assert_string_equal(told(*state, &event, &target, &reg), "ip 10.0.0.3+");
	/* Gone from the configuration: the event knows its names. */
	event = (struct cluster_event){.type = CLUSTER_ADDR_REMOVED, .ip = fix_ip("10.0.0.77")};
	assert_string_equal(told(*state, &event, &target, &reg), "");
	event.net_names = fs2;
	assert_string_equal(told(*state, &event, &target, &reg), "ip 10.0.0.77-");
}

/* Addresses of a net name appear and disappear also by getting it and losing it. */
static void who_wants_ip_changes_hears_of_other_names(void **state)
{
	struct cluster_state *before = *state, *after = cluster_state_copy(*state, before);
	struct cluster_event event = {.type = CLUSTER_NAMES_CHANGED, .before = before};
	struct policy_target target = {.index = POLICY_BY_IP_CHANGE};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"),
				 .net_name = "FS1",
				 .version_2 = true,
				 .ip_notification = true};

	two_net_names(before);
	two_net_names(after);
	fix_net_name(after, "10.0.0.2", NULL);
	fix_net_name(after, "10.0.0.3", "FS1");
	fix_net_name(after, "10.0.0.6", "FS1");
	assert_string_equal(told(after, &event, &target, &reg), "ip 10.0.0.2- 10.0.0.3+ 10.0.0.6-");
	/* A name that only addresses without names served, and now one has it. */
	reg.net_name = "FS3";
	fix_net_name(after, "10.0.0.3", "FS3");
	assert_string_equal(told(after, &event, &target, &reg),
			    "ip fd00::3- 10.0.0.5- 10.0.0.6- 10.0.0.3+");
	reg.fixed_addresses = true;
	assert_string_equal(told(after, &event, &target, &reg),
			    "ip fd00::3- 10.0.0.5- 10.0.0.6- 10.0.0.9- 10.0.0.3+");
	reg.ip_notification = false;
	assert_string_equal(told(after, &event, &target, &reg), "");
}

static void nobody_is_ordered_to_a_node_that_cannot_be_seen(void **state)
{
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .net_name = "FS"};
	struct cluster_state *cluster = *state;
	struct policy_notices notices;

	assert_int_equal(
		policy_send_to(cluster, cluster, &reg, POLICY_CLIENT_MOVE, "n2", NULL, &notices),
		0);
	assert_int_equal(notices.num, 1);
	/* Its address is kept as it was, without quorum. */
	cluster->quorate = cluster->nodes[1].online = false;
	assert_int_equal(
		policy_send_to(cluster, cluster, &reg, POLICY_CLIENT_MOVE, "n2", NULL, &notices),
		0);
	assert_int_equal(notices.num, 0);
}

static void share_moves_go_where_the_share_is_served(void **state)
{
	struct cluster_event event = {
		.type = CLUSTER_SHARE_MOVED, .name = "data", .from = "n2", .to = "n3"};
	struct policy_target target = {.index = POLICY_BY_SHARE, .share = "data"};
	struct policy_reg reg = {
		.ip = fix_ip("10.0.0.1"), .net_name = "FS", .share = "Data", .version_2 = true};

	/* Not tied to addresses: at each of the node, but of the client's net name only. */
	fix_share(*state, "other", "n3");
	assert_string_equal(told(*state, &event, &target, &reg), "share 10.0.0.3 fd00::3");
	fix_net_name(*state, "10.0.0.3", "FS2");
	assert_string_equal(told(*state, &event, &target, &reg), "share fd00::3");
	/* Tied. */
	fix_tied_share(*state, "data", "n3", "g3", "fd00::3 10.0.0.6");
	fix_net_name(*state, "10.0.0.3", NULL);
	assert_string_equal(told(*state, &event, &target, &reg), "share fd00::3");
	/* Who is there, at an address where it is served, need not go. */
	reg.ip = fix_ip("fd00::3");
	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.ip = fix_ip("10.0.0.3");
	assert_string_equal(told(*state, &event, &target, &reg), "share fd00::3");
	/* Back on the node where it was. */
	event.from = "n3";
	assert_string_equal(told(*state, &event, &target, &reg), "");
}

static void who_is_on_the_new_node_of_a_share_stays(void **state)
{
	struct cluster_event event = {
		.type = CLUSTER_SHARE_MOVED, .name = "data", .from = "n1", .to = "n3"};
	struct policy_target target = {.index = POLICY_BY_SHARE, .share = "data"};
	struct policy_reg reg = {.ip = fix_ip("10.0.0.3"), .share = "data", .version_2 = true};

	fix_share(*state, "data", "n3");
	assert_string_equal(told(*state, &event, &target, &reg), "");
}

/* Its share moves with the address: what another address serves is something else. */
static void tied_shares_are_served_nowhere_else(void **state)
{
	struct backend_intent intent = {
		.kind = BACKEND_INTENT_GROUP, .what = "g1", .from = "n1", .to = "n2"};
	struct cluster_event event = intent_event(&intent);
	struct policy_reg reg = {.ip = fix_ip("10.0.0.1"), .version_2 = true};
	struct policy_target target = {.index = POLICY_BY_IP, .ip = reg.ip};

	fix_tied_share(*state, "data", "n1", "g1", "10.0.0.1 10.0.0.4");
	fix_share(*state, "everywhere", NULL);
	assert_string_equal(told(*state, &event, &target, &reg), "");
	intent.held = true;
	assert_string_equal(told(*state, &event, &target, &reg), "U");
	intent.held = false;
	reg.share = "data";
	assert_string_equal(told(*state, &event, &target, &reg), "");
	reg.share = "everywhere";
	assert_string_equal(told(*state, &event, &target, &reg), "client 10.0.0.2");
	reg.share = "of smb.conf only";
	assert_string_equal(told(*state, &event, &target, &reg), "client 10.0.0.2");
}

static void planned_moves_of_shares(void **state)
{
	static const struct {
		enum backend_intent_kind kind;
		const char *what, *from, *to;
		const char *ip;
		const char *want;
	} rows[] = {
		{BACKEND_INTENT_GROUP, "gs", "n2", "n3", "10.0.0.1", "share 10.0.0.3 fd00::3"},
		{BACKEND_INTENT_GROUP, "gs", NULL, "n3", "10.0.0.1", "share 10.0.0.3 fd00::3"},
		{BACKEND_INTENT_NODE, "n2", "n2", "n3", "10.0.0.1", "share 10.0.0.3 fd00::3"},
		{BACKEND_INTENT_GROUP, "gs", "n2", "n3", "10.0.0.3", ""}, /* is there already */
		{BACKEND_INTENT_GROUP, "gs", "n2", NULL, "10.0.0.1", ""}, /* who knows where */
		{BACKEND_INTENT_GROUP, "gs", "n2", "n2", "10.0.0.1", ""},
		{BACKEND_INTENT_GROUP, "gs", "n1", "n3", "10.0.0.1", ""},
		{BACKEND_INTENT_GROUP, "g1", "n1", "n3", "10.0.0.1", ""},
		{BACKEND_INTENT_NODE, "n1", "n1", "n3", "10.0.0.1", ""},
		{BACKEND_INTENT_ADDR, "10.0.0.2", "n2", "n3", "10.0.0.1", ""},
		/* Its address goes, too: that is told by the address. */
		{BACKEND_INTENT_NODE, "n2", "n2", "n3", "10.0.0.2", ""},
	};
	struct policy_targets targets;
	struct backend_intent intent;
	struct cluster_event event;

	fix_tied_share(*state, "data", "n2", "gs", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_reg reg = {
			.ip = fix_ip(rows[i].ip), .share = "DATA", .version_2 = true};
		struct policy_target target = {.index = POLICY_BY_SHARE, .share = "data"};

		intent = (struct backend_intent){.kind = rows[i].kind,
						 .what = rows[i].what,
						 .from = rows[i].from,
						 .to = rows[i].to};
		event = intent_event(&intent);
		assert_string_equal(told(*state, &event, &target, &reg), rows[i].want);
	}
	intent = (struct backend_intent){.kind = BACKEND_INTENT_NODE, .what = "n2"};
	event = intent_event(&intent);
	assert_int_equal(policy_find_targets(*state, &event, *state, &targets), 0);
	assert_int_equal(targets.num, 3); /* .2, .9 and the share */
	assert_int_equal(targets.list[2].index, POLICY_BY_SHARE);
	assert_string_equal(targets.list[2].share, "data");
}

static void registering_for_a_dead_address_is_told_at_once(void **state)
{
	struct policy_reg reg = {.ip = fix_ip("10.0.0.6")};
	struct policy_notices notices;

	policy_registered(*state, &reg, &notices);
	assert_int_equal(notices.num, 1);
	assert_int_equal(notices.list[0].type, POLICY_CHANGE);
	assert_false(notices.list[0].available);
	reg.ip = fix_ip("10.0.0.1");
	policy_registered(*state, &reg, &notices);
	assert_int_equal(notices.num, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_event_and_index_has_its_cell),
		TEST(targets_lead_to_those_concerned_only),
		TEST(another_address_is_nobodys_business),
		TEST(ip_change_needs_version_2_and_the_wish),
		TEST(an_added_address_is_told_as_it_is),
		TEST(share_moves_need_version_2_the_share_and_a_destination),
		TEST(planned_moves_go_to_what_stays_online),
		TEST(anywhere_else_is_spread_over_nodes_that_stay),
		TEST(an_administrators_drained_node_is_the_last_choice),
		TEST(who_is_on_its_way_is_not_told_again),
		TEST(what_is_pinned_stays),
		TEST(without_quorum_nobody_is_sent_to_other_nodes),
		TEST(nowhere_else_is_told_to_nobody),
		TEST(moves_stay_within_the_net_name),
		TEST(names_of_no_address_share_the_rest),
		TEST(nowhere_in_the_net_name_is_told_by_the_gate),
		TEST(ip_changes_are_those_of_the_net_name),
		TEST(who_wants_ip_changes_hears_of_other_names),
		TEST(nobody_is_ordered_to_a_node_that_cannot_be_seen),
		TEST(share_moves_go_where_the_share_is_served),
		TEST(who_is_on_the_new_node_of_a_share_stays),
		TEST(tied_shares_are_served_nowhere_else),
		TEST(planned_moves_of_shares),
		TEST(registering_for_a_dead_address_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
