/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/suspicion.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/cluster_fixture.h"

#define TIMEOUT  3000U
#define INTERVAL 500U
#define HEARD    SUSPICION_HEARD
#define SILENT   SUSPICION_SILENT
#define PROVEN   SUSPICION_PROVEN
#define NO_SAY   SUSPICION_NO_SAY

/* The view of n1 among n1, n2 and n3 (and more). */
struct fixture {
	struct suspicion *s;
	struct cluster_state *manager;
	uint64_t now_ms;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	assert_int_equal(suspicion_create(f, TIMEOUT, &f->s), 0);
	f->manager = fix_state(f);
	f->now_ms = 1000;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static unsigned int tick(struct fixture *f)
{
	return suspicion_tick(f->s, f->manager, f->now_ms);
}

static void beat(struct fixture *f, const char *node)
{
	assert_int_equal(suspicion_beat(f->s, node, INTERVAL, f->now_ms), 0);
}

/* A beat of one node with what it says of another. */
static void beat_saying(struct fixture *f, const char *node, const char *of, enum suspicion_say say)
{
	struct suspicion_opinion opinion = {.node = of, .say = say};

	beat(f, node);
	assert_int_equal(suspicion_says(f->s, node, &opinion, 1), 0);
}

static enum suspicion_say say_of(const struct fixture *f, const char *node)
{
	struct suspicion_view view;

	for (size_t i = 0; suspicion_view(f->s, i, &view); i++) {
		if (strcmp(view.node, node) == 0) {
			return view.say;
		}
	}
	return SUSPICION_NO_SAY;
}

static bool is_dead(const struct fixture *f, const char *node)
{
	return suspicion_is_dead(f->s, node);
}

/* Time passes in steps in which n2 beats and says this of n3, whose probes get that answer. */
static void pass(struct fixture *f, unsigned int ms, enum suspicion_say n2_says,
		 enum suspicion_answer answer)
{
	for (unsigned int i = 0; i < ms; i += 100) {
		const char *node;

		f->now_ms += 100;
		if (f->now_ms % INTERVAL == 0) {
			beat_saying(f, "n2", "n3", n2_says);
		}
		while ((node = suspicion_ask(f->s, f->now_ms)) != NULL) {
			assert_string_equal(node, "n3");
			suspicion_answer(f->s, node, answer);
		}
		(void)tick(f);
	}
}

/* All beat; then n3 falls silent and does not answer, and n2 says so. */
static void kill_n3(struct fixture *f)
{
	beat(f, "n3");
	beat_saying(f, "n2", "n3", HEARD);
	tick(f);
	pass(f, TIMEOUT + 500, PROVEN, SUSPICION_UNANSWERED);
}

static void knows_nobody_at_first(void **state)
{
	struct fixture *f = *state;
	struct suspicion_view view;

	assert_int_equal(tick(f), 0);
	assert_null(suspicion_ask(f->s, f->now_ms));
	assert_false(suspicion_view(f->s, 0, &view));
	assert_false(is_dead(f, "n2"));
	suspicion_sign(f->s, "n2", f->now_ms);
	suspicion_left(f->s, "n2");
	suspicion_answer(f->s, "n2", SUSPICION_UNANSWERED);
	assert_int_equal(suspicion_says(f->s, "n2", NULL, 0), ENOENT);
	assert_false(suspicion_view(f->s, 0, &view));
}

static void silence_is_noticed_after_the_timeout(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	beat(f, "n2");
	assert_int_equal(tick(f), SUSPICION_OPINION_CHANGED);
	assert_int_equal(say_of(f, "n3"), HEARD);
	pass(f, TIMEOUT - 100, HEARD, SUSPICION_CANNOT_TELL);
	assert_int_equal(say_of(f, "n3"), HEARD);
	f->now_ms += 100;
	assert_int_equal(tick(f), SUSPICION_OPINION_CHANGED);
	assert_int_equal(say_of(f, "n3"), SILENT);
	assert_int_equal(tick(f), 0);
	/* Any message ends it. */
	suspicion_sign(f->s, "n3", f->now_ms);
	assert_int_equal(tick(f), SUSPICION_OPINION_CHANGED);
	assert_int_equal(say_of(f, "n3"), HEARD);
}

static void one_that_beats_rarely_has_longer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(suspicion_beat(f->s, "n3", 2000, f->now_ms), 0);
	pass(f, 7900, HEARD, SUSPICION_UNANSWERED);
	assert_int_equal(say_of(f, "n3"), HEARD);
	pass(f, 200, HEARD, SUSPICION_UNANSWERED);
	assert_int_equal(say_of(f, "n3"), PROVEN);
}

static void a_silent_node_is_asked_and_not_too_often(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	f->now_ms += TIMEOUT / 2 - 1;
	assert_null(suspicion_ask(f->s, f->now_ms));
	f->now_ms += 1;
	assert_string_equal(suspicion_ask(f->s, f->now_ms), "n3");
	f->now_ms += TIMEOUT;
	assert_null(suspicion_ask(f->s, f->now_ms)); /* it has not answered yet */
	suspicion_answer(f->s, "n3", SUSPICION_ANSWERED);
	assert_string_equal(suspicion_ask(f->s, f->now_ms), "n3");
	suspicion_answer(f->s, "n3", SUSPICION_ANSWERED);
	f->now_ms += TIMEOUT / 3 - 1;
	assert_null(suspicion_ask(f->s, f->now_ms));
	f->now_ms += 1;
	assert_string_equal(suspicion_ask(f->s, f->now_ms), "n3");
	assert_int_equal(suspicion_probe_timeout(f->s), TIMEOUT / 3);
}

static void a_majority_that_agrees_finds_it_dead(void **state)
{
	struct fixture *f = *state;
	struct suspicion_view view;

	beat(f, "n3");
	beat_saying(f, "n2", "n3", HEARD);
	tick(f);
	pass(f, TIMEOUT - 100, PROVEN, SUSPICION_UNANSWERED);
	assert_false(is_dead(f, "n3"));
	f->now_ms += 100;
	assert_int_equal(tick(f), SUSPICION_OPINION_CHANGED | SUSPICION_VERDICT_CHANGED);
	assert_true(is_dead(f, "n3"));
	assert_false(is_dead(f, "n2"));
	assert_true(suspicion_view(f->s, 0, &view));
	assert_string_equal(view.node, "n3");
	assert_true(view.dead && !view.was_dead);
	assert_int_equal(view.was_say, HEARD);
	assert_int_equal(view.votes, 2);
	assert_int_equal(view.total, 3);
}

/* Each of these is enough to keep a node from being found dead. */
static void a_hung_witness_is_not_dead(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	pass(f, 10 * TIMEOUT, PROVEN, SUSPICION_ANSWERED);
	assert_int_equal(say_of(f, "n3"), SILENT);
	assert_false(is_dead(f, "n3"));
	/* Nor when nobody can ask it. */
	pass(f, 10 * TIMEOUT, PROVEN, SUSPICION_CANNOT_TELL);
	assert_false(is_dead(f, "n3"));
}

static void a_probe_of_before_the_last_beat_proves_nothing(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	pass(f, TIMEOUT - 500, HEARD, SUSPICION_UNANSWERED);
	beat(f, "n3");
	pass(f, TIMEOUT, PROVEN, SUSPICION_CANNOT_TELL);
	assert_int_equal(say_of(f, "n3"), SILENT);
	assert_false(is_dead(f, "n3"));
}

/* When we are cut off ourselves, all of the others fall silent, some a moment later than others. */
static void the_last_word_of_those_who_are_silent_counts_no_more(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	f->now_ms += INTERVAL - 1;
	beat_saying(f, "n2", "n3", PROVEN);
	tick(f);
	f->now_ms += TIMEOUT / 2;
	tick(f);
	assert_string_equal(suspicion_ask(f->s, f->now_ms), "n3");
	f->now_ms += TIMEOUT / 3;
	suspicion_answer(f->s, "n3", SUSPICION_UNANSWERED);
	tick(f);
	f->now_ms += 200;
	tick(f);
	assert_int_equal(say_of(f, "n3"), PROVEN);
	assert_int_equal(say_of(f, "n2"), HEARD);
	assert_false(is_dead(f, "n3"));
}

static void nobody_is_dead_when_others_do_not_agree(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	pass(f, 2 * TIMEOUT, SILENT, SUSPICION_UNANSWERED);
	assert_int_equal(say_of(f, "n3"), PROVEN);
	assert_false(is_dead(f, "n3"));
	pass(f, 2 * TIMEOUT, NO_SAY, SUSPICION_UNANSWERED);
	assert_false(is_dead(f, "n3"));
	pass(f, 2 * TIMEOUT, HEARD, SUSPICION_UNANSWERED);
	assert_false(is_dead(f, "n3"));
	pass(f, 500, PROVEN, SUSPICION_UNANSWERED);
	assert_true(is_dead(f, "n3"));
}

static void one_who_hears_it_is_enough(void **state)
{
	struct fixture *f = *state;

	fix_node(f->manager, "n4", "o");
	fix_node(f->manager, "n5", "o");
	kill_n3(f);
	assert_false(is_dead(f, "n3")); /* two of five */
	beat_saying(f, "n4", "n3", PROVEN);
	beat_saying(f, "n5", "n3", HEARD);
	tick(f);
	assert_false(is_dead(f, "n3"));
	beat_saying(f, "n5", "n3", SILENT);
	tick(f);
	assert_true(is_dead(f, "n3"));
}

static void the_cut_off_one_says_nothing(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	beat_saying(f, "n2", "n3", PROVEN);
	tick(f);
	for (unsigned int i = 0; i < 100; i++) {
		const char *node;

		f->now_ms += 100;
		while ((node = suspicion_ask(f->s, f->now_ms)) != NULL) {
			suspicion_answer(f->s, node, SUSPICION_UNANSWERED);
		}
		(void)tick(f);
		assert_false(is_dead(f, "n2"));
		assert_false(is_dead(f, "n3"));
	}
	assert_int_equal(say_of(f, "n2"), PROVEN);
	assert_int_equal(say_of(f, "n3"), PROVEN);
}

static void two_nodes_have_no_majority(void **state)
{
	struct fixture *f = *state;

	talloc_free(f->manager);
	f->manager = cluster_state_new(f);
	fix_node(f->manager, "n1", "ol");
	fix_node(f->manager, "n3", "o");
	kill_n3(f); /* n2 is no node of this cluster: it has no vote */
	assert_int_equal(say_of(f, "n3"), PROVEN);
	assert_false(is_dead(f, "n3"));
}

static void nodes_that_are_down_count_in_the_total(void **state)
{
	struct fixture *f = *state;

	fix_node(f->manager, "n4", "");
	kill_n3(f);
	assert_false(is_dead(f, "n3"));
}

static void the_manager_has_to_leave_room(void **state)
{
	struct fixture *f = *state;
	struct cluster_state *manager = f->manager;

	f->manager = NULL;
	kill_n3(f);
	assert_false(is_dead(f, "n3"));
	f->manager = manager;
	manager->quorate = false;
	pass(f, 500, PROVEN, SUSPICION_UNANSWERED);
	assert_false(is_dead(f, "n3"));
	manager->quorate = true;
	manager->nodes[2].online = false;
	pass(f, 500, PROVEN, SUSPICION_UNANSWERED);
	assert_false(is_dead(f, "n3"));
	manager->nodes[2].online = true;
	manager->nodes[0].local = false;
	pass(f, 500, PROVEN, SUSPICION_UNANSWERED);
	assert_false(is_dead(f, "n3"));
	manager->nodes[0].local = true;
	pass(f, 500, PROVEN, SUSPICION_UNANSWERED);
	assert_true(is_dead(f, "n3"));
}

static void a_witness_that_left_is_not_missed(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	beat(f, "n2");
	tick(f);
	suspicion_left(f->s, "n3");
	pass(f, 3 * TIMEOUT, PROVEN, SUSPICION_UNANSWERED);
	assert_int_equal(say_of(f, "n3"), NO_SAY);
	assert_false(is_dead(f, "n3"));
}

static void the_verdict_ends_with_a_beat(void **state)
{
	struct fixture *f = *state;

	kill_n3(f);
	assert_true(is_dead(f, "n3"));
	beat(f, "n3");
	assert_int_equal(tick(f), SUSPICION_OPINION_CHANGED | SUSPICION_VERDICT_CHANGED);
	assert_false(is_dead(f, "n3"));
}

static void the_verdict_ends_with_an_answer(void **state)
{
	struct fixture *f = *state;

	kill_n3(f);
	pass(f, 10 * TIMEOUT, PROVEN, SUSPICION_CANNOT_TELL);
	assert_true(is_dead(f, "n3"));
	pass(f, TIMEOUT, PROVEN, SUSPICION_ANSWERED);
	assert_false(is_dead(f, "n3"));
	pass(f, TIMEOUT, PROVEN, SUSPICION_UNANSWERED);
	assert_true(is_dead(f, "n3"));
}

static void the_verdict_ends_when_somebody_hears_it(void **state)
{
	struct fixture *f = *state;

	kill_n3(f);
	beat_saying(f, "n2", "n3", HEARD);
	assert_int_equal(tick(f), SUSPICION_VERDICT_CHANGED);
	assert_false(is_dead(f, "n3"));
}

static void the_verdict_ends_when_the_manager_has_noticed(void **state)
{
	struct fixture *f = *state;

	kill_n3(f);
	f->manager->nodes[2].online = false;
	assert_int_equal(tick(f) & SUSPICION_VERDICT_CHANGED, SUSPICION_VERDICT_CHANGED);
	assert_false(is_dead(f, "n3"));
	/* It sees the node come back, before a probe or a beat can. */
	f->manager->nodes[2].online = true;
	tick(f);
	assert_false(is_dead(f, "n3"));
	pass(f, TIMEOUT, PROVEN, SUSPICION_UNANSWERED);
	assert_true(is_dead(f, "n3"));
}

static void the_verdict_outlives_those_who_made_it(void **state)
{
	struct fixture *f = *state;

	kill_n3(f);
	/* Its witness has left, says the transport; so have the others, and the manager is out of reach. */
	suspicion_left(f->s, "n3");
	suspicion_left(f->s, "n2");
	f->manager = NULL;
	assert_int_equal(tick(f) & SUSPICION_VERDICT_CHANGED, 0);
	assert_true(is_dead(f, "n3"));
	/* It is asked on. */
	f->now_ms += TIMEOUT;
	assert_string_equal(suspicion_ask(f->s, f->now_ms), "n3");
	suspicion_answer(f->s, "n3", SUSPICION_ANSWERED);
	assert_int_equal(tick(f) & SUSPICION_VERDICT_CHANGED, SUSPICION_VERDICT_CHANGED);
	assert_false(is_dead(f, "n3"));
}

static void who_was_stopped_believes_nothing_of_before(void **state)
{
	struct fixture *f = *state;

	beat(f, "n3");
	beat_saying(f, "n2", "n3", HEARD);
	tick(f);
	/* A probe is under way, and its answer waits in our socket; so do the beats. */
	f->now_ms += TIMEOUT / 2;
	assert_string_equal(suspicion_ask(f->s, f->now_ms), "n3");
	f->now_ms += 20 * TIMEOUT;
	(void)tick(f);
	suspicion_answer(f->s, "n3", SUSPICION_UNANSWERED);
	beat_saying(f, "n2", "n3", PROVEN);
	tick(f);
	assert_false(is_dead(f, "n3"));
	assert_int_equal(say_of(f, "n3"), NO_SAY); /* neither for nor against */
	/* From here on it is as ever. */
	pass(f, TIMEOUT - 100, PROVEN, SUSPICION_UNANSWERED);
	assert_false(is_dead(f, "n3"));
	pass(f, 500, PROVEN, SUSPICION_UNANSWERED);
	assert_true(is_dead(f, "n3"));
	/* To be stopped does not make others live. */
	f->now_ms += 20 * TIMEOUT;
	(void)tick(f);
	assert_true(is_dead(f, "n3"));
}

/* --- many stories --- */

#define MAX    7
#define STEP   50U
#define SEEDS  150
#define STEPS  1200
#define QUEUE  4096
#define WINDOW (4U * TIMEOUT)

struct sim_probe {
	bool running, answers;
	uint64_t done_ms;
};

struct sim_beat {
	unsigned int from;
	struct suspicion_opinion opinions[MAX];
	size_t num;
};

struct sim_node {
	bool up;   /* power */
	bool hung; /* its witnessd is stopped, the node lives */
	struct suspicion *s;
	struct sim_probe probes[MAX];
	uint64_t next_beat_ms;
	struct sim_beat *queue; /* what waits while it hangs */
	size_t num_queued;
	bool was_dead[MAX];
};

struct sim {
	uint32_t seed;
	unsigned int num;
	uint64_t now_ms;
	struct sim_node nodes[MAX];
	bool linked[MAX][MAX];
	uint64_t reached_ms[MAX][MAX], missed_ms[MAX][MAX]; /* when they last could, could not */
	struct cluster_state *manager[MAX];
};

static const char *const names[MAX] = {"n1", "n2", "n3", "n4", "n5", "n6", "n7"};

static uint32_t sim_random(struct sim *sim)
{
	sim->seed = sim->seed * 1664525U + 1013904223U;
	return sim->seed >> 8;
}

static unsigned int num_of(const char *name)
{
	return (unsigned int)(name[1] - '1');
}

static bool reaches(const struct sim *sim, unsigned int a, unsigned int b)
{
	return sim->nodes[a].up && sim->nodes[b].up && sim->linked[a][b];
}

static void sim_start(struct sim *sim, unsigned int i)
{
	struct sim_node *node = &sim->nodes[i];

	*node = (struct sim_node){.up = true, .next_beat_ms = sim->now_ms};
	assert_int_equal(suspicion_create(sim, TIMEOUT, &node->s), 0);
	node->queue = talloc_array(node->s, struct sim_beat, QUEUE);
}

static struct sim *sim_new(uint32_t seed)
{
	struct sim *sim = talloc_zero(NULL, struct sim);

	sim->seed = seed * 7919;
	sim->num = 2 + sim_random(sim) % (MAX - 1);
	sim->now_ms = 100000;
	for (unsigned int i = 0; i < sim->num; i++) {
		sim_start(sim, i);
		sim->manager[i] = cluster_state_new(sim);
		for (unsigned int j = 0; j < sim->num; j++) {
			fix_node(sim->manager[i], names[j], i == j ? "ol" : "o");
			sim->linked[i][j] = true;
		}
	}
	return sim;
}

static void take(struct sim *sim, unsigned int to, const struct sim_beat *sent)
{
	struct suspicion *s = sim->nodes[to].s;

	assert_int_equal(suspicion_beat(s, names[sent->from], INTERVAL, sim->now_ms), 0);
	assert_int_equal(suspicion_says(s, names[sent->from], sent->opinions, sent->num), 0);
}

static void send_beat(struct sim *sim, unsigned int from)
{
	struct sim_node *node = &sim->nodes[from];
	struct sim_beat sent = {.from = from};
	struct suspicion_view view;

	node->next_beat_ms = sim->now_ms + INTERVAL;
	for (; suspicion_view(node->s, sent.num, &view); sent.num++) {
		sent.opinions[sent.num].node = names[num_of(view.node)];
		sent.opinions[sent.num].say = view.say;
	}
	for (unsigned int to = 0; to < sim->num; to++) {
		struct sim_node *peer = &sim->nodes[to];

		if (to == from || !reaches(sim, from, to) || sim_random(sim) % 20 == 0) {
			continue;
		}
		if (!peer->hung) {
			take(sim, to, &sent);
		} else if (peer->num_queued < QUEUE) {
			peer->queue[peer->num_queued++] = sent;
		}
	}
}

/* Who is found dead by a node has been out of its reach a short while ago, and out of reach of so many whom
 * it could reach that together they are a majority. */
static void check_verdict(const struct sim *sim, unsigned int by, unsigned int dead)
{
	unsigned int agree = 0;

	for (unsigned int i = 0; i < sim->num; i++) {
		bool misses = i != dead && sim->missed_ms[i][dead] + WINDOW > sim->now_ms;
		bool told =
			i == by || sim->reached_ms[by][i] + TIMEOUT / 2 + 2 * STEP > sim->now_ms;

		agree += misses && told;
	}
	if (sim->missed_ms[by][dead] + WINDOW <= sim->now_ms || 2 * agree <= sim->num) {
		fail_msg("seed: n%u of %u found n%u dead with %u who may agree", by + 1, sim->num,
			 dead + 1, agree);
	}
}

static void run_probes(struct sim *sim, unsigned int i)
{
	struct sim_node *node = &sim->nodes[i];
	const char *name;

	for (unsigned int j = 0; j < sim->num; j++) {
		struct sim_probe *probe = &node->probes[j];

		if (probe->running && sim->now_ms >= probe->done_ms) {
			probe->running = false;
			suspicion_answer(node->s, names[j],
					 probe->answers ? SUSPICION_ANSWERED
							: SUSPICION_UNANSWERED);
		}
	}
	while ((name = suspicion_ask(node->s, sim->now_ms)) != NULL) {
		bool answers = reaches(sim, i, num_of(name));

		node->probes[num_of(name)] = (struct sim_probe){
			.running = true,
			.answers = answers,
			.done_ms =
				sim->now_ms + (answers ? STEP : suspicion_probe_timeout(node->s))};
	}
}

static void run_node(struct sim *sim, unsigned int i)
{
	struct sim_node *node = &sim->nodes[i];
	unsigned int changed;

	run_probes(sim, i);
	changed = suspicion_tick(node->s, sim->manager[i], sim->now_ms);
	for (unsigned int j = 0; j < sim->num; j++) {
		bool dead = suspicion_is_dead(node->s, names[j]);

		if (dead && !node->was_dead[j]) {
			check_verdict(sim, i, j);
		}
		node->was_dead[j] = dead;
	}
	if ((changed & SUSPICION_OPINION_CHANGED) != 0 || sim->now_ms >= node->next_beat_ms) {
		send_beat(sim, i);
	}
	/* Timers come first when a process goes on; then what has waited in its socket. */
	for (size_t q = 0; q < node->num_queued; q++) {
		take(sim, i, &node->queue[q]);
	}
	node->num_queued = 0;
}

static void run(struct sim *sim, unsigned int ms)
{
	for (unsigned int t = 0; t < ms; t += STEP) {
		sim->now_ms += STEP;
		for (unsigned int i = 0; i < sim->num; i++) {
			for (unsigned int j = 0; j < sim->num; j++) {
				*(reaches(sim, i, j) ? &sim->reached_ms[i][j]
						     : &sim->missed_ms[i][j]) = sim->now_ms;
			}
		}
		for (unsigned int i = 0; i < sim->num; i++) {
			if (sim->nodes[i].up && !sim->nodes[i].hung) {
				run_node(sim, i);
			}
		}
	}
}

static void power(struct sim *sim, unsigned int i, bool up)
{
	if (sim->nodes[i].up && !up) {
		TALLOC_FREE(sim->nodes[i].s);
		sim->nodes[i] = (struct sim_node){.up = false};
	} else if (!sim->nodes[i].up && up) {
		sim_start(sim, i);
	}
}

static void cut(struct sim *sim, unsigned int mask, bool linked)
{
	for (unsigned int i = 0; i < sim->num; i++) {
		for (unsigned int j = 0; j < sim->num; j++) {
			if ((mask >> i & 1) != (mask >> j & 1)) {
				sim->linked[i][j] = linked;
			}
		}
	}
}

static void misfortune(struct sim *sim)
{
	unsigned int i = sim_random(sim) % sim->num, j = sim_random(sim) % sim->num;

	switch (sim_random(sim) % 6) {
	case 0:
		power(sim, i, !sim->nodes[i].up);
		break;
	case 1:
		sim->nodes[i].hung = sim->nodes[i].up && !sim->nodes[i].hung;
		break;
	case 2:
		sim->linked[i][j] = sim->linked[j][i] = i == j || !sim->linked[i][j];
		break;
	case 3:
		cut(sim, sim_random(sim), false);
		break;
	case 4:
		cut(sim, sim_random(sim), true);
		break;
	default:
		/* A witness that is started anew on a living node. */
		if (sim->nodes[i].up) {
			TALLOC_FREE(sim->nodes[i].s);
			sim_start(sim, i);
		}
		break;
	}
}

static void make_peace(struct sim *sim)
{
	for (unsigned int i = 0; i < sim->num; i++) {
		power(sim, i, true);
		sim->nodes[i].hung = false;
		for (unsigned int j = 0; j < sim->num; j++) {
			sim->linked[i][j] = true;
		}
	}
	run(sim, 4 * TIMEOUT);
	for (unsigned int i = 0; i < sim->num; i++) {
		for (unsigned int j = 0; j < sim->num; j++) {
			assert_false(suspicion_is_dead(sim->nodes[i].s, names[j]));
		}
	}
}

static unsigned int count(unsigned int mask, unsigned int num)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < num; i++) {
		n += mask >> i & 1;
	}
	return n;
}

/* A clean cut: the larger side finds all of the other one dead, soon; the smaller says nothing. */
static void cut_in_two(struct sim *sim)
{
	unsigned int mask = sim_random(sim), ones = count(mask, sim->num);

	cut(sim, mask, false);
	run(sim, 2 * TIMEOUT);
	for (unsigned int i = 0; i < sim->num; i++) {
		bool one = mask >> i & 1;
		bool larger = 2 * (one ? ones : sim->num - ones) > sim->num;

		for (unsigned int j = 0; j < sim->num; j++) {
			bool other_side = (mask >> j & 1) != (unsigned int)one;

			assert_int_equal(suspicion_is_dead(sim->nodes[i].s, names[j]),
					 larger && other_side);
		}
	}
}

static void only_a_majority_that_agrees_ever_acts(void **state)
{
	unsigned int verdicts = 0;

	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct sim *sim = sim_new(seed);

		for (unsigned int i = 0; i < STEPS / 10; i++) {
			if (sim_random(sim) % 3 == 0) {
				misfortune(sim);
			}
			run(sim, STEP * (1 + sim_random(sim) % 40));
			for (unsigned int j = 0; j < sim->num * sim->num; j++) {
				verdicts += sim->nodes[j / sim->num].was_dead[j % sim->num];
			}
		}
		make_peace(sim);
		cut_in_two(sim);
		make_peace(sim);
		talloc_free(sim);
	}
	/* Else nothing was tried. */
	assert_true(verdicts > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(knows_nobody_at_first),
		TEST(silence_is_noticed_after_the_timeout),
		TEST(one_that_beats_rarely_has_longer),
		TEST(a_silent_node_is_asked_and_not_too_often),
		TEST(a_majority_that_agrees_finds_it_dead),
		TEST(a_hung_witness_is_not_dead),
		TEST(a_probe_of_before_the_last_beat_proves_nothing),
		TEST(the_last_word_of_those_who_are_silent_counts_no_more),
		TEST(nobody_is_dead_when_others_do_not_agree),
		TEST(one_who_hears_it_is_enough),
		TEST(the_cut_off_one_says_nothing),
		TEST(two_nodes_have_no_majority),
		TEST(nodes_that_are_down_count_in_the_total),
		TEST(the_manager_has_to_leave_room),
		TEST(a_witness_that_left_is_not_missed),
		TEST(the_verdict_ends_with_a_beat),
		TEST(the_verdict_ends_with_an_answer),
		TEST(the_verdict_ends_when_somebody_hears_it),
		TEST(the_verdict_ends_when_the_manager_has_noticed),
		TEST(the_verdict_outlives_those_who_made_it),
		TEST(who_was_stopped_believes_nothing_of_before),
		cmocka_unit_test(only_a_majority_that_agrees_ever_acts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
