/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "witnessd/cluster/suspicion.h"

#include <errno.h>
#include <string.h>

#include "witnessd/util/hash.h"

struct node {
	UT_hash_handle hh;
	char *name;
	bool expected; /* it beats, and has not left */
	uint64_t heard_ms;
	bool forgiven; /* .heard_ms is when we were found to have been stopped */
	uint32_t interval_ms;

	bool asking;
	bool asked;
	uint64_t asked_ms; /* when the last probe began */
	bool unanswered;   /* the last one that could tell */
	bool answered;     /* ... since the verdict */
	uint64_t unanswered_ms;

	enum suspicion_say say, was_say; /* ours, as of the last tick, and of the one before */
	bool dead, was_dead;
	unsigned int votes, total;

	struct suspicion_opinion *opinions; /* its own, of others */
	size_t num_opinions;
};

struct suspicion {
	uint32_t timeout_ms;
	bool ticked;
	uint64_t tick_ms;
	struct node *nodes;
};

static struct node *find(const struct suspicion *s, const char *name)
{
	struct node *node = NULL;

	HASH_FIND_STR(s->nodes, name, node);
	return node;
}

static struct node *get(struct suspicion *s, const char *name)
{
	struct node *node = find(s, name);

	if (node != NULL) {
		return node;
	}
	node = talloc_zero(s, struct node);
	if (node == NULL) {
		return NULL;
	}
	node->name = talloc_strdup(node, name);
	if (node->name != NULL) {
		HASH_ADD_KEYPTR(hh, s->nodes, node->name, strlen(node->name), node);
	}
	if (node->hh.tbl == NULL) {
		talloc_free(node);
		return NULL;
	}
	return node;
}

/* Not while it is being probed: the answer needs it. */
static void release(struct suspicion *s, struct node *node)
{
	if (!node->expected && !node->dead && !node->asking) {
		HASH_DEL(s->nodes, node);
		talloc_free(node);
	}
}

static int suspicion_destructor(struct suspicion *s)
{
	HASH_CLEAR(hh, s->nodes);
	return 0;
}

int suspicion_create(TALLOC_CTX *mem_ctx, uint32_t timeout_ms, struct suspicion **out)
{
	struct suspicion *s = talloc_zero(mem_ctx, struct suspicion);

	if (s == NULL) {
		return ENOMEM;
	}
	s->timeout_ms = timeout_ms;
	talloc_set_destructor(s, suspicion_destructor);
	*out = s;
	return 0;
}

/* --- what is heard --- */

int suspicion_beat(struct suspicion *s, const char *name, uint32_t interval_ms, uint64_t now_ms)
{
	struct node *node = get(s, name);

	if (node == NULL) {
		return ENOMEM;
	}
	node->expected = true;
	node->forgiven = false;
	node->heard_ms = now_ms;
	node->interval_ms = interval_ms;
	return 0;
}

void suspicion_sign(struct suspicion *s, const char *name, uint64_t now_ms)
{
	struct node *node = find(s, name);

	if (node != NULL && node->expected) {
		node->forgiven = false;
		node->heard_ms = now_ms;
	}
}

/* Mostly the same nodes come in the same order as last time. */
static bool update_opinions(struct node *node, const struct suspicion_opinion *opinions, size_t num)
{
	if (num != node->num_opinions) {
		return false;
	}
	for (size_t i = 0; i < num; i++) {
		if (strcmp(opinions[i].node, node->opinions[i].node) != 0) {
			return false;
		}
	}
	for (size_t i = 0; i < num; i++) {
		node->opinions[i].say = opinions[i].say;
	}
	return true;
}

int suspicion_says(struct suspicion *s, const char *name, const struct suspicion_opinion *opinions,
		   size_t num)
{
	struct node *node = find(s, name);
	struct suspicion_opinion *list;

	if (node == NULL || !node->expected) {
		return ENOENT;
	}
	if (update_opinions(node, opinions, num)) {
		return 0;
	}
	TALLOC_FREE(node->opinions);
	node->num_opinions = 0;
	list = talloc_array(node, struct suspicion_opinion, num);
	for (size_t i = 0; list != NULL && i < num; i++) {
		list[i].say = opinions[i].say;
		list[i].node = talloc_strdup(list, opinions[i].node);
		if (list[i].node == NULL) {
			TALLOC_FREE(list);
		}
	}
	if (list == NULL) {
		return ENOMEM;
	}
	node->opinions = list;
	node->num_opinions = num;
	return 0;
}

void suspicion_left(struct suspicion *s, const char *name)
{
	struct node *node = find(s, name);

	if (node != NULL) {
		node->expected = false;
		TALLOC_FREE(node->opinions);
		node->num_opinions = 0;
		release(s, node);
	}
}

/* --- asking the nodes themselves --- */

static uint64_t silence(const struct node *node, uint64_t now_ms)
{
	return now_ms > node->heard_ms ? now_ms - node->heard_ms : 0;
}

static uint64_t node_timeout(const struct suspicion *s, const struct node *node)
{
	uint64_t own = UINT64_C(4) * node->interval_ms;

	return own > s->timeout_ms ? own : s->timeout_ms;
}

uint32_t suspicion_probe_timeout(const struct suspicion *s)
{
	return s->timeout_ms / 3;
}

static bool wants_asking(const struct suspicion *s, const struct node *node, uint64_t now_ms)
{
	if (node->asking || (node->asked && now_ms - node->asked_ms < s->timeout_ms / 3)) {
		return false;
	}
	return node->dead || (node->expected && silence(node, now_ms) >= node_timeout(s, node) / 2);
}

const char *suspicion_ask(struct suspicion *s, uint64_t now_ms)
{
	for (struct node *node = s->nodes; node != NULL; node = node->hh.next) {
		if (wants_asking(s, node, now_ms)) {
			node->asking = node->asked = true;
			node->asked_ms = now_ms;
			return node->name;
		}
	}
	return NULL;
}

void suspicion_answer(struct suspicion *s, const char *name, enum suspicion_answer answer)
{
	struct node *node = find(s, name);

	if (node == NULL || !node->asking) {
		return;
	}
	node->asking = false;
	if (answer == SUSPICION_ANSWERED) {
		node->unanswered = false;
		node->answered = true;
	} else if (answer == SUSPICION_UNANSWERED) {
		node->unanswered = true;
		node->answered = false;
		node->unanswered_ms = node->asked_ms;
	}
	release(s, node);
}

/* --- judging --- */

/*
 * We were stopped, or far too busy: messages, and answers to probes, may still wait in our own socket.
 * Earlier probes do not count any more, as after a beat.
 */
static void forgive(struct suspicion *s, uint64_t now_ms)
{
	for (struct node *node = s->nodes; node != NULL; node = node->hh.next) {
		node->heard_ms = now_ms;
		node->forgiven = true;
	}
}

/* A probe counts if it began during this silence and not too long ago. */
static bool is_proven(const struct suspicion *s, const struct node *node, uint64_t now_ms)
{
	return node->unanswered && node->unanswered_ms > node->heard_ms &&
	       now_ms - node->unanswered_ms <= UINT64_C(2) * node_timeout(s, node);
}

static enum suspicion_say judge(const struct suspicion *s, const struct node *node, uint64_t now_ms)
{
	if (node->expected && silence(node, now_ms) < node_timeout(s, node)) {
		return node->forgiven ? SUSPICION_NO_SAY : SUSPICION_HEARD;
	}
	if (is_proven(s, node, now_ms)) {
		return SUSPICION_PROVEN;
	}
	return node->expected ? SUSPICION_SILENT : SUSPICION_NO_SAY;
}

static enum suspicion_say say_of(const struct node *voter, const char *name)
{
	for (size_t i = 0; i < voter->num_opinions; i++) {
		if (strcmp(voter->opinions[i].node, name) == 0) {
			return voter->opinions[i].say;
		}
	}
	return SUSPICION_NO_SAY;
}

/*
 * A vote is good for half as long as a node may be silent: when everybody falls silent at once, because it
 * is we who are cut off, the last votes of others end before the first of them is found silent.
 */
static bool is_fresh(const struct suspicion *s, const struct node *voter)
{
	return silence(voter, s->tick_ms) <= node_timeout(s, voter) / 2;
}

/* The opinions of those whom we hear. @return whether one of them hears the node */
static bool ask_others(const struct suspicion *s, const struct cluster_state *manager,
		       struct node *node)
{
	bool heard = false;

	node->total = manager != NULL ? (unsigned int)manager->num_nodes : 0;
	node->votes = node->say == SUSPICION_PROVEN;
	for (const struct node *voter = s->nodes; voter != NULL; voter = voter->hh.next) {
		enum suspicion_say say = say_of(voter, node->name);

		if (voter == node || voter->say != SUSPICION_HEARD) {
			continue;
		}
		heard |= say == SUSPICION_HEARD;
		node->votes += say == SUSPICION_PROVEN && manager != NULL && is_fresh(s, voter) &&
			       cluster_state_node(manager, voter->name) != NULL;
	}
	return heard;
}

/* The manager has noticed: what it says about the node from here on is newer than our probes. */
static void defer_to(const struct cluster_state *manager, struct node *node)
{
	const struct cluster_node *row =
		manager != NULL ? cluster_state_node(manager, node->name) : NULL;

	if (manager != NULL && (row == NULL || !row->online)) {
		node->unanswered = false;
	}
}

/* Whether the state of the manager allows a verdict on the node. */
static bool is_open(const struct cluster_state *manager, const char *name)
{
	const struct cluster_node *row = cluster_state_node(manager, name);

	return manager->quorate && cluster_state_local(manager) != NULL && row != NULL &&
	       row->online && !row->local;
}

static bool is_still_dead(const struct node *node, const struct cluster_state *manager, bool heard)
{
	const struct cluster_node *row =
		manager != NULL ? cluster_state_node(manager, node->name) : NULL;

	return node->say != SUSPICION_HEARD && !heard && !node->answered &&
	       (manager == NULL || (row != NULL && row->online));
}

static bool is_dead(const struct node *node, const struct cluster_state *manager, bool heard)
{
	if (node->dead) {
		return is_still_dead(node, manager, heard);
	}
	return node->say == SUSPICION_PROVEN && node->expected && !heard && manager != NULL &&
	       is_open(manager, node->name) && 2 * node->votes > node->total;
}

unsigned int suspicion_tick(struct suspicion *s, const struct cluster_state *manager,
			    uint64_t now_ms)
{
	struct node *node, *next;
	unsigned int changed = 0;

	if (s->ticked && now_ms - s->tick_ms > s->timeout_ms / 2) {
		forgive(s, now_ms);
	}
	s->ticked = true;
	s->tick_ms = now_ms;
	HASH_ITER (hh, s->nodes, node, next) {
		release(s, node);
	}
	for (node = s->nodes; node != NULL; node = node->hh.next) {
		defer_to(manager, node);
		node->was_say = node->say;
		node->say = judge(s, node, now_ms);
		changed |= node->say != node->was_say ? SUSPICION_OPINION_CHANGED : 0;
	}
	for (node = s->nodes; node != NULL; node = node->hh.next) {
		bool heard = ask_others(s, manager, node);

		node->was_dead = node->dead;
		node->dead = is_dead(node, manager, heard);
		if (node->dead != node->was_dead) {
			node->answered = false;
			changed |= SUSPICION_VERDICT_CHANGED;
		}
	}
	return changed;
}

bool suspicion_is_dead(const struct suspicion *s, const char *name)
{
	const struct node *node = find(s, name);

	return node != NULL && node->dead;
}

bool suspicion_view(const struct suspicion *s, size_t i, struct suspicion_view *view)
{
	const struct node *node = s->nodes;

	for (; node != NULL && i > 0; i--) {
		node = node->hh.next;
	}
	if (node == NULL) {
		return false;
	}
	*view = (struct suspicion_view){.node = node->name,
					.say = node->say,
					.was_say = node->was_say,
					.dead = node->dead,
					.was_dead = node->was_dead,
					.heard_ms = node->heard_ms,
					.votes = node->votes,
					.total = node->total};
	return true;
}
