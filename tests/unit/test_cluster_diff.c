/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>

#include "tests/unit/cluster_fixture.h"
#include "witnessd/cluster/cluster.h"

#define VIP  "10.0.0.1"
#define VIP2 "10.0.0.2"

struct fixture {
	TALLOC_CTX *mem;
	struct cluster_state *old, *next, *effective;
	struct cluster_events events;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->mem = f;
	f->old = fix_state(f);
	f->next = fix_state(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

/* An event in words: "address moved 10.0.0.1 n1>n2". */
static char *in_words(TALLOC_CTX *mem_ctx, const struct cluster_event *event)
{
	char ip[IPADDR_STRLEN];
	char *out = talloc_strdup(mem_ctx, cluster_event_type_name(event->type));

	if (event->ip.family != 0) {
		out = talloc_asprintf_append(out, " %s", ipaddr_format(&event->ip, ip));
	}
	if (event->name != NULL) {
		out = talloc_asprintf_append(out, " %s", event->name);
	}
	if (event->ip.family != 0 || event->type == CLUSTER_SHARE_MOVED) {
		out = talloc_asprintf_append(out, " %s>%s", or_dash(event->from),
					     or_dash(event->to));
	}
	return out;
}

/* Diff and compare with the expected events, one a string, NULL at the end. */
static void expect(struct fixture *f, ...)
{
	const char *want;
	size_t i = 0;
	va_list ap;

	assert_int_equal(cluster_diff(f, f->old, f->next, &f->effective, &f->events), 0);
	/* The result stands on its own. */
	TALLOC_FREE(f->next);
	va_start(ap, f);
	for (; (want = va_arg(ap, const char *)) != NULL; i++) {
		assert_true(i < f->events.num);
		assert_string_equal(in_words(f, &f->events.list[i]), want);
	}
	va_end(ap);
	assert_int_equal(f->events.num, i);
}

/* What the effective state says of an address: "available n1". */
static void expect_addr(struct fixture *f, const char *text, const char *want)
{
	struct ipaddr ip = fix_ip(text);
	const struct cluster_addr *addr = cluster_state_addr(f->effective, &ip);
	char *why = NULL;

	assert_int_equal(cluster_state_check(f, f->effective, &why), 0);
	if (want == NULL) {
		assert_null(addr);
		return;
	}
	assert_non_null(addr);
	assert_string_equal(talloc_asprintf(f, "%s %s", cluster_addr_state_name(addr->state),
					    or_dash(addr->node)),
			    want);
}

static void first_snapshot_is_fresh_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	f->old = NULL;
	f->next->quorate = false;
	f->next->generation = 42;
	fix_up(f->next, VIP, "n1");
	fix_down(f->next, VIP2);
	fix_addr(f->next, "10.0.0.3", NULL, CLUSTER_ADDR_UNKNOWN);
	expect(f, "state is fresh", NULL);
	assert_int_equal(f->effective->generation, 42);
	assert_false(f->effective->quorate);
	expect_addr(f, VIP, "available n1");
	expect_addr(f, VIP2, "unavailable -");
	expect_addr(f, "10.0.0.3", "unknown -");
}

static void same_again_is_silent(void **state)
{
	struct fixture *f = *state;

	fix_up(f->old, VIP, "n2");
	fix_up(f->next, VIP, "n2");
	fix_share(f->old, "data", "n2");
	fix_share(f->next, "data", "n2");
	f->next->generation = 2;
	expect(f, NULL);
	assert_int_equal(f->effective->generation, 2);
}

/* The whole table of an address with quorum: what it was on n2, what the snapshot says, what follows. */
static void addresses_with_quorum(void **state)
{
	static const struct {
		enum cluster_addr_state was, is;
		const char *was_node, *is_node, *event, *result;
	} rows[] = {
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_AVAILABLE, "n2", "n2", NULL, "available n2"},
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_AVAILABLE, "n2", "n3",
		 "address moved 10.0.0.1 n2>n3", "available n3"},
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_UNAVAILABLE, "n2", NULL,
		 "address lost 10.0.0.1 n2>-", "unavailable -"},
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_UNAVAILABLE, "n2", "n2",
		 "address lost 10.0.0.1 n2>-", "unavailable n2"},
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_UNKNOWN, "n2", NULL, NULL, "available n2"},
		{CLUSTER_ADDR_UNAVAILABLE, CLUSTER_ADDR_AVAILABLE, NULL, "n3",
		 "address back 10.0.0.1 ->n3", "available n3"},
		{CLUSTER_ADDR_UNAVAILABLE, CLUSTER_ADDR_AVAILABLE, "n2", "n2",
		 "address back 10.0.0.1 n2>n2", "available n2"},
		{CLUSTER_ADDR_UNAVAILABLE, CLUSTER_ADDR_UNAVAILABLE, NULL, "n3", NULL,
		 "unavailable n3"},
		{CLUSTER_ADDR_UNAVAILABLE, CLUSTER_ADDR_UNKNOWN, NULL, "n3", NULL, "unavailable -"},
		{CLUSTER_ADDR_UNKNOWN, CLUSTER_ADDR_AVAILABLE, NULL, "n3",
		 "address back 10.0.0.1 ->n3", "available n3"},
		{CLUSTER_ADDR_UNKNOWN, CLUSTER_ADDR_UNAVAILABLE, NULL, NULL,
		 "address lost 10.0.0.1 ->-", "unavailable -"},
		{CLUSTER_ADDR_UNKNOWN, CLUSTER_ADDR_UNKNOWN, NULL, NULL, NULL, "unknown -"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = *state;

		f->old = fix_state(f);
		f->next = fix_state(f);
		fix_addr(f->old, VIP, rows[i].was_node, rows[i].was);
		fix_addr(f->next, VIP, rows[i].is_node, rows[i].is);
		expect(f, rows[i].event, NULL);
		expect_addr(f, VIP, rows[i].result);
	}
}

/* The same without quorum, for an address that another node had. */
static void other_nodes_addresses_without_quorum(void **state)
{
	static const struct {
		enum cluster_addr_state was, is;
		const char *was_node, *is_node, *event, *result;
	} rows[] = {
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_UNAVAILABLE, "n2", NULL, NULL,
		 "available n2"},
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_UNKNOWN, "n2", NULL, NULL, "available n2"},
		{CLUSTER_ADDR_AVAILABLE, CLUSTER_ADDR_AVAILABLE, "n2", "n1",
		 "address moved 10.0.0.1 n2>n1", "available n1"},
		{CLUSTER_ADDR_UNAVAILABLE, CLUSTER_ADDR_AVAILABLE, NULL, "n2",
		 "address back 10.0.0.1 ->n2", "available n2"},
		{CLUSTER_ADDR_UNAVAILABLE, CLUSTER_ADDR_UNAVAILABLE, NULL, NULL, NULL,
		 "unavailable -"},
		{CLUSTER_ADDR_UNKNOWN, CLUSTER_ADDR_UNAVAILABLE, NULL, NULL, NULL, "unknown -"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = *state;

		f->old = fix_state(f);
		f->next = fix_state(f);
		f->old->quorate = f->next->quorate = false;
		fix_addr(f->old, VIP, rows[i].was_node, rows[i].was);
		fix_addr(f->next, VIP, rows[i].is_node, rows[i].is);
		expect(f, rows[i].event, NULL);
		expect_addr(f, VIP, rows[i].result);
	}
}

static void own_address_is_lost_without_quorum(void **state)
{
	struct fixture *f = *state;

	f->next->quorate = false;
	fix_up(f->old, VIP, "n1");
	fix_down(f->next, VIP);
	fix_up(f->old, VIP2, "n1"); /* not in the configuration any more */
	expect(f, "quorum lost", "address lost 10.0.0.2 n1>-", "address removed 10.0.0.2 n1>-",
	       "address lost 10.0.0.1 n1>-", NULL);
	expect_addr(f, VIP, "unavailable -");
	expect_addr(f, VIP2, NULL);
}

static void own_address_is_known_from_before(void **state)
{
	struct fixture *f = *state;

	/* The snapshot of a node without quorum need not list anything, not even that node. */
	f->next = cluster_state_new(f);
	f->next->quorate = false;
	fix_up(f->old, VIP, "n1");
	fix_up(f->old, VIP2, "n2");
	expect(f, "quorum lost", "node down n1", "node down n3", "node down n2",
	       "address lost 10.0.0.1 n1>-", "address removed 10.0.0.1 n1>-", NULL);
	expect_addr(f, VIP2, "available n2");
	assert_false(cluster_state_node(f->effective, "n2")->online);
}

static void removed_while_unquorate_is_told_when_quorum_returns(void **state)
{
	struct fixture *f = *state;

	fix_up(f->old, VIP, "n2");
	fix_down(f->old, VIP2);
	f->next->quorate = false;
	expect(f, "quorum lost", NULL);
	expect_addr(f, VIP, "available n2");
	expect_addr(f, VIP2, "unavailable -");
	/* Once more, from the effective state and with the node gone. */
	f->old = f->effective;
	f->next = cluster_state_new(f);
	fix_node(f->next, "n1", "ol");
	f->next->quorate = false;
	expect(f, "node down n3", "node down n2", NULL);
	expect_addr(f, VIP, "available n2");
	assert_null(cluster_state_node(f->effective, "n3"));
	assert_int_equal(cluster_state_node(f->effective, "n2")->id, 2);
	f->old = f->effective;
	f->next = fix_state(f);
	expect(f, "quorum gained", "node up n2", "node up n3", "address lost 10.0.0.1 n2>-",
	       "address removed 10.0.0.1 n2>-", "address removed 10.0.0.2 ->-", NULL);
	expect_addr(f, VIP, NULL);
}

static void lost_while_unquorate_is_told_when_quorum_returns(void **state)
{
	struct fixture *f = *state;

	fix_up(f->old, VIP, "n2");
	f->next->quorate = false;
	fix_down(f->next, VIP);
	expect(f, "quorum lost", NULL);
	f->old = f->effective;
	f->next = fix_state(f);
	fix_down(f->next, VIP);
	expect(f, "quorum gained", "address lost 10.0.0.1 n2>-", NULL);
}

static void back_before_quorum_returned_is_silent(void **state)
{
	struct fixture *f = *state;

	fix_up(f->old, VIP, "n2");
	f->next->quorate = false;
	fix_down(f->next, VIP);
	expect(f, "quorum lost", NULL);
	f->old = f->effective;
	f->next = fix_state(f);
	fix_up(f->next, VIP, "n2");
	expect(f, "quorum gained", NULL);
}

static void added_and_removed(void **state)
{
	struct fixture *f = *state;

	fix_up(f->old, VIP, "n2");
	fix_up(f->next, VIP2, "n3");
	fix_down(f->next, "fd00::1");
	expect(f, "address lost 10.0.0.1 n2>-", "address removed 10.0.0.1 n2>-",
	       "address added 10.0.0.2 ->n3", "address added fd00::1 ->-", NULL);
	assert_string_equal(f->events.list[0].group, "fs");
}

static void removed_when_unavailable_is_not_lost_again(void **state)
{
	struct fixture *f = *state;

	fix_down(f->old, VIP);
	expect(f, "address removed 10.0.0.1 ->-", NULL);
}

static void nodes_go_and_come(void **state)
{
	struct fixture *f = *state;

	f->old = cluster_state_new(f);
	f->next = cluster_state_new(f);
	fix_node(f->old, "goes", "o");
	fix_node(f->old, "comes", "");
	fix_node(f->old, "removed", "o");
	fix_node(f->old, "removed while offline", "");
	fix_node(f->next, "goes", "");
	fix_node(f->next, "comes", "o");
	fix_node(f->next, "added", "o");
	fix_node(f->next, "added offline", "d");
	expect(f, "node down removed", "node down goes", "node up comes", "node up added", NULL);
}

static void draining_is_told_when_it_begins(void **state)
{
	struct fixture *f = *state;

	f->old = cluster_state_new(f);
	f->next = cluster_state_new(f);
	fix_node(f->old, "begins", "o");
	fix_node(f->old, "goes on", "od");
	fix_node(f->old, "ends", "od");
	fix_node(f->old, "was offline", "d");
	fix_node(f->next, "begins", "od");
	fix_node(f->next, "goes on", "od");
	fix_node(f->next, "ends", "o");
	fix_node(f->next, "was offline", "od");
	expect(f, "node draining begins", "node up was offline", "node draining was offline", NULL);
}

static void node_death_takes_its_addresses(void **state)
{
	struct fixture *f = *state;

	fix_up(f->old, VIP, "n2");
	fix_up(f->old, VIP2, "n2");
	f->next = cluster_state_new(f);
	fix_node(f->next, "n1", "ol");
	fix_node(f->next, "n2", "");
	fix_node(f->next, "n3", "o");
	fix_addr(f->next, VIP, "n2", CLUSTER_ADDR_UNAVAILABLE);
	fix_up(f->next, VIP2, "n3");
	expect(f, "node down n2", "address lost 10.0.0.1 n2>-", "address moved 10.0.0.2 n2>n3",
	       NULL);
}

static void shares_move(void **state)
{
	struct fixture *f = *state;

	fix_share(f->old, "data", "n1");
	fix_share(f->old, "Home", "n2");
	fix_share(f->old, "stopped", "n2");
	fix_share(f->old, "removed", "n2");
	fix_share(f->next, "data", "n2");
	fix_share(f->next, "HOME", "n2");
	fix_share(f->next, "stopped", NULL);
	fix_share(f->next, "added", "n3");
	expect(f, "share moved data n1>n2", "share moved stopped n2>-", NULL);
	assert_int_equal(f->effective->num_shares, 4);
}

/* Nobody serves it while its data are on their way: where it came from is remembered. */
static void a_share_comes_from_where_it_was_last(void **state)
{
	struct fixture *f = *state;

	fix_share(f->old, "data", "n1");
	fix_share(f->old, "new", NULL);
	fix_share(f->next, "data", NULL);
	fix_share(f->next, "new", NULL);
	expect(f, "share moved data n1>-", NULL);
	f->old = f->effective;
	f->next = fix_state(f);
	fix_share(f->next, "data", NULL);
	fix_share(f->next, "new", NULL);
	expect(f, NULL);
	f->old = f->effective;
	f->next = fix_state(f);
	fix_share(f->next, "data", "n2");
	fix_share(f->next, "new", "n2");
	expect(f, "share moved data n1>n2", "share moved new ->n2", NULL);
	assert_string_equal(cluster_state_share(f->effective, "data")->last, "n2");
}

static void what_an_address_is_for_is_kept(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = fix_ip(VIP);
	const struct cluster_share *share;

	fix_up(f->old, VIP, "n2");
	fix_net_name(f->old, VIP, "FS1");
	fix_tied_share(f->old, "data", "n2", "fs", VIP);
	f->next->quorate = false; /* what n2 had stays, though nothing is said of it */
	expect(f, "quorum lost", NULL);
	share = cluster_state_share(f->effective, "data");
	assert_int_equal(share->num_addrs, 1);
	assert_true(ipaddr_equal(&share->addrs[0], &ip));
	assert_true(cluster_state_addr(f->effective, &ip)->tied);
	assert_string_equal(cluster_state_addr(f->effective, &ip)->net_names[0], "FS1");
	f->old = f->effective;
	f->next = fix_state(f);
	expect(f, "quorum gained", "address lost 10.0.0.1 n2>-", "address removed 10.0.0.1 n2>-",
	       "net names changed", NULL);
	assert_string_equal(f->events.list[1].net_names[0], "FS1");
}

static void other_net_names_are_an_event(void **state)
{
	struct fixture *f = *state;

	fix_up(f->old, VIP, "n2");
	fix_net_name(f->old, VIP, "FS1");
	fix_up(f->next, VIP, "n2");
	fix_net_name(f->next, VIP, "FS1");
	expect(f, NULL);
	f->next = fix_state(f);
	fix_up(f->next, VIP, "n3");
	fix_net_name(f->next, VIP, "FS2");
	expect(f, "address moved 10.0.0.1 n2>n3", "net names changed", NULL);
	assert_ptr_equal(f->events.list[1].before, f->old);
	f->old = f->effective;
	f->next = fix_state(f);
	fix_up(f->next, VIP, "n3");
	expect(f, "net names changed", NULL);
}

static void shares_of_other_nodes_stay_without_quorum(void **state)
{
	struct fixture *f = *state;

	f->next->quorate = false;
	fix_share(f->old, "removed", "n2");
	fix_share(f->old, "stopped", "n2");
	fix_share(f->old, "own", "n1");
	fix_share(f->old, "own removed", "n1");
	fix_share(f->next, "stopped", NULL);
	fix_share(f->next, "own", NULL);
	expect(f, "quorum lost", "share moved own n1>-", NULL);
	assert_string_equal(cluster_state_share(f->effective, "stopped")->node, "n2");
	assert_string_equal(cluster_state_share(f->effective, "removed")->node, "n2");
	assert_null(cluster_state_share(f->effective, "own removed"));
}

/* --- a random walk of snapshots --- */

#define WALK_NODES  4
#define WALK_ADDRS  6
#define WALK_SHARES 3

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static const char *const node_names[WALK_NODES] = {"n1", "n2", "n3", "n4"};

static const char *random_node(uint32_t *seed, const struct cluster_state *state)
{
	return state->nodes[next_random(seed) % state->num_nodes].name;
}

static struct cluster_state *random_snapshot(TALLOC_CTX *mem_ctx, uint32_t *seed)
{
	struct cluster_state *state = cluster_state_new(mem_ctx);
	char text[32];

	state->quorate = next_random(seed) % 4 != 0;
	for (int i = 0; i < WALK_NODES; i++) {
		if (i == 0 || next_random(seed) % 8 != 0) {
			fix_node(state, node_names[i],
				 i == 0                  ? "ol"
				 : next_random(seed) % 3 ? "o"
							 : "d");
		}
	}
	for (int i = 0; i < WALK_ADDRS; i++) {
		enum cluster_addr_state addr_state = next_random(seed) % 3;
		bool placed = addr_state == CLUSTER_ADDR_AVAILABLE || next_random(seed) % 2 == 0;

		snprintf(text, sizeof(text), "10.0.0.%d", i);
		if (next_random(seed) % 6 != 0) {
			fix_addr(state, text, placed ? random_node(seed, state) : NULL, addr_state);
		}
	}
	for (int i = 0; i < WALK_SHARES; i++) {
		snprintf(text, sizeof(text), "share%d", i);
		if (next_random(seed) % 6 != 0) {
			fix_share(state, text,
				  next_random(seed) % 3 ? random_node(seed, state) : NULL);
		}
	}
	return state;
}

/* What one knows who only hears events. */
struct model {
	bool quorate;
	bool online[WALK_NODES];
	struct {
		bool there, up;
		const char *node;
	} addrs[WALK_ADDRS];
};

static const char *model_node(const char *name)
{
	for (int i = 0; name != NULL && i < WALK_NODES; i++) {
		if (strcmp(node_names[i], name) == 0) {
			return node_names[i];
		}
	}
	assert_null(name);
	return NULL;
}

static void model_fill(struct model *model, const struct cluster_state *state)
{
	model->quorate = state->quorate;
	for (int i = 0; i < WALK_NODES; i++) {
		const struct cluster_node *node = cluster_state_node(state, node_names[i]);

		model->online[i] = node != NULL && node->online;
	}
	for (int i = 0; i < WALK_ADDRS; i++) {
		struct ipaddr ip = {.family = AF_INET, .bytes = {10, 0, 0, (uint8_t)i}};
		const struct cluster_addr *addr = cluster_state_addr(state, &ip);

		model->addrs[i].there = addr != NULL;
		model->addrs[i].up = addr != NULL && addr->state == CLUSTER_ADDR_AVAILABLE;
		model->addrs[i].node = model->addrs[i].up ? model_node(addr->node) : NULL;
	}
}

static void model_apply(struct model *model, const struct cluster_event *event,
			const struct cluster_state *state)
{
	size_t a = event->ip.bytes[3];
	const struct cluster_addr *addr = cluster_state_addr(state, &event->ip);

	switch (event->type) {
	case CLUSTER_ADDR_LOST:
		assert_true(model->addrs[a].there);
		model->addrs[a].up = false;
		model->addrs[a].node = NULL;
		break;
	case CLUSTER_ADDR_BACK:
		assert_true(model->addrs[a].there && !model->addrs[a].up);
		model->addrs[a].up = true;
		model->addrs[a].node = model_node(event->to);
		break;
	case CLUSTER_ADDR_MOVED:
		assert_true(model->addrs[a].up);
		assert_ptr_equal(model->addrs[a].node, model_node(event->from));
		assert_ptr_not_equal(model->addrs[a].node, model_node(event->to));
		model->addrs[a].node = model_node(event->to);
		break;
	case CLUSTER_ADDR_ADDED:
		assert_false(model->addrs[a].there);
		model->addrs[a].there = true;
		model->addrs[a].up = addr->state == CLUSTER_ADDR_AVAILABLE;
		model->addrs[a].node = model->addrs[a].up ? model_node(addr->node) : NULL;
		break;
	case CLUSTER_ADDR_REMOVED:
		assert_true(model->addrs[a].there && !model->addrs[a].up);
		model->addrs[a].there = false;
		break;
	case CLUSTER_NODE_UP:
	case CLUSTER_NODE_DOWN:
		for (int i = 0; i < WALK_NODES; i++) {
			if (strcmp(event->name, node_names[i]) == 0) {
				assert_int_equal(model->online[i],
						 event->type == CLUSTER_NODE_DOWN);
				model->online[i] = event->type == CLUSTER_NODE_UP;
			}
		}
		break;
	case CLUSTER_QUORUM_GAINED:
	case CLUSTER_QUORUM_LOST:
		model->quorate = event->type == CLUSTER_QUORUM_GAINED;
		break;
	default:
		break;
	}
}

static void models_equal(const struct model *a, const struct model *b)
{
	assert_int_equal(a->quorate, b->quorate);
	for (int i = 0; i < WALK_NODES; i++) {
		assert_int_equal(a->online[i], b->online[i]);
	}
	for (int i = 0; i < WALK_ADDRS; i++) {
		assert_int_equal(a->addrs[i].there, b->addrs[i].there);
		assert_int_equal(a->addrs[i].up, b->addrs[i].up);
		assert_ptr_equal(a->addrs[i].node, b->addrs[i].node);
	}
}

/* With quorum the effective state is the snapshot, but for what the snapshot does not know. */
static void effective_equals_snapshot(const struct cluster_state *effective,
				      const struct cluster_state *next)
{
	assert_int_equal(effective->num_addrs, next->num_addrs);
	assert_int_equal(effective->num_shares, next->num_shares);
	for (size_t i = 0; i < next->num_addrs; i++) {
		const struct cluster_addr *want = &next->addrs[i];
		const struct cluster_addr *have = cluster_state_addr(effective, &want->ip);

		assert_non_null(have);
		if (want->state != CLUSTER_ADDR_UNKNOWN) {
			assert_int_equal(have->state, want->state);
			assert_string_equal(or_dash(have->node), or_dash(want->node));
		}
	}
	for (size_t i = 0; i < next->num_shares; i++) {
		const struct cluster_share *have =
			cluster_state_share(effective, next->shares[i].name);

		assert_string_equal(or_dash(have->node), or_dash(next->shares[i].node));
	}
}

/* Without quorum nothing that another node had is lost. */
static void nothing_foreign_lost(const struct cluster_events *events)
{
	for (size_t i = 0; i < events->num; i++) {
		const struct cluster_event *event = &events->list[i];

		if (event->type == CLUSTER_ADDR_LOST || event->type == CLUSTER_ADDR_REMOVED) {
			assert_string_equal(event->from, "n1");
		}
	}
}

static void walk(uint32_t seed)
{
	struct cluster_state *current = NULL;
	struct model heard = {0}, truth = {0};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (int step = 0; step < 200; step++) {
		TALLOC_CTX *tmp = talloc_new(mem);
		struct cluster_state *next = random_snapshot(tmp, &seed), *effective = NULL;
		struct cluster_events events = {0};
		char *why = NULL;

		assert_int_equal(cluster_diff(tmp, current, next, &effective, &events), 0);
		assert_int_equal(cluster_state_check(tmp, effective, &why), 0);
		for (size_t i = 0; i < events.num; i++) {
			if (events.list[i].type == CLUSTER_FRESH) {
				model_fill(&heard, effective);
			}
			model_apply(&heard, &events.list[i], effective);
		}
		model_fill(&truth, effective);
		models_equal(&heard, &truth);
		if (next->quorate) {
			effective_equals_snapshot(effective, next);
		} else {
			nothing_foreign_lost(&events);
		}
		talloc_free(current);
		current = talloc_steal(mem, effective);
		talloc_free(tmp);
	}
	talloc_free(mem);
}

static void events_tell_the_whole_story(void **unused)
{
	for (uint32_t seed = 1; seed <= 100; seed++) {
		walk(seed * 2654435761u);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_snapshot_is_fresh_and_nothing_else),
		TEST(same_again_is_silent),
		TEST(addresses_with_quorum),
		TEST(other_nodes_addresses_without_quorum),
		TEST(own_address_is_lost_without_quorum),
		TEST(own_address_is_known_from_before),
		TEST(removed_while_unquorate_is_told_when_quorum_returns),
		TEST(lost_while_unquorate_is_told_when_quorum_returns),
		TEST(back_before_quorum_returned_is_silent),
		TEST(added_and_removed),
		TEST(removed_when_unavailable_is_not_lost_again),
		TEST(nodes_go_and_come),
		TEST(draining_is_told_when_it_begins),
		TEST(node_death_takes_its_addresses),
		TEST(shares_move),
		TEST(a_share_comes_from_where_it_was_last),
		TEST(what_an_address_is_for_is_kept),
		TEST(other_net_names_are_an_event),
		TEST(shares_of_other_nodes_stay_without_quorum),
		cmocka_unit_test(events_tell_the_whole_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
