/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the answers of three ctdbds amount to. Those of moves were recorded from 4.17.12, with scripts that
 * take a second to release and half a second to take an address.
 */
#include "backends/ctdb/view.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "backends/ctdb/news.h"
#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/packet.h"
#include "witnessd/util/log.h"

#define SETTLE_MS  1000
#define NOBODY     CTDB_UNKNOWN_PNN
#define GENERATION 1028480211U

struct fixture {
	struct config *config;
	struct ctdb_names *names;
	struct ctdb_view *view;
	struct cluster_state *state;
	struct ctdb_view_intents intents;
	uint64_t now_ms, next_ms;
	uint32_t flags[3]; /* as this node's ctdbd sees them, unless told otherwise */
};

static struct ipaddr ip_of(const char *text)
{
	struct ipaddr ip;

	assert_int_equal(ipaddr_parse(text, &ip), 0);
	return ip;
}

static struct fixture *create(bool node_addresses, const char *names)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	char *override = talloc_asprintf(f, "ctdb.node_names=%s", names), *why = NULL;
	const char *const overrides[] = {override, NULL};
	struct ctdb_view_config view = {.settle_ms = SETTLE_MS, .node_addresses = node_addresses};

	assert_int_equal(config_load(f, "/dev/null", false, overrides, &f->config, &why), 0);
	assert_int_equal(ctdb_names_create(f, f->config, &f->names), 0);
	view.names = f->names;
	f->view = ctdb_view_create(f, &view);
	assert_non_null(f->view);
	f->now_ms = 100000;
	return f;
}

static struct ctdb_nodemap *make_map(TALLOC_CTX *mem_ctx, const uint32_t flags[3])
{
	struct ctdb_nodemap *map = talloc_zero(mem_ctx, struct ctdb_nodemap);

	map->num = 3;
	map->list = talloc_zero_array(map, struct ctdb_node, 3);
	for (uint32_t i = 0; i < 3; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.77.1.%u", i + 1);
		map->list[i] = (struct ctdb_node){.pnn = i, .flags = flags[i], .ip = ip_of(text)};
	}
	return map;
}

/* This node's ctdbd, which is node 0. */
static void look(struct fixture *f, uint32_t runstate, uint32_t recmode, uint32_t generation)
{
	struct ctdb_nodemap *map = make_map(f, f->flags);
	const struct ctdb_view_local local = {.pnn = 0,
					      .runstate = runstate,
					      .recmode = recmode,
					      .generation = generation,
					      .map = map};

	assert_int_equal(ctdb_view_local(f->view, &local), 0);
	talloc_free(map);
}

/* "2 2 0 0": who shall have 10.77.2.1, .2 and so on; - for nobody. */
static void answer_stamped(struct fixture *f, uint32_t pnn, uint64_t stamp, const char *targets)
{
	struct ctdb_iplist *ips = talloc_zero(f, struct ctdb_iplist);
	struct ctdb_nodemap *map = make_map(ips, f->flags);

	ips->list = talloc_zero_array(ips, struct ctdb_ip, 8);
	for (const char *c = targets; *c != '\0'; c += c[1] == ' ' ? 2 : 1) {
		char text[32];

		snprintf(text, sizeof(text), "10.77.2.%zu", ips->num + 1);
		ips->list[ips->num++] = (struct ctdb_ip){
			.pnn = *c == '-' ? NOBODY : (uint32_t)(*c - '0'), .ip = ip_of(text)};
	}
	assert_int_equal(ctdb_view_answer(f->view, pnn, stamp, f->now_ms, map, ips), 0);
	talloc_free(ips);
}

static void answer(struct fixture *f, uint32_t pnn, const char *targets)
{
	answer_stamped(f, pnn, ctdb_view_stamp(f->view), targets);
}

static void compose(struct fixture *f)
{
	char *why = NULL;

	TALLOC_FREE(f->state);
	assert_int_equal(
		ctdb_view_compose(f->view, f, f->now_ms, &f->state, &f->intents, &f->next_ms), 0);
	if (cluster_state_check(f, f->state, &why) != 0) {
		fail_msg("%s", why);
	}
}

/* "1 1 0 ?" : who has .1, .2 and so on: a node, - nobody, or ? unknown. */
static void expect(struct fixture *f, const char *owners)
{
	size_t i = 0;

	for (const char *c = owners; *c != '\0'; c += c[1] == ' ' ? 2 : 1) {
		char text[32], node[32];
		const struct cluster_addr *addr;
		struct ipaddr ip;

		snprintf(text, sizeof(text), "10.77.2.%zu", ++i);
		snprintf(node, sizeof(node), "node%c", *c);
		ip = ip_of(text);
		addr = cluster_state_addr(f->state, &ip);
		assert_non_null(addr);
		assert_string_equal(addr->group, text);
		if (*c == '?') {
			assert_int_equal(addr->state, CLUSTER_ADDR_UNKNOWN);
		} else if (*c == '-') {
			assert_int_equal(addr->state, CLUSTER_ADDR_UNAVAILABLE);
			assert_null(addr->node);
		} else {
			assert_int_equal(addr->state, CLUSTER_ADDR_AVAILABLE);
			assert_string_equal(addr->node, node);
		}
	}
}

/* All answer, and all agree: .1 on 2, .2 on 1, .3 and .4 on 0. */
static void settle_in(struct fixture *f)
{
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	for (uint32_t pnn = 0; pnn < 3; pnn++) {
		answer(f, pnn, "2 1 0 0");
	}
	assert_true(ctdb_view_complete(f->view));
	compose(f);
	expect(f, "2 1 0 0");
	assert_true(f->state->quorate);
	assert_int_equal(f->intents.num, 0);
	assert_true(f->next_ms == UINT64_MAX);
}

static int setup(void **state)
{
	log_setup("test", "stderr", LOG_CRIT);
	*state = create(false, "");
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static const struct cluster_node *node(struct fixture *f, const char *name)
{
	const struct cluster_node *found = cluster_state_node(f->state, name);

	assert_non_null(found);
	return found;
}

/* --- the first state --- */

static void nothing_is_said_before_ctdbd_runs(void **state)
{
	struct fixture *f = *state;

	assert_false(ctdb_view_complete(f->view));
	look(f, CTDB_RUNSTATE_STARTUP, 0, GENERATION);
	for (uint32_t pnn = 0; pnn < 3; pnn++) {
		answer(f, pnn, "2 1 0 0");
	}
	assert_false(ctdb_view_complete(f->view));
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	assert_true(ctdb_view_complete(f->view));
}

static void every_reachable_node_is_heard_first(void **state)
{
	struct fixture *f = *state;

	f->flags[2] = CTDB_NODE_DISCONNECTED | CTDB_NODE_UNHEALTHY;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "0 1 0 0");
	assert_false(ctdb_view_complete(f->view));
	ctdb_view_no_answer(f->view, 1); /* or is not to be waited for */
	assert_true(ctdb_view_complete(f->view));
}

static void first_state_is_what_the_hosts_say(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	assert_int_equal(f->state->num_nodes, 3);
	assert_int_equal(f->state->num_addrs, 4);
	assert_true(node(f, "node0")->local);
	assert_true(node(f, "node2")->online);
	assert_false(node(f, "node2")->draining);
	assert_int_equal(node(f, "node2")->id, 2);
}

/* Node 1 does not answer: what others believe to be there is not known to be lost. */
static void silent_node_at_the_start_leaves_its_addresses_unknown(void **state)
{
	struct fixture *f = *state;

	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "2 1 0 -");
	ctdb_view_no_answer(f->view, 1);
	answer(f, 2, "2 1 0 -");
	compose(f);
	expect(f, "2 ? 0 -");
	answer(f, 1, "2 1 0 -");
	compose(f);
	expect(f, "2 1 0 -");
}

static void nodes_may_have_different_addresses(void **state)
{
	struct fixture *f = *state;

	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "0");
	answer(f, 1, "0 1");
	answer(f, 2, "");
	compose(f);
	assert_int_equal(f->state->num_addrs, 2);
	expect(f, "0 1");
	answer(f, 1, "0"); /* out of its file */
	compose(f);
	assert_int_equal(f->state->num_addrs, 1);
}

/* --- moves --- */

static void recorded_move_is_an_intent_a_loss_and_a_return(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	/* The bystander has been told first: the host's script still runs. */
	answer(f, 0, "2 2 0 0");
	compose(f);
	expect(f, "2 1 0 0");
	assert_int_equal(f->intents.num, 1);
	assert_int_equal(f->intents.list[0].kind, BACKEND_INTENT_ADDR);
	assert_string_equal(f->intents.list[0].what, "10.77.2.2");
	assert_string_equal(f->intents.list[0].from, "node1");
	assert_string_equal(f->intents.list[0].to, "node2");
	/* Once is enough. */
	answer(f, 0, "2 2 0 0");
	compose(f);
	assert_int_equal(f->intents.num, 0);
	/* The host is done, and the new one says that it has it, though its script still runs. */
	answer(f, 1, "2 2 0 0");
	answer(f, 2, "2 2 0 0");
	compose(f);
	expect(f, "2 - 0 0");
	assert_true(f->next_ms == f->now_ms + SETTLE_MS);
	/* TAKE_IP, relayed. */
	f->now_ms += 500;
	{
		struct ipaddr ip = ip_of("10.77.2.2");

		assert_int_equal(ctdb_view_taken(f->view, 2, &ip, f->now_ms), 0);
	}
	compose(f);
	expect(f, "2 2 0 0");
	assert_int_equal(f->intents.num, 0);
	/* And back: the next move has its own intent. */
	answer(f, 0, "2 1 0 0");
	compose(f);
	assert_int_equal(f->intents.num, 1);
	assert_string_equal(f->intents.list[0].to, "node1");
}

static void move_without_its_messages_settles(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	for (uint32_t pnn = 0; pnn < 3; pnn++) {
		answer(f, pnn, "2 2 0 0");
	}
	compose(f);
	expect(f, "2 - 0 0");
	f->now_ms += SETTLE_MS - 1;
	compose(f);
	expect(f, "2 - 0 0");
	assert_true(f->next_ms == f->now_ms + 1);
	f->now_ms++;
	compose(f);
	expect(f, "2 2 0 0");
	assert_true(f->next_ms == UINT64_MAX);
}

/* 4.20 says so with IPREALLOCATED, 4.17 with the end of DISABLE_TAKEOVER_RUNS. */
static void end_of_a_takeover_run_confirms(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	for (uint32_t pnn = 0; pnn < 3; pnn++) {
		answer(f, pnn, "2 2 0 0");
	}
	ctdb_view_run_ended(f->view, f->now_ms);
	compose(f);
	expect(f, "2 - 0 0"); /* said before the end */
	answer(f, 2, "2 2 0 0");
	compose(f);
	expect(f, "2 2 0 0");
	/* Not for ever: this is another run. */
	ctdb_view_run_began(f->view);
	answer(f, 2, "2 1 0 0");
	answer(f, 1, "2 1 0 0");
	compose(f);
	expect(f, "2 - 0 0");
	ctdb_view_run_ended(f->view, f->now_ms);
	f->now_ms += 600;
	answer(f, 1, "2 1 0 0");
	compose(f);
	expect(f, "2 - 0 0");
}

static void host_keeps_its_address_against_others(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	/* A cut that was healed: both have it, and the one that is known says so. */
	answer(f, 2, "2 2 0 0");
	f->now_ms += 10 * SETTLE_MS;
	compose(f);
	expect(f, "2 1 0 0");
	answer(f, 1, "2 2 0 0");
	compose(f);
	expect(f, "2 2 0 0");
}

static void failed_move_leaves_it_with_nobody(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = ip_of("10.77.2.2");

	settle_in(f);
	assert_int_equal(ctdb_view_released(f->view, 1, &ip, f->now_ms), 0);
	compose(f);
	expect(f, "2 - 0 0");
	for (uint32_t pnn = 0; pnn < 3; pnn++) {
		answer(f, pnn, "2 - 0 0");
	}
	f->now_ms += 10 * SETTLE_MS;
	compose(f);
	expect(f, "2 - 0 0");
	assert_int_equal(f->intents.num, 0);
}

static void intent_that_was_withdrawn_can_come_again(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	for (int i = 0; i < 2; i++) {
		answer(f, 0, "2 2 0 0");
		compose(f);
		assert_int_equal(f->intents.num, 1);
		answer(f, 0, "2 1 0 0");
		compose(f);
		assert_int_equal(f->intents.num, 0);
	}
}

/* --- messages and answers overtake each other --- */

static void answer_to_an_older_question_does_not_undo_a_message(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = ip_of("10.77.2.2");
	uint64_t before;

	settle_in(f);
	before = ctdb_view_stamp(f->view);
	assert_int_equal(ctdb_view_released(f->view, 1, &ip, f->now_ms), 0);
	answer_stamped(f, 1, before, "2 1 0 0");
	compose(f);
	expect(f, "2 - 0 0");
	before = ctdb_view_stamp(f->view);
	assert_int_equal(ctdb_view_taken(f->view, 2, &ip, f->now_ms), 0);
	answer_stamped(f, 2, before, "2 - 0 0");
	compose(f);
	expect(f, "2 2 0 0");
	answer(f, 2, "2 - 0 0"); /* this one is newer */
	compose(f);
	expect(f, "2 - 0 0");
}

/* The messages of two nodes have no order. */
static void take_may_be_heard_before_the_release(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = ip_of("10.77.2.2");

	settle_in(f);
	assert_int_equal(ctdb_view_taken(f->view, 2, &ip, f->now_ms), 0);
	compose(f);
	expect(f, "2 2 0 0");
	assert_int_equal(ctdb_view_released(f->view, 1, &ip, f->now_ms), 0);
	compose(f);
	expect(f, "2 2 0 0");
}

/* There and back between two looks of the core: the last one counts. */
static void two_moves_may_be_heard_at_once(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = ip_of("10.77.2.2");

	settle_in(f);
	assert_int_equal(ctdb_view_taken(f->view, 2, &ip, f->now_ms), 0);
	assert_int_equal(ctdb_view_taken(f->view, 1, &ip, f->now_ms), 0);
	compose(f);
	expect(f, "2 1 0 0");
}

static void messages_about_nothing_known_are_refused(void **state)
{
	struct fixture *f = *state;
	struct ipaddr other = ip_of("10.9.9.9"), ip = ip_of("10.77.2.2");

	settle_in(f);
	assert_int_equal(ctdb_view_taken(f->view, 1, &other, f->now_ms), ENOENT);
	assert_int_equal(ctdb_view_taken(f->view, 3, &ip, f->now_ms), ENOENT);
	assert_int_equal(ctdb_view_released(f->view, NOBODY, &ip, f->now_ms), ENOENT);
	compose(f);
	assert_int_equal(f->state->num_addrs, 4);
	expect(f, "2 1 0 0");
}

/* --- nodes --- */

static void node_that_is_to_be_left_drains(void **state)
{
	static const uint32_t flags[] = {CTDB_NODE_DISABLED, CTDB_NODE_UNHEALTHY, CTDB_NODE_STOPPED,
					 CTDB_NODE_BANNED};
	struct fixture *f = *state;

	settle_in(f);
	for (size_t i = 0; i < 4; i++) {
		/* It says so itself a second before this node's ctdbd has heard of it. */
		f->flags[1] = flags[i];
		answer(f, 1, "2 1 0 0");
		compose(f);
		assert_true(node(f, "node1")->online);
		assert_true(node(f, "node1")->draining);
		expect(f, "2 1 0 0");
		/* Stopped or banned, it is no member once it has nothing left. */
		answer(f, 1, "2 - 0 0");
		compose(f);
		assert_int_equal(node(f, "node1")->online, (flags[i] & CTDB_NODE_INACTIVE) == 0);
		f->flags[1] = 0;
		answer(f, 1, "2 1 0 0");
		f->now_ms += 10 * SETTLE_MS;
		compose(f);
		assert_false(node(f, "node1")->draining);
		expect(f, "2 1 0 0");
	}
}

static void own_end_drains(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	look(f, CTDB_RUNSTATE_SHUTDOWN, 0, GENERATION);
	compose(f);
	assert_true(node(f, "node0")->draining);
	assert_true(node(f, "node0")->online);
	assert_true(f->state->quorate);
}

static void stopped_node_gets_nothing(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[2] = CTDB_NODE_STOPPED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 2, "2 2 0 0");
	answer(f, 1, "2 2 0 0");
	f->now_ms += 10 * SETTLE_MS;
	compose(f);
	expect(f, "2 - 0 0");
}

static void lost_node_loses_its_addresses(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[1] = CTDB_NODE_DISCONNECTED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "2 1 0 0");
	/* Node 2 has not been asked again, and saw it when it was. */
	compose(f);
	expect(f, "2 ? 0 0");
	assert_true(node(f, "node1")->online);
	assert_false(node(f, "node1")->draining);
	answer(f, 2, "2 1 0 0");
	compose(f);
	expect(f, "2 - 0 0");
	assert_false(node(f, "node1")->online);
	assert_true(f->state->quorate); /* two of three */
	/* It comes back, without anything. */
	f->flags[1] = 0;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION + 1);
	compose(f);
	expect(f, "2 - 0 0");
	assert_true(node(f, "node1")->online);
}

static void node_that_hangs_keeps_its_addresses_unknown(void **state)
{
	struct fixture *f = *state;
	struct ipaddr ip = ip_of("10.77.2.2");

	settle_in(f);
	ctdb_view_no_answer(f->view, 1);
	compose(f);
	expect(f, "2 ? 0 0");
	/* Somebody else has it: it need not answer for that. */
	answer(f, 2, "2 2 0 0");
	compose(f);
	expect(f, "2 ? 0 0");
	assert_int_equal(ctdb_view_taken(f->view, 2, &ip, f->now_ms), 0);
	compose(f);
	expect(f, "2 2 0 0");
}

static void deleted_nodes_are_none(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[1] = CTDB_NODE_DELETED | CTDB_NODE_DISCONNECTED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "2 - 0 0");
	answer(f, 2, "2 - 0 0");
	compose(f);
	assert_int_equal(f->state->num_nodes, 2);
	expect(f, "2 - 0 0");
	assert_true(f->state->quorate);
}

/* --- who has a say --- */

static void cut_off_node_holds_its_tongue(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[1] = f->flags[2] = CTDB_NODE_DISCONNECTED | CTDB_NODE_UNHEALTHY;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "2 1 0 0");
	compose(f);
	assert_false(f->state->quorate);
	expect(f, "? ? 0 0");
	look(f, CTDB_RUNSTATE_RUNNING, 1, GENERATION); /* it tries to recover */
	compose(f);
	assert_false(f->state->quorate);
	/* Healed: they have been there all the time. */
	f->flags[1] = f->flags[2] = 0;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION + 1);
	compose(f);
	expect(f, "? ? 0 0");
	answer(f, 1, "2 1 0 0");
	answer(f, 2, "2 1 0 0");
	compose(f);
	assert_true(f->state->quorate);
	expect(f, "2 1 0 0");
}

/* ctdbd finds the others lost one after the other, seconds apart; but none of them answers before that. */
static void cut_off_node_is_not_deceived_by_the_first_loss(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	ctdb_view_no_answer(f->view, 1);
	ctdb_view_no_answer(f->view, 2);
	f->flags[1] = CTDB_NODE_DISCONNECTED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "2 1 0 0");
	compose(f);
	assert_false(f->state->quorate);
	expect(f, "? ? 0 0");
	/* It was that one, and the other one was only slow. */
	answer(f, 2, "2 1 0 0");
	compose(f);
	assert_true(f->state->quorate);
	expect(f, "2 - 0 0");
}

/* Two nodes of three are shut down for good: CTDB goes on with one, and so do we. */
static void recovery_without_the_others_settles_it(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[1] = f->flags[2] = CTDB_NODE_DISCONNECTED;
	look(f, CTDB_RUNSTATE_RUNNING, 1, GENERATION + 1);
	answer(f, 0, "2 1 0 0");
	compose(f);
	assert_false(f->state->quorate);
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION + 1);
	answer(f, 0, "0 0 0 0");
	compose(f);
	assert_true(f->state->quorate);
	expect(f, "- - 0 0");
	f->now_ms += SETTLE_MS;
	compose(f);
	expect(f, "0 0 0 0");
}

/* Less than most from the start, by CTDB's own decision; then another one is lost, or this one cut off. */
static void minority_that_loses_another_waits_for_a_recovery(void **state)
{
	struct fixture *f = *state;

	f->flags[1] = CTDB_NODE_DISCONNECTED;
	f->flags[2] = CTDB_NODE_DISCONNECTED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "0 0 0 0");
	compose(f);
	assert_true(f->state->quorate);
	f->flags[1] = 0;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION + 1);
	answer(f, 1, "0 0 0 0");
	compose(f);
	assert_true(f->state->quorate);
	f->flags[1] = CTDB_NODE_DISCONNECTED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION + 1);
	compose(f);
	assert_false(f->state->quorate);
	/* A recovery so quick that loss and new generation are seen together. */
	f->flags[1] = 0;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION + 2);
	f->flags[1] = CTDB_NODE_DISCONNECTED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION + 3);
	compose(f);
	assert_true(f->state->quorate);
}

static void non_members_have_no_say(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	f->flags[0] = CTDB_NODE_BANNED;
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "2 1 0 0");
	compose(f);
	assert_false(f->state->quorate);
	f->flags[0] = 0;
	answer(f, 0, "2 1 0 0");
	look(f, CTDB_RUNSTATE_RUNNING, 0, CTDB_GENERATION_INVALID);
	compose(f);
	assert_false(f->state->quorate);
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	compose(f);
	assert_true(f->state->quorate);
}

/* --- a new connection --- */

static void reconnect_shows_how_it_is(void **state)
{
	struct fixture *f = *state;

	settle_in(f);
	ctdb_view_reset(f->view);
	assert_false(ctdb_view_complete(f->view));
	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	for (uint32_t pnn = 0; pnn < 3; pnn++) {
		assert_false(ctdb_view_complete(f->view));
		answer(f, pnn, "2 2 0 0");
	}
	compose(f);
	expect(f, "2 2 0 0"); /* at once: nobody saw it move */
	assert_int_equal(f->intents.num, 0);
}

/* --- what does not fit --- */

static void more_than_ctdb_can_have_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ctdb_nodemap map = {.num = CTDB_VIEW_MAX_NODES + 1};
	struct ctdb_iplist ips = {.num = CTDB_VIEW_MAX_ADDRS + 1}, none = {.num = 0};
	const struct ctdb_view_local local = {.map = &map};

	assert_int_equal(ctdb_view_local(f->view, &local), EMSGSIZE);
	settle_in(f);
	assert_int_equal(ctdb_view_answer(f->view, 1, 99, f->now_ms, &map, &ips), EMSGSIZE);
	assert_int_equal(ctdb_view_answer(f->view, 1, 99, f->now_ms, &map, &none), EMSGSIZE);
	assert_int_equal(ctdb_view_answer(f->view, 9, 99, f->now_ms, &map, &none), ENOENT);
	/* A node whose map does not even have itself. */
	map.num = 1;
	assert_int_equal(ctdb_view_answer(f->view, 1, 99, f->now_ms, &map, &none), EMSGSIZE);
}

static void nodes_file_may_become_shorter(void **state)
{
	struct fixture *f = *state;
	struct ctdb_nodemap *map = make_map(f, f->flags);
	struct ctdb_view_local local = {
		.runstate = CTDB_RUNSTATE_RUNNING, .generation = GENERATION, .map = map};

	settle_in(f);
	map->num = 2;
	assert_int_equal(ctdb_view_local(f->view, &local), 0);
	compose(f);
	assert_int_equal(f->state->num_nodes, 2);
	expect(f, "- 1 0 0");
	map->num = 0;
	assert_int_equal(ctdb_view_local(f->view, &local), 0);
	assert_false(ctdb_view_complete(f->view));
	compose(f);
	assert_int_equal(f->state->num_addrs, 0);
	assert_false(f->state->quorate);
}

/* --- names and addresses of nodes --- */

static void nodes_have_the_configured_names(void **state)
{
	struct fixture *f = create(true, "alpha beta");
	struct ipaddr ip = ip_of("10.77.1.2");
	const struct cluster_addr *addr;

	look(f, CTDB_RUNSTATE_RUNNING, 0, GENERATION);
	answer(f, 0, "2 1 0 0");
	answer(f, 1, "2 1 0 0");
	answer(f, 2, "2 1 0 0");
	compose(f);
	assert_true(node(f, "alpha")->local);
	assert_int_equal(node(f, "beta")->id, 1);
	assert_int_equal(node(f, "node2")->id, 2);
	addr = cluster_state_addr(f->state, &ip);
	assert_non_null(addr);
	assert_int_equal(addr->kind, CLUSTER_ADDR_FIXED);
	assert_int_equal(addr->state, CLUSTER_ADDR_AVAILABLE);
	assert_string_equal(addr->node, "beta");
	assert_int_equal(f->state->num_addrs, 7);
	talloc_free(f);
}

static void two_nodes_of_one_name_are_refused(void **state)
{
	static const struct {
		const char *names;
		int err;
	} rows[] = {{"a b a", EINVAL},  {"a node2", EINVAL},  {"a node1", 0},
		    {"node1 node0", 0}, {"node02 node1x", 0}, {"node7 b", EINVAL}};

	log_setup("test", "stderr", LOG_CRIT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		char *override = talloc_asprintf(tmp, "ctdb.node_names=%s", rows[i].names);
		const char *const overrides[] = {override, NULL};
		struct ctdb_names *names = NULL;
		struct config *config = NULL;
		char *why = NULL;

		assert_int_equal(config_load(tmp, "/dev/null", false, overrides, &config, &why), 0);
		assert_int_equal(ctdb_names_create(tmp, config, &names), rows[i].err);
		talloc_free(tmp);
	}
}

static void status_names_the_flags(void **state)
{
	struct fixture *f = *state;
	json_t *status;
	char *text;

	settle_in(f);
	f->flags[1] = CTDB_NODE_BANNED | CTDB_NODE_UNHEALTHY;
	answer(f, 1, "2 1 0 0");
	status = ctdb_view_status(f->view);
	text = json_dumps(status, JSON_SORT_KEYS);
	assert_non_null(strstr(text, "\"flags\": [\"unhealthy\", \"banned\"]"));
	assert_non_null(strstr(text, "\"runstate\": \"running\""));
	free(text);
	json_decref(status);
	assert_string_equal(ctdb_view_summary(f->view, f),
			    "node 0, running, generation 1028480211; node1: unhealthy, banned");
}

/* --- news --- */

static void news_are_read_as_written(void **state)
{
	for (int kind = CTDB_NEWS_TAKEN; kind <= CTDB_NEWS_LOOK; kind++) {
		struct ctdb_news news = {.kind = (enum ctdb_news_kind)kind, .pnn = 7}, read;
		uint8_t buf[CTDB_NEWS_MAX];
		size_t len;

		if (kind != CTDB_NEWS_LOOK) {
			news.ip = ip_of(kind == CTDB_NEWS_TAKEN ? "2001:db8::1" : "10.0.0.1");
		}
		len = ctdb_news_push(&news, buf);
		assert_int_equal(ctdb_news_parse(buf, len, &read), 0);
		assert_int_equal(read.kind, kind);
		assert_int_equal(read.pnn, 7);
		assert_true(ipaddr_equal(&read.ip, &news.ip));
		for (size_t cut = 0; cut < len; cut++) {
			assert_int_equal(ctdb_news_parse(buf, cut, &read), EBADMSG);
		}
		buf[4] = 2;
		assert_int_equal(ctdb_news_parse(buf, len, &read), ENOTSUP);
		buf[4] = 1;
		buf[5] = 9;
		assert_int_equal(ctdb_news_parse(buf, len, &read), ENOTSUP);
		buf[0] = 0;
		assert_int_equal(ctdb_news_parse(buf, len, &read), EBADMSG);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_said_before_ctdbd_runs),
		TEST(every_reachable_node_is_heard_first),
		TEST(first_state_is_what_the_hosts_say),
		TEST(silent_node_at_the_start_leaves_its_addresses_unknown),
		TEST(nodes_may_have_different_addresses),
		TEST(recorded_move_is_an_intent_a_loss_and_a_return),
		TEST(move_without_its_messages_settles),
		TEST(end_of_a_takeover_run_confirms),
		TEST(host_keeps_its_address_against_others),
		TEST(failed_move_leaves_it_with_nobody),
		TEST(intent_that_was_withdrawn_can_come_again),
		TEST(answer_to_an_older_question_does_not_undo_a_message),
		TEST(take_may_be_heard_before_the_release),
		TEST(two_moves_may_be_heard_at_once),
		TEST(messages_about_nothing_known_are_refused),
		TEST(node_that_is_to_be_left_drains),
		TEST(own_end_drains),
		TEST(stopped_node_gets_nothing),
		TEST(lost_node_loses_its_addresses),
		TEST(node_that_hangs_keeps_its_addresses_unknown),
		TEST(deleted_nodes_are_none),
		TEST(cut_off_node_holds_its_tongue),
		TEST(cut_off_node_is_not_deceived_by_the_first_loss),
		TEST(recovery_without_the_others_settles_it),
		TEST(minority_that_loses_another_waits_for_a_recovery),
		TEST(non_members_have_no_say),
		TEST(reconnect_shows_how_it_is),
		TEST(more_than_ctdb_can_have_is_refused),
		TEST(nodes_file_may_become_shorter),
		cmocka_unit_test(nodes_have_the_configured_names),
		cmocka_unit_test(two_nodes_of_one_name_are_refused),
		TEST(status_names_the_flags),
		cmocka_unit_test(news_are_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
