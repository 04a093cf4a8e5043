/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A network of witnessd's in one process: first-in first-out from each sender to each receiver, in an
 * order among senders that a seed decides, with a clock that stands still unless it is moved.
 */
#ifndef TESTS_UNIT_PEERS_NET_H
#define TESTS_UNIT_PEERS_NET_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "witnessd/cluster/peers.h"

#ifndef NET_NODES
#define NET_NODES 4
#endif
#define REG  PEERS_REGISTRATION
#define CONN PEERS_CONNECTION

struct net_msg {
	struct net_msg *next;
	size_t len;
	uint8_t bytes[];
};

struct net_node {
	struct net *net;
	unsigned int num;
	char name[8];
	struct peers *peers; /* NULL: does not run */
	uint64_t incarnation;
	int refuse;          /* what broadcast() answers instead of sending */
	unsigned int losses; /* messages that get lost on their way to everybody */
	char *heard;
};

struct net {
	struct tevent_context *ev;
	uint64_t now_us;
	uint32_t seed;
	struct net_node nodes[NET_NODES];
	bool linked[NET_NODES][NET_NODES];
	struct net_msg *queue[NET_NODES][NET_NODES]; /* from, to */
	unsigned int sent;
};

static inline uint32_t net_random(struct net *net)
{
	net->seed = net->seed * 1664525U + 1013904223U;
	return net->seed >> 8;
}

static inline uint64_t net_clock(void *private_data)
{
	return ((struct net *)private_data)->now_us;
}

static inline void net_enqueue(struct net *net, unsigned int from, unsigned int to,
			       const uint8_t *bytes, size_t len)
{
	struct net_msg *msg = talloc_size(net, sizeof(*msg) + len), **end = &net->queue[from][to];

	msg->next = NULL;
	msg->len = len;
	memcpy(msg->bytes, bytes, len);
	while (*end != NULL) {
		end = &(*end)->next;
	}
	*end = msg;
}

static inline int net_broadcast(void *private_data, const uint8_t *bytes, size_t len)
{
	struct net_node *node = private_data;
	struct net *net = node->net;

	assert_true(len <= PEERS_MESSAGE_MAX);
	if (node->refuse != 0) {
		return node->refuse;
	}
	net->sent++;
	if (node->losses > 0) {
		node->losses--;
		return 0;
	}
	for (unsigned int to = 0; to < NET_NODES; to++) {
		if (net->nodes[to].peers != NULL &&
		    (net->linked[node->num][to] || to == node->num)) {
			net_enqueue(net, node->num, to, bytes, len);
		}
	}
	return 0;
}

/* One word an event. */
static inline void net_hear(void *private_data, const struct peers_event *event)
{
	static const char *const names[] = {"put", "del", "back", "gone", "up", "done"};
	struct net_node *node = private_data;

	if (event->record != NULL) {
		node->heard = talloc_asprintf_append(
			node->heard, "%s:%s/%.*s=%.*s ", names[event->type], event->record->owner,
			(int)event->record->key_len, (const char *)event->record->key,
			(int)event->record->value_len,
			event->record->value != NULL ? (const char *)event->record->value : "");
	} else {
		node->heard = talloc_asprintf_append(node->heard, "%s%s%s ", names[event->type],
						     event->node != NULL ? ":" : "",
						     event->node != NULL ? event->node : "");
	}
}

static inline void net_expect_heard(struct net *net, unsigned int num, const char *story)
{
	assert_string_equal(net->nodes[num].heard, story);
	talloc_free(net->nodes[num].heard);
	net->nodes[num].heard = talloc_strdup(net, "");
}

static inline void net_forget_heard(struct net *net, unsigned int num)
{
	talloc_free(net->nodes[num].heard);
	net->nodes[num].heard = talloc_strdup(net, "");
}

static inline struct net *net_new(uint32_t seed)
{
	struct net *net = talloc_zero(NULL, struct net);

	net->ev = tevent_context_init(net);
	net->now_us = 1000000;
	net->seed = seed;
	for (unsigned int i = 0; i < NET_NODES; i++) {
		net->nodes[i].net = net;
		net->nodes[i].num = i;
		snprintf(net->nodes[i].name, sizeof(net->nodes[i].name), "n%u", i + 1);
		net->nodes[i].heard = talloc_strdup(net, "");
		for (unsigned int j = 0; j < NET_NODES; j++) {
			net->linked[i][j] = true;
		}
	}
	return net;
}

static inline void net_pumped(struct tevent_context *ev, struct tevent_timer *te,
			      struct timeval now, void *private_data)
{
	*(bool *)private_data = true;
}

/* Let everybody do what is to be done now. */
static inline void net_turn(struct net *net)
{
	bool done = false;

	for (unsigned int i = 0; i < NET_NODES; i++) {
		if (net->nodes[i].peers != NULL) {
			peers_run(net->nodes[i].peers);
		}
	}
	assert_non_null(tevent_add_timer(net->ev, net, tevent_timeval_zero(), net_pumped, &done));
	while (!done) {
		assert_int_equal(tevent_loop_once(net->ev), 0);
	}
}

/* Deliver one message, of any sender to any receiver. @return whether there was one */
static inline bool net_deliver(struct net *net)
{
	unsigned int start = net_random(net) % (NET_NODES * NET_NODES);

	for (unsigned int i = 0; i < NET_NODES * NET_NODES; i++) {
		unsigned int pair = (start + i) % (NET_NODES * NET_NODES);
		unsigned int from = pair / NET_NODES, to = pair % NET_NODES;
		struct net_msg *msg = net->queue[from][to];

		if (msg != NULL) {
			net->queue[from][to] = msg->next;
			peers_message(net->nodes[to].peers, net->nodes[from].name, msg->bytes,
				      msg->len);
			talloc_free(msg);
			return true;
		}
	}
	return false;
}

/* Until nothing is under way; time stands still. */
static inline void net_settle(struct net *net)
{
	unsigned int idle = 0;

	while (idle < 4) {
		net_turn(net);
		idle = net_deliver(net) ? 0 : idle + 1;
	}
}

/* Let time pass, with everything that happens meanwhile. */
static inline void net_pass(struct net *net, unsigned int ms)
{
	for (unsigned int i = 0; i < ms; i += 10) {
		net->now_us += 10000;
		net_settle(net);
	}
}

static inline void net_cut_queues(struct net *net, unsigned int a, unsigned int b)
{
	while (net->queue[a][b] != NULL) {
		struct net_msg *msg = net->queue[a][b];

		net->queue[a][b] = msg->next;
		talloc_free(msg);
	}
}

/* Peers that are there join: who is linked sees them, and they see who is linked. */
static inline void net_attach(struct net *net, unsigned int num)
{
	struct net_node *node = &net->nodes[num];
	struct peers_transport transport = {.broadcast = net_broadcast, .private_data = node};

	peers_set_transport(node->peers, &transport);
	for (unsigned int i = 0; i < NET_NODES; i++) {
		if (i != num && net->nodes[i].peers != NULL && net->linked[num][i]) {
			peers_up(node->peers, net->nodes[i].name);
		}
	}
	peers_joined(node->peers, node->name);
	for (unsigned int i = 0; i < NET_NODES; i++) {
		if (i != num && net->nodes[i].peers != NULL && net->linked[num][i]) {
			peers_up(net->nodes[i].peers, node->name);
		}
	}
}

/* Start a witnessd; who is linked sees it, and it sees them. */
static inline void net_start(struct net *net, unsigned int num)
{
	struct net_node *node = &net->nodes[num];
	struct peers_config config = {
		.handover_timeout_s = 60,
		.max_records = 2000,
		.clock = net_clock,
		.clock_private = net,
		.incarnation = node->incarnation = node->incarnation + 1000000,
	};

	assert_int_equal(peers_create(net, net->ev, &config, &node->peers), 0);
	assert_int_equal(peers_listen(node->peers, REG, net_hear, node), 0);
	net_attach(net, num);
}

/* Peers that are no more: what is on its way from and to them is lost, and who was linked sees it. */
static inline void net_detach(struct net *net, unsigned int num)
{
	net->nodes[num].peers = NULL;
	for (unsigned int i = 0; i < NET_NODES; i++) {
		net_cut_queues(net, num, i);
		net_cut_queues(net, i, num);
		if (net->nodes[i].peers != NULL && net->linked[num][i]) {
			peers_down(net->nodes[i].peers, net->nodes[num].name);
		}
	}
}

static inline void net_kill(struct net *net, unsigned int num)
{
	talloc_free(net->nodes[num].peers);
	net_detach(net, num);
}

static inline void net_link(struct net *net, unsigned int a, unsigned int b, bool linked)
{
	struct net_node *na = &net->nodes[a], *nb = &net->nodes[b];

	if (net->linked[a][b] == linked) {
		return;
	}
	net->linked[a][b] = net->linked[b][a] = linked;
	net_cut_queues(net, a, b);
	net_cut_queues(net, b, a);
	if (na->peers == NULL || nb->peers == NULL) {
		return;
	}
	if (linked) {
		peers_up(na->peers, nb->name);
		peers_up(nb->peers, na->name);
	} else {
		peers_down(na->peers, nb->name);
		peers_down(nb->peers, na->name);
	}
}

/* Everybody on one side of the mask loses everybody on the other side, or finds them again. */
static inline void net_partition(struct net *net, unsigned int mask, bool linked)
{
	for (unsigned int a = 0; a < NET_NODES; a++) {
		for (unsigned int b = a + 1; b < NET_NODES; b++) {
			if ((mask >> a & 1) != (mask >> b & 1)) {
				net_link(net, a, b, linked);
			}
		}
	}
}

static inline void net_put(struct net *net, unsigned int num, enum peers_kind kind, const char *key,
			   const char *value)
{
	assert_int_equal(
		peers_put(net->nodes[num].peers, kind, key, strlen(key), value, strlen(value)), 0);
}

static inline int net_delete(struct net *net, unsigned int num, enum peers_kind kind,
			     const char *key)
{
	return peers_delete(net->nodes[num].peers, kind, key, strlen(key));
}

static inline int net_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct net_lines {
	char **lines;
	size_t num;
};

static inline void net_collect(void *private_data, const struct peers_record *record)
{
	struct net_lines *lines = private_data;

	lines->lines = talloc_realloc(NULL, lines->lines, char *, lines->num + 1);
	lines->lines[lines->num++] = talloc_asprintf(
		lines->lines, "%s%s/%.*s=%.*s ", record->owner, record->orphan ? "?" : "",
		(int)record->key_len, (const char *)record->key, (int)record->value_len,
		record->value != NULL ? (const char *)record->value : "");
}

/* What a node knows, sorted: "n1/a=1 n2?/b=2 ", the ? for orphans. */
static inline char *net_view(struct net *net, unsigned int num, enum peers_kind kind)
{
	struct net_lines lines = {.num = 0};
	char *text = talloc_strdup(net, "");

	peers_foreach(net->nodes[num].peers, kind, NULL, net_collect, &lines);
	if (lines.num > 0) {
		qsort(lines.lines, lines.num, sizeof(lines.lines[0]), net_compare);
	}
	for (size_t i = 0; i < lines.num; i++) {
		text = talloc_asprintf_append(text, "%s", lines.lines[i]);
	}
	talloc_free(lines.lines);
	return text;
}

static inline void net_expect_view(struct net *net, unsigned int num, enum peers_kind kind,
				   const char *view)
{
	char *text = net_view(net, num, kind);

	assert_string_equal(text, view);
	talloc_free(text);
}

#endif
