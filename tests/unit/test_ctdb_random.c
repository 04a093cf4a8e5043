/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses move about between simulated nodes, whose answers and messages come late, in any order but that
 * of each node's messages, and not all of them. Whatever happened: once it is quiet the view says what is
 * true; and on its way it never gave an address to a node that had not begun to take it.
 */
#include "backends/ctdb/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "backends/ctdb/opcodes.h"
#include "backends/ctdb/packet.h"
#include "witnessd/util/log.h"

#define NUM_NODES 4U
#define NUM_ADDRS 5U
#define NOBODY    CTDB_UNKNOWN_PNN
#define SETTLE_MS 300
#define STEPS     400
#define RUNS      150
#define IN_FLIGHT 32

enum phase { STAYS, RELEASING, RELEASED, TAKING };

/* The truth about an address. */
struct addr {
	enum phase phase;
	uint32_t owner, to;
	bool began[NUM_NODES]; /* which nodes have ever begun to take it */
};

/* On its way: a message, or a node's answer. */
struct letter {
	bool used, is_answer;
	uint32_t node;
	uint64_t stamp;              /* of the question */
	bool seen;                   /* the node has looked at the question */
	uint32_t beliefs[NUM_ADDRS]; /* what it said then */
	unsigned int addr;           /* of the message */
	bool taken;
	unsigned int number; /* order of the messages */
};

struct sim {
	struct ctdb_names *names;
	struct ctdb_view *view;
	struct addr addrs[NUM_ADDRS];
	uint32_t beliefs[NUM_NODES][NUM_ADDRS];
	struct letter letters[IN_FLIGHT];
	unsigned int last_number;
	uint64_t now_ms, random;
	struct ctdb_nodemap map;
	struct ctdb_node nodes[NUM_NODES];
};

static uint32_t pick(struct sim *sim, uint32_t below)
{
	sim->random = sim->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(sim->random >> 33) % below;
}

static struct ipaddr addr_ip(unsigned int addr)
{
	return (struct ipaddr){.family = AF_INET, .bytes = {10, 0, 2, (uint8_t)(addr + 1)}};
}

static struct letter *new_letter(struct sim *sim)
{
	for (size_t i = 0; i < IN_FLIGHT; i++) {
		if (!sim->letters[i].used) {
			sim->letters[i] = (struct letter){.used = true};
			return &sim->letters[i];
		}
	}
	return NULL;
}

/* A node without a witness relays nothing, and CTDB may lose what is relayed. */
static void relay(struct sim *sim, uint32_t node, unsigned int addr, bool taken)
{
	struct letter *letter = pick(sim, 4) == 0 ? NULL : new_letter(sim);

	if (letter != NULL) {
		letter->node = node;
		letter->addr = addr;
		letter->taken = taken;
		letter->number = ++sim->last_number;
	}
}

static void ask(struct sim *sim, uint32_t node)
{
	struct letter *letter = new_letter(sim);

	if (letter != NULL) {
		letter->is_answer = true;
		letter->node = node;
		letter->stamp = ctdb_view_stamp(sim->view);
	}
}

static void look_at_question(struct sim *sim, struct letter *letter)
{
	letter->seen = true;
	for (unsigned int i = 0; i < NUM_ADDRS; i++) {
		letter->beliefs[i] = sim->beliefs[letter->node][i];
	}
}

static void deliver_answer(struct sim *sim, struct letter *letter)
{
	struct ctdb_ip list[NUM_ADDRS];
	struct ctdb_iplist ips = {.list = list, .num = NUM_ADDRS};

	if (!letter->seen) {
		look_at_question(sim, letter);
	}
	for (unsigned int i = 0; i < NUM_ADDRS; i++) {
		list[i] = (struct ctdb_ip){.pnn = letter->beliefs[i], .ip = addr_ip(i)};
	}
	assert_int_equal(ctdb_view_answer(sim->view, letter->node, letter->stamp, sim->now_ms,
					  &sim->map, &ips),
			 0);
	letter->used = false;
}

/* The oldest message of that node: they do not overtake each other. */
static void deliver_message(struct sim *sim, struct letter *letter)
{
	struct ipaddr ip;

	for (size_t i = 0; i < IN_FLIGHT; i++) {
		struct letter *other = &sim->letters[i];

		if (other->used && !other->is_answer && other->node == letter->node &&
		    other->number < letter->number) {
			letter = other;
		}
	}
	ip = addr_ip(letter->addr);
	(void)(letter->taken ? ctdb_view_taken(sim->view, letter->node, &ip, sim->now_ms)
			     : ctdb_view_released(sim->view, letter->node, &ip, sim->now_ms));
	letter->used = false;
}

static void deliver(struct sim *sim, struct letter *letter)
{
	if (!letter->used) {
		return;
	}
	if (letter->is_answer) {
		deliver_answer(sim, letter);
	} else {
		deliver_message(sim, letter);
	}
}

/* The next thing that happens to an address. */
static void advance(struct sim *sim, unsigned int i)
{
	struct addr *addr = &sim->addrs[i];

	switch (addr->phase) {
	case STAYS:
		addr->to = pick(sim, NUM_NODES);
		if (addr->to == addr->owner) {
			break;
		}
		for (uint32_t node = 0; node < NUM_NODES; node++) {
			if (node != addr->owner && node != addr->to) {
				sim->beliefs[node][i] = addr->to;
			}
		}
		addr->phase = RELEASING;
		break;
	case RELEASING:
		if (addr->owner != NOBODY) {
			sim->beliefs[addr->owner][i] = addr->to;
			relay(sim, addr->owner, i, false);
		}
		addr->owner = NOBODY;
		addr->phase = RELEASED;
		break;
	case RELEASED:
		sim->beliefs[addr->to][i] = addr->to;
		addr->began[addr->to] = true;
		addr->phase = TAKING;
		break;
	case TAKING:
		addr->owner = addr->to;
		relay(sim, addr->owner, i, true);
		addr->phase = STAYS;
		break;
	}
}

static void compose(struct sim *sim, bool quiet)
{
	struct ctdb_view_intents intents;
	struct cluster_state *state;
	uint64_t next_ms;

	assert_int_equal(
		ctdb_view_compose(sim->view, NULL, sim->now_ms, &state, &intents, &next_ms), 0);
	for (unsigned int i = 0; i < NUM_ADDRS; i++) {
		struct ipaddr ip = addr_ip(i);
		const struct cluster_addr *addr = cluster_state_addr(state, &ip);
		uint32_t owner = NOBODY;

		if (addr != NULL && addr->state == CLUSTER_ADDR_AVAILABLE) {
			owner = cluster_state_node(state, addr->node)->id;
			assert_true(sim->addrs[i].began[owner]);
		}
		if (quiet) {
			assert_int_equal(owner, sim->addrs[i].owner);
		}
	}
	talloc_free(state);
}

static struct sim *create(uint64_t seed)
{
	struct sim *sim = talloc_zero(NULL, struct sim);
	struct config *config = NULL;
	struct ctdb_view_config view = {.settle_ms = SETTLE_MS};
	struct ctdb_view_local local = {
		.runstate = CTDB_RUNSTATE_RUNNING, .generation = 77, .map = &sim->map};
	char *why = NULL;

	sim->random = seed;
	sim->now_ms = 1000;
	assert_int_equal(config_load(sim, "/dev/null", false, NULL, &config, &why), 0);
	assert_int_equal(ctdb_names_create(sim, config, &sim->names), 0);
	view.names = sim->names;
	sim->view = ctdb_view_create(sim, &view);
	sim->map = (struct ctdb_nodemap){.list = sim->nodes, .num = NUM_NODES};
	for (uint32_t i = 0; i < NUM_NODES; i++) {
		sim->nodes[i] = (struct ctdb_node){.pnn = i};
	}
	assert_int_equal(ctdb_view_local(sim->view, &local), 0);
	for (unsigned int i = 0; i < NUM_ADDRS; i++) {
		sim->addrs[i].owner = pick(sim, NUM_NODES);
		sim->addrs[i].began[sim->addrs[i].owner] = true;
		for (uint32_t node = 0; node < NUM_NODES; node++) {
			sim->beliefs[node][i] = sim->addrs[i].owner;
		}
	}
	return sim;
}

static void ask_all(struct sim *sim)
{
	for (uint32_t node = 0; node < NUM_NODES; node++) {
		ask(sim, node);
	}
	for (size_t i = 0; i < IN_FLIGHT; i++) {
		deliver(sim, &sim->letters[i]);
	}
}

static void step(struct sim *sim)
{
	struct letter *letter = &sim->letters[pick(sim, IN_FLIGHT)];

	sim->now_ms += pick(sim, 30);
	switch (pick(sim, 5)) {
	case 0:
		advance(sim, pick(sim, NUM_ADDRS));
		break;
	case 1:
		ask(sim, pick(sim, NUM_NODES));
		break;
	case 2:
		if (letter->used && letter->is_answer && !letter->seen) {
			look_at_question(sim, letter);
		}
		break;
	default:
		deliver(sim, letter);
		break;
	}
	compose(sim, false);
}

static void it_says_what_is_true_once_it_is_quiet(void **state)
{
	log_setup("test", "stderr", LOG_CRIT);
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct sim *sim = create(seed);

		ask_all(sim);
		compose(sim, true);
		for (unsigned int i = 0; i < STEPS; i++) {
			step(sim);
		}
		for (unsigned int i = 0; i < NUM_ADDRS; i++) {
			while (sim->addrs[i].phase != STAYS) {
				advance(sim, i);
			}
		}
		for (size_t i = 0; i < IN_FLIGHT; i++) {
			while (sim->letters[i].used) {
				deliver(sim, &sim->letters[i]);
			}
		}
		ask_all(sim);
		sim->now_ms += SETTLE_MS;
		ask_all(sim);
		compose(sim, true);
		talloc_free(sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_is_true_once_it_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
