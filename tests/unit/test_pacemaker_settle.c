/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pacemaker_fixture.h"

#include <tevent.h>

#include "backends/pacemaker/settle.h"

#define WAIT_MS 500

/* What the backend does between two snapshots, with a clock of the test's own. */
struct scene {
	struct settle *settle;
	struct cluster_state *published;
	uint64_t now_ms, deadline_ms;
	bool waiting;
};

static int scene_setup(void **arg)
{
	struct scene *scene = talloc_zero(NULL, struct scene);

	assert_non_null(scene);
	assert_int_equal(settle_create(scene, WAIT_MS, &scene->settle), 0);
	scene->now_ms = 1000000;
	*arg = scene;
	return 0;
}

static int scene_teardown(void **arg)
{
	talloc_free(*arg);
	return 0;
}

static void show(struct scene *scene, struct placement *placement)
{
	struct cluster_state *next = cluster_state_copy(scene, placement->state);
	char *why = NULL;

	assert_non_null(next);
	scene->waiting = settle_apply(scene->settle, scene->published, placement, next,
				      scene->now_ms, &scene->deadline_ms);
	assert_int_equal(cluster_state_check(next, next, &why), 0);
	talloc_free(scene->published);
	scene->published = next;
	talloc_free(placement);
}

static void pass(struct scene *scene, uint32_t ms)
{
	scene->now_ms += ms;
}

static void assert_online(const struct scene *scene, const char *node, bool online)
{
	assert_int_equal(cluster_state_node(scene->published, node)->online, online);
}

static void first_view_is_taken_as_it_is(void **arg)
{
	struct scene *scene = *arg;

	show(scene, placement_of(cib_load("rejoin-3-history-gone")));
	assert_false(scene->waiting);
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_UNAVAILABLE, NULL);
}

/* Controller of n2 killed: its address was up all the time. */
static void rejoin_is_no_loss(void **arg)
{
	static const char *const views[] = {
		"move-1-before",         "rejoin-1-controller-gone", "rejoin-2-back",
		"rejoin-3-history-gone", "rejoin-4-probing",         "rejoin-5-found",
	};
	struct scene *scene = *arg;

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		show(scene, placement_of(cib_load(views[i])));
		assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
		assert_online(scene, "n2", true);
		pass(scene, WAIT_MS - 1);
	}
	assert_false(scene->waiting);
}

static void recorded_stop_is_believed_at_once(void **arg)
{
	struct scene *scene = *arg;

	show(scene, placement_of(cib_load("move-3-stopping")));
	assert_addr(scene->published, VIP1, CLUSTER_ADDR_AVAILABLE, "n1");
	show(scene, placement_of(cib_load("move-4-stopped")));
	assert_addr(scene->published, VIP1, CLUSTER_ADDR_UNAVAILABLE, NULL);
	assert_false(scene->waiting);
	show(scene, placement_of(cib_load("move-6-started")));
	assert_addr(scene->published, VIP1, CLUSTER_ADDR_AVAILABLE, "n2");
}

static void history_that_stays_away_is_a_loss(void **arg)
{
	struct scene *scene = *arg;
	uint64_t until_ms = scene->now_ms;

	show(scene, placement_of(cib_load("move-1-before")));
	show(scene, placement_of(cib_load("rejoin-3-history-gone")));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
	assert_true(scene->waiting);
	until_ms += WAIT_MS;
	assert_int_equal(scene->deadline_ms, until_ms);

	pass(scene, WAIT_MS - 1); /* looking again does not prolong it */
	show(scene, placement_of(cib_load("rejoin-3-history-gone")));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
	assert_int_equal(scene->deadline_ms, until_ms);

	pass(scene, 1);
	show(scene, placement_of(cib_load("rejoin-3-history-gone")));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_UNAVAILABLE, NULL);
	assert_false(scene->waiting);
}

static void second_gap_gets_its_own_wait(void **arg)
{
	struct scene *scene = *arg;

	show(scene, placement_of(cib_load("move-1-before")));
	show(scene, placement_of(cib_load("rejoin-3-history-gone")));
	pass(scene, WAIT_MS - 1);
	show(scene, placement_of(cib_load("rejoin-5-found")));
	show(scene, placement_of(cib_load("rejoin-3-history-gone")));
	pass(scene, WAIT_MS - 1);
	show(scene, placement_of(cib_load("rejoin-3-history-gone")));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
}

static void probe_that_finds_nothing_ends_it(void **arg)
{
	struct scene *scene = *arg;
	xmlDoc *doc = cib_load("rejoin-5-found");

	show(scene, placement_of(cib_load("move-1-before")));
	show(scene, placement_of(cib_load("rejoin-4-probing")));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
	pass(scene, 100 * WAIT_MS); /* a probe takes as long as it takes */
	show(scene, placement_of(cib_load("rejoin-4-probing")));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");

	cib_edit(doc, "//node_state[@uname='n2']//lrm_resource[@id='vip2']/lrm_rsc_op", "rc-code",
		 "7");
	show(scene, placement_of(doc));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_UNAVAILABLE, NULL);
}

static void start_elsewhere_ends_it(void **arg)
{
	struct scene *scene = *arg;
	xmlDoc *doc = cib_load("rejoin-3-history-gone");

	show(scene, placement_of(cib_load("move-1-before")));
	cib_edit(doc, "//node_state[@uname='n3']//lrm_rsc_op[@id='vip2_last_0']", "operation",
		 "start");
	cib_edit(doc, "//node_state[@uname='n3']//lrm_rsc_op[@id='vip2_last_0']", "rc-code", "0");
	cib_edit(doc, "//node_state[@uname='n3']//lrm_resource[@id='vip2']/lrm_rsc_op", "op-status",
		 "0");
	show(scene, placement_of(doc));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n3");
}

/* Pacemaker stopped in maintenance: the address stays on the node for as long as that takes. */
static void node_alive_without_pacemaker_keeps_it(void **arg)
{
	struct scene *scene = *arg;

	show(scene, placement_of(cib_load("move-1-before")));
	for (int i = 0; i < 3; i++) {
		show(scene, placement_of(cib_load("rejoin-1-controller-gone")));
		assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
		pass(scene, WAIT_MS);
	}
	assert_online(scene, "n2", false); /* which is told after the wait */
}

static void death_is_believed_at_once(void **arg)
{
	struct scene *scene = *arg;
	xmlDoc *doc = cib_load("move-1-before");
	struct placement *placement;

	show(scene, placement_of(cib_load("move-1-before")));
	placement = placement_of(cib_load("move-1-before"));
	placement_drop_node(placement, 1);
	show(scene, placement);
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_UNAVAILABLE, NULL);
	assert_online(scene, "n2", false);
	assert_false(scene->waiting);

	show(scene, placement_of(cib_load("move-1-before")));
	cib_edit(doc, "//node_state[@uname='n2']", "in_ccm", "false");
	cib_edit(doc, "//node_state[@uname='n2']", "crmd", "offline");
	show(scene, placement_of(doc));
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_UNAVAILABLE, NULL);
}

static void orderly_stop_takes_the_node_down_at_once(void **arg)
{
	struct scene *scene = *arg;

	show(scene, placement_of(cib_load("shutdown-1-asked")));
	show(scene, placement_of(cib_load("shutdown-2-down")));
	assert_online(scene, "n2", false);
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_UNAVAILABLE, NULL);
	assert_false(scene->waiting);
}

/* What an isolated node sees: it stops its own address, the others are out of sight, then all is back. */
static void without_quorum_only_ones_own_is_lost(void **arg)
{
	struct scene *scene = *arg;
	xmlDoc *doc = cib_load("move-4-stopped"); /* vip1 was on n1, which is this node */
	struct placement *placement;

	show(scene, placement_of(cib_load("move-1-before")));
	cib_edit(doc, "/cib", "have-quorum", "0");
	cib_edit(doc, "//node_state[@uname!='n1']", "in_ccm", "false");
	cib_edit(doc, "//node_state[@uname!='n1']", "crmd", "offline");
	show(scene, placement_of(doc));
	assert_false(scene->published->quorate);
	assert_addr(scene->published, VIP1, CLUSTER_ADDR_UNAVAILABLE, NULL);
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
	assert_addr(scene->published, VIP3, CLUSTER_ADDR_AVAILABLE, "n3");
	pass(scene, 100 * WAIT_MS);

	/* The link is back and with it quorum; the CIB is still that of the isolated node. */
	doc = cib_load("move-4-stopped");
	cib_edit(doc, "//node_state[@uname!='n1']", "in_ccm", "false");
	cib_edit(doc, "//node_state[@uname!='n1']", "crmd", "offline");
	placement = placement_of(doc);
	placement->nodes[1] = PLACEMENT_NODE_ABSENT; /* as the membership says */
	placement->nodes[2] = PLACEMENT_NODE_ABSENT;
	show(scene, placement);
	assert_true(scene->published->quorate);
	assert_addr(scene->published, VIP2, CLUSTER_ADDR_AVAILABLE, "n2");
	assert_addr(scene->published, VIP3_6, CLUSTER_ADDR_AVAILABLE, "n3");
}

static void removed_resource_is_gone(void **arg)
{
	struct scene *scene = *arg;
	xmlDoc *doc = cib_load("rejoin-3-history-gone");

	show(scene, placement_of(cib_load("move-1-before")));
	cib_edit(doc, "//primitive[@id='vip2']", "type", "Dummy");
	show(scene, placement_of(doc));
	assert_int_equal(scene->published->num_addrs, 3);
	assert_false(scene->waiting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
		T(first_view_is_taken_as_it_is),
		T(rejoin_is_no_loss),
		T(recorded_stop_is_believed_at_once),
		T(history_that_stays_away_is_a_loss),
		T(second_gap_gets_its_own_wait),
		T(probe_that_finds_nothing_ends_it),
		T(start_elsewhere_ends_it),
		T(node_alive_without_pacemaker_keeps_it),
		T(death_is_believed_at_once),
		T(orderly_stop_takes_the_node_down_at_once),
		T(without_quorum_only_ones_own_is_lost),
		T(removed_resource_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
